//! A publish that the gate refuses: a reason in MQTT 5, the rule of §3.3.5 in 3.1.1.

use super::support::{House, house, publish, will};
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
async fn a_publish_that_was_accepted_ends_the_memory_of_its_refusal() {
    let house = house(|_| {});
    let close = |closed: bool| {
        let mut topics = house.gate.closed.lock().unwrap();
        if closed { topics.insert("door".to_string()) } else { topics.remove("door") }
    };
    let id = 1.try_into().unwrap();
    for _ in 0..2 {
        close(true);
        let (mut door, _) = house.old("door", false).await;
        door.push("door", "done", 1).await;
        assert_eq!(door.next().await, None, "a new refusal closes first");
        close(false);
        let (mut door, _) = house.old("door", false).await;
        door.push("door", "done", 1).await;
        assert_eq!(door.next().await, Some(v3::Packet::PublishAck { packet_id: id }));
    }
}

/// A bridge sends its whole queue at each connection, and hears no acknowledgement of a connection
/// that is closed: gives how many connections it took until nothing was refused any more.
async fn bridge(house: &House, queue: &[(&str, &str)]) -> usize {
    for connections in 1..=20 {
        let (mut bridge, _) = house.old("bridge", false).await;
        for (id, (topic, payload)) in (1..).zip(queue) {
            bridge.push(topic, payload, id).await;
        }
        let mut left = queue.len();
        while left > 0 && bridge.next().await.is_some() {
            left -= 1;
        }
        if left == 0 {
            return connections;
        }
    }
    panic!("it loops for ever");
}

#[tokio::test(start_paused = true)]
async fn a_bridge_with_refused_publishes_in_its_queue_gets_through() {
    let refused = ["1", "2", "3", "4", "5"].map(|payload| ("refused/x", payload));
    for good_at in 0..=refused.len() {
        let house = house(|_| {});
        let mut reader = house.client("reader").await;
        reader.subscribe("good", 0).await;
        let mut queue = refused.to_vec();
        queue.insert(good_at, ("good", "at last"));
        assert_eq!(bridge(&house, &queue).await, 6, "each refused one closes once");
        assert_eq!(reader.take().await, "at last");
        let told = house.gate.refused.lock().unwrap();
        assert_eq!(told.len(), 5 + 4 + 3 + 2 + 1 + 5, "each time it came");
        assert!(told.iter().all(|told| *told == ("refused/x".to_string(), "not_a_member")));
    }
}

#[tokio::test(start_paused = true)]
async fn so_many_refused_publishes_of_a_session_are_remembered() {
    let house = house(|limits| limits.refusals_remembered_max = 2);
    let refused = async |payload: &str| {
        let (mut bridge, _) = house.old("bridge", false).await;
        bridge.push("refused/x", payload, 1).await;
        bridge.next().await.is_none()
    };
    assert_eq!([refused("1").await, refused("2").await], [true, true]);
    assert_eq!([refused("1").await, refused("2").await], [false, false]);
    assert!(refused("3").await);
    assert_eq!([refused("2").await, refused("3").await], [false, false]);
    assert!(refused("1").await, "the oldest was forgotten");
}

#[tokio::test(start_paused = true)]
async fn the_gate_hears_of_every_refused_publish() {
    let house = house(|limits| limits.topic_levels_max = 3);
    let mut client = house.client("a").await;
    assert_eq!(client.publish("refused/x", "").await, 0x87);
    client.push("often/x", "", 0).await;
    assert_eq!(client.publish("a/b/c/d", "").await, 0x90);
    for expected in [None, Some(v3::Packet::PublishAck { packet_id: 1.try_into().unwrap() })] {
        let (mut old, _) = house.old("old", false).await;
        old.push("a/b/c/d/e", "", 1).await;
        assert_eq!(old.next().await, expected, "closed once, then acknowledged");
    }
    let dying = |c: &mut rmqtt_codec::v5::Connect| c.last_will = Some(will("refused/will", 0));
    drop(house.connect("b", dying).await);
    house.broker.shutdown().await;
    let told = house.gate.refused.lock().unwrap().clone();
    let told: Vec<_> = told.iter().map(|(topic, code)| (&**topic, *code)).collect();
    let expected = [
        ("refused/x", "not_a_member"),
        ("often/x", "too_fast"),
        ("a/b/c/d", "bad_topic"),
        ("a/b/c/d/e", "bad_topic"),
        ("a/b/c/d/e", "bad_topic"),
        ("refused/will", "not_a_member"),
    ];
    assert_eq!(told, expected);
}
