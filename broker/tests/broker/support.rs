//! A house with a scripted gate, and small clients over in-memory streams.

pub mod disk;
mod old;
mod script;

use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hearth_broker::{Broker, Version};
use hearth_protocol::ids::{Position, RoomId};
use hearth_protocol::limits::Limits;
use rmqtt_codec::types::{Publish as Packet, QoS};
use rmqtt_codec::v5;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::timeout;
use tokio_util::codec::Framed;

pub use script::{Script, app};

/// Nothing takes longer; under a paused clock the wait is none.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A broker with its gate.
#[derive(Clone)]
pub struct House {
    pub broker: Broker,
    pub gate: Arc<Script>,
}

/// A house with these limits.
pub fn house(limit: impl FnOnce(&mut Limits)) -> House {
    let mut limits = Limits::default();
    limit(&mut limits);
    let broker = Broker::new(Arc::new(limits));
    let gate = Arc::new(Script::default());
    broker.open(gate.clone());
    House { broker, gate }
}

/// A room by number.
pub fn room(number: u8) -> RoomId {
    RoomId::new(1, [number; 10])
}

/// A room's `out`.
pub fn out(room: RoomId) -> String {
    format!("hearth/rooms/{room}/out")
}

pub fn peer(host: u8) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, host], 9))
}

impl House {
    /// The broker's end is served; a buffer of so many bytes lies between.
    pub fn stream(&self, bytes: usize, host: u8) -> DuplexStream {
        let (near, far) = duplex(bytes);
        let broker = self.broker.clone();
        tokio::spawn(async move { broker.attach(far, peer(host)).await });
        near
    }

    /// A connection without CONNECT, speaking 5.
    pub fn guest(&self) -> Client {
        let codec = v5::Codec::new(0, 0);
        Client { framed: Framed::new(self.stream(1 << 20, 1), codec), id: 0 }
    }

    /// A client of MQTT 5 with clean start; its CONNACK was a success.
    pub async fn client(&self, id: &str) -> Client {
        self.connect(id, |_| {}).await.0
    }

    /// A client of another account.
    pub async fn client_as(&self, id: &str, name: &str) -> Client {
        self.connect(id, |c| c.username = Some(name.to_string().into())).await.0
    }

    pub async fn connect(
        &self,
        id: &str,
        change: impl FnOnce(&mut v5::Connect),
    ) -> (Client, v5::ConnectAck) {
        let mut client = self.guest();
        let ack = client.hello(id, change).await;
        assert_eq!(ack.reason_code, v5::ConnectAckReason::Success);
        (client, ack)
    }

    /// Stores an event and publishes it, as the appliance does.
    pub fn post(&self, room: RoomId, text: &str) -> Position {
        let position = self.store(room, text);
        self.broker.publish_event(room, position, Bytes::from(text.to_string()));
        position
    }

    /// Stores an event that the bus will never see.
    pub fn store(&self, room: RoomId, text: &str) -> Position {
        let mut history = self.gate.history.lock().unwrap();
        let events = history.entry(room).or_default();
        events.push(Bytes::from(text.to_string()));
        Position(events.len().try_into().unwrap())
    }
}

pub fn connect(id: &str) -> v5::Connect {
    v5::Connect {
        clean_start: true,
        keep_alive: 0,
        session_expiry_interval_secs: 0,
        auth_method: None,
        auth_data: None,
        request_problem_info: true,
        request_response_info: false,
        receive_max: None,
        topic_alias_max: 0,
        user_properties: vec![],
        max_packet_size: None,
        last_will: None,
        client_id: id.to_string().into(),
        username: None,
        password: None,
        cert: None,
    }
}

/// A client whose session stays for a while.
pub fn stay(connect: &mut v5::Connect) {
    connect.clean_start = false;
    connect.session_expiry_interval_secs = 1_000;
}

pub fn will(topic: &str, delay_s: u32) -> v5::LastWill {
    v5::LastWill {
        qos: QoS::AtLeastOnce,
        retain: false,
        topic: topic.to_string().into(),
        message: Bytes::from_static(b"gone"),
        will_delay_interval_sec: Some(delay_s),
        correlation_data: None,
        message_expiry_interval: None,
        content_type: None,
        user_properties: vec![],
        is_utf8_payload: None,
        response_topic: None,
    }
}

/// A client of MQTT 5.
pub struct Client {
    pub framed: Framed<DuplexStream, v5::Codec>,
    id: u16,
}

impl Client {
    pub async fn hello(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut v5::Connect),
    ) -> v5::ConnectAck {
        let mut packet = connect(id);
        change(&mut packet);
        self.send(v5::Packet::Connect(Box::new(packet))).await;
        match self.next().await {
            v5::Packet::ConnectAck(ack) => *ack,
            other => panic!("{other:?}"),
        }
    }

    pub async fn send(&mut self, packet: v5::Packet) {
        self.framed.send(packet).await.unwrap();
    }

    /// The next packet, or the end.
    pub async fn next_or_end(&mut self) -> Option<v5::Packet> {
        let next = timeout(PATIENCE, self.framed.next()).await.expect("a packet in time");
        next.map(|packet| packet.unwrap().0)
    }

    pub async fn next(&mut self) -> v5::Packet {
        self.next_or_end().await.expect("a packet")
    }

    /// The reason of the DISCONNECT that comes, and then the end.
    pub async fn bye(&mut self) -> u8 {
        let v5::Packet::Disconnect(bye) = self.next().await else { panic!("no DISCONNECT") };
        assert!(self.next_or_end().await.is_none());
        bye.reason_code.into()
    }

    pub fn id(&mut self) -> NonZeroU16 {
        self.id += 1;
        NonZeroU16::new(self.id).unwrap()
    }

    /// Subscribes, with the answer.
    pub async fn subscribe(&mut self, filter: &str, qos: u8) -> u8 {
        self.subscribe_with(filter, qos, |_| {}).await
    }

    pub async fn subscribe_with(
        &mut self,
        filter: &str,
        qos: u8,
        change: impl FnOnce(&mut v5::Subscribe),
    ) -> u8 {
        let options =
            v5::SubscriptionOptions { qos: qos.try_into().unwrap(), ..Default::default() };
        let mut packet = v5::Subscribe {
            packet_id: self.id(),
            id: None,
            user_properties: vec![],
            topic_filters: vec![(filter.to_string().into(), options)],
        };
        change(&mut packet);
        self.send(v5::Packet::Subscribe(packet)).await;
        match self.next().await {
            v5::Packet::SubscribeAck(ack) => ack.status[0].into(),
            other => panic!("{other:?}"),
        }
    }

    /// Publishes without waiting for an answer.
    pub async fn push(&mut self, topic: &str, payload: &str, qos: u8) -> Option<NonZeroU16> {
        let id = (qos > 0).then(|| self.id());
        let packet = publish(topic, payload, qos, id);
        self.send(v5::Packet::Publish(Box::new(packet))).await;
        id
    }

    /// Publishes at QoS 1 and gives the reason of the PUBACK.
    pub async fn publish(&mut self, topic: &str, payload: &str) -> u8 {
        self.publish_with(topic, payload, |_| {}).await
    }

    pub async fn publish_with(
        &mut self,
        topic: &str,
        payload: &str,
        change: impl FnOnce(&mut Packet),
    ) -> u8 {
        let id = self.id();
        let mut packet = publish(topic, payload, 1, Some(id));
        change(&mut packet);
        self.send(v5::Packet::Publish(Box::new(packet))).await;
        self.acknowledged().await.reason_code.into()
    }

    pub async fn acknowledged(&mut self) -> v5::PublishAck {
        match self.next().await {
            v5::Packet::PublishAck(ack) => ack,
            other => panic!("{other:?}"),
        }
    }

    /// The next packet is a PUBLISH.
    pub async fn heard(&mut self) -> Packet {
        match self.next().await {
            v5::Packet::Publish(publish) => *publish,
            other => panic!("{other:?}"),
        }
    }

    /// The next packet is a PUBLISH at QoS 1, and is acknowledged; its text.
    pub async fn take(&mut self) -> String {
        let heard = self.heard().await;
        if let Some(id) = heard.packet_id {
            self.ack(id).await;
        }
        text(&heard)
    }

    pub async fn ack(&mut self, id: NonZeroU16) {
        let ack = v5::PublishAck { packet_id: id, ..Default::default() };
        self.send(v5::Packet::PublishAck(ack)).await;
    }

    /// Nothing waits for this client: all it gets are the answers to its pings.
    pub async fn nothing(&mut self) {
        for _ in 0..2 {
            self.send(v5::Packet::PingRequest).await;
            let next = self.next().await;
            assert_eq!(next, v5::Packet::PingResponse);
        }
    }

    /// Waits for the answer to a ping, whatever else comes before it.
    pub async fn pass_time(&mut self) {
        self.send(v5::Packet::PingRequest).await;
        while self.next().await != v5::Packet::PingResponse {}
    }

    /// What has come for this client, acknowledged if it is at QoS 1.
    pub async fn arrived(&mut self) -> Vec<Packet> {
        let mut arrived = vec![];
        for _ in 0..2 {
            self.send(v5::Packet::PingRequest).await;
            loop {
                match self.next().await {
                    v5::Packet::PingResponse => break,
                    v5::Packet::Publish(publish) => {
                        if let (Some(id), QoS::AtLeastOnce) = (publish.packet_id, publish.qos) {
                            self.ack(id).await;
                        }
                        arrived.push(*publish);
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        arrived
    }

    /// Unsubscribes, with the answer.
    pub async fn unsubscribe(&mut self, filter: &str) -> u8 {
        let packet = v5::Unsubscribe {
            packet_id: self.id(),
            user_properties: vec![],
            topic_filters: vec![filter.to_string().into()],
        };
        self.send(v5::Packet::Unsubscribe(packet)).await;
        match self.next().await {
            v5::Packet::UnsubscribeAck(ack) => ack.status[0].into(),
            other => panic!("{other:?}"),
        }
    }

    pub async fn disconnect(mut self) {
        let bye = v5::Disconnect::new(v5::DisconnectReasonCode::NormalDisconnection);
        self.send(v5::Packet::Disconnect(bye)).await;
        while self.next_or_end().await.is_some() {}
    }
}

pub fn publish(topic: &str, payload: &str, qos: u8, id: Option<NonZeroU16>) -> Packet {
    Packet {
        dup: false,
        retain: false,
        qos: qos.try_into().unwrap(),
        topic: topic.to_string().into(),
        packet_id: id,
        payload: Bytes::from(payload.to_string()),
        properties: None,
    }
}

pub fn properties(packet: &mut Packet) -> &mut v5::PublishProperties {
    packet.properties.get_or_insert_default()
}

pub fn text(packet: &Packet) -> String {
    String::from_utf8(packet.payload.to_vec()).unwrap()
}

pub fn seconds(seconds: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(seconds)
}

/// Sends bytes after a CONNECT of a version and gives all that comes back, CONNACK included.
pub async fn raw(house: &House, version: Version, bytes: &[u8]) -> Vec<u8> {
    let mut stream = house.stream(1 << 20, 1);
    let connect: &[u8] = match version {
        Version::V3 => b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01r",
        Version::V5 => b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01r",
    };
    stream.write_all(connect).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = vec![];
    let read = stream.read_to_end(&mut answer);
    timeout(PATIENCE, read).await.expect("an end in time").unwrap();
    answer
}
