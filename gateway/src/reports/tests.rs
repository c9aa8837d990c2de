//! Who reports what, who decides it, and what is done.

use hearth_broker::Link;
use hearth_protocol::limits::Limits;
use hearth_protocol::role::{HouseRole, RoomRole, RoomType, Sealing};
use hearth_store::Room;

use super::*;
use crate::accounts::member;
use crate::ingest::Submission;
use crate::testing::{Answered, House, Person, washer};

/// A room of its owner, a member who writes and one who reads; the house's admin is not in it.
struct Scene {
    house: House,
    room: RoomId,
    admin: Person,
    owner: Person,
    ben: Person,
    cleo: Person,
    bells: Link,
}

impl Scene {
    async fn new(limits: Limits) -> Scene {
        let house = House::with(limits).await;
        let admin = house.person("admin", HouseRole::Owner).await;
        let owner = house.person("owner", HouseRole::Member).await;
        let ben = house.person("ben", HouseRole::Member).await;
        let cleo = house.person("cleo", HouseRole::Member).await;
        let room = house.room(RoomType::Private, Sealing::Open, &[&owner, &ben, &cleo]).await;
        let bells = house.app.broker.link(&["hearth/users/+/inbox"], 100).unwrap();
        Scene { house, room, admin, owner, ben, cleo, bells }
    }

    async fn says(&self, who: &Person, text: &str) -> EventId {
        let path = format!("/api/rooms/{}/messages", self.room);
        let posted = self.house.post(&path, who, json!({ "content": text })).await.is(201);
        posted["id"].as_str().unwrap().parse().unwrap()
    }

    async fn report(&self, who: &Person, message: EventId, body: Value) -> Answered {
        self.house.post(&format!("/api/messages/{message}/reports"), who, body).await
    }

    /// Cleo's report of a message of Ben's; the ids of both.
    async fn reported(&self) -> (EventId, String) {
        let message = self.says(&self.ben, "buy now").await;
        let report = self.report(&self.cleo, message, json!({ "reason": "spam" })).await.is(201);
        self.house.later(1_000);
        (message, report["id"].as_str().unwrap().to_string())
    }

    async fn decide(&self, who: &Person, id: &str, body: Value) -> String {
        self.house.call("PATCH", &format!("/api/reports/{id}"), Some(who), body).await.code()
    }

    async fn list(&self, who: &Person, query: &str) -> Vec<Value> {
        let listed = self.house.get(&format!("/api/reports{query}"), who).await.is(200);
        listed["reports"].as_array().unwrap().clone()
    }

    async fn logged(&self) -> Vec<String> {
        let log = self.house.get("/api/audit", &self.admin).await.is(200);
        let entries = log["entries"].as_array().unwrap().iter();
        let mut actions: Vec<_> =
            entries.map(|entry| entry["action"].as_str().unwrap().to_string()).collect();
        actions.sort();
        actions
    }
}

#[tokio::test]
async fn a_report_is_seen_with_who_made_it_by_those_who_decide_it_and_nobody_else() {
    let mut scene = Scene::new(Limits::default()).await;
    let (message, id) = scene.reported().await;
    for who in [&scene.admin, &scene.owner] {
        let listed = scene.list(who, "").await;
        assert_eq!(listed.len(), 1);
        let report = &listed[0];
        assert_eq!((&report["id"], &report["by"]["name"]), (&json!(id), &json!("cleo")));
        assert_eq!(report["message"]["content"], "buy now");
        assert_eq!((&report["sender"], &report["reason"]), (&json!(scene.ben.id), &json!("spam")));
        assert_eq!((&report["message_id"], &report["decision"]), (&json!(message), &Value::Null));
        let heard = scene.bells.recv().await.unwrap();
        let bell: Value = serde_json::from_slice(&heard.payload).unwrap();
        assert_eq!(bell, json!({ "type": "report", "report_id": id, "room_id": scene.room }));
    }
    for who in [&scene.ben, &scene.cleo] {
        assert_eq!(scene.house.get("/api/reports", who).await.code(), "forbidden");
        let decision = json!({ "decision": "dismiss" });
        assert_eq!(scene.decide(who, &id, decision).await, "not_found");
    }
    // An owner of another room sees nothing of it.
    let other = scene.house.room(RoomType::Private, Sealing::Open, &[&scene.ben]).await;
    assert!(scene.list(&scene.ben, "").await.is_empty(), "{other}");
}

#[tokio::test]
async fn what_one_does_not_see_or_what_is_no_message_is_not_reported() {
    let scene = Scene::new(Limits::default()).await;
    let message = scene.says(&scene.ben, "hello").await;
    let why = || json!({ "reason": "x" });
    let code = async |who, id| scene.report(who, id, why()).await.code();
    assert_eq!(code(&scene.admin, message).await, "not_found");
    assert_eq!(code(&scene.cleo, EventId::from_bytes([7; 16])).await, "not_found");
    let path = format!("/api/rooms/{}/leave", scene.room);
    scene.house.post(&path, &scene.cleo, Value::Null).await.is(204);
    assert_eq!(code(&scene.cleo, message).await, "not_found");
    let page = scene.house.app.store.newest(scene.room).await.unwrap().unwrap();
    assert_eq!(code(&scene.owner, page.id).await, "not_a_message");
    let reason = |text: String| json!({ "reason": text });
    for (body, code) in [
        (reason("é".repeat(1_001)), "too_long"),
        (reason(" ".into()), "not_possible"),
        (json!({ "reason": "x", "evidence": "AAAA" }), "bad_evidence"),
        (reason("é".repeat(1_000)), "201"),
        (why(), "already_reported"),
    ] {
        assert_eq!(scene.report(&scene.owner, message, body).await.code(), code);
    }
    let delete = json!({ "type": "delete", "target": message });
    let submission = Submission {
        room: scene.room,
        sender: Sender::Person(scene.ben.id),
        payload: delete.to_string().into(),
        packet: None,
        can_be_refused: true,
    };
    scene.house.app.submit(submission).await.unwrap();
    assert_eq!(code(&scene.owner, message).await, "message_erased");
    assert_eq!(scene.list(&scene.admin, "").await[0]["message"]["content"], "[deleted]");
}

#[tokio::test]
async fn reports_are_counted_per_person() {
    let limits = Limits { reports_per_hour: 1, ..Limits::default() };
    let scene = Scene::new(limits).await;
    scene.reported().await;
    let message = scene.says(&scene.ben, "again").await;
    let refused = scene.report(&scene.cleo, message, json!({ "reason": "x" })).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_fast"));
    scene.report(&scene.owner, message, json!({ "reason": "x" })).await.is(201);
}

#[tokio::test]
async fn from_a_sealed_room_evidence_is_an_age_file_of_bounded_size() {
    let scene = Scene::new(Limits::default()).await;
    let members = [&scene.owner, &scene.ben, &scene.cleo];
    let room = scene.house.room(RoomType::Private, Sealing::Sealed, &members).await;
    // A post is sealed under no epoch.
    let device = washer(hearth_protocol::ids::DeviceId::from_bytes([4; 16]), room, scene.owner.id);
    let id = device.id;
    scene.house.change(vec![Edit::PutDevice(device)]).await;
    let submission = Submission {
        room,
        sender: Sender::Device(id),
        payload: "age-encryption.org/v1\n-> X25519 abc\nnoise\n--- mac\n".into(),
        packet: None,
        can_be_refused: true,
    };
    let post = scene.house.app.submit(submission).await.unwrap().event.id;
    let age = |bytes: usize| {
        let mut file = b"age-encryption.org/v1\n".to_vec();
        file.resize(bytes, 0);
        json!({ "reason": "x", "evidence": hearth_protocol::bytes::b64u(&file) })
    };
    let max = 256 * 1024;
    let none = json!({ "reason": "x", "evidence": "AAAA" });
    assert_eq!(scene.report(&scene.cleo, post, none).await.code(), "bad_evidence");
    let large = scene.report(&scene.cleo, post, age(max + 1)).await;
    assert_eq!((large.status, large.code().as_str()), (413, "too_large"));
    scene.report(&scene.cleo, post, age(max)).await.is(201);
    let listed = scene.list(&scene.owner, "").await;
    assert_eq!((&listed[0]["evidence"], &listed[0]["has_evidence"]), (&Value::Null, &json!(true)));
    let path = format!("/api/reports/{}", listed[0]["id"].as_str().unwrap());
    let whole = scene.house.get(&path, &scene.owner).await.is(200);
    assert_eq!(whole["evidence"], age(max)["evidence"]);
    assert_eq!(scene.house.get(&path, &scene.cleo).await.code(), "not_found");
    assert_eq!((&listed[0]["message"], &listed[0]["sender"]), (&Value::Null, &Value::Null));
    let id = listed[0]["id"].as_str().unwrap();
    assert_eq!(scene.decide(&scene.owner, id, json!({ "decision": "ban" })).await, "not_a_person");
}

#[tokio::test]
async fn a_decision_does_what_it_says_in_one_change_and_stands() {
    for (ruling, by_admin, log) in [
        ("dismiss", true, vec!["report.decide"]),
        ("uphold", false, vec!["report.decide"]),
        ("delete", true, vec!["message.erase", "report.decide"]),
        ("kick", false, vec!["report.decide", "room.kick"]),
        ("mute", true, vec!["report.decide", "room.mute"]),
        ("ban", false, vec!["report.decide", "room.ban"]),
    ] {
        let scene = Scene::new(Limits::default()).await;
        let (message, id) = scene.reported().await;
        let by = if by_admin { &scene.admin } else { &scene.owner };
        let mut body = json!({ "decision": ruling, "note": "as agreed" });
        if ruling == "mute" {
            body["minutes"] = json!(5);
        }
        assert_eq!(scene.decide(by, &id, body.clone()).await, "204", "{ruling}");
        assert_eq!(scene.logged().await, log);
        let state = scene.house.app.membership.room(scene.room).unwrap();
        let ben = scene.ben.id;
        let now = scene.house.app.clock.now_ms();
        let sanction = state.sanctions.get(&ben);
        assert_eq!(!state.members.contains_key(&ben), ["kick", "ban"].contains(&ruling));
        assert_eq!(state.may_speak(ben, now).is_err(), ruling == "mute");
        assert_eq!(sanction.is_some_and(|known| known.ban.is_some()), ruling == "ban");
        let event = scene.house.app.store.event(message).await.unwrap().unwrap();
        assert_eq!(event.kind == EventKind::Erased, ruling == "delete");
        if ruling == "delete" {
            let line = scene.house.app.store.newest(scene.room).await.unwrap().unwrap();
            let line: Value = serde_json::from_slice(&line.body).unwrap();
            assert_eq!(line, json!({ "type": "erased", "target": message, "by": by.id }));
        }
        assert_eq!(scene.decide(by, &id, body).await, "gone");
        assert!(scene.list(by, "").await.is_empty());
        let decided = scene.list(by, "?status=decided").await;
        let verdict = if ruling == "dismiss" { "dismissed" } else { "upheld" };
        assert_eq!(decided[0]["decision"]["verdict"], verdict);
        assert_eq!(decided[0]["decision"]["note"], "as agreed");
        assert_eq!(decided[0]["decision"]["by"], json!(by.id));
    }
}

#[tokio::test]
async fn what_cannot_be_done_leaves_the_report_open() {
    let scene = Scene::new(Limits::default()).await;
    let own = scene.says(&scene.owner, "my rules").await;
    let report = scene.report(&scene.cleo, own, json!({ "reason": "rude" })).await.is(201);
    let id = report["id"].as_str().unwrap();
    // Nobody decides about themselves, nor acts on an owner.
    assert!(scene.list(&scene.owner, "").await.is_empty());
    let dismiss = json!({ "decision": "dismiss" });
    assert_eq!(scene.decide(&scene.owner, id, dismiss.clone()).await, "not_found");
    for (body, code) in [
        (json!({ "decision": "ban" }), "forbidden"),
        (json!({ "decision": "dismiss", "minutes": 5 }), "bad_term"),
        (json!({ "decision": "mute", "minutes": 0 }), "forbidden"),
        (json!({ "decision": "shoot" }), "bad_json"),
        (json!({ "decision": "dismiss", "note": "é".repeat(1_001) }), "too_long"),
    ] {
        assert_eq!(scene.decide(&scene.admin, id, body.clone()).await, code, "{body}");
    }
    assert_eq!(scene.list(&scene.admin, "").await.len(), 1);
    assert!(scene.logged().await.is_empty());
    let unknown = "01890000-0000-7000-8000-000000000001";
    assert_eq!(scene.decide(&scene.admin, unknown, dismiss.clone()).await, "not_found");
    assert_eq!(scene.decide(&scene.admin, id, dismiss).await, "204");
}

#[tokio::test]
async fn reports_come_in_pages_that_leave_out_what_is_not_ones_own_to_decide() {
    let limits = Limits { page_entries_max: 2, ..Limits::default() };
    own_reports_come_once(limits.clone()).await;
    // However little is read for a page.
    own_reports_come_once(Limits { report_rows_max: 1, report_reads_max: 1, ..limits }).await;
}

async fn own_reports_come_once(limits: Limits) {
    let scene = Scene::new(limits).await;
    let other = scene.house.person("other", HouseRole::Member).await;
    let theirs = scene.house.room(RoomType::Private, Sealing::Open, &[&other, &scene.ben]).await;
    let mut own = vec![];
    for number in 0..5 {
        scene.house.later(10_000);
        let path = format!("/api/rooms/{theirs}/messages");
        let posted = scene.house.post(&path, &other, json!({ "content": "x" })).await.is(201);
        let posted = posted["id"].as_str().unwrap().parse().unwrap();
        scene.report(&scene.ben, posted, json!({ "reason": "x" })).await.is(201);
        let message = scene.says(&scene.ben, &number.to_string()).await;
        let report = scene.report(&scene.cleo, message, json!({ "reason": "x" })).await.is(201);
        own.push(report["id"].clone());
    }
    let mut seen = vec![];
    let mut query = String::new();
    loop {
        let page = scene.house.get(&format!("/api/reports{query}"), &scene.owner).await.is(200);
        let reports = page["reports"].as_array().unwrap();
        assert!(reports.len() <= 2);
        seen.extend(reports.iter().map(|report| report["id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=2&after={next}");
    }
    assert_eq!(seen, own);
    assert_eq!(scene.house.get("/api/reports?limit=3", &scene.admin).await.code(), "bad_limit");
    for wrong in ["?status=decided&after=", "?before="] {
        let path = format!("/api/reports{wrong}{}", own[0].as_str().unwrap());
        assert_eq!(scene.house.get(&path, &scene.admin).await.code(), "bad_query");
    }
}

#[tokio::test]
async fn in_a_direct_room_the_house_erases_what_was_reported_and_does_nothing_else() {
    let scene = Scene::new(Limits::default()).await;
    let (two, direct) = ([scene.ben.id, scene.cleo.id], RoomId::from_bytes([9; 16]));
    let app = &scene.house.app;
    let room = app.new_room(direct, "Two", RoomType::Direct, scene.ben.id).unwrap();
    let room = Room { sealing: Sealing::Open, direct: Some(two), ..room };
    let put = |user| Edit::PutMember(member(&room, user, RoomRole::Owner, 1));
    scene.house.change(vec![Edit::PutRoom(room.clone()), put(two[0]), put(two[1])]).await;
    let path = format!("/api/rooms/{direct}/messages");
    let posted = scene.house.post(&path, &scene.ben, json!({ "content": "!" })).await.is(201);
    let message = posted["id"].as_str().unwrap().parse().unwrap();
    let report = scene.report(&scene.cleo, message, json!({ "reason": "x" })).await.is(201);
    let id = report["id"].as_str().unwrap();
    let mute = json!({ "decision": "mute" });
    assert_eq!(scene.decide(&scene.admin, id, mute).await, "direct_room");
    assert_eq!(scene.decide(&scene.admin, id, json!({ "decision": "delete" })).await, "204");
}

#[tokio::test]
async fn a_page_of_reports_ends_where_it_has_enough_bytes_and_the_next_one_goes_on() {
    let scene = Scene::new(Limits { page_bytes_max: 3_000, ..Limits::default() }).await;
    let mut all = vec![];
    for _ in 0..6 {
        scene.house.later(10_000);
        let message = scene.says(&scene.ben, &"x".repeat(1_000)).await;
        let made = scene.report(&scene.cleo, message, json!({ "reason": "long" })).await.is(201);
        all.push(made["id"].clone());
    }
    let (mut seen, mut after) = (vec![], String::new());
    for _ in 0..10 {
        let path = format!("/api/reports?limit=4{after}");
        let page = scene.house.get(&path, &scene.owner).await.is(200);
        let reports = page["reports"].as_array().unwrap();
        assert!((1..=2).contains(&reports.len()) || page["next"].is_null(), "{}", reports.len());
        seen.extend(reports.iter().map(|report| report["id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(seen, all);
}
