//! A stored event as clients get it: on `out` and in `GET messages` (design §4).

use bytes::Bytes;
use hearth_protocol::bytes::b64u;
use hearth_protocol::event::{Body, Class, Event, Frame, Sender};
use hearth_protocol::ids::{DeviceId, EventId, Position, RoomId, UserId};
use hearth_protocol::limits::Limits;
use hearth_protocol::role::Sealing;
use hearth_protocol::schema::B64u;
use hearth_store::{Deleted, EventKind, MessageView, PageQuery, Reacted, Span, StoredEvent};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::app::App;
use crate::error::ApiError;
use crate::membership::RoomState;

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
    let mut item = item(event, sealing);
    if let Value::Object(map) = &mut item
        && !map.contains_key("sealed")
    {
        map.insert("kind".into(), json!(event.kind));
    }
    item
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
    match sealing {
        Sealing::Sealed if !is_clear(event) => json!({
            "id": event.id,
            "position": event.position,
            "received_at": event.received_at,
            "class": event.class.byte(),
            "sealed": b64u(&frame_bytes(event)),
        }),
        _ => open_item(event),
    }
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
        map.insert("content".into(), json!(DELETED));
        map.insert("deleted".into(), json!({ "by": by, "at": at, "reason": reason }));
        map.insert("sender".into(), sender_of(&view.event).0);
        map.remove("target");
        map.remove("by");
    }
    if !view.reactions.is_empty() {
        let max = limits.reaction_emoji_shown_max;
        let shown = view.reactions.iter().take(max);
        let reactions: Vec<_> = shown.map(|one| reacted(one, viewer, limits)).collect();
        map.insert("reactions".into(), json!(reactions));
        if let Some(more) = view.reactions.len().checked_sub(max).filter(|more| *more > 0) {
            map.insert("more_reactions".into(), json!(more));
        }
    }
    item
}

/// Who reacted with one emoji: all are counted, the first are named.
fn reacted(reacted: &Reacted, viewer: Option<UserId>, limits: &Limits) -> Value {
    let all = reacted.by.iter().map(|(user, _)| user);
    let users: Vec<_> = all.clone().take(limits.reaction_people_shown_max).collect();
    let count = reacted.by.len();
    let mut shown = json!({ "emoji": reacted.emoji, "count": count, "users": users });
    if let Some(viewer) = viewer {
        shown["mine"] = json!(all.clone().any(|user| *user == viewer));
    }
    shown
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
