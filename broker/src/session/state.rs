//! What of a session outlives its connections (MQTT 5 §4.1).

use std::collections::{HashMap, HashSet};

use bytestring::ByteString;

use super::cursor::{Cursors, Reach};
use super::flight::Flight;
use crate::gate::Qos;

/// A subscription of this session.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    /// What was granted.
    pub qos: Qos,
    pub id: Option<u32>,
    /// Which rooms' events lie under it.
    pub reach: Reach,
}

/// Owned by the connection while there is one, and handed from one to the next.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub subscriptions: HashMap<ByteString, Subscription>,
    /// Sent above QoS 0 and not acknowledged.
    pub flight: Flight,
    /// QoS 2 packet ids that were received and not released.
    pub received: HashSet<u16>,
    /// How far each room was sent.
    pub cursors: Cursors,
    /// Retained topics that matched and were not readable.
    pub withheld: HashSet<ByteString>,
    /// How long it stays without a connection.
    pub expiry_s: u32,
}
