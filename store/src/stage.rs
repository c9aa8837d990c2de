//! Writes that are decided and not yet committed, seen as if they were: what the appender and the
//! nouns work on while a batch is made.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use hearth_protocol::ids::{Position, RoomId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::{Batch, Engine, Order, Range, Row};
use crate::error::StoreError;
use crate::record;
use crate::store::{SCAN_ROWS, pages};

/// Writes on top of an engine.
pub(crate) struct Stage<'a> {
    engine: &'a dyn Engine,
    writes: BTreeMap<Bytes, Option<Bytes>>,
    fresh: BTreeSet<Bytes>,
    rooms: BTreeSet<RoomId>,
    removed: BTreeSet<RoomId>,
    resized: Vec<Resized>,
    undo: Vec<Undo>,
}

/// An event that is written anew: what its room's tally must know.
pub(crate) struct Resized {
    pub room: RoomId,
    pub position: Position,
    pub from_bytes: u64,
    pub to_bytes: u64,
}

/// What a key was here before it was written.
struct Undo {
    key: Bytes,
    write: Option<Option<Bytes>>,
    fresh: bool,
}

impl<'a> Stage<'a> {
    pub fn new(engine: &'a dyn Engine) -> Self {
        Self {
            engine,
            writes: BTreeMap::new(),
            fresh: BTreeSet::new(),
            rooms: BTreeSet::new(),
            removed: BTreeSet::new(),
            resized: vec![],
            undo: vec![],
        }
    }

    /// What lies below, without the writes.
    pub fn engine(&self) -> &'a dyn Engine {
        self.engine
    }

    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Begins something that may be rolled back as a whole.
    pub fn begin(&mut self) {
        self.undo.clear();
        self.forget_notes();
    }

    fn forget_notes(&mut self) {
        self.rooms.clear();
        self.removed.clear();
        self.resized.clear();
    }

    /// Forgets what was written since [`Stage::begin`].
    pub fn roll_back(&mut self) {
        self.forget_notes();
        while let Some(Undo { key, write, fresh }) = self.undo.pop() {
            if !fresh {
                self.fresh.remove(&key);
            }
            match write {
                Some(write) => drop(self.writes.insert(key, write)),
                None => drop(self.writes.remove(&key)),
            }
        }
    }

    /// A value as it will be.
    pub async fn get(&self, key: Bytes) -> Result<Option<Bytes>, StoreError> {
        match self.writes.get(&key) {
            Some(value) => Ok(value.clone()),
            None => Ok(self.engine.get(key).await?),
        }
    }

    /// A value written here and not yet committed.
    pub fn written(&self, key: &Bytes) -> Option<&Bytes> {
        self.writes.get(key)?.as_ref()
    }

    /// Rows as they will be.
    pub async fn scan(
        &self,
        range: Range,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let staged: Vec<_> = self.writes.iter().filter(|(key, _)| range.contains(key)).collect();
        // Each staged write may hide one row of the engine.
        let asked = limit.saturating_add(staged.len());
        let mut rows: BTreeMap<Bytes, Bytes> =
            self.engine.scan(range, order, asked).await?.into_iter().collect();
        for (key, value) in staged {
            match value {
                Some(value) => drop(rows.insert(key.clone(), value.clone())),
                None => drop(rows.remove(key)),
            }
        }
        Ok(match order {
            Order::Ascending => rows.into_iter().take(limit).collect(),
            Order::Descending => rows.into_iter().rev().take(limit).collect(),
        })
    }

    /// Every row of a range as it will be, some at a time.
    pub async fn scan_all(&self, range: Range) -> Result<Vec<Row>, StoreError> {
        pages(range, |part| self.scan(part, Order::Ascending, SCAN_ROWS)).await
    }

    /// A noun as it will be.
    pub async fn load<T: DeserializeOwned>(
        &self,
        what: &'static str,
        key: Bytes,
    ) -> Result<Option<T>, StoreError> {
        self.get(key).await?.map(|bytes| record::decode(what, &bytes)).transpose()
    }

    /// Writes a noun.
    pub fn save<T: Serialize>(
        &mut self,
        what: &'static str,
        key: Bytes,
        noun: &T,
    ) -> Result<(), StoreError> {
        self.put(key, record::encode(what, noun)?);
        Ok(())
    }

    /// Writes a value.
    pub fn put(&mut self, key: Bytes, value: Bytes) {
        self.write(key, Some(value));
    }

    /// Writes a value that the engine must not have yet; it looks itself, when it commits.
    pub fn put_fresh(&mut self, key: Bytes, value: Bytes) {
        self.write(key.clone(), Some(value));
        self.fresh.insert(key);
    }

    /// Removes a key.
    pub fn delete(&mut self, key: Bytes) {
        self.write(key, None);
    }

    fn write(&mut self, key: Bytes, value: Option<Bytes>) {
        let fresh = self.fresh.contains(&key);
        let write = self.writes.insert(key.clone(), value);
        self.undo.push(Undo { key, write, fresh });
    }

    /// Notes that a change touches a room.
    pub fn touch_room(&mut self, room: RoomId) {
        self.rooms.insert(room);
    }

    /// The rooms touched since it was last asked.
    pub fn take_rooms(&mut self) -> BTreeSet<RoomId> {
        std::mem::take(&mut self.rooms)
    }

    /// Notes that a room is removed: nothing of it is seen from now on.
    pub fn remove_room(&mut self, room: RoomId) {
        self.rooms.remove(&room);
        self.removed.insert(room);
    }

    /// The rooms removed since it was last asked.
    pub fn take_removed(&mut self) -> BTreeSet<RoomId> {
        std::mem::take(&mut self.removed)
    }

    /// Notes that an event is written anew, with other bytes.
    pub fn resize(&mut self, room: RoomId, position: Position, from_bytes: u64, to_bytes: u64) {
        self.resized.push(Resized { room, position, from_bytes, to_bytes });
    }

    /// The events written anew since it was last asked.
    pub fn take_resized(&mut self) -> Vec<Resized> {
        std::mem::take(&mut self.resized)
    }

    /// All of it as one batch.
    pub fn into_batch(self) -> Batch {
        let mut batch = Batch::default();
        for key in self.fresh {
            batch.expect(key, None);
        }
        for (key, value) in self.writes {
            match value {
                Some(value) => batch.put(key, value),
                None => batch.delete(key),
            }
        }
        batch
    }
}
