//! SUBSCRIBE and UNSUBSCRIBE (MQTT 5 §3.8 to §3.11, §4.7).

use super::support::{house, publish, text};
use rmqtt_codec::v3;
use rmqtt_codec::v5::{Packet, SubscriptionOptions, Unsubscribe};

#[tokio::test(start_paused = true)]
async fn each_filter_is_answered_for_itself() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    let cases = [
        ("a/+/#", 0x02),
        ("secret/x", 0x87),
        ("a/#/b", 0x8F),
        ("a+", 0x8F),
        ("", 0x8F),
        ("$share/g/a", 0x02),
        ("$share/g", 0x8F),
        ("$share/g/secret/x", 0x87),
        ("$SYS/#", 0x02),
    ];
    let packet_id = client.id();
    client
        .subscribe_with("x", 2, |s| {
            let options = s.topic_filters[0].1;
            s.packet_id = packet_id;
            s.topic_filters = cases.iter().map(|(f, _)| ((*f).into(), options)).collect();
        })
        .await;
    let mut old = house.old("b", true).await.0;
    let topic_filters =
        vec![("a".into(), 1.try_into().unwrap()), ("secret".into(), 0.try_into().unwrap())];
    old.send(v3::Packet::Subscribe { packet_id, topic_filters }).await;
    let Some(v3::Packet::SubscribeAck { status, .. }) = old.next().await else {
        panic!("no SUBACK")
    };
    let granted = v3::SubscribeReturnCode::Success(1.try_into().unwrap());
    assert_eq!(status, [granted, v3::SubscribeReturnCode::Failure]);
    for (filter, expected) in cases {
        assert_eq!(client.subscribe(filter, 2).await, expected, "{filter}");
    }
}

#[tokio::test(start_paused = true)]
async fn wildcards_match_and_dollar_topics_stay_apart() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    client.subscribe("+/b", 0).await;
    client.subscribe("$x/#", 0).await;
    for topic in ["a/b", "/b", "$y/b", "a/b/c", "$x", "$x/b"] {
        client.push(topic, "", 0).await;
    }
    for topic in ["a/b", "/b", "$x", "$x/b"] {
        assert_eq!(client.heard().await.topic, topic);
    }
    client.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn overlapping_filters_deliver_once_with_all_identifiers() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    for (filter, id, qos) in [("t/#", 5, 0), ("t/+", 6, 2)] {
        client.subscribe_with(filter, qos, |s| s.id = id.try_into().ok()).await;
    }
    client.push("t/1", "x", 1).await;
    client.acknowledged().await;
    let heard = client.heard().await;
    assert_eq!(u8::from(heard.qos), 1);
    let mut ids = heard.properties.unwrap().subscription_ids;
    ids.sort_unstable();
    assert_eq!(ids.iter().map(|id| id.get()).collect::<Vec<_>>(), [5, 6]);
    client.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn no_local_keeps_away_what_one_said_oneself() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    client.subscribe_with("t", 0, |s| s.topic_filters[0].1.no_local = true).await;
    client.push("t", "own", 0).await;
    let mut other = house.client("b").await;
    other.push("t", "other", 0).await;
    assert_eq!(text(&client.heard().await), "other");
    client.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_subscription_is_replaced_by_one_to_the_same_filter() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    client.subscribe("t", 2).await;
    client.subscribe("t", 0).await;
    client.publish("t", "x").await;
    assert_eq!(u8::from(client.heard().await.qos), 0);
    client.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn one_unsuback_answers_every_filter_known_or_not() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    client.subscribe("one", 0).await;
    let packet_id = client.id();
    let topic_filters = vec!["one".into(), "never".into()];
    let packet = Unsubscribe { packet_id, user_properties: vec![], topic_filters };
    client.send(Packet::Unsubscribe(packet)).await;
    let Packet::UnsubscribeAck(ack) = client.next().await else { panic!("no UNSUBACK") };
    let codes: Vec<u8> = ack.status.iter().map(|code| (*code).into()).collect();
    assert_eq!((ack.packet_id, codes), (packet_id, vec![0, 0x11]));
    client.push("one", "x", 0).await;
    client.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn what_travels_beside_a_payload_arrives() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    let options = SubscriptionOptions::default();
    assert_eq!(options.qos, 0.try_into().unwrap());
    client.subscribe("t", 0).await;
    let mut packet = publish("t", "x", 0, None);
    let properties = super::support::properties(&mut packet);
    properties.content_type = Some("text/plain".into());
    properties.response_topic = Some("answer".into());
    properties.correlation_data = Some("id".into());
    properties.is_utf8_payload = true;
    properties.user_properties = vec![("a".into(), "1".into()), ("a".into(), "2".into())];
    let sent = properties.clone();
    client.send(Packet::Publish(Box::new(packet))).await;
    assert_eq!(client.heard().await.properties, Some(sent));
}
