//! Where each room's history ends and how large it is: in memory, and in one row per room that is
//! written in the same batch as the events it counts.
//!
//! A position that was given is never given again, though retention may remove every event: the
//! row stays as long as the room's id is taken.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use hearth_protocol::ids::{Position, RoomId};
use serde::{Deserialize, Serialize};

use crate::engine::{Engine, Order};
use crate::error::StoreError;
use crate::rooms::Room;
use crate::store::scan_all;
use crate::{keys, record};

/// Where a room's history ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// The room's version.
    pub version: u64,
    /// The oldest position that retention left.
    pub first: Position,
    /// What its row says.
    pub tally: Tally,
}

impl Head {
    /// The head of a room that is new.
    pub fn new(room: &Room) -> Self {
        let tally = Tally { counted_from: Position(1), ..Tally::default() };
        Self { version: room.version, first: room.first_position, tally }
    }
}

/// The row of a room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// The newest position.
    pub position: Position,
    /// The newest event's.
    pub received_at: u64,
    /// Bytes of the events from `counted_from` on, as they lie on disk.
    pub bytes: u64,
    /// The oldest position counted: a room of layout 1 is counted when a sweep first asks.
    pub counted_from: Position,
}

impl Tally {
    /// Counts an event that is written at the end.
    pub fn append(&mut self, position: Position, received_at: u64, bytes: u64) {
        (self.position, self.received_at) = (position, received_at);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Counts an event anew that has other bytes now; none if it is gone.
    pub fn resize(&mut self, position: Position, from_bytes: u64, to_bytes: u64) {
        if position >= self.counted_from {
            self.bytes = self.bytes.saturating_add(to_bytes).saturating_sub(from_bytes);
        }
    }
}

/// Rooms whose heads move; `None` for a room that is gone.
pub(crate) type Moved = BTreeMap<RoomId, Option<Head>>;

/// Every room's head. As large as there are rooms, however long their histories are.
#[derive(Debug, Default)]
pub(crate) struct Heads(RwLock<BTreeMap<RoomId, Head>>);

impl Heads {
    /// One room's.
    pub fn get(&self, room: RoomId) -> Option<Head> {
        self.read(|heads| heads.get(&room).copied())
    }

    /// Each room's newest position.
    pub fn all(&self) -> Vec<(RoomId, Position)> {
        self.read(|heads| heads.iter().map(|(room, head)| (*room, head.tally.position)).collect())
    }

    /// The newest time of any event; 0 if there is none.
    pub fn newest_ms(&self) -> u64 {
        self.read(|heads| heads.values().map(|head| head.tally.received_at).max().unwrap_or(0))
    }

    fn read<T>(&self, look: impl FnOnce(&BTreeMap<RoomId, Head>) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Moves some.
    pub fn set(&self, moved: &Moved) {
        let mut heads = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (room, head) in moved {
            match head {
                Some(head) => drop(heads.insert(*room, *head)),
                None => drop(heads.remove(room)),
            }
        }
    }

    /// Reads all from the engine, and forgets what is known.
    pub async fn load(&self, engine: &dyn Engine) -> Result<(), StoreError> {
        let mut heads = BTreeMap::new();
        for (_, value) in scan_all(engine, keys::rooms()).await? {
            let room: Room = record::decode("room", &value)?;
            let tally = match engine.get(keys::tally(room.id)).await? {
                Some(row) => record::decode("room's tally", &row)?,
                None => newest(engine, room.id).await?,
            };
            heads
                .insert(room.id, Head { version: room.version, first: room.first_position, tally });
        }
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = heads;
        Ok(())
    }
}

/// The tally of a room that has no row yet.
async fn newest(engine: &dyn Engine, room: RoomId) -> Result<Tally, StoreError> {
    let newest = engine.scan(keys::events_of(room), Order::Descending, 1).await?;
    let mut tally = Tally { counted_from: Position(1), ..Tally::default() };
    if let Some((key, value)) = newest.into_iter().next() {
        let event = record::decode_event(&key, value)?;
        (tally.position, tally.received_at) = (event.position, event.received_at);
        tally.counted_from = event.position.next();
    }
    Ok(tally)
}
