//! Every write but a message's: one atomic change, which passes the same appender in order.

use hearth_protocol::event::Line;
use hearth_protocol::ids::{
    DeviceId, EventId, GrantId, InviteCode, RoomId, SessionId, TokenId, UserId,
};
use hearth_protocol::sealing::Recipient;

use crate::bundles::Bundle;
use crate::devices::Device;
use crate::grants::Grant;
use crate::house::House;
use crate::invites::Invite;
use crate::members::Member;
use crate::proofs::JoinProof;
use crate::rooms::Room;
use crate::sessions::Session;
use crate::tokens::AppToken;
use crate::users::User;
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
    /// A new user.
    PutUser(User),
    /// A user's other fields; the name may change to a free one.
    UpdateUser(User),
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
    /// A new session, or an existing one's other fields.
    PutSession(Session),
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
    /// A room's next epoch; what was due is done.
    PutBundle(Bundle),
    /// A new invite.
    PutInvite(Invite),
    /// Uses an invite once.
    UseInvite {
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
