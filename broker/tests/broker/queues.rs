//! What waits for a session is bounded in number and bytes; nobody else misses anything.

use super::support::{Client, connect, house, properties, text};
use futures_util::{SinkExt, StreamExt};
use rmqtt_codec::v5::{Codec, Connect, Packet};
use tokio_util::codec::Framed;

fn stay(connect: &mut Connect) {
    connect.clean_start = false;
    connect.session_expiry_interval_secs = 100;
}

async fn takes(client: &mut Client, numbers: std::ops::Range<u32>) {
    for n in numbers {
        assert_eq!(client.take().await, n.to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn messages_waiting_for_a_session() {
    let house = house(|limits| limits.queued_messages_max = 3);
    let (mut client, _) = house.connect("a", stay).await;
    client.subscribe("t", 1).await;
    client.disconnect().await;
    let mut reader = house.client("r").await;
    reader.subscribe("t", 1).await;
    let mut other = house.client("b").await;
    for n in 0..5 {
        assert_eq!(other.publish("t", &n.to_string()).await, 0);
        takes(&mut reader, n..n + 1).await;
    }
    assert_eq!(house.broker.counts().dropped, 2);
    let (mut client, _) = house.connect("a", stay).await;
    takes(&mut client, 0..3).await;
    client.nothing().await;
    other.publish("t", "5").await;
    takes(&mut client, 5..6).await;
}

#[tokio::test(start_paused = true)]
async fn bytes_waiting_for_a_session() {
    let house = house(|limits| limits.queued_bytes_max = 2_000);
    let (mut client, _) = house.connect("a", stay).await;
    client.subscribe("t", 1).await;
    client.disconnect().await;
    let mut reader = house.client("r").await;
    reader.subscribe("t", 1).await;
    let mut other = house.client("b").await;
    for _ in 0..5 {
        other.publish("t", &"x".repeat(900)).await;
        assert_eq!(reader.take().await.len(), 900);
    }
    assert_eq!(house.broker.counts().dropped, 3);
}

#[tokio::test(start_paused = true)]
async fn what_travels_beside_a_payload_is_counted_too() {
    let house = house(|limits| {
        limits.queued_bytes_max = 2_000;
        limits.retained_bytes_max = 2_000;
    });
    let (mut client, _) = house.connect("a", stay).await;
    client.subscribe("t", 1).await;
    client.disconnect().await;
    let mut other = house.client("b").await;
    for retain in [false, false, false, true, true] {
        let code = other
            .publish_with("t", "x", |p| {
                p.retain = retain;
                properties(p).content_type = Some("y".repeat(500).into());
                properties(p).user_properties = vec![("".into(), "".into()); 5];
            })
            .await;
        assert_eq!(code, 0);
    }
    assert_eq!(house.broker.counts().dropped, 3);
    let large = |p: &mut _| properties(p).user_properties = vec![("".into(), "".into()); 100];
    let code = other
        .publish_with("u", "x", |p| {
            p.retain = true;
            large(p);
        })
        .await;
    assert_eq!(code, 0x97);
}

#[tokio::test(start_paused = true)]
async fn plain_messages_at_qos_1_for_a_reader_that_stalls() {
    let house = house(|limits| limits.queued_messages_max = 100);
    let mut stalled = Framed::new(house.stream(256, 1), Codec::new(0, 0));
    stalled.send(Packet::Connect(Box::new(connect("a")))).await.unwrap();
    stalled.next().await.unwrap().unwrap();
    let subscribe = b"\x82\x07\x00\x01\x00\x00\x01t\x01";
    tokio::io::AsyncWriteExt::write_all(stalled.get_mut(), subscribe).await.unwrap();
    stalled.next().await.unwrap().unwrap();
    let mut reader = house.client("r").await;
    reader.subscribe("t", 1).await;
    let mut other = house.client("b").await;
    for n in 0..2_000 {
        assert_eq!(other.publish("t", &format!("{n:0>200}")).await, 0);
        assert_eq!(reader.take().await.parse(), Ok(n));
    }
    let dropped = house.broker.counts().dropped;
    // What is not dropped is queued, under way to the client or on its way there.
    assert!((1_700..=1_900).contains(&dropped), "{dropped}");
    let mut last = None;
    for _ in dropped..2_000 {
        let (Packet::Publish(heard), _) = stalled.next().await.unwrap().unwrap() else {
            panic!("no PUBLISH");
        };
        let number: u64 = text(&heard).parse().unwrap();
        assert!(last < Some(number));
        last = Some(number);
        let ack = rmqtt_codec::v5::PublishAck {
            packet_id: heard.packet_id.unwrap(),
            ..Default::default()
        };
        stalled.send(Packet::PublishAck(ack)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_that_wait_for_the_gate_of_one_account_over_its_connections() {
    let house = house(|limits| limits.pending_bytes_per_identity_max = 2_000);
    let held = "x".repeat(900);
    let mut first = house.client("a").await;
    let mut second = house.client("b").await;
    for client in [&mut first, &mut second] {
        client.push("hold/t", &held, 1).await;
        client.nothing().await;
    }
    let mut third = house.client("c").await;
    third.push("hold/t", &held, 1).await;
    assert_eq!(third.bye().await, 0x97);
    let mut other = house.client_as("o", "other").await;
    other.push("hold/t", &held, 1).await;
    other.nothing().await;
    house.gate.open.send_replace(true);
    for client in [&mut first, &mut second] {
        assert!(matches!(client.next().await, Packet::PublishAck(_)));
    }
    let mut third = house.client("c").await;
    assert_eq!(third.publish("hold/t", &held).await, 0);
}

#[tokio::test(start_paused = true)]
async fn bytes_on_their_way_to_one_account_over_its_sessions() {
    // A message counts for 917.
    let house = house(|limits| limits.queued_bytes_per_identity_max = 2_800);
    let text = "x".repeat(900);
    for id in ["a", "b", "c"] {
        let (mut client, _) = house.connect(id, stay).await;
        client.subscribe(id, 1).await;
        client.disconnect().await;
    }
    let mut reader = house.client_as("r", "other").await;
    reader.subscribe("+", 1).await;
    let mut other = house.client_as("o", "other").await;
    let mut publish = async |topic: &str| {
        assert_eq!(other.publish(topic, &text).await, 0);
        assert_eq!(reader.take().await, text);
        house.broker.counts().dropped
    };
    for (topic, dropped) in [("a", 0), ("a", 0), ("b", 0), ("a", 1), ("b", 2)] {
        assert_eq!(publish(topic).await, dropped, "{topic}");
    }
    // A session that has nothing gets one whatever the others hold.
    assert_eq!([publish("c").await, publish("c").await], [2, 3]);
    // What is under way and not acknowledged counts on.
    let (mut client, _) = house.connect("a", stay).await;
    let held = [client.heard().await, client.heard().await];
    assert_eq!(publish("b").await, 4);
    for packet in held {
        client.ack(packet.packet_id.unwrap()).await;
    }
    client.nothing().await;
    assert_eq!(publish("b").await, 4);
    for (id, count) in [("b", 2), ("c", 1)] {
        let (mut client, _) = house.connect(id, stay).await;
        for _ in 0..count {
            assert_eq!(client.take().await, text);
        }
        client.nothing().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_session_that_is_over_shared_does_not_count_twice_when_another_gets_it() {
    let house = house(|limits| limits.queued_bytes_per_identity_max = 2_000);
    let text = "x".repeat(900);
    let (mut over, _) = house.connect("a", stay).await;
    over.subscribe("$share/g/t", 1).await;
    over.disconnect().await;
    let mut other = house.client_as("o", "other").await;
    for _ in 0..2 {
        other.publish("t", &text).await;
    }
    let mut stays = house.client("b").await;
    stays.subscribe("$share/g/t", 1).await;
    // A clean start ends the session.
    house.client("a").await;
    for _ in 0..2 {
        assert_eq!(stays.take().await, text);
    }
    assert_eq!(house.broker.counts().dropped, 0);
}
