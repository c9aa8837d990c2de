//! Topic aliases, both ways (MQTT 5 §3.3.2.3.4).

use std::num::NonZeroU16;

use super::support::{house, properties, publish};
use rmqtt_codec::v5::Packet;

#[tokio::test(start_paused = true)]
async fn an_alias_stands_for_the_topic_it_was_given() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    client.subscribe("t", 0).await;
    for topic in ["t", ""] {
        let mut packet = publish(topic, "x", 0, None);
        properties(&mut packet).topic_alias = NonZeroU16::new(3);
        client.send(Packet::Publish(Box::new(packet))).await;
        assert_eq!(client.heard().await.topic, "t");
    }
}

#[tokio::test(start_paused = true)]
async fn an_alias_that_was_never_given_or_is_too_high_is_refused() {
    for alias in [1, 33] {
        let house = house(|_| {});
        let mut client = house.client("a").await;
        let topic = if alias == 1 { "" } else { "t" };
        let mut packet = publish(topic, "x", 0, None);
        properties(&mut packet).topic_alias = NonZeroU16::new(alias);
        client.send(Packet::Publish(Box::new(packet))).await;
        assert_eq!(client.bye().await, 0x94);
    }
}

#[tokio::test(start_paused = true)]
async fn the_broker_uses_as_many_aliases_as_the_client_takes() {
    let house = house(|_| {});
    let (mut client, ack) = house.connect("a", |c| c.topic_alias_max = 1).await;
    assert_eq!(ack.topic_alias_max, 32);
    client.subscribe("#", 0).await;
    let mut seen = vec![];
    for topic in ["t/1", "t/1", "t/2", "t/1"] {
        client.push(topic, "x", 0).await;
        let heard = client.heard().await;
        let alias = heard.properties.unwrap().topic_alias.map(NonZeroU16::get);
        seen.push((heard.topic.to_string(), alias));
    }
    let expected = [("t/1", Some(1)), ("", Some(1)), ("t/2", None), ("", Some(1))];
    assert_eq!(seen, expected.map(|(topic, alias)| (topic.to_string(), alias)));
}
