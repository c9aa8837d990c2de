//! Sanctions: who is muted or banned in a room, by whom, why and until when. They outlive the
//! membership, so that leaving and coming back ends none; a banned person is not a member.

use hearth_protocol::ids::{RoomId, UserId};
use hearth_protocol::limits::Limits;
use serde::{Deserialize, Serialize};

use crate::engine::Order;
use crate::error::{Rule, StoreError};
use crate::stage::Stage;
use crate::store::Store;
use crate::{keys, measure, rooms, users};

/// What a room has against somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sanction {
    /// Where.
    pub room: RoomId,
    /// Whom.
    pub user: UserId,
    /// They can read and not write.
    pub mute: Option<Sentence>,
    /// They cannot be a member.
    pub ban: Option<Sentence>,
}

/// A mute or a ban.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sentence {
    /// Who said so.
    pub by: UserId,
    /// ms since 1970.
    pub at: u64,
    /// Why; may be empty.
    pub reason: String,
    /// The first moment, ms since 1970, at which it is over; `None`: until it is lifted.
    pub until: Option<u64>,
}

impl Sentence {
    /// Whether it holds at a time.
    pub fn holds(&self, at_ms: u64) -> bool {
        self.until.is_none_or(|until| at_ms < until)
    }
}

impl Store {
    /// Who is or was muted or banned in a room.
    pub async fn sanctions(&self, room: RoomId) -> Result<Vec<Sanction>, StoreError> {
        self.load_all("sanction", keys::sanctions_of(room)).await
    }
}

/// Mutes somebody, or ends the mute.
pub(crate) async fn mute(
    stage: &mut Stage<'_>,
    room: RoomId,
    user: UserId,
    mute: &Option<Sentence>,
    limits: &Limits,
) -> Result<(), StoreError> {
    let old = load(stage, room, user).await?;
    save(stage, Sanction { mute: mute.clone(), ..old }, limits).await
}

/// Bans somebody who is no member (any more), or lifts the ban.
pub(crate) async fn ban(
    stage: &mut Stage<'_>,
    room: RoomId,
    user: UserId,
    ban: &Option<Sentence>,
    limits: &Limits,
) -> Result<(), StoreError> {
    if ban.is_some() && stage.get(keys::member(room, user)).await?.is_some() {
        return Err(StoreError::Invalid {
            what: "the ban",
            why: "the membership ends before, in the same change",
        });
    }
    if ban.is_some() && rooms::require(stage, room).await?.general {
        return Err(Rule::General.into());
    }
    let old = load(stage, room, user).await?;
    save(stage, Sanction { ban: ban.clone(), ..old }, limits).await
}

/// Refuses whom the room has banned.
pub(crate) async fn may_enter(
    stage: &Stage<'_>,
    room: RoomId,
    user: UserId,
    at_ms: u64,
) -> Result<(), StoreError> {
    match load(stage, room, user).await?.ban {
        Some(ban) if ban.holds(at_ms) => Err(Rule::Banned.into()),
        _ => Ok(()),
    }
}

async fn load(stage: &Stage<'_>, room: RoomId, user: UserId) -> Result<Sanction, StoreError> {
    let found = stage.load("sanction", keys::sanction(room, user)).await?;
    Ok(found.unwrap_or(Sanction { room, user, mute: None, ban: None }))
}

async fn save(
    stage: &mut Stage<'_>,
    sanction: Sanction,
    limits: &Limits,
) -> Result<(), StoreError> {
    let Sanction { room, user, .. } = sanction;
    rooms::require(stage, room).await?;
    users::require(stage, user).await?;
    let key = keys::sanction(room, user);
    stage.touch_room(room);
    if sanction.mute.is_none() && sanction.ban.is_none() {
        stage.delete(key);
        return Ok(());
    }
    let sentences = [&sanction.mute, &sanction.ban].into_iter().flatten();
    for sentence in sentences {
        measure::chars("the reason", &sentence.reason, limits.reason_chars_max)?;
    }
    let max = limits.sanctions_per_room_max;
    if stage.get(key.clone()).await?.is_none()
        && stage.scan(keys::sanctions_of(room), Order::Ascending, max).await?.len() >= max
    {
        return Err(StoreError::LimitReached { what: "people muted or banned here", max });
    }
    stage.save("sanction", key, &sanction)
}
