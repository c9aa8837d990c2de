//! Members over REST: let in, put out, given roles, with their preferences.

use hearth_protocol::ids::EventId;
use hearth_protocol::role::{HouseRole, RoomType, Sealing};
use hearth_protocol::sealing::epoch::Rules;
use hearth_protocol::sealing::event::Kind;
use hearth_store::{Block, Edit, Notify, Sentence, Subject};
use serde_json::{Value, json};

use crate::clock::random;
use crate::testing::sealed::Epoch;
use crate::testing::{BEGINS_MS, House, Person};

fn id() -> EventId {
    EventId::new(BEGINS_MS, random())
}

#[tokio::test]
async fn an_admin_lets_people_into_an_open_room() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let eve = house.person("eve", HouseRole::Member).await;
    let room = house.room(RoomType::Private, Sealing::Open, &[&anna, &ben]).await;
    let path = format!("/api/rooms/{room}/members");
    let add = |person: &Person| json!({ "user_id": person.id });
    assert_eq!(house.post(&path, &ben, add(&eve)).await.code(), "forbidden");
    assert_eq!(house.post(&path, &eve, add(&eve)).await.code(), "not_found");
    let nobody = json!({ "user_id": hearth_protocol::ids::UserId::new(1, random()) });
    assert_eq!(house.post(&path, &anna, nobody).await.code(), "not_found");
    let bundle = json!({ "user_id": eve.id, "bundle": "AAAA" });
    assert_eq!(house.post(&path, &anna, bundle).await.code(), "room_is_open");
    let added = house.post(&path, &anna, add(&eve)).await.is(201);
    assert_eq!((&added["user"]["id"], &added["role"]), (&json!(eve.id), &json!("member")));
    house.post(&path, &anna, add(&eve)).await.is(200);
    let page = house.get(&format!("/api/rooms/{room}/messages"), &eve).await.is(200);
    let line = &page["messages"][0];
    assert_eq!((&line["type"], &line["user"]), (&json!("joined"), &json!(eve.id)));
    assert_eq!(line["by"], json!(anna.id));
    let audit = house.app.store.audit(None, 1).await.unwrap();
    assert_eq!((audit[0].action.as_str(), audit[0].subject), ("member.add", Subject::Room(room)));
}

#[tokio::test]
async fn who_is_banned_or_blocks_is_not_let_in() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let eve = house.person("eve", HouseRole::Member).await;
    let room = house.room(RoomType::Private, Sealing::Open, &[&anna]).await;
    let sentence = Sentence { by: anna.id, at: 1, reason: String::new(), until: None };
    let ban = Edit::Ban { room, user: ben.id, sentence: Some(sentence) };
    let block = Edit::PutBlock(Block { user: eve.id, other: anna.id, since: 1 });
    house.change(vec![ban, block]).await;
    let path = format!("/api/rooms/{room}/members");
    for (person, code) in [(&ben, "banned"), (&eve, "unreachable")] {
        let refused = house.post(&path, &anna, json!({ "user_id": person.id })).await;
        assert_eq!((refused.status, refused.code().as_str()), (403, code));
    }
}

#[tokio::test]
async fn a_sealed_room_lets_people_in_with_an_epoch_that_lists_them_also_again() {
    let house = House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let ben = house.keyed("ben", HouseRole::Member).await;
    let (room, first) = house.sealed_room(&anna).await;
    let members = format!("/api/rooms/{room}/members");
    let rules = Rules::new(RoomType::Private);
    let add =
        |epoch: Option<&Epoch>| json!({ "user_id": ben.id(), "bundle": epoch.map(Epoch::b64u) });
    let without = first.next(rules, &[&anna]);
    assert_eq!(house.post(&members, &anna.person, add(Some(&without))).await.code(), "bad_bundle");
    let second = first.next(rules, &[&anna, &ben]);
    house.post(&members, &anna.person, add(Some(&second))).await.is(201);
    let wire = second.wire(&ben, id(), Kind::Content, 1);
    house.send_sealed(room, &ben, &wire).await.is(201);
    // Whoever is put out takes no further epoch along, and the room waits for one.
    let kick = format!("{members}/{}", ben.id());
    assert_eq!(house.delete(&kick, &anna.person).await.status, 204);
    let wire = second.wire(&anna, id(), Kind::Content, 1);
    assert_eq!(house.send_sealed(room, &anna, &wire).await.code(), "rotate_first");
    let third = second.next(rules, &[&anna]);
    let bundles = format!("/api/rooms/{room}/bundles");
    let body = json!({ "bundle": third.b64u() });
    house.post(&bundles, &anna.person, body.clone()).await.is(201);
    assert_eq!(house.post(&bundles, &anna.person, body).await.code(), "epoch_taken");
    // Back by the word of who is listed.
    let fourth = third.next(rules, &[&anna, &ben]);
    house.post(&members, &anna.person, add(Some(&fourth))).await.is(201);
    let wire = fourth.wire(&ben, id(), Kind::Content, 2);
    house.send_sealed(room, &ben, &wire).await.is(201);
}

#[tokio::test]
async fn who_is_let_in_without_an_epoch_waits_for_one() {
    let house = House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let ben = house.keyed("ben", HouseRole::Member).await;
    let (room, first) = house.sealed_room(&anna).await;
    let add = json!({ "user_id": ben.id() });
    house.post(&format!("/api/rooms/{room}/members"), &anna.person, add).await.is(201);
    let wire = first.wire(&ben, id(), Kind::Content, 1);
    assert_eq!(house.send_sealed(room, &ben, &wire).await.code(), "not_listed");
    let wire = first.wire(&anna, id(), Kind::Content, 1);
    house.send_sealed(room, &anna, &wire).await.is(201);
    // A leave needs a new epoch as a removal does.
    let leave = format!("/api/rooms/{room}/leave");
    assert_eq!(house.post(&leave, &ben.person, Value::Null).await.status, 204);
    let wire = first.wire(&anna, id(), Kind::Content, 2);
    assert_eq!(house.send_sealed(room, &anna, &wire).await.code(), "rotate_first");
}

#[tokio::test]
async fn roles_are_given_by_owners_and_the_last_owner_stays() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let eve = house.person("eve", HouseRole::Member).await;
    let room = house.room(RoomType::Private, Sealing::Open, &[&anna, &ben]).await;
    let role = async |who: &Person, of: &Person, body: Value| {
        let path = format!("/api/rooms/{room}/members/{}/role", of.id);
        house.call("PATCH", &path, Some(who), body).await.code()
    };
    let to = |role: &str| json!({ "role": role });
    let transfer = |role: &str| json!({ "role": role, "transfer": true });
    for (who, of, body, code) in [
        (&ben, &ben, to("admin"), "forbidden"),
        (&eve, &ben, to("admin"), "not_found"),
        (&anna, &eve, to("admin"), "not_found"),
        (&anna, &ben, to("king"), "bad_json"),
        (&anna, &anna, to("member"), "last_owner"),
        (&anna, &ben, to("admin"), "200"),
        (&ben, &ben, to("owner"), "forbidden"),
        (&anna, &ben, transfer("admin"), "bad_transfer"),
        (&anna, &anna, transfer("owner"), "bad_transfer"),
        // A second owner, whom nobody else makes less.
        (&anna, &ben, to("owner"), "200"),
        (&anna, &ben, to("member"), "forbidden"),
        (&ben, &ben, to("member"), "200"),
        // Handed over.
        (&anna, &ben, transfer("owner"), "200"),
        (&anna, &ben, to("member"), "forbidden"),
    ] {
        assert_eq!(role(who, of, body.clone()).await, code, "{body}");
    }
    let list = house.get(&format!("/api/rooms/{room}/members"), &anna).await.is(200);
    let roles: Vec<_> =
        list["members"].as_array().unwrap().iter().map(|one| &one["role"]).collect();
    assert_eq!(roles.len(), 2);
    assert!(roles.contains(&&json!("owner")) && roles.contains(&&json!("admin")), "{roles:?}");
    let page = house.get(&format!("/api/rooms/{room}/messages"), &anna).await.is(200);
    let lines = page["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["user"].clone(), line["role"].clone()));
    let said = |person: &Person, role: &str| (json!(person.id), json!(role));
    let expected = [
        said(&ben, "admin"),
        said(&ben, "owner"),
        said(&ben, "member"),
        said(&ben, "owner"),
        said(&anna, "admin"),
    ];
    assert_eq!(lines.collect::<Vec<_>>(), expected);
    assert_eq!(house.app.store.audit(None, 9).await.unwrap().len(), 5);
}

#[tokio::test]
async fn an_admin_puts_members_out_and_not_owners() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let eve = house.person("eve", HouseRole::Member).await;
    let room = house.room(RoomType::Private, Sealing::Open, &[&anna, &ben]).await;
    let path = |person: &Person| format!("/api/rooms/{room}/members/{}", person.id);
    let admin = json!({ "role": "admin" });
    let role = format!("{}/role", path(&ben));
    house.call("PATCH", &role, Some(&anna), admin).await.is(200);
    house.later(1);
    for (who, whom, code) in [
        (&eve, &ben, "not_found"),
        (&ben, &anna, "forbidden"),
        (&anna, &eve, "not_found"),
        (&anna, &ben, "204"),
        (&ben, &anna, "not_found"),
    ] {
        assert_eq!(house.delete(&path(whom), who).await.code(), code);
    }
    let page = house.get(&format!("/api/rooms/{room}/messages"), &anna).await.is(200);
    let line = page["messages"].as_array().unwrap().last().unwrap();
    assert_eq!((&line["type"], &line["by"]), (&json!("left"), &json!(anna.id)));
    assert_eq!(house.app.store.audit(None, 1).await.unwrap()[0].action, "room.kick");
}

#[tokio::test]
async fn a_member_says_of_what_they_are_told() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let eve = house.person("eve", HouseRole::Member).await;
    let room = house.room(RoomType::Private, Sealing::Open, &[&anna]).await;
    let path = format!("/api/rooms/{room}/notify");
    for (notify, stored) in
        [("mentions", Notify::Mentions), ("muted", Notify::Muted), ("all", Notify::All)]
    {
        let body = json!({ "notify": notify });
        assert_eq!(house.put(&path, &anna, body.clone()).await.is(200), body);
        let member = house.app.store.member(room, anna.id).await.unwrap().unwrap();
        assert_eq!(member.notify, stored);
    }
    assert_eq!(house.put(&path, &anna, json!({ "notify": "some" })).await.code(), "bad_json");
    assert_eq!(house.put(&path, &eve, json!({ "notify": "all" })).await.code(), "not_found");
}

#[tokio::test]
async fn members_are_listed_with_how_far_they_are() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let room = house.room(RoomType::Private, Sealing::Open, &[&anna, &ben]).await;
    let path = format!("/api/rooms/{room}/messages");
    let mut said = vec![];
    for text in ["1", "2", "3"] {
        said.push(house.post(&path, &anna, json!({ "content": text })).await.is(201));
    }
    let of = async |person: &Person| {
        let list = house.get(&format!("/api/rooms/{room}/members"), &anna).await.is(200);
        let members = list["members"].as_array().unwrap().clone();
        let one = members.into_iter().find(|one| one["user"]["id"] == json!(person.id)).unwrap();
        let places = ["delivered_position", "read_position", "last_read_message_id", "read_at"];
        Value::from_iter(places.map(|field| one[field].clone()))
    };
    assert_eq!(of(&ben).await, json!([0, 0, null, 0]));
    house.later(5);
    let read = json!({ "message_id": said[1]["id"] });
    house.put(&format!("/api/rooms/{room}/read"), &ben, read).await.is(200);
    assert_eq!(of(&ben).await, json!([2, 2, said[1]["id"], BEGINS_MS + 5]));
    house.get(&path, &ben).await.is(200);
    house.app.publish_receipts().await.unwrap();
    assert_eq!(of(&ben).await, json!([3, 2, said[1]["id"], BEGINS_MS + 5]));
    let role = format!("/api/rooms/{room}/members/{}/role", ben.id);
    let changed = house.call("PATCH", &role, Some(&anna), json!({ "role": "admin" })).await.is(200);
    assert_eq!(changed["last_read_message_id"], said[1]["id"]);
}
