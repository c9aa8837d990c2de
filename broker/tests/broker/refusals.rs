//! A publish that the gate refuses: a reason in MQTT 5, the rule of §3.3.5 in 3.1.1.

use super::support::{house, publish};
use rmqtt_codec::v3;
use rmqtt_codec::v5::Packet;

#[tokio::test(start_paused = true)]
async fn mqtt_5_is_told_a_code_and_a_sentence() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    client.push("refused/x", "", 1).await;
    let ack = client.acknowledged().await;
    assert_eq!(u8::from(ack.reason_code), 0x87);
    assert_eq!(ack.reason_string.unwrap(), "not_a_member: no");
    client.push("often/x", "", 2).await;
    let Packet::PublishReceived(ack) = client.next().await else { panic!("no PUBREC") };
    assert_eq!(u8::from(ack.reason_code), 0x97);
    assert_eq!(ack.reason_string.unwrap(), "too_fast: slower (wait)");
    client.push("refused/x", "", 0).await;
    client.nothing().await;
    assert_eq!(house.broker.counts().refused, 3);
    let quiet = |c: &mut rmqtt_codec::v5::Connect| c.request_problem_info = false;
    let (mut client, _) = house.connect("b", quiet).await;
    client.push("refused/x", "", 1).await;
    assert_eq!(client.acknowledged().await.reason_string, None);
}

#[tokio::test(start_paused = true)]
async fn a_refused_qos_2_publish_frees_its_packet_id() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    let id = client.push("refused/x", "", 2).await;
    let Packet::PublishReceived(_) = client.next().await else { panic!("no PUBREC") };
    let again = publish("free", "", 2, id);
    client.send(Packet::Publish(Box::new(again))).await;
    let Packet::PublishReceived(ack) = client.next().await else { panic!("no PUBREC") };
    assert_eq!(u8::from(ack.reason_code), 0);
}

#[tokio::test(start_paused = true)]
async fn mqtt_3_is_closed_once_and_the_same_publish_is_then_acknowledged() {
    let house = house(|_| {});
    let (mut bridge, _) = house.old("bridge", false).await;
    bridge.push("refused/x", "same", 1).await;
    assert_eq!(bridge.next().await, None);
    for _ in 0..3 {
        let (mut bridge, _) = house.old("bridge", false).await;
        bridge.push("refused/x", "same", 1).await;
        let id = 1.try_into().unwrap();
        assert_eq!(bridge.next().await, Some(v3::Packet::PublishAck { packet_id: id }));
    }
    let (mut bridge, _) = house.old("bridge", false).await;
    bridge.push("refused/x", "other", 2).await;
    assert_eq!(bridge.next().await, None);
    let (mut other, _) = house.old("other", false).await;
    other.push("refused/x", "other", 2).await;
    assert_eq!(other.next().await, None, "each session for itself");
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_never_acknowledged_to_mqtt_3() {
    let house = house(|_| {});
    for _ in 0..3 {
        let (mut door, _) = house.old("door", false).await;
        door.push("often/x", "done", 1).await;
        assert_eq!(door.next().await, None, "a rate or a full disk passes: try again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_publish_that_was_accepted_ends_the_memory_of_a_refusal() {
    let house = house(|_| {});
    let (mut door, _) = house.old("door", false).await;
    door.push("refused/x", "done", 1).await;
    assert_eq!(door.next().await, None);
    let (mut door, _) = house.old("door", false).await;
    door.push("free", "done", 1).await;
    let id = 1.try_into().unwrap();
    assert_eq!(door.next().await, Some(v3::Packet::PublishAck { packet_id: id }));
    door.push("refused/x", "done", 1).await;
    assert_eq!(door.next().await, None, "a new refusal closes first");
}
