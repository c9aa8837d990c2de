//! The rule for refusals in MQTT 3.1.1, which has no packet to say no (§3.3.5, design §3).
//!
//! The first refusal closes the connection. If the very same publish comes again it is
//! acknowledged and thrown away, so that no client loops for ever. What may pass (a full disk, a
//! rate) is never acknowledged: the client keeps the message and tries again.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use hearth_protocol::refusal::Kind;

use crate::message::Message;
use crate::registry::Key;

/// Sessions whose last refused publish is remembered.
const REMEMBERED_MAX: usize = 10_000;

/// What each session was refused last: prints of both, 16 bytes each session.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    hasher: RandomState,
    last: Mutex<HashMap<u64, u64>>,
}

/// What to do with a refused 3.1.1 publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Close,
    Acknowledge,
}

impl Refusals {
    /// Notes a refusal.
    pub fn note(&self, key: &Key, message: &Message, kind: Kind) -> Answer {
        if matches!(kind, Kind::Unavailable | Kind::TooMany { .. }) {
            return Answer::Close;
        }
        let print = self.hasher.hash_one((&*message.topic, &*message.payload, message.retain));
        let session = self.hasher.hash_one(key);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.get(&session) == Some(&print) {
            return Answer::Acknowledge;
        }
        if last.len() >= REMEMBERED_MAX {
            last.clear();
        }
        last.insert(session, print);
        Answer::Close
    }

    /// A publish of the session was accepted: what it was refused before counts no more.
    pub fn forget(&self, key: &Key) {
        let session = self.hasher.hash_one(key);
        self.last.lock().unwrap_or_else(PoisonError::into_inner).remove(&session);
    }
}
