//! What one client can take and send, and how a connection ends.

use std::time::Duration;

use hearth_protocol::ids::{RoomId, TokenId};
use hearth_protocol::principal::Account;
use hearth_protocol::topic::Topic;
use hearth_store::{AppToken, Edit};
use tokio::time::Instant;

use super::*;

fn person(who: &Person) -> Principal {
    Principal::Person { user: who.id, session: who.session }
}

#[tokio::test]
async fn an_event_has_so_many_bytes_and_no_more() {
    let scene = Scene::with(Limits { ws_frame_bytes_max: 200, ..Limits::default() }).await;
    let mut client = Client::new(&scene.house, &scene.anna);
    let of = |bytes: usize| {
        let text = json!({ "type": "leave_room", "room_id": scene.room, "ref": 1 }).to_string();
        text.clone() + &" ".repeat(bytes - text.len())
    };
    client.to.try_send(Frame::Text(of(201))).unwrap();
    assert_eq!(client.hear("error").await["code"], "too_large");
    client.to.try_send(Frame::Text(of(200))).unwrap();
    assert_eq!(client.hear("ack").await["ref"], 1);
}

#[tokio::test]
async fn a_connection_follows_so_many_rooms() {
    let scene = Scene::with(Limits { ws_rooms_max: 2, ..Limits::default() }).await;
    let Scene { house, anna, .. } = &scene;
    let mut rooms: Vec<RoomId> = vec![scene.room];
    for _ in 0..2 {
        rooms.push(house.room(RoomType::Public, Sealing::Open, &[anna]).await);
    }
    let mut client = Client::in_rooms(house, anna, &rooms[..2]).await;
    let join = |room| json!({ "type": "join_room", "room_id": room });
    assert_eq!(client.try_ask(join(rooms[2])).await.unwrap_err(), "limit_reached");
    client.ask(join(rooms[1])).await;
    client.ask(json!({ "type": "leave_room", "room_id": rooms[0] })).await;
    client.ask(join(rooms[2])).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_sends_so_many_events_in_ten_seconds_and_a_flood_ends_it() {
    let scene = Scene::with(Limits { ws_events_per_10_s: 3, ..Limits::default() }).await;
    let mut client = Client::new(&scene.house, &scene.anna);
    let leave = || json!({ "type": "leave_room", "room_id": scene.room });
    for _ in 0..3 {
        client.ask(leave()).await;
    }
    client.say(leave());
    let error = client.hear("error").await;
    assert_eq!((&error["code"], &error["retry_after_ms"]), (&json!("too_fast"), &json!(10_000)));
    tokio::time::sleep(Duration::from_secs(10)).await;
    client.ask(leave()).await;
    for _ in 0..6 {
        client.say(leave());
    }
    assert_eq!(client.ended().await, Bye::FLOOD);
}

#[tokio::test]
async fn the_same_rate_holds_as_behind_every_other_door() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let room = house.room(RoomType::Private, Sealing::Open, &[&anna]).await;
    let mut client = Client::new(&house, &anna);
    let path = format!("/api/rooms/{room}/messages");
    let say = json!({ "type": "send_message", "room_id": room, "content": "x" });
    for _ in 0..5 {
        house.post(&path, &anna, json!({ "content": "x" })).await.is(201);
        client.ask(say.clone()).await;
    }
    client.say(say);
    let error = client.hear("error").await;
    assert_eq!((&error["code"], &error["retry_after_ms"]), (&json!("too_fast"), &json!(10_000)));
    assert_eq!(house.post(&path, &anna, json!({ "content": "x" })).await.code(), "too_fast");
}

#[tokio::test]
async fn there_are_so_many_listeners_of_one_person_and_in_all() {
    let limits = Limits { listeners_per_identity_max: 2, listeners_max: 3, ..Limits::default() };
    let scene = Scene::with(limits).await;
    let Scene { house, anna, ben, cleo, .. } = &scene;
    let sit = |who: &Person| Client::try_sit(house, person(who), 10);
    let refused = |sat: Result<Client, ApiError>| sat.err().map(|ApiError(no)| no.code);
    let first = sit(anna).unwrap();
    let _second = sit(anna).unwrap();
    assert_eq!(refused(sit(anna)), Some("too_many_connections"));
    let _third = sit(ben).unwrap();
    assert_eq!(refused(sit(cleo)), Some("too_many_connections"));
    assert_eq!(house.app.feed.listeners(), 3);
    let Client { to, task, .. } = first;
    drop(to);
    task.await.unwrap();
    sit(cleo).unwrap();
}

#[tokio::test]
async fn a_slow_reader_holds_nobody_and_misses_no_event_of_its_rooms() {
    let limits = Limits { listener_items_max: 4, listener_bytes_max: 100, ..Limits::default() };
    let scene = Scene::with(limits).await;
    let Scene { house, anna, ben, room, .. } = &scene;
    let mut slow = Client::try_sit(house, person(ben), 1).unwrap();
    slow.ask(json!({ "type": "join_room", "room_id": room })).await;
    for number in 0..200 {
        scene.post(anna, json!({ "content": number.to_string() })).await;
    }
    for number in 0..200 {
        let created = slow.hear("message_created").await;
        assert_eq!(created["message"]["content"], number.to_string());
    }
}

#[tokio::test]
async fn who_does_not_take_what_is_kept_nowhere_has_to_come_back() {
    let scene = Scene::with(Limits { listener_items_max: 4, ..Limits::default() }).await;
    let Scene { house, ben, .. } = &scene;
    let slow = Client::try_sit(house, person(ben), 1).unwrap();
    let bell = json!({ "type": "notification", "notification": {} }).to_string();
    for _ in 0..50 {
        house.app.broker.publish(&Topic::Inbox(ben.id), bell.clone().into(), false);
        tokio::task::yield_now().await;
    }
    assert_eq!(slow.ended().await.code, 1013);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_to_two_pings_is_gone() {
    let scene = Scene::new().await;
    let mut client = Client::new(&scene.house, &scene.anna);
    let began = Instant::now();
    let mut pings = 0;
    let lives = |client: &Client| client.to.try_send(Frame::Pong).unwrap();
    while let Some(sent) = client.from.recv().await {
        if sent == Sent::Ping {
            pings += 1;
            assert_eq!(began.elapsed().as_secs(), 30 * pings);
            if pings <= 3 {
                lives(&client);
            }
        }
    }
    // The last sign of life came at 90 s.
    assert_eq!((pings, began.elapsed().as_secs()), (5, 180));
    assert_eq!(client.ended().await, Bye::GONE);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_is_given_up() {
    let scene = Scene::new().await;
    let Scene { house, anna, ben, room, .. } = &scene;
    let stuck = Client::try_sit(house, person(ben), 1).unwrap();
    stuck.say(json!({ "type": "join_room", "room_id": room }));
    for _ in 0..20 {
        scene.post(anna, json!({ "content": "x" })).await;
    }
    let began = Instant::now();
    let Client { task, bye, from, to, .. } = stuck;
    task.await.unwrap();
    assert_eq!((bye.lock().unwrap().unwrap().code, began.elapsed().as_secs()), (1013, 30));
    drop((from, to));
}

#[tokio::test]
async fn the_end_of_a_login_of_an_app_token_or_of_the_box_ends_a_connection_at_once() {
    let scene = Scene::new().await;
    let Scene { house, anna, ben, cleo, room } = &scene;
    let his = Client::in_rooms(house, ben, &[*room]).await;
    let mut hers = Client::in_rooms(house, anna, &[*room]).await;
    house.change(vec![Edit::RemoveSession(ben.session)]).await;
    let bye = his.ended().await;
    assert_eq!((bye.code, bye.reason.starts_with("session_ended")), (1008, true));
    let now = crate::testing::BEGINS_MS;
    let token = AppToken {
        id: TokenId::new(now, [1; 10]),
        user: ben.id,
        label: String::new(),
        hash: [1; 32],
        created_at: now,
        last_used_at: now,
        scope: None,
    };
    house.change(vec![Edit::PutToken(token.clone())]).await;
    let who = Principal::App { user: ben.id, token: token.id };
    let app = Client::try_sit(house, who, 10).unwrap();
    house.change(vec![Edit::RemoveToken(token.id)]).await;
    assert_eq!(app.ended().await.code, 1008);
    let theirs = Client::new(house, cleo);
    house.app.disconnect(cleo.id, None).await.unwrap();
    let bye = theirs.ended().await;
    assert_eq!((bye.code, bye.reason.starts_with("disconnected")), (1008, true));
    hers.ask(json!({ "type": "leave_room", "room_id": room })).await;
    house.app.feed.close().await;
    assert_eq!(hers.ended().await.code, 1001);
    let no = Client::try_sit(house, person(anna), 10).err().map(|ApiError(no)| no.code);
    assert_eq!(no, Some("stopping"));
    assert_eq!(house.app.feed.listeners(), 0);
    house.app.broker.disconnect(&Account::User(anna.id), hearth_broker::Reason::ShuttingDown);
    house.app.close().await;
}
