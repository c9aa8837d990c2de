//! Events of rooms: what is appended, what is stored, and the pages of history.
//!
//! Positions of a room begin at 1, have no gaps and are never given twice; `received_at` never
//! decreases along them. An event's id exists once in the house. What the box can know of an
//! event lies beside it ([`About`]), decided in the same append; the store never reads a body.
//!
//! - [`effects`]: what an edit, a reaction or an erasure does to its message
//! - [`history`]: pages, around a place, since a time; [`damage`]: what of it does not read
//! - [`views`]: messages as they are now: edits applied, reactions, answers

pub(crate) mod damage;
pub(crate) mod effects;
pub mod history;
pub mod views;

#[cfg(test)]
mod history_tests;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use hearth_protocol::event::{Class, Sender};
use hearth_protocol::ids::{AttachmentId, DeviceId, EventId, Position, RoomId, UserId};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::store::Store;
use crate::{keys, record};

/// An event to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Where.
    pub room: RoomId,
    /// The sender's id for it.
    pub id: Option<EventId>,
    /// Who, from the login.
    pub sender: Sender,
    /// What the body is.
    pub class: Class,
    /// What sort of event, as far as the box can know.
    pub kind: EventKind,
    /// The message it answers; one that is not in the room is not noted.
    pub parent: Option<EventId>,
    /// What it does to another event.
    pub effect: Effect,
    /// A sealed wire, JSON, or an age file.
    pub body: Bytes,
    /// The box's clock, ms since 1970.
    pub at_ms: u64,
    /// What makes it stored once.
    pub once: Once,
    /// The room's version it was checked against.
    pub checked: u64,
    /// Its id if it brings none.
    pub fresh_id: EventId,
}

macro_rules! event_kinds {
    ($($(#[$doc:meta])+ $name:ident = $byte:literal;)+) => {
        /// What sort of event it is (seed 004 @Message, and what changes messages).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum EventKind {
            $($(#[$doc])+ $name,)+
        }

        impl EventKind {
            /// Every kind.
            pub const ALL: &[EventKind] = &[$(EventKind::$name,)+];

            /// The byte on disk.
            pub const fn byte(self) -> u8 {
                match self { $(EventKind::$name => $byte,)+ }
            }

            /// The kind of a byte on disk.
            pub const fn from_byte(byte: u8) -> Option<EventKind> {
                match byte { $($byte => Some(EventKind::$name),)+ _ => None }
            }
        }
    };
}

event_kinds! {
    /// A message.
    Text = 1;
    /// A message with pictures only.
    Image = 2;
    /// A message with files.
    File = 3;
    /// A line of the box.
    System = 4;
    /// Whatever a sealed wire holds.
    Sealed = 5;
    /// A device's.
    Post = 6;
    /// A new text for a message.
    Edit = 7;
    /// A reaction put on or taken off.
    React = 8;
    /// A message taken back.
    Delete = 9;
    /// What is left of a message that was erased.
    Erased = 10;
}

impl EventKind {
    /// Whether it can be answered, edited, reacted to and erased.
    pub const fn is_message(self) -> bool {
        use EventKind::*;
        matches!(self, Text | Image | File | Sealed | Post)
    }

    /// Whether it is only seen in what it did to a message.
    pub const fn is_effect(self) -> bool {
        matches!(self, EventKind::Edit | EventKind::React | EventKind::Delete)
    }
}

/// What an event does to another one of its room, besides being stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// Gives the sender's own message another text.
    Edit {
        /// The message.
        target: EventId,
    },
    /// Puts a reaction on or takes it off; again is the same as once.
    React {
        /// The message.
        target: EventId,
        /// One emoji.
        emoji: String,
        /// Put on or taken off.
        on: bool,
    },
    /// Erases a message, its edits and its reactions.
    Erase {
        /// The message.
        target: EventId,
        /// By which right of the sender.
        right: Right,
        /// Why.
        reason: Option<String>,
    },
    /// Shows attachments of its sender in it.
    Show {
        /// Which.
        attachments: Vec<AttachmentId>,
    },
}

/// By which right a message is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// It is one's own.
    Own,
    /// One moderates the room.
    Moderator,
}

/// What is known beside an event; nothing is written where nothing is to say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The message that it answers.
    pub parent: Option<Parent>,
    /// The message that it is an edit of.
    pub edit_of: Option<Position>,
    /// Its last edit.
    pub edited: Option<Edited>,
    /// How many edits it has.
    pub edits: usize,
    /// That it was erased.
    pub deleted: Option<Deleted>,
}

/// The message that another one answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Its id.
    pub id: EventId,
    /// Its place.
    pub position: Position,
}

/// The last edit of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edited {
    /// Where the edit lies.
    pub position: Position,
    /// ms since 1970.
    pub at: u64,
}

/// Who erased a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Deleted {
    /// Who.
    pub by: UserId,
    /// ms since 1970.
    pub at: u64,
    /// Why.
    pub reason: Option<String>,
}

impl NewEvent {
    /// Whether other events are looked at or changed by it.
    pub(crate) fn has_effect(&self) -> bool {
        self.effect != Effect::None || self.parent.is_some()
    }
}

/// What makes an event that comes again the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Once {
    /// Its id.
    Id,
    /// The packet of an MQTT session: the same packet id with the same bytes, until it is
    /// released (MQTT 5 §4.3.3).
    Qos2 {
        /// The session's client id.
        session: String,
        /// The PUBLISH's packet identifier.
        packet_id: u16,
    },
    /// A device's bytes, within a time.
    Hash {
        /// SHA-256 of what came.
        sha256: [u8; 32],
        /// How long the same bytes are the same post.
        within_ms: u64,
    },
    /// Nothing: it may come twice.
    Never,
}

/// An event that is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Where.
    pub room: RoomId,
    /// Its place there.
    pub position: Position,
    /// When it came, ms since 1970.
    pub received_at: u64,
    /// Its id.
    pub id: EventId,
    /// Who.
    pub sender: Sender,
    /// What the body is.
    pub class: Class,
    /// What sort of event, as far as the box can know.
    pub kind: EventKind,
    /// A sealed wire, JSON, or an age file.
    pub body: Bytes,
}

/// What an append became.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Its place in the room.
    pub position: Position,
    /// When it came, ms since 1970.
    pub received_at: u64,
    /// Its id.
    pub id: EventId,
    /// It was there already.
    pub duplicate: bool,
}

impl Store {
    /// An event by its id.
    pub async fn event(&self, id: EventId) -> Result<Option<StoredEvent>, StoreError> {
        let Some((room, position)) = self.place(id).await? else { return Ok(None) };
        self.event_of(room, position).await
    }

    /// The room and the position of an event.
    pub async fn place(&self, id: EventId) -> Result<Option<(RoomId, Position)>, StoreError> {
        let Some(place) = self.engine().get(keys::event_id(id)).await? else { return Ok(None) };
        let (room, position) = record::place(&place)?;
        Ok(self.heads().get(room).map(|_| (room, position)))
    }

    /// The event at a place.
    pub async fn event_of(
        &self,
        room: RoomId,
        position: Position,
    ) -> Result<Option<StoredEvent>, StoreError> {
        let key = keys::event(room, position);
        let value = self.engine().get(key.clone()).await?;
        value.map(|value| record::decode_event(&key, value)).transpose()
    }

    /// The position of a room's newest event; `Position::START` if it has none.
    pub async fn head(&self, room: RoomId) -> Result<Position, StoreError> {
        self.heads()
            .get(room)
            .map(|head| head.tally.position)
            .ok_or(StoreError::NotFound { what: "room" })
    }

    /// Where each room's history ends.
    pub fn room_heads(&self) -> Vec<(RoomId, Position)> {
        self.heads().all()
    }

    /// Ends the life of a QoS 2 packet id: its PUBREL came, the next PUBLISH with it is another
    /// (MQTT 5 §4.3.3). Durable on return.
    pub async fn release_packet(&self, session: &str, packet_id: u16) -> Result<(), StoreError> {
        self.release(keys::packet(session, packet_id)).await
    }
}

/// What a packet or a door post became, as its once-key remembers it.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Became {
    pub id: EventId,
    pub room: RoomId,
    pub position: Position,
    pub received_at: u64,
    pub sender: Sender,
    /// SHA-256 of the body: another body under one packet id is another message.
    #[serde(with = "hearth_protocol::bytes::array")]
    pub sha256: [u8; 32],
}

/// The once-key of an event, if it has one.
pub(crate) fn once_key(event: &NewEvent) -> Option<Bytes> {
    match (&event.once, event.sender) {
        (Once::Qos2 { session, packet_id }, _) => Some(keys::packet(session, *packet_id)),
        (Once::Hash { sha256, .. }, Sender::Device(device)) => {
            Some(keys::post(event.room, device, *sha256))
        }
        (Once::Hash { sha256, .. }, Sender::Person(user)) => {
            Some(keys::post(event.room, DeviceId::from_bytes(*user.as_bytes()), *sha256))
        }
        (Once::Hash { .. } | Once::Id | Once::Never, _) => None,
    }
}
