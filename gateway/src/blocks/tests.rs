//! Two of whom one blocks the other: apart on every door, each told no more than they must be.

use std::sync::Arc;

use hearth_broker::{Gate, Publish, Qos, Version};
use hearth_protocol::ids::{RoomId, TokenId};
use hearth_protocol::limits::Limits;
use hearth_protocol::principal::Principal;
use hearth_protocol::role::{HouseRole, RoomRole, RoomType, Sealing};
use hearth_store::{AppToken, Memory, Room};
use serde_json::{Value, json};

use super::*;
use crate::accounts::member;
use crate::gate::HouseGate;
use crate::testing::{House, Person};

struct Scene {
    house: House,
    gate: HouseGate,
    anna: Person,
    ben: Person,
    direct: RoomId,
}

impl Scene {
    /// Two people with a direct room.
    async fn new() -> Scene {
        let house = House::with(Limits { blocks_per_user_max: 1, ..Limits::default() }).await;
        let anna = house.person("anna", HouseRole::Member).await;
        let ben = house.person("ben", HouseRole::Member).await;
        let (two, direct) = ([anna.id, ben.id], RoomId::from_bytes([9; 16]));
        let room = house.app.new_room(direct, "Two", RoomType::Direct, anna.id).unwrap();
        let room = Room { sealing: Sealing::Open, direct: Some(two), ..room };
        let put = |user| Edit::PutMember(member(&room, user, RoomRole::Owner, 1));
        house.change(vec![Edit::PutRoom(room.clone()), put(two[0]), put(two[1])]).await;
        let gate = HouseGate::new(&house.app);
        Scene { house, gate, anna, ben, direct }
    }

    async fn call(&self, method: &str, who: &Person, other: &str) -> crate::testing::Answered {
        self.house.call(method, &format!("/api/blocks/{other}"), Some(who), Value::Null).await
    }

    async fn says(&self, who: &Person) -> String {
        let path = format!("/api/rooms/{}/messages", self.direct);
        self.house.post(&path, who, json!({ "content": "hello" })).await.code()
    }

    async fn app_of(&self, who: &Person) -> Arc<Principal> {
        let token = TokenId::from_bytes(*who.id.as_bytes());
        let hash = *hearth_protocol::sealing::Hash::of(who.id.as_bytes()).as_bytes();
        let (label, at) = (String::new(), 1);
        let app = AppToken {
            id: token,
            user: who.id,
            label,
            hash,
            created_at: at,
            last_used_at: at,
            scope: None,
        };
        self.house.change(vec![Edit::PutToken(app)]).await;
        Arc::new(Principal::App { user: who.id, token })
    }
}

#[tokio::test]
async fn who_is_blocked_and_who_blocks_do_not_write_to_each_other() {
    let scene = Scene::new().await;
    let (anna, ben) = (scene.anna.id.to_string(), scene.ben.id.to_string());
    assert_eq!(scene.says(&scene.ben).await, "201");
    assert_eq!(scene.call("GET", &scene.anna, &ben).await.code(), "not_found");
    scene.call("PUT", &scene.anna, &ben).await.is(204);
    scene.call("PUT", &scene.anna, &ben).await.is(204);
    assert_eq!(scene.says(&scene.anna).await, "blocked");
    assert_eq!(scene.says(&scene.ben).await, "unreachable");
    // Nothing that the one who is blocked can ask says so.
    assert_eq!(scene.call("GET", &scene.ben, &anna).await.code(), "not_found");
    let of_ben = scene.house.get("/api/blocks", &scene.ben).await.is(200);
    assert_eq!(of_ben, json!({ "blocks": [] }));
    scene.call("DELETE", &scene.ben, &anna).await.is(204);
    assert_eq!(scene.says(&scene.ben).await, "unreachable");
    let listed = scene.house.get("/api/blocks", &scene.anna).await.is(200);
    assert_eq!(listed["blocks"][0]["user"]["name"], "ben");
    assert_eq!(scene.call("GET", &scene.anna, &ben).await.is(200), listed["blocks"][0]);
    scene.call("DELETE", &scene.anna, &ben).await.is(204);
    assert_eq!(scene.says(&scene.ben).await, "201");
    assert_eq!(scene.says(&scene.anna).await, "201");
}

#[tokio::test]
async fn a_block_is_of_somebody_else_who_is_there_and_there_are_not_too_many() {
    let scene = Scene::new().await;
    let anna = scene.anna.id.to_string();
    assert_eq!(scene.call("PUT", &scene.anna, &anna).await.code(), "not_possible");
    let nobody = UserId::from_bytes([7; 16]).to_string();
    assert_eq!(scene.call("PUT", &scene.anna, &nobody).await.code(), "not_found");
    scene.call("PUT", &scene.anna, &scene.ben.id.to_string()).await.is(204);
    let eve = scene.house.person("eve", HouseRole::Member).await;
    let answered = scene.call("PUT", &scene.anna, &eve.id.to_string()).await;
    assert_eq!(answered.code(), "limit_reached");
    let none = scene.house.call("GET", "/api/blocks", None, Value::Null).await;
    assert_eq!(none.status, 401);
}

#[tokio::test]
async fn who_is_apart_sees_no_presence_and_no_typing_of_the_other() {
    let scene = Scene::new().await;
    let people = [scene.app_of(&scene.anna).await, scene.app_of(&scene.ben).await];
    let seen = || {
        let [anna, ben] = &people;
        let topic = |who: &Person| format!("hearth/users/{}/presence", who.id);
        [
            scene.gate.may_receive(anna, &topic(&scene.ben)),
            scene.gate.may_receive(ben, &topic(&scene.anna)),
            scene.gate.may_receive(ben, &topic(&scene.ben)),
        ]
    };
    let typing = async |who: &Arc<Principal>| {
        let publish = Publish {
            topic: format!("hearth/rooms/{}/live/{}", scene.direct, who.user().unwrap()).into(),
            payload: "{}".into(),
            qos: Qos::AtMostOnce,
            retain: false,
            properties: Default::default(),
            version: Version::V5,
            once: None,
        };
        scene.gate.accept(who.clone(), publish).await.err().map(|no| no.code)
    };
    assert_eq!((seen(), typing(&people[1]).await), ([true; 3], None));
    scene.house.app.block(scene.anna.id, scene.ben.id).await.unwrap();
    assert_eq!(seen(), [false, false, true]);
    let many = scene.house.room(RoomType::Public, Sealing::Open, &[&scene.anna, &scene.ben]).await;
    let live = |of: &Person| format!("hearth/rooms/{many}/live/{}", of.id);
    assert!(!scene.gate.may_receive(&people[0], &live(&scene.ben)));
    assert!(!scene.gate.may_receive(&people[1], &live(&scene.anna)));
    assert!(scene.gate.may_receive(&people[1], &live(&scene.ben)));
    assert_eq!(typing(&people[0]).await, Some("blocked"));
    assert_eq!(typing(&people[1]).await, Some("unreachable"));
    let (anna, ben) = (scene.anna.id, scene.ben.id);
    assert!(!scene.house.app.may_see(anna, ben));
    assert!(!scene.house.app.may_see(ben, anna));
    assert!(scene.house.app.may_see(ben, ben));
    scene.house.app.unblock(scene.anna.id, scene.ben.id).await.unwrap();
    assert_eq!((seen(), typing(&people[1]).await), ([true; 3], None));
    assert!(scene.house.app.may_see(ben, anna));
}

/// `last_seen`, `status_text` and `avatar` of somebody's view.
fn how(view: &Value) -> Value {
    json!([view["last_seen"], view["status_text"], view["avatar"]])
}

#[tokio::test]
async fn who_is_apart_is_shown_who_the_other_is_and_nothing_of_how_they_are() {
    let scene = Scene::new().await;
    let Scene { house, anna, ben, .. } = &scene;
    let room = house.room(RoomType::Public, Sealing::Open, &[anna, ben]).await;
    let avatar = hearth_protocol::ids::AttachmentId::from_bytes([5; 16]);
    for person in [anna, ben] {
        let mut user = house.app.person(person.id).await.unwrap();
        (user.last_seen, user.status_text) = (7, "asleep".to_string());
        house.change(vec![Edit::UpdateUser(user)]).await;
    }
    // As the store would show it, had the picture been uploaded.
    let user = house.app.person(ben.id).await.unwrap();
    let view = house.app.seen_by(anna.id, hearth_store::User { avatar: Some(avatar), ..user });
    let view = serde_json::to_value(view).unwrap();
    assert_eq!(how(&view), json!([7, "asleep", avatar]));
    let path = format!("/api/rooms/{room}/members");
    let member = async |viewer: &Person, of: &Person| {
        let list = house.get(&path, viewer).await.is(200);
        let members = list["members"].as_array().unwrap().iter();
        members.map(|one| &one["user"]).find(|user| user["id"] == json!(of.id)).unwrap().clone()
    };
    let asleep = |view: &Value| how(view)[1] == json!("asleep");
    assert!(asleep(&member(anna, ben).await) && asleep(&member(ben, anna).await));
    scene.call("PUT", anna, &ben.id.to_string()).await.is(204);
    let nothing = json!([0, "", null]);
    for (viewer, of) in [(anna, ben), (ben, anna)] {
        let seen = member(viewer, of).await;
        assert_eq!(
            (how(&seen), &seen["name"]),
            (nothing.clone(), &json!(house.app.person(of.id).await.unwrap().name))
        );
        assert_eq!(how(&member(viewer, viewer).await)[1], "asleep");
        let one = house.get(&format!("/api/users/{}", of.id), viewer).await;
        assert_eq!(one.code(), "not_found");
    }
    let listed = house.get("/api/blocks", anna).await.is(200);
    assert_eq!(how(&listed["blocks"][0]["user"]), nothing);
    house
        .post(&format!("/api/rooms/{room}/mutes"), anna, json!({ "user_id": ben.id }))
        .await
        .is(204);
    let mutes = house.get(&format!("/api/rooms/{room}/mutes"), anna).await.is(200);
    assert_eq!(how(&mutes["mutes"][0]["user"]), nothing);
    let user = house.app.person(ben.id).await.unwrap();
    let view = house.app.seen_by(anna.id, hearth_store::User { avatar: Some(avatar), ..user });
    assert_eq!(how(&serde_json::to_value(view).unwrap()), nothing);
}

#[tokio::test]
async fn a_guest_blocks_whom_they_meet_and_finds_out_about_nobody_else() {
    let scene = Scene::new().await;
    let guest = scene.house.person("gast", HouseRole::Guest).await;
    let (anna, ben) = (scene.anna.id.to_string(), scene.ben.id.to_string());
    scene.house.room(RoomType::Private, Sealing::Open, &[&scene.anna, &guest]).await;
    let hidden = scene.call("PUT", &guest, &ben).await;
    let nobody = scene.call("PUT", &guest, &UserId::from_bytes([7; 16]).to_string()).await;
    assert_eq!((hidden.status, hidden.bytes), (404, nobody.bytes));
    scene.call("PUT", &guest, &anna).await.is(204);
    // Who is blocked may block too, and is not told by that that they are.
    scene.call("PUT", &scene.anna, &guest.id.to_string()).await.is(204);
}

#[tokio::test]
async fn the_mirror_is_what_the_store_holds() {
    let store = hearth_store::Store::open(Arc::new(Memory::new()), Arc::default()).await.unwrap();
    assert!(
        !Blocks::load(&store)
            .await
            .unwrap()
            .apart(UserId::from_bytes([1; 16]), UserId::from_bytes([2; 16]))
    );
    let scene = Scene::new().await;
    scene.house.app.block(scene.anna.id, scene.ben.id).await.unwrap();
    let loaded = Blocks::load(&scene.house.app.store).await.unwrap();
    assert!(loaded.has(scene.anna.id, scene.ben.id) && !loaded.has(scene.ben.id, scene.anna.id));
    assert!(loaded.apart(scene.ben.id, scene.anna.id));
}
