//! A reader that stalls costs bounded memory and misses nothing of its rooms.

use super::support::{Client, connect, house, out, room, text};
use futures_util::{SinkExt, StreamExt};
use hearth_protocol::limits::Limits;
use rmqtt_codec::v5::{Codec, Packet};
use tokio_util::codec::Framed;

/// `make torture` says more.
fn event_count() -> usize {
    std::env::var("HEARTH_EVENTS").map_or(100_000, |count| count.parse().unwrap())
}

/// Takes events up to a number, each in its turn.
async fn takes(client: &mut Client, numbers: std::ops::RangeInclusive<usize>) {
    for n in numbers {
        assert_eq!(client.take().await, format!("{n:0>20}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tiny_ring_and_a_stalled_subscriber_end_complete_and_in_order() {
    let count = event_count();
    let house = house(|limits| limits.bus_ring_bytes = 4_096);
    let (mut stalled, _) = house.connect("stalled", |c| c.receive_max = 8.try_into().ok()).await;
    stalled.subscribe("hearth/rooms/+/out", 1).await;
    let mut fast = house.client("fast").await;
    fast.subscribe("hearth/rooms/+/out", 1).await;
    house.post(room(1), &format!("{:0>20}", 1));
    let first = stalled.heard().await;
    let fast = tokio::spawn(async move {
        takes(&mut fast, 1..=count).await;
        fast.nothing().await;
    });
    for n in 2..=count {
        house.post(room(1), &format!("{n:0>20}"));
        if n % 100 == 0 {
            tokio::task::yield_now().await;
        }
    }
    fast.await.unwrap();
    stalled.ack(first.packet_id.unwrap()).await;
    takes(&mut stalled, 2..=count).await;
    stalled.nothing().await;
    let counts = house.broker.counts();
    let pages = count / Limits::default().backlog_events_max;
    assert!(counts.backlogs > pages.try_into().unwrap(), "the ring was not tiny: {counts:?}");
    assert_eq!(counts.dropped, 0);
}

#[tokio::test]
async fn many_events_at_once_do_not_stop_a_reader() {
    // rumqttd tells a link to come back after 200 notifications, and is silent until it does.
    let house = house(|_| {});
    let mut client = house.client("a").await;
    client.subscribe(&out(room(1)), 0).await;
    for n in 1..=3_000 {
        house.post(room(1), &n.to_string());
    }
    for n in 1..=3_000 {
        assert_eq!(client.take().await, n.to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn plain_messages_for_a_stalled_reader_are_dropped_and_counted() {
    let house = house(|limits| limits.queued_messages_max = 100);
    let mut stalled = Framed::new(house.stream(256, 1), Codec::new(0, 0));
    stalled.send(Packet::Connect(Box::new(connect("a")))).await.unwrap();
    stalled.next().await.unwrap().unwrap();
    let subscribe = b"\x82\x07\x00\x01\x00\x00\x01t\x00";
    tokio::io::AsyncWriteExt::write_all(stalled.get_mut(), subscribe).await.unwrap();
    stalled.next().await.unwrap().unwrap();
    let mut other = house.client("b").await;
    for n in 0..2_000 {
        other.push("t", &format!("{n:0>200}"), 0).await;
    }
    other.nothing().await;
    let dropped = house.broker.counts().dropped;
    assert!(dropped > 1_000, "{dropped}");
    let mut last = None;
    let mut heard = 0;
    while heard + dropped < 2_000 {
        let (Packet::Publish(publish), _) = stalled.next().await.unwrap().unwrap() else {
            panic!("no PUBLISH");
        };
        let number: u64 = text(&publish).parse().unwrap();
        assert!(last < Some(number));
        last = Some(number);
        heard += 1;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_at_all_is_given_up() {
    let house = house(|limits| limits.http_stall_ms_max = 10_000);
    let mut stalled = Framed::new(house.stream(256, 1), Codec::new(0, 0));
    stalled.send(Packet::Connect(Box::new(connect("a")))).await.unwrap();
    stalled.next().await.unwrap().unwrap();
    let subscribe = b"\x82\x07\x00\x01\x00\x00\x01t\x00";
    tokio::io::AsyncWriteExt::write_all(stalled.get_mut(), subscribe).await.unwrap();
    stalled.next().await.unwrap().unwrap();
    let mut other = house.client("b").await;
    let much = "x".repeat(2_000);
    other.push("t", &much, 0).await;
    // Who takes a little, now and then, stays.
    for _ in 0..4 {
        tokio::time::sleep(std::time::Duration::from_secs(6)).await;
        let mut some = [0; 100];
        tokio::io::AsyncReadExt::read_exact(stalled.get_mut(), &mut some).await.unwrap();
    }
    assert_eq!(house.broker.counts().connections, 2);
    tokio::time::sleep(std::time::Duration::from_secs(20)).await;
    other.nothing().await;
    assert_eq!(house.broker.counts().connections, 1);
}
