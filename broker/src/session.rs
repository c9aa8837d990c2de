//! One connection: from its first byte to its last.
//!
//! - [`handshake`]: CONNECT to CONNACK
//! - [`inbound`]: what the client sends, [`pacing`] how fast, [`accepting`] what waits for the
//!   gate; [`subscribe`] its subscriptions
//! - [`outbound`]: what it is sent; [`feed`] room events, from the bus and from history
//! - [`stall`]: a client that takes nothing; [`ending`]: wills, hand-over, the lingering close
//! - [`state`], [`flight`], [`cursor`]: what outlives a connection; [`keeping`] it over restarts
//! - [`packet`], [`wire`], [`frame`], [`transport`]: packets and bytes; [`attention`] between them

mod accepting;
mod attention;
pub(crate) mod cursor;
mod ending;
mod feed;
pub(crate) mod flight;
pub(crate) mod frame;
mod handshake;
mod inbound;
mod keeping;
mod outbound;
mod pacing;
pub(crate) mod packet;
mod stall;
pub(crate) mod state;
mod subscribe;
#[cfg(test)]
mod tests;
mod transport;
pub(crate) mod wire;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt;
use hearth_protocol::principal::Principal;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::bounds::Place;
use crate::gate::Gate;
use crate::hub::Hub;
use crate::mailbox::Mailbox;
use crate::presence::Present;
use crate::reason::Reason;
use crate::registry::Key;
use accepting::Accepted;
use attention::Attention;
use feed::Feed;
use frame::Framer;
use inbound::Inbound;
use keeping::{Held, Timer};
use outbound::Outbound;
use pacing::Pacing;
use packet::Will;
use stall::Stall;
use state::State;
use transport::Transport;
use wire::Wire;

pub(crate) use transport::Io;

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client said DISCONNECT.
    Client { with_will: bool },
    /// The stream ended or broke.
    Lost,
    /// The broker ends it, and says why where MQTT can.
    Bye(Reason),
}

/// When a silent client is given up (MQTT 5 §3.1.2.10).
struct KeepAlive {
    patience: Duration,
    heard: Instant,
    timer: Pin<Box<Sleep>>,
}

impl KeepAlive {
    fn new(seconds: u16, now: Instant) -> Option<KeepAlive> {
        let patience = Duration::from_millis(u64::from(seconds) * 1_500);
        let timer = Box::pin(sleep_until(now + patience));
        (seconds > 0).then_some(KeepAlive { patience, heard: now, timer })
    }

    /// Ready when nothing was heard for too long. The timer is moved only when it fires.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            std::task::ready!(self.timer.as_mut().poll(cx));
            let until = self.heard + self.patience;
            if until <= Instant::now() {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(until);
        }
    }
}

/// A connection that was admitted.
struct Connection {
    hub: Arc<Hub>,
    gate: Arc<dyn Gate>,
    who: Arc<Principal>,
    key: Key,
    visit: u64,
    mailbox: Arc<Mailbox>,
    state: Box<State>,
    will: Option<Box<Will>>,
    wire: Wire,
    framer: Framer,
    transport: Transport,
    keep_alive: Option<KeepAlive>,
    stall: Stall,
    inbound: Inbound,
    held: Held,
    /// When cursors that moved are saved.
    save_at: Timer,
    pacing: Pacing,
    attention: Attention,
    outbound: Outbound,
    feed: Feed,
    place: Option<Place>,
    /// Counts as long as the connection is there.
    _present: Present,
    /// The session was given back.
    left: bool,
}

/// Runs one connection to its end.
pub(crate) async fn run(hub: Arc<Hub>, io: impl Io + 'static, peer: SocketAddr) {
    match hub.bounds.enter(peer) {
        Some(place) => {
            let until = connect_by(&hub);
            run_counted(hub, io, peer, place, until).await;
        }
        None => tracing::debug!(%peer, "closed: too many connections"),
    }
}

/// When a connection that is accepted now must have said CONNECT.
pub(crate) fn connect_by(hub: &Hub) -> Instant {
    let ms = u64::try_from(hub.limits.handshake_ms_max).unwrap_or(u64::MAX);
    Instant::now() + Duration::from_millis(ms)
}

/// Runs one connection that was counted already and has until then to say CONNECT.
pub(crate) async fn run_counted(
    hub: Arc<Hub>,
    io: impl Io + 'static,
    peer: SocketAddr,
    place: Place,
    until: Instant,
) {
    let transport = Transport::new(io);
    if let Some(mut connection) = handshake::admit(hub, transport, peer, place, until).await {
        let end = connection.serve().await;
        connection.end(end).await;
    }
}

/// What one look at everything found.
#[derive(Default)]
struct Turn {
    ordered: bool,
    accepted: Vec<Accepted>,
    save: bool,
    heard: bool,
    end: Option<End>,
}

impl Connection {
    async fn serve(&mut self) -> End {
        // Clients may send more behind CONNECT without waiting (MQTT 5 §3.1.4).
        if let Err(end) = self.take_in() {
            return end;
        }
        loop {
            self.fill();
            self.save_cursors_later();
            let turn = std::future::poll_fn(|cx| self.look(cx)).await;
            if let Err(end) = self.act(turn) {
                return end;
            }
        }
    }

    fn act(&mut self, turn: Turn) -> Result<(), End> {
        if turn.ordered {
            self.obey()?;
        }
        for accepted in turn.accepted {
            self.settle_one(accepted)?;
        }
        if turn.save {
            self.save_cursors();
        }
        if turn.heard
            && let Some(keep_alive) = &mut self.keep_alive
        {
            keep_alive.heard = Instant::now();
        }
        self.take_in()?;
        turn.end.map_or(Ok(()), Err)
    }

    /// Looks at everything that can happen; ready when something did.
    fn look(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        let mut turn = Turn::default();
        let mut happened = false;
        self.transport.wake();
        if self.transport.is_writing() {
            match self.transport.poll_write(cx) {
                // Packets that were read may have waited for this.
                Poll::Ready(Ok(())) => {
                    self.stall.over();
                    happened |= self.outbound.more || !self.transport.input.is_empty();
                }
                Poll::Ready(Err(cause)) => {
                    tracing::debug!(%cause, client_id = %self.key.client_id, "write failed");
                    turn.end = Some(End::Lost);
                }
                Poll::Pending => {
                    if self.stall.poll(cx, self.transport.taken).is_ready() {
                        tracing::debug!(client_id = %self.key.client_id, "takes nothing");
                        turn.end = Some(End::Lost);
                    }
                }
            }
        }
        let hungry = self.transport.output.len() < outbound::OUTPUT_BYTES;
        if let Poll::Ready(bell) = self.mailbox.poll_bell(cx, hungry) {
            turn.ordered = bell.ordered;
            happened = true;
        }
        while let Poll::Ready(Some(accepted)) = self.inbound.pending.poll_next_unpin(cx) {
            turn.accepted.push(accepted);
        }
        happened |= self.feed.poll(cx, &self.hub, hungry);
        if let Some(timer) = &mut self.save_at {
            turn.save = timer.as_mut().poll(cx).is_ready();
            happened |= turn.save;
        }
        happened |= self.pacing.poll(cx);
        if self.may_read() {
            self.read(cx, &mut turn);
        } else if let Some(keep_alive) = &mut self.keep_alive {
            // It is the broker that does not listen.
            keep_alive.heard = Instant::now();
        }
        if let Some(keep_alive) = &mut self.keep_alive
            && keep_alive.poll(cx).is_ready()
        {
            turn.end = Some(End::Bye(Reason::KeepAliveTimeout));
        }
        if happened || turn.heard || turn.end.is_some() || !turn.accepted.is_empty() {
            Poll::Ready(turn)
        } else {
            if !self.attention.looks_again(cx) {
                self.transport.rest();
            }
            Poll::Pending
        }
    }

    /// Back-pressure: unanswered publishes, their rate and unread answers are bounded.
    fn may_read(&self) -> bool {
        self.inbound.has_room(self.held.len())
            && !self.pacing.waits()
            && self.transport.output.len() < self.hub.limits.output_bytes_max
    }

    fn read(&mut self, cx: &mut Context<'_>, turn: &mut Turn) {
        match self.transport.poll_read(cx) {
            Poll::Ready(Ok(0)) => turn.end = turn.end.or(Some(End::Lost)),
            Poll::Ready(Ok(_)) => {
                turn.heard = true;
                self.attention.heard();
            }
            Poll::Ready(Err(cause)) => {
                tracing::debug!(%cause, client_id = %self.key.client_id, "read failed");
                turn.end = turn.end.or(Some(End::Lost));
            }
            Poll::Pending => {}
        }
    }

    /// Takes in every whole packet that was read, as far as there is room for their answers.
    fn take_in(&mut self) -> Result<(), End> {
        while self.may_read() {
            let packet = self.wire.decode(&mut self.transport.input).map_err(End::Bye)?;
            match packet {
                Some(packet) => self.handle(packet)?,
                None => break,
            }
        }
        Ok(())
    }

    /// Does what others left orders for.
    fn obey(&mut self) -> Result<(), End> {
        let orders = self.mailbox.orders();
        if let Some((visit, reason)) = orders.bye
            && visit == self.visit
        {
            if reason == Reason::ShuttingDown {
                // What the appliance said last still arrives.
                self.fill();
            }
            return Err(End::Bye(reason));
        }
        if orders.check_rooms {
            self.compare_rooms();
        }
        if orders.gained {
            self.send_withheld();
        }
        if orders.saved {
            self.send_saved();
        }
        Ok(())
    }
}
