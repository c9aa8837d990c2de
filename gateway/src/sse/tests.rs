//! The stream of notifications: what it tells, to whom, and when it ends.

use bytes::Bytes;
use hearth_protocol::grant::Access;
use hearth_protocol::ids::RoomId;
use hearth_protocol::limits::Limits;
use hearth_protocol::role::HouseRole;
use hearth_store::{Edit, Notification, NotificationKind, Scope};
use serde_json::json;
use tokio::task::JoinHandle;

use super::*;
use crate::role_tests::{Cell, HOUSE_ROLES, KINDS, PLACES};
use crate::testing::{BEGINS_MS, House, Person};

const ROOM: RoomId = RoomId::from_bytes([3; 16]);

fn alert(to: &Person, number: u8) -> Notification {
    let created_at = BEGINS_MS + u64::from(number);
    Notification {
        id: NotificationId::new(created_at, [number; 10]),
        recipient: to.id,
        kind: NotificationKind::Mention,
        room: ROOM,
        event: None,
        position: None,
        by: None,
        created_at,
        read: false,
    }
}

async fn view(house: &House, alert: &Notification) -> Value {
    shown(&house.app.notification_view(alert.clone()).await.unwrap()).unwrap()
}

/// Stores a notification and rings.
async fn ring(house: &House, to: &Person, number: u8) -> Notification {
    let alert = alert(to, number);
    house.change(vec![Edit::PutNotification(alert.clone())]).await;
    let view = view(house, &alert).await;
    let bell = json!({ "type": "notification", "notification": view }).to_string();
    house.app.broker.publish(&Topic::Inbox(to.id), bell.into(), false);
    alert
}

/// The stream as it stands when it has ended.
fn stream(house: &House, who: &Person, last: Option<&str>) -> JoinHandle<(u16, String, String)> {
    let mut request = warp::test::request()
        .path("/api/notifications/stream")
        .header("authorization", format!("Bearer {}", who.token));
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let routes = house.routes.clone();
    tokio::spawn(async move {
        let response = request.reply(&routes).await;
        let kind = response.headers()["content-type"].to_str().unwrap().to_string();
        let text = String::from_utf8(response.body().to_vec()).unwrap();
        (response.status().as_u16(), kind, text)
    })
}

/// Lets everything else go on until so many listen.
async fn listening(house: &House, count: usize) {
    while house.app.feed.listeners() != count {
        tokio::task::yield_now().await;
    }
}

/// Ids and data of the events in a stream.
fn events(text: &str) -> Vec<(String, Value)> {
    let mut events = vec![];
    for event in text.split("\n\n").filter(|event| event.contains("data:")) {
        let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        assert_eq!(field("event:"), "notification");
        events.push((field("id:").to_string(), serde_json::from_str(field("data:")).unwrap()));
    }
    events
}

#[tokio::test]
async fn what_comes_is_told_with_its_id_until_the_login_ends() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let reading = stream(&house, &anna, None);
    listening(&house, 1).await;
    // Other doorbells, and other people's, are not for this stream.
    let refused = Bytes::from_static(br#"{"type":"refused"}"#);
    house.app.broker.publish(&Topic::Inbox(anna.id), refused, false);
    ring(&house, &ben, 1).await;
    let alert = ring(&house, &anna, 2).await;
    // The link hands on one after the other.
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    house.change(vec![Edit::RemoveSession(anna.session)]).await;
    let (status, kind, text) = reading.await.unwrap();
    assert_eq!((status, kind.as_str()), (200, "text/event-stream"));
    let expected = vec![(alert.id.to_string(), view(&house, &alert).await)];
    assert_eq!(events(&text), expected);
    listening(&house, 0).await;
}

#[tokio::test]
async fn who_comes_back_gets_what_came_after_the_last_one_and_nothing_twice() {
    let limits = Limits { page_entries_max: 3, ..Limits::default() };
    let house = House::with(limits).await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let mut all = vec![];
    for number in 1..=9 {
        all.push(ring(&house, &anna, number).await.id.to_string());
    }
    for known in [0, 1, 3, 6, 8, 9] {
        let before = NotificationId::lowest(BEGINS_MS).to_string();
        let last = if known == 0 { before } else { all[known - 1].clone() };
        let reading = stream(&house, &anna, Some(&last));
        listening(&house, 1).await;
        // Rung once more while it is replayed: it is the same one.
        let alert = alert(&anna, 9);
        let view = house.app.notification_view(alert.clone()).await.unwrap();
        let bell = json!({ "type": "notification", "notification": view }).to_string();
        if known < 9 {
            house.app.broker.publish(&Topic::Inbox(anna.id), bell.into(), false);
        }
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        house.app.feed.end(|_| true, crate::feed::seat::End::Disconnected);
        let (_, _, text) = reading.await.unwrap();
        let ids: Vec<_> = events(&text).into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, all[known..], "after {known}");
        listening(&house, 0).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_shows_a_sign_of_life_every_fifteen_seconds() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let reading = stream(&house, &anna, None);
    listening(&house, 1).await;
    tokio::time::sleep(Duration::from_secs(46)).await;
    house.app.feed.close().await;
    let (_, _, text) = reading.await.unwrap();
    assert_eq!(text.matches(":here\n").count(), 3, "{text:?}");
}

#[tokio::test]
async fn who_may_not_listen_is_told_so() {
    let house = House::with(Limits { listeners_per_identity_max: 1, ..Limits::default() }).await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let path = "/api/notifications/stream";
    assert_eq!(house.call("GET", path, None, Value::Null).await.code(), "sign_in");
    assert_eq!(stream(&house, &anna, Some("x")).await.unwrap().0, 400);
    let reading = stream(&house, &anna, None);
    listening(&house, 1).await;
    assert_eq!(house.get(path, &anna).await.status, 429);
    house.app.feed.close().await;
    reading.await.unwrap();
    assert_eq!(house.get(path, &anna).await.code(), "stopping");
}

#[tokio::test]
async fn the_stream_tells_of_rooms_as_the_table_says() {
    for kind in KINDS {
        for role in HOUSE_ROLES {
            for place in PLACES {
                let cell = Cell::new(kind, role, place).await;
                let what = format!("{role:?}, {place:?} of a {kind:?} room");
                let reading = stream(&cell.house, &cell.who, None);
                listening(&cell.house, 1).await;
                cell.calls().await;
                cell.house.app.alert().await.unwrap();
                for _ in 0..200 {
                    tokio::task::yield_now().await;
                }
                cell.house.app.feed.end(|_| true, crate::feed::seat::End::Disconnected);
                let (_, _, text) = reading.await.unwrap();
                assert_eq!(events(&text).len(), usize::from(place.is_some()), "{what}: {text}");
            }
        }
    }
}

#[tokio::test]
async fn a_token_that_is_not_for_reading_or_for_some_rooms_opens_no_stream() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let token = async |access, rooms| {
        let scope = Some(Scope { access, rooms });
        let text = house.app.auth.make_app_token(anna.id, "x", scope).await.unwrap().1;
        Person { token: text, ..anna.clone() }
    };
    let path = "/api/notifications/stream";
    let writer = token(Access::Write, None).await;
    let of_a_room = token(Access::Both, Some(vec![ROOM])).await;
    for who in [writer, of_a_room] {
        assert_eq!(house.get(path, &who).await.code(), "out_of_scope");
    }
    let reader = token(Access::Read, None).await;
    let reading = stream(&house, &reader, None);
    listening(&house, 1).await;
    house.app.feed.close().await;
    assert_eq!(reading.await.unwrap().0, 200);
}
