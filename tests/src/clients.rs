//! A browser at `/api/ws` and a phone over MQTT 5, each of which waits for what it is to hear.
#![allow(clippy::expect_used, clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, PubAck, PubAckReason};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::{House, Person};

/// Nothing takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client of `/api/ws`.
pub struct Browser(WebSocketStream<TcpStream>);

impl Browser {
    pub async fn open(house: &House, who: &Person) -> Browser {
        let mut request = format!("ws://{}/api/ws", house.http).into_client_request().unwrap();
        let offers = format!("hearth.v1, bearer.{}", who.token);
        request.headers_mut().insert("sec-websocket-protocol", offers.parse().unwrap());
        let stream = TcpStream::connect(house.http).await.unwrap();
        let (socket, answer) = client_async(request, stream).await.unwrap();
        assert_eq!(answer.headers()["sec-websocket-protocol"], "hearth.v1");
        Browser(socket)
    }

    /// The next event; the close code when the box ends it.
    pub async fn next(&mut self) -> Result<Value, u16> {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("an event in time") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => return Err(frame.code.into()),
                Some(Ok(_)) => {}
                other => panic!("it ended without a word: {other:?}"),
            }
        }
    }

    pub async fn hear(&mut self, kind: &str) -> Value {
        loop {
            let event = self.next().await.expect("it goes on");
            if event["type"] == kind {
                return event;
            }
        }
    }

    /// Says something and gives its answer, an `ack` or an `error`.
    pub async fn answer(&mut self, mut event: Value) -> Value {
        event["ref"] = json!(1);
        self.0.send(Message::text(event.to_string())).await.unwrap();
        loop {
            let answer = self.next().await.expect("it goes on");
            if answer["ref"] == 1 {
                return answer;
            }
        }
    }

    /// Says something and gives its answer, or its refusal's code.
    pub async fn ask(&mut self, event: Value) -> Result<Value, String> {
        let answer = self.answer(event).await;
        match answer["code"].as_str() {
            Some(code) => Err(code.to_string()),
            None => Ok(answer),
        }
    }
}

/// A client of MQTT 5.
pub struct Phone {
    pub client: AsyncClient,
    pub events: EventLoop,
}

impl Phone {
    pub async fn open(house: &House, who: &Person) -> Phone {
        let (host, port) = (house.mqtt.ip().to_string(), house.mqtt.port());
        let mut options = MqttOptions::new(format!("{}-phone", who.name), host, port);
        options.set_credentials(&who.name, &who.token);
        options.set_connection_timeout(PATIENCE.as_secs());
        let (client, events) = AsyncClient::new(options, 16);
        let mut phone = Phone { client, events };
        for filter in ["hearth/rooms/+/out", "hearth/rooms/+/live/+"] {
            phone.client.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
            phone.find(|packet| matches!(packet, Packet::SubAck(_)).then_some(())).await;
        }
        phone
    }

    pub async fn find<T>(&mut self, look: impl Fn(Packet) -> Option<T>) -> T {
        loop {
            let event = timeout(PATIENCE, self.events.poll()).await.expect("a packet in time");
            if let Event::Incoming(packet) = event.unwrap()
                && let Some(found) = look(packet)
            {
                return found;
            }
        }
    }

    /// The next JSON on a topic that ends like this.
    pub async fn hear(&mut self, end: &str) -> Value {
        self.find(|packet| match packet {
            Packet::Publish(publish) if publish.topic.ends_with(end.as_bytes()) => {
                Some(serde_json::from_slice(&publish.payload).unwrap())
            }
            _ => None,
        })
        .await
    }

    /// Publishes to `in`, and gives the acknowledgement.
    pub async fn acknowledged(&mut self, room: &str, body: &Value) -> PubAck {
        let topic = format!("hearth/rooms/{room}/in");
        self.client.publish(topic, QoS::AtLeastOnce, false, body.to_string()).await.unwrap();
        let ack = self.find(|packet| match packet {
            Packet::PubAck(ack) => Some(ack),
            _ => None,
        });
        ack.await
    }

    /// Publishes to `in`: done, or the refusal's code.
    pub async fn publish(&mut self, room: &str, body: &Value) -> Result<(), String> {
        let ack = self.acknowledged(room, body).await;
        match ack.reason {
            PubAckReason::Success | PubAckReason::NoMatchingSubscribers => Ok(()),
            _ => {
                let reason = ack.properties.unwrap().reason_string.unwrap();
                Err(reason.split(':').next().unwrap().to_string())
            }
        }
    }
}
