//! Join proofs: one per newcomer and sealed room, kept until a bundle lists them.

use hearth_protocol::ids::{InviteCode, RoomId, UserId};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::stage::Stage;
use crate::store::Store;
use crate::{keys, rooms, users};

/// What shows that a newcomer came by an invite (sealing.md §6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinProof {
    /// Where.
    pub room: RoomId,
    /// Who.
    pub user: UserId,
    /// By which invite.
    pub code: InviteCode,
    /// A signature, opaque to the store.
    #[serde(with = "hearth_protocol::bytes")]
    pub proof: Vec<u8>,
}

impl Store {
    /// The proofs that wait in a room.
    pub async fn proofs(&self, room: RoomId) -> Result<Vec<JoinProof>, StoreError> {
        self.load_all("join proof", keys::proofs(room)).await
    }
}

/// A proof; a later one of the same person replaces it.
pub(crate) async fn put(stage: &mut Stage<'_>, proof: &JoinProof) -> Result<(), StoreError> {
    rooms::require(stage, proof.room).await?;
    users::require(stage, proof.user).await?;
    stage.save("join proof", keys::proof(proof.room, proof.user), proof)
}

/// A proof that is no longer needed.
pub(crate) fn remove(stage: &mut Stage<'_>, room: RoomId, user: UserId) {
    stage.delete(keys::proof(room, user));
}
