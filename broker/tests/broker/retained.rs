//! Retained messages (MQTT 5 §3.3.1.3, §3.8.3.1).

use super::support::{Client, house, publish, stay, text, will};
use bytes::Bytes;
use hearth_protocol::principal::Account;
use hearth_protocol::topic::Topic;
use rmqtt_codec::v5::{Connect, LastWill, Packet, RetainHandling};

async fn retain(client: &mut Client, topic: &str, payload: &str) {
    assert_eq!(client.publish_with(topic, payload, |p| p.retain = true).await, 0);
}

#[tokio::test(start_paused = true)]
async fn the_last_value_is_sent_to_each_new_subscription() {
    let house = house(|_| {});
    let mut other = house.client("b").await;
    for n in 0..400 {
        retain(&mut other, &format!("r/{n}"), "old").await;
        retain(&mut other, &format!("r/{n}"), "new").await;
    }
    other.publish("r/0", "").await;
    retain(&mut other, "r/1", "").await;
    let mut client = house.client("a").await;
    client.subscribe("r/+", 1).await;
    for _ in 0..399 {
        let heard = client.heard().await;
        assert!(heard.retain);
        assert_eq!(text(&heard), "new");
        client.ack(heard.packet_id.unwrap()).await;
    }
    client.nothing().await;
    client.subscribe("r/2", 0).await;
    assert!(client.heard().await.retain);
    client.subscribe("r/2", 0).await;
    assert!(client.heard().await.retain, "also a subscription that is renewed");
}

#[tokio::test(start_paused = true)]
async fn the_client_decides_when_and_how() {
    let house = house(|_| {});
    let mut other = house.client("b").await;
    retain(&mut other, "t", "kept").await;
    let mut client = house.client("a").await;
    let when = |handling| {
        move |s: &mut rmqtt_codec::v5::Subscribe| s.topic_filters[0].1.retain_handling = handling
    };
    client.subscribe_with("t", 1, when(RetainHandling::NoAtSubscribe)).await;
    client.nothing().await;
    client.subscribe_with("t", 1, when(RetainHandling::AtSubscribeNew)).await;
    client.nothing().await;
    client.subscribe_with("+", 1, when(RetainHandling::AtSubscribeNew)).await;
    assert_eq!(client.take().await, "kept");
    retain(&mut other, "t", "live").await;
    let heard = client.heard().await;
    assert!(!heard.retain, "published now");
    client.ack(heard.packet_id.unwrap()).await;
    client.subscribe_with("t", 1, |s| s.topic_filters[0].1.retain_as_published = true).await;
    client.take().await;
    retain(&mut other, "t", "flag").await;
    assert!(client.heard().await.retain, "as published");
}

#[tokio::test(start_paused = true)]
async fn rights_gained_bring_what_was_withheld_once() {
    let house = house(|_| {});
    house.gate.hidden.lock().unwrap().extend(["a".to_string(), "hearth/status".to_string()]);
    let mut other = house.client("b").await;
    retain(&mut other, "a", "secret").await;
    let mut client = house.client("a").await;
    client.subscribe("#", 1).await;
    house.broker.publish(&Topic::Status, Bytes::from_static(b"online"), true);
    client.nothing().await;
    let account = Account::Local("anyone".into());
    house.gate.hidden.lock().unwrap().remove("a");
    house.broker.rights_changed(&account);
    assert_eq!(client.take().await, "secret");
    house.broker.rights_changed(&account);
    client.nothing().await;
    house.gate.hidden.lock().unwrap().clear();
    house.broker.rights_changed(&account);
    assert_eq!(client.take().await, "online");
    client.nothing().await;
}

/// The code and the text that a retained publish is answered with.
async fn told(client: &mut Client, topic: &str, payload: &str) -> (u8, String) {
    let id = client.id();
    let mut packet = publish(topic, payload, 1, Some(id));
    packet.retain = true;
    client.send(Packet::Publish(Box::new(packet))).await;
    let ack = client.acknowledged().await;
    (ack.reason_code.into(), ack.reason_string.unwrap_or_default().to_string())
}

#[tokio::test(start_paused = true)]
async fn there_are_so_many_in_all_and_the_refusal_says_what_to_do() {
    let house = house(|limits| limits.retained_max = 1);
    let mut client = house.client("a").await;
    let mut other = house.client_as("b", "other").await;
    other.subscribe("two", 0).await;
    retain(&mut client, "one", "x").await;
    let (code, text) = told(&mut client, "two", "x").await;
    assert_eq!(code, 0x97);
    let all = "too_many_retained: the broker keeps no more retained messages (retained_max)";
    assert!(text.starts_with(all) && text.contains("clear one"), "{text}");
    other.nothing().await;
    assert_eq!(client.publish("two", "live").await, 0, "without retain it goes on");
    assert_eq!(other.take().await, "live");
    retain(&mut client, "one", "").await;
    retain(&mut client, "two", "x").await;
    assert_eq!(house.broker.counts().retained, 1);
}

#[tokio::test(start_paused = true)]
async fn there_are_so_many_bytes_in_all() {
    let house = house(|limits| limits.retained_bytes_max = 1_000);
    let mut client = house.client("a").await;
    retain(&mut client, "one", &"x".repeat(900)).await;
    let (code, text) = told(&mut client, "two", &"x".repeat(900)).await;
    assert_eq!(code, 0x97);
    assert!(text.contains("(retained_bytes_max)"), "{text}");
    retain(&mut client, "one", "short").await;
    retain(&mut client, "two", &"x".repeat(900)).await;
    house.broker.publish(&Topic::Status, Bytes::from(vec![b'x'; 5_000]), true);
    assert_eq!(house.broker.counts().retained, 3, "Hearth's own are not bounded");
}

#[tokio::test(start_paused = true)]
async fn there_are_so_many_of_one_account() {
    let house = house(|limits| limits.retained_per_identity_max = 1);
    let mut client = house.client("a").await;
    let mut same = house.client("b").await;
    let mut other = house.client_as("b", "other").await;
    retain(&mut client, "one", "x").await;
    let (code, text) = told(&mut same, "two", "x").await;
    assert_eq!(code, 0x97);
    assert!(text.contains("(retained_per_identity_max)"), "{text}");
    retain(&mut other, "two", "x").await;
    assert_eq!(told(&mut other, "one", "y").await.0, 0x97, "it has one already");
    retain(&mut other, "two", "").await;
    retain(&mut other, "one", "y").await;
    retain(&mut same, "two", "x").await;
}

#[tokio::test(start_paused = true)]
async fn a_will_counts_for_the_one_who_left_it() {
    let house = house(|limits| limits.retained_per_identity_max = 1);
    let last = |c: &mut Connect| {
        c.last_will = Some(LastWill { retain: true, ..will("gone", 0) });
    };
    drop(house.connect("a", last).await);
    let mut client = house.client("b").await;
    client.subscribe("gone", 0).await;
    assert_eq!(client.take().await, "gone");
    assert_eq!(told(&mut client, "one", "x").await.0, 0x97);
}

#[tokio::test(start_paused = true)]
async fn a_state_of_the_appliance_that_changed_while_nobody_was_there_comes_once() {
    let house = house(|limits| limits.queued_messages_max = 2);
    let (mut phone, _) = house.connect("phone", stay).await;
    phone.subscribe("hearth/#", 1).await;
    phone.disconnect().await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let status = hearth_protocol::topic::Topic::Status;
    for text in ["1", "2", "3", "4"] {
        house.broker.publish(&status, text.into(), true);
    }
    let (mut phone, _) = house.connect("phone", stay).await;
    assert_eq!(phone.take().await, "4");
    phone.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn rights_gained_while_away_bring_what_was_withheld_at_the_return() {
    let house = house(|_| {});
    house.gate.hidden.lock().unwrap().insert("kept".to_string());
    let mut other = house.client("other").await;
    other.publish_with("kept", "x", |packet| packet.retain = true).await;
    let (mut phone, _) = house.connect("phone", stay).await;
    phone.subscribe("#", 1).await;
    phone.nothing().await;
    drop(phone);
    house.gate.hidden.lock().unwrap().clear();
    let (mut phone, _) = house.connect("phone", stay).await;
    assert_eq!(phone.take().await, "x");
    phone.nothing().await;
}
