//! What the audit log is told when the house begins: that somebody brought its passphrase, and that
//! it runs with other limits than before.

use hearth_protocol::bytes::b64u;
use hearth_protocol::limits::Limits;
use hearth_protocol::sealing::kdf::sha256;
use hearth_store::{Change, Subject};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::audit::{self, AuditAction};
use crate::error::ApiError;

/// How the data was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entrance {
    /// By what the box has itself, or by whoever started it.
    Own,
    /// By `hearth unlock`.
    Unlocked,
}

/// Entries that are looked at for the limits of the last time. Where they have gone by since, the
/// limits are told again.
const ENTRIES_LOOKED_AT: usize = 1_000;

impl App {
    /// Notes how the house begins, if there is something to note.
    pub async fn note_beginning(&self, entrance: Entrance) -> Result<(), ApiError> {
        let mut change = Change::of(vec![], self.clock.now_ms());
        let mut note = |action, detail| {
            audit::note(&mut change, None, action, Subject::House, detail);
        };
        if entrance == Entrance::Unlocked {
            note(AuditAction::HouseUnlock, Value::Null);
        }
        let detail = detail(&self.limits);
        if detail != self.limits_told().await? {
            note(AuditAction::LimitsChange, detail);
        }
        if !change.edits.is_empty() {
            self.store.change(change).await?;
        }
        Ok(())
    }

    /// What the log says last; where it says nothing, that nothing is set.
    async fn limits_told(&self) -> Result<Value, ApiError> {
        let log = self.store.audit(None, ENTRIES_LOOKED_AT).await?;
        let told = log.into_iter().find(|entry| entry.action == AuditAction::LimitsChange.word());
        Ok(told.map_or_else(|| detail(&Limits::default()), |entry| entry.detail))
    }
}

/// `{set: {name: number}}`; of more than an entry holds, how many they are and their hash.
fn detail(limits: &Limits) -> Value {
    let detail = json!({ "set": set(limits) });
    let text = detail.to_string();
    if text.len() <= limits.audit_detail_bytes_max {
        return detail;
    }
    json!({ "count": set(limits).len(), "sha256": b64u(&sha256(text.as_bytes())) })
}

/// The limits that are not as the program has them, by name.
fn set(limits: &Limits) -> Map<String, Value> {
    let (limits, usual) = (limits.to_string(), Limits::default().to_string());
    let other = limits.lines().zip(usual.lines()).filter(|(here, usual)| here != usual);
    other
        .filter_map(|(here, _)| here.split_once('='))
        .map(|(name, number)| (name.to_string(), json!(number.parse::<u64>().unwrap_or_default())))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hearth_store::Memory;

    use super::*;
    use crate::testing::House;

    #[tokio::test]
    async fn limits_are_told_of_when_they_are_others_than_the_last_time() {
        let engine = Arc::new(Memory::new());
        let begins = async |limits: Limits| {
            let house = House::upon(engine.clone(), limits).await;
            house.app.note_beginning(Entrance::Own).await.unwrap();
            let log = house.app.store.audit(None, 100).await.unwrap();
            house.app.close().await;
            log.into_iter().map(|entry| (entry.action, entry.detail)).collect::<Vec<_>>()
        };
        let lifted = || Limits { messages_per_10_s: 0, ..Limits::default() };
        assert_eq!(begins(Limits::default()).await, []);
        let told = ("limits.change".to_string(), json!({ "set": { "messages_per_10_s": 0 } }));
        let once = [told.clone()];
        assert_eq!(begins(lifted()).await, once);
        assert_eq!(begins(lifted()).await, once, "and not again");
        let back = ("limits.change".to_string(), json!({ "set": {} }));
        let log = begins(Limits::default()).await;
        assert!(log.len() == 2 && log.contains(&told) && log.contains(&back), "{log:?}");
    }

    #[test]
    fn every_limit_set_at_once_fits_into_an_entry() {
        let mut limits = Limits::default();
        for name in Limits::NAMES {
            limits.set(&format!("{name}=1999999999")).unwrap();
        }
        let max = Limits::default().audit_detail_bytes_max;
        limits.audit_detail_bytes_max = max;
        let detail = detail(&limits);
        assert_eq!(detail["count"], Limits::NAMES.len() - 1);
        assert!(detail.to_string().len() <= max, "{detail}");
    }
}
