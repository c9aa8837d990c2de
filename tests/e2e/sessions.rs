//! MQTT sessions outlive kill -9: a phone that was away reads on, and QoS 2 is exactly once.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use serde_json::{Value, json};
use system_tests::{House, Person};

const MESSAGES: usize = 400;
/// Messages the writer has under way.
const WINDOW: usize = 20;
/// What an answer of the house may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// What a client waits before it connects again.
const BACK_OFF: Duration = Duration::from_millis(20);

fn rounds() -> usize {
    std::env::var("HEARTH_ROUNDS").map_or(5, |text| text.parse().unwrap())
}

/// A client of MQTT 3.1.1 whose session stays.
fn client(house: &House, person: &Person, id: &str) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new(id, house.mqtt.ip().to_string(), house.mqtt.port());
    options.set_credentials(&person.name, &person.token).set_clean_session(false);
    options.set_inflight(20);
    AsyncClient::new(options, MESSAGES + 8)
}

async fn until(events: &mut EventLoop, wanted: impl Fn(&Packet) -> bool) -> Packet {
    loop {
        match events.poll().await {
            Ok(Event::Incoming(packet)) if wanted(&packet) => return packet,
            Ok(_) => {}
            Err(_) => tokio::time::sleep(BACK_OFF).await,
        }
    }
}

fn post(house: &House, person: &Person, room: &str, text: &str) {
    let path = format!("/api/rooms/{room}/messages");
    let body = json!({ "content": text });
    let (status, reply) = house.call("POST", &path, Some(person), Some(body));
    assert_eq!(status, 201, "{reply}");
}

async fn next_text(events: &mut EventLoop) -> String {
    let Packet::Publish(publish) = until(events, |p| matches!(p, Packet::Publish(_))).await else {
        unreachable!("only a PUBLISH was waited for")
    };
    let item: Value = serde_json::from_slice(&publish.payload).unwrap();
    item["content"].as_str().unwrap_or_default().to_string()
}

#[tokio::test]
async fn a_phone_that_was_away_over_a_kill_reads_on_where_it_was() {
    let mut house = House::with(&["--limit", "messages_per_10_s=0"]);
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    let (phone, mut events) = client(&house, &anna, "phone");
    phone.subscribe("hearth/rooms/+/out", QoS::AtLeastOnce).await.unwrap();
    until(&mut events, |packet| matches!(packet, Packet::SubAck(_))).await;
    post(&house, &anna, &room, "seen");
    assert_eq!(next_text(&mut events).await, "seen");
    phone.disconnect().await.unwrap();
    while events.poll().await.is_ok() {}
    drop((phone, events));
    post(&house, &anna, &room, "while away");
    house.kill();
    house.restart();
    post(&house, &anna, &room, "after the kill");
    let (_phone, mut events) = client(&house, &anna, "phone");
    let mut texts = vec![];
    // What was acknowledged in the last second before the phone left may come again.
    while texts.last().is_none_or(|text| text != "after the kill") {
        texts.push(next_text(&mut events).await);
    }
    texts.retain(|text| text != "seen");
    assert_eq!(texts, ["while away", "after the kill"]);
}

/// A publisher of QoS 2 over MQTT 3.1.1 that does what the standard asks of a session that stays;
/// libraries forget their state when a connection breaks between PUBREC and PUBCOMP.
struct Writer<'a> {
    person: &'a Person,
    topic: String,
    stream: TcpStream,
    /// Messages not completed, by packet id; whether PUBREC came.
    under_way: BTreeMap<u16, bool>,
    completed: usize,
}

impl Writer<'_> {
    fn connect(house: &House, person: &Person) -> TcpStream {
        let mut stream = TcpStream::connect(house.mqtt).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut body = b"\0\x04MQTT\x04\xC0\0\0".to_vec();
        for text in ["writer", &person.name, &person.token] {
            body.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
            body.extend(text.as_bytes());
        }
        put(&mut stream, 0x10, &body).unwrap();
        let (_, answer) = take(&mut stream).expect("a CONNACK");
        assert_eq!(answer[1], 0, "CONNECT is refused");
        stream
    }

    /// The session goes on: what is not completed is sent again, in order.
    fn reconnect(&mut self, house: &House) {
        self.stream = Self::connect(house, self.person);
        for (id, received) in self.under_way.clone() {
            self.send(id, received, true).unwrap();
        }
    }

    fn publish(&mut self, id: u16) -> io::Result<()> {
        self.under_way.insert(id, false);
        self.send(id, false, false)
    }

    fn send(&mut self, id: u16, received: bool, again: bool) -> io::Result<()> {
        if received {
            return put(&mut self.stream, 0x62, &id.to_be_bytes());
        }
        let mut body = u16::try_from(self.topic.len()).unwrap().to_be_bytes().to_vec();
        body.extend(self.topic.as_bytes());
        body.extend(id.to_be_bytes());
        body.extend(format!("m{id}").as_bytes());
        put(&mut self.stream, if again { 0x3C } else { 0x34 }, &body)
    }

    /// Takes in one packet; false: the connection is gone.
    fn step(&mut self) -> bool {
        let Some((kind, body)) = take(&mut self.stream) else { return false };
        let id = u16::from_be_bytes([body[0], body[1]]);
        match kind {
            0x50 => {
                self.under_way.insert(id, true);
                self.send(id, true, false).is_ok()
            }
            0x70 => {
                self.completed += usize::from(self.under_way.remove(&id).is_some());
                true
            }
            other => panic!("a packet of kind {other:#x}"),
        }
    }
}

fn put(stream: &mut TcpStream, kind: u8, body: &[u8]) -> io::Result<()> {
    let mut packet = vec![kind];
    let mut left = body.len();
    while left > 127 {
        packet.push(u8::try_from(left % 128).unwrap() | 128);
        left /= 128;
    }
    packet.push(u8::try_from(left).unwrap());
    packet.extend(body);
    stream.write_all(&packet)
}

/// The next packet, none of which is longer than 127 bytes.
fn take(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).ok()?;
    let mut body = vec![0; head[1].into()];
    stream.read_exact(&mut body).ok()?;
    Some((head[0], body))
}

#[test]
fn qos_2_without_an_id_is_stored_exactly_once_over_kills() {
    let mut house = House::with(&["--limit", "messages_per_10_s=0"]);
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    let topic = format!("hearth/rooms/{room}/in");
    let stream = Writer::connect(&house, &anna);
    let (under_way, completed) = (BTreeMap::new(), 0);
    let mut writer = Writer { person: &anna, topic, stream, under_way, completed };
    let (rounds, mut next, mut kills) = (rounds(), 1, 0);
    while writer.completed < MESSAGES {
        let mut alive = true;
        while alive && next <= MESSAGES && writer.under_way.len() < WINDOW {
            alive = writer.publish(u16::try_from(next).unwrap()).is_ok();
            next += 1;
        }
        alive = alive && writer.step();
        if kills < rounds && writer.completed >= MESSAGES * (kills + 1) / (rounds + 1) {
            kills += 1;
            house.kill();
            house.restart();
            alive = false;
        }
        if !alive {
            writer.reconnect(&house);
        }
    }
    assert_eq!(kills, rounds);
    let mut stored: BTreeMap<String, usize> = BTreeMap::new();
    for item in house.messages(&anna, &room) {
        *stored.entry(item["content"].as_str().unwrap().to_string()).or_default() += 1;
    }
    let twice: Vec<_> = stored.iter().filter(|(_, count)| **count > 1).collect();
    assert_eq!(twice, Vec::<(&String, &usize)>::new());
    assert_eq!(stored.len(), MESSAGES);
}
