//! The same act at each door (REST, `/api/ws`, MQTT) has the same effect and is heard at all
//! others; the same refusal has the same code. And how `/api/ws` and the stream of notifications
//! end with the box.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::{BufRead, BufReader, Read, Write};
use std::time::{Duration, Instant};

use hearth_protocol::ids::EventId;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::PubAckReason;
use serde_json::{Value, json};
use system_tests::clients::{Browser, Phone};
use system_tests::{House, Person};

/// Nothing takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Rest,
    WebSocket,
    Mqtt,
}

const DOORS: [Door; 3] = [Door::Rest, Door::WebSocket, Door::Mqtt];

/// Anna acts, at any door; Ben listens, at all of them.
struct Scene {
    house: House,
    anna: Person,
    ben: Person,
    room: String,
    acts: (Browser, Phone),
    hears: (Browser, Phone),
    made: u64,
}

impl Scene {
    async fn new() -> Scene {
        Scene::of(House::with(&["--limit", "messages_per_10_s=0"])).await
    }

    async fn of(house: House) -> Scene {
        let [anna, ben] = ["anna", "ben"].map(|name| house.person(name));
        let room = house.open_room(&anna, "Kitchen");
        house.join(&ben, &room);
        let acts = (Browser::open(&house, &anna).await, Phone::open(&house, &anna).await);
        let mut hears = (Browser::open(&house, &ben).await, Phone::open(&house, &ben).await);
        let join = json!({ "type": "join_room", "room_id": room });
        hears.0.ask(join).await.unwrap();
        Scene { house, anna, ben, room, acts, hears, made: 0 }
    }

    fn id(&mut self) -> EventId {
        self.made += 1;
        EventId::new(self.made, [7; 10])
    }

    /// A message with these fields, at a door: done, or the refusal's code.
    async fn say(&mut self, door: Door, room: &str, message: &Value) -> Result<(), String> {
        match door {
            Door::Rest => {
                let path = format!("/api/rooms/{room}/messages");
                let body = Some(message.clone());
                let (status, reply) = self.house.call("POST", &path, Some(&self.anna), body);
                let refused = || reply["code"].as_str().unwrap().to_string();
                if status < 300 { Ok(()) } else { Err(refused()) }
            }
            Door::WebSocket => {
                let mut event = json!({ "type": "send_message", "room_id": room });
                let fields = message.as_object().unwrap().clone();
                event.as_object_mut().unwrap().extend(fields);
                self.acts.0.ask(event).await.map(drop)
            }
            Door::Mqtt => self.acts.1.publish(room, message).await,
        }
    }

    /// What Ben hears next of the room, over MQTT, which must be what his browser hears.
    async fn heard(&mut self, kind: &str) -> (Value, Value) {
        let event = self.hears.0.hear(kind).await;
        (event, self.hears.1.hear("/out").await)
    }

    fn newest(&self) -> Value {
        self.house.messages(&self.ben, &self.room).pop().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_at_one_door_is_heard_at_all_others() {
    let mut scene = Scene::new().await;
    let room = scene.room.clone();
    for door in DOORS {
        let id = scene.id();
        let text = format!("by {door:?}");
        let message = json!({ "id": id, "content": text });
        scene.say(door, &room, &message).await.unwrap();
        let (event, item) = scene.heard("message_created").await;
        for seen in [&event["message"], &item, &scene.newest()] {
            assert_eq!((&seen["id"], &seen["content"]), (&json!(id), &json!(text)), "{door:?}");
            assert_eq!(seen["sender"], json!(scene.anna.id), "{door:?}");
            assert_eq!(seen["position"], item["position"], "{door:?}");
        }
        // Once more at each door it is the same one, and nothing new is heard.
        for again in DOORS {
            scene.say(again, &room, &message).await.unwrap();
        }
        // Edits, reactions and erasures come by REST or MQTT: the seed has no event for them.
        let edit = json!({ "type": "edit", "target": id, "content": "better" });
        let other = if door == Door::Mqtt { Door::Rest } else { Door::Mqtt };
        scene.say(other, &room, &edit).await.unwrap();
        let (event, item) = scene.heard("message_updated").await;
        assert_eq!(event["message"], scene.newest(), "{door:?}");
        assert_eq!((&event["message"]["content"], &item["target"]), (&json!("better"), &json!(id)));
        for (on, name) in [(true, "reaction_added"), (false, "reaction_removed")] {
            let react = json!({ "type": "react", "target": id, "emoji": "🔥", "on": on });
            scene.say(Door::Mqtt, &room, &react).await.unwrap();
            let (event, item) = scene.heard(name).await;
            assert_eq!((&event["message_id"], &event["emoji"]), (&item["target"], &json!("🔥")));
            assert_eq!(event["user"]["id"], json!(scene.anna.id));
        }
        let erase = json!({ "type": "delete", "target": id });
        scene.say(Door::Mqtt, &room, &erase).await.unwrap();
        let (event, item) = scene.heard("message_deleted").await;
        assert_eq!((&event["message_id"], &item["target"]), (&json!(id), &json!(id)));
        assert_eq!(event["position"], item["position"]);
        assert_eq!(scene.newest()["content"], "[deleted]");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_door_refuses_all_refuse_with_the_same_code() {
    let mut scene = Scene::new().await;
    let room = scene.room.clone();
    let (house, ben) = (&scene.house, &scene.ben);
    let strange = json!({ "name": "Bens", "type": "private", "sealing": "open" });
    let (_, bens) = house.call("POST", "/api/rooms", Some(ben), Some(strange));
    let bens = bens["id"].as_str().unwrap().to_string();
    let path = format!("/api/rooms/{room}/messages");
    let (_, taken) = house.call("POST", &path, Some(ben), Some(json!({ "content": "Ben's" })));
    let nowhere = hearth_protocol::ids::RoomId::new(1, [9; 10]).to_string();
    let rows = [
        (&room, json!({ "content": "" }), "bad_event"),
        (&room, json!({ "content": "x".repeat(10_001) }), "bad_event"),
        (&room, json!({ "content": "x", "parent_id": 7 }), "bad_event"),
        (&room, json!({ "content": "x", "id": taken["id"] }), "id_taken"),
        (&bens, json!({ "content": "x" }), "not_found"),
        (&nowhere, json!({ "content": "x" }), "not_found"),
    ];
    for (room, message, code) in rows {
        for door in DOORS {
            let refused = scene.say(door, room, &message).await.unwrap_err();
            assert_eq!(refused, code, "{door:?}");
        }
    }
    scene.say(Door::Rest, &room, &json!({ "content": "the first that is taken" })).await.unwrap();
    let (event, item) = scene.heard("message_created").await;
    assert_eq!(event["message"]["content"], "Ben's");
    assert_eq!(item["content"], "Ben's");
    let (event, item) = scene.heard("message_created").await;
    assert_eq!(event["message"]["content"], "the first that is taken");
    assert_eq!(item["content"], "the first that is taken");
}

/// The `Retry-After` of a message that REST refuses, in s.
fn refused_by_rest(house: &House, who: &Person, room: &str) -> u64 {
    let mut stream = std::net::TcpStream::connect(house.http).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let body = json!({ "content": "one too many" }).to_string();
    let request = format!(
        "POST /api/rooms/{room}/messages HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        house.http,
        who.token,
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 429 ") && answer.contains("too_fast"), "{answer}");
    let header = |line: &str| line.to_ascii_lowercase().strip_prefix("retry-after: ")?.parse().ok();
    answer.lines().find_map(header).expect("it says when to come back")
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_messages_in_ten_seconds_are_taken_at_all_doors_together() {
    let mut scene = Scene::of(House::start()).await;
    let room = scene.room.clone();
    let began = Instant::now();
    for number in 0..10 {
        let message = json!({ "content": number.to_string() });
        scene.say(DOORS[number % 3], &room, &message).await.unwrap();
    }
    let one_more = json!({ "type": "send_message", "room_id": room, "content": "x" });
    let retry_s = refused_by_rest(&scene.house, &scene.anna, &room);
    assert!((1..=10).contains(&retry_s), "{retry_s}");
    let refused = scene.acts.0.answer(one_more).await;
    assert_eq!((&refused["type"], &refused["code"]), (&json!("error"), &json!("too_fast")));
    assert!(refused["retry_after_ms"].as_u64().unwrap() <= 10_000, "{refused}");
    let ack = scene.acts.1.acknowledged(&room, &json!({ "content": "x" })).await;
    assert_eq!(ack.reason, PubAckReason::QuotaExceeded, "0x97");
    // Ben's ten are his own.
    scene.house.call(
        "POST",
        &format!("/api/rooms/{room}/messages"),
        Some(&scene.ben),
        Some(json!({ "content": "Ben's" })),
    );
    // MQTT 3.1.1 cannot be told no: it waits for its turn.
    let (host, port) = (scene.house.mqtt.ip().to_string(), scene.house.mqtt.port());
    let mut options = rumqttc::MqttOptions::new("anna-old", host, port);
    options.set_credentials("anna", &scene.anna.token);
    let (client, mut events) = rumqttc::AsyncClient::new(options, 4);
    events.network_options.set_connection_timeout(PATIENCE.as_secs());
    let topic = format!("hearth/rooms/{room}/in");
    client.publish(topic, rumqttc::QoS::AtLeastOnce, false, "the eleventh").await.unwrap();
    let acknowledged = async {
        while !matches!(
            events.poll().await.unwrap(),
            rumqttc::Event::Incoming(rumqttc::Packet::PubAck(_))
        ) {}
    };
    tokio::time::timeout(PATIENCE, acknowledged).await.expect("it is acknowledged in the end");
    assert!(began.elapsed() >= Duration::from_secs(10), "{:?}", began.elapsed());
    let stored = scene.house.messages(&scene.ben, &room);
    let texts: Vec<_> = stored.iter().map(|item| item["content"].as_str().unwrap()).collect();
    assert_eq!(texts[10..], ["Ben's", "the eleventh"], "what was refused is not there");
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_coming_and_going_are_heard_across_the_doors() {
    let mut scene = Scene::new().await;
    let room = scene.room.clone();
    let start = json!({ "type": "typing_start", "room_id": room });
    scene.acts.0.ask(start).await.unwrap();
    let live = format!("/live/{}", scene.anna.id);
    assert_eq!(scene.hears.1.hear(&live).await, json!({ "type": "typing", "on": true }));
    assert_eq!(scene.hears.0.hear("user_typing").await["user_id"], json!(scene.anna.id));
    let topic = format!("hearth/rooms/{room}/live/{}", scene.anna.id);
    let stop = json!({ "type": "typing", "on": false }).to_string();
    scene.acts.1.client.publish(topic, QoS::AtMostOnce, false, stop).await.unwrap();
    // Sent with the next poll.
    scene.acts.1.publish(&room, &json!({ "content": "sent" })).await.unwrap();
    let stopped = scene.hears.0.hear("user_stopped_typing").await;
    assert_eq!(stopped["user_id"], json!(scene.anna.id));
    let carl = scene.house.person("carl");
    let phone = Phone::open(&scene.house, &carl).await;
    scene.house.join(&carl, &room);
    let joined = scene.hears.0.hear("user_joined").await;
    assert_eq!(joined["user"]["name"], "carl");
    // Who shares a room from now on is seen from now on.
    let there = loop {
        let heard = scene.hears.0.hear("presence_updated").await;
        if heard["user_id"] == json!(carl.id) && heard["status"] == "online" {
            break heard;
        }
    };
    assert_eq!(there["status_text"], "");
    drop(phone);
    let leave = format!("/api/rooms/{room}/leave");
    scene.house.call("POST", &leave, Some(&carl), None);
    assert_eq!(scene.hears.0.hear("user_left").await["user_id"], json!(carl.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_says_goodbye_and_who_comes_back_has_missed_nothing() {
    // Requests that are under way when it stops would have two minutes.
    let limits = ["--limit", "messages_per_10_s=0", "--limit", "http_linger_ms_max=120000"];
    let mut scene = Scene::of(House::with(&limits)).await;
    let room = scene.room.clone();
    let message = json!({ "content": "before" });
    scene.say(Door::WebSocket, &room, &message).await.unwrap();
    let before = scene.hears.0.hear("message_created").await["message"]["position"].clone();
    scene.say(Door::WebSocket, &room, &json!({ "content": "acknowledged" })).await.unwrap();
    let mut stream = std::net::TcpStream::connect(scene.house.http).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "GET /api/notifications/stream HTTP/1.1\r\nHost: [::1]\r\nAuthorization: Bearer {}\r\n\r\n",
        scene.ben.token
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = BufReader::new(stream);
    let mut first = String::new();
    answer.read_line(&mut first).unwrap();
    assert_eq!(first.trim(), "HTTP/1.1 200 OK");
    let began = Instant::now();
    let mut house = scene.house;
    let stopping = tokio::task::spawn_blocking(move || {
        house.stop();
        house
    });
    let code = loop {
        if let Err(code) = scene.hears.0.next().await {
            break code;
        }
    };
    assert_eq!(code, 1001);
    drop((scene.hears, scene.acts));
    let mut rest = String::new();
    answer.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "the stream is whole: {rest:?}");
    let mut house = stopping.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    house.restart();
    let mut back = Browser::open(&house, &scene.ben).await;
    let join = json!({ "type": "join_room", "room_id": room, "after": before });
    back.ask(join).await.unwrap();
    let created = back.hear("message_created").await;
    assert_eq!(created["message"]["content"], "acknowledged");
}
