//! The table of room roles (`protocol::role::may`), cell by cell, at REST and MQTT: for everybody
//! of the house, in every place of a room. Who is not in a room gets the same answer for it as for
//! one that never was. `/api/ws` is tried in `ws/tests/roles.rs`, the stream of notifications in
//! `sse/tests.rs`; the table of the house is in `house`.

mod house;

use std::sync::Arc;

use bytes::Bytes;
use hearth_broker::{Gate, Publish, Qos, Version};
use hearth_protocol::ids::{DeviceId, EventId, InviteCode, RoomId};
use hearth_protocol::principal::Principal;
use hearth_protocol::role::{HouseRole, RoomAction, RoomRole, RoomType, Sealing, may};
use hearth_store::{Edit, Room};
use serde_json::{Value, json};

use crate::accounts::member;
use crate::clock::random;
use crate::gate::HouseGate;
use crate::testing::{Answered, BEGINS_MS, House, Person};

/// Everybody of a house.
pub const HOUSE_ROLES: [HouseRole; 5] =
    [HouseRole::Owner, HouseRole::Admin, HouseRole::Member, HouseRole::Guest, HouseRole::Bot];
/// Every place that somebody has in a room, and none.
pub const PLACES: [Option<RoomRole>; 4] =
    [Some(RoomRole::Owner), Some(RoomRole::Admin), Some(RoomRole::Member), None];
/// Rooms with more than two people.
pub const KINDS: [RoomType; 2] = [RoomType::Private, RoomType::Public];

/// An open room with its owner, a member, a message of each, and whoever is tried.
pub struct Cell {
    pub house: House,
    pub room: RoomId,
    pub who: Person,
    ben: Person,
    cleo: Person,
    /// A message of the owner's.
    message: EventId,
    device: DeviceId,
    /// Of nobody in a direct room, which has none.
    invite: InviteCode,
}

/// Adds a device.
async fn device(house: &House, by: &Person, room: RoomId) -> DeviceId {
    let path = format!("/api/rooms/{room}/devices");
    let made = house.post(&path, by, json!({ "name": "lamp" })).await.is(201);
    made["device"]["id"].as_str().unwrap().parse().unwrap()
}

impl Cell {
    pub async fn new(kind: RoomType, role: HouseRole, place: Option<RoomRole>) -> Cell {
        let house = House::new().await;
        let anna = house.person("anna", HouseRole::Member).await;
        let ben = house.person("ben", HouseRole::Member).await;
        let cleo = house.person("cleo", HouseRole::Member).await;
        let who = house.person("who", role).await;
        // A guest lets in whom they know.
        house.room(RoomType::Private, Sealing::Open, &[&cleo, &who]).await;
        let room = house.room(kind, Sealing::Open, &[&anna, &ben]).await;
        let path = format!("/api/rooms/{room}/messages");
        let said = house.post(&path, &anna, json!({ "content": "hello" })).await.is(201);
        if let Some(place) = place {
            let stored = house.app.membership.room(room).unwrap().room.clone();
            house.change(vec![Edit::PutMember(member(&stored, who.id, place, BEGINS_MS))]).await;
        }
        let message = said["id"].as_str().unwrap().parse().unwrap();
        let device = device(&house, &anna, room).await;
        let path = format!("/api/rooms/{room}/invites");
        let invite = house.post(&path, &anna, json!({})).await.is(201);
        let invite = invite["code"].as_str().unwrap().parse().unwrap();
        Cell { house, room, who, ben, cleo, message, device, invite }
    }

    /// The same in a private room that is sealed by now.
    pub async fn sealed(role: HouseRole, place: Option<RoomRole>) -> Cell {
        let cell = Cell::new(RoomType::Private, role, place).await;
        let open = cell.house.app.membership.room(cell.room).unwrap().room.clone();
        let sealed = Room { sealing: Sealing::Sealed, ..open };
        cell.house.change(vec![Edit::UpdateRoom(sealed)]).await;
        cell
    }

    /// A direct room of a member and whoever is tried, who cannot be more than two.
    async fn direct(role: HouseRole) -> Cell {
        let house = House::new().await;
        let anna = house.person("anna", HouseRole::Member).await;
        let cleo = house.person("cleo", HouseRole::Member).await;
        let who = house.person("who", role).await;
        house.room(RoomType::Private, Sealing::Open, &[&anna, &cleo, &who]).await;
        let new = json!({ "type": "direct", "user_id": who.id, "sealing": "open" });
        let room = house.post("/api/rooms", &anna, new).await.is(201);
        let room: RoomId = room["id"].as_str().unwrap().parse().unwrap();
        let path = format!("/api/rooms/{room}/messages");
        let said = house.post(&path, &anna, json!({ "content": "hello" })).await.is(201);
        let message = said["id"].as_str().unwrap().parse().unwrap();
        let device = device(&house, &anna, room).await;
        let invite = InviteCode::new(random());
        Cell { house, room, who, ben: anna, cleo, message, device, invite }
    }

    /// A member calls whoever is tried by name, and the whole room.
    pub async fn calls(&self) {
        let path = format!("/api/rooms/{}/messages", self.room);
        self.house.post(&path, &self.ben, json!({ "content": "@who, @room" })).await.is(201);
    }

    /// Requests that show what a member may see.
    fn reads(&self, room: RoomId, message: EventId) -> Vec<(&'static str, String, Value)> {
        let at = |tail: &str| format!("/api/rooms/{room}/{tail}");
        let of = |tail: &str| format!("/api/messages/{message}{tail}");
        let read = |path: String| ("GET", path, Value::Null);
        vec![
            read(at("members")),
            read(at("messages")),
            read(at("invites")),
            read(at("devices")),
            read(at("bundles")),
            read(of("")),
            read(of("/edits")),
            read(of("/reactions")),
            read(of("/receipts")),
            read(of("/thread")),
            ("PUT", at("read"), json!({ "position": 1 })),
            ("PUT", at("notify"), json!({ "notify": "mentions" })),
        ]
    }

    /// Requests that do this, in a room and with a message of it.
    fn requests(
        &self,
        action: RoomAction,
        room: RoomId,
        message: EventId,
    ) -> Vec<(&'static str, String, Value)> {
        let (at, ben) = (|tail: &str| format!("/api/rooms/{room}/{tail}"), self.ben.id);
        let of = |tail: &str| format!("/api/messages/{message}{tail}");
        let read = |path: String| ("GET", path, Value::Null);
        let (device, invite) = match room == self.room {
            true => (self.device, self.invite),
            false => (DeviceId::new(BEGINS_MS, random()), InviteCode::new(random())),
        };
        match action {
            RoomAction::Read => self.reads(room, message),
            RoomAction::Write => vec![
                ("POST", at("messages"), json!({ "content": "hi" })),
                ("POST", of("/reactions"), json!({ "emoji": "🔥" })),
            ],
            RoomAction::Rotate => vec![("POST", at("bundles"), json!({ "bundle": "" }))],
            RoomAction::Invite => vec![
                ("POST", at("members"), json!({ "user_id": self.cleo.id })),
                ("POST", at("invites"), json!({ "guest_until": BEGINS_MS + 1 })),
                ("DELETE", format!("/api/invites/{invite}"), Value::Null),
            ],
            RoomAction::ManageDevices => vec![
                ("POST", at("devices"), json!({ "name": "oven" })),
                ("PATCH", format!("/api/devices/{device}"), json!({ "plain": "refuse" })),
                ("DELETE", format!("/api/devices/{device}"), Value::Null),
            ],
            RoomAction::ManageRoom => {
                let room = format!("/api/rooms/{room}");
                vec![("PUT", room, json!({ "description": "where we eat" }))]
            }
            RoomAction::RemoveMember => {
                vec![("DELETE", at(&format!("members/{ben}")), Value::Null)]
            }
            RoomAction::ChangeRole => {
                vec![("PATCH", at(&format!("members/{ben}/role")), json!({ "role": "admin" }))]
            }
            RoomAction::EraseMessages => vec![("DELETE", of(""), Value::Null)],
            RoomAction::Pin => vec![
                ("POST", at("pins"), json!({ "message_id": message })),
                ("DELETE", at(&format!("pins/{message}")), Value::Null),
            ],
            RoomAction::Moderate => vec![
                read(at("mutes")),
                read(at("bans")),
                ("POST", at("mutes"), json!({ "user_id": ben, "minutes": 5 })),
                ("POST", at("bans"), json!({ "user_id": ben, "minutes": 5 })),
                ("DELETE", at(&format!("mutes/{ben}")), Value::Null),
                ("DELETE", at(&format!("bans/{ben}")), Value::Null),
            ],
            RoomAction::DeleteRoom => vec![("DELETE", format!("/api/rooms/{room}"), Value::Null)],
        }
    }

    async fn answers(&self, action: RoomAction, room: RoomId, message: EventId) -> Vec<Answered> {
        let mut answers = vec![];
        for (method, path, body) in self.requests(action, room, message) {
            answers.push(self.house.call(method, &path, Some(&self.who), body).await);
        }
        answers
    }
}

#[tokio::test]
async fn rest_answers_as_the_table_says() {
    for kind in KINDS {
        for role in HOUSE_ROLES {
            for place in PLACES {
                for action in RoomAction::ALL {
                    rest(kind, role, place, action).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn rest_answers_in_sealed_rooms_as_the_table_says() {
    for role in HOUSE_ROLES {
        for place in PLACES {
            for action in RoomAction::ALL {
                let cell = Cell::sealed(role, place).await;
                tried(&cell, RoomType::Private, role, place, action).await;
            }
        }
    }
}

#[tokio::test]
async fn rest_answers_in_direct_rooms_as_the_table_says() {
    for role in HOUSE_ROLES {
        for action in RoomAction::ALL {
            let mut cell = Cell::direct(role).await;
            tried(&cell, RoomType::Direct, role, Some(RoomRole::Owner), action).await;
            // A third person, whatever they are.
            cell = Cell::direct(HouseRole::Member).await;
            cell.who = cell.house.person("third", role).await;
            tried(&cell, RoomType::Direct, role, None, action).await;
        }
    }
}

async fn rest(kind: RoomType, role: HouseRole, place: Option<RoomRole>, action: RoomAction) {
    let cell = Cell::new(kind, role, place).await;
    tried(&cell, kind, role, place, action).await;
}

async fn tried(
    cell: &Cell,
    kind: RoomType,
    role: HouseRole,
    place: Option<RoomRole>,
    action: RoomAction,
) {
    let what = format!("{role:?}, {place:?} of a {kind:?} room: {action:?}");
    let answers = cell.answers(action, cell.room, cell.message).await;
    let Some(place) = place else {
        let (nowhere, nothing) =
            (RoomId::new(BEGINS_MS, random()), EventId::new(BEGINS_MS, random()));
        let unknown = cell.answers(action, nowhere, nothing).await;
        for (answer, unknown) in answers.iter().zip(&unknown) {
            assert_eq!(answer.status, 404, "{what}: {}", answer.body);
            assert_eq!(answer.bytes, unknown.bytes, "{what}");
        }
        return;
    };
    for answer in answers {
        let refused = [403, 404].contains(&answer.status);
        assert_eq!(refused, !may(place, action, kind), "{what}: {}", answer.body);
        assert!(answer.status < 500 && answer.status != 401, "{what}: {}", answer.body);
    }
}

#[tokio::test]
async fn mqtt_answers_as_the_table_says() {
    for kind in KINDS {
        for role in HOUSE_ROLES {
            for place in PLACES {
                let cell = Cell::new(kind, role, place).await;
                let what = format!("{role:?}, {place:?} of a {kind:?} room");
                let gate = HouseGate::new(&cell.house.app);
                let (user, session) = (cell.who.id, cell.who.session);
                let who = Arc::new(Principal::Person { user, session });
                for topic in ["out", "receipts", "key"] {
                    let topic = format!("hearth/rooms/{}/{topic}", cell.room);
                    assert_eq!(gate.may_subscribe(&who, &topic).is_ok(), place.is_some(), "{what}");
                    assert_eq!(gate.may_receive(&who, &topic), place.is_some(), "{what}");
                }
                let publish = |topic: String, qos| Publish {
                    topic: topic.into(),
                    payload: Bytes::from_static(b"1"),
                    qos,
                    retain: false,
                    properties: Default::default(),
                    version: Version::V5,
                    once: None,
                };
                for (topic, qos) in [
                    (format!("hearth/rooms/{}/in", cell.room), Qos::AtLeastOnce),
                    (format!("hearth/rooms/{}/read/{user}", cell.room), Qos::AtLeastOnce),
                    (format!("hearth/rooms/{}/live/{user}", cell.room), Qos::AtMostOnce),
                ] {
                    let taken = gate.accept(who.clone(), publish(topic.clone(), qos)).await;
                    assert_eq!(taken.is_ok(), place.is_some(), "{what}: {topic}");
                }
            }
        }
    }
}
