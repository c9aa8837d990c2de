//! Each edit handed to its noun.

use hearth_protocol::ids::{Position, RoomId, UserId};
use hearth_protocol::limits::Limits;

use crate::backup::plan;
use crate::change::Edit;
use crate::error::StoreError;
use crate::messages::effects::{self, Erasure};
use crate::stage::Stage;
use crate::{
    addresses, attachments, audit, blocks, bundles, contacts, devices, grants, house, invites,
    members, notifications, pins, proofs, reports, resets, rooms, sanctions, sessions, settings,
    tokens, users, vaults,
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
        Edit::SwapSettings { expected, settings } => {
            settings::swap(stage, *expected, settings, limits).await
        }
        Edit::PutUser(user) => users::put(stage, user, limits).await,
        Edit::UpdateUser(user) => users::update(stage, user, limits).await,
        Edit::PutReset(reset) => resets::put(stage, reset).await,
        Edit::UseReset { user, hash, login } => {
            resets::use_once(stage, *user, hash, login, at_ms).await
        }
        Edit::SwapAddresses { expected, rules } => {
            addresses::swap(stage, *expected, rules, limits).await
        }
        Edit::PutCard { user, card } => users::put_card(stage, *user, card, limits).await,
        Edit::SwapVault { user, expected, vault } => {
            vaults::swap(stage, *user, *expected, vault).await
        }
        Edit::PutSession(session) => sessions::put(stage, session, at_ms, limits).await,
        Edit::RenewSession { id, from, to } => sessions::renew(stage, *id, *from, *to, at_ms).await,
        Edit::RemoveSession(session) => sessions::remove(stage, *session).await,
        Edit::PutToken(token) => tokens::put(stage, token, at_ms, limits).await,
        Edit::RemoveToken(token) => tokens::remove(stage, *token).await,
        Edit::PutContact(contact) => contacts::put(stage, contact, limits).await,
        Edit::RemoveContact { user, other } => {
            contacts::remove(stage, *user, *other);
            Ok(())
        }
        Edit::PutBlock(block) => blocks::put(stage, block, limits).await,
        Edit::RemoveBlock { user, other } => {
            blocks::remove(stage, *user, *other);
            Ok(())
        }
        Edit::PutNotification(notification) => {
            notifications::put(stage, notification, limits).await
        }
        Edit::ReadNotification { recipient, id } => {
            notifications::read(stage, *recipient, *id).await
        }
        Edit::ReadNotifications(recipient) => notifications::read_all(stage, *recipient).await,
        Edit::RemoveNotification { recipient, id } => {
            notifications::remove(stage, *recipient, *id).await
        }
        Edit::PutReport(report) => reports::put(stage, report, limits).await,
        Edit::DecideReport { id, decision } => reports::decide(stage, *id, decision, limits).await,
        Edit::ForgetReport(id) => reports::forget(stage, *id, at_ms, limits).await,
        Edit::PutAudit(entry) => audit::put(stage, entry, limits).await,
        Edit::ForgetAudit(id) => audit::forget(stage, *id, at_ms, limits).await,
        Edit::PutAttachment(attachment) => attachments::put(stage, attachment, limits).await,
        Edit::BindAttachment { attachment, by, event } => {
            attachments::bind(stage, *attachment, *by, *event, at_ms, limits).await
        }
        Edit::QuarantineAttachment { attachment, why } => {
            attachments::quarantine(stage, *attachment, why.as_deref(), limits).await
        }
        Edit::RemoveAttachment(id) => attachments::remove(stage, *id).await,
        Edit::RemoveAttachmentsOf { room, event } => {
            attachments::remove_of(stage, *room, *event).await
        }
        Edit::SweepAttachment(id) => attachments::sweep(stage, *id, at_ms, limits).await,
        Edit::PutRoom(room) => rooms::put(stage, room, limits).await,
        Edit::UpdateRoom(room) => rooms::update(stage, room, limits).await,
        Edit::PutMember(member) => {
            let position = joined(member.room, member.user);
            members::put(stage, member, position, at_ms, limits).await
        }
        Edit::UpdateMember(member) => members::update(stage, member).await,
        Edit::RemoveMember { room, user } => members::remove(stage, *room, *user).await,
        Edit::SetHistory { room, history, keep_days, keep_bytes } => {
            rooms::set_history(stage, *room, *history, *keep_days, *keep_bytes, limits).await
        }
        Edit::RemoveRoom { room, by } => rooms::removal::remove(stage, *room, *by, at_ms).await,
        Edit::PutPin { room, message, by } => {
            pins::put(stage, *room, *message, *by, at_ms, limits).await
        }
        Edit::RemovePin { room, message } => pins::remove(stage, *room, *message).await,
        Edit::Erase { room, target, by, right, reason } => {
            let (target, by, right, reason) = (*target, *by, *right, reason.clone());
            effects::erase(stage, *room, &Erasure { target, by, right, reason }, at_ms).await
        }
        Edit::SetNotify { room, user, notify } => {
            members::set_notify(stage, *room, *user, *notify).await
        }
        Edit::Mute { room, user, sentence } => {
            sanctions::mute(stage, *room, *user, sentence, limits).await
        }
        Edit::Ban { room, user, sentence } => {
            sanctions::ban(stage, *room, *user, sentence, limits).await
        }
        Edit::PutBundle(bundle) => bundles::put(stage, bundle).await,
        Edit::PutInvite(invite) => invites::put(stage, invite, at_ms, limits).await,
        Edit::UseInvite { code } => invites::use_once(stage, *code, at_ms).await,
        Edit::RevokeInvite { code } => invites::revoke(stage, *code).await,
        Edit::ForgetInvite { code } => invites::forget(stage, *code, at_ms, limits).await,
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
