//! The 16 events of seed 004 @API, all of them and no others of these names; what `send_message`
//! shows; who writes in a sealed room.

use std::collections::BTreeSet;

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::EventId;
use hearth_protocol::sealing::epoch::Rules;
use hearth_protocol::sealing::event::Kind;
use hearth_store::Attachments;

use super::*;
use crate::attachments::Files;
use crate::ws::event::WISHES;

/// Client to server, then server to client.
const SEED: [&str; 16] = [
    "join_room",
    "leave_room",
    "typing_start",
    "typing_stop",
    "send_message",
    "read_message",
    "message_created",
    "message_updated",
    "message_deleted",
    "reaction_added",
    "reaction_removed",
    "user_typing",
    "user_joined",
    "user_left",
    "presence_updated",
    "notification",
];

#[tokio::test]
async fn each_event_of_the_seed_is_said_and_heard() {
    let scene = Scene::new().await;
    let Scene { house, anna, ben, cleo, room } = &scene;
    let mut his = Client::in_rooms(house, ben, &[*room]).await;
    let mut hers = Client::new(house, anna);
    let mut done = BTreeSet::new();
    let said = scene.post(ben, json!({ "content": "first" })).await;
    for wish in [
        json!({ "type": "join_room", "room_id": room }),
        json!({ "type": "typing_start", "room_id": room }),
        json!({ "type": "typing_stop", "room_id": room }),
        json!({ "type": "send_message", "room_id": room, "content": "hello @ben" }),
        json!({ "type": "read_message", "message_id": said["id"] }),
        json!({ "type": "leave_room", "room_id": room }),
    ] {
        hers.ask(wish.clone()).await;
        done.insert(wish["type"].as_str().unwrap().to_string());
    }
    assert!(WISHES.iter().all(|wish| done.contains(*wish)));
    let message = format!("/api/messages/{}", said["id"].as_str().unwrap());
    let (members, reactions) =
        (format!("/api/rooms/{room}/members"), format!("{message}/reactions"));
    house.post(&reactions, anna, json!({ "emoji": "🎉" })).await.is(201);
    house.delete(&format!("{reactions}/🎉"), anna).await.is(204);
    house.call("PUT", &message, Some(ben), json!({ "content": "other" })).await.is(200);
    house.delete(&message, ben).await.is(204);
    house.post(&members, anna, json!({ "user_id": cleo.id })).await.is(201);
    house.delete(&format!("{members}/{}", cleo.id), anna).await.is(204);
    house.app.alert().await.unwrap();
    for name in SEED.iter().filter(|name| !WISHES.contains(name)) {
        let heard = his.hear(name).await;
        done.insert(heard["type"].as_str().unwrap().to_string());
    }
    assert_eq!(done, SEED.map(str::to_string).into());
}

#[tokio::test]
async fn a_message_shows_ones_own_attachments() {
    let scene = Scene::new().await;
    let Scene { house, anna, ben, room, .. } = &scene;
    let folder = tempfile::tempdir().unwrap();
    let store = Attachments::open(house.app.store.clone(), folder.path()).await.unwrap();
    assert!(house.app.files.set(Files::new(store, None, house.app.limits.clone())).is_ok());
    let upload = format!("/api/attachments/upload?room={room}&filename=bill.pdf");
    let bill = b"%PDF-1.7 the plumber's bill";
    let hers = house.send("POST", &upload, anna, &[], bill).await.is(201);
    let his = house.send("POST", &upload, ben, &[], bill).await.is(201);
    let mut client = Client::in_rooms(house, anna, &[*room]).await;
    let show = |file: &Value| {
        json!({ "type": "send_message", "room_id": room, "content": "",
                "attachments": [{ "id": file["id"] }] })
    };
    assert_eq!(client.try_ask(show(&his)).await.unwrap_err(), "not_found");
    let ack = client.ask(show(&hers)).await;
    assert_eq!(ack["message"]["kind"], "file");
    assert_eq!(ack["message"]["attachments"][0]["filename"], "bill.pdf");
    let created = client.hear("message_created").await;
    assert_eq!(created["message"]["attachments"], ack["message"]["attachments"]);
    let path = format!("/api/attachments/{}", hers["id"].as_str().unwrap());
    assert_eq!(house.get(&path, ben).await.status, 200, "the members read it");
}

#[tokio::test]
async fn who_writes_in_a_sealed_room_is_told_sealed_at_both_doors() {
    let scene = Scene::new().await;
    let house = &scene.house;
    let dora = house.keyed("dora", HouseRole::Member).await;
    let emil = house.keyed("emil", HouseRole::Member).await;
    let (room, first) = house.sealed_room(&dora).await;
    let epoch = first.next(Rules::new(RoomType::Private), &[&dora, &emil]);
    let add = json!({ "user_id": emil.id(), "bundle": epoch.b64u() });
    house.post(&format!("/api/rooms/{room}/members"), &dora.person, add).await.is(201);
    let mut hers = Client::in_rooms(house, &dora.person, &[room]).await;
    let mut his = Client::in_rooms(house, &emil.person, &[room]).await;
    let wire = |by, kind| b64u(&epoch.wire(by, EventId::new(1, [1; 10]), kind, 0));
    let say = |sealed: Value| json!({ "type": "typing_start", "room_id": room, "sealed": sealed });
    for (sealed, code) in [
        (Value::Null, "room_is_sealed"),
        (json!("AQID"), "bad_sealed"),
        (json!("!"), "bad_event"),
        (json!(b64u(&epoch.wire(&dora, EventId::new(1, [1; 10]), Kind::Content, 1))), "bad_sealed"),
        (json!(wire(&emil, Kind::Live)), "bad_sealed"),
    ] {
        assert_eq!(hers.try_ask(say(sealed)).await.unwrap_err(), code);
    }
    let mut link = house.app.broker.link(&["hearth/rooms/+/live/+"], 8).unwrap();
    let live = wire(&dora, Kind::Live);
    hers.ask(say(json!(live))).await;
    assert_eq!(b64u(&link.recv().await.unwrap().payload), live, "as who seals over MQTT is told");
    let heard = his.hear("user_typing").await;
    assert_eq!((&heard["user_id"], &heard["sealed"]), (&json!(dora.id()), &json!(live)));
    let clear = json!({ "type": "typing_start", "room_id": scene.room, "sealed": live });
    let mut other = Client::in_rooms(house, &scene.anna, &[scene.room]).await;
    assert_eq!(other.try_ask(clear).await.unwrap_err(), "room_is_open");
}
