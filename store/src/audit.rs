//! The audit log: who did what to whom, and when. Entries are written in the same change as what
//! they tell of, never altered, and go only when the settings' time is over. An entry's id tells
//! its time, so that the log sorts by it.

use hearth_protocol::ids::{AuditId, DeviceId, EventId, RoomId, UserId};
use hearth_protocol::limits::Limits;
use serde::{Deserialize, Serialize};

use crate::change::Edit;
use crate::engine::{Order, Range, Row};
use crate::error::StoreError;
use crate::stage::Stage;
use crate::store::Store;
use crate::{keys, measure, record, settings};

/// That somebody did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// Its id; carries `at`.
    pub id: AuditId,
    /// ms since 1970.
    pub at: u64,
    /// Who; `None` is the box's own shell.
    pub by: Option<UserId>,
    /// What: a word like `user.block`.
    pub action: String,
    /// To whom or what.
    pub subject: Subject,
    /// What else there is to know; never a body, key or token.
    pub detail: serde_json::Value,
}

/// To whom or what something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The house as a whole.
    House,
    /// A person or bot.
    User(UserId),
    /// A room.
    Room(RoomId),
    /// A message.
    Event(EventId),
    /// A device.
    Device(DeviceId),
}

impl Store {
    /// A page of the log, the newest first, before one entry.
    pub async fn audit(
        &self,
        before: Option<AuditId>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let mut range = keys::audit_log();
        if let Some(before) = before {
            range = keys::before(range, keys::audit(before));
        }
        let limit = limit.min(self.limits().page_entries_max);
        let rows = self.engine().scan(range, Order::Descending, limit).await?;
        rows.iter().map(|(_, value)| record::decode("audit entry", value)).collect()
    }
}

/// Where those lie whose time is over.
pub(crate) async fn over(
    stage: &Stage<'_>,
    at_ms: u64,
    limits: &Limits,
) -> Result<Range, StoreError> {
    let life_ms = settings::current(stage).await?.audit_ms(limits);
    let first_kept = at_ms.checked_sub(life_ms).map_or(0, |over| over.saturating_add(1));
    Ok(keys::before(keys::audit_log(), keys::audit(AuditId::lowest(first_kept))))
}

/// The ends of these entries.
pub(crate) fn ends(rows: &[Row]) -> Result<Vec<Edit>, StoreError> {
    let ids = rows.iter().map(|(key, _)| record::id16("audit entry", key));
    ids.map(|id| Ok(Edit::ForgetAudit(AuditId::from_bytes(id?)))).collect()
}

/// A new entry.
pub(crate) async fn put(
    stage: &mut Stage<'_>,
    entry: &AuditEntry,
    limits: &Limits,
) -> Result<(), StoreError> {
    if entry.id.unix_ms() != entry.at {
        return Err(StoreError::Invalid { what: "the audit entry", why: "its id tells its time" });
    }
    measure::not_empty("the action", &entry.action)?;
    measure::line("the action", &entry.action, limits.audit_action_chars_max)?;
    let detail = entry.detail.to_string();
    measure::bytes("the detail", detail.as_bytes(), limits.audit_detail_bytes_max)?;
    let key = keys::audit(entry.id);
    if stage.get(key.clone()).await?.is_some() {
        return Err(StoreError::IdTaken { what: "audit entry" });
    }
    stage.save("audit entry", key, entry)
}

/// Removes an entry whose time is over; nothing if it is gone.
pub(crate) async fn forget(
    stage: &mut Stage<'_>,
    id: AuditId,
    at_ms: u64,
    limits: &Limits,
) -> Result<(), StoreError> {
    let life_ms = settings::current(stage).await?.audit_ms(limits);
    if id.unix_ms().saturating_add(life_ms) > at_ms {
        return Err(StoreError::Invalid { what: "that", why: "an audit entry is kept its time" });
    }
    stage.delete(keys::audit(id));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::*;
    use crate::{Memory, Settings, Sweep};

    const DAY: u64 = hearth_protocol::limits::days_ms(1);

    fn entry(at: u64, number: u8) -> AuditEntry {
        AuditEntry {
            id: AuditId::new(at, [number; 10]),
            at,
            by: Some(user_id(1)),
            action: "user.block".into(),
            subject: Subject::User(user_id(2)),
            detail: serde_json::json!({ "why": "spam" }),
        }
    }

    #[test]
    fn the_log_reads_newest_first_and_is_never_altered() {
        on_each_engine(|store| async move {
            let entries = [entry(10, 1), entry(20, 2), entry(30, 3)];
            store.make(entries.clone().map(Edit::PutAudit).into()).await.unwrap();
            let other = AuditEntry { action: "x".into(), ..entry(10, 1) };
            refused!(store.make(vec![Edit::PutAudit(other)]).await, IdTaken);
            refused!(store.make(vec![Edit::ForgetAudit(entry(10, 1).id)]).await, Invalid);
            let [one, two, three] = entries;
            assert_eq!(store.audit(None, 2).await.unwrap(), [three, two.clone()]);
            assert_eq!(store.audit(Some(two.id), 2).await.unwrap(), [one]);
            let untrue = AuditEntry { at: 11, ..entry(10, 9) };
            refused!(store.make(vec![Edit::PutAudit(untrue)]).await, Invalid);
        });
    }

    #[test]
    fn entries_go_when_their_time_is_over_in_small_commits() {
        block_on(async {
            let limits = Limits { sweep_rows_max: 2, audit_days: 2, ..Limits::default() };
            let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
            let entries = (1..=5).map(|number| Edit::PutAudit(entry(u64::from(number), number)));
            store.make(entries.collect()).await.unwrap();
            assert_eq!(store.sweep_all(Sweep::Audit, 2 * DAY).await, 0);
            assert_eq!(store.sweep_all(Sweep::Audit, 2 * DAY + 3).await, 3);
            assert_eq!(store.audit(None, 9).await.unwrap(), [entry(5, 5), entry(4, 4)]);
            let longer = Settings { version: 1, audit_days: Some(3), ..Settings::default() };
            let swap = Edit::SwapSettings { expected: 0, settings: longer };
            store.make(vec![swap]).await.unwrap();
            assert_eq!(store.sweep_all(Sweep::Audit, 2 * DAY + 9).await, 0);
            assert_eq!(store.sweep_all(Sweep::Audit, 3 * DAY + 9).await, 2);
        });
    }

    #[test]
    fn an_entry_is_bounded() {
        block_on(async {
            let limits = Limits {
                audit_action_chars_max: 3,
                audit_detail_bytes_max: 4,
                page_entries_max: 1,
                ..Limits::default()
            };
            let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
            let made = async |action: &str, detail: &str| {
                let (action, detail) = (action.to_string(), detail.into());
                let entry = AuditEntry { action, detail, ..entry(10, 1) };
                store.make(vec![Edit::PutAudit(entry)]).await
            };
            refused!(made("abcd", "").await, TooLarge);
            refused!(made(" ", "").await, Invalid);
            refused!(made("abc", "abc").await, TooLarge);
            made("abc", "ab").await.unwrap();
            let second = AuditEntry { action: "b".into(), detail: 1.into(), ..entry(11, 1) };
            store.make(vec![Edit::PutAudit(second)]).await.unwrap();
            assert_eq!(store.audit(None, 9).await.unwrap().len(), 1);
        });
    }
}
