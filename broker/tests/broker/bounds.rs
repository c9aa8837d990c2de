//! Every bound of a connection has its refusal, and nobody else notices.

use super::support::{connect, house, publish, stay, will};
use rmqtt_codec::v3::ConnectAckReason as Reason3;
use rmqtt_codec::v5::Packet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test(start_paused = true)]
async fn connections_in_all() {
    let house = house(|limits| limits.connections_max = 1);
    let mut first = house.client("a").await;
    let ack = house.guest().hello("b", |_| {}).await;
    assert_eq!(u8::from(ack.reason_code), 0x89);
    assert_eq!(ack.reason_string.unwrap(), "too_many_connections: try again later");
    let (_, ack) = house.old("c", true).await;
    assert_eq!(ack.return_code, Reason3::ServiceUnavailable);
    first.nothing().await;
    first.disconnect().await;
    house.client("b").await;
}

#[tokio::test(start_paused = true)]
async fn connections_of_one_address() {
    let house = house(|limits| limits.connections_per_address_max = 1);
    let _first = house.client("a").await;
    let ack = house.guest().hello("b", |_| {}).await;
    assert_eq!(u8::from(ack.reason_code), 0x97);
    assert_eq!(ack.reason_string.unwrap(), "too_many_connections: try again later");
    let mut elsewhere = house.stream(1 << 16, 2);
    elsewhere.write_all(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01r").await.unwrap();
    let mut ack = [0; 4];
    elsewhere.read_exact(&mut ack).await.unwrap();
    assert_eq!(ack, [0x20, 2, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn connections_of_one_account() {
    let house = house(|limits| limits.connections_per_identity_max = 1);
    let _first = house.client("a").await;
    let ack = house.guest().hello("b", |_| {}).await;
    assert_eq!(u8::from(ack.reason_code), 0x97);
    assert!(ack.reason_string.unwrap().starts_with("too_many_sessions: "));
    house.connect("b", |c| c.username = Some("other".into())).await;
}

#[tokio::test(start_paused = true)]
async fn resting_sessions_of_one_account() {
    let house = house(|limits| limits.sessions_per_identity_max = 1);
    let (client, _) = house.connect("a", |c| c.session_expiry_interval_secs = 100).await;
    client.disconnect().await;
    let ack = house.guest().hello("b", |_| {}).await;
    assert_eq!(u8::from(ack.reason_code), 0x97);
    assert!(ack.reason_string.unwrap().starts_with("too_many_sessions: "));
    house.client_as("b", "other").await;
    house.client("a").await;
}

#[tokio::test(start_paused = true)]
async fn bytes_of_a_packet_before_and_after_connect() {
    let house = house(|limits| {
        limits.connect_bytes_max = 100;
        limits.packet_bytes_max = 1_000;
    });
    let ack = house.guest().hello("a", |c| c.password = Some(vec![0; 200].into())).await;
    assert_eq!(u8::from(ack.reason_code), 0x95);
    assert_eq!(ack.reason_string.unwrap(), "too_large: CONNECT");
    let mut other = house.client("b").await;
    let (mut client, ack) = house.connect("a", |_| {}).await;
    assert_eq!(ack.max_packet_size, Some(1_000));
    // Header 3, topic 2 + 1, properties 1: 993 bytes of payload make 1,000.
    client.push("t", &"x".repeat(993), 0).await;
    client.nothing().await;
    client.push("t", &"x".repeat(994), 0).await;
    assert_eq!(client.bye().await, 0x95);
    other.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn what_the_client_says_it_takes() {
    let house = house(|_| {});
    let (mut small, _) = house.connect("a", |c| c.max_packet_size = 30.try_into().ok()).await;
    small.subscribe("#", 1).await;
    let mut other = house.client("b").await;
    assert_eq!(other.publish("t", &"x".repeat(30)).await, 0);
    assert_eq!(other.publish("t", "short").await, 0);
    assert_eq!(small.take().await, "short");
    assert_eq!(house.broker.counts().dropped, 1);
}

#[tokio::test(start_paused = true)]
async fn subscriptions_and_what_a_filter_looks_like() {
    let house = house(|limits| {
        limits.subscriptions_max = 1;
        limits.topic_bytes_max = 20;
        limits.topic_levels_max = 3;
    });
    let mut client = house.client("a").await;
    assert_eq!(client.subscribe("a/b/c/d", 0).await, 0x8F);
    assert_eq!(client.subscribe(&"a".repeat(21), 0).await, 0x8F);
    assert_eq!(client.subscribe("one", 0).await, 0);
    assert_eq!(client.subscribe("two", 0).await, 0x97);
    assert_eq!(client.subscribe("one", 1).await, 1);
    assert_eq!(house.client("b").await.subscribe("two", 0).await, 0, "each session for itself");
    assert_eq!(client.publish("a/b/c/d", "").await, 0x90);
    assert_eq!(client.publish(&"a".repeat(21), "").await, 0x90);
    assert_eq!(client.publish("a/b/c", "").await, 0);
    for topic in ["a/b/c/d", &"a".repeat(21)] {
        let ack = house.guest().hello("w", |c| c.last_will = Some(will(topic, 0))).await;
        assert_eq!(u8::from(ack.reason_code), 0x90);
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_has_so_many_subscriptions_over_all_its_sessions() {
    let house = house(|limits| limits.subscriptions_per_identity_max = 3);
    let (mut one, _) = house.connect("1", stay).await;
    let mut two = house.client("2").await;
    assert_eq!(one.subscribe("a", 1).await, 1);
    assert_eq!(two.subscribe("a", 1).await, 1);
    assert_eq!(two.subscribe("$share/g/a", 1).await, 1);
    for filter in ["b", "$share/g/b", "hearth/rooms/+/out"] {
        assert_eq!(one.subscribe(filter, 1).await, 0x97, "{filter}");
    }
    assert_eq!(one.subscribe("a", 0).await, 0, "in the place of its own");
    assert_eq!(house.client_as("o", "other").await.subscribe("b", 1).await, 1);
    // A session that rests has its own, one that is over has none.
    one.disconnect().await;
    assert_eq!(two.subscribe("b", 1).await, 0x97);
    assert_eq!(two.unsubscribe("$share/g/a").await, 0);
    assert_eq!(two.subscribe("b", 1).await, 1);
    two.disconnect().await;
    let mut three = house.client("3").await;
    assert_eq!(three.subscribe("c", 1).await, 1);
    assert_eq!(three.subscribe("d", 1).await, 1);
    assert_eq!(three.subscribe("e", 1).await, 0x97);
}

#[tokio::test(start_paused = true)]
async fn unacknowledged_packets_to_a_client() {
    let house = house(|limits| limits.in_flight_max = 2);
    for (id, takes, expected) in [("a", None, 2), ("b", 1.try_into().ok(), 1)] {
        let (mut client, _) = house.connect(id, |c| c.receive_max = takes).await;
        client.subscribe("t", 1).await;
        let mut other = house.client("other").await;
        for _ in 0..5 {
            other.publish("t", "x").await;
        }
        let mut ids = vec![];
        for _ in 0..expected {
            ids.push(client.heard().await.packet_id.unwrap());
        }
        client.nothing().await;
        client.ack(ids[0]).await;
        client.heard().await;
        client.nothing().await;
    }
}

#[tokio::test(start_paused = true)]
async fn length_of_a_client_id() {
    let house = house(|limits| limits.client_id_bytes_max = 10);
    let ack = house.guest().hello(&"a".repeat(11), |_| {}).await;
    assert_eq!(u8::from(ack.reason_code), 0x85);
    let (_, ack) = house.old(&"a".repeat(11), true).await;
    assert_eq!(ack.return_code, Reason3::IdentifierRejected);
    house.client(&"a".repeat(10)).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_is_not_read_for_ever() {
    let house = house(|limits| limits.output_bytes_max = 1_000);
    let mut stream = house.stream(256, 1);
    let hello = Packet::Connect(Box::new(connect("a")));
    let mut bytes = bytes::BytesMut::new();
    let mut codec = rmqtt_codec::v5::Codec::new(0, 0);
    tokio_util::codec::Encoder::encode(&mut codec, hello, &mut bytes).unwrap();
    stream.write_all(&bytes).await.unwrap();
    // Their answers are as many bytes, and nobody reads them. What was read at once before the
    // bound was reached waits as input.
    let pings = [0xC0, 0].repeat(2_000);
    let write = stream.write_all(&pings);
    let second = std::time::Duration::from_secs(1);
    assert!(tokio::time::timeout(second, write).await.is_err(), "the broker read it all");
    let mut other = house.client("b").await;
    other.send(Packet::Publish(Box::new(publish("t", "x", 0, None)))).await;
    other.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn an_account_shares_so_many_groups_over_all_its_sessions() {
    let house = house(|limits| limits.shared_groups_max = 2);
    let (mut one, mut two) = (house.client("1").await, house.client("2").await);
    assert_eq!(one.subscribe("$share/a/t", 1).await, 1);
    assert_eq!(two.subscribe("$share/b/t", 1).await, 1);
    assert_eq!(two.subscribe("$share/c/t", 1).await, 0x97);
    assert_eq!(two.subscribe("$share/a/t", 1).await, 1, "a group that is there");
    one.unsubscribe("$share/a/t").await;
    assert_eq!(one.subscribe("$share/c/t", 1).await, 0x97, "somebody is still in it");
    two.unsubscribe("$share/b/t").await;
    assert_eq!(one.subscribe("$share/c/t", 1).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_subscribe_answers_no_more_filters_than_a_session_may_have() {
    let house = house(|limits| limits.subscriptions_max = 2);
    let mut client = house.client("a").await;
    let options = rmqtt_codec::v5::SubscriptionOptions::default();
    let packet = rmqtt_codec::v5::Subscribe {
        packet_id: client.id(),
        id: None,
        user_properties: vec![],
        topic_filters: vec![("t".into(), options); 4],
    };
    client.send(rmqtt_codec::v5::Packet::Subscribe(packet)).await;
    let rmqtt_codec::v5::Packet::SubscribeAck(ack) = client.next().await else {
        panic!("no SUBACK")
    };
    let answers: Vec<u8> = ack.status.iter().map(|status| (*status).into()).collect();
    assert_eq!(answers, [0, 0, 0x97, 0x97]);
}
