//! What who moderates a room does to somebody there, by REST, and what it stops on every door.

use hearth_broker::{Gate, Link, Publish, Qos, Version};
use hearth_protocol::ids::TokenId;
use hearth_protocol::principal::Principal;
use hearth_protocol::refusal::Refusal;
use hearth_protocol::role::{HouseRole, RoomType, Sealing};
use hearth_store::{AppToken, Member, Room};

use super::*;
use crate::accounts::member;
use crate::gate::HouseGate;
use crate::testing::{House, Person};

/// A room with its owner, an admin and a member; and somebody who is not in it.
struct Scene {
    house: House,
    room: RoomId,
    owner: Person,
    admin: Person,
    ben: Person,
    eve: Person,
    bells: Link,
}

impl Scene {
    async fn new(kind: RoomType, sealing: Sealing) -> Scene {
        let house = House::new().await;
        let owner = house.person("anna", HouseRole::Owner).await;
        let admin = house.person("adam", HouseRole::Member).await;
        let ben = house.person("ben", HouseRole::Member).await;
        let eve = house.person("eve", HouseRole::Member).await;
        let room = house.room(kind, sealing, &[&owner, &admin, &ben]).await;
        let stored = house.app.membership.room(room).unwrap().room.clone();
        let promoted = member(&stored, admin.id, RoomRole::Admin, 1);
        house.change(vec![Edit::UpdateMember(promoted)]).await;
        let bells = house.app.broker.link(&["hearth/users/+/inbox"], 100).unwrap();
        Scene { house, room, owner, admin, ben, eve, bells }
    }

    async fn open() -> Scene {
        Scene::new(RoomType::Public, Sealing::Open).await
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/rooms/{}{rest}", self.room)
    }

    async fn kick(&self, by: &Person, whom: &Person) -> String {
        let path = self.path(&format!("/members/{}?reason=too%20loud", whom.id));
        self.house.call("DELETE", &path, Some(by), Value::Null).await.code()
    }

    async fn sentence(&self, what: &str, by: &Person, whom: &Person, more: Value) -> String {
        let mut body = json!({ "user_id": whom.id });
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        self.house.post(&self.path(what), by, body).await.code()
    }

    async fn lift(&self, what: &str, by: &Person, whom: &Person) -> String {
        let path = self.path(&format!("{what}/{}", whom.id));
        self.house.call("DELETE", &path, Some(by), Value::Null).await.code()
    }

    async fn says(&self, who: &Person) -> String {
        let path = self.path("/messages");
        self.house.post(&path, who, json!({ "content": "hello" })).await.code()
    }

    /// The entry of the audit log that tells of this.
    async fn logged(&self, action: &str) -> Value {
        let log = self.house.get("/api/audit", &self.owner).await.is(200);
        let mut entries = log["entries"].as_array().unwrap().iter();
        entries.find(|entry| entry["action"] == action).unwrap().clone()
    }

    /// The next doorbell, and whose.
    async fn bell(&mut self) -> (String, Value) {
        let heard = self.bells.recv().await.unwrap();
        (heard.topic.to_string(), serde_json::from_slice(&heard.payload).unwrap())
    }

    fn is_in(&self, who: &Person) -> bool {
        self.house.app.membership.is_member(self.room, who.id)
    }
}

/// A publish over MQTT 5 by somebody's app.
async fn publish(
    house: &House,
    who: &Person,
    topic: &str,
    qos: Qos,
) -> Result<hearth_broker::Verdict, Refusal> {
    let token = TokenId::from_bytes(*who.id.as_bytes());
    let app_token = AppToken {
        id: token,
        user: who.id,
        label: String::new(),
        hash: *hearth_protocol::sealing::Hash::of(who.id.as_bytes()).as_bytes(),
        created_at: 1,
        last_used_at: 1,
        scope: None,
    };
    house.change(vec![Edit::PutToken(app_token)]).await;
    let gate = HouseGate::new(&house.app);
    let publish = Publish {
        topic: topic.to_string().into(),
        payload: "hi".into(),
        qos,
        retain: false,
        properties: Default::default(),
        version: Version::V5,
        once: None,
    };
    gate.accept(Arc::new(Principal::App { user: who.id, token }), publish).await
}

#[tokio::test]
async fn who_moderates_puts_others_out_and_nobody_an_owner() {
    let mut scene = Scene::open().await;
    for (by, whom, code) in [
        (&scene.ben, &scene.admin, "forbidden"),
        (&scene.eve, &scene.ben, "not_found"),
        (&scene.admin, &scene.owner, "forbidden"),
        (&scene.admin, &scene.admin, "not_yourself"),
        (&scene.admin, &scene.eve, "not_found"),
    ] {
        assert_eq!(scene.kick(by, whom).await, code);
    }
    assert_eq!(scene.kick(&scene.admin, &scene.ben).await, "204");
    assert!(!scene.is_in(&scene.ben));
    let logged = scene.logged("room.kick").await;
    assert_eq!(logged["by"], json!(scene.admin.id));
    assert_eq!(logged["subject"], json!({ "type": "user", "id": scene.ben.id }));
    assert_eq!(logged["detail"]["reason"], "too loud");
    let (topic, bell) = scene.bell().await;
    assert_eq!(topic, format!("hearth/users/{}/inbox", scene.ben.id));
    let expected = json!({ "type": "removed", "room_id": scene.room, "reason": "too loud",
                           "until": null });
    assert_eq!(bell, expected);
    let shown = scene.house.get(&scene.path("/messages"), &scene.owner).await.is(200);
    let line = json!({ "type": "left", "user": scene.ben.id, "by": scene.admin.id });
    assert_eq!(shown["messages"][0]["type"], line["type"]);
    assert_eq!(shown["messages"][0]["by"], line["by"]);
    // A kick is no ban.
    let joined = scene.house.post(&scene.path("/join"), &scene.ben, Value::Null).await;
    assert_eq!(joined.status, 200);
    let long = "x".repeat(501);
    let path = scene.path(&format!("/members/{}?reason={long}", scene.ben.id));
    let answered = scene.house.call("DELETE", &path, Some(&scene.owner), Value::Null).await;
    assert_eq!(answered.code(), "too_long");
}

#[tokio::test]
async fn a_sealed_room_that_lost_somebody_needs_a_new_epoch() {
    for what in ["kick", "ban"] {
        let scene = Scene::new(RoomType::Private, Sealing::Sealed).await;
        let code = match what {
            "kick" => scene.kick(&scene.admin, &scene.ben).await,
            _ => scene.sentence("/bans", &scene.admin, &scene.ben, json!({})).await,
        };
        assert_eq!(code, "204");
        let state = scene.house.app.membership.room(scene.room).unwrap();
        assert!(state.room.rotation_due, "{what}");
    }
}

#[tokio::test]
async fn who_is_muted_reads_and_does_not_write_on_any_door_until_it_is_over() {
    let mut scene = Scene::open().await;
    for (by, whom, code) in [
        (&scene.ben, &scene.admin, "forbidden"),
        (&scene.eve, &scene.ben, "not_found"),
        (&scene.admin, &scene.owner, "forbidden"),
        (&scene.admin, &scene.admin, "not_yourself"),
    ] {
        assert_eq!(scene.sentence("/mutes", by, whom, json!({})).await, code);
    }
    let term = json!({ "minutes": 10, "reason": "caps lock" });
    assert_eq!(scene.sentence("/mutes", &scene.admin, &scene.ben, term).await, "204");
    scene.logged("room.mute").await;
    let until = crate::testing::BEGINS_MS + 600_000;
    assert_eq!(scene.bell().await.1["until"], until);
    let path = scene.path("/messages");
    let refused = scene.house.post(&path, &scene.ben, json!({ "content": "x" })).await;
    let says = "you are muted in this room until 2027-01-15 08:10 UTC: caps lock";
    assert_eq!((refused.status, refused.body["message"].as_str()), (403, Some(says)));
    let (room, ben) = (scene.room, scene.ben.id);
    for (topic, qos) in [
        (format!("hearth/rooms/{room}/in"), Qos::AtLeastOnce),
        (format!("hearth/rooms/{room}/live/{ben}"), Qos::AtMostOnce),
    ] {
        let refused = publish(&scene.house, &scene.ben, &topic, qos).await.unwrap_err();
        assert_eq!((refused.code, refused.message.as_str()), ("muted", says), "{topic}");
    }
    assert_eq!(scene.house.get(&scene.path("/messages"), &scene.ben).await.status, 200);
    let listed = scene.house.get(&scene.path("/mutes"), &scene.owner).await.is(200);
    assert_eq!(listed["mutes"][0]["user"]["name"], "ben");
    assert_eq!(listed["mutes"][0]["until"], until);
    assert_eq!(scene.house.get(&scene.path("/mutes"), &scene.ben).await.code(), "forbidden");
    // Leaving and coming back ends none.
    scene.house.post(&scene.path("/leave"), &scene.ben, Value::Null).await.is(204);
    scene.house.post(&scene.path("/join"), &scene.ben, Value::Null).await.is(200);
    scene.house.later(599_999);
    assert_eq!(scene.says(&scene.ben).await, "muted");
    scene.house.later(1);
    assert_eq!(scene.says(&scene.ben).await, "201");
    let listed = scene.house.get(&scene.path("/mutes"), &scene.owner).await.is(200);
    assert_eq!(listed, json!({ "mutes": [] }));
}

#[tokio::test]
async fn a_mute_is_lifted_by_who_moderates() {
    let scene = Scene::open().await;
    assert_eq!(scene.lift("/mutes", &scene.admin, &scene.ben).await, "not_found");
    assert_eq!(scene.sentence("/mutes", &scene.owner, &scene.admin, json!({})).await, "204");
    assert_eq!(scene.sentence("/mutes", &scene.owner, &scene.ben, json!({})).await, "204");
    assert_eq!(scene.lift("/mutes", &scene.admin, &scene.admin).await, "not_yourself");
    assert_eq!(scene.lift("/mutes", &scene.ben, &scene.ben).await, "forbidden");
    assert_eq!(scene.lift("/mutes", &scene.eve, &scene.ben).await, "not_found");
    assert_eq!(scene.lift("/mutes", &scene.admin, &scene.ben).await, "204");
    scene.logged("room.unmute").await;
    assert_eq!(scene.says(&scene.ben).await, "201");
    assert_eq!(scene.says(&scene.admin).await, "muted");
}

#[tokio::test]
async fn a_term_and_a_reason_are_bounded() {
    let scene = Scene::open().await;
    let now = crate::testing::BEGINS_MS;
    let most = 527_040_u64;
    for (more, code) in [
        (json!({ "minutes": most }), "204"),
        (json!({ "minutes": most + 1 }), "bad_term"),
        (json!({ "minutes": u64::MAX }), "bad_term"),
        (json!({ "minutes": 0 }), "bad_term"),
        (json!({ "until": now + most * 60_000 }), "204"),
        (json!({ "until": now + most * 60_000 + 1 }), "bad_term"),
        (json!({ "until": now }), "bad_term"),
        (json!({ "until": now + 60_000, "minutes": 1 }), "bad_term"),
        (json!({ "reason": "é".repeat(500) }), "204"),
        (json!({ "reason": "é".repeat(501) }), "too_long"),
    ] {
        for what in ["/mutes", "/bans"] {
            let found = scene.sentence(what, &scene.owner, &scene.eve, more.clone()).await;
            assert_eq!(found, code, "{what} {more}");
        }
    }
    let nobody = json!({ "user_id": UserId::from_bytes([9; 16]) });
    for what in ["/mutes", "/bans"] {
        let answered = scene.house.post(&scene.path(what), &scene.owner, nobody.clone()).await;
        assert_eq!(answered.code(), "not_found");
    }
}

#[tokio::test]
async fn who_is_banned_is_out_and_does_not_come_back_by_any_way() {
    let mut scene = Scene::open().await;
    for (by, whom, code) in [
        (&scene.ben, &scene.admin, "forbidden"),
        (&scene.eve, &scene.ben, "not_found"),
        (&scene.admin, &scene.owner, "forbidden"),
        (&scene.admin, &scene.admin, "not_yourself"),
    ] {
        assert_eq!(scene.sentence("/bans", by, whom, json!({})).await, code);
    }
    let why = json!({ "reason": "spam", "minutes": 60 });
    assert_eq!(scene.sentence("/bans", &scene.admin, &scene.ben, why).await, "204");
    assert_eq!(scene.bell().await.1["type"], "banned");
    scene.logged("room.ban").await;
    // Somebody who was never in it.
    assert_eq!(scene.sentence("/bans", &scene.admin, &scene.eve, json!({})).await, "204");
    for who in [&scene.ben, &scene.eve] {
        assert!(!scene.is_in(who));
        let joined = scene.house.post(&scene.path("/join"), who, Value::Null).await;
        assert_eq!((joined.status, joined.code().as_str()), (403, "banned"));
        let stored = scene.house.app.membership.room(scene.room).unwrap().room.clone();
        let mut added = scene.house.app.measures().change;
        scene.house.app.enter(&mut added, &stored, who.id);
        let refused = scene.house.app.store.change(added).await.unwrap_err();
        assert_eq!(ApiError::from(refused).0.code, "banned");
    }
    let listed = scene.house.get(&scene.path("/bans"), &scene.admin).await.is(200);
    assert_eq!(listed["bans"].as_array().unwrap().len(), 2);
    assert_eq!(scene.house.get(&scene.path("/bans"), &scene.eve).await.code(), "not_found");
    assert_eq!(scene.lift("/bans", &scene.admin, &scene.eve).await, "204");
    assert_eq!(scene.lift("/bans", &scene.admin, &scene.eve).await, "not_found");
    scene.logged("room.unban").await;
    scene.house.post(&scene.path("/join"), &scene.eve, Value::Null).await.is(200);
    scene.house.later(3_600_000);
    scene.house.post(&scene.path("/join"), &scene.ben, Value::Null).await.is(200);
}

#[tokio::test]
async fn an_invite_does_not_let_in_who_is_banned() {
    let scene = Scene::new(RoomType::Private, Sealing::Open).await;
    assert_eq!(scene.sentence("/bans", &scene.owner, &scene.eve, json!({})).await, "204");
    let auth = [7; 32];
    let hash = hearth_protocol::sealing::kdf::sha256(&auth);
    let invite = json!({
        "code": "ABCDEFGHJK", "auth_hash": hearth_protocol::bytes::b64u(&hash), "blob": "AAAA",
        "expires_at": crate::testing::BEGINS_MS + 60_000, "uses": 2, "bundles": [],
    });
    scene.house.post(&scene.path("/invites"), &scene.owner, invite).await.is(201);
    let taken = json!({ "auth": hearth_protocol::bytes::b64u(&auth), "joins": [] });
    let path = "/api/invites/ABCDEFGHJK/accept";
    assert_eq!(scene.house.post(path, &scene.eve, taken.clone()).await.code(), "banned");
    assert_eq!(scene.lift("/bans", &scene.owner, &scene.eve).await, "204");
    scene.house.post(path, &scene.eve, taken).await.is(200);
}

#[tokio::test]
async fn everyones_room_and_rooms_of_two_are_not_moderated_away() {
    let scene = Scene::open().await;
    let house = &scene.house;
    let general = RoomId::from_bytes([8; 16]);
    let room = house.app.new_room(general, "All", RoomType::Public, scene.owner.id).unwrap();
    let room = Room { general: true, sealing: Sealing::Open, ..room };
    let put = |user, role| Edit::PutMember(Member { role, ..member(&room, user, role, 1) });
    house
        .change(vec![
            Edit::PutRoom(room.clone()),
            put(scene.owner.id, RoomRole::Owner),
            put(scene.ben.id, RoomRole::Member),
        ])
        .await;
    let (app, by, ben) = (&house.app, scene.owner.id, scene.ben.id);
    let kicked = app.kick(general, by, ben, "").await.unwrap_err();
    let banned = app.ban(general, by, ben, "", Term::default()).await.unwrap_err();
    assert_eq!([kicked.0.code, banned.0.code], ["general_is_everyones"; 2]);
    app.mute(general, by, ben, "", Term::default()).await.unwrap();
    let direct = RoomId::from_bytes([9; 16]);
    let room = app.new_room(direct, "Two", RoomType::Direct, by).unwrap();
    let room = Room { direct: Some([by, ben]), ..room };
    let put = |user| Edit::PutMember(member(&room, user, RoomRole::Owner, 1));
    house.change(vec![Edit::PutRoom(room.clone()), put(by), put(ben)]).await;
    let muted = app.mute(direct, by, ben, "", Term::default()).await.unwrap_err();
    assert_eq!(muted.0.code, "forbidden");
    let state = app.membership.room(direct).unwrap();
    let case = Case { state: &state, by, whom: ben, reason: "" };
    let refused = app.add_kick(&mut app.measures(), case).unwrap_err();
    assert_eq!(refused.0.code, "direct_room");
}

#[tokio::test]
async fn nobodys_words_reach_a_stranger_by_a_ban_and_there_are_only_so_many() {
    let mut scene = Scene::open().await;
    let words = json!({ "reason": "read this" });
    for what in ["/bans", "/mutes"] {
        assert_eq!(scene.sentence(what, &scene.owner, &scene.eve, words.clone()).await, "204");
        assert_eq!(scene.lift(what, &scene.owner, &scene.eve).await, "204");
    }
    for _ in 4..20 {
        assert_eq!(scene.sentence("/mutes", &scene.owner, &scene.ben, json!({})).await, "204");
    }
    let (topic, bell) = scene.bell().await;
    assert_eq!((topic, &bell["type"]), (Topic::Inbox(scene.ben.id).to_string(), &json!("muted")));
    let logged = scene.house.app.store.audit(None, 100).await.unwrap().len();
    for what in ["/bans", "/mutes"] {
        let refused = scene.sentence(what, &scene.owner, &scene.ben, json!({})).await;
        assert_eq!(refused, "too_fast", "{what}");
    }
    assert_eq!(scene.kick(&scene.owner, &scene.ben).await, "too_fast");
    assert_eq!(scene.lift("/mutes", &scene.owner, &scene.ben).await, "too_fast");
    assert_eq!(scene.house.app.store.audit(None, 100).await.unwrap().len(), logged);
}

#[tokio::test]
async fn a_guest_who_moderates_knows_of_nobody_they_do_not_meet() {
    let scene = Scene::open().await;
    let gus = scene.house.person("gus", HouseRole::Guest).await;
    let room = scene.house.app.membership.room(scene.room).unwrap().room.clone();
    let admin = Edit::PutMember(member(&room, gus.id, RoomRole::Admin, 1));
    let eve = scene.house.app.person(scene.eve.id).await.unwrap();
    let told = hearth_store::User { status_text: "in Rome".into(), ..eve };
    scene.house.change(vec![admin, Edit::UpdateUser(told)]).await;
    assert_eq!(scene.sentence("/bans", &gus, &scene.eve, json!({})).await, "not_found");
    assert_eq!(scene.sentence("/mutes", &gus, &scene.eve, json!({})).await, "not_found");
    assert_eq!(scene.sentence("/mutes", &gus, &scene.ben, json!({})).await, "204");
    assert_eq!(scene.sentence("/bans", &scene.owner, &scene.eve, json!({})).await, "204");
    for (who, status) in [(&gus, ""), (&scene.owner, "in Rome")] {
        let list = scene.house.get(&scene.path("/bans"), who).await.is(200);
        assert_eq!(list["bans"][0]["user"]["status_text"], status);
    }
    // Of whom the room has had to do with they may be rid again.
    assert_eq!(scene.lift("/bans", &gus, &scene.eve).await, "204");
    assert_eq!(scene.sentence("/bans", &gus, &scene.eve, json!({})).await, "204");
}
