//! Who gets which room's events, and how they look on the way.

use super::support::{house, out, room, text};
use hearth_protocol::topic::Topic;

#[tokio::test]
async fn each_delivery_asks_whether_it_may_be_read() {
    let house = house(|_| {});
    house.gate.hidden.lock().unwrap().insert(out(room(2)));
    let mut client = house.client("a").await;
    client.subscribe("hearth/rooms/+/out", 1).await;
    house.post(room(2), "before");
    house.post(room(1), "1");
    assert_eq!(client.take().await, "1");
    house.gate.hidden.lock().unwrap().clear();
    house.post(room(2), "joined");
    assert_eq!(client.take().await, "joined");
    house.gate.hidden.lock().unwrap().insert(out(room(2)));
    house.post(room(2), "left");
    house.post(room(1), "2");
    assert_eq!(client.take().await, "2");
    client.nothing().await;
}

#[tokio::test]
async fn an_event_is_delivered_once_however_many_filters_match() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    for (filter, id) in [("#", 1), ("hearth/rooms/+/out", 2)] {
        client.subscribe_with(filter, 1, |s| s.id = id.try_into().ok()).await;
    }
    assert_eq!(client.subscribe(&out(room(1)), 0).await, 0);
    house.post(room(1), "once");
    let heard = client.heard().await;
    assert_eq!((u8::from(heard.qos), heard.retain, text(&heard)), (1, false, "once".into()));
    let mut ids = heard.properties.unwrap().subscription_ids;
    ids.sort_unstable();
    assert_eq!(ids.iter().map(|id| id.get()).collect::<Vec<_>>(), [1, 2]);
    client.ack(heard.packet_id.unwrap()).await;
    client.nothing().await;
}

#[tokio::test]
async fn an_unsubscribed_room_is_silent_and_starts_at_its_head_again() {
    use rmqtt_codec::v5::{Packet, Unsubscribe};
    let house = house(|_| {});
    let mut client = house.client("a").await;
    client.subscribe(&out(room(1)), 1).await;
    house.post(room(1), "1");
    assert_eq!(client.take().await, "1");
    let packet_id = client.id();
    let topic_filters = vec![out(room(1)).into()];
    let packet = Unsubscribe { packet_id, user_properties: vec![], topic_filters };
    client.send(Packet::Unsubscribe(packet)).await;
    let Packet::UnsubscribeAck(_) = client.next().await else { panic!("no UNSUBACK") };
    house.post(room(1), "2");
    client.subscribe(&out(room(1)), 1).await;
    house.post(room(1), "3");
    assert_eq!(client.take().await, "3");
    client.nothing().await;
}

#[tokio::test]
async fn other_topics_of_the_appliance_go_to_whoever_may_read_them() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    client.subscribe("hearth/#", 1).await;
    house.broker.publish(&Topic::Receipts(room(1)), "{}".into(), false);
    let heard = client.heard().await;
    assert_eq!(heard.topic, Topic::Receipts(room(1)).to_string());
}

#[tokio::test]
async fn a_room_that_is_born_after_the_subscription_is_heard_from_its_first_event() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    client.subscribe("hearth/rooms/+/out", 1).await;
    for n in 1..=20 {
        house.post(room(n), "born");
    }
    for _ in 1..=20 {
        assert_eq!(client.take().await, "born");
    }
    client.nothing().await;
}
