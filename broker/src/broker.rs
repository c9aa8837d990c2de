//! The broker as its owner sees it.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use hearth_protocol::ids::{Position, RoomId};
use hearth_protocol::limits::Limits;
use hearth_protocol::principal::{Account, Principal};
use hearth_protocol::refusal::Refusal;
use hearth_protocol::topic::Topic;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use crate::counts::Counts;
use crate::gate::Gate;
use crate::hub::Hub;
use crate::link::{Link, LinkError};
use crate::presence::Present;
use crate::reason::Reason;
use crate::shelf::Shelf;
use crate::shelf::restore::restore;
use crate::{listener, session};

/// An MQTT broker; clones are the same broker.
#[derive(Clone)]
pub struct Broker {
    hub: Arc<Hub>,
}

impl Broker {
    /// A broker with its tables; publishing works at once, connections after [`Broker::open`].
    pub fn new(limits: Arc<Limits>) -> Broker {
        Broker { hub: Arc::new(Hub::new(limits)) }
    }

    /// A broker over tables that were made elsewhere.
    #[cfg(feature = "fuzz")]
    pub(crate) fn over(hub: Hub) -> Broker {
        Broker { hub: Arc::new(hub) }
    }

    /// How far rooms have come, before anything else: sessions read from there on.
    pub fn know_rooms(&self, heads: impl IntoIterator<Item = (RoomId, Position)>) {
        for (room, head) in heads {
            self.hub.rooms.know(room, head);
        }
    }

    /// Takes up what the broker had when it stopped, however it stopped, and keeps sessions there
    /// from now on: after [`Broker::know_rooms`] and before [`Broker::open`]. Gives the number of
    /// sessions.
    pub async fn restore(&self, shelf: Arc<dyn Shelf>) -> Result<usize, Refusal> {
        restore(&self.hub, shelf).await
    }

    /// Lets connections in. Only the first gate counts.
    pub fn open(&self, gate: Arc<dyn Gate>) {
        if self.hub.gate.set(gate).is_err() {
            tracing::warn!("the broker is open already");
        }
    }

    /// Runs one connection, MQTT bytes in both directions, to its end. The connection is a task of
    /// the broker: it goes on if this future is dropped, until [`Broker::shutdown`].
    pub async fn attach<IO>(&self, io: IO, peer: SocketAddr)
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let connection = session::run(Arc::clone(&self.hub), io, peer);
        if let Err(cause) = self.hub.tasks.spawn(connection).await {
            tracing::error!(%cause, %peer, "a connection broke");
        }
    }

    /// Accepts TCP connections until [`Broker::shutdown`].
    pub async fn listen(&self, listener: TcpListener) {
        listener::tcp::listen(&self.hub, listener).await;
    }

    /// Accepts TLS connections with this certificate until [`Broker::shutdown`].
    pub async fn listen_tls(&self, listener: TcpListener, config: Arc<ServerConfig>) {
        listener::tls::listen(&self.hub, listener, config).await;
    }

    /// Accepts WebSocket connections (subprotocol `mqtt`, any path) until [`Broker::shutdown`].
    pub async fn listen_ws(&self, listener: TcpListener) {
        listener::ws::listen(&self.hub, listener).await;
    }

    /// Publishes to a topic of Hearth, as the appliance; never waits. An empty retained payload
    /// clears the topic.
    pub fn publish(&self, topic: &Topic, payload: Bytes, retain: bool) {
        self.hub.publish(topic, payload, retain);
    }

    /// Publishes a stored event to `hearth/rooms/{room}/out`; called in order of positions, never
    /// waits.
    pub fn publish_event(&self, room: RoomId, position: Position, payload: Bytes) {
        self.hub.publish_event(room, position, payload);
    }

    /// Hears what is published under some filters, in this process: at most `capacity` messages
    /// wait, the rest is dropped and counted. Rooms' `out` topics are silent here: their events
    /// are what the caller gives to [`Broker::publish_event`]. The error names a filter that is
    /// none.
    pub fn link(&self, filters: &[&str], capacity: usize) -> Result<Link, LinkError> {
        Link::new(Arc::clone(&self.hub), filters, capacity)
    }

    /// A connection of this account that is none of MQTT begins: the account is there until it is
    /// dropped, as with any other.
    pub fn attend(&self, account: &Account) -> Present {
        Present::enter(&self.hub, account)
    }

    /// Ends every connection of an account at once.
    pub fn disconnect(&self, account: &Account, reason: Reason) {
        self.disconnect_where(|who| who.account() == *account, reason);
    }

    /// Ends every connection whose principal answers the description.
    pub fn disconnect_where(&self, whom: impl Fn(&Principal) -> bool, reason: Reason) {
        self.hub.registry.each_connected(whom, |mailbox, visit| {
            mailbox.order(|orders| orders.bye = Some((visit, reason)));
        });
    }

    /// An account may read more than before: its standing subscriptions get the retained messages
    /// they missed. Rooms joined just now start at their head without this.
    pub fn rights_changed(&self, account: &Account) {
        self.hub.registry.each_connected(
            |who| who.account() == *account,
            |mailbox, _| mailbox.order(|orders| orders.gained = true),
        );
    }

    /// The numbers at this moment.
    pub fn counts(&self) -> Counts {
        self.hub.counts()
    }

    /// Says 0x8B to everyone and waits until every connection has ended and the shelf is written.
    pub async fn shutdown(&self) {
        self.hub.closing.cancel();
        self.disconnect_where(|_| true, Reason::ShuttingDown);
        self.hub.tasks.close();
        self.hub.tasks.wait().await;
        self.hub.shelving.close();
        let writer = self.hub.shelf_task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer
            && let Err(cause) = writer.await
        {
            tracing::error!(%cause, "the shelf's writer broke");
        }
    }
}
