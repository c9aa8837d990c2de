//! A publish is acknowledged after the gate accepted it, in order, and reading goes on meanwhile.

use super::support::{house, text};
use rmqtt_codec::v5::Packet;

#[tokio::test(start_paused = true)]
async fn acknowledgements_wait_for_the_gate_and_keep_their_order() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    let mut other = house.client("b").await;
    assert_eq!(other.subscribe("hold/#", 0).await, 0);
    let first = client.push("hold/1", "one", 1).await.unwrap();
    let second = client.push("free", "two", 1).await.unwrap();
    client.nothing().await;
    other.nothing().await;
    let asked: Vec<_> =
        house.gate.publishes.lock().unwrap().iter().map(|p| p.topic.clone()).collect();
    assert_eq!(asked, ["hold/1", "free"]);
    house.gate.open.send_replace(true);
    assert_eq!(client.acknowledged().await.packet_id, first);
    assert_eq!(client.acknowledged().await.packet_id, second);
    assert_eq!(text(&other.heard().await), "one");
}

#[tokio::test(start_paused = true)]
async fn a_pubrec_waits_too_and_a_repeated_publish_is_not_asked_again() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    let id = client.push("hold/2", "two", 2).await.unwrap();
    let mut again = super::support::publish("hold/2", "two", 2, Some(id));
    again.dup = true;
    client.send(Packet::Publish(Box::new(again.clone()))).await;
    client.nothing().await;
    house.gate.open.send_replace(true);
    let Packet::PublishReceived(ack) = client.next().await else { panic!("no PUBREC") };
    assert_eq!(ack.packet_id, id);
    client.send(Packet::Publish(Box::new(again))).await;
    let Packet::PublishReceived(ack) = client.next().await else { panic!("no second PUBREC") };
    assert_eq!(ack.packet_id, id);
    assert_eq!(house.gate.publishes.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn more_than_the_receive_maximum_is_an_error_in_mqtt_5() {
    let house = house(|limits| limits.receive_max = 2);
    let mut client = house.client("a").await;
    for _ in 0..3 {
        client.push("hold/x", "", 1).await;
    }
    assert_eq!(client.bye().await, 0x93);
    assert_eq!(house.gate.publishes.lock().unwrap().len(), 2);
    house.gate.open.send_replace(true);
}

#[tokio::test(start_paused = true)]
async fn who_publishes_and_leaves_is_heard() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    let mut other = house.client("b").await;
    other.subscribe("hold/#", 1).await;
    client.push("hold/1", "last words", 0).await;
    client.disconnect().await;
    house.gate.open.send_replace(true);
    assert_eq!(other.take().await, "last words");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_without_the_gate_waits_its_turn() {
    let house = house(|limits| limits.topic_levels_max = 3);
    let mut client = house.client("a").await;
    let first = client.push("hold/x", "1", 1).await.unwrap();
    let second = client.push("a/b/c/d", "too deep", 1).await.unwrap();
    client.nothing().await;
    house.gate.open.send_replace(true);
    assert_eq!(client.acknowledged().await.packet_id, first);
    let refused = client.acknowledged().await;
    assert_eq!((refused.packet_id, u8::from(refused.reason_code)), (second, 0x90));
}
