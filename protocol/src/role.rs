//! Who may do what: the roles of the house and of a room, and one pure table.
//!
//! Seed 004 @Membership, @Authorization; design §5.

use serde::{Deserialize, Serialize};

/// What somebody is in the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HouseRole {
    /// The first account, however made.
    Owner,
    /// Runs the house with the owner.
    Admin,
    /// Lives here.
    Member,
    /// Sees the rooms they were invited to.
    Guest,
    /// An account of a program.
    Bot,
}

/// What somebody is in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RoomRole {
    /// Full control.
    Owner,
    /// Manages people and settings.
    Admin,
    /// Writes.
    Member,
}

/// What kind of room it is (seed 004 @Room).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RoomType {
    /// Found and joined by anyone of the house.
    Public,
    /// By invitation.
    Private,
    /// Two people, never more.
    Direct,
}

/// Whether the box can read a room. Open can become sealed, never back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Sealing {
    /// The box stores what it cannot read.
    Sealed,
    /// The box can read along.
    Open,
}

impl RoomType {
    /// What a room of this kind is unless somebody says otherwise (design §5).
    pub const fn default_sealing(self) -> Sealing {
        match self {
            RoomType::Public => Sealing::Open,
            RoomType::Private | RoomType::Direct => Sealing::Sealed,
        }
    }
}

/// What a member of a room can want to do there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RoomAction {
    /// See members and history, receive events.
    Read,
    /// Write events, react, upload.
    Write,
    /// Make an epoch.
    Rotate,
    /// Make or revoke an invite.
    Invite,
    /// Add or remove a device.
    ManageDevices,
    /// Change name and description.
    ManageRoom,
    /// Remove a member.
    RemoveMember,
    /// Change a member's role.
    ChangeRole,
    /// Erase other people's messages.
    EraseMessages,
    /// Pin a message, and take the pin away.
    Pin,
    /// Mute and ban, and decide the room's reports.
    Moderate,
    /// Delete the room.
    DeleteRoom,
}

impl RoomAction {
    /// Every action, for tables and tests.
    pub const ALL: [RoomAction; 12] = [
        RoomAction::Read,
        RoomAction::Write,
        RoomAction::Rotate,
        RoomAction::Invite,
        RoomAction::ManageDevices,
        RoomAction::ManageRoom,
        RoomAction::RemoveMember,
        RoomAction::ChangeRole,
        RoomAction::EraseMessages,
        RoomAction::Pin,
        RoomAction::Moderate,
        RoomAction::DeleteRoom,
    ];
}

/// The table: may a member with this role do this in a room of this kind?
pub const fn may(role: RoomRole, action: RoomAction, kind: RoomType) -> bool {
    match action {
        RoomAction::Read | RoomAction::Write | RoomAction::Rotate => true,
        RoomAction::Pin if matches!(kind, RoomType::Direct) => true,
        RoomAction::Invite
        | RoomAction::RemoveMember
        | RoomAction::ChangeRole
        | RoomAction::EraseMessages
        | RoomAction::Moderate
            if matches!(kind, RoomType::Direct) =>
        {
            false
        }
        RoomAction::Invite
        | RoomAction::ManageDevices
        | RoomAction::ManageRoom
        | RoomAction::EraseMessages
        | RoomAction::Pin
        | RoomAction::Moderate
        | RoomAction::RemoveMember => matches!(role, RoomRole::Owner | RoomRole::Admin),
        RoomAction::ChangeRole | RoomAction::DeleteRoom => matches!(role, RoomRole::Owner),
    }
}

/// What somebody can want to do to the house as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HouseAction {
    /// Grant plain MQTT topics, and take grants back.
    ManageGrants,
    /// End everything that somebody has open.
    Disconnect,
    /// See the broker's counts.
    SeeCounts,
    /// Make a room, or a direct one with somebody.
    MakeRooms,
    /// Find public rooms and join them.
    FindRooms,
    /// Find everybody of the house; who may not sees only people of the same rooms.
    FindPeople,
    /// Let guests stay longer, end accounts, make one-time links for a new password.
    ManagePeople,
    /// Say who is an owner or admin of the house.
    ManageAdmins,
    /// Change the settings of the house, and which addresses it answers.
    ManageSettings,
    /// See and decide every report, and read the audit log.
    Moderate,
}

impl HouseAction {
    /// Every action, for tables and tests.
    pub const ALL: [HouseAction; 10] = [
        HouseAction::ManageGrants,
        HouseAction::Disconnect,
        HouseAction::SeeCounts,
        HouseAction::MakeRooms,
        HouseAction::FindRooms,
        HouseAction::FindPeople,
        HouseAction::ManagePeople,
        HouseAction::ManageAdmins,
        HouseAction::ManageSettings,
        HouseAction::Moderate,
    ];
}

/// The table of the house: may somebody of this role do this?
pub const fn may_in_house(role: HouseRole, action: HouseAction) -> bool {
    match action {
        HouseAction::MakeRooms | HouseAction::FindRooms | HouseAction::FindPeople => {
            !matches!(role, HouseRole::Guest)
        }
        HouseAction::ManageGrants
        | HouseAction::Disconnect
        | HouseAction::SeeCounts
        | HouseAction::ManagePeople
        | HouseAction::ManageSettings
        | HouseAction::Moderate => matches!(role, HouseRole::Owner | HouseRole::Admin),
        HouseAction::ManageAdmins => matches!(role, HouseRole::Owner),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_run_by_its_owner_and_admins() {
        use HouseAction::*;
        // owner, admin, member, guest, bot
        let (run, live) = ([true, true, false, false, false], [true, true, true, false, true]);
        let house = [
            (ManageGrants, run),
            (Disconnect, run),
            (SeeCounts, run),
            (MakeRooms, live),
            (FindRooms, live),
            (FindPeople, live),
            (ManagePeople, run),
            (ManageAdmins, [true, false, false, false, false]),
            (ManageSettings, run),
            (Moderate, run),
        ];
        assert_eq!(house.map(|(action, _)| action), HouseAction::ALL);
        let roles = [
            HouseRole::Owner,
            HouseRole::Admin,
            HouseRole::Member,
            HouseRole::Guest,
            HouseRole::Bot,
        ];
        for (action, expected) in house {
            assert_eq!(roles.map(|role| may_in_house(role, action)), expected, "{action:?}");
        }
    }

    #[test]
    fn the_table_is_the_seeds() {
        use RoomAction::*;
        // owner, admin, member
        let private = [
            (Read, [true, true, true]),
            (Write, [true, true, true]),
            (Rotate, [true, true, true]),
            (Invite, [true, true, false]),
            (ManageDevices, [true, true, false]),
            (ManageRoom, [true, true, false]),
            (RemoveMember, [true, true, false]),
            (ChangeRole, [true, false, false]),
            (EraseMessages, [true, true, false]),
            (Pin, [true, true, false]),
            (Moderate, [true, true, false]),
            (DeleteRoom, [true, false, false]),
        ];
        assert_eq!(private.map(|(action, _)| action), RoomAction::ALL);
        for (action, expected) in private {
            let roles = [RoomRole::Owner, RoomRole::Admin, RoomRole::Member];
            assert_eq!(roles.map(|role| may(role, action, RoomType::Private)), expected);
        }
        for action in [Invite, RemoveMember, ChangeRole, EraseMessages, Moderate] {
            assert!(!may(RoomRole::Owner, action, RoomType::Direct), "{action:?}");
        }
        assert!(may(RoomRole::Member, Pin, RoomType::Direct));
    }
}
