//! Who publishes too fast is first read more slowly, then refused; nobody else notices.

use std::time::Duration;

use super::support::{Client, House, house};
use rmqtt_codec::v3;
use rmqtt_codec::v5::Packet;
use tokio::time::Instant;

/// One publish in a second, after two at once, and at most 2 s behind.
fn slow() -> House {
    house(|limits| {
        limits.publishes_per_s_max = 1;
        limits.publishes_burst_max = 2;
        limits.rate_delay_ms_max = 2_000;
    })
}

/// The reason of a PUBACK or PUBREC and its text.
async fn told(client: &mut Client) -> (u8, Option<String>) {
    let (Packet::PublishAck(ack) | Packet::PublishReceived(ack)) = client.next().await else {
        panic!("no acknowledgement");
    };
    (ack.reason_code.into(), ack.reason_string.map(|text| text.to_string()))
}

#[tokio::test(start_paused = true)]
async fn one_connection_is_slowed_to_the_rate_and_never_refused() {
    let house = slow();
    let mut client = house.client("a").await;
    let start = Instant::now();
    for _ in 0..12 {
        client.push("t", "x", 1).await;
    }
    for _ in 0..12 {
        assert_eq!(told(&mut client).await, (0, None));
    }
    // Two were free; the twelfth was read when the wait for the eleventh was over.
    let passed = start.elapsed();
    assert!(passed >= Duration::from_secs(9) && passed < Duration::from_secs(10), "{passed:?}");
    let mut other = house.client_as("b", "other").await;
    let start = Instant::now();
    assert_eq!(other.publish("t", "x").await, 0);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_account_over_all_its_connections_is_refused_when_it_waits_too_long() {
    let house = slow();
    let mut clients = vec![];
    for n in 0..6 {
        clients.push(house.client(&format!("c{n}")).await);
    }
    // Two are free, two wait 1 s and 2 s, the rest would wait longer.
    let mut answers = vec![];
    for (n, client) in clients.iter_mut().enumerate() {
        client.push("t", "x", if n == 5 { 2 } else { 1 }).await;
        answers.push(told(client).await);
    }
    let codes: Vec<u8> = answers.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, [0, 0, 0, 0, 0x97, 0x97]);
    let text = answers[4].1.as_deref().unwrap();
    assert!(text.starts_with("too_fast: ") && text.contains("publish less often"), "{text}");
    assert_eq!(house.broker.counts().refused, 2);
    // Who was refused is read again after the longest wait, when there is room.
    let start = Instant::now();
    assert_eq!(clients[4].publish("t", "x").await, 0);
    assert_eq!(start.elapsed().as_secs(), 2);
    let mut other = house.client_as("b", "other").await;
    assert_eq!(other.publish("t", "x").await, 0);
}

#[tokio::test(start_paused = true)]
async fn qos_0_is_dropped_and_counted() {
    let house = slow();
    let mut reader = house.client_as("r", "reader").await;
    reader.subscribe("t", 0).await;
    let mut clients = vec![];
    for n in 0..6 {
        clients.push(house.client(&format!("c{n}")).await);
    }
    for client in &mut clients {
        client.push("t", "x", 0).await;
        // Time stands still while there is anything to do.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
    for _ in 0..4 {
        assert_eq!(reader.take().await, "x");
    }
    reader.nothing().await;
    assert_eq!(house.broker.counts().refused, 2);
}

#[tokio::test(start_paused = true)]
async fn mqtt_3_is_only_slowed() {
    let house = slow();
    let start = Instant::now();
    let mut olds = vec![];
    for n in 0..8 {
        olds.push(house.old(&format!("c{n}"), true).await.0);
    }
    for round in 1..=2 {
        for old in &mut olds {
            old.push("t", "x", round).await;
        }
    }
    for round in 1..=2 {
        for old in &mut olds {
            let packet_id = round.try_into().unwrap();
            assert_eq!(old.next().await, Some(v3::Packet::PublishAck { packet_id }));
        }
    }
    assert_eq!(start.elapsed().as_secs(), 2, "the second round waited");
    assert_eq!(house.broker.counts().refused, 0);
}

#[tokio::test(start_paused = true)]
async fn zero_lifts_the_rate() {
    let house = house(|limits| {
        limits.publishes_per_s_max = 0;
        limits.publishes_burst_max = 1;
    });
    let mut client = house.client("a").await;
    let start = Instant::now();
    for _ in 0..1_000 {
        assert_eq!(client.publish("t", "x").await, 0);
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_waits_is_not_given_up() {
    let house = slow();
    let (mut client, _) = house.connect("a", |c| c.keep_alive = 1).await;
    for _ in 0..10 {
        client.push("t", "x", 1).await;
    }
    // It said all it had to say at once, and is silent for longer than it may be.
    for _ in 0..10 {
        assert_eq!(told(&mut client).await, (0, None));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_publishes_has_the_rate_of_the_limit() {
    let house = house(|limits| {
        limits.publishes_per_s_max = 1_000;
        limits.publishes_burst_max = 2_000;
    });
    let mut client = house.client("a").await;
    let start = Instant::now();
    for n in 0..12_000 {
        client.push("t", "x", u8::from(n % 100 == 99)).await;
        if n % 100 == 99 {
            assert_eq!(told(&mut client).await, (0, None));
        }
    }
    let passed = start.elapsed();
    assert!(passed >= Duration::from_millis(9_800), "{passed:?}");
    assert!(passed <= Duration::from_millis(10_200), "{passed:?}");
}
