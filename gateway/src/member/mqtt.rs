//! One MQTT 5 connection of a person, through rumqttc (named only here): publish and wait for the
//! ack, subscribe, receive.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, Instant};

use hearth_protocol::ids::{Position, RoomId};
use rumqttc::Transport;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    Packet, PubAck, PubAckReason, SubAck, SubscribeProperties, SubscribeReasonCode,
};
use rumqttc::v5::{Client, Connection, Event, MqttOptions};

use super::MemberError;

/// How long an answer of the broker may take.
const ANSWER: Duration = Duration::from_secs(15);
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Bytes of a packet: an event with its frame and topic.
const PACKET_MAX: u32 = 256 * 1024;
/// Messages that arrive while an ack is waited for.
const INBOX_MAX: usize = 10_000;

/// `HOST:PORT` of an MQTT listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The host's name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Over TLS.
    pub tls: bool,
}

impl FromStr for Address {
    type Err = MemberError;

    fn from_str(text: &str) -> Result<Self, MemberError> {
        let parsed = text.rsplit_once(':').and_then(|(host, port)| {
            let host = (!host.is_empty()).then(|| host.to_string())?;
            Some(Address { host, port: port.parse().ok()?, tls: false })
        });
        let problem = "an MQTT listener is HOST:PORT, as 127.0.0.1:1883";
        parsed.ok_or_else(|| MemberError::Url { url: text.to_string(), problem })
    }
}

impl From<SocketAddr> for Address {
    fn from(socket: SocketAddr) -> Self {
        Address { host: socket.ip().to_string(), port: socket.port(), tls: false }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A message received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its topic.
    pub topic: String,
    /// Its payload.
    pub payload: Vec<u8>,
}

/// A connection; it ends when dropped.
pub struct Session {
    address: Address,
    client: Client,
    connection: Connection,
    inbox: VecDeque<Received>,
}

impl Session {
    /// Connects with Clean Start; the password is a token.
    pub fn connect(
        address: &Address,
        client_id: &str,
        name: &str,
        token: &str,
    ) -> Result<Session, MemberError> {
        let host = address.host.trim_start_matches('[').trim_end_matches(']');
        let options = MqttOptions::new(client_id, host, address.port);
        Self::begin(address, options, name, token)
    }

    /// The same at a socket that leads there.
    pub(super) fn through(
        socket: &Path,
        address: &Address,
        client_id: &str,
        name: &str,
        token: &str,
    ) -> Result<Session, MemberError> {
        let mut options = MqttOptions::new(client_id, socket.to_string_lossy(), address.port);
        options.set_transport(Transport::Unix);
        Self::begin(address, options, name, token)
    }

    fn begin(
        address: &Address,
        mut options: MqttOptions,
        name: &str,
        token: &str,
    ) -> Result<Session, MemberError> {
        options.set_credentials(name, token);
        options.set_keep_alive(KEEP_ALIVE);
        options.set_clean_start(true);
        options.set_max_packet_size(Some(PACKET_MAX));
        let (client, connection) = Client::new(options, 16);
        let inbox = VecDeque::new();
        let mut session = Session { address: address.clone(), client, connection, inbox };
        session.wait("a CONNACK", |packet| matches!(packet, Packet::ConnAck(_)).then_some(()))?;
        Ok(session)
    }

    /// Publishes at QoS 1 and waits for the ack: on disk when this returns.
    pub fn publish(&mut self, topic: &str, payload: Vec<u8>) -> Result<(), MemberError> {
        let sent = self.client.publish(topic, QoS::AtLeastOnce, false, payload);
        sent.map_err(|error| self.failed(error))?;
        let ack = self.wait("a PUBACK", |packet| match packet {
            Packet::PubAck(ack) => Some(ack.clone()),
            _ => None,
        })?;
        judge(&ack)
    }

    /// Subscribes at QoS 1; each room's messages begin after the position given for it.
    pub fn subscribe(
        &mut self,
        filter: &str,
        after: &[(RoomId, Position)],
    ) -> Result<(), MemberError> {
        let after = after
            .iter()
            .map(|(room, position)| ("after".to_string(), format!("{room}:{position}")));
        let properties = SubscribeProperties { id: None, user_properties: after.collect() };
        let sent = self.client.subscribe_with_properties(filter, QoS::AtLeastOnce, properties);
        sent.map_err(|error| self.failed(error))?;
        let ack: SubAck = self.wait("a SUBACK", |packet| match packet {
            Packet::SubAck(ack) => Some(ack.clone()),
            _ => None,
        })?;
        let granted = |code: &SubscribeReasonCode| matches!(code, SubscribeReasonCode::Success(_));
        if ack.return_codes.iter().all(granted) {
            return Ok(());
        }
        Err(self.failed(format!("the subscription to {filter} was refused")))
    }

    /// The next message; `None` when there is none in time.
    pub fn next(&mut self, within: Duration) -> Result<Option<Received>, MemberError> {
        let until = Instant::now() + within;
        loop {
            if let Some(message) = self.inbox.pop_front() {
                return Ok(Some(message));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.step(left)?.is_none() {
                return Ok(None);
            }
        }
    }

    fn failed(&self, problem: impl std::fmt::Display) -> MemberError {
        MemberError::Mqtt { address: self.address.to_string(), problem: problem.to_string() }
    }

    /// Steps until a packet answers.
    fn wait<T>(
        &mut self,
        what: &str,
        answers: impl Fn(&Packet) -> Option<T>,
    ) -> Result<T, MemberError> {
        let until = Instant::now() + ANSWER;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.step(left)? {
                None => return Err(self.failed(format!("no answer in time ({what})"))),
                Some(Event::Incoming(packet)) => {
                    if let Some(answer) = answers(&packet) {
                        return Ok(answer);
                    }
                }
                Some(Event::Outgoing(_)) => {}
            }
        }
    }

    /// One step of the connection; messages go to the inbox. `None`: nothing in time.
    fn step(&mut self, within: Duration) -> Result<Option<Event>, MemberError> {
        let event = match self.connection.recv_timeout(within) {
            Ok(Ok(event)) => event,
            Ok(Err(error)) => return Err(self.failed(error)),
            Err(rumqttc::v5::RecvTimeoutError::Timeout) => return Ok(None),
            Err(error) => return Err(self.failed(format!("{error:?}"))),
        };
        if let Event::Incoming(Packet::Publish(publish)) = &event {
            if self.inbox.len() >= INBOX_MAX {
                return Err(self.failed("too many messages at once"));
            }
            let topic = String::from_utf8_lossy(&publish.topic).into_owned();
            self.inbox.push_back(Received { topic, payload: publish.payload.to_vec() });
        }
        Ok(Some(event))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A DISCONNECT is a courtesy: the broker sees the socket end either way.
        if self.client.try_disconnect().is_ok() {
            self.connection.recv_timeout(Duration::from_millis(200)).ok();
        }
    }
}

/// The broker's verdict on a publish: a refusal carries `code: sentence`.
fn judge(ack: &PubAck) -> Result<(), MemberError> {
    if matches!(ack.reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers) {
        return Ok(());
    }
    let reason = ack.properties.as_ref().and_then(|with| with.reason_string.clone());
    let reason = reason.unwrap_or_else(|| format!("refused: {:?}", ack.reason));
    let (code, message) = reason.split_once(": ").unwrap_or(("refused", &reason));
    let (code, message) = (code.to_string(), message.to_string());
    Err(MemberError::Refused { code, message, hint: String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_host_and_port() {
        let address: Address = "127.0.0.1:1883".parse().unwrap();
        assert_eq!(address, Address { host: "127.0.0.1".into(), port: 1883, tls: false });
        assert_eq!("[::1]:1883".parse::<Address>().unwrap().host, "[::1]");
        for bad in ["", "1883", ":1883", "a:b", "a:99999"] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }
}
