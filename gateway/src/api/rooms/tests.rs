//! Rooms over REST: made, changed, found, joined, left and deleted.

mod lists;

use futures_util::FutureExt;
use hearth_protocol::ids::{DeviceId, RoomId};
use hearth_protocol::limits::Limits;
use hearth_protocol::role::{HouseRole, RoomType, Sealing};
use hearth_protocol::sealing::epoch::{History, Rules};
use hearth_protocol::topic::Topic;
use hearth_store::{Block, Edit, Subject};
use serde_json::{Value, json};

use crate::clock::random;
use crate::testing::sealed::Epoch;
use crate::testing::{BEGINS_MS, House, Person, washer};

async fn open_room(house: &House, members: &[&Person]) -> RoomId {
    house.room(RoomType::Private, Sealing::Open, members).await
}

fn names(list: &Value) -> Vec<&str> {
    list["rooms"].as_array().unwrap().iter().map(|room| room["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_room_is_changed_by_its_admins_and_all_hear_of_it() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let eve = house.person("eve", HouseRole::Member).await;
    let room = open_room(&house, &[&anna, &ben]).await;
    let path = format!("/api/rooms/{room}");
    let name = json!({ "name": "Bath" });
    assert_eq!(house.put(&path, &ben, name.clone()).await.code(), "forbidden");
    assert_eq!(house.put(&path, &eve, name.clone()).await.code(), "not_found");
    let changed = json!({ "name": "Bath", "description": "Tiles", "type": "public",
                          "history": "since_join", "keep_days": 30, "keep_bytes": 1_000_000 });
    let view = house.put(&path, &anna, changed.clone()).await.is(200);
    for (field, value) in changed.as_object().unwrap() {
        assert_eq!(&view[field], value, "{field}");
    }
    let messages = house.get(&format!("{path}/messages"), &ben).await.is(200);
    // Ben joined before there was anything, and sees all of it.
    let line = &messages["messages"][0];
    assert_eq!((&line["type"], &line["title"]), (&json!("room"), &json!("Bath")));
    assert_eq!((&line["topic"], &line["by"]), (&json!("Tiles"), &json!(anna.id)));
    let audit = house.app.store.audit(None, 1).await.unwrap();
    assert_eq!((audit[0].action.as_str(), audit[0].subject), ("room.update", Subject::Room(room)));
    // What is left out stays.
    let view = house.put(&path, &anna, json!({ "description": "" })).await.is(200);
    assert_eq!((&view["name"], &view["description"]), (&json!("Bath"), &json!("")));
}

#[tokio::test]
async fn names_descriptions_and_what_is_kept_have_their_most() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let room = open_room(&house, &[&anna]).await;
    let path = format!("/api/rooms/{room}");
    let long = |length| "é".repeat(length);
    for (body, code) in [
        (json!({ "name": long(100) }), "200"),
        (json!({ "name": long(101) }), "bad_name"),
        (json!({ "name": "  " }), "bad_name"),
        (json!({ "description": long(1_000) }), "200"),
        (json!({ "description": long(1_001) }), "bad_name"),
        (json!({ "keep_days": 36_525, "keep_bytes": 1u64 << 50 }), "200"),
        (json!({ "keep_days": 36_526 }), "bad_keep"),
        (json!({ "keep_bytes": (1u64 << 50) + 1 }), "bad_keep"),
        (json!({ "keep_bytes": 1u64 << 60 }), "bad_keep"),
        (json!({ "type": "direct" }), "bad_type"),
        (json!({ "type": "secret" }), "bad_json"),
        (json!({ "bundle": "AAAA" }), "room_is_open"),
    ] {
        assert_eq!(house.put(&path, &anna, body.clone()).await.code(), code, "{body}");
    }
}

#[tokio::test]
async fn an_open_room_becomes_sealed_with_its_first_epoch_and_never_open_again() {
    let house = House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let ben = house.keyed("ben", HouseRole::Member).await;
    let room = open_room(&house, &[&anna.person, &ben.person]).await;
    let path = format!("/api/rooms/{room}");
    let messages = format!("{path}/messages");
    let said = house.post(&messages, &anna.person, json!({ "content": "before" })).await.is(201);
    let sealed = json!({ "sealing": "sealed" });
    assert_eq!(house.put(&path, &anna.person, sealed).await.code(), "bundle_required");
    let first = Epoch::first(room, RoomType::Private, &[&anna, &ben]);
    let sealed = json!({ "sealing": "sealed", "bundle": first.b64u() });
    let view = house.put(&path, &anna.person, sealed).await.is(200);
    assert_eq!((&view["sealing"], &view["epoch"]), (&json!("sealed"), &json!(1)));
    assert_eq!(view["last_message"]["content"], Value::Null, "the box reads no more");
    let text = json!({ "content": "after" });
    assert_eq!(house.post(&messages, &anna.person, text).await.code(), "room_is_sealed");
    // What was written in clear stays as it was, what is sealed is not.
    let page = house.get(&messages, &ben.person).await.is(200);
    assert_eq!(page["messages"][0], said);
    assert_eq!(page["messages"][1]["class"], 3, "the line of the first epoch");
    let open = json!({ "sealing": "open" });
    assert_eq!(house.put(&path, &anna.person, open).await.code(), "sealed_for_ever");
}

#[tokio::test]
async fn the_rules_of_a_sealed_room_change_with_an_epoch_that_says_so() {
    let house = House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let (room, first) = house.sealed_room(&anna).await;
    let path = format!("/api/rooms/{room}");
    let hidden = json!({ "history": "since_join" });
    assert_eq!(house.put(&path, &anna.person, hidden).await.code(), "bundle_required");
    let same = first.next(first.bundle.header.rules, &[&anna]);
    let untrue = json!({ "history": "since_join", "bundle": same.b64u() });
    assert_eq!(house.put(&path, &anna.person, untrue).await.code(), "bad_bundle");
    let rules = Rules {
        history: History::SinceJoin,
        kind: RoomType::Public,
        ..Rules::new(RoomType::Public)
    };
    let next = first.next(rules, &[&anna]);
    let private = json!({ "history": "since_join", "bundle": next.b64u() });
    assert_eq!(house.put(&path, &anna.person, private).await.code(), "bad_bundle", "its kind");
    let both = json!({ "history": "since_join", "type": "public", "bundle": next.b64u() });
    let view = house.put(&path, &anna.person, both).await.is(200);
    assert_eq!((&view["epoch"], &view["type"]), (&json!(2), &json!("public")));
    // A name needs none.
    assert_eq!(house.put(&path, &anna.person, json!({ "name": "Attic" })).await.status, 200);
}

#[tokio::test]
async fn a_deleted_room_is_gone_with_its_devices_and_topics() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let room = open_room(&house, &[&anna, &ben]).await;
    let path = format!("/api/rooms/{room}");
    let device = DeviceId::new(BEGINS_MS, random());
    let washer = washer(device, room, anna.id);
    house.change(vec![Edit::PutDevice(washer)]).await;
    house.put(&format!("{path}/read"), &ben, json!({ "position": 0 })).await.is(200);
    assert_eq!(house.delete(&path, &ben).await.code(), "forbidden");
    let mut link = house.app.broker.link(&["hearth/#"], 16).unwrap();
    assert_eq!(house.delete(&path, &anna).await.status, 204);
    let mut heard = vec![];
    while let Some(Some(message)) = link.recv().now_or_never() {
        heard.push((message.topic.to_string(), message.payload.len()));
    }
    for topic in [Topic::Key(room), Topic::Receipts(room)] {
        assert!(heard.contains(&(topic.to_string(), 0)), "{topic} is cleared: {heard:?}");
    }
    for person in [&anna, &ben] {
        let inbox = Topic::Inbox(person.id).to_string();
        assert!(heard.iter().any(|(topic, _)| *topic == inbox), "{heard:?}");
        assert_eq!(house.get(&path, person).await.code(), "not_found");
        assert_eq!(names(&house.get("/api/rooms", person).await.is(200)).len(), 0);
    }
    assert!(house.app.store.device(device).await.unwrap().is_none());
    assert_eq!(house.app.store.audit(None, 1).await.unwrap()[0].action, "room.delete");
}

#[tokio::test]
async fn the_general_room_stays_everyones() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let general =
        house.app.new_room(RoomId::new(BEGINS_MS, random()), "Home", RoomType::Public, anna.id);
    let general = hearth_store::Room { general: true, ..general.unwrap() };
    let member = |person: &Person, role| {
        Edit::PutMember(crate::accounts::member(&general, person.id, role, BEGINS_MS))
    };
    use hearth_protocol::role::RoomRole;
    let members = [member(&anna, RoomRole::Owner), member(&ben, RoomRole::Member)];
    house.change([vec![Edit::PutRoom(general.clone())], members.into()].concat()).await;
    let path = format!("/api/rooms/{}", general.id);
    let everyones = "general_is_everyones";
    assert_eq!(house.delete(&path, &anna).await.code(), everyones);
    let private = json!({ "type": "private" });
    assert_eq!(house.put(&path, &anna, private).await.code(), everyones);
    let leave = format!("{path}/leave");
    assert_eq!(house.post(&leave, &ben, Value::Null).await.code(), everyones);
    let kick = format!("{path}/members/{}", ben.id);
    assert_eq!(house.delete(&kick, &anna).await.code(), everyones);
}

#[tokio::test]
async fn a_direct_room_is_found_again_and_has_the_others_name() {
    let house = House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let ben = house.keyed("ben", HouseRole::Member).await;
    let direct = |user| json!({ "type": "direct", "user_id": user, "sealing": "open" });
    let made = house.post("/api/rooms", &anna.person, direct(ben.id())).await.is(201);
    assert_eq!((&made["name"], &made["direct_with"]), (&json!("ben"), &json!(ben.id())));
    let again = house.post("/api/rooms", &ben.person, direct(anna.id())).await.is(200);
    assert_eq!((&again["id"], &again["name"]), (&made["id"], &json!("anna")));
    let path = format!("/api/rooms/{}", made["id"].as_str().unwrap());
    let carl = house.person("carl", HouseRole::Member).await;
    let (one, other) = tokio::join!(
        house.post("/api/rooms", &anna.person, direct(carl.id)),
        house.post("/api/rooms", &carl, direct(anna.id())),
    );
    assert_eq!(one.status + other.status, 401, "one is made, the other finds it");
    assert_eq!(one.body["id"], other.body["id"]);
    // Two people, never more, never fewer.
    let eve = house.person("eve", HouseRole::Member).await;
    let more = json!({ "user_id": eve.id });
    assert_eq!(
        house.post(&format!("{path}/members"), &anna.person, more).await.code(),
        "forbidden"
    );
    let join = house.post(&format!("{path}/join"), &eve, Value::Null).await;
    assert_eq!(join.code(), "not_found");
    let leave = house.post(&format!("{path}/leave"), &ben.person, Value::Null).await;
    assert_eq!(leave.code(), "direct_room");
    let renamed = house.put(&path, &anna.person, json!({ "name": "Us" })).await;
    assert_eq!(renamed.code(), "direct_room");
    assert_eq!(house.put(&path, &ben.person, json!({ "keep_days": 7 })).await.status, 200);
    // Either ends it; then there is a new one.
    assert_eq!(house.delete(&path, &ben.person).await.status, 204);
    let new = house.post("/api/rooms", &anna.person, direct(ben.id())).await.is(201);
    assert_ne!(new["id"], made["id"]);
}

#[tokio::test]
async fn a_sealed_direct_room_lists_both_from_the_start() {
    let house = House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let ben = house.keyed("ben", HouseRole::Member).await;
    let cardless = house.person("carl", HouseRole::Member).await;
    let room = RoomId::new(BEGINS_MS, random());
    let direct = |user, bundle: Option<&Epoch>| {
        json!({ "id": room, "type": "direct", "user_id": user,
                "bundle": bundle.map(Epoch::b64u) })
    };
    let alone = Epoch::first(room, RoomType::Direct, &[&anna]);
    let both = Epoch::first(room, RoomType::Direct, &[&anna, &ben]);
    for (user, bundle, code) in [
        (cardless.id, Some(&alone), "no_card"),
        (ben.id(), None, "bundle_required"),
        (ben.id(), Some(&alone), "drops_member"),
        (ben.id(), Some(&both), "201"),
        (ben.id(), Some(&both), "200"),
    ] {
        let answered = house.post("/api/rooms", &anna.person, direct(user, bundle)).await;
        assert_eq!(answered.code(), code);
    }
    let view = house.get(&format!("/api/rooms/{room}"), &ben.person).await.is(200);
    assert_eq!((&view["sealing"], &view["my_role"]), (&json!("sealed"), &json!("owner")));
}

#[tokio::test]
async fn who_cannot_have_a_direct_room_is_told() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let guest = house.person("gus", HouseRole::Guest).await;
    let direct = |user| json!({ "type": "direct", "user_id": user, "sealing": "open" });
    let nobody = hearth_protocol::ids::UserId::new(BEGINS_MS, random());
    for (who, body, code) in [
        (&anna, direct(anna.id), "not_possible"),
        (&anna, direct(nobody), "not_found"),
        (&anna, json!({ "type": "direct" }), "user_required"),
        (&anna, json!({ "type": "private", "name": "x", "user_id": ben.id }), "bad_type"),
        (&guest, direct(anna.id), "forbidden"),
        (&guest, json!({ "type": "public", "name": "x" }), "forbidden"),
    ] {
        assert_eq!(house.post("/api/rooms", who, body.clone()).await.code(), code, "{body}");
    }
    let block = Block { user: ben.id, other: anna.id, since: BEGINS_MS };
    house.change(vec![Edit::PutBlock(block)]).await;
    let refused = house.post("/api/rooms", &anna, direct(ben.id)).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "unreachable"));
    let refused = house.post("/api/rooms", &ben, direct(anna.id)).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "blocked"));
}

#[tokio::test]
async fn a_person_makes_as_many_rooms_as_the_limit_says() {
    let house = House::with(Limits { rooms_per_user_max: 2, ..Limits::default() }).await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let new = json!({ "type": "public", "name": "Hall" });
    let first = house.post("/api/rooms", &anna, new.clone()).await.is(201);
    house.post("/api/rooms", &anna, new.clone()).await.is(201);
    assert_eq!(house.post("/api/rooms", &anna, new.clone()).await.code(), "limit_reached");
    let path = format!("/api/rooms/{}", first["id"].as_str().unwrap());
    assert_eq!(house.delete(&path, &anna).await.status, 204);
    house.post("/api/rooms", &anna, new).await.is(201);
}

#[tokio::test]
async fn public_rooms_are_found_and_joined_by_the_house_and_not_by_guests() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let guest = house.person("gus", HouseRole::Guest).await;
    let public = house.room(RoomType::Public, Sealing::Open, &[&anna]).await;
    let invited = house.room(RoomType::Public, Sealing::Open, &[&anna, &guest]).await;
    let private = open_room(&house, &[&anna]).await;
    let found = async |who: &Person| {
        let list = house.get("/api/rooms/public", who).await.is(200);
        list["rooms"].as_array().unwrap().len()
    };
    assert_eq!((found(&ben).await, found(&guest).await), (2, 1));
    assert_eq!(house.get(&format!("/api/rooms/{public}"), &guest).await.code(), "not_found");
    assert_eq!(house.get(&format!("/api/rooms/{invited}"), &guest).await.status, 200);
    for (room, who, code) in [
        (public, &guest, "not_found"),
        (private, &ben, "not_found"),
        (public, &ben, "200"),
        (public, &ben, "200"),
    ] {
        let joined = house.post(&format!("/api/rooms/{room}/join"), who, Value::Null).await;
        assert_eq!(joined.code(), code);
    }
    let page = house.get(&format!("/api/rooms/{public}/messages"), &ben).await.is(200);
    let lines: Vec<_> = page["messages"].as_array().unwrap().iter().collect();
    assert_eq!(lines.len(), 1, "joined once");
    assert_eq!((&lines[0]["type"], &lines[0]["user"]), (&json!("joined"), &json!(ben.id)));
}

#[tokio::test]
async fn the_last_one_out_ends_a_room_and_the_last_owner_stays_with_others() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let room = open_room(&house, &[&anna, &ben]).await;
    let leave = format!("/api/rooms/{room}/leave");
    assert_eq!(house.post(&leave, &anna, Value::Null).await.code(), "last_owner");
    assert_eq!(house.post(&leave, &ben, Value::Null).await.status, 204);
    assert_eq!(house.post(&leave, &ben, Value::Null).await.code(), "not_found");
    assert_eq!(house.post(&leave, &anna, Value::Null).await.status, 204);
    assert!(house.app.membership.room(room).is_none());
}

#[tokio::test]
async fn the_list_is_sorted_by_the_last_message_and_counts_what_is_unread() {
    let limits = Limits { unread_events_max: 4, messages_per_10_s: 0, ..Limits::default() };
    let house = House::with(limits).await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let one = open_room(&house, &[&anna, &ben]).await;
    house.later(1_000);
    let two = open_room(&house, &[&anna, &ben]).await;
    let say = async |room: RoomId, who: &Person, text: &str, mentions: Vec<&Person>| {
        house.later(1_000);
        let mentions: Vec<_> = mentions.iter().map(|person| person.id).collect();
        let body = json!({ "content": text, "mentions": mentions });
        house.post(&format!("/api/rooms/{room}/messages"), who, body).await.is(201)
    };
    let rooms = async |who: &Person| house.get("/api/rooms", who).await.is(200)["rooms"].take();
    assert_eq!(rooms(&ben).await[0]["id"], json!(two));
    say(one, &anna, "hi", vec![&ben]).await;
    let mine = say(one, &ben, "own", vec![]).await;
    let last = say(one, &anna, &"x".repeat(300), vec![]).await;
    let list = rooms(&ben).await;
    let room = &list[0];
    assert_eq!((&room["id"], &room["unread"]), (&json!(one), &json!(2)));
    assert_eq!((&room["unread_mentions"], &room["notify"]), (&json!(1), &json!("all")));
    assert_eq!(room["last_message"]["id"], last["id"]);
    assert_eq!(room["last_message"]["content"], json!("x".repeat(200)));
    assert_eq!((&room["member_count"], &list[1]["unread"]), (&json!(2), &json!(0)));
    // Edits and reactions are no messages; what is read is not unread.
    let id = last["id"].as_str().unwrap();
    house.put(&format!("/api/messages/{id}"), &anna, json!({ "content": "y" })).await.is(200);
    assert_eq!(rooms(&ben).await[0]["last_message"]["content"], "y");
    let read = json!({ "message_id": mine["id"] });
    house.put(&format!("/api/rooms/{one}/read"), &ben, read).await.is(200);
    let list = rooms(&ben).await;
    assert_eq!((&list[0]["unread"], &list[0]["read_position"]), (&json!(1), &mine["position"]));
    // Above the newest that are looked at, everything counts: an upper bound.
    for _ in 0..12 {
        say(one, &ben, "more", vec![]).await;
    }
    // Of the positions 3 to 16 the newest ten are looked at.
    assert_eq!(rooms(&ben).await[0]["unread"], json!(4));
}

#[tokio::test]
async fn who_is_not_in_a_public_room_is_not_told_what_is_said_there() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let room = house.room(RoomType::Public, Sealing::Open, &[&anna]).await;
    let path = format!("/api/rooms/{room}");
    house.post(&format!("{path}/messages"), &anna, json!({ "content": "hi" })).await.is(201);
    let view = house.get(&path, &ben).await.is(200);
    assert_eq!((&view["my_role"], &view["member_count"]), (&Value::Null, &json!(1)));
    assert!(view.get("last_message").is_none() && view.get("unread").is_none(), "{view}");
}
