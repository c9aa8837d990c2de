//! What of a session outlives its connections (MQTT 5 §4.1).

use std::collections::{HashMap, HashSet};

use bytestring::ByteString;
use hearth_protocol::principal::Principal;

use super::cursor::{Cursors, Reach};
use super::flight::Flight;
use crate::gate::Qos;
use crate::shelf::record::{CursorRow, SessionRow, SubscriptionRow};
use crate::shelf::writer::Ticket;

/// A subscription of this session.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    /// What was granted.
    pub qos: Qos,
    pub id: Option<u32>,
    /// Which rooms' events lie under it.
    pub reach: Reach,
    pub no_local: bool,
    pub retain_as_published: bool,
}

/// Who remembers a QoS 2 publish until it is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeper {
    /// This session.
    Session,
    /// The gate, by its once-key; this session as long as the broker runs.
    Gate,
}

/// QoS 2 packet ids that were received and not released.
#[derive(Debug, Default)]
pub(crate) struct Received(HashMap<u16, (Keeper, Ticket)>);

impl Received {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The batch that holds a packet id that was received.
    pub fn ticket(&self, packet_id: u16) -> Option<Ticket> {
        self.0.get(&packet_id).map(|(_, ticket)| *ticket)
    }

    pub fn insert(&mut self, packet_id: u16, keeper: Keeper, ticket: Ticket) {
        self.0.insert(packet_id, (keeper, ticket));
    }

    pub fn remove(&mut self, packet_id: u16) -> Option<Keeper> {
        self.0.remove(&packet_id).map(|(keeper, _)| keeper)
    }

    /// Those that the gate remembers.
    pub fn at_gate(&self) -> impl Iterator<Item = u16> {
        self.0.iter().filter(|(_, (keeper, _))| *keeper == Keeper::Gate).map(|(id, _)| *id)
    }
}

/// Owned by the connection while there is one, and handed from one to the next.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub subscriptions: HashMap<ByteString, Subscription>,
    /// Sent above QoS 0 and not acknowledged.
    pub flight: Flight,
    pub received: Received,
    /// The batch that holds the last release of one of them.
    pub released: Ticket,
    /// How far each room was sent.
    pub cursors: Cursors,
    /// Retained topics that matched and were not readable.
    pub withheld: HashSet<ByteString>,
    /// How long it stays without a connection.
    pub expiry_s: u32,
    /// It lies on the shelf.
    pub kept: bool,
}

impl State {
    /// The session as it lies on the shelf.
    pub fn row(&self, who: &Principal, client_id: &str, left_ms: Option<u64>) -> SessionRow {
        let subscription = |(filter, subscription): (&ByteString, &Subscription)| SubscriptionRow {
            filter: filter.clone(),
            qos: subscription.qos,
            id: subscription.id,
            no_local: subscription.no_local,
            retain_as_published: subscription.retain_as_published,
        };
        SessionRow {
            who: who.clone(),
            client_id: client_id.to_string(),
            expiry_s: self.expiry_s,
            left_ms,
            subscriptions: self.subscriptions.iter().map(subscription).collect(),
            withheld: self.withheld.iter().cloned().collect(),
        }
    }

    /// How far each room was acknowledged: everything up to there, and nothing after it for sure.
    pub fn cursor_rows(&self) -> Vec<CursorRow> {
        let mut rows: Vec<_> = self
            .cursors
            .sent()
            .map(|(room, acknowledged)| CursorRow { room, acknowledged })
            .collect();
        for (room, position) in self.flight.events() {
            for row in rows.iter_mut().filter(|row| row.room == room) {
                row.acknowledged = row.acknowledged.min(position.previous());
            }
        }
        rows
    }
}
