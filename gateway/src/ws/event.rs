//! What clients and the box say to each other on `/api/ws`: JSON objects with a `type`, the names
//! and fields of seed 004 @API and what docs/protocol.md adds.

use hearth_protocol::ids::{EventId, Position, RoomId, UserId};
use hearth_protocol::limits::Limits;
use hearth_protocol::refusal::{Kind, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::api::users::UserView;
use crate::error::ApiError;

/// What a client wants.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Wish {
    /// Follow a room.
    JoinRoom {
        /// Which.
        room_id: RoomId,
        /// From where on: a position, or the id of a message there; else from now on.
        #[serde(default)]
        after: Option<Value>,
    },
    /// Follow it no more.
    LeaveRoom {
        /// Which.
        room_id: RoomId,
    },
    /// Writing something.
    TypingStart {
        /// Where.
        room_id: RoomId,
    },
    /// Writing no more.
    TypingStop {
        /// Where.
        room_id: RoomId,
    },
    /// A message, with the fields of `POST /api/rooms/{id}/messages`.
    SendMessage {
        /// Where.
        room_id: RoomId,
        /// The rest.
        #[serde(flatten)]
        message: Map<String, Value>,
    },
    /// Read up to here.
    ReadMessage {
        /// Which is the last that was read.
        message_id: EventId,
    },
}

/// The names of wishes, to tell a wrong one from a wrong field.
const WISHES: [&str; 6] =
    ["join_room", "leave_room", "typing_start", "typing_stop", "send_message", "read_message"];

/// A client's event, and what its answer is to be named by.
pub struct Asked {
    /// What it said to name the answer by; `Null`: nothing.
    pub reference: Value,
    /// What it wants, or why that cannot be read.
    pub wish: Result<Wish, ApiError>,
}

/// Reads a client's event.
pub fn read(text: &str, limits: &Limits) -> Asked {
    let no = |reference, code, message: String| Asked {
        reference,
        wish: Err(ApiError::invalid(code, message).hint("docs/protocol.md lists the events")),
    };
    let mut map = match serde_json::from_str(text) {
        Ok(Value::Object(map)) => map,
        Ok(_) => return no(Value::Null, "bad_event", "an event is a JSON object".into()),
        Err(error) => return no(Value::Null, "bad_json", format!("it does not read: {error}")),
    };
    let reference = map.remove("ref").unwrap_or_default();
    let max = limits.ws_ref_bytes_max;
    let fits = matches!(reference, Value::Null | Value::String(_) | Value::Number(_))
        && reference.to_string().len() <= max;
    if !fits {
        let message = format!("`ref` is a string or a number of at most {max} bytes");
        return no(Value::Null, "bad_event", message);
    }
    let name = map.get("type").and_then(Value::as_str).unwrap_or_default();
    if !WISHES.contains(&name) {
        let message = format!("there is no event `{}`", name.chars().take(50).collect::<String>());
        return no(reference, "unknown_event", message);
    }
    match serde_json::from_value(Value::Object(map)) {
        Ok(wish) => Asked { reference, wish: Ok(wish) },
        Err(error) => no(reference, "bad_event", error.to_string()),
    }
}

/// What the box says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Says {
    /// A new message, post or line; in a sealed room `{id, position, received_at, class, sealed}`.
    MessageCreated {
        /// Where.
        room_id: RoomId,
        /// As an item of `GET messages`.
        message: Value,
    },
    /// A message was edited.
    MessageUpdated {
        /// Where.
        room_id: RoomId,
        /// As it is now.
        message: Value,
        /// Of the edit.
        position: Position,
    },
    /// A message was erased.
    MessageDeleted {
        /// Where.
        room_id: RoomId,
        /// Which.
        message_id: EventId,
        /// Of the erasure, or of what is left.
        position: Position,
    },
    /// A reaction was put on.
    ReactionAdded(Reaction),
    /// A reaction was taken off.
    ReactionRemoved(Reaction),
    /// Somebody writes.
    UserTyping {
        /// Where.
        room_id: RoomId,
        /// Who.
        user_id: UserId,
    },
    /// Somebody writes no more.
    UserStoppedTyping {
        /// Where.
        room_id: RoomId,
        /// Who.
        user_id: UserId,
    },
    /// Somebody came.
    UserJoined {
        /// Where.
        room_id: RoomId,
        /// Who.
        user: UserView,
        /// Of the line.
        position: Position,
    },
    /// Somebody went; without a position: the listener itself, or the whole room is gone.
    UserLeft {
        /// Where.
        room_id: RoomId,
        /// Who.
        user_id: UserId,
        /// Of the line.
        #[serde(skip_serializing_if = "Option::is_none")]
        position: Option<Position>,
    },
    /// How somebody is shown.
    PresenceUpdated {
        /// Who.
        user_id: UserId,
        /// `status`, `last_seen`, `status_text`.
        #[serde(flatten)]
        shown: Map<String, Value>,
    },
    /// How far the members of a room are.
    ReceiptsUpdated {
        /// Where.
        room_id: RoomId,
        /// `{user: [delivered, read]}`.
        receipts: Value,
    },
    /// Something to be alerted to.
    Notification {
        /// As in `GET /api/notifications`.
        notification: Value,
    },
    /// A client's event was done.
    Ack {
        /// The client's name for it.
        #[serde(rename = "ref")]
        reference: Value,
        /// The message that was stored.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<Value>,
        /// Of the room's newest event when it was joined.
        #[serde(skip_serializing_if = "Option::is_none")]
        position: Option<Position>,
    },
    /// A client's event was refused.
    Error(No),
}

/// Who reacted to what.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reaction {
    /// Where.
    pub room_id: RoomId,
    /// To which message.
    pub message_id: EventId,
    /// Who.
    pub user: UserView,
    /// With what.
    pub emoji: String,
    /// Of the reaction.
    pub position: Position,
}

/// A refusal, as REST has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct No {
    /// The client's name for what is refused, if it gave one.
    #[serde(rename = "ref", skip_serializing_if = "Value::is_null")]
    pub reference: Value,
    /// A word for programs.
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// What to do about it; may be empty.
    pub hint: &'static str,
    /// When to come back, in ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl Says {
    /// A refusal of an event.
    pub fn no(reference: Value, ApiError(refusal): ApiError) -> Self {
        let Refusal { kind, code, message, hint } = refusal;
        let retry_after_ms = match kind {
            Kind::TooMany { retry_after_ms } => Some(retry_after_ms),
            _ => None,
        };
        Says::Error(No { reference, code, message, hint, retry_after_ms })
    }

    /// The text of its frame.
    pub fn text(&self) -> Result<String, ApiError> {
        serde_json::to_string(self).map_err(|error| {
            ApiError::new(Kind::Unavailable, "unwritable_answer", error.to_string())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ref_has_as_many_bytes_as_the_limit_says() {
        let limits = Limits::default();
        let read = |length: usize| {
            let reference = "x".repeat(length);
            let text = serde_json::json!({ "type": "nothing", "ref": reference }).to_string();
            read(&text, &limits)
        };
        // Two quotes stand around it.
        let longest = limits.ws_ref_bytes_max - 2;
        assert_eq!(read(longest).reference.as_str().unwrap().len(), longest);
        let Asked { reference, wish } = read(longest + 1);
        assert_eq!((reference, wish.unwrap_err().0.code), (Value::Null, "bad_event"));
    }
}
