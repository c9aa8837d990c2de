//! Messages of sealed rooms: what the box still does with them.

use hearth_protocol::bytes::b64u;
use hearth_protocol::sealing::epoch::Rules;
use hearth_protocol::sealing::event::Kind;

use super::*;

#[tokio::test]
async fn a_sealed_room_says_what_its_clients_do_themselves() {
    let house = House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let (room, first) = house.sealed_room(&anna).await;
    let id = EventId::new(BEGINS_MS, random());
    let wire = first.wire(&anna, id, Kind::Content, 1);
    house.send_sealed(room, &anna, &wire).await.is(201);
    let path = format!("/api/messages/{id}");
    let text = json!({ "content": "x" });
    let refused = house.put(&path, &anna.person, text).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "room_is_sealed"));
    assert_ne!(refused.body["hint"], "");
    let reactions = format!("{path}/reactions");
    let react = house.post(&reactions, &anna.person, json!({ "emoji": "👍" })).await;
    assert_eq!(react.code(), "room_is_sealed");
    for path in
        [format!("{reactions}/x"), reactions, format!("{path}/edits"), format!("{path}/thread")]
    {
        let method = if path.ends_with("/x") { "DELETE" } else { "GET" };
        let refused = house.call(method, &path, Some(&anna.person), Value::Null).await;
        assert_eq!(refused.code(), "room_is_sealed", "{path}");
    }
    let item = house.get(&path, &anna.person).await.is(200);
    assert_eq!((&item["sealed"], &item["room_id"]), (&json!(b64u(&wire)), &json!(room)));
}

#[tokio::test]
async fn a_sealed_message_is_erased_by_its_tombstone_or_by_rest() {
    let house = House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let ben = house.keyed("ben", HouseRole::Member).await;
    let (room, first) = house.sealed_room(&anna).await;
    let second = first.next(Rules::new(RoomType::Private), &[&anna, &ben]);
    let add = json!({ "user_id": ben.id(), "bundle": second.b64u() });
    house.post(&format!("/api/rooms/{room}/members"), &anna.person, add).await.is(201);
    let mut ids = vec![];
    for seq in 1..=3 {
        let id = EventId::new(BEGINS_MS, random());
        let wire = second.wire(&ben, id, Kind::Content, seq);
        house.send_sealed(room, &ben, &wire).await.is(201);
        ids.push(id);
    }
    let sealed = async |id: EventId| {
        let item = house.get(&format!("/api/messages/{id}"), &anna.person).await.is(200);
        hearth_protocol::bytes::from_b64u(item["sealed"].as_str().unwrap()).unwrap().len()
    };
    assert!(sealed(ids[0]).await > 50);
    let tomb =
        |target, by| second.wire(by, EventId::new(BEGINS_MS, random()), Kind::Tombstone(target), 4);
    let others = house.send_sealed(room, &anna, &tomb(ids[0], &anna)).await;
    assert_eq!(others.code(), "forbidden", "clients believe only a sender's own");
    let own = tomb(ids[0], &ben);
    house.send_sealed(room, &ben, &own).await.is(201);
    house.send_sealed(room, &ben, &own).await.is(200);
    assert_eq!(sealed(ids[0]).await, 50, "the header stays");
    for (id, who, code) in
        [(ids[1], &ben, "204"), (ids[2], &anna, "204"), (ids[2], &anna, "message_erased")]
    {
        assert_eq!(house.delete(&format!("/api/messages/{id}"), &who.person).await.code(), code);
        assert_eq!(sealed(id).await, 50);
    }
    let page = house.get(&format!("/api/rooms/{room}/messages"), &ben.person).await.is(200);
    let last = page["messages"].as_array().unwrap().last().unwrap();
    let line = hearth_protocol::bytes::from_b64u(last["sealed"].as_str().unwrap()).unwrap();
    let line: Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(line, json!({ "type": "erased", "target": ids[2], "by": anna.id() }));
}

#[tokio::test]
async fn hints_are_taken_where_the_rules_have_them() {
    let house = House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let (room, first) = house.sealed_room(&anna).await;
    let hinted = || Kind::Hinted(vec![anna.id()]);
    let wire = first.wire(&anna, EventId::new(BEGINS_MS, random()), hinted(), 1);
    assert_eq!(house.send_sealed(room, &anna, &wire).await.code(), "hints_off");
    let rules = Rules { hints: true, ..Rules::new(RoomType::Private) };
    let second = first.next(rules, &[&anna]);
    let body = json!({ "bundle": second.b64u() });
    house.post(&format!("/api/rooms/{room}/bundles"), &anna.person, body).await.is(201);
    let wire = second.wire(&anna, EventId::new(BEGINS_MS, random()), hinted(), 1);
    house.send_sealed(room, &anna, &wire).await.is(201);
    let live = second.wire(&anna, EventId::new(BEGINS_MS, random()), Kind::Live, 0);
    assert_eq!(house.send_sealed(room, &anna, &live).await.code(), "bad_event");
}
