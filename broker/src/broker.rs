//! The broker as its owner sees it.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use hearth_protocol::ids::{Position, RoomId};
use hearth_protocol::limits::Limits;
use hearth_protocol::principal::{Account, Principal};
use hearth_protocol::topic::Topic;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use crate::counts::Counts;
use crate::gate::Gate;
use crate::reason::Reason;

/// An MQTT broker; clones are the same broker.
#[derive(Clone)]
pub struct Broker {
    limits: Arc<Limits>,
}

impl Broker {
    /// A broker with its bus and tables; publishing works at once, connections after
    /// [`Broker::open`].
    pub fn new(limits: Arc<Limits>) -> Broker {
        Broker { limits }
    }

    /// Lets connections in. Only the first gate counts.
    pub fn open(&self, gate: Arc<dyn Gate>) {
        drop(gate);
    }

    /// Runs one connection, MQTT bytes in both directions, to its end.
    pub async fn attach<IO>(&self, io: IO, peer: SocketAddr)
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        drop((io, peer));
    }

    /// Accepts TCP connections until [`Broker::shutdown`].
    pub async fn listen(&self, listener: TcpListener) {
        drop(listener);
    }

    /// Accepts WebSocket connections (subprotocol `mqtt`, any path) until [`Broker::shutdown`].
    pub async fn listen_ws(&self, listener: TcpListener) {
        drop(listener);
    }

    /// Publishes to a topic of Hearth, as the appliance; never waits. An empty retained payload
    /// clears the topic.
    pub fn publish(&self, topic: &Topic, payload: Bytes, retain: bool) {
        drop((topic, payload, retain, &self.limits));
    }

    /// Publishes a stored event to `hearth/rooms/{room}/out`; called in order of positions, never
    /// waits.
    pub fn publish_event(&self, room: RoomId, position: Position, payload: Bytes) {
        drop((room, position, payload));
    }

    /// Ends every connection of an account at once.
    pub fn disconnect(&self, account: &Account, reason: Reason) {
        drop((account, reason));
    }

    /// Ends every connection whose principal answers the description.
    pub fn disconnect_where(&self, whom: impl Fn(&Principal) -> bool, reason: Reason) {
        drop((whom, reason));
    }

    /// An account may read more than before: its standing subscriptions get the retained messages
    /// they missed, and rooms joined just now start at their head.
    pub fn rights_changed(&self, account: &Account) {
        drop(account);
    }

    /// The numbers at this moment.
    pub fn counts(&self) -> Counts {
        Counts::default()
    }

    /// Says 0x8B to everyone and waits until every connection has ended.
    pub async fn shutdown(&self) {}
}
