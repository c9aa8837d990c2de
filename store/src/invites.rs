//! Invites: a code is used as often as it says, until it expires or is revoked. A room has only so
//! many. Each is listed until some days after it expires, also if it ended before: clients learn
//! from the list which ones the next epoch leaves out. Then it is swept. When one of its rooms is
//! removed it is taken back, and goes with the last of them.

use bytes::Bytes;
use hearth_protocol::ids::{InviteCode, RoomId, UserId};
use hearth_protocol::limits::{Limits, days_ms};
use serde::{Deserialize, Serialize};

use crate::change::Edit;
use crate::engine::{Order, Row};
use crate::error::StoreError;
use crate::stage::Stage;
use crate::store::Store;
use crate::{keys, record, rooms};

/// A way into some rooms (sealing.md §6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// Its code.
    pub code: InviteCode,
    /// The rooms it lets into.
    pub rooms: Vec<RoomId>,
    /// By whom.
    pub by: UserId,
    /// SHA-256 of what its link proves.
    #[serde(with = "hearth_protocol::bytes::array")]
    pub auth_hash: [u8; 32],
    /// Sealed under the link.
    #[serde(with = "hearth_protocol::bytes")]
    pub blob: Vec<u8>,
    /// ms since 1970.
    pub created_at: u64,
    /// ms since 1970.
    pub expires_at: u64,
    /// How often it can still be used.
    pub uses_left: u32,
    /// Taken back.
    pub revoked: bool,
    /// Whoever makes an account by it is a guest until then, ms since 1970; `None`: a member.
    #[serde(default)]
    pub guest_until: Option<u64>,
}

impl Invite {
    /// Whether somebody can still come in by it.
    fn is_usable(&self, at_ms: u64) -> bool {
        !self.revoked && self.expires_at > at_ms && self.uses_left > 0
    }

    /// Whether it expired so long ago that nobody lists it any more.
    fn is_forgotten(&self, at_ms: u64, limits: &Limits) -> bool {
        self.expires_at.saturating_add(days_ms(limits.invite_over_days)) <= at_ms
    }
}

impl Store {
    /// An invite.
    pub async fn invite(&self, code: InviteCode) -> Result<Option<Invite>, StoreError> {
        self.load("invite", keys::invite(code)).await
    }

    /// Every invite into a room, also those that are over.
    pub async fn invites(&self, room: RoomId) -> Result<Vec<Invite>, StoreError> {
        let mut invites = vec![];
        for (key, _) in self.scan_all(keys::invites_of(room)).await? {
            invites.extend(self.invite(code_of(&key)?).await?);
        }
        Ok(invites)
    }
}

/// The code in a key of a room's invites.
fn code_of(key: &[u8]) -> Result<InviteCode, StoreError> {
    let code = key.get(17..).and_then(|code| std::str::from_utf8(code).ok());
    let code = code.and_then(|code| code.parse().ok());
    code.ok_or_else(|| record::form("invite", "its key has no code".into()))
}

/// A new invite.
pub(crate) async fn put(
    stage: &mut Stage<'_>,
    invite: &Invite,
    at_ms: u64,
    limits: &Limits,
) -> Result<(), StoreError> {
    if stage.get(keys::invite(invite.code)).await?.is_some() {
        return Err(StoreError::IdTaken { what: "invite" });
    }
    for room in &invite.rooms {
        rooms::require(stage, *room).await?;
        room_for_one_more(stage, *room, at_ms, limits).await?;
        stage.put(keys::invite_of(*room, invite.code), Bytes::new());
    }
    stage.save("invite", keys::invite(invite.code), invite)
}

/// Those that are over count only in the list: who takes one back may make another.
async fn room_for_one_more(
    stage: &Stage<'_>,
    room: RoomId,
    at_ms: u64,
    limits: &Limits,
) -> Result<(), StoreError> {
    let max = limits.invites_listed_max;
    let listed = stage.scan(keys::invites_of(room), Order::Ascending, max).await?;
    if listed.len() >= max {
        let what = "invites of this room, those that are over included,";
        return Err(StoreError::LimitReached { what, max });
    }
    let max = limits.invites_per_room_max;
    if listed.len() < max {
        return Ok(());
    }
    let mut usable = 0;
    for (key, _) in listed {
        let found: Option<Invite> = stage.load("invite", keys::invite(code_of(&key)?)).await?;
        usable += usize::from(found.is_some_and(|invite| invite.is_usable(at_ms)));
    }
    if usable < max {
        return Ok(());
    }
    Err(StoreError::LimitReached { what: "invites of this room", max })
}

/// Uses it once.
pub(crate) async fn use_once(
    stage: &mut Stage<'_>,
    code: InviteCode,
    at_ms: u64,
) -> Result<(), StoreError> {
    let mut invite = require(stage, code).await?;
    let gone = |why| Err(StoreError::Gone { what: "invite", why });
    if invite.revoked {
        return gone("revoked");
    }
    if invite.expires_at <= at_ms {
        return gone("expired");
    }
    let Some(left) = invite.uses_left.checked_sub(1) else { return gone("used up") };
    invite.uses_left = left;
    stage.save("invite", keys::invite(code), &invite)
}

/// Takes it back.
pub(crate) async fn revoke(stage: &mut Stage<'_>, code: InviteCode) -> Result<(), StoreError> {
    let invite = require(stage, code).await?;
    stage.save("invite", keys::invite(code), &Invite { revoked: true, ..invite })
}

/// The ends of those invites among these rows that nobody lists any more.
pub(crate) fn ends(rows: &[Row], at_ms: u64, limits: &Limits) -> Result<Vec<Edit>, StoreError> {
    let mut edits = vec![];
    for (_, value) in rows {
        let invite: Invite = record::decode("invite", value)?;
        if invite.is_forgotten(at_ms, limits) {
            edits.push(Edit::ForgetInvite { code: invite.code });
        }
    }
    Ok(edits)
}

/// Removes one that expired long enough ago; nothing if it is gone.
pub(crate) async fn forget(
    stage: &mut Stage<'_>,
    code: InviteCode,
    at_ms: u64,
    limits: &Limits,
) -> Result<(), StoreError> {
    let found: Option<Invite> = stage.load("invite", keys::invite(code)).await?;
    let Some(invite) = found else { return Ok(()) };
    if !invite.is_forgotten(at_ms, limits) {
        return Err(StoreError::Invalid { what: "that", why: "an invite is listed its time" });
    }
    for room in &invite.rooms {
        stage.delete(keys::invite_of(*room, code));
    }
    stage.delete(keys::invite(code));
    Ok(())
}

/// Takes back what a row of a removed room's invites leads to; without a room left it is gone.
pub(crate) async fn without(
    stage: &mut Stage<'_>,
    removed: RoomId,
    key: &[u8],
) -> Result<(), StoreError> {
    let code = code_of(key)?;
    let found: Option<Invite> = stage.load("invite", keys::invite(code)).await?;
    let Some(mut invite) = found else { return Ok(()) };
    invite.rooms.retain(|room| *room != removed);
    if invite.rooms.is_empty() {
        stage.delete(keys::invite(code));
        return Ok(());
    }
    stage.save("invite", keys::invite(code), &Invite { revoked: true, ..invite })
}

async fn require(stage: &Stage<'_>, code: InviteCode) -> Result<Invite, StoreError> {
    let found = stage.load("invite", keys::invite(code)).await?;
    found.ok_or(StoreError::NotFound { what: "invite" })
}
