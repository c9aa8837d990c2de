//! Wills: published when a connection breaks, after their delay, unless the client comes back
//! (MQTT 5 §3.1.2.5, §3.1.3.2).

use std::time::Duration;

use super::support::{Client, House, house, will};
use rmqtt_codec::v5::{Connect, Disconnect, DisconnectReasonCode as Code, Packet};
use tokio::time::{Instant, sleep};

async fn witness(house: &House) -> Client {
    let mut witness = house.client("witness").await;
    witness.subscribe("#", 1).await;
    witness
}

fn leaving(topic: &'static str, delay_s: u32) -> impl FnOnce(&mut Connect) {
    move |c| {
        c.clean_start = false;
        c.session_expiry_interval_secs = 100;
        c.last_will = Some(will(topic, delay_s));
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_publishes_its_will_and_a_clean_end_does_not() {
    let house = house(|_| {});
    let mut witness = witness(&house).await;
    let (client, _) = house.connect("a", leaving("clean", 0)).await;
    client.disconnect().await;
    let (client, _) = house.connect("a", leaving("broken", 0)).await;
    drop(client);
    let heard = witness.heard().await;
    assert_eq!((&*heard.topic, &*heard.payload), ("broken", &b"gone"[..]));
    let (mut client, _) = house.connect("a", leaving("asked", 0)).await;
    let bye = Disconnect::new(Code::DisconnectWithWillMessage);
    client.send(Packet::Disconnect(bye)).await;
    assert_eq!(witness.heard().await.topic, "asked");
    witness.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_delayed_will_waits_and_is_called_off_by_a_return() {
    let house = house(|_| {});
    let mut witness = witness(&house).await;
    let (client, _) = house.connect("a", leaving("late", 10)).await;
    drop(client);
    sleep(Duration::from_secs(9)).await;
    let (client, ack) = house.connect("a", leaving("late", 10)).await;
    assert!(ack.session_present);
    sleep(Duration::from_secs(20)).await;
    witness.nothing().await;
    let start = Instant::now();
    drop(client);
    assert_eq!(witness.heard().await.topic, "late");
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_session_publishes_a_delayed_will_at_once() {
    let house = house(|_| {});
    let mut witness = witness(&house).await;
    let short = |c: &mut Connect| {
        leaving("expired", 1_000)(c);
        c.session_expiry_interval_secs = 5;
    };
    let (client, _) = house.connect("a", short).await;
    let start = Instant::now();
    drop(client);
    assert_eq!(witness.heard().await.topic, "expired");
    assert_eq!(start.elapsed().as_secs(), 5);
    let (client, _) = house.connect("b", leaving("replaced", 50)).await;
    drop(client);
    witness.nothing().await;
    house.client("b").await;
    assert_eq!(witness.heard().await.topic, "replaced");
}

#[tokio::test(start_paused = true)]
async fn the_gate_is_asked_about_a_will() {
    let house = house(|_| {});
    let mut witness = witness(&house).await;
    let (client, _) = house.connect("a", leaving("refused/will", 0)).await;
    drop(client);
    while house.broker.counts().refused == 0 {
        tokio::task::yield_now().await;
    }
    witness.nothing().await;
}
