//! Whoever comes and goes leaves nothing behind: topics, filters, clients and links to the bus.
//!
//! A program of its own, because it looks at its own resident memory.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use hearth_broker::{Backlog, Broker, Gate, Login, OnceKey, PresenceChange, Publish, Verdict};
use hearth_protocol::ids::{Position, RoomId};
use hearth_protocol::limits::Limits;
use hearth_protocol::principal::{Account, Principal};
use hearth_protocol::refusal::{Kind, Refusal};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

/// Lets everyone do everything, but publish to `refused`.
struct Anyone;

impl Gate for Anyone {
    fn admit(&self, login: Login) -> BoxFuture<'_, Result<Principal, Refusal>> {
        // As many accounts as clients.
        ready(Ok(Principal::Local(login.client_id))).boxed()
    }

    fn may_subscribe(&self, _: &Principal, _: &str) -> Result<(), Refusal> {
        Ok(())
    }

    fn may_receive(&self, _: &Principal, _: &str) -> bool {
        true
    }

    fn accept(
        &self,
        _: Arc<Principal>,
        publish: Publish,
    ) -> BoxFuture<'static, Result<Verdict, Refusal>> {
        let refused = Refusal::new(Kind::Forbidden, "not_authorised", "no");
        let ruled = if publish.topic == "refused" { Err(refused) } else { Ok(Verdict::Route) };
        ready(ruled).boxed()
    }

    fn release(&self, _: OnceKey) -> BoxFuture<'static, Result<(), Refusal>> {
        ready(Ok(())).boxed()
    }

    fn backlog<'a>(
        &'a self,
        _: &'a Principal,
        _: RoomId,
        after: Position,
        _: usize,
    ) -> BoxFuture<'a, Result<Backlog, Refusal>> {
        // What happened before the link was there.
        let up_to = after.next();
        ready(Ok(Backlog { events: vec![(up_to, "event".into())], up_to })).boxed()
    }

    fn refused(&self, _: &Principal, _: &str, _: &Refusal) {}

    fn presence(&self, _: &Account, _: PresenceChange) {}
}

/// A packet of fewer than 128 bytes.
fn packet(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&[kind, u8::try_from(body.len()).unwrap()][..], &body].concat()
}

/// A text with its length.
fn text(text: &str) -> Vec<u8> {
    [&u16::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat()
}

/// CONNECT of MQTT 5 with 32 topic aliases and a session expiry in s.
fn connect(id: &str, expiry_s: u8) -> Vec<u8> {
    let start = b"\x00\x04MQTT\x05\x02\x00\x00\x08\x11\x00\x00\x00";
    packet(0x10, &[start, &[expiry_s], b"\x22\x00\x20", &text(id)])
}

/// PUBLISH of MQTT 5 at QoS 0 that gives its topic an alias.
fn publish(topic: &str, alias: u8, kind: u8, payload: &[u8]) -> Vec<u8> {
    packet(kind, &[&text(topic), &[3, 0x23, 0, alias], payload])
}

struct House(Broker);

impl House {
    fn new() -> House {
        // What the bus remembers is full after the warm-up.
        let limits = Limits { bus_ring_bytes: 4_096, ..Limits::default() };
        let broker = Broker::new(Arc::new(limits));
        broker.open(Arc::new(Anyone));
        House(broker)
    }

    async fn client(&self, connect: &[u8]) -> DuplexStream {
        let (mut near, far) = duplex(1 << 16);
        let (broker, peer) = (self.0.clone(), SocketAddr::from(([127, 0, 0, 1], 9)));
        tokio::spawn(async move { broker.attach(far, peer).await });
        near.write_all(connect).await.unwrap();
        answer(&mut near, 0x20).await;
        near
    }
}

/// The next packet, of fewer than 128 bytes, is of this kind.
async fn answer(stream: &mut DuplexStream, kind: u8) {
    assert_eq!(stream.read_u8().await.unwrap(), kind);
    let mut body = vec![0; usize::from(stream.read_u8().await.unwrap())];
    stream.read_exact(&mut body).await.unwrap();
}

/// One publishes to topics that nobody used before, and another hears them all.
async fn topics(house: &House, round: &str, count: usize) {
    let mut all = house.client(&connect("all", 0)).await;
    all.write_all(b"\x82\x07\x00\x01\x00\x00\x01#\x00").await.unwrap();
    answer(&mut all, 0x90).await;
    let hearing = tokio::spawn(async move {
        let mut bytes = vec![0; 1 << 16];
        let mut sum = 0;
        loop {
            match all.read(&mut bytes).await {
                Ok(0) | Err(_) => return sum,
                Ok(count) => sum += count,
            }
        }
    });
    let mut client = house.client(&connect("publisher", 0)).await;
    for batch in 0..count / 100 {
        let mut bytes = vec![];
        for n in 0..100 {
            let topic = format!("topics/{round}/{batch}/{n}");
            bytes.extend(publish(&topic, n % 32 + 1, 0x30, b"payload"));
            if n == 0 {
                bytes.extend(publish(&topic, 32, 0x31, b"retained"));
                bytes.extend(publish(&topic, 32, 0x31, b""));
            }
        }
        bytes.extend(b"\xC0\x00");
        client.write_all(&bytes).await.unwrap();
        answer(&mut client, 0xD0).await;
    }
    house.0.disconnect_where(|_| true, hearth_broker::Reason::Administrative);
    let heard = hearing.await.unwrap();
    assert!(heard > count * 7, "{heard} bytes were heard");
    assert_eq!(house.0.counts().retained, 0);
}

/// One subscribes to filters that nobody used before, many at a time.
async fn filters(house: &House, round: &str, count: usize) {
    let mut client = house.client(&connect("subscriber", 0)).await;
    for batch in 0..count / 500 {
        for (kind, answered, options) in [(0x82, 0x90, &[0][..]), (0xA2, 0xB0, &[])] {
            let mut bytes = vec![];
            for n in 0..500 {
                let filter = text(&format!("filters/{round}/{batch}/+/{n}"));
                bytes.extend(packet(kind, &[b"\x00\x01\x00", &filter, options]));
            }
            let asked = client.write_all(&bytes);
            asked.await.unwrap();
            for _ in 0..500 {
                answer(&mut client, answered).await;
            }
        }
    }
}

/// Clients that nobody saw before: some stay for 1 s, some leave at once, some are refused.
async fn clients(house: &House, round: &str, count: usize) {
    for n in 0..count {
        let id = format!("{round}-{n}");
        if n % 2 == 0 {
            let mut client = house.client(&connect(&id, u8::from(n % 4 == 0))).await;
            client.write_all(&packet(0x82, &[b"\x00\x01\x00", &text(&id), b"\x01"])).await.unwrap();
            answer(&mut client, 0x90).await;
        } else {
            let start = b"\x00\x04MQTT\x04\x02\x00\x00";
            let mut client = house.client(&packet(0x10, &[start, &text(&id)])).await;
            client.write_all(b"\x32\x0B\x00\x07refused\x00\x01").await.unwrap();
            assert_eq!(client.read(&mut [0; 9]).await.unwrap(), 0, "closed");
        }
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let counts = house.0.counts();
    assert_eq!((counts.sessions, counts.connections), (0, 0));
}

/// Clients of room events: each has a link to the bus.
async fn links(house: &House, round: &str, count: usize) {
    let room = RoomId::new(1, [1; 10]);
    for n in 0..count {
        let mut client = house.client(&connect(&format!("{round}-{n}"), 0)).await;
        client.write_all(b"\x82\x18\x00\x01\x00\x00\x12hearth/rooms/+/out\x00").await.unwrap();
        answer(&mut client, 0x90).await;
        let position = house.0.counts().events + 1;
        house.0.publish_event(room, Position(position), "event".into());
        answer(&mut client, 0x30).await;
    }
}

/// Resident memory in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

/// One round of everything, so many times.
async fn come_and_go(house: &House, round: &str, times: usize) -> usize {
    topics(house, round, 10_000 * times).await;
    let topics = resident();
    filters(house, round, 10_000 * times).await;
    let filters = resident();
    for group in 0..times {
        clients(house, &format!("{round}-{group}"), 1_000).await;
        // Each was an account of its own: it is remembered until its grace is over.
        tokio::time::sleep(Duration::from_secs(31)).await;
    }
    let clients = resident();
    links(house, round, 100 * times).await;
    let links = resident();
    println!(
        "{round}: {topics} B after topics, {filters} filters, {clients} clients, {links} links"
    );
    links
}

// A clock that is stopped, so that sessions end at once.
#[tokio::test(start_paused = true)]
async fn memory_returns_to_what_it_was() {
    let house = House::new();
    // The same load before: the allocator and the tables keep what their peaks took.
    come_and_go(&house, "warm-up", 10).await;
    let before = come_and_go(&house, "again", 10).await;
    let after = come_and_go(&house, "test", 10).await;
    assert!(after < before + before / 10, "{before} B became {after} B");
}
