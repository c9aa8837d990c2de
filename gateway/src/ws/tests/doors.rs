//! Who comes in at `/api/ws` and what they may do there: the same rules as behind the other doors.

use bytes::Bytes;
use hearth_protocol::event::Class;
use hearth_protocol::grant::Access;
use hearth_protocol::ids::{EventId, RoomId};
use hearth_store::{Edit, EventKind, NewEvent, Once, Scope, Sentence};

use super::*;

/// An opening handshake that offers these subprotocols.
async fn knock(house: &House, offers: &[&str]) -> (u16, String) {
    let mut request = warp::test::request()
        .path("/api/ws")
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    if !offers.is_empty() {
        request = request.header("sec-websocket-protocol", offers.join(","));
    }
    let response = request.reply(&house.routes).await;
    let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    let chosen = response.headers().get("sec-websocket-protocol").map(|it| it.to_str().unwrap());
    let code = body["code"].as_str().or(chosen).unwrap_or_default().to_string();
    (response.status().as_u16(), code)
}

#[tokio::test]
async fn a_token_is_a_subprotocol_and_who_has_none_is_told_before_the_upgrade() {
    let scene = Scene::new().await;
    let house = &scene.house;
    let bearer = format!("bearer.{}", scene.anna.token);
    let both = format!("hearth.v1, {bearer}");
    let ok = (101, "hearth.v1".to_string());
    assert_eq!(knock(house, &[&both]).await, ok);
    assert_eq!(knock(house, &[&bearer, "hearth.v1"]).await, ok);
    for (offers, status, code) in [
        (vec![], 400, "no_subprotocol"),
        (vec![bearer.as_str()], 400, "no_subprotocol"),
        (vec!["mqtt", bearer.as_str()], 400, "no_subprotocol"),
        (vec!["hearth.v1"], 401, "sign_in"),
        (vec!["hearth.v1", "bearer."], 401, "wrong_token"),
        (vec!["hearth.v1", "bearer.eyJ"], 401, "wrong_token"),
    ] {
        assert_eq!(knock(house, &offers).await, (status, code.to_string()), "{offers:?}");
    }
    house.change(vec![Edit::RemoveSession(scene.anna.session)]).await;
    assert_eq!(knock(house, &[&both]).await, (401, "wrong_token".to_string()));
    // Nobody who was turned away keeps a seat; who was let in and never came does not either.
    assert_eq!(house.app.feed.listeners(), 0);
}

#[tokio::test]
async fn a_stranger_may_do_nothing_and_is_not_told_whether_there_is_a_room() {
    let scene = Scene::new().await;
    let mut client = Client::new(&scene.house, &scene.cleo);
    let message = scene.post(&scene.anna, json!({ "content": "x" })).await;
    let nowhere = RoomId::new(1, [9; 10]);
    for room in [json!(scene.room), json!(nowhere)] {
        for wish in ["join_room", "typing_start", "typing_stop", "send_message"] {
            let wish = json!({ "type": wish, "room_id": room, "content": "x" });
            assert_eq!(client.try_ask(wish.clone()).await.unwrap_err(), "not_found", "{wish}");
        }
    }
    for id in [message["id"].clone(), json!(EventId::new(1, [9; 10]))] {
        let read = json!({ "type": "read_message", "message_id": id });
        assert_eq!(client.try_ask(read).await.unwrap_err(), "not_found");
    }
    assert!(client.all().await.iter().all(|heard| heard["user_id"] == json!(scene.cleo.id)));
}

#[tokio::test]
async fn who_is_muted_sees_and_says_nothing() {
    let scene = Scene::new().await;
    let Scene { house, anna, ben, room, .. } = &scene;
    let mut client = Client::in_rooms(house, ben, &[*room]).await;
    let sentence = Sentence { by: anna.id, at: 1, reason: String::new(), until: None };
    house.change(vec![Edit::Mute { room: *room, user: ben.id, sentence: Some(sentence) }]).await;
    for wish in ["typing_start", "send_message"] {
        let wish = json!({ "type": wish, "room_id": room, "content": "x" });
        assert_eq!(client.try_ask(wish).await.unwrap_err(), "muted");
    }
    scene.post(anna, json!({ "content": "seen" })).await;
    assert_eq!(client.hear("message_created").await["message"]["content"], "seen");
}

#[tokio::test]
async fn a_message_is_what_rest_takes_and_nothing_else() {
    let scene = Scene::new().await;
    let Scene { house, anna, room, .. } = &scene;
    let mut client = Client::in_rooms(house, anna, &[*room]).await;
    let parent = scene.post(anna, json!({ "content": "first" })).await;
    let say = |more: Value| {
        let mut say = json!({ "type": "send_message", "room_id": room });
        say.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        say
    };
    let answer = json!({ "content": "second", "parent_id": parent["id"] });
    let answer = client.ask(say(answer)).await;
    assert_eq!(answer["message"]["parent_id"], parent["id"]);
    for (more, code) in [
        (json!({}), "bad_event"),
        (json!({ "content": "" }), "bad_event"),
        (json!({ "content": "x".repeat(10_001) }), "bad_event"),
        (json!({ "content": 7 }), "bad_event"),
        (json!({ "content": "x", "parent_id": "x" }), "bad_event"),
        (json!({ "sealed": "!" }), "bad_event"),
        (json!({ "sealed": "AQID" }), "room_is_open"),
        (json!({ "content": "x", "id": parent["id"] }), "taken"),
        (json!({ "content": "x".repeat(10_000) }), "taken"),
    ] {
        let code_of = client.try_ask(say(more.clone())).await.err();
        let shown: String = more.to_string().chars().take(80).collect();
        assert_eq!(code_of.unwrap_or("taken".into()), code, "{shown}");
    }
}

#[tokio::test]
async fn a_sealed_room_takes_no_text_and_shows_the_stub_that_rest_shows() {
    let scene = Scene::new().await;
    let Scene { house, anna, ben, .. } = &scene;
    let room = house.room(RoomType::Private, Sealing::Sealed, &[anna, ben]).await;
    let mut client = Client::in_rooms(house, ben, &[room]).await;
    let say = |more: (&str, &str)| {
        let mut say = json!({ "type": "send_message", "room_id": room });
        say[more.0] = json!(more.1);
        say
    };
    for (more, code) in
        [(("content", "plain"), "room_is_sealed"), (("sealed", "AQID"), "bad_sealed")]
    {
        assert_eq!(client.try_ask(say(more)).await.unwrap_err(), code);
    }
    let id = EventId::new(1, [5; 10]);
    let event = NewEvent {
        room,
        id: Some(id),
        sender: hearth_protocol::event::Sender::Person(anna.id),
        class: Class::Event,
        kind: EventKind::Sealed,
        parent: None,
        effect: hearth_store::Effect::None,
        body: Bytes::from_static(b"\x01sealed"),
        at_ms: crate::testing::BEGINS_MS,
        once: Once::Id,
        checked: house.app.membership.room(room).unwrap().room.version,
        fresh_id: id,
    };
    house.app.store.append(event).await.unwrap();
    let created = client.hear("message_created").await;
    let page = house.get(&format!("/api/rooms/{room}/messages"), ben).await.is(200);
    assert_eq!(created["message"], page["messages"][0]);
    assert_eq!(created["message"]["class"], 1);
}

#[tokio::test]
async fn a_message_is_read_as_by_the_other_doors() {
    let scene = Scene::new().await;
    let Scene { house, anna, ben, room, .. } = &scene;
    let mut client = Client::new(house, ben);
    let first = scene.post(anna, json!({ "content": "1" })).await;
    scene.post(anna, json!({ "content": "2" })).await;
    client.ask(json!({ "type": "read_message", "message_id": first["id"] })).await;
    let receipts = house.app.store.receipts(*room).await.unwrap();
    assert_eq!(receipts.len(), 1);
    assert_eq!((receipts[0].user, receipts[0].read.0), (ben.id, 1));
}

/// An app of Anna's with a token for less than she may do.
async fn app(scene: &Scene, access: Access, rooms: Option<Vec<RoomId>>) -> Client {
    let scope = Some(Scope { access, rooms });
    let (made, text) =
        scene.house.app.auth.make_app_token(scene.anna.id, "x", scope).await.unwrap();
    let offer = format!("hearth.v1, bearer.{text}");
    assert_eq!(knock(&scene.house, &[&offer]).await.0, 101);
    let who = Principal::App { user: scene.anna.id, token: made.id };
    Client::try_sit(&scene.house, who, 10_000).unwrap()
}

#[tokio::test]
async fn a_token_does_what_its_scope_says_and_nothing_else() {
    let scene = Scene::new().await;
    let Scene { house, anna, ben, room, .. } = &scene;
    let other = house.room(RoomType::Private, Sealing::Open, &[anna, ben]).await;
    let said = scene.post(ben, json!({ "content": "x" })).await;
    let path = format!("/api/rooms/{other}/messages");
    let elsewhere = house.post(&path, ben, json!({ "content": "x" })).await.is(201);
    let wishes = [
        json!({ "type": "join_room", "room_id": room }),
        json!({ "type": "join_room", "room_id": other }),
        json!({ "type": "send_message", "room_id": room, "content": "hi" }),
        json!({ "type": "send_message", "room_id": other, "content": "hi" }),
        json!({ "type": "typing_start", "room_id": room }),
        json!({ "type": "typing_stop", "room_id": other }),
        json!({ "type": "read_message", "message_id": said["id"] }),
        json!({ "type": "read_message", "message_id": elsewhere["id"] }),
    ];
    let (yes, no) = (true, false);
    for (access, rooms, may) in [
        (Access::Read, None, [yes, yes, no, no, no, no, no, no]),
        (Access::Write, None, [no, no, yes, yes, yes, yes, yes, yes]),
        (Access::Both, Some(vec![*room]), [yes, no, yes, no, yes, no, yes, no]),
        (Access::Read, Some(vec![*room]), [yes, no, no, no, no, no, no, no]),
    ] {
        let mut client = app(&scene, access, rooms.clone()).await;
        for (wish, may) in wishes.iter().zip(may) {
            let answer = client.try_ask(wish.clone()).await.map(|_| ());
            let expected = if may { Ok(()) } else { Err("out_of_scope".to_string()) };
            assert_eq!(answer, expected, "{access:?} {rooms:?}: {wish}");
        }
    }
}

#[tokio::test]
async fn a_token_for_a_room_hears_that_room_only() {
    let scene = Scene::new().await;
    let Scene { house, anna, ben, room, .. } = &scene;
    let mut client = app(&scene, Access::Both, Some(vec![*room])).await;
    client.ask(json!({ "type": "join_room", "room_id": room })).await;
    let _ben = Client::new(house, ben);
    let alert = json!({ "type": "notification", "notification": { "id": "1" } });
    house.app.ring(anna.id, &alert);
    scene.post(ben, json!({ "content": "here" })).await;
    assert_eq!(client.hear("message_created").await["message"]["content"], "here");
    let heard: Vec<_> = client.all().await.into_iter().map(|one| one["type"].clone()).collect();
    assert_eq!(heard, [] as [Value; 0], "no presence and no doorbell");
}
