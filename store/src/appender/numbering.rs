//! Positions: what each append and change of a batch becomes, in the order they came.

use std::collections::BTreeMap;

use bytes::Bytes;
use hearth_protocol::event::{Class, Line, Sender};
use hearth_protocol::ids::{DeviceId, EventId, Position, RoomId, UserId};
use sha2::{Digest, Sha256};

use crate::change::Change;
use crate::edits::{self, Setting};
use crate::error::StoreError;
use crate::heads::{Head, Moved};
use crate::messages::damage::Around;
use crate::messages::{
    Appended, Became, Effect, EventKind, NewEvent, Once, StoredEvent, effects, once_key,
};
use crate::rooms::{self, Room};
use crate::stage::{Resized, Stage};
use crate::store::Shared;
use crate::sweeps::{self, Part, Sweep};
use crate::{keys, record, retention};

/// How it is found out whether an id is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ids {
    /// The engine is told to expect that it is not, and looks while it writes: the common case
    /// costs no read of its own.
    Expected,
    /// It is read beforehand: some id of the batch is known.
    LookedUp,
}

/// The heads of rooms as they will be after the batch.
pub(super) struct Numbering<'a> {
    shared: &'a Shared,
    ids: Ids,
    heads: Moved,
    posts: BTreeMap<DeviceId, u64>,
}

impl<'a> Numbering<'a> {
    pub fn new(shared: &'a Shared, ids: Ids) -> Self {
        Self { shared, ids, heads: BTreeMap::new(), posts: BTreeMap::new() }
    }

    /// The heads as they will be, their rows staged.
    pub fn finish(self, stage: &mut Stage<'_>) -> Result<Moved, StoreError> {
        for (room, head) in &self.heads {
            let old = self.shared.heads.get(*room).map(|old| old.tally);
            match head {
                Some(head) if old != Some(head.tally) => {
                    stage.save("room's tally", keys::tally(*room), &head.tally)?;
                }
                _ => {}
            }
        }
        Ok(self.heads)
    }

    /// The devices that posted, and when.
    pub fn posts(&self) -> Vec<(DeviceId, u64)> {
        self.posts.iter().map(|(device, at)| (*device, *at)).collect()
    }

    fn head(&self, room: RoomId) -> Option<Head> {
        self.heads.get(&room).copied().unwrap_or_else(|| self.shared.heads.get(room))
    }

    /// Takes over what a work that succeeded noted in the stage: rooms it touched get the next
    /// version, events it wrote anew their new size, rooms it removed no head.
    async fn settle(&mut self, stage: &mut Stage<'_>) -> Result<Vec<Room>, StoreError> {
        for Resized { room, position, from_bytes, to_bytes } in stage.take_resized() {
            if let Some(mut head) = self.head(room) {
                head.tally.resize(position, from_bytes, to_bytes);
                self.heads.insert(room, Some(head));
            }
        }
        for room in stage.take_removed() {
            self.heads.insert(room, None);
        }
        let mut rooms = vec![];
        for id in stage.take_rooms() {
            let mut room = rooms::require(stage, id).await?;
            room.version += 1;
            rooms::save(stage, &room)?;
            let head = self.head(id).unwrap_or(Head::new(&room));
            let (version, first) = (room.version, room.first_position);
            self.heads.insert(id, Some(Head { version, first, ..head }));
            rooms.push(room);
        }
        Ok(rooms)
    }

    /// Numbers an event, or finds what it became before; with the rooms that its effect touched.
    pub async fn append(
        &mut self,
        stage: &mut Stage<'_>,
        event: &NewEvent,
    ) -> Result<(Appended, Option<StoredEvent>, Vec<Room>), StoreError> {
        stage.begin();
        let heads = event.has_effect().then(|| self.heads.clone());
        let appended = self.try_append(stage, event).await;
        if appended.is_err()
            && let Some(heads) = heads
        {
            stage.roll_back();
            self.heads = heads;
        }
        appended
    }

    async fn try_append(
        &mut self,
        stage: &mut Stage<'_>,
        event: &NewEvent,
    ) -> Result<(Appended, Option<StoredEvent>, Vec<Room>), StoreError> {
        let head = self.head(event.room).ok_or(StoreError::NotFound { what: "room" })?;
        let stale = event.checked != head.version;
        let id = event.id.unwrap_or(event.fresh_id);
        // What it did before must not refuse it when it comes again.
        let look = stale || event.effect != Effect::None;
        if let Some(known) = self.known_id(stage, event, id, look).await? {
            return Ok((known, None, vec![]));
        }
        let once = once_key(event);
        let mut replaces = false;
        if let Some(key) = &once {
            match self.became(stage, key, stale).await? {
                Some(became) if is_same(event, &became) => {
                    let Became { id, position, received_at, .. } = became;
                    let known = Appended { id, position, received_at, duplicate: true };
                    return Ok((known, None, vec![]));
                }
                Some(_) => replaces = true,
                None => {}
            }
        }
        if stale {
            return Err(StoreError::Stale { what: "room" });
        }
        let stored = StoredEvent {
            room: event.room,
            position: head.tally.position.next(),
            received_at: event.at_ms.max(head.tally.received_at),
            id,
            sender: event.sender,
            class: event.class,
            kind: event.kind,
            body: event.body.clone(),
        };
        let mut rooms = vec![];
        if event.has_effect() {
            effects::apply(stage, event, &stored, &self.shared.limits).await?;
            rooms = self.settle(stage).await?;
        }
        self.write(stage, &stored);
        if let Some(key) = once {
            let value = record::encode("once-key", &became(event, &stored))?;
            if replaces { stage.put(key, value) } else { stage.put_fresh(key, value) }
        }
        if let (Class::Door, Sender::Device(device)) = (stored.class, stored.sender) {
            self.posts.insert(device, stored.received_at);
        }
        let StoredEvent { position, received_at, id, .. } = stored;
        Ok((Appended { position, received_at, id, duplicate: false }, Some(stored), rooms))
    }

    /// What an id is already: the same event, or somebody else's.
    async fn known_id(
        &self,
        stage: &Stage<'_>,
        event: &NewEvent,
        id: EventId,
        stale: bool,
    ) -> Result<Option<Appended>, StoreError> {
        let key = keys::event_id(id);
        if !self.must_look(stage, &key, stale) {
            return Ok(None);
        }
        let Some(place) = stage.get(key).await? else { return Ok(None) };
        let (room, position) = record::place(&place)?;
        let key = keys::event(room, position);
        let value = stage.get(key.clone()).await?;
        let value = value.ok_or_else(|| record::form("event", "its id is known alone".into()))?;
        let known = record::decode_event(&key, value)?;
        if (known.room, known.sender) != (event.room, event.sender) {
            return Err(StoreError::IdTaken { what: "event" });
        }
        let received_at = known.received_at;
        Ok(Some(Appended { position, received_at, id, duplicate: true }))
    }

    async fn became(
        &self,
        stage: &Stage<'_>,
        key: &Bytes,
        stale: bool,
    ) -> Result<Option<Became>, StoreError> {
        if !self.must_look(stage, key, stale) {
            return Ok(None);
        }
        stage.load("once-key", key.clone()).await
    }

    fn must_look(&self, stage: &Stage<'_>, key: &Bytes, stale: bool) -> bool {
        stale || self.ids == Ids::LookedUp || stage.written(key).is_some()
    }

    /// Writes a numbered event and moves its room's head.
    fn write(&mut self, stage: &mut Stage<'_>, event: &StoredEvent) {
        let place = record::encode_place(event.room, event.position);
        stage.put_fresh(keys::event_id(event.id), place);
        let key = keys::event(event.room, event.position);
        stage.put_fresh(key, record::encode_event(event));
        let mut head = self.head(event.room).unwrap_or_default();
        head.tally.append(event.position, event.received_at, record::event_bytes(event));
        self.heads.insert(event.room, Some(head));
    }

    /// Makes a change as a whole, or leaves no trace of it.
    pub async fn change(
        &mut self,
        stage: &mut Stage<'_>,
        change: &Change,
    ) -> Result<(Vec<Room>, Vec<StoredEvent>), StoreError> {
        stage.begin();
        let heads = self.heads.clone();
        let made = self.try_change(stage, change).await;
        if made.is_err() {
            stage.roll_back();
            self.heads = heads;
        }
        made
    }

    async fn try_change(
        &mut self,
        stage: &mut Stage<'_>,
        change: &Change,
    ) -> Result<(Vec<Room>, Vec<StoredEvent>), StoreError> {
        if change.ids.len() != change.lines.len() {
            return Err(StoreError::Invalid {
                what: "the change",
                why: "each of its lines has an id",
            });
        }
        for (room, version) in &change.checks {
            let head = self.head(*room).ok_or(StoreError::NotFound { what: "room" })?;
            if head.version != *version {
                return Err(StoreError::Stale { what: "room" });
            }
        }
        let limits = self.shared.limits.clone();
        let joined = |room, user| self.joined(change, room, user);
        let setting = Setting { at_ms: change.at_ms, limits: &limits, joined: &joined };
        for edit in &change.edits {
            edits::apply(stage, edit, &setting).await?;
        }
        let mut rooms = self.settle(stage).await?;
        let lines = self.lines(stage, change).await?;
        for room in &mut rooms {
            let newest = self.head(room.id).unwrap_or_default().tally.received_at;
            room.last_message_at = room.last_message_at.max(newest);
        }
        Ok((rooms, lines))
    }

    /// The position at which somebody joins by a change: its line that says so, else the head.
    fn joined(&self, change: &Change, room: RoomId, user: UserId) -> Position {
        let head = self.head(room).unwrap_or_default().tally.position;
        let mut position = head;
        for (_, line) in change.lines.iter().filter(|(there, _)| *there == room) {
            position = position.next();
            if matches!(line, Line::Joined { user: who, .. } if *who == user) {
                return position;
            }
        }
        head
    }

    /// Does a part of a clean-up.
    pub async fn sweep(
        &mut self,
        stage: &mut Stage<'_>,
        sweep: Sweep,
        from: Bytes,
        at_ms: u64,
    ) -> Result<Part, StoreError> {
        stage.begin();
        let engine = &*self.shared.engine;
        let swept = match sweep {
            Sweep::History { room } => {
                let Some(head) = self.head(room) else { return Ok(Part::default()) };
                let around = Around {
                    engine,
                    damage: &self.shared.damage,
                    room,
                    probes: self.shared.limits.damage_probes_max,
                };
                let trimmed =
                    retention::trim(stage, around, head, at_ms, &self.shared.limits).await;
                trimmed.map(|(head, part)| {
                    self.heads.insert(room, Some(head));
                    part
                })
            }
            other => sweeps::stage(stage, other, from, at_ms, &self.shared.limits).await,
        };
        if swept.is_err() {
            stage.roll_back();
        }
        swept
    }

    async fn lines(
        &mut self,
        stage: &mut Stage<'_>,
        change: &Change,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let mut events = vec![];
        for ((room, line), id) in change.lines.iter().zip(&change.ids) {
            let head = self.head(*room).ok_or(StoreError::NotFound { what: "room" })?;
            let key = keys::event_id(*id);
            if self.must_look(stage, &key, false) && stage.get(key).await?.is_some() {
                return Err(StoreError::IdTaken { what: "event" });
            }
            let body = serde_json::to_vec(line);
            let event = StoredEvent {
                room: *room,
                position: head.tally.position.next(),
                received_at: change.at_ms.max(head.tally.received_at),
                id: *id,
                sender: Sender::Box,
                class: Class::Line,
                kind: EventKind::System,
                body: body.map_err(|error| record::form("line", error.to_string()))?.into(),
            };
            self.write(stage, &event);
            events.push(event);
        }
        Ok(events)
    }
}

fn became(event: &NewEvent, stored: &StoredEvent) -> Became {
    let StoredEvent { id, room, position, received_at, sender, .. } = *stored;
    let sha256 = match event.once {
        Once::Hash { sha256, .. } => sha256,
        _ => Sha256::digest(&event.body).into(),
    };
    Became { id, room, position, received_at, sender, sha256 }
}

/// Whether what a once-key stands for is this event.
fn is_same(event: &NewEvent, became: &Became) -> bool {
    if (event.room, event.sender) != (became.room, became.sender) {
        return false;
    }
    match &event.once {
        Once::Hash { within_ms, .. } => event.at_ms < became.received_at.saturating_add(*within_ms),
        _ => became.sha256 == <[u8; 32]>::from(Sha256::digest(&event.body)),
    }
}
