//! What waits for a slow disk is bounded: then clients are refused, the appliance is not.

use bytes::Bytes;
use hearth_protocol::limits::Limits;
use hearth_protocol::topic::Topic;
use rmqtt_codec::v5::{Packet, PublishAckReason as Code};

use super::support::disk::Home;
use super::support::{publish, text};

/// Six retained messages while the disk stands still, one of the appliance, and what the clients
/// are answered when it goes on.
async fn answers(limit: impl FnOnce(&mut Limits)) -> Vec<Code> {
    let home = Home::with(limit).await;
    let mut witness = home.house.client("witness").await;
    witness.subscribe("hearth/status", 0).await;
    let mut client = home.house.client("a").await;
    home.plug.open.send_replace(false);
    for number in 0..6 {
        let id = Some(client.id());
        let mut packet = publish(&format!("t/{number}"), &"x".repeat(1_000), 1, id);
        packet.retain = true;
        client.send(Packet::Publish(Box::new(packet))).await;
        // The first batch is under way before the second message comes.
        client.pass_time().await;
    }
    home.house.broker.publish(&Topic::Status, Bytes::from_static(b"online"), true);
    assert_eq!(text(&witness.heard().await), "online");
    home.plug.open.send_replace(true);
    let mut codes = vec![];
    for _ in 0..6 {
        codes.push(client.acknowledged().await.reason_code);
    }
    assert_eq!(client.publish("later", "x").await, 0, "it goes on by itself");
    codes
}

#[tokio::test(start_paused = true)]
async fn no_more_rows_wait_than_the_limit() {
    let codes = answers(|limits| limits.shelf_rows_waiting_max = 3).await;
    let (taken, refused) = codes.split_at(4);
    assert_eq!(taken, [Code::Success; 4], "one under way, three that wait");
    assert!(refused.iter().all(|code| *code != Code::Success), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn no_more_bytes_wait_than_the_limit() {
    let codes = answers(|limits| limits.shelf_bytes_waiting_max = 2_000).await;
    let (taken, refused) = codes.split_at(3);
    assert_eq!(taken, [Code::Success; 3], "one under way, two that wait");
    assert!(refused.iter().all(|code| *code != Code::Success), "{refused:?}");
}
