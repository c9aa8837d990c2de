//! Events of rooms: what is appended, what is stored, and the pages of history.
//!
//! Positions of a room begin at 1, have no gaps and are never given twice; `received_at` never
//! decreases along them. An event's id exists once in the house.

use bytes::Bytes;
use hearth_protocol::event::{Class, Sender};
use hearth_protocol::ids::{DeviceId, EventId, Position, RoomId};

use crate::engine::Order;
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

/// Which events of a room. With neither bound: the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageQuery {
    /// The newest ones below this position.
    pub before: Option<Position>,
    /// The oldest ones above this position.
    pub after: Option<Position>,
    /// How many at most.
    pub limit: usize,
}

impl Store {
    /// A page of a room's history, in ascending positions.
    pub async fn page(
        &self,
        room: RoomId,
        query: PageQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let from = query.after.map_or(Position::START, |after| Position(after.0.saturating_add(1)));
        let range = keys::events(room, from, query.before);
        let order = if query.after.is_some() { Order::Ascending } else { Order::Descending };
        let rows = self.engine().scan(range, order, query.limit).await?;
        let mut events = rows
            .into_iter()
            .map(|(key, value)| record::decode_event(&key, value))
            .collect::<Result<Vec<_>, _>>()?;
        if order == Order::Descending {
            events.reverse();
        }
        Ok(events)
    }

    /// An event by its id.
    pub async fn event(&self, id: EventId) -> Result<Option<StoredEvent>, StoreError> {
        let Some(place) = self.engine().get(keys::event_id(id)).await? else { return Ok(None) };
        let (room, position) = record::place(&place)?;
        let key = keys::event(room, position);
        let value = self.engine().get(key.clone()).await?;
        value.map(|value| record::decode_event(&key, value)).transpose()
    }

    /// The newest event of a room.
    pub async fn newest(&self, room: RoomId) -> Result<Option<StoredEvent>, StoreError> {
        let query = PageQuery { before: None, after: None, limit: 1 };
        Ok(self.page(room, query).await?.pop())
    }

    /// The position of a room's newest event; `Position::START` if it has none.
    pub async fn head(&self, room: RoomId) -> Result<Position, StoreError> {
        self.heads()
            .get(room)
            .map(|head| head.position)
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
