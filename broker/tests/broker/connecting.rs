//! CONNECT and its answers (MQTT 5 §3.1, §3.2).

use std::time::Duration;

use super::support::{house, raw};
use hearth_broker::Version;
use rmqtt_codec::v3::{self, ConnectAckReason as Reason3};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test(start_paused = true)]
async fn an_id_is_assigned_to_a_client_without_one() {
    let house = house(|_| {});
    let (_, ack) = house.connect("", |_| {}).await;
    let assigned = ack.assigned_client_id.unwrap();
    assert_eq!(house.gate.logins.lock().unwrap()[0].client_id, assigned.to_string());
    let (_, other) = house.connect("", |_| {}).await;
    assert_ne!(other.assigned_client_id.unwrap(), assigned);
    let (_, ack) = house.old("", true).await;
    assert_eq!(ack.return_code, Reason3::ConnectionAccepted);
    let (_, ack) = house.old("", false).await;
    assert_eq!(ack.return_code, Reason3::IdentifierRejected);
}

#[tokio::test(start_paused = true)]
async fn a_keep_alive_of_0_lets_a_client_be_silent() {
    let house = house(|_| {});
    let mut five = house.client("a").await;
    let (mut old, _) = house.old("b", true).await;
    tokio::time::advance(Duration::from_secs(1_000_000)).await;
    five.nothing().await;
    old.send(v3::Packet::PingRequest).await;
    assert_eq!(old.next().await, Some(v3::Packet::PingResponse));
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_given_up_after_one_and_a_half_keep_alives() {
    let house = house(|_| {});
    let (mut client, ack) = house.connect("a", |c| c.keep_alive = 10).await;
    assert_eq!(ack.server_keepalive_sec, None);
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(14)).await;
        client.nothing().await;
    }
    let start = tokio::time::Instant::now();
    assert_eq!(client.bye().await, 0x8D);
    assert_eq!(start.elapsed().as_secs(), 15);
}

#[tokio::test(start_paused = true)]
async fn longer_times_than_the_broker_agrees_to_are_cut() {
    let house = house(|limits| {
        limits.keep_alive_s_max = 10;
        limits.session_expiry_s_max = 100;
    });
    let (mut client, ack) = house
        .connect("a", |c| {
            c.keep_alive = 11;
            c.session_expiry_interval_secs = u32::MAX;
        })
        .await;
    assert_eq!(ack.server_keepalive_sec, Some(10));
    assert_eq!(ack.session_expiry_interval_secs, Some(100));
    assert_eq!(client.bye().await, 0x8D);
    tokio::time::sleep(Duration::from_secs(99)).await;
    assert_eq!(house.broker.counts().sessions, 1);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(house.broker.counts().sessions, 0);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_the_gate_refuses_is_told_why() {
    let house = house(|_| {});
    for (name, five, three) in [
        ("stranger", 0x86, Reason3::BadUserNameOrPassword),
        ("banned", 0x87, Reason3::NotAuthorized),
    ] {
        let ack = house.guest().hello("a", |c| c.username = Some(name.into())).await;
        assert_eq!(u8::from(ack.reason_code), five);
        assert!(ack.reason_string.is_some());
        let (mut old, ack) = house.old_as("a", true, Some(name)).await;
        assert_eq!(ack.return_code, three);
        assert_eq!(old.next().await, None);
    }
    assert!(house.gate.presence.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn enhanced_authentication_is_refused() {
    let house = house(|_| {});
    let ack = house.guest().hello("a", |c| c.auth_method = Some("SCRAM".into())).await;
    assert_eq!(u8::from(ack.reason_code), 0x8C);
}

#[tokio::test(start_paused = true)]
async fn another_version_of_mqtt_and_other_protocols_are_turned_away() {
    let house = house(|_| {});
    for (bytes, expected) in [
        (&b"\x10\x0d\x00\x04MQTT\x06\x02\x00\x00\x00\x01r"[..], &b"\x20\x02\x00\x01"[..]),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b""),
        (b"\x10\x0d\x00\x04MQTX\x04\x02\x00\x00\x00\x01r", b""),
        (b"\xc0\x00\xc0\x00", b""),
    ] {
        let mut stream = house.stream(1 << 16, 1);
        stream.write_all(bytes).await.unwrap();
        let mut answer = vec![];
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, expected, "{bytes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_connect_is_an_error() {
    let house = house(|_| {});
    let again = b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01r";
    let answer = raw(&house, Version::V5, again).await;
    assert!(answer.ends_with(&[0xE0, 2, 0x82, 0]), "{answer:x?}");
}
