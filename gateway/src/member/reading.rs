//! Messages in: history and live, opened, verified, one line each.

use std::collections::BTreeMap;

use hearth_protocol::bytes::from_b64u;
use hearth_protocol::event::{Body, Class, Event, Frame};
use hearth_protocol::ids::{DeviceId, Epoch, EventId, Position, UserId};
use hearth_protocol::sealing::event::{self, HEADER, Kind, Numbered, WireHeader};
use hearth_protocol::sealing::order::Strange;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::epochs::RoomKeys;
use super::order::{Runs, told};
use super::rooms::RoomInfo;
use super::spelling::{spell, spell_line, with_title};
use super::{Member, MemberError};

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// A person's message.
    Message,
    /// What a person did to one: an edit, a reaction, a title.
    Change,
    /// A device's post.
    Post,
    /// The box's own line.
    Line,
    /// What did not open or verify, with the reason as its text.
    Unreadable,
}

/// One line of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Its place in the room.
    pub position: Position,
    /// When the box received it, ms since 1970.
    pub received_at: u64,
    /// Its id, where it has one.
    pub id: Option<EventId>,
    /// What it is.
    pub said: Said,
    /// The person, if one said it.
    pub sender: Option<UserId>,
    /// The device, if one said it.
    pub device: Option<DeviceId>,
    /// The name to show.
    pub name: String,
    /// The text.
    pub text: String,
    /// A person's event as they sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Value>,
    /// What is to be known of a device's post; the text says it too.
    #[serde(flatten)]
    pub marks: Marks,
    /// Events of the same writer before it that the box leaves out.
    #[serde(skip_serializing_if = "is_zero")]
    pub missing: u64,
    /// What is strange about its place; the text says it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strange: Option<Strange>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What is to be known of a device's post (sealing.md §5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Marks {
    /// The box sealed it for a device that cannot, and saw it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub box_saw: bool,
    /// It is sealed to a door that was renewed before it came.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub older_key: bool,
}

/// Reads one room.
pub struct Reader {
    pub(super) room: RoomInfo,
    pub(super) keys: Option<RoomKeys>,
    devices: BTreeMap<DeviceId, String>,
    runs: Runs,
    /// The newest epoch that was told of.
    pub(super) newest: Epoch,
}

impl Member {
    /// A reader for a room.
    pub fn reader(&mut self, room: &RoomInfo) -> Result<Reader, MemberError> {
        let keys = if room.is_sealed() { Some(self.room_keys(room.id)?) } else { None };
        let (devices, runs) = (BTreeMap::new(), Runs::default());
        Ok(Reader { room: room.clone(), keys, devices, runs, newest: 0 })
    }
}

/// What was read of one event, before names.
pub(super) struct Read {
    pub(super) id: Option<EventId>,
    pub(super) said: Said,
    pub(super) sender: Option<UserId>,
    pub(super) device: Option<DeviceId>,
    pub(super) text: String,
    pub(super) event: Option<Value>,
    pub(super) marks: Marks,
}

impl Read {
    pub(super) fn unreadable(
        id: Option<EventId>,
        sender: Option<UserId>,
        why: impl ToString,
    ) -> Read {
        let text = format!("[{}]", why.to_string());
        Read {
            id,
            said: Said::Unreadable,
            sender,
            device: None,
            text,
            event: None,
            marks: Marks::default(),
        }
    }
}

impl Reader {
    /// The newest `limit` lines, oldest first.
    pub fn history(&mut self, member: &mut Member, limit: usize) -> Result<Vec<Line>, MemberError> {
        self.page(member, &format!("limit={limit}"))
    }

    /// The next lines after a position, oldest first, each event as it was stored; none when there
    /// are no more.
    pub fn after(
        &mut self,
        member: &mut Member,
        position: Position,
        limit: usize,
    ) -> Result<Vec<Line>, MemberError> {
        self.page(member, &format!("limit={limit}&after={position}&raw=1"))
    }

    fn page(&mut self, member: &mut Member, query: &str) -> Result<Vec<Line>, MemberError> {
        let path = format!("/api/rooms/{}/messages?{query}", self.room.id);
        let answer: Value = member.rest.get(&path)?;
        let items = answer["messages"].as_array().cloned().unwrap_or_default();
        let covered = |end: &str| answer["covered"][end].as_u64().map(Position);
        if let Some(from) = covered("from") {
            self.runs.from(from);
        }
        let lines = items.iter().map(|item| self.page_item(member, item));
        let lines = lines.collect::<Result<_, _>>()?;
        self.runs.to(covered("to").unwrap_or_default());
        Ok(lines)
    }

    /// One entry of a page, with its place among those of its writer.
    fn page_item(&mut self, member: &mut Member, item: &Value) -> Result<Line, MemberError> {
        let line = self.item(member, item)?;
        if item["type"] == "damaged" {
            self.runs.gap(line.position);
        }
        let place = sealed_in(item).and_then(|(class, wire)| self.runs.item(class, &wire));
        Ok(told(line, place))
    }

    /// One entry of `GET messages`.
    fn item(&mut self, member: &mut Member, item: &Value) -> Result<Line, MemberError> {
        if item["type"] == "damaged" && item["from"].is_u64() {
            let at = |end: &str| Position(item[end].as_u64().unwrap_or_default());
            let why = format!("positions {} to {} do not read on the box", at("from"), at("to"));
            return Ok(self.named(member, at("to"), 0, Read::unreadable(None, None, why)));
        }
        let position = Position(item["position"].as_u64().unwrap_or_default());
        let received_at = item["received_at"].as_u64().unwrap_or_default();
        let read = match sealed_in(item) {
            Some((class, bytes)) => self.sealed(member, class, &bytes, received_at)?,
            None if self.room.is_sealed() => {
                Read::unreadable(None, None, "in clear in a sealed room: nobody's word")
            }
            None => open(item),
        };
        Ok(self.named(member, position, received_at, read))
    }

    /// One payload of `out`.
    pub fn payload(&mut self, member: &mut Member, payload: &[u8]) -> Result<Line, MemberError> {
        // From before the room was sealed: in clear, as on the page.
        if self.room.is_sealed() && payload.first() != Some(&b'{') {
            let frame = Frame::decode(payload).ok_or_else(|| MemberError::Answer {
                what: "a subscription".into(),
                problem: "not the frame of a sealed event".into(),
            })?;
            let Frame { position, received_at, class, bytes } = frame;
            let read = self.sealed(member, Some(class), bytes, received_at)?;
            let place = self.runs.live(position, Some(class), bytes);
            return Ok(told(self.named(member, position, received_at, read), place));
        }
        let item: Value = serde_json::from_slice(payload).map_err(|error| MemberError::Answer {
            what: "a subscription".into(),
            problem: error.to_string(),
        })?;
        let line = self.item(member, &item)?;
        // One that comes as on a page has its place as well.
        let place = match sealed_in(&item) {
            Some((class, wire)) => self.runs.live(line.position, class, &wire),
            None => None,
        };
        Ok(told(line, place))
    }

    pub(super) fn named(
        &mut self,
        member: &mut Member,
        position: Position,
        received_at: u64,
        read: Read,
    ) -> Line {
        let Read { id, said, sender, device, text, event, marks } = read;
        let name = match (sender, device) {
            (Some(user), _) => member.name_of(user),
            (None, Some(device)) => self.device_name(member, device),
            (None, None) => "*".to_string(),
        };
        let text = match said {
            Said::Line => spell_line(member, &text),
            _ => text,
        };
        let (missing, strange) = (0, None);
        Line {
            position,
            received_at,
            id,
            said,
            sender,
            device,
            name,
            text,
            event,
            marks,
            missing,
            strange,
        }
    }

    fn device_name(&mut self, member: &Member, device: DeviceId) -> String {
        if !self.devices.contains_key(&device) {
            // Without the list the id stands in for the name.
            for one in member.devices(self.room.id).unwrap_or_default() {
                self.devices.insert(one.id, one.name);
            }
        }
        self.devices.entry(device).or_insert_with(|| device.to_string()).clone()
    }

    pub(super) fn sealed(
        &mut self,
        member: &mut Member,
        class: Option<Class>,
        bytes: &[u8],
        received_at: u64,
    ) -> Result<Read, MemberError> {
        match class {
            Some(Class::Event) => self.event(member, bytes),
            Some(Class::Door) => self.door(member, bytes, received_at),
            Some(Class::Line) => {
                self.note_epoch(bytes);
                let text = String::from_utf8_lossy(bytes).into_owned();
                let (id, said) = (None, Said::Line);
                let marks = Marks::default();
                Ok(Read { id, said, sender: None, device: None, text, event: None, marks })
            }
            None => Ok(Read::unreadable(None, None, "of a class this program does not know")),
        }
    }

    /// The keys, fetched again when an epoch is newer than those that are known.
    fn keys_for(&mut self, member: &mut Member, epoch: u32) -> Result<&RoomKeys, MemberError> {
        let known = match self.keys.take_if(|keys| keys.header(epoch).is_some()) {
            Some(keys) => keys,
            None => member.room_keys(self.room.id)?,
        };
        Ok(self.keys.insert(known))
    }

    fn event(&mut self, member: &mut Member, wire: &[u8]) -> Result<Read, MemberError> {
        if let (HEADER, Some(Numbered { id, sender, .. })) = (wire.len(), Numbered::of(wire)) {
            return Ok(Read::unreadable(Some(id), Some(sender), "erased"));
        }
        let header = match WireHeader::parse(wire) {
            Ok(header) => header,
            Err(error) => return Ok(Read::unreadable(None, None, error)),
        };
        let no = |why: &str| Ok(Read::unreadable(Some(header.id), Some(header.sender), why));
        let keys = self.keys_for(member, header.epoch)?;
        let Some(print) = keys.header(header.epoch).and_then(|one| one.member(header.sender))
        else {
            return no("from somebody whom its epoch does not list");
        };
        let Some(keys) = keys.keys(header.epoch).cloned() else {
            return no("sealed with a key that was never given to you");
        };
        let card = match member.card(header.sender, print) {
            Ok(card) => card,
            Err(MemberError::NoCard { .. }) => return no("its sender's card is missing"),
            Err(error) => return Err(error),
        };
        let opened = match event::open(wire, &keys, card.sign_key()) {
            Ok(opened) => opened,
            Err(error) => return no(&error.to_string()),
        };
        let value = serde_json::from_slice::<Value>(&opened.body);
        Ok(match value.and_then(|value| Ok((Event::deserialize(&value)?, value))) {
            Ok((event, _)) if !is_what_it_says(&header.kind, &event.body) => {
                return no("it says to be something else than it is");
            }
            Ok((event, value)) => {
                let (said, text) = spell(event.body);
                let (id, sender) = (Some(header.id), Some(header.sender));
                let marks = Marks::default();
                Read { id, said, sender, device: None, text, event: Some(value), marks }
            }
            Err(error) => Read::unreadable(Some(header.id), Some(header.sender), error),
        })
    }
}

/// The class and the bytes of an entry of a sealed room.
fn sealed_in(item: &Value) -> Option<(Option<Class>, Vec<u8>)> {
    let bytes = item["sealed"].as_str().and_then(from_b64u)?;
    let class = item["class"].as_u64().and_then(|class| u8::try_from(class).ok());
    Some((class.and_then(Class::from_byte), bytes))
}

/// A tombstone's clear target is the one inside, nothing else claims to erase, and what was live is
/// never stored (sealing.md §4).
fn is_what_it_says(kind: &Kind, body: &Body) -> bool {
    match (kind, body) {
        (Kind::Tombstone(clear), Body::Delete { target, .. }) => clear == target,
        (Kind::Tombstone(_), _) | (_, Body::Delete { .. }) | (Kind::Live, _) => false,
        (Kind::Content | Kind::Hinted(_), _) => true,
    }
}

/// An entry of an open room.
fn open(item: &Value) -> Read {
    let id = |key: &str| item[key].as_str();
    let sender = id("sender").and_then(|text| text.parse().ok());
    let device = id("device").and_then(|text| text.parse().ok());
    let own = id("id").and_then(|text| text.parse().ok());
    if let (None, Some(_)) = (sender, device) {
        let text = item["content"].as_str().unwrap_or_default().to_string();
        let text = with_title(item["title"].as_str(), text);
        let marks = Marks::default();
        return Read { id: own, said: Said::Post, sender, device, text, event: None, marks };
    }
    let marks = Marks::default();
    let read = |said, text, event| Read { id: own, said, sender, device, text, event, marks };
    match serde_json::from_value::<Event>(item.clone()) {
        Ok(event) if sender.is_some() => {
            let (said, text) = spell(event.body);
            read(said, text, Some(item.clone()))
        }
        _ => read(Said::Line, item.to_string(), None),
    }
}
