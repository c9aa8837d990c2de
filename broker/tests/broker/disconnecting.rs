//! The owner ends connections, and the broker itself (MQTT 5 §3.14).

use super::support::house;
use bytes::Bytes;
use hearth_broker::Reason;
use hearth_protocol::principal::{Account, Principal};
use hearth_protocol::topic::Topic;

#[tokio::test(start_paused = true)]
async fn every_connection_of_an_account_ends_at_once() {
    let house = house(|_| {});
    let mut one = house.client("1").await;
    let mut two = house.client("2").await;
    let (mut other, _) = house.connect("3", |c| c.username = Some("other".into())).await;
    house.broker.disconnect(&Account::Local("anyone".into()), Reason::Administrative);
    assert_eq!(one.bye().await, 0x98);
    assert_eq!(two.bye().await, 0x98);
    other.nothing().await;
    let named = |who: &Principal| *who == Principal::Local("other".into());
    house.broker.disconnect_where(named, Reason::NotAuthorized);
    assert_eq!(other.bye().await, 0x87);
}

#[tokio::test(start_paused = true)]
async fn a_stop_tells_everyone_and_lets_nobody_in() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    let broker = house.broker.clone();
    let stopped = tokio::spawn(async move { broker.shutdown().await });
    assert_eq!(client.bye().await, 0x8B);
    drop(client);
    stopped.await.unwrap();
    let counts = house.broker.counts();
    assert_eq!((counts.connections, counts.sessions), (0, 0));
    let mut late = house.guest();
    let mut packet = super::support::connect("b");
    packet.keep_alive = 1;
    late.send(rmqtt_codec::v5::Packet::Connect(Box::new(packet))).await;
    assert!(late.next_or_end().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_the_appliance_says_last_arrives_before_the_end() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    client.subscribe("hearth/status", 1).await;
    house.broker.publish(&Topic::Status, Bytes::from_static(b"offline"), true);
    let broker = house.broker.clone();
    let stopped = tokio::spawn(async move { broker.shutdown().await });
    assert_eq!(super::support::text(&client.heard().await), "offline");
    assert_eq!(client.bye().await, 0x8B);
    drop(client);
    stopped.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_handed_over_during_shutdown_ends_too() {
    let house = house(|_| {});
    let mut first = house.client("a").await;
    // The gate does not answer, so the old connection settles while the new one waits for it.
    first.push("hold/x", "1", 1).await;
    first.nothing().await;
    let mut second = house.guest();
    let hello = rmqtt_codec::v5::Packet::Connect(Box::new(super::support::connect("a")));
    second.send(hello).await;
    assert_eq!(first.bye().await, 0x8E);
    house.broker.shutdown().await;
    while second.next_or_end().await.is_some() {}
}
