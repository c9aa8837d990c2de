//! What travels in a room: the JSON of an event, the frame around a stored one, the box's lines.
//!
//! Design §4. The sealed wire's own format is `sealing::event`; here it is bytes that begin with 1.

mod line;

use serde::{Deserialize, Serialize};

pub use line::Line;

use crate::ids::{DeviceId, EventId, Position, UserId};
use crate::limits::Limits;

/// The first byte of a sealed wire (sealing.md §4).
pub const SEALED: u8 = 0x01;
/// An event as a person writes it, in clear in open rooms and sealed in sealed ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The sender's id for it, which makes "stored once" hold; the box gives one where it lacks.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<EventId>,
    /// The sender's clock, ms since 1970.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<u64>,
    /// What it says.
    #[serde(flatten)]
    pub body: Body,
}

/// What an event says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Body {
    /// A message.
    Message {
        /// Markdown, 1 to 10,000 characters (seed 004 @Validation).
        content: String,
        /// The message it answers.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        parent_id: Option<EventId>,
        /// The people it names.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        mentions: Vec<UserId>,
        /// Files, as sealing.md §7 lists them; opaque to the box.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        attachments: Vec<serde_json::Value>,
        /// A tone indicator such as `/s`.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        tone: Option<String>,
    },
    /// A new text for an own message.
    Edit {
        /// The message.
        target: EventId,
        /// Its new text.
        content: String,
    },
    /// A reaction put on or taken off.
    React {
        /// The message.
        target: EventId,
        /// One emoji.
        emoji: String,
        /// Put on or taken off.
        on: bool,
    },
    /// A message taken back.
    Delete {
        /// The message.
        target: EventId,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reason: Option<String>,
    },
    /// A new title or topic of the room.
    Room {
        /// The room's title.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        title: Option<String>,
        /// What the room is about.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        topic: Option<String>,
    },
}

/// Why bytes on `in` are no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Neither sealed nor text.
    #[error("the payload is neither a sealed event nor UTF-8 text")]
    NotText,
    /// A JSON object that claims to be an event and is not.
    #[error("not an event: {0}")]
    Json(String),
    /// Nothing in it.
    #[error("the message is empty")]
    Empty,
    /// Too many characters.
    #[error("the message has {chars} characters, at most {max} are taken")]
    TooLong {
        /// Characters given.
        chars: usize,
        /// Characters taken.
        max: usize,
    },
    /// Too many bytes.
    #[error("the payload has {bytes} bytes, at most {max} are taken")]
    TooLarge {
        /// Bytes given.
        bytes: usize,
        /// Bytes taken.
        max: usize,
    },
}

/// What somebody publishes to `in`.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming<'a> {
    /// A sealed wire, the first byte included.
    Sealed(&'a [u8]),
    /// An event in clear.
    Open(Event),
}

impl<'a> Incoming<'a> {
    /// Reads a payload of `in`: first byte 1 is a sealed wire, a JSON object with `type` or
    /// `content` an event, any other UTF-8 a message of that text.
    pub fn parse(payload: &'a [u8], limits: &Limits) -> Result<Incoming<'a>, EventError> {
        let max = limits.event_bytes_max;
        if payload.len() > max {
            return Err(EventError::TooLarge { bytes: payload.len(), max });
        }
        if payload.first() == Some(&SEALED) {
            return Ok(Incoming::Sealed(payload));
        }
        let text = std::str::from_utf8(payload).map_err(|_| EventError::NotText)?;
        let event = parse_json(text)?.unwrap_or_else(|| Event::message(text));
        event.check(limits)?;
        Ok(Incoming::Open(event))
    }
}

/// The event in a text, if it is a JSON object with `type` or `content`.
fn parse_json(text: &str) -> Result<Option<Event>, EventError> {
    if !text.trim_start().starts_with('{') {
        return Ok(None);
    }
    let Ok(serde_json::Value::Object(mut map)) = serde_json::from_str(text) else {
        return Ok(None);
    };
    match (map.contains_key("type"), map.contains_key("content")) {
        (false, false) => return Ok(None),
        (false, true) => {
            map.insert("type".into(), "message".into());
        }
        (true, _) => {}
    }
    serde_json::from_value(map.into())
        .map(Some)
        .map_err(|error| EventError::Json(error.to_string()))
}

impl Event {
    /// A message of this text and nothing else.
    pub fn message(text: impl Into<String>) -> Self {
        Event {
            id: None,
            at: None,
            body: Body::Message {
                content: text.into(),
                parent_id: None,
                mentions: vec![],
                attachments: vec![],
                tone: None,
            },
        }
    }

    /// The numbers of seed 004 @Validation.
    pub fn check(&self, limits: &Limits) -> Result<(), EventError> {
        let (text, may_be_empty) = match &self.body {
            Body::Message { content, attachments, .. } => (content, !attachments.is_empty()),
            Body::Edit { content, .. } => (content, false),
            Body::React { emoji, .. } => (emoji, false),
            Body::Delete { .. } | Body::Room { .. } => return Ok(()),
        };
        let (chars, max) = (text.chars().count(), limits.message_chars_max);
        if chars > max {
            Err(EventError::TooLong { chars, max })
        } else if text.trim().is_empty() && !may_be_empty {
            Err(EventError::Empty)
        } else {
            Ok(())
        }
    }
}

/// Who a stored event comes from. Never taken from a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    /// A person or bot.
    Person(UserId),
    /// A device, through its door.
    Device(DeviceId),
    /// The appliance itself.
    Box,
}

/// What a stored event's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A person's event: a sealed wire, or JSON in open rooms.
    Event,
    /// A device's post: an age file, or JSON in open rooms.
    Door,
    /// A line of the box: JSON.
    Line,
}

impl Class {
    /// The byte in the frame.
    pub const fn byte(self) -> u8 {
        match self {
            Class::Event => 1,
            Class::Door => 2,
            Class::Line => 3,
        }
    }

    /// The class of a frame's byte.
    pub const fn from_byte(byte: u8) -> Option<Class> {
        match byte {
            1 => Some(Class::Event),
            2 => Some(Class::Door),
            3 => Some(Class::Line),
            _ => None,
        }
    }
}

/// The frame of a sealed room's event on `out`: position u64 ‖ received_at u64 ‖ class u8 ‖ bytes.
/// The bytes of a door post are device16 ‖ id16 ‖ age file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its place in the room.
    pub position: Position,
    /// The box's clock when it came, ms since 1970; never decreases along positions.
    pub received_at: u64,
    /// What the bytes are.
    pub class: Class,
    /// The bytes.
    pub bytes: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Bytes before the event's own.
    pub const HEAD_BYTES: usize = 17;

    /// The frame as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::HEAD_BYTES + self.bytes.len());
        out.extend_from_slice(&self.position.0.to_be_bytes());
        out.extend_from_slice(&self.received_at.to_be_bytes());
        out.push(self.class.byte());
        out.extend_from_slice(self.bytes);
        out
    }

    /// Reads a frame; `None` if it is too short or of no known class.
    pub fn decode(bytes: &'a [u8]) -> Option<Frame<'a>> {
        let (position, rest) = bytes.split_first_chunk::<8>()?;
        let (received_at, rest) = rest.split_first_chunk::<8>()?;
        let (&class, bytes) = rest.split_first()?;
        Some(Frame {
            position: Position(u64::from_be_bytes(*position)),
            received_at: u64::from_be_bytes(*received_at),
            class: Class::from_byte(class)?,
            bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(payload: &[u8]) -> Result<Incoming<'_>, EventError> {
        Incoming::parse(payload, &Limits::default())
    }

    #[test]
    fn what_a_shell_sends_becomes_a_message() {
        let id = EventId::new(7, [7; 10]);
        let mut with_id = Event::message("Hi");
        with_id.id = Some(id);
        let cases = [
            ("Washing done".to_string(), Event::message("Washing done")),
            (r#"{"content":"Hi"}"#.to_string(), Event::message("Hi")),
            (r#"{"type":"message","content":"Hi"}"#.to_string(), Event::message("Hi")),
            (format!(r#"{{"content":"Hi","id":"{id}"}}"#), with_id),
            (r#"{"temp": 3}"#.to_string(), Event::message(r#"{"temp": 3}"#)),
            ("{not json".to_string(), Event::message("{not json")),
            ("[1]".to_string(), Event::message("[1]")),
        ];
        for (payload, event) in cases {
            assert_eq!(parse(payload.as_bytes()), Ok(Incoming::Open(event)), "{payload}");
        }
        assert_eq!(parse(b"\x01abc"), Ok(Incoming::Sealed(b"\x01abc")));
    }

    #[test]
    fn what_is_no_event_is_refused_with_the_reason() {
        let long = "é".repeat(10_001);
        assert_eq!(parse(b"\xff\xfe"), Err(EventError::NotText));
        assert_eq!(parse(b""), Err(EventError::Empty));
        assert_eq!(parse(b" \n"), Err(EventError::Empty));
        assert_eq!(parse(br#"{"content":""}"#), Err(EventError::Empty));
        assert_eq!(parse(long.as_bytes()), Err(EventError::TooLong { chars: 10_001, max: 10_000 }));
        assert!(matches!(parse(&[b'a'; 65_537]), Err(EventError::TooLarge { .. })));
        for json in [
            r#"{"type":"telegram","content":"x"}"#,
            r#"{"content":7}"#,
            r#"{"content":"x","id":"7"}"#,
            r#"{"type":"edit","content":"x"}"#,
        ] {
            assert!(matches!(parse(json.as_bytes()), Err(EventError::Json(_))), "{json}");
        }
        assert!(parse("é".repeat(10_000).as_bytes()).is_ok());
    }

    proptest! {
        #[test]
        fn a_frame_reads_back(position: u64, at: u64, class in 1u8..4, bytes: Vec<u8>) {
            let frame = Frame {
                position: Position(position),
                received_at: at,
                class: Class::from_byte(class).unwrap(),
                bytes: &bytes,
            };
            let wire = frame.encode();
            prop_assert_eq!(Frame::decode(&wire), Some(frame));
        }

        #[test]
        fn arbitrary_bytes_are_an_answer_not_a_panic(bytes: Vec<u8>) {
            prop_assert!(Frame::decode(&bytes).is_none_or(|frame| frame.encode() == bytes));
            if let Ok(Incoming::Open(event)) = parse(&bytes) {
                prop_assert_eq!(event.check(&Limits::default()), Ok(()));
            }
        }
    }
}
