//! What somebody may not see is as if it were not there: every request about it is answered with
//! the same bytes, after as many reads of the store, as one about what never was.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use hearth_protocol::ids::{AttachmentId, DeviceId, GrantId, NotificationId, ReportId, TokenId};
use hearth_protocol::ids::{RoomId, SessionId, UserId};
use hearth_protocol::role::{HouseRole, RoomType, Sealing};
use hearth_store::engine::{BoxFuture, Order, Range, Row};
use hearth_store::{AppToken, Attachments, Batch, Edit, Engine, EngineError, Memory};
use hearth_store::{Notification, NotificationKind, Snapshot};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::openapi::{document, operations};
use crate::attachments::Files;
use crate::testing::{House, Person, washer};

/// An engine that counts what is read.
#[derive(Default)]
struct Counting {
    memory: Memory,
    reads: AtomicUsize,
}

impl Engine for Counting {
    fn get(&self, key: Bytes) -> BoxFuture<'_, Result<Option<Bytes>, EngineError>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.memory.get(key)
    }

    fn scan(
        &self,
        range: Range,
        order: Order,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Row>, EngineError>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.memory.scan(range, order, limit)
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), EngineError>> {
        self.memory.commit(batch)
    }

    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, EngineError>> {
        self.memory.snapshot()
    }
}

/// A house where somebody has everything, and a guest who meets nobody.
struct Scene {
    house: House,
    engine: Arc<Counting>,
    guest: Person,
    /// Where attachments lie.
    _files: TempDir,
    /// What there is, by its name in a path.
    there: Vec<(&'static str, String)>,
}

impl Scene {
    async fn new() -> Scene {
        let engine = Arc::new(Counting::default());
        let house = House::upon(engine.clone(), Default::default()).await;
        let folder = tempfile::tempdir().unwrap();
        let files = Attachments::open(house.app.store.clone(), folder.path()).await.unwrap();
        let files = Files::new(files, None, house.app.limits.clone());
        assert!(house.app.files.set(files).is_ok());
        let anna = house.person("anna", HouseRole::Owner).await;
        let guest = house.person("gast", HouseRole::Guest).await;
        let room = house.room(RoomType::Private, Sealing::Open, &[&anna]).await;
        let path = |end: &str| format!("/api/rooms/{room}/{end}");
        let said = house.post(&path("messages"), &anna, json!({ "content": "x" })).await.is(201);
        let device = washer(DeviceId::from_bytes([4; 16]), room, anna.id);
        let token = AppToken {
            id: TokenId::from_bytes([5; 16]),
            user: anna.id,
            label: String::new(),
            hash: [8; 32],
            created_at: 1,
            last_used_at: 1,
            scope: None,
        };
        let (washer, app) = (device.id, token.id);
        house.change(vec![Edit::PutDevice(device), Edit::PutToken(token)]).await;
        let grant = json!({ "device_id": washer, "filter": "home/#", "access": "read" });
        let grant = house.post("/api/grants", &anna, grant).await.is(201);
        let expires_at = crate::testing::BEGINS_MS + 60_000;
        let hash = hearth_protocol::bytes::b64u(&[1; 32]);
        let invite = json!({ "code": "ABCDEFGHJK", "auth_hash": hash, "blob": "AAAA", "uses": 1,
                             "expires_at": expires_at, "bundles": [] });
        house.post(&path("invites"), &anna, invite).await.is(201);
        let upload = format!("/api/attachments/upload?room={room}");
        let attachment = house.send("POST", &upload, &anna, &[], b"%PDF-1.7 a bill").await.is(201);
        let text = |value: &Value| value.as_str().unwrap().to_string();
        let reports = format!("/api/messages/{}/reports", text(&said["id"]));
        let report = house.post(&reports, &anna, json!({ "reason": "x" })).await.is(201);
        let bot = json!({ "name": "robot", "token": { "label": "x" } });
        let bot = house.post("/api/bots", &anna, bot).await.is(201);
        let alert = Notification {
            id: NotificationId::new(crate::testing::BEGINS_MS, [3; 10]),
            recipient: anna.id,
            kind: NotificationKind::RoomInvite,
            room,
            event: None,
            position: None,
            by: None,
            created_at: crate::testing::BEGINS_MS,
            read: false,
        };
        let notification = alert.id.to_string();
        house.change(vec![Edit::PutNotification(alert)]).await;
        let there = vec![
            ("attachment", text(&attachment["id"])),
            ("report", text(&report["id"])),
            ("bot", text(&bot["user"]["id"])),
            ("notification", notification),
            ("room", room.to_string()),
            ("message", text(&said["id"])),
            ("user", anna.id.to_string()),
            ("session", anna.session.to_string()),
            ("device", washer.to_string()),
            ("token", app.to_string()),
            ("id", app.to_string()),
            ("grant", text(&grant["id"])),
            ("code", "ABCDEFGHJK".to_string()),
        ];
        Scene { house, engine, guest, _files: folder, there }
    }

    /// A path about what is there, or about what never was.
    fn path(&self, template: &str, there: bool) -> String {
        let levels = template.split('/').map(|level| {
            let Some(name) = level.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
                return level.to_string();
            };
            let name = match name {
                "id" if template.starts_with("/api/bots") => "bot",
                "id" if template.starts_with("/api/notifications") => "notification",
                name => name,
            };
            let known = self.there.iter().find(|(known, _)| *known == name).filter(|_| there);
            known.map_or_else(|| nothing(name), |(_, id)| id.clone())
        });
        levels.collect::<Vec<_>>().join("/")
    }

    /// What the guest is answered, and after how many reads.
    async fn ask(&self, method: &str, path: &str) -> (u16, String, usize) {
        let before = self.engine.reads.load(Ordering::SeqCst);
        let body = if method == "GET" { Value::Null } else { every_body() };
        let answered = self.house.call(method, path, Some(&self.guest), body).await;
        let reads = self.engine.reads.load(Ordering::SeqCst) - before;
        (answered.status, String::from_utf8_lossy(&answered.bytes).to_string(), reads)
    }
}

/// An id of what never was.
fn nothing(name: &str) -> String {
    const NONE: [u8; 16] = [0x77; 16];
    match name {
        "room" => RoomId::from_bytes(NONE).to_string(),
        "user" => UserId::from_bytes(NONE).to_string(),
        "session" => SessionId::from_bytes(NONE).to_string(),
        "device" => DeviceId::from_bytes(NONE).to_string(),
        "grant" => GrantId::from_bytes(NONE).to_string(),
        "report" => ReportId::from_bytes(NONE).to_string(),
        "attachment" => AttachmentId::from_bytes(NONE).to_string(),
        "bot" => UserId::from_bytes(NONE).to_string(),
        "notification" => NotificationId::from_bytes(NONE).to_string(),
        "code" => "ZZZZZZZZZZ".to_string(),
        "emoji" => "x".to_string(),
        _ => TokenId::from_bytes(NONE).to_string(),
    }
}

/// A body that most requests take.
fn every_body() -> Value {
    let nobody = UserId::from_bytes([0x66; 16]);
    json!({
        "content": "x", "emoji": "👍", "reason": "x", "notify": "all", "role": "member",
        "user_id": nobody, "name": "x", "message_id": nothing("message"), "position": 1,
        "bundle": "AAAA", "label": "x", "decision": "dismiss", "auth": "AAAA", "joins": [],
        "note": "", "minutes": 1, "event": nothing("message"), "plain": "seal",
    })
}

#[tokio::test]
async fn what_one_may_not_see_is_answered_like_what_never_was() {
    let scene = Scene::new().await;
    let mut document = document();
    let (mut asked, mut told) = (0, vec![]);
    // That they were here is noted with the first thing they change.
    scene.ask("DELETE", &format!("/api/blocks/{}", nothing("user"))).await;
    for (template, item) in &mut document.paths.paths {
        let names = scene.there.iter().any(|(name, _)| template.contains(&format!("{{{name}}}")));
        // A code shows who has it what it is to: docs/security.md, "an invite link".
        if !names || template.starts_with("/api/invites/{code}") {
            continue;
        }
        let methods: Vec<_> = operations(item).map(|(method, _)| method.to_string()).collect();
        for method in methods {
            let hidden = scene.ask(&method, &scene.path(template, true)).await;
            let absent = scene.ask(&method, &scene.path(template, false)).await;
            assert!(hidden.0 >= 400 || method == "DELETE", "{method} {template}: {hidden:?}");
            if hidden != absent {
                told.push(format!("{method} {template}: {hidden:?}, not {absent:?}"));
            }
            asked += 1;
        }
    }
    assert!(asked > 60, "{asked}");
    assert!(told.is_empty(), "{}", told.join("\n"));
}
