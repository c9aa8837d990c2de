//! Shared subscriptions: each message goes to one session of a group (MQTT 5 §4.8.2).

use std::time::Duration;

use super::support::{Client, House, app, house, room, text};
use rmqtt_codec::types::Publish;
use rmqtt_codec::v3;
use rmqtt_codec::v5::{
    Connect, Disconnect, Packet, PublishAck, PublishAckReason, Subscribe, SubscriptionOptions,
};
use tokio::time::sleep;

fn stay(connect: &mut Connect) {
    connect.clean_start = false;
    connect.session_expiry_interval_secs = 100;
}

fn as_app(number: u8) -> impl FnOnce(&mut Connect) {
    move |connect| {
        stay(connect);
        connect.username = Some(format!("app {number}").into());
    }
}

fn texts(arrived: &[Publish]) -> Vec<String> {
    arrived.iter().map(text).collect()
}

/// A client that stays and shares `t` at a QoS.
async fn sharer(house: &House, id: &str, qos: u8) -> Client {
    let (mut client, _) = house.connect(id, stay).await;
    assert_eq!(client.subscribe("$share/g/t", qos).await, qos);
    client
}

/// The same, gone away.
async fn away(house: &House, id: &str, qos: u8) {
    sharer(house, id, qos).await.disconnect().await;
}

async fn back(house: &House, id: &str) -> Client {
    let (client, ack) = house.connect(id, stay).await;
    assert!(ack.session_present);
    client
}

#[tokio::test(start_paused = true)]
async fn each_message_goes_to_one_of_the_group_in_turn() {
    let house = house(|_| {});
    let (mut a, ack) = house.connect("a", |_| {}).await;
    assert!(ack.shared_subscription_available);
    let mut b = house.client("b").await;
    for client in [&mut a, &mut b] {
        assert_eq!(client.subscribe("$share/g/t/+", 1).await, 1);
    }
    let (mut old, _) = house.old("c", true).await;
    let topic_filters = vec![("$share/g/t/+".into(), 0.try_into().unwrap())];
    let packet_id = a.id();
    old.send(v3::Packet::Subscribe { packet_id, topic_filters }).await;
    let Some(v3::Packet::SubscribeAck { status, .. }) = old.next().await else {
        panic!("no SUBACK")
    };
    assert_eq!(status, [v3::SubscribeReturnCode::Success(0.try_into().unwrap())]);
    let mut publisher = house.client("p").await;
    for n in 0..6 {
        publisher.publish("t/1", &n.to_string()).await;
    }
    assert_eq!(texts(&a.arrived().await), ["0", "3"]);
    assert_eq!(texts(&b.arrived().await), ["1", "4"]);
    for expected in ["2", "5"] {
        let Some(v3::Packet::Publish(publish)) = old.next().await else { panic!("no PUBLISH") };
        assert_eq!(text(&publish), expected);
    }
    old.send(v3::Packet::PingRequest).await;
    assert_eq!(old.next().await, Some(v3::Packet::PingResponse));
}

#[tokio::test(start_paused = true)]
async fn every_group_and_a_subscription_of_ones_own_bring_a_copy_each() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    for (filter, id) in [("t", 1), ("+", 2), ("$share/g/t", 3), ("$share/h/t", 4)] {
        client.subscribe_with(filter, 0, |s| s.id = id.try_into().ok()).await;
    }
    client.push("t", "x", 0).await;
    let mut copies: Vec<Vec<u32>> = vec![];
    for heard in client.arrived().await {
        let ids = heard.properties.unwrap().subscription_ids;
        copies.push(ids.iter().map(|id| id.get()).collect());
    }
    copies.iter_mut().for_each(|ids| ids.sort_unstable());
    copies.sort();
    assert_eq!(copies, [vec![1, 2], vec![3], vec![4]]);
}

#[tokio::test(start_paused = true)]
async fn a_message_comes_as_the_chosen_ones_subscription_says() {
    let house = house(|_| {});
    let mut a = house.client("a").await;
    a.subscribe_with("$share/g/t", 0, |s| s.id = 7.try_into().ok()).await;
    let mut b = house.client("b").await;
    b.subscribe_with("$share/g/t", 1, |s| {
        s.id = 8.try_into().ok();
        s.topic_filters[0].1.retain_as_published = true;
    })
    .await;
    for _ in 0..2 {
        assert_eq!(b.publish_with("t", "x", |p| p.retain = true).await, 0);
        if let [one] = &a.arrived().await[..] {
            let ids = &one.properties.as_ref().unwrap().subscription_ids;
            assert_eq!((u8::from(one.qos), one.retain, ids[0].get()), (0, false, 7));
        }
    }
    let arrived = b.arrived().await;
    let ids = &arrived[0].properties.as_ref().unwrap().subscription_ids;
    assert_eq!((u8::from(arrived[0].qos), arrived[0].retain, ids[0].get()), (1, true, 8));
    assert_eq!(arrived.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn retained_messages_are_not_sent_at_a_shared_subscribe() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    for topic in ["t", "$share/g/t"] {
        client.publish_with(topic, "x", |p| p.retain = true).await;
    }
    client.subscribe("$share/g/t", 1).await;
    assert_eq!(client.arrived().await, []);
}

#[tokio::test(start_paused = true)]
async fn no_local_on_a_shared_subscription_is_a_protocol_error() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    let options = SubscriptionOptions { no_local: true, ..Default::default() };
    let packet = Subscribe {
        packet_id: client.id(),
        id: None,
        user_properties: vec![],
        topic_filters: vec![("t".into(), options), ("$share/g/t".into(), options)],
    };
    client.send(Packet::Subscribe(packet)).await;
    assert_eq!(client.bye().await, 0x82);
}

#[tokio::test(start_paused = true)]
async fn accounts_that_use_the_same_name_do_not_share() {
    let house = house(|_| {});
    let mut mine = sharer(&house, "a", 1).await;
    let (mut theirs, _) = house.connect("a", |c| c.username = Some("other".into())).await;
    theirs.subscribe("$share/g/t", 1).await;
    let mut publisher = house.client("p").await;
    for _ in 0..3 {
        publisher.publish("t", "x").await;
    }
    assert_eq!((mine.arrived().await.len(), theirs.arrived().await.len()), (3, 3));
}

#[tokio::test]
async fn what_is_hearths_own_is_never_shared() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    for filter in ["hearth/status", "hearth/rooms/+/out", "hearth/#"] {
        assert_eq!(client.subscribe(&format!("$share/g/{filter}"), 1).await, 0x87, "{filter}");
    }
    for filter in ["#", "+/status", "+/rooms/+/out"] {
        assert_eq!(client.subscribe(&format!("$share/g/{filter}"), 1).await, 1, "{filter}");
    }
    let mut other = house.client("b").await;
    other.subscribe("#", 1).await;
    house.post(room(1), "event");
    assert_eq!(other.take().await, "event");
    let mut publisher = house.client("p").await;
    publisher.publish("hearth/status", "x").await;
    publisher.publish("elsewhere/status", "y").await;
    assert_eq!(texts(&other.arrived().await), ["x", "y"]);
    // Once by `#` and once by `+/status`.
    assert_eq!(texts(&client.arrived().await), ["y", "y"]);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_connected_comes_before_whoever_is_away() {
    let house = house(|_| {});
    away(&house, "a", 1).await;
    let mut b = sharer(&house, "b", 0).await;
    let mut publisher = house.client("p").await;
    for _ in 0..3 {
        publisher.publish("t", "x").await;
    }
    assert_eq!(b.arrived().await.len(), 3);
    assert_eq!(back(&house, "a").await.arrived().await, []);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_one_who_is_away_stays_its_own_at_qos_1() {
    let house = house(|_| {});
    away(&house, "a", 2).await;
    away(&house, "granted QoS 0", 0).await;
    let mut publisher = house.client("p").await;
    publisher.push("t", "lost", 0).await;
    publisher.publish("t", "kept").await;
    publisher.publish("t", "kept too").await;
    let mut b = sharer(&house, "b", 1).await;
    publisher.publish("t", "new").await;
    assert_eq!(texts(&b.arrived().await), ["new"]);
    assert_eq!(texts(&back(&house, "a").await.arrived().await), ["kept", "kept too"]);
    assert_eq!(house.broker.counts().dropped, 0);
}

#[tokio::test(start_paused = true)]
async fn a_full_session_is_passed_over() {
    let house = house(|limits| limits.queued_messages_max = 2);
    away(&house, "a", 1).await;
    away(&house, "b", 1).await;
    let mut publisher = house.client("p").await;
    for n in 0..5 {
        publisher.publish("t", &n.to_string()).await;
    }
    assert_eq!(house.broker.counts().dropped, 1);
    // One that reads and acknowledges nothing is full in the end, and then others get it all.
    let (mut deaf, _) = house.connect("c", |c| c.receive_max = 1.try_into().ok()).await;
    deaf.subscribe("$share/h/u", 1).await;
    let mut b = house.client("d").await;
    b.subscribe("$share/h/u", 1).await;
    let mut got = 0;
    for _ in 0..200 {
        publisher.publish("u", "x").await;
        got += b.arrived().await.len();
    }
    loop {
        match deaf.arrived().await.len() {
            0 => break,
            more => got += more,
        }
    }
    assert_eq!((got, house.broker.counts().dropped), (200, 1));
}

/// Leaves one QoS 1 and one QoS 2 message under way to a session, and one of each unsent.
async fn under_way(house: &House, id: &str) -> Client {
    let (mut client, _) = house
        .connect(id, |c| {
            stay(c);
            c.receive_max = 2.try_into().ok();
        })
        .await;
    client.subscribe("$share/g/t", 2).await;
    let mut publisher = house.client("p").await;
    publisher.publish("t", "sent 1").await;
    publisher.push("t", "sent 2", 2).await;
    publisher.next().await;
    publisher.publish("t", "unsent 1").await;
    publisher.push("t", "unsent 2", 2).await;
    publisher.next().await;
    for expected in ["sent 1", "sent 2"] {
        assert_eq!(text(&client.heard().await), expected);
    }
    client.nothing().await;
    client
}

#[tokio::test(start_paused = true)]
async fn what_a_session_leaves_when_it_is_over_goes_to_another_but_not_qos_2_under_way() {
    for way in ["expires", "cleared by another", "cleared while away", "ended by itself"] {
        let house = house(|_| {});
        let client = under_way(&house, "a").await;
        let mut other = sharer(&house, "b", 2).await;
        match way {
            "expires" => {
                drop(client);
                sleep(Duration::from_secs(99)).await;
                assert_eq!(other.arrived().await, [], "{way}");
                sleep(Duration::from_secs(2)).await;
            }
            "cleared by another" => drop(house.client("a").await),
            "cleared while away" => {
                client.disconnect().await;
                drop(house.client("a").await);
            }
            _ => {
                let mut client = client;
                let session_expiry_interval_secs = Some(0);
                let bye = Disconnect { session_expiry_interval_secs, ..Default::default() };
                client.send(Packet::Disconnect(bye)).await;
                assert!(client.next_or_end().await.is_none());
                sleep(Duration::from_secs(1)).await;
            }
        }
        let arrived = other.arrived().await;
        assert_eq!(texts(&arrived), ["sent 1", "unsent 1", "unsent 2"], "{way}");
        assert!(arrived.iter().all(|publish| !publish.dup), "{way}");
        let qos: Vec<u8> = arrived.iter().map(|publish| publish.qos.into()).collect();
        assert_eq!(qos, [1, 1, 2], "{way}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_under_way_is_sent_again_to_the_one_who_comes_back() {
    let house = house(|_| {});
    drop(under_way(&house, "a").await);
    let mut other = sharer(&house, "b", 2).await;
    let mut client = back(&house, "a").await;
    let all = ["sent 1", "sent 2", "unsent 1", "unsent 2"];
    assert_eq!(texts(&client.arrived().await), all);
    assert_eq!(other.arrived().await, []);
}

#[tokio::test(start_paused = true)]
async fn what_one_of_the_group_refuses_is_offered_to_nobody_else() {
    let house = house(|_| {});
    let mut a = sharer(&house, "a", 1).await;
    let mut publisher = house.client("p").await;
    publisher.publish("t", "x").await;
    let packet_id = a.heard().await.packet_id.unwrap();
    let mut b = sharer(&house, "b", 1).await;
    let reason_code = PublishAckReason::UnspecifiedError;
    let ack = PublishAck { packet_id, reason_code, ..Default::default() };
    a.send(Packet::PublishAck(ack)).await;
    a.nothing().await;
    drop(house.client("a").await);
    assert_eq!(b.arrived().await, []);
}

#[tokio::test(start_paused = true)]
async fn whoever_unsubscribes_leaves_the_group() {
    let house = house(|_| {});
    let mut a = sharer(&house, "a", 1).await;
    let mut b = sharer(&house, "b", 1).await;
    assert_eq!(a.unsubscribe("$share/h/t").await, 0x11);
    assert_eq!(a.unsubscribe("t").await, 0x11);
    assert_eq!(a.unsubscribe("$share/g/t").await, 0);
    let mut publisher = house.client("p").await;
    for _ in 0..3 {
        publisher.publish("t", "x").await;
    }
    assert_eq!((a.arrived().await.len(), b.arrived().await.len()), (0, 3));
}

#[tokio::test(start_paused = true)]
async fn whoever_may_not_receive_a_message_does_not_swallow_it() {
    let house = house(|_| {});
    let mut clients = vec![];
    for number in 1..=2 {
        let (mut client, _) = house.connect(&number.to_string(), as_app(number)).await;
        client.subscribe("$share/g/t", 1).await;
        clients.push(client);
    }
    house.gate.barred.lock().unwrap().insert(app(1));
    let mut publisher = house.client("p").await;
    for _ in 0..4 {
        publisher.publish("t", "x").await;
    }
    assert_eq!(clients[0].arrived().await, []);
    assert_eq!(clients[1].arrived().await.len(), 4);
    // Nor if the right is lost while it waits for its turn.
    let mut away = clients.remove(0);
    let mut other = clients.remove(0);
    other.unsubscribe("$share/g/t").await;
    house.gate.barred.lock().unwrap().clear();
    away.disconnect().await;
    publisher.publish("t", "y").await;
    house.gate.barred.lock().unwrap().insert(app(1));
    other.subscribe("$share/g/t", 1).await;
    away = house.connect("1", as_app(1)).await.0;
    assert_eq!(away.arrived().await, []);
    assert_eq!(texts(&other.arrived().await), ["y"]);
}

#[tokio::test(start_paused = true)]
async fn one_who_is_away_and_barred_keeps_it_for_later_if_there_is_nobody_else() {
    let house = house(|_| {});
    let (mut client, _) = house.connect("1", as_app(1)).await;
    client.subscribe("$share/g/t", 1).await;
    client.disconnect().await;
    house.gate.barred.lock().unwrap().insert(app(1));
    let mut publisher = house.client("p").await;
    publisher.publish("t", "x").await;
    house.gate.barred.lock().unwrap().clear();
    let (mut client, _) = house.connect("1", as_app(1)).await;
    assert_eq!(texts(&client.arrived().await), ["x"]);
}

#[tokio::test(start_paused = true)]
async fn a_shared_subscription_counts_as_one() {
    let house = house(|limits| {
        limits.subscriptions_max = 1;
        limits.topic_levels_max = 2;
    });
    let mut client = house.client("a").await;
    assert_eq!(client.subscribe("$share/g/a/b/c", 0).await, 0x8F);
    assert_eq!(client.subscribe("$share/g/a/b", 0).await, 0);
    assert_eq!(client.subscribe("$share/h/a/b", 0).await, 0x97);
    assert_eq!(client.unsubscribe("$share/g/a/b").await, 0);
    assert_eq!(client.subscribe("$share/h/a/b", 0).await, 0);
}
