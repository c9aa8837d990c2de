//! Values on disk: a version byte, then JSON; events, which are many, in a form of their own.

use bytes::Bytes;
use hearth_protocol::event::{Class, SEALED, Sender};
use hearth_protocol::ids::{DeviceId, EventId, Position, RoomId, UserId};
use hearth_protocol::limits::wide;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{RecordError, StoreError};
use crate::messages::{EventKind, StoredEvent};

/// The version of every record that is written.
const VERSION: u8 = 1;

/// A noun as it lies on disk.
pub fn encode<T: Serialize>(what: &'static str, noun: &T) -> Result<Bytes, StoreError> {
    let mut bytes = vec![VERSION];
    serde_json::to_writer(&mut bytes, noun).map_err(|error| form(what, error.to_string()))?;
    Ok(bytes.into())
}

/// A noun from its bytes on disk.
pub fn decode<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, StoreError> {
    let json = body(what, bytes)?;
    serde_json::from_slice(json).map_err(|error| form(what, error.to_string()))
}

/// The version of every event that is written. Version 1 had no kind.
const EVENT_VERSION: u8 = 2;
/// Bytes before an event's own.
const EVENT_HEAD_BYTES: usize = 1 + 8 + 1 + 1 + 1 + 16 + 16;

/// An event as it lies on disk: version, received_at, class, kind, sender, id, body.
pub fn encode_event(event: &StoredEvent) -> Bytes {
    let mut bytes = Vec::with_capacity(EVENT_HEAD_BYTES + event.body.len());
    bytes.push(EVENT_VERSION);
    bytes.extend_from_slice(&event.received_at.to_be_bytes());
    bytes.push(event.class.byte());
    bytes.push(event.kind.byte());
    let (kind, sender) = match event.sender {
        Sender::Box => (0, [0; 16]),
        Sender::Person(user) => (1, *user.as_bytes()),
        Sender::Device(device) => (2, *device.as_bytes()),
    };
    bytes.push(kind);
    bytes.extend_from_slice(&sender);
    bytes.extend_from_slice(event.id.as_bytes());
    bytes.extend_from_slice(&event.body);
    bytes.into()
}

/// Bytes of an event as [`encode_event`] writes it.
pub fn event_bytes(event: &StoredEvent) -> u64 {
    wide(EVENT_HEAD_BYTES + event.body.len())
}

/// An event from its key and value on disk.
pub fn decode_event(key: &[u8], value: Bytes) -> Result<StoredEvent, StoreError> {
    let (room, position) = place(key.get(1..).unwrap_or_default())?;
    let cut = || form("event", "it ends too early".into());
    let unknown = |field: &str, byte: u8| form("event", format!("{field} {byte} is unknown"));
    let (&version, rest) = value.split_first().ok_or_else(cut)?;
    let (received_at, rest) = rest.split_first_chunk::<8>().ok_or_else(cut)?;
    let (&class, rest) = rest.split_first().ok_or_else(cut)?;
    let class = Class::from_byte(class).ok_or_else(|| unknown("class", class))?;
    let (kind, rest) = match version {
        1 => (None, rest),
        EVENT_VERSION => {
            let (&kind, rest) = rest.split_first().ok_or_else(cut)?;
            (Some(EventKind::from_byte(kind).ok_or_else(|| unknown("kind", kind))?), rest)
        }
        _ => {
            let cause = RecordError::Version(version);
            return Err(StoreError::Record { what: "event", cause });
        }
    };
    let (&from, rest) = rest.split_first().ok_or_else(cut)?;
    let (sender, rest) = rest.split_first_chunk::<16>().ok_or_else(cut)?;
    let (id, rest) = rest.split_first_chunk::<16>().ok_or_else(cut)?;
    let body = value.slice(value.len() - rest.len()..);
    Ok(StoredEvent {
        room,
        position,
        received_at: u64::from_be_bytes(*received_at),
        id: EventId::from_bytes(*id),
        sender: match from {
            0 => Sender::Box,
            1 => Sender::Person(UserId::from_bytes(*sender)),
            2 => Sender::Device(DeviceId::from_bytes(*sender)),
            _ => return Err(unknown("sender", from)),
        },
        class,
        // All that layout 1 took.
        kind: kind.unwrap_or(match class {
            Class::Event if body.first() == Some(&SEALED) => EventKind::Sealed,
            Class::Event => EventKind::Text,
            Class::Door => EventKind::Post,
            Class::Line => EventKind::System,
        }),
        body,
    })
}

/// Where an event lies: room, position.
pub fn encode_place(room: RoomId, position: Position) -> Bytes {
    [&room.as_bytes()[..], &position.0.to_be_bytes()].concat().into()
}

/// Where an event lies, from [`encode_place`] or from its key without the tag.
pub fn place(bytes: &[u8]) -> Result<(RoomId, Position), StoreError> {
    let (room, position) = bytes
        .split_first_chunk::<16>()
        .and_then(|(room, rest)| Some((*room, u64::from_be_bytes(rest.try_into().ok()?))))
        .ok_or_else(|| form("event's place", format!("it has {} bytes", bytes.len())))?;
    Ok((RoomId::from_bytes(room), Position(position)))
}

/// An id that is a whole value, or the last 16 bytes of a key.
pub fn id16(what: &'static str, bytes: &[u8]) -> Result<[u8; 16], StoreError> {
    bytes.last_chunk().copied().ok_or_else(|| form(what, "it has no id".into()))
}

/// The position that ends a key.
pub fn last_position(key: &[u8]) -> Result<Position, StoreError> {
    let last: Option<&[u8; 8]> = key.last_chunk();
    let last = last.ok_or_else(|| form("position", "the key has none".into()))?;
    Ok(Position(u64::from_be_bytes(*last)))
}

/// A record of another form that does not read.
pub fn form(what: &'static str, why: String) -> StoreError {
    StoreError::Record { what, cause: RecordError::Form(why) }
}

fn body<'a>(what: &'static str, bytes: &'a [u8]) -> Result<&'a [u8], StoreError> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => Ok(rest),
        Some((&version, _)) => {
            Err(StoreError::Record { what, cause: RecordError::Version(version) })
        }
        None => Err(form(what, "it is empty".into())),
    }
}
