//! A stored event as clients get it: on `out` and in `GET messages` (design §4).

use bytes::Bytes;
use hearth_protocol::bytes::b64u;
use hearth_protocol::event::{Class, Frame, Sender};
use hearth_protocol::ids::{DeviceId, EventId, Position, UserId};
use hearth_protocol::role::Sealing;
use hearth_protocol::schema::B64u;
use hearth_store::{Deleted, MessageView, Span, StoredEvent};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

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

/// The payload on `hearth/rooms/{room}/out`.
pub fn payload(event: &StoredEvent, sealing: Sealing) -> Bytes {
    match sealing {
        Sealing::Open => item(event, sealing).to_string().into(),
        Sealing::Sealed => Frame {
            position: event.position,
            received_at: event.received_at,
            class: event.class,
            bytes: &frame_bytes(event),
        }
        .encode()
        .into(),
    }
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
}

/// One entry of `GET messages`.
pub fn item(event: &StoredEvent, sealing: Sealing) -> Value {
    match sealing {
        Sealing::Sealed => json!({
            "id": event.id,
            "position": event.position,
            "received_at": event.received_at,
            "class": event.class.byte(),
            "sealed": b64u(&frame_bytes(event)),
        }),
        Sealing::Open => open_item(event),
    }
}

/// A stretch of `GET messages` that does not read.
pub fn damaged(span: &Span) -> Value {
    json!({ "type": "damaged", "from": span.from, "to": span.to })
}

/// One entry of `GET messages` in an open room: the message as it is now.
pub fn view(view: &MessageView) -> Value {
    let mut item = open_item(&view.event);
    let Value::Object(map) = &mut item else { return item };
    map.insert("kind".into(), json!(view.event.kind));
    if let (Some(edited), Some(edit)) = (view.about.edited, &view.edit) {
        if let Ok(Value::Object(mut edit)) = serde_json::from_slice::<Value>(&edit.body)
            && let Some(content) = edit.remove("content")
        {
            map.insert("content".into(), content);
        }
        map.insert("edited_at".into(), json!(edited.at));
    }
    if let Some(deleted) = &view.about.deleted {
        let Deleted { by, at, reason } = deleted;
        map.insert("type".into(), json!("message"));
        // Seed 004 @Message.
        map.insert("content".into(), json!("[deleted]"));
        map.insert("deleted".into(), json!({ "by": by, "at": at, "reason": reason }));
        map.insert("sender".into(), sender_of(&view.event).0);
        map.remove("target");
        map.remove("by");
    }
    if !view.reactions.is_empty() {
        let reactions = view.reactions.iter().map(|reacted| {
            let users: Vec<_> = reacted.by.iter().map(|(user, _)| user).collect();
            json!({ "emoji": reacted.emoji, "count": users.len(), "users": users })
        });
        map.insert("reactions".into(), reactions.collect());
    }
    item
}

/// The user and the device that an event is from, where it is from one.
fn sender_of(event: &StoredEvent) -> (Value, Value) {
    match event.sender {
        Sender::Person(user) => (json!(user), Value::Null),
        Sender::Device(device) => (Value::Null, json!(device)),
        Sender::Box => (Value::Null, Value::Null),
    }
}

fn open_item(event: &StoredEvent) -> Value {
    let mut map = match serde_json::from_slice::<Value>(&event.body) {
        Ok(Value::Object(map)) => map,
        // Everything stored in an open room was written by ingest as an object.
        _ => Map::from_iter([("type".to_string(), json!("damaged"))]),
    };
    let (sender, device) = match event.class {
        // What is left of an erased message is the box's word.
        Class::Line => (Value::Null, Value::Null),
        _ => sender_of(event),
    };
    map.entry("content").or_insert_with(|| json!(""));
    map.insert("id".into(), json!(event.id));
    map.insert("position".into(), json!(event.position));
    map.insert("received_at".into(), json!(event.received_at));
    map.insert("sender".into(), sender);
    map.insert("device".into(), device);
    Value::Object(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearth_protocol::ids::RoomId;
    use hearth_store::EventKind;

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
