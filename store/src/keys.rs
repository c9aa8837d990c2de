//! The whole key space on one page: keys are made here and nowhere else.
//!
//! A key is a tag byte, then ids as their 16 bytes and numbers big-endian, so that keys sort as
//! what they name. A text comes last, or before a fixed number of bytes.

use bytes::Bytes;
use hearth_protocol::ids::{
    AttachmentId, AuditId, DeviceId, Epoch, EventId, GrantId, InviteCode, NotificationId, Position,
    ReportId, RoomId, SessionId, TokenId, UserId,
};

use crate::attachments::Whose;
use crate::engine::{self, Range};

macro_rules! key_space {
    ($($(#[$doc:meta])+ $tag:literal $name:ident($($part:ident: $kind:ty),*);)+) => {
        $($(#[$doc])+
        pub fn $name($($part: $kind),*) -> Bytes {
            #[allow(unused_mut, reason = "a key may be its tag alone")]
            let mut key = vec![$tag];
            $(key.extend_from_slice(Part::bytes(&$part).as_ref());)*
            key.into()
        })+

        /// Every tag, to show that no two are alike.
        #[cfg(test)]
        const TAGS: &[u8] = &[$($tag),+];
    };
}

key_space! {
    /// -> the version of the whole layout
    b'0' layout();
    /// -> House
    b'h' house();
    /// -> the newest time, ms since 1970, at which the clock was trusted
    b'6' clock();
    /// -> what the box made for itself once: 32 random bytes, or PEM
    b'!' secret(name: &str);
    /// -> BackupPlan
    b'=' backup_plan();

    /// -> User
    b'u' user(user: UserId);
    /// -> user id; the name in lower case
    b'n' user_name(name: &str);
    /// -> a card; numbered from 1, kept for ever
    b'c' card(user: UserId, number: u32);
    /// -> Vault
    b'v' vault(user: UserId);
    /// -> Reset
    b'7' reset(user: UserId);

    /// -> Contact
    b'C' contact(user: UserId, other: UserId);
    /// -> Block
    b'l' block(user: UserId, other: UserId);
    /// -> Notification
    b'N' notification(user: UserId, notification: NotificationId);
    /// -> user id; whose it is, in the order of time
    b'P' notification_time(notification: NotificationId);
    /// -> how many notifications somebody has
    b'U' notification_tally(user: UserId);

    /// -> Session
    b's' session(session: SessionId);
    /// -> nothing
    b'S' session_of(user: UserId, session: SessionId);
    /// -> session id
    b'r' session_refresh(hash: [u8; 32]);
    /// -> AppToken
    b't' token(token: TokenId);
    /// -> nothing
    b'T' token_of(user: UserId, token: TokenId);
    /// -> token id
    b'k' token_hash(hash: [u8; 32]);

    /// -> Room
    b'R' room(room: RoomId);
    /// -> room id of the one general room
    b'g' general();
    /// -> room id; the two users in order
    b'2' direct(one: UserId, other: UserId);
    /// -> Member
    b'm' member(room: RoomId, user: UserId);
    /// -> nothing
    b'M' membership(user: UserId, room: RoomId);
    /// -> Receipt
    b'O' receipt(room: RoomId, user: UserId);
    /// -> Sanction; outlives the membership
    b'V' sanction(room: RoomId, user: UserId);
    /// -> Removed; stays, so that the id is never a room's again
    b'5' removed(room: RoomId);
    /// -> Bundle
    b'b' bundle(room: RoomId, epoch: Epoch);
    /// -> JoinProof
    b'p' proof(room: RoomId, user: UserId);

    /// -> Invite
    b'i' invite(code: InviteCode);
    /// -> nothing
    b'I' invite_of(room: RoomId, code: InviteCode);

    /// -> Report; open ones, the oldest first
    b'G' report_open(report: ReportId);
    /// -> Report; decided ones
    b'H' report_decided(report: ReportId);
    /// -> report id
    b'K' report_of(user: UserId, event: EventId);
    /// -> AuditEntry
    b'L' audit(entry: AuditId);
    /// -> Settings
    b'Y' settings();
    /// -> AddressRules
    b'8' addresses();

    /// -> Attachment
    b'f' attachment(attachment: AttachmentId);
    /// -> how many attachments and bytes somebody or the house has
    b'F' attachment_use(whose: Whose);
    /// -> nothing
    b'W' attachment_of(room: RoomId, event: EventId, attachment: AttachmentId);

    /// -> Device
    b'd' device(device: DeviceId);
    /// -> nothing
    b'D' device_of(room: RoomId, device: DeviceId);
    /// -> device id
    b'y' device_token(hash: [u8; 32]);
    /// -> device id; stays when the device goes
    b'z' device_name(room: RoomId, name: &str);

    /// -> Grant
    b'a' grant(grant: GrantId);
    /// -> nothing
    b'A' grant_of_user(user: UserId, grant: GrantId);
    /// -> nothing
    b'B' grant_of_device(device: DeviceId, grant: GrantId);

    /// -> an event
    b'e' event(room: RoomId, position: Position);
    /// -> room id, position
    b'x' event_id(id: EventId);
    /// -> About; only where there is something to say beside the event
    b'X' about(room: RoomId, position: Position);
    /// -> Reaction; the emoji without U+FE0F
    b'j' reaction(room: RoomId, position: Position, user: UserId, emoji: &str);
    /// -> nothing; the answer's position after its parent's
    b'J' reply(room: RoomId, parent: Position, position: Position);
    /// -> nothing; the edit's position after its message's
    b'E' edit(room: RoomId, target: Position, position: Position);
    /// -> Tally: where the room's history ends, and its bytes
    b'4' tally(room: RoomId);
    /// -> the broker's; its key is the broker's too
    b'w' shelf(row: &[u8]);

    /// -> what a packet of a QoS 2 session became
    b'q' packet(session: &str, packet_id: u16);
    /// -> what a door post with this SHA-256 became
    b'o' post(room: RoomId, device: DeviceId, sha256: [u8; 32]);
}

macro_rules! ranges {
    ($($(#[$doc:meta])+ $tag:literal $name:ident($($part:ident: $kind:ty),*);)+) => {
        $($(#[$doc])+
        pub fn $name($($part: $kind),*) -> Range {
            #[allow(unused_mut, reason = "a range may be its tag alone")]
            let mut prefix = vec![$tag];
            $(prefix.extend_from_slice(Part::bytes(&$part).as_ref());)*
            Range::prefix(prefix)
        })+
    };
}

ranges! {
    /// Every user.
    b'u' users();
    /// A person's cards, the oldest first.
    b'c' cards(user: UserId);
    /// A person's contacts.
    b'C' contacts(user: UserId);
    /// Whom a person blocks.
    b'l' blocks(user: UserId);
    /// A person's notifications, the oldest first.
    b'N' notifications(user: UserId);
    /// Every notification, the oldest first.
    b'P' notification_times();
    /// Every session.
    b's' sessions();
    /// Which sessions a person has.
    b'S' sessions_of(user: UserId);
    /// Every app token.
    b't' tokens();
    /// Which app tokens a person has.
    b'T' tokens_of(user: UserId);
    /// Every room.
    b'R' rooms();
    /// A room's members.
    b'm' members(room: RoomId);
    /// Which rooms a person is in.
    b'M' memberships(user: UserId);
    /// A room's bundles.
    b'b' bundles(room: RoomId);
    /// The proofs that wait in a room.
    b'p' proofs(room: RoomId);
    /// Every invite.
    b'i' invites();
    /// A room's invites.
    b'I' invites_of(room: RoomId);
    /// The open reports, the oldest first.
    b'G' reports_open();
    /// The decided reports, the oldest first.
    b'H' reports_decided();
    /// What a person reported.
    b'K' reports_of(user: UserId);
    /// The audit log, the oldest first.
    b'L' audit_log();
    /// Every attachment, the oldest first.
    b'f' attachments();
    /// The attachments of an event.
    b'W' attachments_of(room: RoomId, event: EventId);
    /// A room's devices.
    b'D' devices_of(room: RoomId);
    /// Every grant.
    b'a' grants();
    /// A person's grants.
    b'A' grants_of_user(user: UserId);
    /// A device's grants.
    b'B' grants_of_device(device: DeviceId);
    /// A room's events.
    b'e' events_of(room: RoomId);
    /// What is known beside a room's events.
    b'X' abouts_of(room: RoomId);
    /// The reactions in a room.
    b'j' reactions_of(room: RoomId);
    /// The reactions to one message.
    b'j' reactions_to(room: RoomId, position: Position);
    /// The answers in a room.
    b'J' replies_of(room: RoomId);
    /// The edits in a room.
    b'E' edits_of(room: RoomId);
    /// The edits of one message.
    b'E' edits_to(room: RoomId, target: Position);
    /// A room's receipts.
    b'O' receipts_of(room: RoomId);
    /// Who is muted or banned in a room.
    b'V' sanctions_of(room: RoomId);
    /// Every room that was removed.
    b'5' removed_rooms();
    /// The names that devices of a room had.
    b'z' device_names_of(room: RoomId);
    /// What door posts to a room became.
    b'o' posts_of(room: RoomId);
    /// What packets became.
    b'q' packets();
    /// What door posts became.
    b'o' posts();
    /// The broker's rows that begin alike.
    b'w' shelf_under(prefix: &[u8]);
}

/// Every row of a tag: what a migration goes through.
pub fn tagged(tag: u8) -> Range {
    Range::prefix(vec![tag])
}

/// The events of a room from one position up to, not including, another.
pub fn events(room: RoomId, from: Position, until: Option<Position>) -> Range {
    let end = until.map(|until| event(room, until)).or(events_of(room).end);
    Range { start: event(room, from), end }
}

/// A range without the keys up to and including this one.
pub fn after(range: Range, key: &[u8]) -> Range {
    Range { start: engine::after(key), ..range }
}

/// A range up to, not including, this key.
pub fn before(range: Range, key: Bytes) -> Range {
    Range { end: Some(key), ..range }
}

/// What is known beside the events of a room from one position up to, not including, another.
pub fn abouts(room: RoomId, from: Position, until: Position) -> Range {
    Range { start: about(room, from), end: Some(about(room, until)) }
}

/// The reactions to the events of a room from one position up to, not including, another.
pub fn reactions(room: RoomId, from: Position, until: Position) -> Range {
    let at = |position| reactions_to(room, position).start;
    Range { start: at(from), end: Some(at(until)) }
}

/// The answers to a message that come after a position.
pub fn replies(room: RoomId, parent: Position, after: Position) -> Range {
    let end = reply(room, parent.next(), Position::START);
    Range { start: reply(room, parent, after.next()), end: Some(end) }
}

/// A part of a key, as bytes that sort as it does.
trait Part {
    type Bytes<'a>: AsRef<[u8]>
    where
        Self: 'a;
    fn bytes(&self) -> Self::Bytes<'_>;
}

macro_rules! parts {
    ($($kind:ty => $bytes:ty: |$part:ident| $make:expr;)+) => {
        $(impl Part for $kind {
            type Bytes<'a> = $bytes where Self: 'a;
            fn bytes(&self) -> Self::Bytes<'_> {
                let $part = self;
                $make
            }
        })+
    };
}

parts! {
    UserId => &'a [u8; 16]: |id| id.as_bytes();
    RoomId => &'a [u8; 16]: |id| id.as_bytes();
    DeviceId => &'a [u8; 16]: |id| id.as_bytes();
    EventId => &'a [u8; 16]: |id| id.as_bytes();
    SessionId => &'a [u8; 16]: |id| id.as_bytes();
    TokenId => &'a [u8; 16]: |id| id.as_bytes();
    GrantId => &'a [u8; 16]: |id| id.as_bytes();
    NotificationId => &'a [u8; 16]: |id| id.as_bytes();
    ReportId => &'a [u8; 16]: |id| id.as_bytes();
    AuditId => &'a [u8; 16]: |id| id.as_bytes();
    AttachmentId => &'a [u8; 16]: |id| id.as_bytes();
    Whose => &'a [u8]: |whose| whose.as_bytes();
    InviteCode => &'a str: |code| code.as_str();
    Position => [u8; 8]: |position| position.0.to_be_bytes();
    u32 => [u8; 4]: |number| number.to_be_bytes();
    u16 => [u8; 2]: |number| number.to_be_bytes();
    [u8; 32] => &'a [u8; 32]: |bytes| bytes;
    &str => &'a str: |text| text;
    &[u8] => &'a [u8]: |bytes| bytes;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_nouns_share_a_tag() {
        let mut tags = TAGS.to_vec();
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len(), TAGS.len());
    }

    #[test]
    fn events_sort_by_position_and_stay_in_their_room() {
        let (one, two) = (RoomId::from_bytes([1; 16]), RoomId::from_bytes([2; 16]));
        assert!(event(one, Position(255)) < event(one, Position(256)));
        let all = events(one, Position(1), None);
        assert!(all.contains(&event(one, Position(u64::MAX))));
        assert!(!all.contains(&event(two, Position(1))));
        assert!(!all.contains(&event(one, Position(0))));
        assert!(!events(one, Position(1), Some(Position(3))).contains(&event(one, Position(3))));
    }
}
