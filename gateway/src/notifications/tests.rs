//! Who is alerted to what, once, and what they see of it.

use hearth_protocol::ids::{DeviceId, EventId};
use hearth_protocol::limits::Limits;
use hearth_protocol::role::{HouseRole, RoomRole, RoomType, Sealing};
use hearth_protocol::sealing::bundle::Bundle as SealedBundle;
use hearth_protocol::sealing::epoch::{EpochKeys, Header, Rules};
use hearth_protocol::sealing::event::{Kind, WireHeader};
use hearth_protocol::sealing::identity::Identity;
use hearth_protocol::sealing::{Hash, Secret};
use hearth_store::{Bundle, Edit, Notify, Room};
use serde_json::{Value, json};

use super::*;
use crate::accounts::member;
use crate::clock::random;
use crate::ingest::Submission;
use crate::testing::{BEGINS_MS, House, Person, washer};

/// A room with three people, and somebody who is not in it.
pub(super) struct Scene {
    pub house: House,
    pub room: RoomId,
    pub anna: Person,
    pub ben: Person,
    pub cleo: Person,
    pub eve: Person,
}

impl Scene {
    pub async fn new() -> Scene {
        let limits = Limits { messages_per_10_s: 0, ..Limits::default() };
        let house = House::with(limits).await;
        let anna = house.person("anna", HouseRole::Owner).await;
        let ben = house.person("ben", HouseRole::Member).await;
        let cleo = house.person("Cleo", HouseRole::Member).await;
        let eve = house.person("eve", HouseRole::Member).await;
        let room = house.room(RoomType::Public, Sealing::Open, &[&anna, &ben, &cleo]).await;
        Scene { house, room, anna, ben, cleo, eve }
    }

    /// A direct room of anna and ben.
    async fn direct(&self, sealing: Sealing) -> RoomId {
        let (app, two) = (&self.house.app, [self.anna.id, self.ben.id]);
        let id = RoomId::new(BEGINS_MS, random());
        let room = app.new_room(id, "Two", RoomType::Direct, two[0]).unwrap();
        let room = Room { sealing, direct: Some(two), ..room };
        let put = |user| Edit::PutMember(member(&room, user, RoomRole::Owner, BEGINS_MS));
        self.house.change(vec![Edit::PutRoom(room.clone()), put(two[0]), put(two[1])]).await;
        id
    }

    pub async fn post(&self, room: RoomId, who: &Person, message: Value) -> EventId {
        self.house.later(1);
        let path = format!("/api/rooms/{room}/messages");
        let posted = self.house.post(&path, who, message).await.is(201);
        self.house.app.alert().await.unwrap();
        posted["id"].as_str().unwrap().parse().unwrap()
    }

    pub async fn says(&self, who: &Person, text: &str) -> EventId {
        self.post(self.room, who, json!({ "content": text })).await
    }

    pub async fn list(&self, who: &Person, query: &str) -> Value {
        let path = format!("/api/notifications{query}");
        self.house.get(&path, who).await.is(200)
    }

    /// Of which kinds somebody has notifications, the newest first.
    async fn kinds(&self, who: &Person) -> Vec<String> {
        let list = self.list(who, "").await;
        let all = list["notifications"].as_array().unwrap().iter();
        all.map(|each| each["type"].as_str().unwrap().to_string()).collect()
    }

    pub async fn has(&self, who: &Person, kinds: &[&str]) {
        assert_eq!(self.kinds(who).await, kinds);
    }

    async fn prefers(&self, who: &Person, room: RoomId, notify: Notify) {
        self.house.change(vec![Edit::SetNotify { room, user: who.id, notify }]).await;
    }
}

#[tokio::test]
async fn who_is_named_is_alerted_and_nobody_else() {
    let scene = Scene::new().await;
    let ids = json!({ "content": "look @Cleo", "mentions": [scene.ben.id, scene.ben.id] });
    let id = scene.post(scene.room, &scene.anna, ids).await;
    let list = scene.list(&scene.ben, "").await;
    assert_eq!(list["unread"], 1);
    let position = scene.house.app.store.event(id).await.unwrap().unwrap().position;
    let expected = json!({
        "id": list["notifications"][0]["id"], "type": "mention", "room_id": scene.room,
        "message_id": id, "position": position, "by": scene.anna.id, "content": "look @Cleo",
        "created_at": BEGINS_MS + 1, "read": false,
    });
    assert_eq!(list["notifications"], json!([expected]));
    scene.has(&scene.cleo, &[]).await;
    scene.says(&scene.anna, "and now @CLEO and @anna, @eve and @nobody").await;
    scene.has(&scene.cleo, &["mention"]).await;
    scene.says(&scene.ben, "dinner, @room").await;
    scene.has(&scene.anna, &["mention"]).await;
    scene.has(&scene.ben, &["mention"]).await;
    scene.has(&scene.cleo, &["mention", "mention"]).await;
    // Not of the room, not of one's own.
    scene.has(&scene.eve, &[]).await;
    let to_eve = json!({ "content": "hi", "mentions": [scene.eve.id, scene.anna.id] });
    scene.post(scene.room, &scene.anna, to_eve).await;
    scene.has(&scene.eve, &[]).await;
    scene.has(&scene.anna, &["mention"]).await;
}

#[tokio::test]
async fn a_message_names_a_hundred_people_and_no_more() {
    let scene = Scene::new().await;
    let naming = |people: usize| json!({ "content": "x", "mentions": vec![scene.ben.id; people] });
    scene.post(scene.room, &scene.anna, naming(100)).await;
    scene.has(&scene.ben, &["mention"]).await;
    let path = format!("/api/rooms/{}/messages", scene.room);
    let refused = scene.house.post(&path, &scene.anna, naming(101)).await;
    assert_eq!((refused.status, refused.code().as_str()), (400, "bad_event"));
}

#[tokio::test]
async fn an_answer_alerts_whose_message_it_answers_once() {
    let scene = Scene::new().await;
    let question = scene.says(&scene.ben, "who cooks?").await;
    let answer = json!({ "content": "me", "parent_id": question });
    scene.post(scene.room, &scene.anna, answer).await;
    scene.has(&scene.ben, &["reply"]).await;
    // Named and answered: once, as named.
    let both = json!({ "content": "@ben you", "parent_id": question });
    scene.post(scene.room, &scene.cleo, both).await;
    scene.has(&scene.ben, &["mention", "reply"]).await;
    // An own message, one that is not there, and one of another room.
    let own = json!({ "content": "so?", "parent_id": question });
    scene.post(scene.room, &scene.ben, own).await;
    let unknown = json!({ "content": "?", "parent_id": EventId::from_bytes([7; 16]) });
    scene.post(scene.room, &scene.anna, unknown).await;
    let other = scene.house.room(RoomType::Public, Sealing::Open, &[&scene.anna, &scene.ben]).await;
    scene.post(other, &scene.anna, json!({ "content": "?", "parent_id": question })).await;
    scene.has(&scene.ben, &["mention", "reply"]).await;
}

#[tokio::test]
async fn a_direct_message_alerts_the_other_one() {
    let scene = Scene::new().await;
    for (sealing, content) in [(Sealing::Open, json!("hello")), (Sealing::Sealed, Value::Null)] {
        let scene = Scene::new().await;
        let direct = scene.direct(sealing).await;
        if sealing == Sealing::Open {
            scene.post(direct, &scene.anna, json!({ "content": "hello" })).await;
        } else {
            scene.sealed(direct, Kind::Content, false).await.unwrap();
        }
        let list = scene.list(&scene.ben, "").await;
        assert_eq!(list["notifications"][0]["type"], "direct_message", "{list}");
        assert_eq!(list["notifications"][0]["content"], content);
        scene.has(&scene.anna, &[]).await;
    }
    scene.has(&scene.ben, &[]).await;
}

impl Scene {
    /// Anna's wire in a sealed room under its first epoch, which lists her.
    async fn sealed(&self, room: RoomId, kind: Kind, hints: bool) -> Result<EventId, ApiError> {
        let state = self.house.app.membership.room(room).unwrap();
        if state.room.epoch == 0 {
            let identity = Identity::from_root(Secret::from_bytes([1; 32])).unwrap();
            let secret = Secret::from_bytes([2; 32]);
            let header = Header {
                room,
                epoch: 1,
                kid: EpochKeys::new(room, secret.clone()).kid,
                prev: Hash::ZERO,
                rules: Rules { hints, ..Rules::new(state.room.kind) },
                members: vec![(self.anna.id, identity.fingerprint(self.anna.id))],
                joins: vec![],
                doors: vec![],
                invites: vec![],
                back: None,
                by: self.anna.id,
                at: BEGINS_MS,
                reason: "created".to_string(),
            };
            let to = [identity.age.recipient()];
            let made = SealedBundle::make(header, &secret, &to, &identity.sign).unwrap();
            let (bytes, header_hash) = (made.encode(), *made.header_hash().as_bytes());
            let (epoch, by, at) = (1, self.anna.id, BEGINS_MS);
            let bundle = Bundle { room, epoch, bytes, header_hash, by, at };
            self.house.change(vec![Edit::PutBundle(bundle)]).await;
        }
        let (id, sender) = (EventId::new(BEGINS_MS, random()), self.anna.id);
        let header = WireHeader { epoch: 1, id, sender, writer: 1, kind, seq: 1 };
        let payload = [header.encode().unwrap(), vec![0; 200]].concat().into();
        let sender = hearth_protocol::event::Sender::Person(sender);
        let submission = Submission { room, sender, payload, packet: None, can_be_refused: true };
        let stored = self.house.app.submit(submission).await?;
        self.house.app.alert().await.unwrap();
        Ok(stored.event.id)
    }
}

#[tokio::test]
async fn in_a_sealed_room_only_hints_alert_and_only_where_its_rules_take_them() {
    let scene = Scene::new().await;
    let people = [&scene.anna, &scene.ben, &scene.cleo];
    let room = scene.house.room(RoomType::Private, Sealing::Sealed, &people).await;
    let hint = || Kind::Hinted(vec![scene.ben.id, scene.eve.id, scene.anna.id]);
    scene.sealed(room, Kind::Content, true).await.unwrap();
    let id = scene.sealed(room, hint(), true).await.unwrap();
    let list = scene.list(&scene.ben, "").await;
    let notification = &list["notifications"][0];
    assert_eq!(notification["type"], "mention");
    assert_eq!((&notification["message_id"], &notification["content"]), (&json!(id), &Value::Null));
    for who in [&scene.anna, &scene.cleo, &scene.eve] {
        scene.has(who, &[]).await;
    }
    let other = scene.house.room(RoomType::Private, Sealing::Sealed, &people).await;
    let refused = scene.sealed(other, hint(), false).await.unwrap_err();
    assert_eq!(refused.0.code, "hints_off");
}

#[tokio::test]
async fn what_a_person_wants_to_hear_of_a_room_is_heeded() {
    let scene = Scene::new().await;
    let direct = scene.direct(Sealing::Open).await;
    let question = scene.says(&scene.ben, "who?").await;
    let all = ["direct_message", "reply", "mention"];
    for (notify, new) in
        [(Notify::All, &all[..]), (Notify::Mentions, &all[1..]), (Notify::Muted, &[])]
    {
        let before = scene.kinds(&scene.ben).await.len();
        scene.prefers(&scene.ben, scene.room, notify).await;
        scene.prefers(&scene.ben, direct, notify).await;
        for (room, message) in [
            (scene.room, json!({ "content": "@ben" })),
            (scene.room, json!({ "content": "me", "parent_id": question })),
            (scene.room, json!({ "content": "nothing" })),
            (direct, json!({ "content": "psst" })),
        ] {
            scene.post(room, &scene.anna, message).await;
        }
        let kinds = scene.kinds(&scene.ben).await;
        assert_eq!(kinds[..kinds.len() - before], *new, "{notify:?}");
    }
}

#[tokio::test]
async fn who_blocks_or_is_blocked_is_not_alerted_by_the_other() {
    let scene = Scene::new().await;
    scene.house.app.block(scene.anna.id, scene.ben.id).await.unwrap();
    scene.says(&scene.anna, "@ben @cleo").await;
    scene.says(&scene.ben, "@anna").await;
    scene.has(&scene.ben, &[]).await;
    scene.has(&scene.anna, &[]).await;
    scene.has(&scene.cleo, &["mention"]).await;
}

#[tokio::test]
async fn a_device_alerts_whom_its_post_names() {
    let scene = Scene::new().await;
    let id = DeviceId::from_bytes([4; 16]);
    let washer = washer(id, scene.room, scene.anna.id);
    scene.house.change(vec![Edit::PutDevice(washer)]).await;
    let submission = Submission {
        room: scene.room,
        sender: hearth_protocol::event::Sender::Device(id),
        payload: "done, @ben".into(),
        packet: None,
        can_be_refused: true,
    };
    scene.house.app.submit(submission).await.unwrap();
    scene.house.app.alert().await.unwrap();
    let list = scene.list(&scene.ben, "").await;
    assert_eq!(list["notifications"][0]["type"], "mention");
    assert_eq!(list["notifications"][0]["by"], Value::Null);
}

#[tokio::test]
async fn who_is_added_to_a_room_hears_of_it_and_who_comes_in_does_not() {
    let scene = Scene::new().await;
    let room = scene.house.app.membership.room(scene.room).unwrap().room.clone();
    scene
        .house
        .post(&format!("/api/rooms/{}/join", room.id), &scene.eve, Value::Null)
        .await
        .is(200);
    scene.house.app.alert().await.unwrap();
    scene.has(&scene.eve, &[]).await;
    let dora = scene.house.person("dora", HouseRole::Member).await;
    let mut change = scene.house.app.measures().change;
    change.edits.push(Edit::PutMember(member(&room, dora.id, RoomRole::Member, BEGINS_MS)));
    let line = hearth_protocol::event::Line::Joined { user: dora.id, by: Some(scene.anna.id) };
    change.line(room.id, line, EventId::new(BEGINS_MS, random()));
    scene.house.app.store.change(change).await.unwrap();
    scene.house.app.alert().await.unwrap();
    let list = scene.list(&dora, "").await;
    let notification = &list["notifications"][0];
    assert_eq!(
        (&notification["type"], &notification["content"]),
        (&json!("room_invite"), &json!("Kitchen"))
    );
    assert_eq!(
        (&notification["by"], &notification["message_id"]),
        (&json!(scene.anna.id), &Value::Null)
    );
}

#[tokio::test]
async fn the_doorbell_rings_once_with_what_the_list_has_and_a_start_makes_nothing_twice() {
    let scene = Scene::new().await;
    let app = &scene.house.app;
    let filter = format!("hearth/users/{}/inbox", scene.ben.id);
    let mut bells = app.broker.link(&[&filter], 100).unwrap();
    scene.says(&scene.anna, "@ben").await;
    let heard: Value = serde_json::from_slice(&bells.recv().await.unwrap().payload).unwrap();
    let list = scene.list(&scene.ben, "").await;
    let expected = json!({ "type": "notification", "notification": list["notifications"][0] });
    assert_eq!(heard, expected);
    // As after a crash: what came last is looked at again.
    let path = format!("/api/rooms/{}/messages", scene.room);
    scene.house.post(&path, &scene.anna, json!({ "content": "lost? @ben" })).await.is(201);
    scene.house.app.unnoticed.from().clear();
    app.alert().await.unwrap();
    assert_eq!(scene.list(&scene.ben, "").await["unread"], 1);
    app.look_back().await.unwrap();
    app.alert().await.unwrap();
    let heard: Value = serde_json::from_slice(&bells.recv().await.unwrap().payload).unwrap();
    assert_eq!(heard["notification"]["content"], "lost? @ben");
    app.look_back().await.unwrap();
    app.alert().await.unwrap();
    assert_eq!(scene.list(&scene.ben, "").await["unread"], 2);
    app.read_notifications(scene.ben.id, None).await.unwrap();
    let heard: Value = serde_json::from_slice(&bells.recv().await.unwrap().payload).unwrap();
    assert_eq!(heard, json!({ "type": "notifications_read", "id": null, "unread": 0 }));
    assert!(scene.house.app.unnoticed.from().is_empty(), "one entry per room, and none is left");
}

#[tokio::test]
async fn the_worker_alerts_by_itself_and_ends() {
    let scene = Scene::new().await;
    let app = scene.house.app.clone();
    let filter = format!("hearth/users/{}/inbox", scene.ben.id);
    let mut bells = app.broker.link(&[&filter], 100).unwrap();
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(run(app, stopped));
    let path = format!("/api/rooms/{}/messages", scene.room);
    scene.house.post(&path, &scene.anna, json!({ "content": "@ben" })).await.is(201);
    bells.recv().await.unwrap();
    stop.send(true).unwrap();
    task.await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_stored_stays_marked_and_keeps_no_other_room_waiting() {
    let scene = Scene::new().await;
    let app = &scene.house.app;
    let gone = RoomId::from_bytes([1; 16]);
    app.unnoticed.mark_from(gone, Position(1));
    scene.says(&scene.anna, "@ben").await;
    scene.has(&scene.ben, &["mention"]).await;
    assert!(app.unnoticed.from().is_empty(), "a room that is gone is forgotten");
    let path = format!("/api/rooms/{}/messages", scene.room);
    scene.house.post(&path, &scene.anna, json!({ "content": "@ben" })).await.is(201);
    let from = app.unnoticed.from().clone();
    app.store.close().await;
    assert!(app.alert().await.is_err());
    assert_eq!(*app.unnoticed.from(), from);
}
