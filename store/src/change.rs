//! Every write but a message's: one atomic change, which passes the same appender in order.

use hearth_protocol::event::Line;
use hearth_protocol::ids::{
    AttachmentId, AuditId, DeviceId, EventId, GrantId, InviteCode, NotificationId, ReportId,
    RoomId, SessionId, TokenId, UserId,
};
use hearth_protocol::sealing::Recipient;

use crate::addresses::AddressRules;
use crate::attachments::Attachment;
use crate::audit::AuditEntry;
use crate::blocks::Block;
use crate::bundles::Bundle;
use crate::contacts::Contact;
use crate::devices::Device;
use crate::grants::Grant;
use crate::house::House;
use crate::invites::Invite;
use crate::members::{Member, Notify};
use crate::messages::Right;
use crate::notifications::Notification;
use crate::proofs::JoinProof;
use crate::reports::{Decision, Report};
use crate::resets::Reset;
use crate::rooms::{History, Room};
use crate::sanctions::Sentence;
use crate::sessions::Session;
use crate::settings::Settings;
use crate::tokens::AppToken;
use crate::users::{Login, User};
use crate::vaults::Vault;

/// Edits and lines that happen together or not at all.
///
/// Each room that an edit touches (itself, its members, devices or epoch) gets its version raised
/// by one, once per change.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The rooms' versions it was checked against; another one is `StoreError::Stale`.
    pub checks: Vec<(RoomId, u64)>,
    /// What is written, in this order.
    pub edits: Vec<Edit>,
    /// Lines of the box, numbered like any event.
    pub lines: Vec<(RoomId, Line)>,
    /// The box's clock, ms since 1970.
    pub at_ms: u64,
    /// One id per line.
    pub ids: Vec<EventId>,
}

impl Change {
    /// Edits alone, to which checks and lines can be added.
    pub fn of(edits: Vec<Edit>, at_ms: u64) -> Self {
        Self { checks: vec![], edits, lines: vec![], at_ms, ids: vec![] }
    }

    /// Adds a line of the box.
    pub fn line(&mut self, room: RoomId, line: Line, id: EventId) {
        self.lines.push((room, line));
        self.ids.push(id);
    }
}

/// One thing written. The invariants are in each noun's file.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// Sets the house.
    SetHouse(House),
    /// The settings, if the stored ones have this version (0: there are none).
    SwapSettings {
        /// The version they replace.
        expected: u64,
        /// The new ones, of version `expected + 1`.
        settings: Settings,
    },
    /// A new user.
    PutUser(User),
    /// A user's other fields; the name may change to a free one, the avatar to an own attachment.
    UpdateUser(User),
    /// A link by which somebody sets a new password; it replaces the one before.
    PutReset(Reset),
    /// Uses such a link: another login, and the link is gone. What the vault lies under is kept.
    UseReset {
        /// Whose.
        user: UserId,
        /// SHA-256 of the link's secret.
        hash: [u8; 32],
        /// The new login.
        login: Login,
    },
    /// Which addresses are let in, if the stored rules have this version (0: there are none).
    SwapAddresses {
        /// The version they replace.
        expected: u64,
        /// The new ones, of version `expected + 1`.
        rules: AddressRules,
    },
    /// A user's next card.
    PutCard {
        /// Whose.
        user: UserId,
        /// Its bytes.
        card: Vec<u8>,
    },
    /// A user's vault, if the stored one has this version (0: there is none).
    SwapVault {
        /// Whose.
        user: UserId,
        /// The version it replaces.
        expected: u64,
        /// The new one, of version `expected + 1`.
        vault: Vault,
    },
    /// A new contact, or another note on one.
    PutContact(Contact),
    /// Ends a contact; nothing if there is none.
    RemoveContact {
        /// Whose.
        user: UserId,
        /// With whom.
        other: UserId,
    },
    /// A new block, which ends the contact; nothing if it is there.
    PutBlock(Block),
    /// Ends a block; nothing if there is none.
    RemoveBlock {
        /// Whose.
        user: UserId,
        /// Of whom.
        other: UserId,
    },
    /// A new notification.
    PutNotification(Notification),
    /// Marks a notification as read.
    ReadNotification {
        /// Whose.
        recipient: UserId,
        /// Which.
        id: NotificationId,
    },
    /// Marks all of a person's notifications as read.
    ReadNotifications(UserId),
    /// Removes a notification; nothing if it is gone.
    RemoveNotification {
        /// Whose.
        recipient: UserId,
        /// Which.
        id: NotificationId,
    },
    /// A new report.
    PutReport(Report),
    /// Decides an open report.
    DecideReport {
        /// Which.
        id: ReportId,
        /// How.
        decision: Decision,
    },
    /// Removes a decided report whose time is over; nothing if it is gone.
    ForgetReport(ReportId),
    /// A new entry of the audit log.
    PutAudit(AuditEntry),
    /// Removes an audit entry whose time is over; nothing if it is gone.
    ForgetAudit(AuditId),
    /// A new attachment, whose file is complete and durable.
    PutAttachment(Attachment),
    /// Shows an attachment in a message of its room.
    BindAttachment {
        /// Which.
        attachment: AttachmentId,
        /// Whose it is.
        by: UserId,
        /// In which message; it may come later.
        event: EventId,
    },
    /// Keeps an attachment from everybody, or (`None`) lets it go again.
    QuarantineAttachment {
        /// Which.
        attachment: AttachmentId,
        /// What was found in it.
        why: Option<String>,
    },
    /// Removes an attachment; nothing if it is gone. Its file goes with the next sweep.
    RemoveAttachment(AttachmentId),
    /// Removes what a message shows; nothing if it shows nothing.
    RemoveAttachmentsOf {
        /// In which room.
        room: RoomId,
        /// Which message.
        event: EventId,
    },
    /// Removes an attachment that nothing shows any more; nothing if something does.
    SweepAttachment(AttachmentId),
    /// A new session, or an existing one's other fields.
    PutSession(Session),
    /// Another refresh secret, if the session is there and opened by the one it replaces.
    RenewSession {
        /// Which.
        id: SessionId,
        /// SHA-256 of the secret that is replaced.
        from: [u8; 32],
        /// SHA-256 of the new one.
        to: [u8; 32],
    },
    /// Ends a session; nothing if it has ended.
    RemoveSession(SessionId),
    /// A new app token, or an existing one's other fields.
    PutToken(AppToken),
    /// Ends an app token; nothing if it has ended.
    RemoveToken(TokenId),
    /// A new room.
    PutRoom(Room),
    /// A room's name, description, kind, sealing and `rotation_due`.
    UpdateRoom(Room),
    /// How long a room's history is kept, and how much of it a newcomer sees.
    SetHistory {
        /// Which room.
        room: RoomId,
        /// What a newcomer sees.
        history: History,
        /// Days; 0: as the house's settings say.
        keep_days: usize,
        /// Bytes; 0: as the house's settings say.
        keep_bytes: u64,
    },
    /// Ends a room: it is gone at once, its rows go in the background.
    RemoveRoom {
        /// Which.
        room: RoomId,
        /// By whom.
        by: UserId,
    },
    /// Pins a message; nothing if it is pinned.
    PutPin {
        /// In which room.
        room: RoomId,
        /// Which.
        message: EventId,
        /// By whom.
        by: UserId,
    },
    /// Takes a pin off.
    RemovePin {
        /// In which room.
        room: RoomId,
        /// Which message's.
        message: EventId,
    },
    /// Erases a message with its edits and reactions.
    Erase {
        /// In which room.
        room: RoomId,
        /// Which.
        target: EventId,
        /// By whom.
        by: UserId,
        /// By which right.
        right: Right,
        /// Why.
        reason: Option<String>,
    },
    /// A new member.
    PutMember(Member),
    /// A member's role.
    UpdateMember(Member),
    /// Ends a membership, and the proof that waits for it.
    RemoveMember {
        /// Of which room.
        room: RoomId,
        /// Whose.
        user: UserId,
    },
    /// Of which messages a member is told.
    SetNotify {
        /// In which room.
        room: RoomId,
        /// Whom.
        user: UserId,
        /// Of which.
        notify: Notify,
    },
    /// Mutes somebody in a room; `None` ends it.
    Mute {
        /// Where.
        room: RoomId,
        /// Whom.
        user: UserId,
        /// By whom, why and until when.
        sentence: Option<Sentence>,
    },
    /// Bans somebody from a room of which they are no member; `None` lifts it.
    Ban {
        /// From where.
        room: RoomId,
        /// Whom.
        user: UserId,
        /// By whom, why and until when.
        sentence: Option<Sentence>,
    },
    /// A room's next epoch; what was due is done.
    PutBundle(Bundle),
    /// A new invite.
    PutInvite(Invite),
    /// Uses an invite once.
    UseInvite {
        /// Which.
        code: InviteCode,
    },
    /// Removes an invite that expired long enough ago; nothing if it is gone.
    ForgetInvite {
        /// Which.
        code: InviteCode,
    },
    /// Takes an invite back.
    RevokeInvite {
        /// Which.
        code: InviteCode,
    },
    /// A new device.
    PutDevice(Device),
    /// A device's token or door.
    UpdateDevice(Device),
    /// Ends a device and its grants; its name stays used.
    RemoveDevice(DeviceId),
    /// A new grant.
    PutGrant(Grant),
    /// Takes a grant back.
    RemoveGrant(GrantId),
    /// Who can open backups from now on.
    SetBackupRecipient(Recipient),
    /// A backup is whole, with so many bytes.
    NoteBackup {
        /// How many.
        bytes: u64,
    },
    /// A newcomer's proof, until a bundle lists them.
    PutProof(JoinProof),
    /// A proof that is no longer needed; nothing if there is none.
    RemoveProof {
        /// In which room.
        room: RoomId,
        /// Whose.
        user: UserId,
    },
}
