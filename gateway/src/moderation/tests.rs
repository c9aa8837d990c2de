//! The windows, and that every door counts in the same one.

use std::sync::Arc;

use futures_util::FutureExt;
use hearth_broker::{Gate, Publish, Qos, Verdict, Version};
use hearth_protocol::ids::{DeviceId, RoomId, TokenId, UserId};
use hearth_protocol::principal::Principal;
use hearth_protocol::role::{HouseRole, RoomType, Sealing};
use hearth_store::{AppToken, Edit};

use super::*;
use crate::gate::HouseGate;
use crate::testing::{Answered, House, Person, washer};

const ANNA: Act = Act::Write(Sender::Person(UserId::from_bytes([1; 16])));

#[test]
fn ten_in_ten_seconds_go_and_the_eleventh_waits_or_is_told_when() {
    let (rates, limits) = (Rates::default(), Limits::default());
    for at in 0..10 {
        assert_eq!(rates.count(ANNA, at * 100, Patience::Short, &limits), Pace::Go);
    }
    assert_eq!(rates.count(ANNA, 1_000, Patience::Short, &limits), Pace::TooFast(9_000));
    assert_eq!(rates.count(ANNA, 7_999, Patience::Short, &limits), Pace::TooFast(2_001));
    assert_eq!(rates.count(ANNA, 8_000, Patience::Short, &limits), Pace::Wait(2_000));
    // The next slot is that of the second message, at 10,100.
    assert_eq!(rates.count(ANNA, 8_100, Patience::Short, &limits), Pace::Wait(2_000));
    assert_eq!(rates.count(ANNA, 8_100, Patience::Short, &limits), Pace::TooFast(2_100));
    assert_eq!(rates.count(ANNA, 20_200, Patience::Short, &limits), Pace::Go);
}

/// tokio's time, which a test can move.
struct Paused(tokio::time::Instant);

impl Clock for Paused {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_told_no_waits_in_line() {
    let (rates, limits) = (Rates::default(), Limits::default());
    let clock = Paused(tokio::time::Instant::now());
    let taken = Mutex::new(vec![]);
    let all = (0..25).map(|number| {
        let (rates, limits, clock, taken) = (&rates, &limits, &clock, &taken);
        async move {
            rates.in_turn(ANNA, clock, limits).await.unwrap();
            taken.lock().unwrap().push((number, clock.now_ms() / 1_000));
        }
    });
    futures_util::future::join_all(all).await;
    let expected: Vec<_> = (0..25).map(|number| (number, number / 10 * 10)).collect();
    assert_eq!(*taken.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_has_taken_nobodys_room() {
    let (rates, limits) = (Rates::default(), Limits::default());
    let clock = Paused(tokio::time::Instant::now());
    let mut all: Vec<_> =
        (0..6_500).map(|_| Box::pin(rates.in_turn(ANNA, &clock, &limits))).collect();
    let now = all.iter_mut().filter_map(|one| one.as_mut().now_or_never()).count();
    assert_eq!(now, 10);
    drop(all);
    assert_eq!(rates.count(ANNA, 9_999, Patience::None, &limits), Pace::TooFast(1));
    assert_eq!(rates.count(ANNA, 10_000, Patience::None, &limits), Pace::Go);
    // Lines in which nobody stands are forgotten.
    for number in 0..3_000_u32 {
        let mut bytes = [2; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        let act = Act::Write(Sender::Person(UserId::from_bytes(bytes)));
        rates.in_turn(act, &clock, &limits).await.unwrap();
    }
    assert!(rates.lines.lock().unwrap().len() <= WINDOWS_KEPT);
}

#[test]
fn a_device_has_its_own_window_and_zero_lifts_the_limit() {
    let (rates, mut limits) = (Rates::default(), Limits::default());
    let washer = Act::Write(Sender::Device(DeviceId::from_bytes([2; 16])));
    for _ in 0..60 {
        assert_eq!(rates.count(washer, 0, Patience::Short, &limits), Pace::Go);
    }
    assert_eq!(rates.count(washer, 0, Patience::Short, &limits), Pace::TooFast(60_000));
    limits.posts_per_60_s = 0;
    assert_eq!(rates.count(washer, 0, Patience::Short, &limits), Pace::Go);
}

#[test]
fn acts_that_are_refused_at_once_have_windows_of_their_own() {
    let (rates, limits) = (Rates::default(), Limits::default());
    let anna = UserId::from_bytes([1; 16]);
    let hour = 3_600_000;
    for (act, max, window) in [
        (Act::Report(anna), 30, hour),
        (Act::Invite(anna), 60, hour),
        (Act::Contact(anna), 60, hour),
        (Act::Line(anna), 20, 60_000),
        (Act::Live(anna), 50, 10_000),
    ] {
        for _ in 0..max {
            assert_eq!(rates.count(act, 0, Patience::None, &limits), Pace::Go, "{act:?}");
        }
        assert_eq!(rates.count(act, 0, Patience::None, &limits), Pace::TooFast(window));
        assert_eq!(rates.count(act, window - 1, Patience::None, &limits), Pace::TooFast(1));
        assert_eq!(rates.count(act, window, Patience::None, &limits), Pace::Go);
    }
}

#[test]
fn who_went_is_forgotten() {
    let (rates, limits) = (Rates::default(), Limits::default());
    let person = |number: u32| {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        Act::Write(Sender::Person(UserId::from_bytes(bytes)))
    };
    for number in 0..20_000 {
        // A hundred in each 10 s.
        rates.count(person(number), u64::from(number) * 100, Patience::Short, &limits);
        assert!(rates.windows() <= WINDOWS_KEPT + 1);
    }
    // All at once: none is forgotten, for none is over; later all are.
    for number in 0..5_000 {
        rates.count(person(number), 3_000_000, Patience::Short, &limits);
    }
    assert!(rates.windows() >= 5_000);
    for number in 0..5_000 {
        rates.count(person(50_000 + number), 3_010_000, Patience::Short, &limits);
    }
    assert!(rates.windows() <= 10_000, "{}", rates.windows());
}

/// A house with somebody in a room of theirs and a device there.
struct Doors {
    house: House,
    gate: HouseGate,
    anna: Person,
    app_of_anna: Arc<Principal>,
    device: Arc<Principal>,
    room: RoomId,
}

impl Doors {
    async fn new() -> Doors {
        let house = House::new().await;
        let anna = house.person("anna", HouseRole::Owner).await;
        let room = house.room(RoomType::Private, Sealing::Open, &[&anna]).await;
        let (id, token) = (DeviceId::from_bytes([4; 16]), TokenId::from_bytes([5; 16]));
        let device = washer(id, room, anna.id);
        let app_token = AppToken {
            id: token,
            user: anna.id,
            label: String::new(),
            hash: [8; 32],
            created_at: 1,
            last_used_at: 1,
            scope: None,
        };
        house.change(vec![Edit::PutDevice(device), Edit::PutToken(app_token)]).await;
        let gate = HouseGate::new(&house.app);
        let device = Arc::new(Principal::Device { device: id, room });
        let app_of_anna = Arc::new(Principal::App { user: anna.id, token });
        Doors { house, gate, anna, app_of_anna, device, room }
    }

    async fn rest(&self) -> Answered {
        let path = format!("/api/rooms/{}/messages", self.room);
        self.house.post(&path, &self.anna, serde_json::json!({ "content": "x" })).await
    }

    async fn mqtt(&self, who: &Arc<Principal>) -> Result<Verdict, Refusal> {
        let topic = match **who {
            Principal::Device { device, room } => format!("hearth/rooms/{room}/door/{device}"),
            _ => format!("hearth/rooms/{}/in", self.room),
        };
        let publish = Publish {
            topic: topic.into(),
            payload: "x".into(),
            qos: Qos::AtLeastOnce,
            retain: false,
            properties: Default::default(),
            version: Version::V5,
            once: None,
        };
        self.gate.accept(who.clone(), publish).await
    }
}

#[tokio::test]
async fn ten_messages_in_ten_seconds_are_counted_over_rest_and_mqtt_together() {
    let doors = Doors::new().await;
    for _ in 0..5 {
        doors.rest().await.is(201);
        assert_eq!(doors.mqtt(&doors.app_of_anna).await, Ok(Verdict::Handled));
    }
    let refused = doors.rest().await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_fast"));
    assert_eq!(refused.headers["retry-after"], "10");
    let refused = doors.mqtt(&doors.app_of_anna).await.unwrap_err();
    assert_eq!((refused.kind.reason_code(), refused.code), (0x97, "too_fast"));
    // Whoever else writes has a window of their own.
    assert_eq!(doors.mqtt(&doors.device).await, Ok(Verdict::Handled));
    doors.house.later(10_000);
    doors.rest().await.is(201);
    assert_eq!(doors.mqtt(&doors.app_of_anna).await, Ok(Verdict::Handled));
}

#[tokio::test]
async fn a_device_posts_sixty_times_a_minute() {
    let doors = Doors::new().await;
    for _ in 0..60 {
        assert_eq!(doors.mqtt(&doors.device).await, Ok(Verdict::Handled));
    }
    let refused = doors.mqtt(&doors.device).await.unwrap_err();
    assert_eq!(refused.kind, Kind::TooMany { retry_after_ms: 60_000 });
    doors.house.later(60_000);
    assert_eq!(doors.mqtt(&doors.device).await, Ok(Verdict::Handled));
}

#[tokio::test]
async fn invites_are_counted_per_person() {
    let house = House::with(Limits { invites_per_hour: 1, ..Limits::default() }).await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let room = house.room(RoomType::Private, Sealing::Open, &[&anna]).await;
    let invite = |code: &str| {
        let expires_at = crate::testing::BEGINS_MS + 60_000;
        let hash = hearth_protocol::bytes::b64u(&[1; 32]);
        serde_json::json!({ "code": code, "auth_hash": hash, "blob": "AAAA", "uses": 1,
                            "expires_at": expires_at, "bundles": [] })
    };
    let path = format!("/api/rooms/{room}/invites");
    house.post(&path, &anna, invite("ABCDEFGHJK")).await.is(201);
    assert_eq!(house.post(&path, &anna, invite("ABCDEFGHJM")).await.code(), "too_fast");
}

#[tokio::test]
async fn lines_of_the_box_are_counted_per_person_whatever_causes_them() {
    let house = House::with(Limits { lines_per_60_s: 4, ..Limits::default() }).await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let room = house.room(RoomType::Public, Sealing::Open, &[&anna, &ben]).await;
    let none = serde_json::Value::Null;
    let (join, leave) = (format!("/api/rooms/{room}/join"), format!("/api/rooms/{room}/leave"));
    for _ in 0..2 {
        house.post(&leave, &ben, none.clone()).await.is(204);
        house.post(&join, &ben, none.clone()).await.is(200);
    }
    // Who is in it joins again for nothing.
    house.post(&join, &ben, none.clone()).await.is(200);
    let refused = house.post(&leave, &ben, none.clone()).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_fast"));
    assert_eq!(refused.headers["retry-after"], "60");
    // What changes nothing is none, and the log does not tell of it.
    let path = format!("/api/rooms/{room}");
    for same in [serde_json::json!({}), serde_json::json!({ "name": " Kitchen " })] {
        for _ in 0..5 {
            house.call("PUT", &path, Some(&anna), same.clone()).await.is(200);
        }
    }
    assert!(house.app.store.audit(None, 9).await.unwrap().is_empty());
    let head = house.app.store.head(room).await.unwrap();
    let (about, path) = ("description", format!("/api/rooms/{room}"));
    for text in ["a", "b"] {
        let change = serde_json::json!({ about: text });
        house.call("PUT", &path, Some(&anna), change).await.is(200);
    }
    for role in ["admin", "member"] {
        let path = format!("/api/rooms/{room}/members/{}/role", ben.id);
        let role = serde_json::json!({ "role": role });
        house.call("PATCH", &path, Some(&anna), role).await.is(200);
    }
    let keep = serde_json::json!({ "keep_days": 9 });
    assert_eq!(house.call("PUT", &path, Some(&anna), keep).await.code(), "too_fast");
    let rename = serde_json::json!({ "name": "Hall" });
    let refused = house.call("PUT", &path, Some(&anna), rename.clone()).await;
    assert_eq!(refused.code(), "too_fast");
    assert_eq!(house.app.store.head(room).await.unwrap().0, head.0 + 4);
    house.later(60_000);
    house.call("PUT", &path, Some(&anna), rename).await.is(200);
    house.post(&leave, &ben, none).await.is(204);
}

#[tokio::test]
async fn what_changes_something_by_rest_is_counted_per_person() {
    let house = House::with(Limits { changes_per_60_s: 2, ..Limits::default() }).await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let ben = house.person("ben", HouseRole::Member).await;
    let room = house.room(RoomType::Private, Sealing::Open, &[&anna, &ben]).await;
    let (me, busy) = ("/api/users/me", serde_json::json!({ "status_text": "cooking" }));
    for _ in 0..2 {
        house.call("PATCH", me, Some(&ben), busy.clone()).await.is(200);
    }
    let refused = house.call("PATCH", me, Some(&ben), busy.clone()).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_fast"));
    assert_eq!(refused.headers["retry-after"], "60");
    let read = house.call("PATCH", "/api/notifications/read-all", Some(&ben), busy.clone()).await;
    assert_eq!(read.code(), "too_fast", "whatever it changes");
    // To read is no change, a message has its own pace, and everybody theirs.
    house.get("/api/auth/me", &ben).await.is(200);
    let path = format!("/api/rooms/{room}/messages");
    house.post(&path, &ben, serde_json::json!({ "content": "hi" })).await.is(201);
    house.call("PATCH", me, Some(&anna), busy.clone()).await.is(200);
    house.later(60_000);
    house.call("PATCH", me, Some(&ben), busy).await.is(200);
}
