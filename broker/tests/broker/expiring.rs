//! Messages and sessions expire (MQTT 5 §3.3.2.3.3, §4.1).

use std::time::Duration;

use super::support::{house, properties, raw, seconds};
use hearth_broker::Version;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

#[tokio::test(start_paused = true)]
async fn a_message_that_waits_counts_down_and_expires() {
    let house = house(|_| {});
    let stay = |c: &mut rmqtt_codec::v5::Connect| {
        c.clean_start = false;
        c.session_expiry_interval_secs = 1_000;
    };
    let (mut client, _) = house.connect("a", stay).await;
    client.subscribe("t", 1).await;
    client.disconnect().await;
    let mut other = house.client("b").await;
    for (text, expiry) in [("short", 10), ("long", 100)] {
        let expire = |p: &mut _| properties(p).message_expiry_interval = seconds(expiry);
        assert_eq!(other.publish_with("t", text, expire).await, 0);
    }
    sleep(Duration::from_secs(20)).await;
    let (mut client, ack) = house.connect("a", stay).await;
    assert!(ack.session_present);
    let heard = client.heard().await;
    assert_eq!(&*heard.payload, b"long");
    assert_eq!(heard.properties.unwrap().message_expiry_interval, seconds(80));
    client.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_retained_message_expires() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    client
        .publish_with("t", "x", |p| {
            p.retain = true;
            properties(p).message_expiry_interval = seconds(10);
        })
        .await;
    sleep(Duration::from_secs(4)).await;
    client.subscribe("t", 0).await;
    let left = client.heard().await.properties.unwrap().message_expiry_interval;
    assert_eq!(left, seconds(6));
    sleep(Duration::from_secs(6)).await;
    client.subscribe("t", 0).await;
    client.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_session_rests_as_long_as_it_asked_for() {
    let house = house(|_| {});
    let stay = |c: &mut rmqtt_codec::v5::Connect| {
        c.clean_start = false;
        c.session_expiry_interval_secs = 10;
    };
    for (pause, present) in [(9, true), (11, false)] {
        let (client, _) = house.connect("a", stay).await;
        drop(client);
        sleep(Duration::from_secs(pause)).await;
        let (client, ack) = house.connect("a", stay).await;
        assert_eq!(ack.session_present, present);
        client.disconnect().await;
    }
    sleep(Duration::from_secs(11)).await;
    assert_eq!(house.broker.counts().sessions, 0);
}

#[tokio::test(start_paused = true)]
async fn a_disconnect_can_change_the_expiry_but_not_from_0() {
    use rmqtt_codec::v5::{Disconnect, DisconnectReasonCode as Code, Packet};
    let house = house(|_| {});
    let bye = |expiry| {
        let mut bye = Disconnect::new(Code::NormalDisconnection);
        bye.session_expiry_interval_secs = Some(expiry);
        Packet::Disconnect(bye)
    };
    let mut client = house.client("a").await;
    client.send(bye(10)).await;
    assert_eq!(client.bye().await, 0x82);
    let (mut client, _) = house.connect("b", |c| c.session_expiry_interval_secs = 10).await;
    client.send(bye(0)).await;
    assert!(client.next_or_end().await.is_none());
    let (_, ack) = house.connect("b", |c| c.clean_start = false).await;
    assert!(!ack.session_present);
}

/// A PUBLISH of MQTT 5 to `t` that expires at once; the codec of these tests cannot say that.
fn at_once(first: u8, payload: &[u8]) -> Vec<u8> {
    let body = [b"\x00\x01t\x00\x63\x05\x02\0\0\0\0", payload].concat();
    [&[first, u8::try_from(body.len()).unwrap()][..], &body].concat()
}

#[tokio::test(start_paused = true)]
async fn an_interval_of_0_is_acknowledged_and_delivered_to_nobody() {
    use rmqtt_codec::v5::Packet;
    let house = house(|_| {});
    let mut client = house.client("a").await;
    client.subscribe("t", 1).await;
    let mut other = house.client("b").await;
    for (cut, first) in [(1, 0x32), (7, 0x33), (100, 0x32)] {
        let bytes = at_once(first, b"gone");
        for piece in bytes.chunks(cut) {
            other.framed.get_mut().write_all(piece).await.unwrap();
            other.framed.get_mut().flush().await.unwrap();
            tokio::task::yield_now().await;
        }
        let Packet::PublishAck(ack) = other.next().await else { panic!("no PUBACK") };
        assert_eq!((ack.packet_id.get(), u8::from(ack.reason_code)), (0x63, 0));
    }
    client.nothing().await;
    assert_eq!(house.gate.publishes.lock().unwrap()[0].properties.expiry_s, Some(0));
    client.subscribe("t", 1).await;
    client.nothing().await;
    assert_eq!(other.publish("t", "here").await, 0);
    assert_eq!(client.take().await, "here");
}

#[tokio::test(start_paused = true)]
async fn properties_longer_than_their_packet_are_still_an_error() {
    let house = house(|_| {});
    let mut bytes = at_once(0x32, b"");
    bytes[7] = 0x7F;
    let answer = raw(&house, Version::V5, &bytes).await;
    assert!(answer.ends_with(&[0xE0, 2, 0x81, 0]), "{answer:x?}");
}

#[tokio::test(start_paused = true)]
async fn a_will_with_an_interval_of_0_is_taken_and_delivered_to_nobody() {
    let house = house(|_| {});
    let mut witness = house.client("witness").await;
    witness.subscribe("#", 1).await;
    let head = b"\x00\x04MQTT\x05\x06\x00\x3c\x05\x11\0\0\0\x0a\x00\x01a";
    let will = b"\x05\x02\0\0\0\0\x00\x01t\x00\x04gone";
    let len = u8::try_from(head.len() + will.len()).unwrap();
    let mut stream = house.stream(1_000, 1);
    stream.write_all(&[&[0x10, len][..], head, will].concat()).await.unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!((answer[0], answer[3]), (0x20, 0), "{answer:x?}");
    drop(stream);
    witness.nothing().await;
    let asked = house.gate.publishes.lock().unwrap();
    assert_eq!(asked[0].properties.expiry_s, Some(0));
}
