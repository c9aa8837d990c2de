//! A person's MQTT 5 app that publishes messages with ids and knows which were acknowledged.
#![allow(clippy::expect_used, clippy::unwrap_used, missing_docs)]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use hearth_protocol::ids::EventId;
use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, PubAckReason};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use serde_json::json;

pub struct Publisher {
    client: AsyncClient,
    events: EventLoop,
    /// Ids in the order of their publish calls, whose packet ids are not known yet.
    sent: std::collections::VecDeque<EventId>,
    waiting: HashMap<u16, EventId>,
    pub acknowledged: Vec<EventId>,
    /// Refused ones, with the reason.
    pub refused: Vec<(EventId, String)>,
    topic: String,
}

impl Publisher {
    pub fn new(mqtt: SocketAddr, client_id: &str, token: &str, room: &str) -> Publisher {
        let mut options = MqttOptions::new(client_id, mqtt.ip().to_string(), mqtt.port());
        options.set_credentials(client_id, token);
        options.set_keep_alive(Duration::from_secs(30));
        options.set_connection_timeout(60);
        let (client, events) = AsyncClient::new(options, 256);
        Publisher {
            client,
            events,
            sent: Default::default(),
            waiting: HashMap::new(),
            acknowledged: vec![],
            refused: vec![],
            topic: format!("hearth/rooms/{room}/in"),
        }
    }

    /// Queues one message with this id.
    pub fn publish(&mut self, id: EventId, content: &str) {
        let body = json!({ "id": id, "content": content }).to_string();
        self.client.try_publish(&self.topic, QoS::AtLeastOnce, false, body).unwrap();
        self.sent.push_back(id);
    }

    /// Moves on by one event; `false` when the connection is gone.
    pub async fn step(&mut self) -> bool {
        match self.events.poll().await {
            Ok(Event::Outgoing(Outgoing::Publish(packet))) => {
                let id = self.sent.pop_front().unwrap();
                self.waiting.insert(packet, id);
                true
            }
            Ok(Event::Incoming(Packet::PubAck(ack))) => {
                let id = self.waiting.remove(&ack.pkid).unwrap();
                let taken = [PubAckReason::Success, PubAckReason::NoMatchingSubscribers];
                if taken.contains(&ack.reason) {
                    self.acknowledged.push(id);
                } else {
                    self.refused.push((id, format!("{ack:?}")));
                }
                true
            }
            Ok(_) => true,
            Err(_) => false,
        }
    }

    /// How many messages are not acknowledged yet.
    pub fn outstanding(&self) -> usize {
        self.sent.len() + self.waiting.len()
    }
}
