//! A client id is taken over within an account, and only there (MQTT 5 §3.1.4, design §4).

use super::support::{house, will};
use rmqtt_codec::v3::Packet as Packet3;

#[tokio::test(start_paused = true)]
async fn the_old_connection_is_told_and_the_session_goes_on() {
    let house = house(|_| {});
    let stay = |c: &mut rmqtt_codec::v5::Connect| {
        c.clean_start = false;
        c.session_expiry_interval_secs = 100;
    };
    let (mut old, _) = house.connect("a", stay).await;
    old.subscribe("t", 1).await;
    let (mut new, ack) = house.connect("a", stay).await;
    assert!(ack.session_present);
    assert_eq!(old.bye().await, 0x8E);
    new.publish("t", "x").await;
    assert_eq!(new.take().await, "x");
    let (_, ack) = house.connect("a", |_| {}).await;
    assert!(!ack.session_present);
    assert_eq!(new.bye().await, 0x8E);
    assert_eq!(house.broker.counts().connections, 1);
}

#[tokio::test(start_paused = true)]
async fn another_accounts_client_of_the_same_id_is_another_client() {
    let house = house(|_| {});
    let mut mine = house.client("a").await;
    let (mut theirs, _) = house.connect("a", |c| c.username = Some("other".into())).await;
    mine.nothing().await;
    theirs.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_publish_under_way_is_not_lost_by_a_takeover() {
    let house = house(|_| {});
    let (mut old, _) = house.connect("a", |c| c.session_expiry_interval_secs = 100).await;
    let mut other = house.client("b").await;
    other.subscribe("hold/#", 0).await;
    let id = old.push("hold/2", "x", 2).await;
    old.nothing().await;
    let house2 = house.clone();
    let new = tokio::spawn(async move { house2.connect("a", |c| c.clean_start = false).await });
    assert_eq!(old.bye().await, 0x8E);
    house.gate.open.send_replace(true);
    let (mut new, ack) = new.await.unwrap();
    assert!(ack.session_present);
    let mut again = super::support::publish("hold/2", "x", 2, id);
    again.dup = true;
    new.send(rmqtt_codec::v5::Packet::Publish(Box::new(again))).await;
    new.next().await;
    other.heard().await;
    other.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn many_takeovers_leave_one_connection() {
    let house = house(|_| {});
    let mut all = vec![];
    for _ in 0..20 {
        let mut client = house.guest();
        let mut hello = super::support::connect("a");
        hello.last_will = Some(will("w", 0));
        client.send(rmqtt_codec::v5::Packet::Connect(Box::new(hello))).await;
        all.push(client);
    }
    let mut last = house.client("a").await;
    last.nothing().await;
    assert_eq!(house.broker.counts().connections, 1);
}

#[tokio::test(start_paused = true)]
async fn a_3_1_1_client_is_just_closed() {
    let house = house(|_| {});
    let (mut old, _) = house.old("a", true).await;
    let (mut new, _) = house.old("a", true).await;
    assert_eq!(old.next().await, None);
    new.send(Packet3::PingRequest).await;
    assert_eq!(new.next().await, Some(Packet3::PingResponse));
}
