//! The rule for refusals in MQTT 3.1.1, which has no packet to say no (§3.3.5, design §3).
//!
//! The first refusal closes the connection. If the very same publish comes again it is
//! acknowledged and thrown away, so that no client loops for ever, not even one that has several
//! of them in its queue and never reads an acknowledgement before the end. What may pass (a full
//! disk, a rate) is never acknowledged: the client keeps the message and tries again.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use hearth_protocol::refusal::Kind;

use crate::message::Message;
use crate::registry::Key;

/// Sessions whose refused publishes are remembered.
const SESSIONS_MAX: usize = 10_000;

/// What each session was refused: prints of both, the oldest first.
#[derive(Debug)]
pub(crate) struct Refusals {
    hasher: RandomState,
    remembered_max: usize,
    of: Mutex<HashMap<u64, VecDeque<u64>>>,
}

/// What makes two publishes the same.
#[derive(Debug, Clone, Copy, Hash)]
pub(crate) struct Same<'a> {
    pub topic: &'a str,
    pub payload: &'a [u8],
    pub retain: bool,
}

impl<'a> From<&'a Message> for Same<'a> {
    fn from(message: &'a Message) -> Self {
        Same { topic: &message.topic, payload: &message.payload, retain: message.retain }
    }
}

/// What to do with a refused 3.1.1 publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Close,
    Acknowledge,
}

impl Refusals {
    /// Remembers so many publishes of each session.
    pub fn new(remembered_max: usize) -> Refusals {
        let remembered_max = remembered_max.max(1);
        Refusals { hasher: RandomState::new(), remembered_max, of: Mutex::default() }
    }

    /// Notes a refusal.
    pub fn note(&self, key: &Key, publish: Same<'_>, kind: Kind) -> Answer {
        if matches!(kind, Kind::Unavailable | Kind::TooMany { .. }) {
            return Answer::Close;
        }
        let print = self.hasher.hash_one(publish);
        let session = self.hasher.hash_one(key);
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if !of.contains_key(&session) && of.len() >= SESSIONS_MAX {
            of.clear();
        }
        let prints = of.entry(session).or_default();
        if prints.contains(&print) {
            return Answer::Acknowledge;
        }
        if prints.len() >= self.remembered_max {
            prints.pop_front();
        }
        prints.push_back(print);
        Answer::Close
    }

    /// A publish of the session was accepted: that it was refused before counts no more.
    pub fn accepted(&self, key: &Key, publish: Same<'_>) {
        let session = self.hasher.hash_one(key);
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(prints) = of.get_mut(&session) else { return };
        let print = self.hasher.hash_one(publish);
        prints.retain(|other| *other != print);
        if prints.is_empty() {
            of.remove(&session);
        }
    }
}
