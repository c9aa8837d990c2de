//! Members: one per person and room; a direct room takes its two people and nobody else. While
//! others are in a room, its last owner neither leaves nor becomes less; who is banned is not in.

use hearth_protocol::ids::{Position, RoomId, UserId};
use hearth_protocol::limits::Limits;
use hearth_protocol::role::RoomRole;
use serde::{Deserialize, Serialize};

use crate::engine::Order;
use crate::error::{Rule, StoreError};
use crate::stage::Stage;
use crate::store::Store;
use crate::{keys, record, rooms, sanctions, users};

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
    /// Of what they are told.
    pub notify: Notify,
}

/// Of which messages of a room a member is told (seed 004 @Notification).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Notify {
    /// Of all.
    All,
    /// Of those that name them or answer them.
    Mentions,
    /// Of none.
    Muted,
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
    at_ms: u64,
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
    sanctions::may_enter(stage, member.room, member.user, at_ms).await?;
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
    if member.role != RoomRole::Owner {
        keep_an_owner(stage, &old).await?;
    }
    let key = keys::member(member.room, member.user);
    stage.save("member", key, &Member { role: member.role, ..old })?;
    stage.touch_room(member.room);
    Ok(())
}

/// Of which messages they are told.
pub(crate) async fn set_notify(
    stage: &mut Stage<'_>,
    room: RoomId,
    user: UserId,
    notify: Notify,
) -> Result<(), StoreError> {
    let old = require(stage, room, user).await?;
    stage.save("member", keys::member(room, user), &Member { notify, ..old })
}

/// Refuses to take the last owner from others who are there.
async fn keep_an_owner(stage: &Stage<'_>, old: &Member) -> Result<(), StoreError> {
    if old.role != RoomRole::Owner {
        return Ok(());
    }
    let there = stage.scan(keys::members(old.room), Order::Ascending, usize::MAX).await?;
    let mut others = 0;
    for (_, value) in there {
        let member: Member = record::decode("member", &value)?;
        if member.user != old.user {
            if member.role == RoomRole::Owner {
                return Ok(());
            }
            others += 1;
        }
    }
    if others == 0 { Ok(()) } else { Err(Rule::LastOwner.into()) }
}

/// Ends a membership, and the proof that waits for it.
pub(crate) async fn remove(
    stage: &mut Stage<'_>,
    room: RoomId,
    user: UserId,
) -> Result<(), StoreError> {
    let old = require(stage, room, user).await?;
    keep_an_owner(stage, &old).await?;
    delete(stage, room, user);
    stage.touch_room(room);
    Ok(())
}

/// Every membership of a room that is removed.
pub(crate) async fn remove_all(stage: &mut Stage<'_>, room: RoomId) -> Result<(), StoreError> {
    for (key, _) in stage.scan(keys::members(room), Order::Ascending, usize::MAX).await? {
        delete(stage, room, UserId::from_bytes(record::id16("member", &key)?));
    }
    Ok(())
}

fn delete(stage: &mut Stage<'_>, room: RoomId, user: UserId) {
    stage.delete(keys::member(room, user));
    stage.delete(keys::membership(user, room));
    stage.delete(keys::receipt(room, user));
    stage.delete(keys::proof(room, user));
}

async fn require(stage: &Stage<'_>, room: RoomId, user: UserId) -> Result<Member, StoreError> {
    let found = stage.load("member", keys::member(room, user)).await?;
    found.ok_or(StoreError::NotFound { what: "member" })
}
