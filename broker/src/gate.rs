//! What the broker asks of its owner: who may come in, read and write (design §4).

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use futures_util::future::BoxFuture;
use hearth_protocol::ids::{Position, RoomId};
use hearth_protocol::principal::{Account, Principal};
use hearth_protocol::refusal::Refusal;
use serde::{Deserialize, Serialize};

/// The generation of MQTT that a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// 3.1 and 3.1.1: cannot say no to a publish.
    V3,
    /// 5.0.
    V5,
}

/// How hard a delivery tries (MQTT 5 §4.3).
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Qos {
    /// QoS 0.
    #[default]
    AtMostOnce,
    /// QoS 1.
    AtLeastOnce,
    /// QoS 2.
    ExactlyOnce,
}

/// What travels beside a payload in MQTT 5 (§3.3.2.3), without what belongs to one connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Properties {
    /// Message expiry interval in s, as it came in.
    pub expiry_s: Option<u32>,
    /// Payload format indicator: the payload is UTF-8.
    pub utf8: bool,
    /// Content type.
    pub content_type: Option<ByteString>,
    /// Response topic.
    pub response_topic: Option<ByteString>,
    /// Correlation data.
    pub correlation: Option<Bytes>,
    /// User properties, in order.
    pub user: Vec<(ByteString, ByteString)>,
}

/// A CONNECT, before it is known who it is.
#[derive(Clone)]
pub struct Login {
    /// The client id, assigned if the client sent none.
    pub client_id: String,
    /// The user name, if one was sent.
    pub username: Option<String>,
    /// The password: a token, never logged.
    pub password: Option<Bytes>,
    /// Which MQTT.
    pub version: Version,
    /// From where.
    pub peer: SocketAddr,
}

/// A PUBLISH that waits for an answer.
#[derive(Debug, Clone)]
pub struct Publish {
    /// A well-formed topic name.
    pub topic: ByteString,
    /// The bytes.
    pub payload: Bytes,
    /// As it was sent.
    pub qos: Qos,
    /// To be kept as the topic's last value.
    pub retain: bool,
    /// What travels beside it.
    pub properties: Properties,
    /// Which MQTT it came by.
    pub version: Version,
    /// What makes it one and the same when it comes again after a restart: QoS 2 in a session that
    /// outlives its connection.
    pub once: Option<OnceKey>,
}

/// Names a QoS 2 publish until it is released (MQTT 5 §4.3.3).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OnceKey {
    /// The session, never used again for another.
    pub session: Arc<str>,
    /// Its packet identifier.
    pub packet_id: u16,
}

/// What becomes of an accepted publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A plain topic: the broker routes it to its subscribers.
    Route,
    /// The gate has dealt with it (stored it); only the acknowledgement is left.
    Handled,
}

/// A stretch of a room's history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Ascending positions, each with its `out` payload.
    pub events: Vec<(Position, Bytes)>,
    /// Everything up to here was looked at, whatever was left out.
    pub up_to: Position,
}

/// Whether an account is there, whatever its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresenceChange {
    /// Its first connection was admitted.
    Online,
    /// Its last connection ended, `presence_grace_s` ago or as the broker shut down.
    Offline,
}

/// Decides for the broker. `admit`, `accept` and `backlog` may wait; the rest must not, nor may
/// they call the broker, which may be asking in the middle of a table.
pub trait Gate: Send + Sync + 'static {
    /// Who this is.
    fn admit(&self, login: Login) -> BoxFuture<'_, Result<Principal, Refusal>>;

    /// Whether somebody may subscribe to a well-formed filter; of `$share/NAME/FILTER` it is asked
    /// for FILTER.
    fn may_subscribe(&self, who: &Principal, filter: &str) -> Result<(), Refusal>;

    /// Whether somebody may get a message of a topic now: asked at each delivery, and before a
    /// shared message is given to one of several.
    fn may_receive(&self, who: &Principal, topic: &str) -> bool;

    /// Asked before a publish is routed and acknowledged, in order of arrival per session; the
    /// session goes on reading while it waits, and acknowledges in order.
    fn accept(
        &self,
        who: Arc<Principal>,
        publish: Publish,
    ) -> BoxFuture<'static, Result<Verdict, Refusal>>;

    /// A QoS 2 publish that was [`Verdict::Handled`] is released: the same packet id is another
    /// publish from now on. Unknown keys are nothing. The release is durable when this returns.
    fn release(&self, once: OnceKey) -> BoxFuture<'static, Result<(), Refusal>>;

    /// The oldest events of a room above a position.
    fn backlog<'a>(
        &'a self,
        who: &'a Principal,
        room: RoomId,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'a, Result<Backlog, Refusal>>;

    /// Somebody acknowledged a room event that was sent at QoS 1.
    fn acknowledged(&self, _who: &Principal, _room: RoomId, _position: Position) {}

    /// An account came or went: in turns, beginning with `Online`.
    fn presence(&self, who: &Account, change: PresenceChange);

    /// A publish was refused, by the gate or a bound of the broker; told each time it comes, also
    /// where MQTT 3.1.1 makes the broker acknowledge it (design §3). The topic may be long.
    fn refused(&self, who: &Principal, topic: &str, refusal: &Refusal);
}
