//! Rooms: one general room, one direct room per two people; sealed once is sealed for ever. The
//! version rises with every change of the room, its members, devices, epoch, pins or sanctions.
//! [`removal`]: how one ends.

pub(crate) mod removal;
#[cfg(test)]
mod tests;

use hearth_protocol::ids::{Epoch, Position, RoomId, UserId};
use hearth_protocol::limits::Limits;
use hearth_protocol::role::{RoomType, Sealing};
use serde::{Deserialize, Serialize};

use crate::error::{Rule, StoreError};
use crate::pins::Pin;
use crate::stage::Stage;
use crate::store::Store;
use crate::{blocks, keys, measure, record};

/// A room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Never changes.
    pub id: RoomId,
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// Who finds it.
    pub kind: RoomType,
    /// Whether the box can read it.
    pub sealing: Sealing,
    /// The room of everyone.
    pub general: bool,
    /// ms since 1970.
    pub created_at: u64,
    /// By whom.
    pub created_by: UserId,
    /// Kept by the store: raised by one by each change that touches the room; from 1.
    pub version: u64,
    /// Kept by the store: the newest bundle's; 0 = none yet.
    pub epoch: Epoch,
    /// Somebody left: a new epoch comes before the next sealed event.
    pub rotation_due: bool,
    /// The oldest position that retention left; from 1.
    pub first_position: Position,
    /// Kept by the store: when the newest event came, or the room was made; ms since 1970.
    pub last_message_at: u64,
    /// The two of a direct room.
    pub direct: Option<[UserId; 2]>,
    /// How much of the history a newcomer sees.
    pub history: History,
    /// Days after which an event is removed; 0: what the house's settings say.
    pub keep_days: usize,
    /// Bytes of events above which the oldest are removed; 0: what the house's settings say.
    pub keep_bytes: u64,
    /// Kept by the store: the pinned messages, in the order they were pinned.
    pub pins: Vec<Pin>,
}

/// How much of a room's history a newcomer sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum History {
    /// All that is kept.
    All,
    /// What came since they joined, their joining included.
    SinceJoin,
}

impl Store {
    /// A room.
    pub async fn room(&self, room: RoomId) -> Result<Option<Room>, StoreError> {
        let room = self.load("room", keys::room(room)).await?;
        Ok(room.map(|room| self.with_last_message(room)))
    }

    /// Every room, in the order they were made.
    pub async fn rooms(&self) -> Result<Vec<Room>, StoreError> {
        let rooms = self.load_all("room", keys::rooms()).await?;
        Ok(rooms.into_iter().map(|room| self.with_last_message(room)).collect())
    }

    /// The direct room of two people, if they have one.
    pub async fn direct(&self, one: UserId, other: UserId) -> Result<Option<Room>, StoreError> {
        match self.engine().get(direct_key([one, other])).await? {
            Some(id) => self.room(RoomId::from_bytes(record::id16("direct room", &id)?)).await,
            None => Ok(None),
        }
    }

    fn with_last_message(&self, room: Room) -> Room {
        let newest = self.heads().get(room.id).map_or(0, |head| head.tally.received_at);
        Room { last_message_at: room.last_message_at.max(newest), ..room }
    }
}

fn direct_key([one, other]: [UserId; 2]) -> bytes::Bytes {
    keys::direct(one.min(other), one.max(other))
}

/// A new room.
pub(crate) async fn put(
    stage: &mut Stage<'_>,
    room: &Room,
    limits: &Limits,
) -> Result<(), StoreError> {
    check(room, limits)?;
    let taken = [keys::room(room.id), keys::removed(room.id)];
    if stage.get(taken[0].clone()).await?.is_some() || stage.get(taken[1].clone()).await?.is_some()
    {
        return Err(StoreError::IdTaken { what: "room" });
    }
    let id = || bytes::Bytes::copy_from_slice(room.id.as_bytes());
    if room.general {
        if stage.get(keys::general()).await?.is_some() {
            return Err(StoreError::IdTaken { what: "general room" });
        }
        stage.put(keys::general(), id());
    }
    if (room.kind == RoomType::Direct) != room.direct.is_some() {
        return Err(StoreError::Invalid {
            what: "the room",
            why: "a direct room names its two people, no other room does",
        });
    }
    if let Some(two) = room.direct {
        if stage.get(direct_key(two)).await?.is_some() {
            return Err(StoreError::IdTaken { what: "direct room" });
        }
        if blocks::between(stage, two[0], two[1]).await? {
            return Err(Rule::Blocked.into());
        }
        stage.put(direct_key(two), id());
    }
    if room.direct.is_none() {
        one_more_by(stage, room.created_by, limits).await?;
    }
    let room =
        Room { version: 0, epoch: 0, first_position: Position(1), pins: vec![], ..room.clone() };
    save(stage, &room)?;
    stage.touch_room(room.id);
    Ok(())
}

/// Whether somebody may make another room. Rooms are few, and one is made rarely.
async fn one_more_by(stage: &Stage<'_>, person: UserId, limits: &Limits) -> Result<(), StoreError> {
    let max = limits.rooms_per_user_max;
    let mut made = 0;
    for (_, value) in stage.scan_all(keys::rooms()).await? {
        let room: Room = record::decode("room", &value)?;
        made += usize::from(room.created_by == person && room.direct.is_none());
    }
    if made < max {
        return Ok(());
    }
    Err(StoreError::LimitReached { what: "rooms that this person made", max })
}

/// Name, description, kind, sealing, `rotation_due`; the rest stays. A direct room stays one, and
/// no other becomes one.
pub(crate) async fn update(
    stage: &mut Stage<'_>,
    room: &Room,
    limits: &Limits,
) -> Result<(), StoreError> {
    check(room, limits)?;
    let old = require(stage, room.id).await?;
    if old.sealing == Sealing::Sealed && room.sealing == Sealing::Open {
        return Err(StoreError::Invalid {
            what: "the room",
            why: "a sealed room stays sealed for ever",
        });
    }
    if (room.kind == RoomType::Direct) != old.direct.is_some() {
        return Err(StoreError::Invalid {
            what: "the room",
            why: "a direct room stays one, and no other room becomes one",
        });
    }
    let room = Room {
        name: room.name.clone(),
        description: room.description.clone(),
        kind: room.kind,
        sealing: room.sealing,
        rotation_due: room.rotation_due,
        ..old
    };
    save(stage, &room)?;
    stage.touch_room(room.id);
    Ok(())
}

/// What is kept of a room's history, and how much of it a newcomer sees.
pub(crate) async fn set_history(
    stage: &mut Stage<'_>,
    room: RoomId,
    history: History,
    keep_days: usize,
    keep_bytes: u64,
    limits: &Limits,
) -> Result<(), StoreError> {
    measure::kept(keep_days, keep_bytes, limits)?;
    let old = require(stage, room).await?;
    save(stage, &Room { history, keep_days, keep_bytes, ..old })?;
    stage.touch_room(room);
    Ok(())
}

/// Seed 004 @Validation.
fn check(room: &Room, limits: &Limits) -> Result<(), StoreError> {
    if room.name.trim().is_empty() {
        return Err(StoreError::Invalid { what: "the room", why: "it has a name" });
    }
    measure::kept(room.keep_days, room.keep_bytes, limits)?;
    let texts = [
        ("a room's name", &room.name, limits.room_name_chars_max),
        ("a room's description", &room.description, limits.room_description_chars_max),
    ];
    texts.into_iter().try_for_each(|(what, text, max)| measure::chars(what, text, max))
}

/// The room, which must be there.
pub(crate) async fn require(stage: &Stage<'_>, room: RoomId) -> Result<Room, StoreError> {
    let found = stage.load("room", keys::room(room)).await?;
    found.ok_or(StoreError::NotFound { what: "room" })
}

/// Writes a room as it is.
pub(crate) fn save(stage: &mut Stage<'_>, room: &Room) -> Result<(), StoreError> {
    stage.save("room", keys::room(room.id), room)
}
