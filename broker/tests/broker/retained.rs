//! Retained messages (MQTT 5 §3.3.1.3, §3.8.3.1).

use super::support::{Client, house, text};
use bytes::Bytes;
use hearth_protocol::principal::Account;
use hearth_protocol::topic::Topic;
use rmqtt_codec::v5::RetainHandling;

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
