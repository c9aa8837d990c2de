//! One entry of `GET messages`, written straight from what is stored: the event's own fields go
//! from the disk to the answer as they are, with what the box knows beside them.

use std::fmt;

use hearth_protocol::bytes::b64u;
use hearth_protocol::event::{Class, Sender};
use hearth_protocol::ids::{DeviceId, RoomId, UserId};
use hearth_protocol::limits::Limits;
use hearth_protocol::role::Sealing;
use hearth_store::{MessageView, Reacted, StoredEvent};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::{DELETED, frame_bytes, is_clear};
use crate::error::ApiError;

/// What the box says of an event; nothing that an event holds stands in its place.
const OURS: [&str; 10] = [
    "id",
    "position",
    "received_at",
    "sender",
    "device",
    "kind",
    "edited_at",
    "deleted",
    "reactions",
    "more_reactions",
];
/// What an erased message has no more.
const ERASED: [&str; 4] = ["type", "content", "target", "by"];

/// One entry.
pub struct Item<'a> {
    event: &'a StoredEvent,
    sealed: bool,
    kind: bool,
    room: Option<RoomId>,
    now: Option<Now<'a>>,
}

/// The message as it is now, for somebody.
struct Now<'a> {
    view: &'a MessageView,
    viewer: Option<UserId>,
    limits: &'a Limits,
}

impl<'a> Item<'a> {
    /// An event as it was stored.
    pub fn stored(event: &'a StoredEvent, sealing: Sealing) -> Self {
        let sealed = sealing == Sealing::Sealed && !is_clear(event);
        Self { event, sealed, kind: false, room: None, now: None }
    }

    /// The same with its kind, where the box can know it.
    pub fn message(event: &'a StoredEvent, sealing: Sealing) -> Self {
        Self { kind: true, ..Self::stored(event, sealing) }
    }

    /// A message of an open room as it is now. With a viewer, whether a reaction is theirs.
    pub fn now(view: &'a MessageView, viewer: Option<UserId>, limits: &'a Limits) -> Self {
        let now = Some(Now { view, viewer, limits });
        Self { event: &view.event, sealed: false, kind: true, room: None, now }
    }

    /// The same with its room.
    pub fn in_room(self) -> Self {
        Self { room: Some(self.event.room), ..self }
    }

    /// Its JSON.
    pub fn raw(&self) -> Result<Box<RawValue>, ApiError> {
        to_raw_value(self).map_err(|error| ApiError::unwritable(&error))
    }

    /// The same as a value.
    pub fn value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_else(|error| {
            tracing::error!(%error, id = %self.event.id, "an event cannot be shown");
            json!({ "type": "damaged", "id": self.event.id, "position": self.event.position })
        })
    }

    fn write_sealed<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("class", &self.event.class.byte())?;
        map.serialize_entry("sealed", &b64u(&frame_bytes(self.event)))
    }

    fn write_open<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let about = self.now.as_ref().map(|now| &now.view.about);
        let deleted = about.and_then(|about| about.deleted.as_ref());
        let (sender, device) = match self.event.class {
            // What is left of an erased message is the box's word; who wrote it is said of it.
            Class::Line if deleted.is_none() => (None, None),
            Class::Line => (sender_of(self.event).0, None),
            _ => sender_of(self.event),
        };
        map.serialize_entry("sender", &sender)?;
        map.serialize_entry("device", &device)?;
        if self.kind {
            map.serialize_entry("kind", &self.event.kind)?;
        }
        let edited = about.and_then(|about| about.edited);
        let edit = self.now.as_ref().and_then(|now| now.view.edit.as_ref());
        let edit = edited.zip(edit);
        if let Some((edited, _)) = edit {
            map.serialize_entry("edited_at", &edited.at)?;
        }
        let text = edit.and_then(|(_, edit)| fields(edit)?.get("content"));
        // Everything stored in an open room was written by ingest as an object.
        let own = fields(self.event).unwrap_or_else(Fields::damaged);
        let mut has_content = false;
        for (name, value) in &own.0 {
            if OURS.contains(name) || (deleted.is_some() && ERASED.contains(name)) {
                continue;
            }
            let is_content = *name == "content";
            has_content |= is_content;
            map.serialize_entry(name, text.filter(|_| is_content).unwrap_or(value))?;
        }
        match (deleted, text) {
            (Some(deleted), _) => {
                map.serialize_entry("type", "message")?;
                map.serialize_entry("content", DELETED)?;
                map.serialize_entry("deleted", deleted)
            }
            (None, Some(text)) if !has_content => map.serialize_entry("content", text),
            (None, None) if !has_content => map.serialize_entry("content", ""),
            _ => Ok(()),
        }
    }
}

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(None)?;
        map.serialize_entry("id", &self.event.id)?;
        map.serialize_entry("position", &self.event.position)?;
        map.serialize_entry("received_at", &self.event.received_at)?;
        if let Some(room) = self.room {
            map.serialize_entry("room_id", &room)?;
        }
        if self.sealed {
            self.write_sealed(&mut map)?;
        } else {
            self.write_open(&mut map)?;
        }
        if let Some(now) = &self.now {
            now.write_reactions(&mut map)?;
        }
        map.end()
    }
}

impl Now<'_> {
    fn write_reactions<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let all = &self.view.reactions;
        if all.is_empty() {
            return Ok(());
        }
        let max = self.limits.reaction_emoji_shown_max;
        let shown: Vec<_> = all.iter().take(max).map(|one| self.reacted(one)).collect();
        map.serialize_entry("reactions", &shown)?;
        match all.len().checked_sub(max).filter(|more| *more > 0) {
            Some(more) => map.serialize_entry("more_reactions", &more),
            None => Ok(()),
        }
    }

    /// Who reacted with one emoji: all are counted, the first are named.
    fn reacted(&self, reacted: &Reacted) -> Value {
        let all = reacted.by.iter().map(|(user, _)| user);
        let users: Vec<_> = all.clone().take(self.limits.reaction_people_shown_max).collect();
        let count = reacted.by.len();
        let mut shown = json!({ "emoji": reacted.emoji, "count": count, "users": users });
        if let Some(viewer) = self.viewer {
            shown["mine"] = json!(all.clone().any(|user| *user == viewer));
        }
        shown
    }
}

/// The user and the device that an event is from, where it is from one.
fn sender_of(event: &StoredEvent) -> (Option<UserId>, Option<DeviceId>) {
    match event.sender {
        Sender::Person(user) => (Some(user), None),
        Sender::Device(device) => (None, Some(device)),
        Sender::Box => (None, None),
    }
}

/// The fields of an event, unread.
struct Fields<'a>(Vec<(&'a str, &'a RawValue)>);

fn fields(event: &StoredEvent) -> Option<Fields<'_>> {
    serde_json::from_slice(&event.body).ok()
}

impl<'a> Fields<'a> {
    fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(found, _)| *found == name).map(|(_, value)| *value)
    }

    fn damaged() -> Self {
        let name = serde_json::from_str("\"damaged\"").ok();
        Self(name.map(|name| ("type", name)).into_iter().collect())
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::with_capacity(8);
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        from.deserialize_map(Object)
    }
}
