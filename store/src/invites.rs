//! Invites: a code exists once for ever, is used as often as it says, until it expires or is
//! revoked.

use hearth_protocol::ids::{InviteCode, RoomId, UserId};
use serde::{Deserialize, Serialize};

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
            let code = key.get(17..).and_then(|code| std::str::from_utf8(code).ok());
            let code = code.and_then(|code| code.parse().ok());
            let code = code.ok_or_else(|| record::form("invite", "its key has no code".into()))?;
            invites.extend(self.invite(code).await?);
        }
        Ok(invites)
    }
}

/// A new invite.
pub(crate) async fn put(stage: &mut Stage<'_>, invite: &Invite) -> Result<(), StoreError> {
    if stage.get(keys::invite(invite.code)).await?.is_some() {
        return Err(StoreError::IdTaken { what: "invite" });
    }
    for room in &invite.rooms {
        rooms::require(stage, *room).await?;
        stage.put(keys::invite_of(*room, invite.code), bytes::Bytes::new());
    }
    stage.save("invite", keys::invite(invite.code), invite)
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

async fn require(stage: &Stage<'_>, code: InviteCode) -> Result<Invite, StoreError> {
    let found = stage.load("invite", keys::invite(code)).await?;
    found.ok_or(StoreError::NotFound { what: "invite" })
}
