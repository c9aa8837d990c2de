//! What goes by itself, in the background: receipts are written every second; what is over or not
//! kept any longer is removed every minute, in small commits with a rest between them, while the
//! clock is trusted (design §5).

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hearth_protocol::limits::{hours_ms, wide};
use hearth_store::{Attachments, StoreError, Sweep};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::app::App;
use crate::ingest::SAME_POST_MS;

/// How often receipts are written, if there are any.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// How far a clock that nobody vouches for may be from the last time it was trusted.
const TRUSTED_FOR_HOURS: usize = 24;
/// Says that systemd-timesyncd has set the clock since the machine started.
const TIMESYNC: &str = "/run/systemd/timesync/synchronized";

/// Whether sweeps may judge by the clock: it is synchronised, or near the last time it was trusted.
/// A box that has never trusted a time (0) and holds nothing has nothing to lose.
pub fn is_trusted(now_ms: u64, last_ms: u64, synchronised: bool) -> bool {
    synchronised || last_ms == 0 || now_ms.abs_diff(last_ms) <= hours_ms(TRUSTED_FOR_HOURS)
}

/// Whether the machine's clock is set by another one: the mark of systemd-timesyncd, else what
/// `timedatectl` says (chrony and ntpd are known to it). Waits for a program.
fn is_synchronised() -> bool {
    if Path::new(TIMESYNC).exists() {
        return true;
    }
    let asked = Command::new("timedatectl")
        .args(["show", "--property=NTPSynchronized", "--value"])
        .output();
    asked.is_ok_and(|answer| answer.stdout.trim_ascii() == b"yes")
}

/// Sweeps until `stop` turns true.
pub async fn run(app: Arc<App>, attachments: Attachments, stop: watch::Receiver<bool>) {
    let files_ms = None;
    let judge = Judge { app: app.clone(), is_synchronised, last_ms: None, warned: false };
    let mut sweeper = Sweeper { app, attachments, files_ms, stop, judge };
    let rounds = wide(sweeper.app.limits.sweep_gap_s.max(1));
    let mut ticks = interval(FLUSH_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for tick in 0_u64.. {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = sweeper.stop.wait_for(|stop| *stop) => return,
        }
        if let Err(error) = sweeper.app.store.flush().await {
            tracing::warn!(%error, "receipts are not written yet");
        }
        if tick % rounds == 0
            && let Err(error) = sweeper.round().await
        {
            tracing::warn!(%error, "a sweep stopped; the next round goes on");
        }
    }
}

struct Sweeper {
    app: Arc<App>,
    attachments: Attachments,
    /// When attachments were swept last: that reads their folders.
    files_ms: Option<u64>,
    stop: watch::Receiver<bool>,
    judge: Judge,
}

impl Sweeper {
    /// One round of everything. Each sweep is one line here.
    async fn round(&mut self) -> Result<(), StoreError> {
        let now = self.app.clock.now_ms();
        if !self.judge.may_judge(now).await? {
            return Ok(());
        }
        self.drain(Sweep::RemovedRooms, now).await;
        let settings = self.app.store.settings().await?;
        for state in self.app.membership.rooms() {
            let room = &state.room;
            if settings.retention(room) != (0, 0) {
                self.drain(Sweep::History { room: room.id }, now).await;
            }
        }
        for sweep in [
            Sweep::OnceKeys { post_ms: SAME_POST_MS },
            Sweep::Invites,
            Sweep::Sessions,
            Sweep::Tokens,
            Sweep::Notifications,
            Sweep::Reports,
            Sweep::Audit,
        ] {
            self.drain(sweep, now).await;
        }
        let put_out = self.app.put_out_guests(now).await?;
        if put_out > 0 {
            tracing::info!(put_out, "guests whose time is over left sealed rooms");
        }
        self.sweep_files(now).await
    }

    async fn sweep_files(&mut self, now: u64) -> Result<(), StoreError> {
        let lately = self.files_ms.is_some_and(|last| now.abs_diff(last) < hours_ms(1));
        if lately || *self.stop.borrow() {
            return Ok(());
        }
        self.files_ms = Some(now);
        let swept = self.attachments.sweep(now).await?;
        if !swept.damaged.is_empty() {
            tracing::error!(
                damaged = ?swept.damaged,
                "files of attachments are missing or damaged; restore them from a backup"
            );
        }
        Ok(())
    }

    /// Does a sweep to its end. One that fails keeps no other from its turn.
    async fn drain(&mut self, sweep: Sweep, now: u64) {
        if let Err(error) = self.try_drain(sweep, now).await {
            tracing::warn!(%error, ?sweep, "a sweep stopped; the next round goes on");
        }
    }

    /// With a rest after each commit, so that writers have the disk.
    async fn try_drain(&mut self, sweep: Sweep, now: u64) -> Result<(), StoreError> {
        let pause = wide(self.app.limits.sweep_pause_ms);
        let mut from = Bytes::new();
        while !*self.stop.borrow() {
            let swept = self.app.store.sweep(sweep, from, now).await?;
            if swept.rows > 0 {
                tracing::debug!(?sweep, rows = swept.rows, "swept");
            }
            let Some(next) = swept.next else { return Ok(()) };
            from = next;
            tokio::select! {
                _ = tokio::time::sleep(Duration::from_millis(pause)) => {}
                _ = self.stop.wait_for(|stop| *stop) => {}
            }
        }
        Ok(())
    }
}

/// Finds out whether the clock is trusted.
struct Judge {
    app: Arc<App>,
    /// Whether another clock sets it. Waits for a program.
    is_synchronised: fn() -> bool,
    /// When it was trusted last, once that was looked up.
    last_ms: Option<u64>,
    warned: bool,
}

impl Judge {
    /// Whether the clock is trusted; the time of it is kept for the next start.
    async fn may_judge(&mut self, now_ms: u64) -> Result<bool, StoreError> {
        let last = match self.app.trust.take_vouched().or(self.last_ms) {
            Some(last) => last,
            None => match self.app.store.trusted_ms().await? {
                0 => self.app.store.newest_ms(),
                kept => kept,
            },
        };
        self.last_ms = Some(last);
        let asked = tokio::task::spawn_blocking(self.is_synchronised).await;
        let trusted = is_trusted(now_ms, last, asked.unwrap_or(false));
        self.app.trust.find(trusted);
        if !trusted {
            if !self.warned {
                tracing::warn!(
                    "the clock is far from the last time it was trusted: nothing old is removed \
                     until it is synchronised, or `hearth doctor --trust-clock` says it is right"
                );
            }
            self.warned = true;
            return Ok(false);
        }
        self.warned = false;
        // Once an hour is near enough to a day.
        if last == 0 || now_ms.abs_diff(last) >= hours_ms(1) {
            self.app.store.trust(now_ms).await?;
            self.last_ms = Some(now_ms);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use hearth_protocol::role::HouseRole;
    use hearth_store::Edit;
    use serde_json::Value;

    use super::*;
    use crate::admin::{self, Reply, Request};
    use crate::testing::House;

    #[test]
    fn a_clock_is_trusted_when_synchronised_or_within_a_day_of_the_last_trusted_time() {
        let day = hours_ms(24);
        let last = 100 * day;
        for (now, synchronised, expected) in [
            (last, false, true),
            (last + day, false, true),
            (last + day + 1, false, false),
            (last - day, false, true),
            (last - day - 1, false, false),
            (last + 9 * day, true, true),
            (0, false, false),
            (0, true, true),
        ] {
            assert_eq!(is_trusted(now, last, synchronised), expected, "{now} {synchronised}");
        }
        assert!(is_trusted(last, 0, false), "an empty box has nothing to lose");
    }

    #[tokio::test]
    async fn a_doubted_clock_ends_nothing_and_is_told_until_somebody_vouches_for_it() {
        let house = House::new().await;
        let anna = house.person("anna", HouseRole::Owner).await;
        let (app, is_synchronised) = (house.app.clone(), || false);
        let made = app.auth.new_session(anna.id, "old laptop");
        house.change(vec![Edit::PutSession(made.session.clone())]).await;
        let user = app.store.user(anna.id).await.unwrap().unwrap();
        let reply = serde_json::to_value(app.auth.reply(made, user).unwrap()).unwrap();
        let refresh = reply["refresh"].as_str().unwrap();
        let mut judge = Judge { app: app.clone(), is_synchronised, last_ms: None, warned: false };
        let said = async || {
            let health = house.call("GET", "/health", None, Value::Null).await.is(200);
            let doubted = match admin::handle(&app, Request::Status).await {
                Reply::Status { clock_doubted, .. } => clock_doubted,
                other => panic!("{other:?}"),
            };
            (health["clock"].as_str().unwrap().to_string(), doubted)
        };
        assert!(judge.may_judge(app.clock.now_ms()).await.unwrap());
        assert_eq!(said().await, ("trusted".to_string(), false));
        house.later(hours_ms(24 * 91));
        assert!(!judge.may_judge(app.clock.now_ms()).await.unwrap());
        assert_eq!(said().await, ("doubted".to_string(), true));
        let renewed = app.auth.refresh(refresh).await.unwrap();
        let renewed = serde_json::to_value(renewed).unwrap();
        house.later(hours_ms(24 * 91));
        let vouched = admin::handle(&app, Request::TrustClock).await;
        assert!(matches!(vouched, Reply::ClockTrusted), "{vouched:?}");
        assert_eq!(said().await, ("trusted".to_string(), false));
        assert!(judge.may_judge(app.clock.now_ms()).await.unwrap());
        let refresh = renewed["refresh"].as_str().unwrap();
        let error = app.auth.refresh(refresh).await.unwrap_err();
        assert_eq!(error.0.message, "this login has ended");
    }
}
