//! Every event of seed 004 @API, with exactly its names and fields.

use bytes::Bytes;
use hearth_protocol::event::Line;
use hearth_protocol::ids::{EventId, RoomId};
use hearth_protocol::role::RoomRole;
use hearth_protocol::topic::Topic;
use hearth_store::{Change, Edit};

use super::*;
use crate::accounts::member;

/// The names of an object's fields, sorted.
fn fields(event: &Value) -> Vec<&str> {
    let mut names: Vec<_> = event.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_message_and_what_becomes_of_it_reaches_everyone_in_the_room() {
    let scene = Scene::new().await;
    let Scene { house, anna, ben, room, .. } = &scene;
    let mut hers = Client::in_rooms(house, anna, &[*room]).await;
    let mut his = Client::in_rooms(house, ben, &[*room]).await;
    let id = EventId::new(1, [7; 10]);
    let message = json!({ "type": "send_message", "room_id": room, "content": "Hi", "id": id });
    let ack = hers.ask(message.clone()).await;
    assert_eq!(fields(&ack), ["message", "ref", "type"]);
    for client in [&mut hers, &mut his] {
        let created = client.hear("message_created").await;
        assert_eq!(fields(&created), ["message", "room_id", "type"]);
        assert_eq!((&created["room_id"], &created["message"]), (&json!(room), &ack["message"]));
        assert_eq!(created["message"]["content"], "Hi");
        assert_eq!(created["message"]["sender"], json!(anna.id));
        assert_eq!(created["message"]["kind"], "text");
    }
    // The same once more is the same message, and nobody hears of it.
    assert_eq!(hers.ask(message).await["message"]["position"], ack["message"]["position"]);
    scene.post(anna, json!({ "type": "edit", "target": id, "content": "Hello" })).await;
    let updated = his.hear("message_updated").await;
    assert_eq!(fields(&updated), ["message", "position", "room_id", "type"]);
    let path = format!("/api/rooms/{room}/messages");
    let page = house.get(&path, ben).await.is(200);
    assert_eq!(updated["message"], page["messages"][0]);
    assert_eq!(updated["message"]["content"], "Hello");
    let submit = |user, payload: Value| {
        let sender = hearth_protocol::event::Sender::Person(user);
        house.app.submit(crate::ingest::Submission {
            room: *room,
            sender,
            payload: payload.to_string().into(),
            packet: None,
            can_be_refused: true,
        })
    };
    for (on, name) in [(true, "reaction_added"), (false, "reaction_removed")] {
        let react = json!({ "type": "react", "target": id, "emoji": "👍", "on": on });
        submit(ben.id, react).await.unwrap();
        let reaction = hers.hear(name).await;
        let names = ["emoji", "message_id", "position", "room_id", "type", "user"];
        assert_eq!(fields(&reaction), names);
        assert_eq!((&reaction["emoji"], &reaction["message_id"]), (&json!("👍"), &json!(id)));
        assert_eq!(reaction["user"]["name"], "ben");
    }
    submit(anna.id, json!({ "type": "delete", "target": id })).await.unwrap();
    let deleted = his.hear("message_deleted").await;
    assert_eq!(fields(&deleted), ["message_id", "position", "room_id", "type"]);
    assert_eq!(deleted["message_id"], json!(id));
    let rest = his.all().await;
    assert!(rest.iter().all(|event| event["type"] != "message_created"), "{rest:?}");
}

#[tokio::test]
async fn who_comes_and_goes_is_told_and_who_went_hears_nothing_more() {
    let scene = Scene::new().await;
    let Scene { house, anna, ben, cleo, room } = &scene;
    let mut hers = Client::in_rooms(house, anna, &[*room]).await;
    let mut his = Client::in_rooms(house, ben, &[*room]).await;
    let state = house.app.membership.room(*room).unwrap();
    let now = crate::testing::BEGINS_MS;
    let put = Edit::PutMember(member(&state.room, cleo.id, RoomRole::Member, now));
    let mut change = Change::of(vec![put], now);
    change.line(*room, Line::Joined { user: cleo.id, by: None }, EventId::new(now, [1; 10]));
    house.app.store.change(change).await.unwrap();
    let joined = hers.hear("user_joined").await;
    assert_eq!(fields(&joined), ["position", "room_id", "type", "user"]);
    assert_eq!((&joined["user"]["name"], &joined["position"]), (&json!("cleo"), &json!(1)));
    house.app.remove_member(&state, ben.id, Some(anna.id)).await.unwrap();
    let left = hers.hear("user_left").await;
    assert_eq!(fields(&left), ["position", "room_id", "type", "user_id"]);
    assert_eq!(left["user_id"], json!(ben.id));
    let left = his.hear("user_left").await;
    assert_eq!(fields(&left), ["room_id", "type", "user_id"]);
    assert_eq!(left["user_id"], json!(ben.id));
    scene.post(anna, json!({ "content": "He is gone" })).await;
    house.app.broker.publish(&Topic::Receipts(*room), Bytes::from_static(b"{}"), true);
    hers.hear("message_created").await;
    hers.hear("receipts_updated").await;
    let heard = his.all().await;
    assert!(
        heard.iter().all(|event| event["room_id"] != json!(room) || event["type"] == "user_joined"),
        "{heard:?}"
    );
}

#[tokio::test]
async fn a_room_that_is_deleted_is_left_by_all() {
    let scene = Scene::new().await;
    let Scene { house, ben, room, .. } = &scene;
    let mut his = Client::in_rooms(house, ben, &[*room]).await;
    house.change(vec![Edit::RemoveRoom { room: *room, by: scene.anna.id }]).await;
    assert_eq!(his.hear("user_left").await["room_id"], json!(room));
    let join = json!({ "type": "join_room", "room_id": room });
    assert_eq!(his.try_ask(join).await.unwrap_err(), "not_found");
}

#[tokio::test(start_paused = true)]
async fn typing_is_heard_by_the_others_and_ends_by_itself_after_five_seconds() {
    let scene = Scene::new().await;
    let Scene { house, anna, ben, room, .. } = &scene;
    let mut hers = Client::in_rooms(house, anna, &[*room]).await;
    let mut his = Client::in_rooms(house, ben, &[*room]).await;
    let mut mqtt = house.app.broker.link(&["hearth/rooms/+/live/+"], 8).unwrap();
    let began = tokio::time::Instant::now();
    hers.ask(json!({ "type": "typing_start", "room_id": room })).await;
    let typing = his.hear("user_typing").await;
    assert_eq!(fields(&typing), ["room_id", "type", "user_id"]);
    assert_eq!(typing["user_id"], json!(anna.id));
    let heard = mqtt.recv().await.unwrap();
    assert_eq!(heard.topic, Topic::Live(*room, anna.id).to_string());
    assert_eq!(heard.payload, r#"{"type":"typing","on":true}"#);
    let stopped = his.hear("user_stopped_typing").await;
    assert_eq!((&stopped["user_id"], began.elapsed().as_secs()), (&json!(anna.id), 5));
    hers.ask(json!({ "type": "typing_start", "room_id": room })).await;
    hers.ask(json!({ "type": "typing_stop", "room_id": room })).await;
    his.hear("user_typing").await;
    his.hear("user_stopped_typing").await;
    assert_eq!(began.elapsed().as_secs(), 5, "at once");
    // By MQTT, in clear; a sealed payload or a call says nothing.
    let live = Topic::Live(*room, anna.id);
    for payload in [&b"\x01sealed"[..], br#"{"type":"call"}"#, br#"{"type":"typing","on":true}"#] {
        house.app.broker.publish(&live, Bytes::from_static(payload), false);
    }
    his.hear("user_typing").await;
    let heard = hers.all().await;
    assert!(
        heard
            .iter()
            .all(|event| event["user_id"] != json!(anna.id) || event["type"] == "presence_updated"),
        "{heard:?}"
    );
}

#[tokio::test]
async fn presence_reaches_those_who_share_a_room_and_the_inbox_its_owner() {
    let scene = Scene::new().await;
    let Scene { house, anna, ben, cleo, room } = &scene;
    let mut hers = Client::new(house, anna);
    let mut strangers = Client::new(house, cleo);
    let his = Client::new(house, ben);
    let online = loop {
        let heard = hers.hear("presence_updated").await;
        if heard["user_id"] == json!(ben.id) {
            break heard;
        }
    };
    assert_eq!(fields(&online), ["last_seen", "status", "status_text", "type", "user_id"]);
    assert_eq!(online["status"], "online");
    let doorbell = json!({ "type": "notification", "notification": { "id": "x" } });
    for bell in [json!({ "type": "refused" }), json!([]), doorbell] {
        house.app.broker.publish(&Topic::Inbox(anna.id), bell.to_string().into(), false);
    }
    let notification = hers.hear("notification").await;
    assert_eq!(fields(&notification), ["notification", "type"]);
    assert_eq!(notification["notification"], json!({ "id": "x" }));
    let heard = strangers.all().await;
    assert!(heard.iter().all(|event| event["user_id"] == json!(cleo.id)), "{heard:?}");
    // Who follows a room is told who of its members is there.
    let mut later = Client::in_rooms(house, anna, &[*room]).await;
    let heard = later.all().await;
    let of_ben = |event: &&Value| event["user_id"] == json!(ben.id);
    assert_eq!(heard.iter().filter(of_ben).count(), 1, "{heard:?}");
    drop(his);
}

#[tokio::test]
async fn what_does_not_read_is_an_error_and_the_connection_goes_on() {
    let scene = Scene::new().await;
    let mut client = Client::new(&scene.house, &scene.anna);
    let room = scene.room;
    let nested = "[".repeat(100_000);
    for (text, code) in [
        ("", "bad_json"),
        ("{", "bad_json"),
        (nested.as_str(), "bad_json"),
        ("\"join_room\"", "bad_event"),
        ("{}", "unknown_event"),
        (r#"{"type":7}"#, "unknown_event"),
        (r#"{"type":"message_created"}"#, "unknown_event"),
        (r#"{"type":"join_room"}"#, "bad_event"),
        (r#"{"type":"join_room","room_id":"Kitchen"}"#, "bad_event"),
        (r#"{"type":"read_message","message_id":1}"#, "bad_event"),
        (r#"{"type":"leave_room","ref":{}}"#, "bad_event"),
    ] {
        client.to.try_send(Frame::Text(text.to_string())).unwrap();
        let error = client.hear("error").await;
        assert_eq!(error["code"], code, "{text:.60}: {error}");
        assert_eq!(fields(&error), ["code", "hint", "message", "type"]);
    }
    client.to.try_send(Frame::Binary).unwrap();
    assert_eq!(client.hear("error").await["code"], "not_text");
    for reference in [json!(7), json!("a-b"), json!("x".repeat(62))] {
        client.say(json!({ "type": "nothing", "ref": reference }));
        let error = client.hear("error").await;
        assert_eq!((&error["ref"], &error["code"]), (&reference, &json!("unknown_event")));
    }
    client.say(json!({ "type": "leave_room", "room_id": room, "ref": "x".repeat(63) }));
    assert_eq!(client.hear("error").await["code"], "bad_event");
    client.ask(json!({ "type": "leave_room", "room_id": RoomId::new(1, [9; 10]) })).await;
}
