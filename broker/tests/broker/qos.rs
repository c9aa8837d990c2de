//! QoS 0, 1 and 2, both ways, also across connections (MQTT 5 §4.3, §4.4).

use super::support::{Client, House, house, out, publish, room, stay, text};
use rmqtt_codec::v5::{Connect, Packet, PublishAck, PublishAck2, PublishAckReason};

async fn release(client: &mut Client, id: std::num::NonZeroU16) -> u8 {
    let release = PublishAck2 { packet_id: id, ..Default::default() };
    client.send(Packet::PublishRelease(release)).await;
    match client.next().await {
        Packet::PublishComplete(ack) => ack.reason_code.into(),
        other => panic!("{other:?}"),
    }
}

async fn received(client: &mut Client) -> PublishAck {
    match client.next().await {
        Packet::PublishReceived(ack) => ack,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_delivery_has_the_lower_qos_of_publish_and_subscription() {
    let house = house(|_| {});
    for granted in 0..3 {
        for published in 0..3 {
            let mut client = house.client("a").await;
            let mut other = house.client("b").await;
            assert_eq!(client.subscribe("t", granted).await, granted);
            other.push("t", "x", published).await;
            let heard = client.heard().await;
            assert_eq!(u8::from(heard.qos), granted.min(published));
            assert_eq!(heard.packet_id.is_some(), u8::from(heard.qos) > 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn qos_2_is_delivered_once_also_over_a_new_connection() {
    let house = house(|_| {});
    let mut other = house.client("b").await;
    other.subscribe("t", 0).await;
    let (mut client, _) = house.connect("a", stay).await;
    let id = client.push("t", "once", 2).await.unwrap();
    assert_eq!(received(&mut client).await.packet_id, id);
    drop(client);
    let (mut client, ack) = house.connect("a", stay).await;
    assert!(ack.session_present);
    let mut again = publish("t", "once", 2, Some(id));
    again.dup = true;
    client.send(Packet::Publish(Box::new(again))).await;
    assert_eq!(received(&mut client).await.packet_id, id);
    assert_eq!(release(&mut client, id).await, 0);
    assert_eq!(release(&mut client, id).await, 0x92, "released already");
    assert_eq!(text(&other.heard().await), "once");
    other.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_of_qos_2_is_asked_until_it_completes() {
    let house = house(|_| {});
    let (mut client, _) = house.connect("a", stay).await;
    client.subscribe("t", 2).await;
    let mut other = house.client("b").await;
    other.push("t", "x", 2).await;
    let first = client.heard().await;
    drop(client);
    let (mut client, _) = house.connect("a", stay).await;
    let again = client.heard().await;
    assert!(again.dup && again.packet_id == first.packet_id);
    let id = first.packet_id.unwrap();
    let ack = PublishAck { packet_id: id, ..Default::default() };
    client.send(Packet::PublishReceived(ack.clone())).await;
    let Packet::PublishRelease(rel) = client.next().await else { panic!("no PUBREL") };
    assert_eq!(rel.packet_id, id);
    drop(client);
    let (mut client, _) = house.connect("a", stay).await;
    let Packet::PublishRelease(rel) = client.next().await else { panic!("no second PUBREL") };
    assert_eq!(rel.packet_id, id);
    let complete = PublishAck2 { packet_id: id, ..Default::default() };
    client.send(Packet::PublishComplete(complete)).await;
    client.nothing().await;
    client.send(Packet::PublishReceived(ack)).await;
    let Packet::PublishRelease(rel) = client.next().await else { panic!("no PUBREL") };
    assert_eq!(u8::from(rel.reason_code), 0x92);
}

#[tokio::test(start_paused = true)]
async fn a_pubrec_that_refuses_ends_the_delivery() {
    let house = house(|limits| limits.in_flight_max = 1);
    let mut client = house.client("a").await;
    client.subscribe("t", 2).await;
    let mut other = house.client("b").await;
    other.push("t", "1", 2).await;
    other.push("t", "2", 2).await;
    let first = client.heard().await;
    client.nothing().await;
    let refuse = PublishAck {
        packet_id: first.packet_id.unwrap(),
        reason_code: PublishAckReason::QuotaExceeded,
        ..Default::default()
    };
    client.send(Packet::PublishReceived(refuse)).await;
    assert_eq!(text(&client.heard().await), "2");
}

async fn three(house: &House) -> (Client, Vec<std::num::NonZeroU16>) {
    let (mut client, _) = house.connect("a", stay).await;
    client.subscribe("t", 1).await;
    let mut other = house.client("b").await;
    let mut ids = vec![];
    for n in 1..=3 {
        other.publish("t", &n.to_string()).await;
        ids.push(client.heard().await.packet_id.unwrap());
    }
    (client, ids)
}

#[tokio::test(start_paused = true)]
async fn acknowledgements_may_come_in_any_order() {
    let house = house(|_| {});
    let (mut client, ids) = three(&house).await;
    client.ack(ids[2]).await;
    client.ack(ids[0]).await;
    client.ack(1_000.try_into().unwrap()).await;
    client.nothing().await;
    drop(client);
    let (mut client, _) = house.connect("a", stay).await;
    assert_eq!(text(&client.heard().await), "2");
    client.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_smaller_window_after_a_return_is_kept() {
    let house = house(|_| {});
    let (client, ids) = three(&house).await;
    drop(client);
    let small = |c: &mut Connect| {
        stay(c);
        c.receive_max = 1.try_into().ok();
    };
    let (mut client, _) = house.connect("a", small).await;
    for (id, expected) in ids.iter().zip(["1", "2", "3"]) {
        assert_eq!(text(&client.heard().await), expected);
        client.nothing().await;
        client.ack(*id).await;
    }
    client.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn messages_wait_for_a_session_above_qos_0_only() {
    let house = house(|_| {});
    let (mut client, _) = house.connect("a", stay).await;
    client.subscribe("t", 2).await;
    client.disconnect().await;
    let mut other = house.client("b").await;
    other.push("t", "zero", 0).await;
    other.publish("t", "one").await;
    let (mut client, _) = house.connect("a", stay).await;
    assert_eq!(client.take().await, "one");
    client.nothing().await;
    client.disconnect().await;
    let (_, ack) = house.connect("a", |_| {}).await;
    assert!(!ack.session_present, "a clean start forgets");
    let (mut client, _) = house.connect("a", stay).await;
    other.publish("t", "two").await;
    client.nothing().await;
}

#[tokio::test]
async fn what_may_not_be_read_any_more_is_not_sent_again() {
    let house = house(|_| {});
    let (mut client, _) = house.connect("a", stay).await;
    client.subscribe("t", 1).await;
    client.subscribe("hearth/rooms/+/out", 1).await;
    let mut other = house.client("b").await;
    other.publish("t", "plain").await;
    house.post(room(1), "event");
    for _ in 0..2 {
        client.heard().await;
    }
    drop(client);
    house.gate.hidden.lock().unwrap().extend(["t".to_string(), out(room(1))]);
    let (mut client, ack) = house.connect("a", stay).await;
    assert!(ack.session_present);
    client.nothing().await;
    other.publish("u", "x").await;
    client.subscribe("u", 1).await;
    other.publish("u", "what is below goes on").await;
    assert_eq!(client.take().await, "what is below goes on");
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_for_the_next_connection_makes_room_there() {
    let house = house(|_| {});
    let (mut client, _) = house.connect("a", stay).await;
    client.subscribe("t", 1).await;
    let mut other = house.client("b").await;
    other.publish("t", &"x".repeat(100)).await;
    client.heard().await;
    drop(client);
    let small = |connect: &mut Connect| {
        stay(connect);
        connect.max_packet_size = 50.try_into().ok();
        connect.receive_max = 1.try_into().ok();
    };
    let (mut client, _) = house.connect("a", small).await;
    other.publish("t", "short").await;
    assert_eq!(client.take().await, "short");
}

#[tokio::test(start_paused = true)]
async fn a_packet_id_of_qos_2_is_released_when_its_message_may_not_be_read_any_more() {
    let house = house(|_| {});
    let (mut client, _) = house.connect("a", stay).await;
    client.subscribe("t", 2).await;
    let mut other = house.client("b").await;
    other.push("t", "x", 2).await;
    let id = client.heard().await.packet_id.unwrap();
    drop(client);
    house.gate.hidden.lock().unwrap().insert("t".to_string());
    let (mut client, _) = house.connect("a", stay).await;
    let Packet::PublishRelease(release) = client.next().await else { panic!("no PUBREL") };
    assert_eq!(release.packet_id, id);
}
