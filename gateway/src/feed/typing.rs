//! Who is writing where: heard on `live`, over after 5 s of silence (seed 004 @Presence).

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use hearth_protocol::ids::{RoomId, UserId};
use hearth_protocol::sealing::event::{Kind, WireHeader};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// What `live` carries in clear when somebody writes: `{"type": "typing", "on": bool}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Live {
    /// Somebody writes, or does so no more.
    Typing { on: bool },
}

/// The payload on `live` that says so.
pub fn payload(on: bool) -> Bytes {
    // Written by hand: an enum of one variant and a bool cannot fail to be written.
    format!(r#"{{"type":"typing","on":{on}}}"#).into()
}

/// Whether a payload of `live` says that somebody writes. Calls and sealed payloads say nothing.
pub fn read(payload: &[u8]) -> Option<bool> {
    serde_json::from_slice(payload).ok().map(|Live::Typing { on }| on)
}

/// Whether a payload of somebody's `live` is a sealed wire of theirs.
pub fn is_sealed(payload: &[u8], user: UserId) -> bool {
    let own = |header: WireHeader| (header.kind, header.sender) == (Kind::Live, user);
    WireHeader::parse(payload).is_ok_and(own)
}

/// Who is writing, until when. Bounded by who may publish: members, in their rooms.
#[derive(Debug, Default)]
pub struct Typing(HashMap<(RoomId, UserId), Instant>);

impl Typing {
    /// Notes what was heard; whether anybody need be told: that somebody writes, once in each half
    /// of its life; that they stopped, only if they wrote.
    pub fn note(
        &mut self,
        room: RoomId,
        user: UserId,
        on: bool,
        now: Instant,
        life: Duration,
    ) -> bool {
        if !on {
            return self.0.remove(&(room, user)).is_some();
        }
        let told = self.0.get(&(room, user)).is_some_and(|until| *until > now + life / 2);
        if !told {
            self.0.insert((room, user), now + life);
        }
        !told
    }

    /// When the next one is over.
    pub fn next_over(&self) -> Option<Instant> {
        self.0.values().min().copied()
    }

    /// Those whose time is over; they are forgotten.
    pub fn over(&mut self, now: Instant) -> Vec<(RoomId, UserId)> {
        self.0.extract_if(|_, until| *until <= now).map(|(who, _)| who).collect()
    }
}
