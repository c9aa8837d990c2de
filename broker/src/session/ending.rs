//! How a connection ends: what is under way completes, the session is given back, the will is
//! published, and the last packet arrives (MQTT 5 §3.1.2.5, §3.14, §4.13).

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::{Instant, timeout};

use super::packet::{Outgoing, Will};
use super::{Connection, End};
use crate::departures::Departures;
use crate::registry::Left;

/// How long publishes that the gate has not answered may still take.
const SETTLE: Duration = Duration::from_secs(5);
/// How long the other side has to read why it was closed.
const LINGER: Duration = Duration::from_secs(2);

impl Connection {
    /// Ends the connection.
    pub(super) async fn end(mut self, end: End) {
        tracing::debug!(account = %self.key.account, client_id = %self.key.client_id, ?end,
            "disconnected");
        if let End::Bye(reason) = end {
            self.send(Outgoing::Disconnect(reason));
        }
        self.say_goodbye(end);
        self.settle().await;
        let unsent = self.outbound.take_ready();
        self.mailbox.put_back(unsent);
        self.mailbox.depart();
        let will = match end {
            End::Client { with_will: false } => None,
            _ => self.will.take(),
        };
        self.give_back(will).await;
    }

    /// Writes the rest and closes, in a task of its own: the session does not wait for that.
    fn say_goodbye(&mut self, end: End) {
        let closed = super::transport::Transport::new(tokio::io::empty());
        let mut transport = std::mem::replace(&mut self.transport, closed);
        let place = self.place.take();
        if end == End::Lost {
            return;
        }
        self.hub.tasks.spawn(async move {
            if let Ok(Err(cause)) = timeout(LINGER, transport.linger()).await {
                tracing::debug!(%cause, "closed before the last packet was read");
            }
            drop(place);
        });
    }

    /// What the gate was asked is still done: a client that publishes and leaves is heard.
    async fn settle(&mut self) {
        let until = Instant::now() + SETTLE;
        while !self.inbound.pending.is_empty() {
            match tokio::time::timeout_at(until, self.inbound.pending.next()).await {
                // Nobody is there to be told of a refusal.
                Ok(Some(accepted)) => drop(self.settle_one(accepted)),
                Ok(None) => break,
                Err(_) => {
                    tracing::warn!(account = %self.key.account, count = self.inbound.pending.len(),
                        "publishes were given up: the gate did not answer");
                    break;
                }
            }
        }
    }

    /// The session goes back to the registry; a will without delay is published now.
    async fn give_back(mut self, will: Option<Box<Will>>) {
        let number = self.mailbox.number;
        let (now, later) = match will {
            Some(will) if will.delay_s == 0 => (Some(will), None),
            other => (None, other),
        };
        let expiry_s = self.state.expiry_s;
        if expiry_s > 0 {
            self.save_resting();
        }
        let delay_s = later.as_ref().map(|will| will.delay_s);
        let state = std::mem::take(&mut self.state);
        let due = match self.hub.registry.leave(&self.key, self.visit, state, later) {
            Left::Over(state, will) => {
                self.hub.forget(&self.key.account, &state, &self.mailbox);
                now.or(will)
            }
            Left::Handed => now,
            Left::Rests { visit } => {
                let after = |seconds: u32| Instant::now() + Duration::from_secs(seconds.into());
                let will_at = delay_s.filter(|delay_s| *delay_s < expiry_s).map(after);
                Departures::enter(&self.hub, &self.key, visit, will_at, after(expiry_s));
                now
            }
        };
        self.left = true;
        if let Some(will) = due {
            let who = Arc::clone(&self.who);
            self.hub.publish_will(&self.key, who, will, number).await;
        }
    }
}

/// A connection that broke without an end (a panic) must not keep its session for ever.
impl Drop for Connection {
    fn drop(&mut self) {
        if !self.left {
            self.mailbox.put_back(self.outbound.take_ready());
            self.hub.forget(&self.key.account, &self.state, &self.mailbox);
            self.hub.registry.vacate(&self.key, self.visit);
        }
    }
}
