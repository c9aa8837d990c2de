//! A stored event as clients get it: on `out` and in `GET messages` (design §4).

mod fitting;
mod item;

use bytes::Bytes;
use hearth_protocol::event::{Body, Class, Event, Frame, Sender};
use hearth_protocol::ids::{DeviceId, EventId, Position, RoomId, UserId};
use hearth_protocol::limits::Limits;
use hearth_protocol::role::Sealing;
use hearth_protocol::schema::B64u;
use hearth_store::{Deleted, EventKind, MessageView, PageQuery, Span, StoredEvent};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::app::App;
use crate::error::ApiError;
use crate::membership::RoomState;

pub use fitting::{Entry, Keep, fit};
pub use item::Item;

/// In place of an erased message's text (seed 004 @Message).
const DELETED: &str = "[deleted]";

/// The bytes after a frame's head: a door post names its device and id, which its age file cannot.
fn frame_bytes(event: &StoredEvent) -> Bytes {
    match (event.class, event.sender) {
        (Class::Door, Sender::Device(device)) => {
            let mut bytes = Vec::with_capacity(32 + event.body.len());
            bytes.extend_from_slice(device.as_bytes());
            bytes.extend_from_slice(event.id.as_bytes());
            bytes.extend_from_slice(&event.body);
            bytes.into()
        }
        _ => event.body.clone(),
    }
}

/// Whether an event was written in clear, when its room was open: it stays as it was.
fn is_clear(event: &StoredEvent) -> bool {
    event.class != Class::Line && event.body.first() == Some(&b'{')
}

/// The payload on `hearth/rooms/{room}/out`.
pub fn payload(event: &StoredEvent, sealing: Sealing) -> Bytes {
    match sealing {
        Sealing::Sealed if !is_clear(event) => Frame {
            position: event.position,
            received_at: event.received_at,
            class: event.class,
            bytes: &frame_bytes(event),
        }
        .encode()
        .into(),
        _ => item(event, sealing).to_string().into(),
    }
}

/// The oldest events of a room above a position.
pub struct Stretch {
    /// Ascending.
    pub events: Vec<StoredEvent>,
    /// What of it does not read.
    pub damaged: Vec<Span>,
    /// Everything up to here was looked at, whatever was left out.
    pub up_to: Position,
}

/// Reads on in a room from a position, for somebody whose sight begins at `since`.
pub async fn stretch(
    app: &App,
    state: &RoomState,
    since: Position,
    after: Position,
    limit: usize,
) -> Result<Stretch, ApiError> {
    let room = state.room.id;
    // Read before the page: what comes between the two is not in it, and must not be passed over.
    let head = app.store.head(room).await?;
    let page = app.store.page(room, PageQuery { since, ..PageQuery::after(after, limit) }).await?;
    // Over what is damaged, and over what is gone or hidden: nothing of it will ever come.
    let up_to = match page.covered {
        Some(covered) => covered.to,
        None => head.max(after),
    };
    Ok(Stretch { events: page.events, damaged: page.damaged, up_to })
}

/// A message, post or line as it was stored, with its kind where the box can know it.
pub fn message(event: &StoredEvent, sealing: Sealing) -> Value {
    Item::message(event, sealing).value()
}

/// One entry of `GET messages`: what the box knows, beside the event's own fields in an open room
/// (docs/protocol.md).
#[derive(ToSchema)]
#[expect(dead_code, reason = "the description's word for what is written below")]
pub struct MessageItem {
    id: Option<EventId>,
    position: Option<Position>,
    /// ms since 1970.
    received_at: Option<u64>,
    /// In a sealed room: 1 an event, 2 a device's post, 3 the box's own line.
    class: Option<u8>,
    /// In a sealed room: the bytes of `class`.
    #[schema(value_type = Option<B64u>)]
    sealed: Option<String>,
    /// In an open room; `damaged` for a stretch `from`, `to` that does not read.
    r#type: Option<String>,
    content: Option<String>,
    sender: Option<UserId>,
    device: Option<DeviceId>,
    /// In which room; of a message that is asked for alone.
    room_id: Option<RoomId>,
    /// What sort of message it is; where the box can know it.
    kind: Option<EventKind>,
    /// ms since 1970; of a message that has another text now.
    edited_at: Option<u64>,
    /// Of an erased message: who erased it, and why.
    deleted: Option<Deleted>,
    /// What people reacted with, in the order in which each came first.
    reactions: Option<Vec<ReactionSum>>,
    /// How many emoji there are beside those.
    more_reactions: Option<usize>,
}

/// The reactions to a message with one emoji.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the description's word for what is written below")]
struct ReactionSum {
    emoji: String,
    count: usize,
    /// The first of those who reacted.
    users: Vec<UserId>,
    /// Whether the asker is one of them.
    mine: Option<bool>,
}

/// One entry of `GET messages`.
pub fn item(event: &StoredEvent, sealing: Sealing) -> Value {
    Item::stored(event, sealing).value()
}

/// A stretch of `GET messages` that does not read.
pub fn damaged(span: &Span) -> Value {
    json!({ "type": "damaged", "from": span.from, "to": span.to })
}

/// The text of a message as it is now; empty where it has none.
pub fn text(view: &MessageView) -> String {
    if view.about.deleted.is_some() {
        return DELETED.to_string();
    }
    let event = view.edit.as_ref().unwrap_or(&view.event);
    match serde_json::from_slice::<Value>(&event.body) {
        Ok(value) => value["content"].as_str().unwrap_or_default().to_string(),
        // Whatever the box cannot read has no text for it.
        Err(_) => String::new(),
    }
}

/// Whether an event in clear names somebody.
pub fn names(event: &StoredEvent, user: UserId) -> bool {
    match serde_json::from_slice(&event.body) {
        Ok(Event { body: Body::Message { mentions, .. }, .. }) => mentions.contains(&user),
        _ => false,
    }
}

/// One entry of `GET messages` in an open room: the message as it is now. With a viewer, whether
/// a reaction is theirs.
pub fn view(view: &MessageView, viewer: Option<UserId>, limits: &Limits) -> Value {
    Item::now(view, viewer, limits).value()
}

#[cfg(test)]
mod tests {
    use hearth_protocol::bytes::b64u;

    use super::*;

    fn event(class: Class, sender: Sender, body: &'static [u8]) -> StoredEvent {
        StoredEvent {
            room: RoomId::from_bytes([1; 16]),
            position: Position(7),
            received_at: 99,
            id: EventId::from_bytes([2; 16]),
            sender,
            class,
            kind: EventKind::Text,
            body: Bytes::from_static(body),
        }
    }

    #[test]
    fn an_open_event_is_its_json_with_what_the_box_knows() {
        let anna = UserId::from_bytes([3; 16]);
        let body = br#"{"type":"message","content":"Hi","sender":"forged","position":1}"#;
        let item = item(&event(Class::Event, Sender::Person(anna), body), Sealing::Open);
        let expected = json!({
            "type": "message", "content": "Hi", "position": 7, "received_at": 99,
            "id": EventId::from_bytes([2; 16]), "sender": anna, "device": null,
        });
        assert_eq!(item, expected);
    }

    #[test]
    fn a_sealed_post_is_framed_with_its_device_and_id() {
        let washer = DeviceId::from_bytes([4; 16]);
        let event = event(Class::Door, Sender::Device(washer), b"age");
        let payload = payload(&event, Sealing::Sealed);
        let frame = Frame::decode(&payload).unwrap();
        assert_eq!((frame.position, frame.received_at), (Position(7), 99));
        assert_eq!(frame.class, Class::Door);
        assert_eq!(frame.bytes, [&[4; 16][..], &[2; 16], b"age"].concat());
        let item = item(&event, Sealing::Sealed);
        assert_eq!(item["sealed"], json!(b64u(frame.bytes)));
    }
}
