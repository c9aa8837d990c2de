//! What each account was refused last, over MQTT or at its door: some clients cannot be told, so
//! those who run them are (design §3). Kept in memory, for as many accounts as the limit says.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hearth_protocol::principal::{Account, Principal};
use hearth_protocol::refusal::Refusal;
use hearth_protocol::topic::Topic;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::app::App;

/// Characters of a topic or a sentence that are kept.
const TEXT_CHARS_MAX: usize = 200;

/// The last publish that an account was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LastRefused {
    /// As in REST.
    pub code: String,
    /// What happened.
    pub message: String,
    /// Where to.
    pub topic: String,
    /// ms since 1970.
    pub at: u64,
    /// Publishes refused since the box started.
    pub count: u64,
}

#[derive(Debug)]
struct Kept {
    last: LastRefused,
    rung_at: u64,
}

/// What was refused.
#[derive(Debug)]
pub struct Refusals {
    accounts_max: usize,
    bell_gap_ms: u64,
    of: Mutex<HashMap<Account, Kept>>,
}

/// Whether the account is to hear of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bell {
    /// Now.
    Ring,
    /// It heard of another one a moment ago.
    Rest,
}

fn short(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}

impl Refusals {
    /// Keeps the last refusal of so many accounts, and rings each at most once in that time.
    pub fn new(accounts_max: usize, bell_gap_ms: u64) -> Self {
        Self { accounts_max: accounts_max.max(1), bell_gap_ms, of: Mutex::default() }
    }

    fn of(&self) -> MutexGuard<'_, HashMap<Account, Kept>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes one.
    pub fn note(&self, who: &Account, topic: &str, refusal: &Refusal, now_ms: u64) -> Bell {
        let mut of = self.of();
        let old = of.remove(who);
        if old.is_none() && of.len() >= self.accounts_max {
            let oldest = of.iter().min_by_key(|(_, kept)| kept.last.at).map(|(who, _)| who.clone());
            if let Some(oldest) = oldest {
                of.remove(&oldest);
            }
        }
        let rung_at = old.as_ref().map(|old| old.rung_at);
        let rests = rung_at.filter(|at| now_ms.saturating_sub(*at) < self.bell_gap_ms);
        let last = LastRefused {
            code: refusal.code.to_string(),
            message: short(&refusal.message),
            topic: short(topic),
            at: now_ms,
            count: old.map_or(0, |old| old.last.count) + 1,
        };
        of.insert(who.clone(), Kept { last, rung_at: rests.unwrap_or(now_ms) });
        if rests.is_some() { Bell::Rest } else { Bell::Ring }
    }

    /// What an account was refused last.
    pub fn last(&self, who: &Account) -> Option<LastRefused> {
        self.of().get(who).map(|kept| kept.last.clone())
    }
}

impl App {
    /// Notes a refused publish, and tells the person whose app it was.
    pub fn publish_refused(&self, who: &Principal, topic: &str, refusal: &Refusal) {
        let account = who.account();
        let bell = self.refusals.note(&account, topic, refusal, self.clock.now_ms());
        if let (Some(user), Bell::Ring) = (who.user(), bell) {
            let payload = json!({ "type": "refused", "code": refusal.code,
                "message": short(&refusal.message), "topic": short(topic) });
            self.broker.publish(&Topic::Inbox(user), payload.to_string().into(), false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearth_protocol::refusal::Kind;

    fn account(name: &str) -> Account {
        Account::Local(name.to_string())
    }

    #[test]
    fn the_last_refusal_is_kept_and_counted_and_rings_once_in_a_while() {
        let refusals = Refusals::new(10, 1_000);
        let no = |code| Refusal::new(Kind::Forbidden, code, "no".repeat(500));
        let note = |code, at| refusals.note(&account("a"), &"t".repeat(500), &no(code), at);
        assert_eq!(note("one", 5_000), Bell::Ring);
        assert_eq!([note("two", 5_999), note("three", 6_000)], [Bell::Rest, Bell::Ring]);
        let last = refusals.last(&account("a")).unwrap();
        assert_eq!((&*last.code, last.at, last.count), ("three", 6_000, 3));
        assert_eq!((last.message.len(), last.topic.len()), (200, 200));
    }

    #[test]
    fn as_many_accounts_are_kept_as_the_limit_says() {
        let refusals = Refusals::new(2, 0);
        let no = Refusal::new(Kind::Forbidden, "no", "no");
        for (name, at) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            refusals.note(&account(name), "t", &no, at);
        }
        let kept = ["a", "b", "c"].map(|name| refusals.last(&account(name)).map(|last| last.count));
        assert_eq!(kept, [Some(2), None, Some(1)]);
    }
}
