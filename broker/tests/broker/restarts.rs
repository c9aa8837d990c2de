//! Sessions, what waits in them, cursors and retained messages outlive the broker (design §4).

use std::sync::atomic::Ordering;

use super::support::disk::Home;
use super::support::{Client, House, out, properties, room, stay, text, will};
use rmqtt_codec::v5::{Packet, PublishAck, PublishAck2};

#[tokio::test(start_paused = true)]
async fn subscriptions_and_what_waits_outlive_a_crash_in_order() {
    let mut home = Home::new().await;
    let (mut phone, present) = home.stays("phone").await;
    assert!(!present);
    assert_eq!(phone.subscribe("a/#", 2).await, 2);
    drop(phone);
    let mut other = home.house.client("other").await;
    for number in 0..5 {
        assert_eq!(other.publish("a/b", &number.to_string()).await, 0);
    }
    home.crash().await;
    let mut other = home.house.client("other").await;
    assert_eq!(other.publish("a/c", "after").await, 0);
    let (mut phone, present) = home.stays("phone").await;
    assert!(present);
    for wanted in ["0", "1", "2", "3", "4"] {
        let heard = phone.heard().await;
        assert_eq!((text(&heard).as_str(), heard.dup), (wanted, true), "it may have been sent");
        phone.ack(heard.packet_id.unwrap()).await;
    }
    assert_eq!(phone.take().await, "after");
    phone.nothing().await;
    home.crash().await;
    let (mut phone, _) = home.stays("phone").await;
    phone.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_acknowledged_before_the_disk_has_what_a_session_waits_for() {
    let home = Home::new().await;
    let (mut phone, _) = home.stays("phone").await;
    phone.subscribe("a", 1).await;
    drop(phone);
    let mut other = home.house.client("other").await;
    home.plug.open.send_replace(false);
    let first = other.push("a", "x", 1).await.unwrap();
    let second = other.push("nobody", "x", 1).await.unwrap();
    other.nothing().await;
    home.plug.failing.store(2, Ordering::SeqCst);
    home.plug.open.send_replace(true);
    assert_eq!(other.acknowledged().await.packet_id, first, "in order");
    assert_eq!(other.acknowledged().await.packet_id, second);
    let (mut phone, _) = home.stays("phone").await;
    assert_eq!(phone.take().await, "x");
}

#[tokio::test(start_paused = true)]
async fn a_qos_2_publish_that_comes_again_is_not_acknowledged_before_the_disk_has_it() {
    let home = Home::new().await;
    let (mut phone, _) = home.stays("phone").await;
    home.plug.open.send_replace(false);
    let id = phone.push("a", "x", 2).await.unwrap();
    phone.nothing().await;
    drop(phone);
    let (mut phone, present) = home.stays("phone").await;
    assert!(present);
    let mut again = super::support::publish("a", "x", 2, Some(id));
    again.dup = true;
    phone.send(Packet::Publish(Box::new(again))).await;
    phone.nothing().await;
    home.plug.open.send_replace(true);
    let Packet::PublishReceived(ack) = phone.next().await else { panic!("no PUBREC") };
    assert_eq!(ack.packet_id, id);
}

#[tokio::test(start_paused = true)]
async fn a_room_that_was_unsubscribed_from_begins_at_its_head_again_after_a_crash() {
    let mut home = Home::new().await;
    let filter = "hearth/rooms/+/out";
    home.house.store(room(1), "1");
    home.crash().await;
    let (mut phone, _) = home.stays("phone").await;
    phone.subscribe(filter, 1).await;
    assert_eq!(phone.unsubscribe(filter).await, 0);
    home.house.store(room(1), "2");
    home.crash().await;
    let (mut phone, present) = home.stays("phone").await;
    assert!(present);
    phone.subscribe(filter, 1).await;
    phone.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn suback_means_that_the_subscription_outlives_a_crash() {
    let mut home = Home::new().await;
    let (mut phone, _) = home.stays("phone").await;
    phone.subscribe("a", 1).await;
    phone.subscribe("b", 1).await;
    home.crash().await;
    let mut other = home.house.client("other").await;
    for topic in ["a", "b"] {
        assert_eq!(other.publish(topic, topic).await, 0);
    }
    let (mut phone, present) = home.stays("phone").await;
    assert!(present);
    assert_eq!((phone.take().await, phone.take().await), ("a".into(), "b".into()));
}

#[tokio::test(start_paused = true)]
async fn a_release_under_way_is_completed_after_a_crash() {
    let mut home = Home::new().await;
    let (mut phone, _) = home.stays("phone").await;
    phone.subscribe("a", 2).await;
    let mut other = home.house.client("other").await;
    other.push("a", "x", 2).await;
    let heard = phone.heard().await;
    let id = heard.packet_id.unwrap();
    home.crash().await;
    let (mut phone, _) = home.stays("phone").await;
    let again = phone.heard().await;
    assert_eq!((again.packet_id, again.dup), (Some(id), true), "the same packet id");
    let ack = PublishAck { packet_id: id, ..Default::default() };
    phone.send(Packet::PublishReceived(ack)).await;
    let Packet::PublishRelease(_) = phone.next().await else { panic!("no PUBREL") };
    home.crash().await;
    let (mut phone, _) = home.stays("phone").await;
    let Packet::PublishRelease(rel) = phone.next().await else { panic!("no PUBREL") };
    assert_eq!(rel.packet_id, id);
    let comp = PublishAck2 { packet_id: id, ..Default::default() };
    phone.send(Packet::PublishComplete(comp)).await;
    phone.nothing().await;
    home.restart().await;
    let (mut phone, _) = home.stays("phone").await;
    phone.nothing().await;
}

// Events come by the bus, which is a thread of its own: a paused clock would run ahead of it.
#[tokio::test]
async fn a_room_is_read_on_from_what_was_acknowledged() {
    let mut home = Home::new().await;
    home.house.store(room(1), "old");
    home.crash().await;
    let (mut phone, _) = home.stays("phone").await;
    phone.subscribe("hearth/rooms/+/out", 1).await;
    let saved = home.disk.rows.lock().unwrap().clone();
    for text in ["1", "2", "3"] {
        home.house.post(room(1), text);
    }
    assert_eq!(phone.take().await, "1");
    assert_eq!(text(&phone.heard().await), "2");
    // The cursors are saved within a second.
    while *home.disk.rows.lock().unwrap() == saved {
        phone.pass_time().await;
    }
    home.house.post(room(2), "a new room");
    home.crash().await;
    home.house.post(room(1), "4");
    home.crash().await;
    let (mut phone, present) = home.stays("phone").await;
    assert!(present);
    let mut heard = vec![];
    for _ in 0..4 {
        heard.push(phone.take().await);
    }
    heard.sort();
    assert_eq!(heard, ["2", "3", "4", "a new room"]);
    phone.nothing().await;
    home.restart().await;
    let (mut phone, _) = home.stays("phone").await;
    phone.nothing().await;
    home.house.post(room(2), "live");
    assert_eq!(phone.heard().await.topic, out(room(2)));
}

#[tokio::test(start_paused = true)]
async fn retained_messages_outlive_a_crash_and_the_appliances_do_not() {
    let mut home = Home::new().await;
    let mut client = home.house.client("c").await;
    for (topic, payload) in [("a", "1"), ("a", "2"), ("b", "1"), ("b", ""), ("c", "3")] {
        let retained = |p: &mut rmqtt_codec::types::Publish| p.retain = true;
        assert_eq!(client.publish_with(topic, payload, retained).await, 0);
    }
    client
        .publish_with("expires", "x", |p| {
            p.retain = true;
            properties(p).message_expiry_interval = super::support::seconds(1_000);
        })
        .await;
    let status = hearth_protocol::topic::Topic::Status;
    home.house.broker.publish(&status, "up".into(), true);
    home.crash().await;
    let mut client = home.house.client("c").await;
    client.subscribe("#", 1).await;
    let mut heard = vec![];
    for _ in 0..3 {
        let packet = client.heard().await;
        assert!(packet.retain);
        heard.push((packet.topic.to_string(), text(&packet)));
        client.ack(packet.packet_id.unwrap()).await;
    }
    heard.sort();
    let pair = |topic: &str, text: &str| (topic.to_string(), text.to_string());
    assert_eq!(heard, [pair("a", "2"), pair("c", "3"), pair("expires", "x")]);
    client.nothing().await;
}

#[tokio::test(start_paused = true)]
async fn who_set_a_retained_message_is_charged_for_it_after_a_restart_too() {
    let mut home = Home::new().await;
    let count = hearth_protocol::limits::Limits::default().retained_per_identity_max;
    let retained = |p: &mut rmqtt_codec::types::Publish| p.retain = true;
    let mut client = home.house.client("c").await;
    for n in 0..count {
        assert_eq!(client.publish_with(&format!("t/{n}"), "x", retained).await, 0);
    }
    home.restart().await;
    let mut client = home.house.client("c").await;
    assert_eq!(client.publish_with("one/more", "x", retained).await, 0x97);
    let mut other = home.house.client_as("o", "other").await;
    assert_eq!(other.publish_with("one/more", "x", retained).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_retained_message_that_expired_leaves_the_disk() {
    let home = Home::new().await;
    let mut client = home.house.client("c").await;
    for (topic, expiry) in [("short", 1), ("long", 100)] {
        client
            .publish_with(topic, "x", |p| {
                p.retain = true;
                properties(p).message_expiry_interval = super::support::seconds(expiry);
            })
            .await;
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    }
    let rows: Vec<_> = home.disk.rows.lock().unwrap().keys().cloned().collect();
    assert_eq!(rows, ["tlong"]);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_over_leaves_nothing_on_the_disk() {
    let mut home = Home::new().await;
    let settle = || tokio::time::sleep(std::time::Duration::from_secs(5));
    for end in 0..4 {
        let (mut phone, present) = home.stays("phone").await;
        assert!(!present, "after {end} ends");
        phone.subscribe("a", 1).await;
        phone.push("b", "x", 2).await;
        phone.next().await;
        drop(phone);
        let mut other = home.house.client("other").await;
        other.publish("a", "x").await;
        drop(other);
        assert!(home.rows() >= 3, "session, queue, received: {}", home.rows());
        match end {
            0 => drop(home.house.client("phone").await),
            1 => tokio::time::sleep(std::time::Duration::from_secs(1_001)).await,
            2 => {
                let (phone, _) = home.house.connect("phone", |c| c.clean_start = false).await;
                drop(phone);
            }
            _ => {
                let (mut phone, _) = home.stays("phone").await;
                let bye = rmqtt_codec::v5::Disconnect {
                    session_expiry_interval_secs: Some(0),
                    ..rmqtt_codec::v5::Disconnect::default()
                };
                phone.send(Packet::Disconnect(bye)).await;
                while phone.next_or_end().await.is_some() {}
            }
        }
        settle().await;
        assert_eq!(home.rows(), 0, "after end {end}");
        home.crash().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_expires_while_the_broker_is_away_is_not_brought_back() {
    let mut home = Home::new().await;
    // Far longer than this test takes: the clock on the wall goes on, whatever the paused one does.
    let expires = |c: &mut rmqtt_codec::v5::Connect| c.session_expiry_interval_secs = 1_000;
    let (mut phone, _) = home.house.connect("phone", expires).await;
    phone.subscribe("a", 1).await;
    phone.disconnect().await;
    home.crash().await;
    let (phone, present) = home.stays("phone").await;
    assert!(present, "on the wall hardly any time passed");
    drop(phone);
    home.house.connect("short", expires).await.0.disconnect().await;
    home.crash().await;
    tokio::time::sleep(std::time::Duration::from_secs(1_001)).await;
    let (_, present) = home.stays("short").await;
    assert!(!present, "it expired after the restart");
}

#[tokio::test(start_paused = true)]
async fn the_gate_is_told_of_the_release_of_what_it_handled() {
    let home = Home::new().await;
    let (mut phone, _) = home.stays("phone").await;
    let id = phone.push("handled/x", "1", 2).await.unwrap();
    let Packet::PublishReceived(_) = phone.next().await else { panic!("no PUBREC") };
    let once = home.house.gate.publishes.lock().unwrap()[0].once.clone().unwrap();
    assert_eq!(once.packet_id, id.get());
    let release = PublishAck2 { packet_id: id, ..Default::default() };
    phone.send(Packet::PublishRelease(release)).await;
    let Packet::PublishComplete(_) = phone.next().await else { panic!("no PUBCOMP") };
    assert_eq!(*home.house.gate.released.lock().unwrap(), [once]);
    // A session that ends with its connection has no name for the gate.
    let mut short = home.house.client("short").await;
    short.push("handled/x", "1", 2).await;
    short.next().await;
    assert_eq!(home.house.gate.publishes.lock().unwrap()[1].once, None);
}

#[tokio::test(start_paused = true)]
async fn two_accounts_with_one_client_id_keep_their_own() {
    let mut home = Home::new().await;
    for name in ["anna", "ben"] {
        let (mut client, _) = named(&home.house, name).await;
        client.subscribe(name, 1).await;
    }
    home.crash().await;
    let mut other = home.house.client("other").await;
    for name in ["anna", "ben"] {
        other.publish(name, name).await;
        let (mut client, present) = named(&home.house, name).await;
        assert!(present);
        assert_eq!(client.take().await, name);
        client.nothing().await;
    }
}

async fn named(house: &House, name: &str) -> (Client, bool) {
    let mut client = house.guest();
    let ack = client
        .hello("phone", |c| {
            stay(c);
            c.username = Some(name.to_string().into());
            c.last_will = Some(will("gone", 0));
        })
        .await;
    (client, ack.session_present)
}

#[tokio::test(start_paused = true)]
async fn a_group_and_what_waits_for_it_outlive_a_crash() {
    let mut home = Home::new().await;
    for id in ["phone", "tablet"] {
        let (mut client, _) = home.stays(id).await;
        client.subscribe("$share/g/t", 2).await;
        client.disconnect().await;
    }
    let mut other = home.house.client("other").await;
    for number in 0..4 {
        other.publish("t", &number.to_string()).await;
    }
    // At QoS 2 it may have been sent before the crash, so nobody else gets it.
    other.push("t", "4", 2).await;
    other.next().await;
    home.crash().await;
    let mut other = home.house.client("other").await;
    other.publish("t", "5").await;
    // The phone's session ends: the tablet gets what waited there.
    drop(home.house.client("phone").await);
    let (mut tablet, _) = home.stays("tablet").await;
    let mut texts: Vec<_> = tablet.arrived().await.iter().map(text).collect();
    texts.sort();
    assert_eq!(texts, ["0", "1", "2", "3", "5"]);
    home.crash().await;
    let (mut tablet, _) = home.stays("tablet").await;
    tablet.nothing().await;
    drop(tablet);
    drop(home.house.client("tablet").await);
    home.restart().await;
    assert_eq!(home.rows(), 0);
}
