//! How fast somebody may do what others have to bear: one window per person or device and sort of
//! act, over all doors together.
//!
//! Messages: seed 004 @Validation (10 in 10 s), design §5: the acknowledgement is held back up to
//! 2 s, then the answer is "too fast" with when to come back; whom no refusal reaches (MQTT 3.1.1)
//! waits in line. Reports, invites, contact requests, lines, live messages and whatever else
//! changes something by REST are refused at once.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hearth_protocol::event::Sender;
use hearth_protocol::ids::UserId;
use hearth_protocol::limits::{Limits, days_ms, hours_ms, wide};
use hearth_protocol::refusal::{Kind, Refusal};
use tokio::sync::Semaphore;

use crate::app::App;
use crate::clock::Clock;
use crate::error::ApiError;

const PERSON_WINDOW_MS: u64 = 10_000;
const DEVICE_WINDOW_MS: u64 = 60_000;
const ACT_WINDOW_MS: u64 = hours_ms(1);
const LINE_WINDOW_MS: u64 = 60_000;
const CHANGE_WINDOW_MS: u64 = 60_000;
/// Above so many windows, those that are over are forgotten.
const WINDOWS_KEPT: usize = 1_000;

/// What is counted, and whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// A message or post.
    Write(Sender),
    /// A report.
    Report(UserId),
    /// An invite made, or somebody added to a room.
    Invite(UserId),
    /// Somebody asked to be a contact.
    Contact(UserId),
    /// Another name for an account.
    Rename(UserId),
    /// A request that changes something, and is no message.
    Change(UserId),
    /// A line of the box that somebody causes, or an act in a room that its people bear: they join,
    /// leave, pin, change the room, give a role, put out, mute or ban.
    Line(UserId),
    /// Something on a live topic: passed on, never kept.
    Live(UserId),
}

impl Act {
    /// How many are taken in how many ms; `None`: as many as come.
    fn window(self, limits: &Limits) -> Option<(usize, u64)> {
        let (max, window_ms) = match self {
            Act::Write(Sender::Person(_)) => (limits.messages_per_10_s, PERSON_WINDOW_MS),
            Act::Write(Sender::Device(_)) => (limits.posts_per_60_s, DEVICE_WINDOW_MS),
            Act::Write(Sender::Box) => return None,
            Act::Report(_) => (limits.reports_per_hour, ACT_WINDOW_MS),
            Act::Invite(_) => (limits.invites_per_hour, ACT_WINDOW_MS),
            Act::Contact(_) => (limits.contacts_per_hour, ACT_WINDOW_MS),
            Act::Rename(_) => (limits.renames_per_day, days_ms(1)),
            Act::Change(_) => (limits.changes_per_60_s, CHANGE_WINDOW_MS),
            Act::Line(_) => (limits.lines_per_60_s, LINE_WINDOW_MS),
            Act::Live(_) => (limits.live_per_10_s, PERSON_WINDOW_MS),
        };
        (max > 0).then_some((max, window_ms))
    }

    /// Of what there are too many.
    fn what(self) -> &'static str {
        match self {
            Act::Write(_) => "messages",
            Act::Report(_) => "reports",
            Act::Invite(_) => "invites",
            Act::Contact(_) => "requests to be a contact",
            Act::Rename(_) => "new names",
            Act::Change(_) => "changes",
            Act::Line(_) => "changes of rooms",
            Act::Live(_) => "live messages",
        }
    }
}

/// How long somebody waits for their turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Not at all: the answer is at once.
    None,
    /// `rate_delay_ms_max`.
    Short,
}

/// What everyone did lately.
#[derive(Debug)]
pub struct Rates {
    recent: Mutex<Recent>,
    /// Where those stand who wait as long as it takes; of one place each.
    lines: Mutex<HashMap<Act, Arc<Semaphore>>>,
}

#[derive(Debug)]
struct Recent {
    of: HashMap<Act, VecDeque<u64>>,
    /// How many windows there are when those that are over are next looked for.
    full_at: usize,
}

impl Default for Rates {
    fn default() -> Self {
        let recent = Recent { of: HashMap::new(), full_at: WINDOWS_KEPT };
        Self { recent: Mutex::new(recent), lines: Mutex::default() }
    }
}

/// What the window says to one more act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Now.
    Go,
    /// In so many ms; it is already counted.
    Wait(u64),
    /// Not now: come back in so many ms. Not counted.
    TooFast(u64),
}

impl Rates {
    /// Counts one act at `now_ms`, unless it is too fast.
    pub fn count(&self, act: Act, now_ms: u64, patience: Patience, limits: &Limits) -> Pace {
        let Some((max, window_ms)) = act.window(limits) else { return Pace::Go };
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.forget(now_ms, limits);
        let times = recent.of.entry(act).or_default();
        while times.front().is_some_and(|first| first + window_ms <= now_ms) {
            times.pop_front();
        }
        // The slot frees when the act `max` places back leaves the window.
        let free_at = match times.len().checked_sub(max).and_then(|at| times.get(at)) {
            None => now_ms,
            Some(oldest) => oldest + window_ms,
        };
        let wait = free_at.saturating_sub(now_ms);
        let patient = match patience {
            Patience::None => false,
            Patience::Short => wait <= wide(limits.rate_delay_ms_max),
        };
        if wait == 0 {
            times.push_back(now_ms);
            Pace::Go
        } else if patient {
            times.push_back(free_at);
            Pace::Wait(wait)
        } else {
            Pace::TooFast(wait)
        }
    }

    /// Counts one act once there is room for it, however long that takes: in the order of coming.
    /// Nothing is counted before, so that who stops waiting has taken nobody's room.
    pub async fn in_turn(
        &self,
        act: Act,
        clock: &dyn Clock,
        limits: &Limits,
    ) -> Result<(), ApiError> {
        let line = self.line(act);
        let _first = line.acquire().await.map_err(|error| {
            ApiError::new(Kind::Unavailable, "shutting_down", error.to_string())
        })?;
        loop {
            match self.count(act, clock.now_ms(), Patience::None, limits) {
                Pace::Go => return Ok(()),
                Pace::Wait(ms) | Pace::TooFast(ms) => {
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                }
            }
        }
    }

    /// Where to stand. Once there are many lines, those in which nobody stands are forgotten.
    fn line(&self, act: Act) -> Arc<Semaphore> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= WINDOWS_KEPT {
            lines.retain(|_, line| Arc::strong_count(line) > 1);
        }
        lines.entry(act).or_insert_with(|| Arc::new(Semaphore::new(1))).clone()
    }

    /// How many windows are in memory.
    #[cfg(test)]
    fn windows(&self) -> usize {
        self.recent.lock().unwrap().of.len()
    }
}

impl Recent {
    /// Drops the windows that are over, once there are many: twice as many as were left the last
    /// time, so that it costs each act little.
    fn forget(&mut self, now_ms: u64, limits: &Limits) {
        if self.of.len() < self.full_at {
            return;
        }
        self.of.retain(|act, times| {
            let window_ms = act.window(limits).map_or(0, |(_, window_ms)| window_ms);
            times.back().is_some_and(|last| last + window_ms > now_ms)
        });
        self.full_at = WINDOWS_KEPT.max(self.of.len().saturating_mul(2));
    }
}

impl App {
    /// Counts an act that is refused at once when there are too many: 429 `too_fast`.
    pub fn not_too_often(&self, act: Act) -> Result<(), ApiError> {
        match self.rates.count(act, self.clock.now_ms(), Patience::None, &self.limits) {
            Pace::Go => Ok(()),
            Pace::Wait(wait) | Pace::TooFast(wait) => Err(too_fast(act, wait).into()),
        }
    }
}

/// The refusal for a pace that is too fast.
pub fn too_fast(act: Act, retry_after_ms: u64) -> Refusal {
    let what = act.what();
    Refusal::new(
        Kind::TooMany { retry_after_ms },
        "too_fast",
        format!("too many {what}; the next one is taken in {retry_after_ms} ms"),
    )
    .hint("wait that long; clients that queue send it by themselves")
}
