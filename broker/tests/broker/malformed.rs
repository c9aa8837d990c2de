//! What is no MQTT is answered with the right code, and nobody else notices (MQTT 5 §4.13).

use std::time::Duration;

use super::support::{house, properties, publish, raw};
use hearth_broker::Version;
use rmqtt_codec::v5::Packet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test(start_paused = true)]
async fn packets_that_make_no_sense() {
    let house = house(|_| {});
    let mut witness = house.client("witness").await;
    let cases: [(&[u8], u8); 12] = [
        // An UNSUBACK from a client: the bytes that killed rumqttd's codec.
        (b"\xb0\x03\x00\x01\x00", 0x82),
        (b"\x20\x03\x00\x00\x00", 0x82),
        // Fixed header flags that are reserved.
        (b"\x80\x05\x00\x01\x00\x00\x01", 0x81),
        (b"\xc1\x00", 0x81),
        (b"\x00\x00", 0x81),
        // SUBSCRIBE and UNSUBSCRIBE without a filter.
        (b"\x82\x03\x00\x01\x00", 0x82),
        (b"\xa2\x03\x00\x01\x00", 0x82),
        // QoS 3, packet id 0, DUP at QoS 0.
        (b"\x36\x06\x00\x01t\x00\x01\x00", 0x81),
        (b"\x32\x06\x00\x01t\x00\x00\x00", 0x81),
        (b"\x38\x04\x00\x01t\x00", 0x81),
        // A length of five bytes.
        (b"\x30\xff\xff\xff\xff\x01", 0x81),
        // AUTH that nobody agreed on.
        (b"\xf0\x00", 0x82),
    ];
    for (bytes, code) in cases {
        let answer = raw(&house, Version::V5, bytes).await;
        assert!(answer.ends_with(&[0xE0, 2, code, 0]), "{bytes:x?}: {answer:x?}");
        let answer = raw(&house, Version::V3, bytes).await;
        assert_eq!(answer[..4], [0x20, 2, 0, 0], "{bytes:x?}");
    }
    witness.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn topics_that_are_none() {
    let house = house(|_| {});
    for topic in ["a/+", "#", "a\0b", ""] {
        let mut client = house.client("a").await;
        client.push(topic, "x", 0).await;
        assert_eq!(client.bye().await, 0x90, "{topic:?}");
    }
    let mut client = house.client("a").await;
    let mut packet = publish("t", "x", 0, None);
    properties(&mut packet).response_topic = Some("a/+".into());
    client.send(Packet::Publish(Box::new(packet))).await;
    assert_eq!(client.bye().await, 0x82);
    let mut client = house.client("a").await;
    let mut packet = publish("t", "x", 0, None);
    properties(&mut packet).subscription_ids = vec![1.try_into().unwrap()];
    client.send(Packet::Publish(Box::new(packet))).await;
    assert_eq!(client.bye().await, 0x82);
}

#[tokio::test(start_paused = true)]
async fn a_topic_outside_ascii_is_a_topic_like_any_other() {
    let house = house(|_| {});
    let mut client = house.client("été/a+b").await;
    client.subscribe("été/#", 1).await;
    assert_eq!(client.subscribe("猫", 1).await, 1);
    let mut other = house.client("b").await;
    assert_eq!(other.publish("été/à", "1").await, 0);
    assert_eq!(other.publish("猫", "2").await, 0);
    assert_eq!(client.heard().await.topic, "été/à");
    assert_eq!(client.heard().await.topic, "猫");
}

#[tokio::test]
async fn the_disconnect_arrives_although_more_input_was_sent() {
    let house = house(|_| {});
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let broker = house.broker.clone();
    let listening = tokio::spawn(async move { broker.listen(listener).await });
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01r").await.unwrap();
    let mut bytes = b"\xf0\x00".to_vec();
    bytes.extend([0xC0, 0].repeat(20_000));
    stream.write_all(&bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = vec![];
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer));
    read.await.unwrap().unwrap();
    assert!(answer.ends_with(&[0xE0, 2, 0x82, 0]), "{answer:x?}");
    house.broker.shutdown().await;
    listening.await.unwrap();
}
