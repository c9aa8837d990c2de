//! What the audit log is told: every act of whoever runs a room or the house, in the same change as
//! the act itself.

use hearth_protocol::ids::{AuditId, UserId};
use hearth_store::{AuditEntry, Change, Edit, Subject};
use serde_json::Value;

use crate::clock::random;

#[cfg(test)]
mod tests;

/// Characters of a reason that the log repeats: what it tells of has all of it.
const REASON_CHARS_MAX: usize = 200;

macro_rules! actions {
    ($($(#[$doc:meta])+ $name:ident = $word:literal,)+) => {
        /// Everything that the log tells of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum AuditAction {
            $($(#[$doc])+ $name,)+
        }

        impl AuditAction {
            /// Every action, in the order of docs/protocol.md.
            pub const ALL: &'static [AuditAction] = &[$(AuditAction::$name),+];

            /// As it stands in the log.
            pub const fn word(self) -> &'static str {
                match self {
                    $(AuditAction::$name => $word,)+
                }
            }
        }
    };
}

actions! {
    /// The settings of the house.
    SettingsChange = "settings.change",
    /// From which addresses the house is reached.
    AddressesChange = "addresses.change",
    /// The clock is right, says the box's shell.
    ClockTrust = "clock.trust",
    /// Other limits than before, by `serve --limit`.
    LimitsChange = "limits.change",
    /// The passphrase was brought by `hearth unlock`.
    HouseUnlock = "house.unlock",
    /// A backup is whole.
    BackupMake = "backup.make",
    /// Who opens the backups to come.
    BackupKey = "backup.key",
    /// An account, from the box's shell.
    UserAdd = "user.add",
    /// Another name, by its owner.
    UserName = "user.name",
    /// What somebody is in the house.
    UserRole = "user.role",
    /// When a guest's account ends.
    UserGuestUntil = "user.guest_until",
    /// Kept out of the house.
    UserBlock = "user.block",
    /// Let in again.
    UserUnblock = "user.unblock",
    /// An account ended for good.
    UserEnd = "user.end",
    /// A link for a new password.
    UserReset = "user.reset",
    /// A new password by such a link.
    UserResetUsed = "user.reset_used",
    /// Somebody's logins ended.
    UserSignOut = "user.sign_out",
    /// Somebody's connections ended.
    UserDisconnect = "user.disconnect",
    /// A bot.
    BotMake = "bot.make",
    /// A bot's app token.
    BotToken = "bot.token",
    /// A bot's app token ended.
    BotTokenEnd = "bot.token_end",
    /// Plain MQTT topics granted.
    GrantAdd = "grant.add",
    /// A grant taken back.
    GrantRemove = "grant.remove",
    /// An open room, from the box's shell.
    RoomAdd = "room.add",
    /// Name, rules or keeping of a room.
    RoomUpdate = "room.update",
    /// A room ended.
    RoomDelete = "room.delete",
    /// Somebody put out of a room.
    RoomKick = "room.kick",
    /// Somebody muted in a room.
    RoomMute = "room.mute",
    /// A mute lifted.
    RoomUnmute = "room.unmute",
    /// Somebody kept out of a room.
    RoomBan = "room.ban",
    /// A ban lifted.
    RoomUnban = "room.unban",
    /// Somebody let into a room.
    MemberAdd = "member.add",
    /// What somebody is in a room.
    MemberRole = "member.role",
    /// An invite.
    InviteCreate = "invite.create",
    /// An invite taken back.
    InviteRevoke = "invite.revoke",
    /// A device.
    DeviceAdd = "device.add",
    /// What becomes of a device's posts in clear.
    DeviceChange = "device.change",
    /// A device ended.
    DeviceRemove = "device.remove",
    /// Somebody else's message erased.
    MessageErase = "message.erase",
    /// A message pinned.
    MessagePin = "message.pin",
    /// A pin taken off.
    MessageUnpin = "message.unpin",
    /// A report decided.
    ReportDecide = "report.decide",
    /// An attachment kept from everybody.
    AttachmentQuarantine = "attachment.quarantine",
    /// An attachment let go again.
    AttachmentRelease = "attachment.release",
}

/// An entry: that somebody (`None`: the box's own shell) did this. `detail` holds no body, key or
/// token.
pub fn entry(
    at: u64,
    by: Option<UserId>,
    action: AuditAction,
    subject: Subject,
    detail: Value,
) -> AuditEntry {
    let (id, action) = (AuditId::new(at, random()), action.word().to_string());
    AuditEntry { id, at, by, action, subject, detail }
}

/// Adds to a change that somebody (`None`: the box's own shell) does this by it.
pub fn note(
    change: &mut Change,
    by: Option<UserId>,
    action: AuditAction,
    subject: Subject,
    detail: Value,
) {
    change.edits.push(Edit::PutAudit(entry(change.at_ms, by, action, subject, detail)));
}

/// A reason as the log repeats it.
pub fn short(reason: &str) -> String {
    reason.chars().take(REASON_CHARS_MAX).collect()
}
