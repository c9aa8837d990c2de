//! Each edit handed to its noun.

use hearth_protocol::ids::{Position, RoomId, UserId};
use hearth_protocol::limits::Limits;

use crate::backup::plan;
use crate::change::Edit;
use crate::error::StoreError;
use crate::stage::Stage;
use crate::{
    bundles, devices, grants, house, invites, members, proofs, rooms, sessions, tokens, users,
    vaults,
};

/// What edits need to know beside themselves.
pub(crate) struct Setting<'a> {
    /// The box's clock, ms since 1970.
    pub at_ms: u64,
    /// The limits in force.
    pub limits: &'a Limits,
    /// Where a membership begins.
    pub joined: &'a (dyn Fn(RoomId, UserId) -> Position + Send + Sync),
}

/// Writes one edit into the stage.
pub(crate) async fn apply(
    stage: &mut Stage<'_>,
    edit: &Edit,
    setting: &Setting<'_>,
) -> Result<(), StoreError> {
    let Setting { at_ms, limits, joined } = *setting;
    match edit {
        Edit::SetHouse(house) => house::set(stage, house),
        Edit::PutUser(user) => users::put(stage, user).await,
        Edit::UpdateUser(user) => users::update(stage, user).await,
        Edit::PutCard { user, card } => users::put_card(stage, *user, card).await,
        Edit::SwapVault { user, expected, vault } => {
            vaults::swap(stage, *user, *expected, vault).await
        }
        Edit::PutSession(session) => sessions::put(stage, session, at_ms, limits).await,
        Edit::RemoveSession(session) => sessions::remove(stage, *session).await,
        Edit::PutToken(token) => tokens::put(stage, token, limits).await,
        Edit::RemoveToken(token) => tokens::remove(stage, *token).await,
        Edit::PutRoom(room) => rooms::put(stage, room).await,
        Edit::UpdateRoom(room) => rooms::update(stage, room).await,
        Edit::PutMember(member) => {
            let position = joined(member.room, member.user);
            members::put(stage, member, position, limits).await
        }
        Edit::UpdateMember(member) => members::update(stage, member).await,
        Edit::RemoveMember { room, user } => members::remove(stage, *room, *user).await,
        Edit::PutBundle(bundle) => bundles::put(stage, bundle).await,
        Edit::PutInvite(invite) => invites::put(stage, invite).await,
        Edit::UseInvite { code } => invites::use_once(stage, *code, at_ms).await,
        Edit::RevokeInvite { code } => invites::revoke(stage, *code).await,
        Edit::PutDevice(device) => devices::put(stage, device, limits).await,
        Edit::UpdateDevice(device) => devices::update(stage, device).await,
        Edit::RemoveDevice(device) => devices::remove(stage, *device).await,
        Edit::PutGrant(grant) => grants::put(stage, grant, limits).await,
        Edit::RemoveGrant(grant) => grants::remove(stage, *grant).await,
        Edit::SetBackupRecipient(recipient) => plan::set_recipient(stage, *recipient).await,
        Edit::NoteBackup { bytes } => plan::note(stage, at_ms, *bytes).await,
        Edit::PutProof(proof) => proofs::put(stage, proof).await,
        Edit::RemoveProof { room, user } => {
            proofs::remove(stage, *room, *user);
            Ok(())
        }
    }
}
