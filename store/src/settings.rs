//! Settings of the house as a whole: one record, replaced by compare-and-set on its version.
//! Before the first one the limits' own numbers hold.

use hearth_protocol::limits::Limits;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys;
use crate::stage::Stage;
use crate::store::Store;

/// What whoever runs the house decides for all. `None` is what `limits.rs` says, or no bound where
/// it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// From 1; each change raises it by one. 0: nothing was decided yet.
    pub version: u64,
    /// Who may make an account.
    pub registration: Registration,
    /// Days that messages of a room are kept which decides nothing itself; `None`: for ever.
    pub retention_days: Option<u32>,
    /// Bytes of history of such a room; `None`: as many as there are.
    pub retention_bytes: Option<u64>,
    /// MiB of attachments of one person.
    pub attachment_user_mib: Option<u32>,
    /// MiB of all attachments.
    pub attachment_house_mib: Option<u32>,
    /// Days that audit entries and decided reports are kept.
    pub audit_days: Option<u32>,
}

/// Who may make an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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
        let days = self.audit_days.map_or_else(|| wide(limits.audit_days), u64::from);
        days.saturating_mul(24 * 3_600_000)
    }
}

fn mib(decided: Option<u32>, default: usize) -> u64 {
    decided.map_or_else(|| wide(default), u64::from).saturating_mul(1024 * 1024)
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
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
) -> Result<(), StoreError> {
    if current(stage).await?.version != expected {
        return Err(StoreError::Stale { what: "settings" });
    }
    let invalid = |why| Err(StoreError::Invalid { what: "the settings", why });
    if Some(settings.version) != expected.checked_add(1) {
        return invalid("their version is the next after the one they replace");
    }
    let nothing_is_kept = [settings.retention_days, settings.audit_days].contains(&Some(0))
        || settings.retention_bytes == Some(0);
    if nothing_is_kept {
        return invalid("a time or size to keep is at least 1; leave it out to keep all");
    }
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
        assert_eq!(settings.audit_ms(&limits), 2 * 24 * 3_600_000);
        settings.attachment_user_mib = Some(0);
        settings.audit_days = Some(1);
        assert_eq!(settings.attachment_user_bytes(&limits), 0);
        assert_eq!(settings.audit_ms(&limits), 24 * 3_600_000);
    }

    #[test]
    fn nothing_is_kept_for_no_time_at_all() {
        on_each_engine(|store| async move {
            let first = Settings { version: 1, ..Settings::default() };
            let wrong = [
                Settings { retention_days: Some(0), ..first.clone() },
                Settings { retention_bytes: Some(0), ..first.clone() },
                Settings { audit_days: Some(0), ..first.clone() },
            ];
            for settings in wrong {
                refused!(store.make(swap(0, settings)).await, Invalid);
            }
            let least = Settings { retention_days: Some(1), audit_days: Some(1), ..first };
            store.make(swap(0, least)).await.unwrap();
        });
    }
}
