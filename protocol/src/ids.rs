//! The names of things: UUIDv7 ids, positions in a room, invite codes.
//!
//! Nothing here reads a clock or makes randomness: both come in as arguments.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}")]
pub struct IdError {
    what: &'static str,
    text: String,
}

impl IdError {
    fn new(what: &'static str, text: &str) -> Self {
        Self { what, text: text.chars().take(64).collect() }
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])+ $name:ident = $what:literal;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// A UUIDv7 (RFC 9562 §5.7) from a time in ms since 1970 and ten random bytes.
            pub fn new(unix_ms: u64, random: [u8; 10]) -> Self {
                Self(*uuid::Builder::from_unix_timestamp_millis(unix_ms, &random)
                    .into_uuid()
                    .as_bytes())
            }

            /// Sorts before every id of this ms since 1970 and after those of the ms before.
            pub fn lowest(unix_ms: u64) -> Self {
                Self((u128::from(unix_ms.min((1 << 48) - 1)) << 80).to_be_bytes())
            }

            /// The time it carries, ms since 1970.
            pub fn unix_ms(&self) -> u64 {
                let [a, b, c, d, e, f, ..] = self.0;
                u64::from_be_bytes([0, 0, a, b, c, d, e, f])
            }

            /// The 16 bytes as they lie on wires and in keys.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes as they lie on wires and in keys.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Uuid::from_bytes(self.0).as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        /// Takes the canonical spelling only (36 characters, lower case), so that one thing has
        /// one name in topics, links and keys.
        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let no = || IdError::new($what, text);
                let id = Self(*Uuid::try_parse(text).map_err(|_| no())?.as_bytes());
                if id.0 == [0; 16] || id.to_string() != text {
                    return Err(no());
                }
                Ok(id)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                crate::schema::uuid($what).into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {}
    )+};
}

ids! {
    /// A person or bot of the house. Never changes, while the name can.
    UserId = "a user id";
    /// A room.
    RoomId = "a room id";
    /// A device: a machine that posts to one room's door.
    DeviceId = "a device id";
    /// An event of a room: a message, an edit, a post, a line of the box.
    EventId = "an event id";
    /// A login of one installation, listed and revocable.
    SessionId = "a session id";
    /// An app token.
    TokenId = "a token id";
    /// A right to plain MQTT topics.
    GrantId = "a grant id";
    /// A notification of one person.
    NotificationId = "a notification id";
    /// A report of a message.
    ReportId = "a report id";
    /// An entry of the audit log.
    AuditId = "an audit id";
    /// An attachment, and the file that holds it.
    AttachmentId = "an attachment id";
}

/// The place of a stored event in its room: from 1, without gaps as assigned.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    /// Before the first event of a room.
    pub const START: Position = Position(0);

    /// The position that follows.
    pub const fn next(self) -> Position {
        Position(self.0 + 1)
    }

    /// The position before; `START` has none and stays.
    pub const fn previous(self) -> Position {
        Position(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A room's epoch: 1 is its creator's word, 0 does not exist.
pub type Epoch = u32;

/// The alphabet of Crockford's base32, without I, L, O and U.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// An invite's code: ten characters of Crockford base32 (50 bits), upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InviteCode([u8; 10]);

impl InviteCode {
    /// A code of ten random bytes, five bits of each used.
    pub fn new(random: [u8; 10]) -> Self {
        Self(random.map(|byte| CROCKFORD[usize::from(byte & 31)]))
    }

    /// The ten ASCII characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for InviteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for InviteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Takes lower case too: people type codes.
impl FromStr for InviteCode {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let no = || IdError::new("an invite code", text);
        let bytes: [u8; 10] =
            text.to_ascii_uppercase().into_bytes().try_into().map_err(|_| no())?;
        if bytes.iter().all(|byte| CROCKFORD.contains(byte)) { Ok(Self(bytes)) } else { Err(no()) }
    }
}

impl Serialize for InviteCode {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for InviteCode {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_uuid_of_version_7_and_sorts_by_time() {
        let (early, late) = (EventId::new(1_000, [9; 10]), EventId::new(1_001, [0; 10]));
        assert!(early < late);
        assert_eq!(early.to_string().as_bytes()[14], b'7');
        assert_eq!(early.to_string().parse(), Ok(early));
    }

    #[test]
    fn an_id_tells_its_time() {
        let at = 1_700_000_000_123;
        let id = EventId::new(at, [9; 10]);
        assert_eq!((id.unix_ms(), EventId::lowest(at).unix_ms()), (at, at));
        assert!(EventId::new(at - 1, [255; 10]) < EventId::lowest(at));
        assert!(EventId::lowest(at) < EventId::new(at, [0; 10]));
    }

    #[test]
    fn only_the_canonical_spelling_of_an_id_is_taken() {
        let id = RoomId::new(1_700_000_000_000, [0xab; 10]).to_string();
        let others = [
            id.to_uppercase(),
            id.replace('-', ""),
            format!("{{{id}}}"),
            format!("urn:uuid:{id}"),
            id[1..].to_string(),
            "00000000-0000-0000-0000-000000000000".to_string(),
            "é".repeat(18),
        ];
        for other in others {
            assert!(other.parse::<RoomId>().is_err(), "{other}");
        }
    }

    #[test]
    fn an_invite_code_has_ten_characters_of_crockford() {
        let code = InviteCode::new([0, 1, 31, 32, 255, 10, 18, 20, 22, 27]);
        assert_eq!(code.as_str(), "01Z0ZAJMPV");
        assert_eq!("01z0zajmpv".parse(), Ok(code));
        for bad in ["", "01Z0ZAJMP", "01Z0ZAJMPVV", "01Z0ZAJMPU", "01Z0ZAJMP-", "éé01Z0ZA"] {
            assert!(bad.parse::<InviteCode>().is_err(), "{bad}");
        }
    }
}
