//! Members: one per person and room; a direct room takes its two people and nobody else.

use hearth_protocol::ids::{Position, RoomId, UserId};
use hearth_protocol::limits::Limits;
use hearth_protocol::role::RoomRole;
use serde::{Deserialize, Serialize};

use crate::engine::Order;
use crate::error::StoreError;
use crate::stage::Stage;
use crate::store::Store;
use crate::{keys, record, rooms, users};

/// Somebody in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Where.
    pub room: RoomId,
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: RoomRole,
    /// ms since 1970.
    pub joined_at: u64,
    /// Kept by the store: the line that tells of it, else the newest event then.
    pub joined_position: Position,
}

impl Store {
    /// A room's members.
    pub async fn members(&self, room: RoomId) -> Result<Vec<Member>, StoreError> {
        self.load_all("member", keys::members(room)).await
    }

    /// What somebody is in a room.
    pub async fn member(&self, room: RoomId, user: UserId) -> Result<Option<Member>, StoreError> {
        self.load("member", keys::member(room, user)).await
    }

    /// The rooms somebody is in.
    pub async fn memberships(&self, user: UserId) -> Result<Vec<Member>, StoreError> {
        let mut members = vec![];
        for (key, _) in self.scan_all(keys::memberships(user)).await? {
            let room = RoomId::from_bytes(record::id16("membership", &key)?);
            members.extend(self.member(room, user).await?);
        }
        Ok(members)
    }
}

/// A new member.
pub(crate) async fn put(
    stage: &mut Stage<'_>,
    member: &Member,
    joined_position: Position,
    limits: &Limits,
) -> Result<(), StoreError> {
    let room = rooms::require(stage, member.room).await?;
    users::require(stage, member.user).await?;
    let key = keys::member(member.room, member.user);
    if stage.get(key.clone()).await?.is_some() {
        return Err(StoreError::Stale { what: "membership" });
    }
    if room.direct.is_some_and(|two| !two.contains(&member.user)) {
        return Err(StoreError::Invalid {
            what: "the member",
            why: "a direct room is for its two people",
        });
    }
    let max = limits.members_per_room_max;
    let there = stage.scan(keys::members(member.room), Order::Ascending, max).await?.len();
    if there >= max {
        return Err(StoreError::LimitReached { what: "members of this room", max });
    }
    stage.put(keys::membership(member.user, member.room), bytes::Bytes::new());
    stage.save("member", key, &Member { joined_position, ..member.clone() })?;
    stage.touch_room(member.room);
    Ok(())
}

/// Another role.
pub(crate) async fn update(stage: &mut Stage<'_>, member: &Member) -> Result<(), StoreError> {
    let old = require(stage, member.room, member.user).await?;
    let key = keys::member(member.room, member.user);
    stage.save("member", key, &Member { role: member.role, ..old })?;
    stage.touch_room(member.room);
    Ok(())
}

/// Ends a membership, and the proof that waits for it.
pub(crate) async fn remove(
    stage: &mut Stage<'_>,
    room: RoomId,
    user: UserId,
) -> Result<(), StoreError> {
    require(stage, room, user).await?;
    stage.delete(keys::member(room, user));
    stage.delete(keys::membership(user, room));
    stage.delete(keys::proof(room, user));
    stage.touch_room(room);
    Ok(())
}

async fn require(stage: &Stage<'_>, room: RoomId, user: UserId) -> Result<Member, StoreError> {
    let found = stage.load("member", keys::member(room, user)).await?;
    found.ok_or(StoreError::NotFound { what: "member" })
}
