//! A link in the process hears what sessions hear, within its bounds.

use super::support::{house, out, properties, room, seconds};
use hearth_broker::{Heard, LinkError, Qos};
use hearth_protocol::topic::Topic;
use std::time::Duration;

fn heard(topic: &str, payload: &str, qos: Qos, retained: bool) -> Heard {
    let payload = payload.to_string().into();
    Heard { topic: topic.into(), payload, retained, qos }
}

#[tokio::test(start_paused = true)]
async fn it_hears_each_message_once_what_is_retained_first() {
    let house = house(|_| {});
    let mut client = house.client("a").await;
    client.publish_with("t/old", "kept", |p| p.retain = true).await;
    let mut link = house.broker.link(&["t/+", "#"], 10).unwrap();
    client.push("t/new", "1", 0).await;
    client.publish("t/new", "2").await;
    client.publish_with("t/old", "3", |p| p.retain = true).await;
    house.broker.publish(&Topic::Status, "online".into(), true);
    let expected = [
        heard("t/old", "kept", Qos::AtLeastOnce, true),
        heard("t/new", "1", Qos::AtMostOnce, false),
        heard("t/new", "2", Qos::AtLeastOnce, false),
        heard("t/old", "3", Qos::AtLeastOnce, false),
        heard("hearth/status", "online", Qos::AtLeastOnce, false),
    ];
    for expected in expected {
        assert_eq!(link.recv().await, Some(expected));
    }
}

#[tokio::test(start_paused = true)]
async fn room_events_do_not_come_by_it() {
    let house = house(|_| {});
    let mut link = house.broker.link(&[&out(room(1)), "hearth/#"], 10).unwrap();
    house.post(room(1), "event");
    house.broker.publish(&Topic::Receipts(room(1)), "{}".into(), false);
    let receipts = Topic::Receipts(room(1)).to_string();
    assert_eq!(link.recv().await, Some(heard(&receipts, "{}", Qos::AtLeastOnce, false)));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_is_dropped_and_counted_and_nobody_waits() {
    let house = house(|_| {});
    let mut link = house.broker.link(&["t"], 3).unwrap();
    let mut client = house.client("a").await;
    client.subscribe("t", 0).await;
    for n in 0..5 {
        client.push("t", &n.to_string(), 0).await;
        assert_eq!(client.take().await, n.to_string());
    }
    assert_eq!((link.dropped(), house.broker.counts().dropped), (2, 2));
    for n in 0..3 {
        let expected = heard("t", &n.to_string(), Qos::AtMostOnce, false);
        assert_eq!(link.recv().await, Some(expected));
    }
    client.push("t", "5", 0).await;
    assert_eq!(link.recv().await.unwrap().payload, "5");
    assert_eq!(link.dropped(), 2);
}

#[tokio::test(start_paused = true)]
async fn it_wakes_who_waits_and_a_wait_given_up_loses_nothing() {
    let house = house(|_| {});
    let mut link = house.broker.link(&["t"], 10).unwrap();
    let soon = tokio::time::timeout(Duration::from_secs(1), link.recv()).await;
    assert!(soon.is_err(), "nothing was published");
    let waiting = tokio::spawn(async move {
        let first = link.recv().await.unwrap();
        (first, link)
    });
    let mut client = house.client("a").await;
    client.publish("t", "1").await;
    let (first, mut link) = waiting.await.unwrap();
    assert_eq!(first.payload, "1");
    client.publish_with("t", "late", |p| properties(p).message_expiry_interval = seconds(1)).await;
    client.publish("t", "2").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(link.recv().await.unwrap().payload, "2", "what expired meanwhile is not heard");
}

#[tokio::test(start_paused = true)]
async fn it_unsubscribes_when_it_is_dropped() {
    let house = house(|_| {});
    let link = house.broker.link(&["t", "t/#"], 1).unwrap();
    let mut client = house.client("a").await;
    client.publish("t", "1").await;
    client.publish("t", "2").await;
    assert_eq!(house.broker.counts().dropped, 1);
    drop(link);
    for _ in 0..5 {
        client.publish("t", "3").await;
    }
    assert_eq!(house.broker.counts().dropped, 1);
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_the_broker() {
    let house = house(|_| {});
    let mut link = house.broker.link(&["#"], 1).unwrap();
    let waiting = tokio::spawn(async move { link.recv().await });
    house.broker.shutdown().await;
    assert_eq!(waiting.await.unwrap(), None);
}

#[test]
fn a_filter_that_is_none_is_refused() {
    let house = house(|_| {});
    let refused = house.broker.link(&["good", "bad/#/x"], 1).err();
    assert_eq!(refused, Some(LinkError::Filter("bad/#/x".into())));
    assert!(refused.unwrap().to_string().contains("`#` stands last"));
}
