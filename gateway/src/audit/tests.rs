//! Every act of whoever runs the house or a room leaves its entry, whichever door it came by.

use std::collections::BTreeSet;

use hearth_protocol::grant::Access;
use hearth_protocol::ids::DeviceId;
use hearth_protocol::limits::Limits;
use hearth_protocol::role::{HouseRole, RoomType, Sealing};
use hearth_protocol::sealing::Recipient;
use hearth_store::{Attachments, Edit, History};
use serde_json::json;

use super::*;
use crate::admin::{BackupRequest, GrantTo, Reply, Request, RoomKeeps, handle};
use crate::attachments::Files;
use crate::testing::{House, Person, washer};

const RECIPIENT: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

/// A house whose files lie in a folder, and what was done in it.
struct Desk {
    house: House,
    folder: tempfile::TempDir,
    owner: Person,
    ben: Person,
}

impl Desk {
    async fn new() -> Desk {
        // Begun with another limit than the program has.
        let house = House::with(Limits { posts_per_60_s: 61, ..Limits::default() }).await;
        house.named().await;
        let folder = tempfile::tempdir().unwrap();
        let files = folder.path().join("files");
        let store = Attachments::open(house.app.store.clone(), &files).await.unwrap();
        assert!(house.app.files.set(Files::new(store, None, house.app.limits.clone())).is_ok());
        let owner = house.person("anna", HouseRole::Owner).await;
        let ben = house.person("ben", HouseRole::Member).await;
        Desk { house, folder, owner, ben }
    }

    /// The owner asks over REST.
    async fn does(&self, method: &str, path: &str, body: Value) -> Value {
        self.house.later(1);
        let answer = self.house.call(method, path, Some(&self.owner), body).await;
        assert!(answer.status < 300, "{method} {path}: {}", answer.body);
        answer.body
    }

    /// The box's shell asks.
    async fn shell(&self, request: Request) -> Reply {
        self.house.later(1);
        let reply = handle(&self.house.app, request).await;
        assert!(!matches!(reply, Reply::Refused { .. }), "{reply:?}");
        reply
    }

    /// What the log tells of, and by whom.
    async fn told(&self) -> BTreeSet<(String, bool)> {
        let log = self.house.app.store.audit(None, 1_000).await.unwrap();
        log.into_iter().map(|entry| (entry.action, entry.by.is_none())).collect()
    }

    async fn of_the_house(&self) {
        let ben = format!("/api/users/{}", self.ben.id);
        let settings = self.does("GET", "/api/settings", Value::Null).await;
        self.does("PUT", "/api/settings", settings).await;
        let rules = json!({ "version": 0, "allow": [], "deny": ["10.0.0.0/8"] });
        self.does("PUT", "/api/settings/addresses", rules).await;
        self.does("PATCH", "/api/users/me", json!({ "name": "hanna" })).await;
        self.does("PATCH", &ben, json!({ "role": "guest" })).await;
        let until = self.house.app.clock.now_ms() + 100_000;
        self.does("PATCH", &ben, json!({ "guest_until": until })).await;
        self.does("PATCH", &ben, json!({ "blocked": true })).await;
        self.does("PATCH", &ben, json!({ "blocked": false, "role": "member" })).await;
        self.does("POST", &format!("{ben}/disconnect"), Value::Null).await;
        self.does("DELETE", &format!("{ben}/sessions"), Value::Null).await;
        let link = self.does("POST", &format!("{ben}/reset"), Value::Null).await;
        let new = json!({ "secret": link["secret"], "new_password": "a new one" });
        self.house.call("POST", "/api/auth/reset", None, new).await.is(200);
        let token = json!({ "label": "x" });
        let bot = json!({ "name": "robot", "token": &token });
        let bot = self.does("POST", "/api/bots", bot).await;
        let tokens = format!("/api/bots/{}/tokens", bot["user"]["id"].as_str().unwrap());
        let made = self.does("POST", &tokens, token).await;
        self.does("DELETE", &format!("{tokens}/{}", text(&made["id"])), Value::Null).await;
        let grant = json!({ "user_id": self.ben.id, "filter": "home/#", "access": "read" });
        let grant = self.does("POST", "/api/grants", grant).await;
        self.does("DELETE", &format!("/api/grants/{}", text(&grant["id"])), Value::Null).await;
    }

    async fn of_a_room(&self) {
        let (house, ben) = (&self.house, self.ben.id);
        let sealed = house.room(RoomType::Private, Sealing::Sealed, &[&self.owner]).await;
        let device = DeviceId::from_bytes([7; 16]);
        house.change(vec![Edit::PutDevice(washer(device, sealed, self.owner.id))]).await;
        let device = format!("/api/devices/{device}");
        self.does("PATCH", &device, json!({ "plain": "seal" })).await;
        let room = house.room(RoomType::Public, Sealing::Open, &[&self.owner]).await;
        let room = format!("/api/rooms/{room}");
        let at = |tail: &str| format!("{room}/{tail}");
        let whom = json!({ "user_id": ben });
        self.does("PUT", &room, json!({ "name": "Hall" })).await;
        self.does("POST", &at("members"), whom.clone()).await;
        self.does("PATCH", &at(&format!("members/{ben}/role")), json!({ "role": "admin" })).await;
        for sentence in ["mutes", "bans"] {
            self.does("POST", &at(sentence), whom.clone()).await;
            self.does("DELETE", &at(&format!("{sentence}/{ben}")), Value::Null).await;
        }
        self.does("POST", &at("members"), whom.clone()).await;
        let ben = house.again(&self.ben).await;
        let said = house.post(&at("messages"), &ben, json!({ "content": "x" })).await.is(201);
        let message = format!("/api/messages/{}", text(&said["id"]));
        self.does("POST", &at("pins"), json!({ "message_id": said["id"] })).await;
        self.does("DELETE", &at(&format!("pins/{}", text(&said["id"]))), Value::Null).await;
        let report =
            self.does("POST", &format!("{message}/reports"), json!({ "reason": "x" })).await;
        let report = format!("/api/reports/{}", text(&report["id"]));
        self.does("PATCH", &report, json!({ "decision": "uphold" })).await;
        self.does("DELETE", &message, Value::Null).await;
        self.does("DELETE", &at(&format!("members/{}", ben.id)), Value::Null).await;
        let invite = self.does("POST", &at("invites"), json!({})).await;
        self.does("DELETE", &format!("/api/invites/{}", text(&invite["code"])), Value::Null).await;
        let device = self.does("POST", &at("devices"), json!({ "name": "oven" })).await;
        let device = format!("/api/devices/{}", text(&device["device"]["id"]));
        self.does("DELETE", &device, Value::Null).await;
        let upload = format!("/api/attachments/upload?room={}", &room["/api/rooms/".len()..]);
        let file = house.send("POST", &upload, &self.owner, &[], b"%PDF-1.7 a bill").await.is(201);
        let quarantine = format!("/api/attachments/{}/quarantine", text(&file["id"]));
        self.does("PUT", &quarantine, json!({ "reason": "x" })).await;
        self.does("DELETE", &quarantine, Value::Null).await;
        self.does("DELETE", &room, Value::Null).await;
    }

    async fn of_the_shell(&self) {
        let add = Request::UserAdd { name: "zoe".into(), password: "zoe's own".into() };
        self.shell(add).await;
        let name = || "zoe".to_string();
        self.shell(Request::UserReset { name: name() }).await;
        self.shell(Request::UserDisconnect { name: name() }).await;
        self.shell(Request::HouseAddresses { set: Some((vec![], vec![])) }).await;
        self.shell(Request::RoomAdd { name: "Shed".into(), kind: RoomType::Private }).await;
        let room = || "Shed".to_string();
        let keeps = RoomKeeps { keep_days: Some(1), keep_bytes: None, history: Some(History::All) };
        self.shell(Request::RoomSet { room: room(), keeps }).await;
        self.shell(Request::RoomGuests { room: room(), days: 1, uses: 1 }).await;
        self.shell(Request::DeviceAdd { name: "oven".into(), room: room() }).await;
        self.shell(Request::DeviceRemove { device: "oven".into() }).await;
        let to = GrantTo::User(name());
        let grant = Request::GrantAdd { to, filter: "home/#".into(), access: Access::Read };
        let Reply::Grants(grants) = self.shell(grant).await else { panic!("no grant") };
        self.shell(Request::GrantRemove { grant: grants[0].grant.id }).await;
        self.shell(Request::TrustClock).await;
        let entrance = crate::beginning::Entrance::Unlocked;
        self.house.app.note_beginning(entrance).await.unwrap();
        let recipient: Recipient = RECIPIENT.parse().unwrap();
        let key = BackupRequest::SetKey { recipient, replace: false };
        self.shell(Request::Backup { ask: key }).await;
        let (file, data) = (self.folder.path().join("b.age"), self.folder.path().to_path_buf());
        let start = BackupRequest::Start { file, force: false, data, to: vec![recipient] };
        self.shell(Request::Backup { ask: start }).await;
        let state = self.house.app.backups.finished().await;
        assert!(matches!(state, crate::backups::BackupState::Done { .. }), "{state:?}");
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[tokio::test]
async fn every_action_is_told_of_by_the_door_it_came_by() {
    let desk = Desk::new().await;
    desk.of_the_house().await;
    desk.of_a_room().await;
    desk.does("DELETE", &format!("/api/users/{}", desk.ben.id), Value::Null).await;
    let by_people = desk.told().await;
    assert!(by_people.iter().all(|(_, by_shell)| !by_shell), "{by_people:?}");
    desk.of_the_shell().await;
    let told = desk.told().await;
    let actions: BTreeSet<&str> = told.iter().map(|(action, _)| action.as_str()).collect();
    let all: BTreeSet<&str> = AuditAction::ALL.iter().map(|action| action.word()).collect();
    assert_eq!(actions, all);
    let by_shell: Vec<&str> =
        told.iter().filter(|(_, by_shell)| *by_shell).map(|(action, _)| action.as_str()).collect();
    assert_eq!(
        by_shell,
        [
            "addresses.change",
            "backup.key",
            "backup.make",
            "clock.trust",
            "device.add",
            "device.remove",
            "grant.add",
            "grant.remove",
            "house.unlock",
            "invite.create",
            "limits.change",
            "room.add",
            "room.update",
            "user.add",
            "user.disconnect",
            "user.reset",
        ]
    );
}

#[test]
fn the_document_has_every_action_in_order() {
    let text = include_str!("../../../docs/protocol.md");
    let table = text.split_once("| `action` | what was done |").unwrap().1;
    let rows = table.lines().skip(2).map_while(|line| line.strip_prefix("| `"));
    let words: Vec<&str> = rows.map(|row| row.split_once('`').unwrap().0).collect();
    let all: Vec<&str> = AuditAction::ALL.iter().map(|action| action.word()).collect();
    assert_eq!(words, all);
}
