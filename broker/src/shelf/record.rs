//! The rows of the shelf. A session's rows begin with its number, which is never used again.
//!
//! | key | value |
//! |---|---|
//! | `s` number `s` | [`SessionRow`] |
//! | `s` number `c` | [`CursorRow`]s: how far each room was acknowledged |
//! | `s` number `q` place | [`QueuedRow`]: above QoS 0, not acknowledged yet |
//! | `s` number `r` packet id | nothing: a QoS 2 publish that was received and not released |
//! | `t` topic | [`RetainedRow`]: a retained message and whose it is |
//!
//! Numbers are big-endian. A value is a version byte, then postcard.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use bytestring::ByteString;
use hearth_protocol::ids::{Position, RoomId};
use hearth_protocol::principal::{Account, Principal};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::gate::{Properties, Qos};
use crate::message::{Delivery, Message};

const VERSION: u8 = 1;
const SESSION: u8 = b's';
const RETAINED: u8 = b't';

/// A session, its subscriptions included.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SessionRow {
    pub who: Principal,
    pub client_id: String,
    pub expiry_s: u32,
    /// When its connection ended, ms since 1970; none while it has one.
    pub left_ms: Option<u64>,
    pub subscriptions: Vec<SubscriptionRow>,
    /// Retained topics that it may not have had yet.
    pub withheld: Vec<ByteString>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SubscriptionRow {
    pub filter: ByteString,
    pub qos: Qos,
    pub id: Option<u32>,
    pub no_local: bool,
    pub retain_as_published: bool,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CursorRow {
    pub room: RoomId,
    pub acknowledged: Position,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RetainedRow {
    pub message: MessageRow,
    /// Who is charged for it.
    pub owner: Option<Account>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MessageRow {
    pub topic: ByteString,
    payload: Bytes,
    qos: Qos,
    retain: bool,
    properties: Properties,
    /// ms since 1970.
    expires_ms: Option<u64>,
    from: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum QueuedRow {
    /// To be sent, or sent and not acknowledged.
    Message {
        message: Box<MessageRow>,
        qos: Qos,
        retain: bool,
        ids: Vec<u32>,
        /// By which shared subscription it came.
        shared: Option<ByteString>,
    },
    /// A QoS 2 message that arrived: its PUBREL is to be completed.
    Release { packet_id: u16 },
}

/// The clock on the wall beside the one that only goes forward.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    pub instant: Instant,
    /// ms since 1970.
    pub wall_ms: u64,
}

impl Now {
    /// This moment.
    pub fn get() -> Now {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let wall_ms = since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0));
        Now { instant: Instant::now(), wall_ms }
    }
}

impl MessageRow {
    pub fn of(message: &Message, now: Now) -> MessageRow {
        let left_ms = |at: Instant| {
            let left = at.saturating_duration_since(now.instant);
            u64::try_from(left.as_millis()).unwrap_or(u64::MAX)
        };
        MessageRow {
            topic: message.topic.clone(),
            payload: message.payload.clone(),
            qos: message.qos,
            retain: message.retain,
            properties: message.properties.clone(),
            expires_ms: message.expires.map(|at| now.wall_ms.saturating_add(left_ms(at))),
            from: message.from,
        }
    }

    /// The message; one that expired meanwhile expires now.
    pub fn into_message(self, now: Now) -> Message {
        let expires = self.expires_ms.map(|at_ms| {
            let left = Duration::from_millis(at_ms.saturating_sub(now.wall_ms));
            now.instant.checked_add(left).unwrap_or(now.instant)
        });
        Message {
            topic: self.topic,
            payload: self.payload,
            qos: self.qos,
            retain: self.retain,
            properties: self.properties,
            expires,
            from: self.from,
        }
    }
}

impl QueuedRow {
    pub fn of(delivery: &Delivery, now: Now) -> QueuedRow {
        QueuedRow::Message {
            message: Box::new(MessageRow::of(&delivery.message, now)),
            qos: delivery.qos,
            retain: delivery.retain,
            ids: delivery.ids.clone(),
            shared: delivery.shared.clone(),
        }
    }
}

/// A value as it lies on the shelf; `None` for what cannot be written, which is logged.
pub(crate) fn encode<T: Serialize>(value: &T) -> Option<Bytes> {
    match postcard::to_extend(value, vec![VERSION]) {
        Ok(bytes) => Some(bytes.into()),
        Err(cause) => {
            tracing::error!(%cause, "a row of the shelf cannot be written");
            None
        }
    }
}

/// A value from its bytes.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => postcard::from_bytes(rest).map_err(|cause| cause.to_string()),
        Some((version, _)) => Err(format!("version {version} is not known")),
        None => Err("it is empty".to_string()),
    }
}

/// How all keys of a session begin.
pub(crate) fn session_prefix(number: u64) -> Bytes {
    key(number, &[])
}

pub(crate) fn session_key(number: u64) -> Bytes {
    key(number, b"s")
}

pub(crate) fn cursors_key(number: u64) -> Bytes {
    key(number, b"c")
}

pub(crate) fn queued_key(number: u64, place: u64) -> Bytes {
    let mut rest = [b'q'; 9];
    rest[1..].copy_from_slice(&place.to_be_bytes());
    key(number, &rest)
}

pub(crate) fn received_key(number: u64, packet_id: u16) -> Bytes {
    let [high, low] = packet_id.to_be_bytes();
    key(number, &[b'r', high, low])
}

fn key(number: u64, rest: &[u8]) -> Bytes {
    let mut key = BytesMut::with_capacity(9 + rest.len());
    key.put_u8(SESSION);
    key.put_u64(number);
    key.put_slice(rest);
    key.freeze()
}

pub(crate) fn retained_key(topic: &str) -> Bytes {
    let mut key = BytesMut::with_capacity(1 + topic.len());
    key.put_u8(RETAINED);
    key.put_slice(topic.as_bytes());
    key.freeze()
}

/// What a key names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Session(u64),
    Cursors(u64),
    Queued(u64, u64),
    Received(u64, u16),
    Retained,
    /// None of this version's.
    Unknown,
}

impl Key {
    pub fn parse(key: &[u8]) -> Key {
        let Some((&tag, rest)) = key.split_first() else { return Key::Unknown };
        if tag == RETAINED {
            return Key::Retained;
        }
        let Some((number, rest)) = rest.split_first_chunk().filter(|_| tag == SESSION) else {
            return Key::Unknown;
        };
        let number = u64::from_be_bytes(*number);
        match rest {
            b"s" => Key::Session(number),
            b"c" => Key::Cursors(number),
            [b'q', place @ ..] => match place.try_into() {
                Ok(place) => Key::Queued(number, u64::from_be_bytes(place)),
                Err(_) => Key::Unknown,
            },
            &[b'r', high, low] => Key::Received(number, u16::from_be_bytes([high, low])),
            _ => Key::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_and_a_sessions_begin_alike() {
        let (number, place) = (0x0102_0304_0506_0708, u64::MAX - 1);
        for (key, name) in [
            (session_key(number), Key::Session(number)),
            (cursors_key(number), Key::Cursors(number)),
            (queued_key(number, place), Key::Queued(number, place)),
            (received_key(number, 0x1234), Key::Received(number, 0x1234)),
        ] {
            assert_eq!(Key::parse(&key), name);
            assert!(key.starts_with(&session_prefix(number)));
            assert!(!key.starts_with(&session_prefix(number + 1)));
        }
        assert_eq!(Key::parse(&retained_key("a/b")), Key::Retained);
        for bad in [&b""[..], b"s", b"s1234567", b"s12345678x", b"s12345678q1", b"x"] {
            assert_eq!(Key::parse(bad), Key::Unknown, "{bad:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_reads_back_with_what_is_left_of_its_expiry() {
        let now = Now { instant: Instant::now(), wall_ms: 1_000_000 };
        let properties = Properties {
            expiry_s: Some(60),
            user: vec![("a".into(), "b".into())],
            correlation: Some(Bytes::from_static(&[0, 255])),
            ..Properties::default()
        };
        let message = Message {
            topic: "t".into(),
            payload: Bytes::from_static(b"p"),
            qos: Qos::ExactlyOnce,
            retain: true,
            properties: properties.clone(),
            expires: Some(now.instant + Duration::from_secs(60)),
            from: 7,
        };
        let row = encode(&MessageRow::of(&message, now)).unwrap();
        let later = Now { instant: now.instant, wall_ms: now.wall_ms + 45_000 };
        let back = decode::<MessageRow>(&row).unwrap().into_message(later);
        assert_eq!(back.expiry_left(later.instant), Ok(Some(15)));
        assert_eq!((&*back.topic, &back.payload[..], back.from), ("t", &b"p"[..], 7));
        assert_eq!((back.properties, back.qos, back.retain), (properties, Qos::ExactlyOnce, true));
        let late = Now { instant: now.instant, wall_ms: now.wall_ms + 61_000 };
        let gone = decode::<MessageRow>(&row).unwrap().into_message(late);
        assert!(gone.expiry_left(late.instant).is_err());
        for bad in [&b""[..], &row[..1], &row[..row.len() - 1], b"\x02abc"] {
            assert!(decode::<MessageRow>(bad).is_err());
        }
    }
}
