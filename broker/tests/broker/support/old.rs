//! A client of MQTT 3.1.1.

use std::num::NonZeroU16;

use futures_util::{SinkExt, StreamExt};
use rmqtt_codec::v3;
use tokio::io::DuplexStream;
use tokio::time::timeout;
use tokio_util::codec::Framed;

use super::{House, PATIENCE, publish};

/// A client of MQTT 3.1.1.
pub struct Old {
    pub framed: Framed<DuplexStream, v3::Codec>,
}

impl House {
    pub async fn old(&self, id: &str, clean: bool) -> (Old, v3::ConnectAck) {
        self.old_as(id, clean, None).await
    }

    pub async fn old_as(
        &self,
        id: &str,
        clean: bool,
        username: Option<&str>,
    ) -> (Old, v3::ConnectAck) {
        let mut old = Old { framed: Framed::new(self.stream(1 << 20, 1), v3::Codec::new(0)) };
        let packet = v3::Connect {
            clean_session: clean,
            client_id: id.to_string().into(),
            username: username.map(|name| name.to_string().into()),
            ..Default::default()
        };
        old.send(v3::Packet::Connect(Box::new(packet))).await;
        match old.next().await {
            Some(v3::Packet::ConnectAck(ack)) => (old, ack),
            other => panic!("{other:?}"),
        }
    }
}

impl Old {
    pub async fn send(&mut self, packet: v3::Packet) {
        self.framed.send(packet).await.unwrap();
    }

    pub async fn next(&mut self) -> Option<v3::Packet> {
        let next = timeout(PATIENCE, self.framed.next()).await.expect("a packet in time");
        next.map(|packet| packet.unwrap().0)
    }

    pub async fn push(&mut self, topic: &str, payload: &str, id: u16) {
        let packet = publish(topic, payload, 1, NonZeroU16::new(id));
        self.send(v3::Packet::Publish(Box::new(packet))).await;
    }
}
