//! History is the queue: cursors, `after=`, and what was missed (design §3).

use std::num::NonZeroU16;

use super::support::{Client, House, house, out, room, stay, text};
use hearth_protocol::ids::{Position, RoomId};
use rmqtt_codec::v5::Connect;

async fn after(client: &mut Client, filter: &str, room: RoomId, position: u64) -> u8 {
    let property = ("after".into(), format!("{room}:{position}").into());
    client.subscribe_with(filter, 1, |s| s.user_properties = vec![property]).await
}

async fn takes(client: &mut Client, texts: &[&str]) {
    for text in texts {
        assert_eq!(client.take().await, *text);
    }
}

fn posts(house: &House, room: RoomId, texts: &[&str]) {
    for text in texts {
        house.post(room, text);
    }
}

#[tokio::test]
async fn without_after_a_subscription_starts_at_the_head() {
    let house = house(|_| {});
    posts(&house, room(1), &["1", "2"]);
    let mut client = house.client("a").await;
    assert_eq!(client.subscribe(&out(room(1)), 2).await, 1, "granted at most QoS 1");
    posts(&house, room(1), &["3", "4"]);
    takes(&mut client, &["3", "4"]).await;
    client.nothing().await;
}

#[tokio::test]
async fn after_starts_where_the_client_says_also_below_a_wildcard() {
    let house = house(|_| {});
    posts(&house, room(1), &["1", "2", "3"]);
    let mut client = house.client("a").await;
    assert_eq!(after(&mut client, "hearth/rooms/+/out", room(1), 1).await, 1);
    takes(&mut client, &["2", "3"]).await;
    posts(&house, room(1), &["4"]);
    takes(&mut client, &["4"]).await;
    let mut other = house.client("b").await;
    assert_eq!(after(&mut other, &out(room(1)), room(1), 0).await, 1);
    takes(&mut other, &["1", "2", "3", "4"]).await;
    other.nothing().await;
}

#[tokio::test]
async fn after_reads_what_was_stored_before_the_broker_started() {
    let house = house(|_| {});
    for text in ["1", "2", "3"] {
        house.store(room(1), text);
    }
    let mut client = house.client("a").await;
    after(&mut client, "hearth/rooms/+/out", room(1), 0).await;
    takes(&mut client, &["1", "2", "3"]).await;
    posts(&house, room(1), &["4"]);
    takes(&mut client, &["4"]).await;
}

#[tokio::test]
async fn after_asks_nothing_about_rooms_that_may_not_be_read() {
    let house = house(|_| {});
    house.store(room(1), "1");
    house.gate.hidden.lock().unwrap().insert(out(room(1)));
    let mut client = house.client("a").await;
    assert_eq!(after(&mut client, "hearth/rooms/+/out", room(1), 0).await, 1);
    client.nothing().await;
    assert_eq!(*house.gate.backlogs.lock().unwrap(), [], "history of a hidden room was asked");
}

#[tokio::test]
async fn an_after_that_is_none_is_refused() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    let property = ("after".into(), "here:1".into());
    let answer = client.subscribe_with("#", 1, |s| s.user_properties = vec![property]).await;
    assert_eq!(answer, 0x83);
}

#[tokio::test]
async fn who_was_away_gets_the_rest_in_order_however_long() {
    let house = house(|limits| limits.backlog_events_max = 7);
    let (mut client, _) = house.connect("a", stay).await;
    client.subscribe("hearth/rooms/+/out", 1).await;
    posts(&house, room(1), &["1"]);
    takes(&mut client, &["1"]).await;
    client.disconnect().await;
    for n in 2..=300 {
        house.post(room(1), &n.to_string());
        house.post(room(2), &n.to_string());
    }
    let (mut client, ack) = house.connect("a", stay).await;
    assert!(ack.session_present);
    let (mut one, mut two) = (1, 1);
    for _ in 0..598 {
        let heard = client.heard().await;
        let next = if heard.topic == out(room(1)) { &mut one } else { &mut two };
        *next += 1;
        assert_eq!(super::support::text(&heard), next.to_string());
        client.ack(heard.packet_id.unwrap()).await;
    }
    assert_eq!((one, two), (300, 300));
    posts(&house, room(1), &["live"]);
    takes(&mut client, &["live"]).await;
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_marked_as_duplicate() {
    let house = house(|_| {});
    let (mut client, _) = house.connect("a", stay).await;
    client.subscribe(&out(room(1)), 1).await;
    posts(&house, room(1), &["1", "2"]);
    let first = client.heard().await;
    let second = client.heard().await;
    client.ack(second.packet_id.unwrap()).await;
    client.nothing().await;
    client.disconnect().await;
    posts(&house, room(1), &["3"]);
    let (mut client, _) = house.connect("a", stay).await;
    let again = client.heard().await;
    assert!(again.dup);
    assert_eq!((again.packet_id, &again.payload), (first.packet_id, &first.payload));
    takes(&mut client, &["3"]).await;
    client.nothing().await;
}

#[tokio::test]
async fn a_subscription_at_qos_0_gets_what_is_live() {
    let house = house(|_| {});
    let (mut client, _) = house.connect("a", stay).await;
    assert_eq!(client.subscribe(&out(room(1)), 0).await, 0);
    posts(&house, room(1), &["1"]);
    assert_eq!(client.heard().await.packet_id, None);
    client.disconnect().await;
    posts(&house, room(1), &["missed"]);
    let (mut client, _) = house.connect("a", stay).await;
    client.nothing().await;
    posts(&house, room(1), &["3"]);
    takes(&mut client, &["3"]).await;
}

#[tokio::test]
async fn an_event_that_the_bus_never_saw_is_read_before_the_next_one() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    client.subscribe(&out(room(1)), 1).await;
    posts(&house, room(1), &["1"]);
    takes(&mut client, &["1"]).await;
    house.store(room(1), "2");
    house.store(room(1), "3");
    posts(&house, room(1), &["4"]);
    takes(&mut client, &["2", "3", "4"]).await;
    client.nothing().await;
}

#[tokio::test]
async fn the_gate_hears_what_was_acknowledged_at_qos_1_and_nothing_of_qos_0() {
    let house = house(|_| {});
    let mut one = house.client("a").await;
    one.subscribe(&out(room(1)), 1).await;
    let mut live = house.client("b").await;
    live.subscribe(&out(room(2)), 0).await;
    posts(&house, room(1), &["1", "2"]);
    posts(&house, room(2), &["3"]);
    takes(&mut one, &["1", "2"]).await;
    takes(&mut live, &["3"]).await;
    // Each connection has dealt with all it was sent before.
    one.nothing().await;
    live.nothing().await;
    let acknowledged = house.gate.acknowledged.lock().unwrap().clone();
    assert_eq!(acknowledged, [1, 2].map(|position| (room(1), Position(position))));
}

#[tokio::test(start_paused = true)]
async fn history_that_was_read_for_an_account_and_not_taken_is_bounded() {
    // Before a page is read it counts for 200 bytes, and then for the 100 that it has.
    let house = house(|limits| {
        (limits.queued_bytes_max, limits.history_bytes_per_identity_max) = (400, 250);
    });
    let text = "x".repeat(50);
    for _ in 0..2 {
        house.store(room(1), &text);
    }
    let reader = async |id: &str, name: &str| {
        let one_at_a_time = |connect: &mut Connect| {
            connect.receive_max = 1.try_into().ok();
            connect.username = Some(name.to_string().into());
        };
        let (mut client, _) = house.connect(id, one_at_a_time).await;
        after(&mut client, &out(room(1)), room(1), 0).await;
        client
    };
    let backlogs = || house.gate.backlogs.lock().unwrap().len();
    let mut first = reader("a", "anna").await;
    let held = first.heard().await;
    let mut second = reader("b", "anna").await;
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    second.nothing().await;
    assert_eq!(backlogs(), 1);
    let mut other = reader("c", "ben").await;
    assert_eq!(other.take().await, text);
    first.ack(held.packet_id.unwrap()).await;
    assert_eq!(first.take().await, text);
    for _ in 0..2 {
        assert_eq!(second.take().await, text);
    }
}

/// So many events, not acknowledged, and then nothing more.
async fn held(client: &mut Client, count: usize) -> Vec<(String, NonZeroU16)> {
    let mut held = vec![];
    for _ in 0..count {
        let heard = client.heard().await;
        held.push((text(&heard), heard.packet_id.unwrap()));
    }
    client.nothing().await;
    held
}

#[tokio::test(start_paused = true)]
async fn events_that_an_account_does_not_acknowledge_are_bounded_over_its_sessions() {
    // An event counts for 953: two are less, three are more.
    let house = house(|limits| limits.queued_bytes_per_identity_max = 2_500);
    let texts: Vec<_> = (0..5).map(|n| format!("{n:0>900}")).collect();
    for sent in &texts {
        house.store(room(1), sent);
    }
    let mut first = house.client("a").await;
    after(&mut first, &out(room(1)), room(1), 0).await;
    let mut got = held(&mut first, 3).await;
    let mut second = house.client("b").await;
    after(&mut second, &out(room(1)), room(1), 0).await;
    let (one, id) = held(&mut second, 1).await.remove(0);
    assert_eq!(one, texts[0], "a session that has nothing gets one");
    let mut other = house.client_as("o", "other").await;
    after(&mut other, &out(room(1)), room(1), 0).await;
    takes(&mut other, &texts[..3].iter().map(String::as_str).collect::<Vec<_>>()).await;
    second.ack(id).await;
    let (two, _) = held(&mut second, 1).await.remove(0);
    assert_eq!(two, texts[1]);
    for (_, id) in got.clone() {
        first.ack(id).await;
    }
    got.extend(held(&mut first, 2).await);
    let heard: Vec<_> = got.into_iter().map(|(text, _)| text).collect();
    assert_eq!(heard, texts, "nothing is lost");
}
