//! QoS 2 is exactly once and QoS 1 at least once, whatever crashes when (MQTT 5 §4.3, §4.4).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt;
use proptest::prelude::*;
use rmqtt_codec::v5::{Packet, PublishAck, PublishAck2};
use tokio::time::timeout;

use super::support::disk::{Disk, Plug};
use super::support::{Client, House, Script, publish, stay, text};

#[derive(Debug, Clone)]
enum Step {
    /// The publisher sends a new message of this QoS.
    Publish(u8),
    /// The publisher takes in so many packets.
    Publisher(usize),
    /// The subscriber takes in so many packets.
    Subscriber(usize),
    PublisherDrops,
    SubscriberDrops,
    /// The power fails after so many more writes.
    Crash(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1u8..=2).prop_map(Step::Publish),
        4 => (1usize..6).prop_map(Step::Publisher),
        4 => (1usize..6).prop_map(Step::Subscriber),
        1 => Just(Step::PublisherDrops),
        1 => Just(Step::SubscriberDrops),
        2 => (0usize..4).prop_map(Step::Crash),
    ]
}

/// The next packet, unless the broker has nothing to say.
async fn next(client: &mut Option<Client>) -> Option<Packet> {
    let connected = client.as_mut()?;
    match timeout(Duration::from_millis(1), connected.framed.next()).await {
        Ok(Some(Ok((packet, _)))) => Some(packet),
        Ok(_) => {
            *client = None;
            None
        }
        Err(_) => None,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Under {
    Way(u8),
    Release,
}

/// A publisher that does what MQTT asks of clients.
#[derive(Default)]
struct Publisher {
    client: Option<Client>,
    under_way: BTreeMap<u16, (usize, Under)>,
    last_id: u16,
    /// What was published: its QoS, and whether the broker said that it has it.
    sent: Vec<(u8, bool)>,
}

impl Publisher {
    async fn connect(&mut self, house: &House) {
        let (client, ack) = house.connect("publisher", stay).await;
        self.client = Some(client);
        // Without a session nothing is under way any more: what is not known to be there is new.
        if !ack.session_present {
            for (number, _) in std::mem::take(&mut self.under_way).into_values() {
                self.sent[number].1 = false;
                self.sent[number].0 = 0;
            }
        }
        for (id, (number, under)) in self.under_way.clone() {
            self.send(id, number, under, true).await;
        }
    }

    async fn publish(&mut self, qos: u8) {
        if self.client.is_none() || self.under_way.len() >= 32 {
            return;
        }
        self.last_id += 1;
        let number = self.sent.len();
        self.sent.push((qos, false));
        self.under_way.insert(self.last_id, (number, Under::Way(qos)));
        self.send(self.last_id, number, Under::Way(qos), false).await;
    }

    async fn send(&mut self, id: u16, number: usize, under: Under, dup: bool) {
        let Some(client) = &mut self.client else { return };
        let packet_id = NonZeroU16::new(id).unwrap();
        match under {
            Under::Way(qos) => {
                let mut packet = publish("t", &number.to_string(), qos, Some(packet_id));
                packet.dup = dup;
                client.send(Packet::Publish(Box::new(packet))).await;
            }
            Under::Release => {
                let release = PublishAck2 { packet_id, ..Default::default() };
                client.send(Packet::PublishRelease(release)).await;
            }
        }
    }

    async fn take(&mut self) -> bool {
        match next(&mut self.client).await {
            Some(Packet::PublishAck(ack)) => {
                let (number, _) = self.under_way.remove(&ack.packet_id.get()).unwrap();
                self.sent[number].1 = true;
            }
            Some(Packet::PublishReceived(ack)) => {
                let id = ack.packet_id.get();
                let entry = self.under_way.get_mut(&id).expect("a known packet id");
                entry.1 = Under::Release;
                let number = entry.0;
                self.sent[number].1 = true;
                self.send(id, number, Under::Release, false).await;
            }
            Some(Packet::PublishComplete(ack)) => {
                self.under_way.remove(&ack.packet_id.get());
            }
            Some(other) => panic!("{other:?}"),
            None => return false,
        }
        true
    }
}

/// A subscriber that does what MQTT asks of clients.
#[derive(Default)]
struct Subscriber {
    client: Option<Client>,
    unreleased: HashSet<u16>,
    heard: HashMap<usize, usize>,
}

impl Subscriber {
    async fn connect(&mut self, house: &House) {
        let (mut client, ack) = house.connect("subscriber", stay).await;
        if ack.session_present {
            self.client = Some(client);
        } else {
            assert!(self.heard.is_empty(), "a session that was there is lost");
            client.subscribe("t", 2).await;
            self.client = Some(client);
        }
    }

    async fn take(&mut self) -> bool {
        let packet = next(&mut self.client).await;
        let (Some(packet), Some(client)) = (packet, &mut self.client) else { return false };
        match packet {
            Packet::Publish(packet) => {
                let (number, id) = (text(&packet).parse().unwrap(), packet.packet_id.unwrap());
                let ack = PublishAck { packet_id: id, ..Default::default() };
                if u8::from(packet.qos) == 1 {
                    *self.heard.entry(number).or_default() += 1;
                    client.send(Packet::PublishAck(ack)).await;
                } else {
                    if self.unreleased.insert(id.get()) {
                        *self.heard.entry(number).or_default() += 1;
                    }
                    client.send(Packet::PublishReceived(ack)).await;
                }
            }
            Packet::PublishRelease(release) => {
                self.unreleased.remove(&release.packet_id.get());
                let packet_id = release.packet_id;
                let done = PublishAck2 { packet_id, ..Default::default() };
                client.send(Packet::PublishComplete(done)).await;
            }
            other => panic!("{other:?}"),
        }
        true
    }
}

struct Play {
    disk: Arc<Disk>,
    gate: Arc<Script>,
    house: House,
    plug: Arc<Plug>,
    publisher: Publisher,
    subscriber: Subscriber,
}

impl Play {
    async fn new() -> Play {
        let (disk, gate) = (Arc::new(Disk::default()), Arc::new(Script::default()));
        let (house, plug) = disk.house(&gate).await;
        let (publisher, subscriber) = (Publisher::default(), Subscriber::default());
        let mut play = Play { disk, gate, house, plug, publisher, subscriber };
        play.subscriber.connect(&play.house).await;
        play
    }

    async fn connect(&mut self) {
        if self.publisher.client.is_none() {
            self.publisher.connect(&self.house).await;
        }
        if self.subscriber.client.is_none() {
            self.subscriber.connect(&self.house).await;
        }
    }

    async fn step(&mut self, step: Step) {
        self.connect().await;
        match step {
            Step::Publish(qos) => self.publisher.publish(qos).await,
            Step::Publisher(count) => {
                for _ in 0..count {
                    self.publisher.take().await;
                }
            }
            Step::Subscriber(count) => {
                for _ in 0..count {
                    self.subscriber.take().await;
                }
            }
            Step::PublisherDrops => self.publisher.client = None,
            Step::SubscriberDrops => self.subscriber.client = None,
            Step::Crash(after) => self.crash(after).await,
        }
    }

    async fn crash(&mut self, after: usize) {
        self.plug.left.store(after, Ordering::SeqCst);
        self.publisher.publish(2).await;
        for _ in 0..3 {
            self.publisher.take().await;
            self.subscriber.take().await;
        }
        self.plug.cut();
        (self.publisher.client, self.subscriber.client) = (None, None);
        (self.house, self.plug) = self.disk.house(&self.gate).await;
    }

    async fn end(&mut self) {
        self.connect().await;
        while self.publisher.take().await | self.subscriber.take().await {}
    }
}

proptest! {
    #[test]
    fn every_acknowledged_message_arrives_as_often_as_its_qos_says(
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut play = Play::new().await;
            for step in steps {
                play.step(step).await;
            }
            play.end().await;
            assert!(play.publisher.under_way.is_empty());
            for (number, (qos, _)) in play.publisher.sent.iter().enumerate() {
                let heard = play.subscriber.heard.get(&number).copied().unwrap_or_default();
                match qos {
                    2 => assert_eq!(heard, 1, "message {number} of QoS 2"),
                    1 => assert!(heard >= 1, "message {number} of QoS 1"),
                    // Given up before the broker had a session for it.
                    _ => {}
                }
            }
        });
    }
}
