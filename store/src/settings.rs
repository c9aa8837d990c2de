//! Settings of the house as a whole: one record, replaced by compare-and-set on its version.
//! Before the first one the limits' own numbers hold.

use hearth_protocol::limits::{Limits, days_ms, wide};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::rooms::Room;
use crate::stage::Stage;
use crate::store::Store;
use crate::{keys, measure};

/// What whoever runs the house decides for all. `None` is what `limits.rs` says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Settings {
    /// From 1; each change raises it by one. 0: nothing was decided yet.
    pub version: u64,
    /// Who may make an account.
    pub registration: Registration,
    /// Days that messages of a room are kept which says 0 itself; 0: for ever.
    pub retention_days: usize,
    /// Bytes of history that such a room keeps; 0: all.
    pub retention_bytes: u64,
    /// MiB of attachments of one person.
    pub attachment_user_mib: Option<usize>,
    /// MiB of all attachments.
    pub attachment_house_mib: Option<usize>,
    /// Days that audit entries and decided reports are kept.
    pub audit_days: Option<usize>,
}

/// Who may make an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    /// Who was invited.
    #[default]
    Invite,
    /// Anybody who reaches the box.
    Open,
}

impl Settings {
    /// Bytes of attachments of one person.
    pub fn attachment_user_bytes(&self, limits: &Limits) -> u64 {
        mib(self.attachment_user_mib, limits.attachment_user_mib)
    }

    /// Bytes of all attachments.
    pub fn attachment_house_bytes(&self, limits: &Limits) -> u64 {
        mib(self.attachment_house_mib, limits.attachment_house_mib)
    }

    /// How long audit entries and decided reports are kept, in ms.
    pub fn audit_ms(&self, limits: &Limits) -> u64 {
        days_ms(self.audit_days.unwrap_or(limits.audit_days))
    }

    /// For how many days and in how many bytes a room's history is kept; 0: for ever, and all.
    pub fn retention(&self, room: &Room) -> (usize, u64) {
        let days = if room.keep_days == 0 { self.retention_days } else { room.keep_days };
        let bytes = if room.keep_bytes == 0 { self.retention_bytes } else { room.keep_bytes };
        (days, bytes)
    }
}

fn mib(decided: Option<usize>, default: usize) -> u64 {
    wide(decided.unwrap_or(default)).saturating_mul(1024 * 1024)
}

impl Store {
    /// The settings in force.
    pub async fn settings(&self) -> Result<Settings, StoreError> {
        Ok(self.load("settings", keys::settings()).await?.unwrap_or_default())
    }
}

/// The settings as they will be.
pub(crate) async fn current(stage: &Stage<'_>) -> Result<Settings, StoreError> {
    Ok(stage.load("settings", keys::settings()).await?.unwrap_or_default())
}

/// Replaces version `expected` (0: none) by the next.
pub(crate) async fn swap(
    stage: &mut Stage<'_>,
    expected: u64,
    settings: &Settings,
    limits: &Limits,
) -> Result<(), StoreError> {
    if current(stage).await?.version != expected {
        return Err(StoreError::Stale { what: "settings" });
    }
    let invalid = |why| Err(StoreError::Invalid { what: "the settings", why });
    if Some(settings.version) != expected.checked_add(1) {
        return invalid("their version is the next after the one they replace");
    }
    if settings.audit_days == Some(0) {
        return invalid("audit entries are kept for a day at least");
    }
    measure::kept(settings.retention_days, settings.retention_bytes, limits)?;
    stage.save("settings", keys::settings(), settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Edit;
    use crate::testing::*;

    fn swap(expected: u64, settings: Settings) -> Vec<Edit> {
        vec![Edit::SwapSettings { expected, settings }]
    }

    #[test]
    fn settings_are_swapped_by_their_version() {
        on_each_engine(|store| async move {
            assert_eq!(store.settings().await.unwrap(), Settings::default());
            let open = |version| Settings {
                version,
                registration: Registration::Open,
                ..Settings::default()
            };
            refused!(store.make(swap(1, open(2))).await, Stale);
            refused!(store.make(swap(0, open(2))).await, Invalid);
            store.make(swap(0, open(1))).await.unwrap();
            assert_eq!(store.settings().await.unwrap(), open(1));
            let (one, two) =
                tokio::join!(store.make(swap(1, open(2))), store.make(swap(1, open(2))));
            assert!(one.is_ok());
            refused!(two, Stale);
        });
    }

    #[test]
    fn what_is_not_decided_is_what_the_limits_say() {
        let limits = Limits { attachment_user_mib: 3, audit_days: 2, ..Limits::default() };
        let mut settings = Settings::default();
        assert_eq!(settings.attachment_user_bytes(&limits), 3 << 20);
        assert_eq!(settings.attachment_house_bytes(&limits), 10 << 30);
        assert_eq!(settings.audit_ms(&limits), days_ms(2));
        settings.attachment_user_mib = Some(0);
        settings.audit_days = Some(1);
        assert_eq!(settings.attachment_user_bytes(&limits), 0);
        assert_eq!(settings.audit_ms(&limits), days_ms(1));
    }

    #[test]
    fn days_and_bytes_of_history_have_their_most() {
        let limits = Limits { keep_days_max: 30, keep_gib_max: 2, ..Limits::default() };
        for (days, bytes, fits) in
            [(30, 2 << 30, true), (31, 0, false), (0, (2 << 30) + 1, false), (0, 1 << 60, false)]
        {
            assert_eq!(measure::kept(days, bytes, &limits).is_ok(), fits, "{days} {bytes}");
        }
        on_each_engine(|store| async move {
            let kept = |days, bytes| Settings {
                version: 1,
                retention_days: days,
                retention_bytes: bytes,
                ..Settings::default()
            };
            refused!(store.make(swap(0, kept(36_526, 0))).await, TooMuch);
            refused!(store.make(swap(0, kept(0, (1 << 50) + 1))).await, TooMuch);
            store.make(swap(0, kept(36_525, 1 << 50))).await.unwrap();
        });
    }

    #[test]
    fn the_audit_log_is_kept_for_a_day_at_least() {
        on_each_engine(|store| async move {
            let audit_days =
                |days| Settings { version: 1, audit_days: days, ..Settings::default() };
            refused!(store.make(swap(0, audit_days(Some(0)))).await, Invalid);
            store.make(swap(0, audit_days(Some(1)))).await.unwrap();
        });
    }

    #[test]
    fn a_room_that_decides_nothing_is_kept_as_the_house_says() {
        let house = Settings { retention_days: 9, retention_bytes: 8, ..Settings::default() };
        let room = |keep_days, keep_bytes| Room { keep_days, keep_bytes, ..room(1) };
        assert_eq!(house.retention(&room(0, 0)), (9, 8));
        assert_eq!(house.retention(&room(90, 0)), (90, 8));
        assert_eq!(house.retention(&room(0, 80)), (9, 80));
        assert_eq!(Settings::default().retention(&room(0, 0)), (0, 0));
    }
}
