//! Packets as sessions see them, the same for both versions of MQTT.

use bytes::Bytes;
use bytestring::ByteString;

use crate::gate::{Properties, Qos};
use crate::message::{detach, detach_properties};
use crate::reason::Reason;

/// What a client sends.
#[derive(Debug)]
pub(crate) enum Incoming {
    Connect(Box<Connect>),
    Publish(Box<Publication>),
    /// PUBACK of either kind.
    PubAck(u16),
    /// PUBREC; whether it is a success.
    PubRec(u16, bool),
    PubRel(u16),
    PubComp(u16),
    Subscribe(Box<Subscribe>),
    Unsubscribe {
        id: u16,
        filters: Vec<ByteString>,
    },
    Ping,
    /// Whether the will shall be published, and a new session expiry in s.
    Disconnect {
        with_will: bool,
        expiry_s: Option<u32>,
    },
    /// Something only a server sends, a second CONNECT, or AUTH nobody agreed on.
    Unexpected,
}

/// CONNECT (MQTT 5 §3.1).
#[derive(Debug)]
pub(crate) struct Connect {
    pub client_id: ByteString,
    pub clean: bool,
    pub keep_alive_s: u16,
    /// None for 3.1.1 sessions that are to stay: as long as the broker keeps any.
    pub expiry_s: Option<u32>,
    pub username: Option<ByteString>,
    pub password: Option<Bytes>,
    pub will: Option<Box<Will>>,
    /// QoS 1/2 publishes the client takes at a time.
    pub receive_max: u16,
    /// Bytes of a packet the client takes.
    pub packet_max: Option<u32>,
    /// Topic aliases the client takes.
    pub alias_max: u16,
    /// Enhanced authentication is asked for.
    pub enhanced: bool,
}

/// What is published when a connection breaks.
#[derive(Debug, Clone)]
pub(crate) struct Will {
    pub topic: ByteString,
    pub payload: Bytes,
    pub qos: Qos,
    pub retain: bool,
    pub properties: Properties,
    pub delay_s: u32,
}

impl Will {
    /// The same out of the buffer it was read into: it may wait for years.
    pub fn detached(self) -> Will {
        let (topic, payload) = detach(&self.topic, &self.payload);
        Will { topic, payload, properties: detach_properties(self.properties), ..self }
    }
}

/// PUBLISH from a client (MQTT 5 §3.3).
#[derive(Debug)]
pub(crate) struct Publication {
    pub dup: bool,
    pub qos: Qos,
    pub retain: bool,
    /// Empty when an alias stands for it.
    pub topic: ByteString,
    pub id: Option<u16>,
    pub payload: Bytes,
    pub alias: Option<u16>,
    /// A subscription identifier, which a client may not send.
    pub has_subscription_id: bool,
    pub properties: Properties,
}

/// SUBSCRIBE (MQTT 5 §3.8).
#[derive(Debug)]
pub(crate) struct Subscribe {
    pub id: u16,
    pub filters: Vec<(ByteString, Options)>,
    pub subscription_id: Option<u32>,
    pub user: Vec<(ByteString, ByteString)>,
}

/// How a filter is subscribed to (MQTT 5 §3.8.3.1).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub qos: Qos,
    pub no_local: bool,
    pub retain_as_published: bool,
    pub retained: Handling,
}

/// When retained messages are sent at a SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handling {
    Always,
    IfNew,
    Never,
}

/// What the broker sends, PUBLISH apart.
#[derive(Debug)]
pub(crate) enum Outgoing {
    ConnAck(Box<ConnAck>),
    PubAck(u16, Reason, Option<String>),
    PubRec(u16, Reason, Option<String>),
    PubRel(u16, Reason),
    PubComp(u16, Reason),
    SubAck(u16, Vec<Granted>),
    UnsubAck(u16, Vec<Reason>),
    Pong,
    /// Nothing at all in 3.1.1.
    Disconnect(Reason),
}

/// CONNACK (MQTT 5 §3.2).
#[derive(Debug, Default)]
pub(crate) struct ConnAck {
    pub refused: Option<(Reason, Option<String>)>,
    pub session_present: bool,
    pub expiry_s: Option<u32>,
    pub receive_max: u16,
    pub packet_max: u32,
    pub alias_max: u16,
    pub assigned_id: Option<ByteString>,
    pub keep_alive_s: Option<u16>,
}

/// The answer to one filter.
pub(crate) type Granted = Result<Qos, Reason>;
