//! What of a connection's session lies on the shelf, and the answers that wait until it does.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Sleep, sleep};

use super::Connection;
use super::packet::Outgoing;
use crate::shelf::record::{Now, cursors_key, queued_key, session_key};
use crate::shelf::writer::{NOTHING, Ticket};

/// How often cursors that moved are saved (design §3).
const CURSORS_EVERY: Duration = Duration::from_secs(1);

/// Answers that wait for the disk, in order.
#[derive(Debug, Default)]
pub(super) struct Held {
    answers: VecDeque<(Ticket, Outgoing)>,
}

impl Held {
    pub fn len(&self) -> usize {
        self.answers.len()
    }
}

/// A timer that exists only while it runs.
pub(super) type Timer = Option<Pin<Box<Sleep>>>;

impl Connection {
    /// Sends an answer once the disk has what it promises, and after those before it.
    pub(super) fn send_once_saved(&mut self, ticket: Ticket, answer: Outgoing) {
        if self.held.answers.is_empty() && self.hub.shelving.is_saved(ticket) {
            return self.send(answer);
        }
        let first = self.held.answers.is_empty();
        self.held.answers.push_back((ticket, answer));
        if first {
            self.send_saved();
        }
    }

    /// Sends the answers whose batch is on disk.
    pub(super) fn send_saved(&mut self) {
        while let Some((ticket, _)) = self.held.answers.front() {
            // Whoever has to wait is told by an order.
            if self.hub.shelving.wait(*ticket, &self.mailbox) {
                return;
            }
            if let Some((_, answer)) = self.held.answers.pop_front() {
                self.send(answer);
            }
        }
    }

    /// Puts the session on the shelf, or takes it off if it ends with this connection.
    pub(super) fn keep(&mut self) {
        let keeps = self.hub.shelving.is_on() && self.state.expiry_s > 0;
        let kept = std::mem::replace(&mut self.state.kept, keeps);
        self.mailbox.keep(keeps);
        if keeps {
            self.save_session(None);
        } else if kept {
            self.hub.shelving.end(self.mailbox.number);
        }
    }

    /// Saves the session, its subscriptions and cursors, if it is kept.
    pub(super) fn save_session(&mut self, left_ms: Option<u64>) -> Ticket {
        if !self.state.kept {
            return NOTHING;
        }
        let row = self.state.row(&self.who, &self.key.client_id, left_ms);
        let session = self.hub.shelving.put(session_key(self.mailbox.number), &row);
        self.save_cursors().max(session)
    }

    /// The connection ends and the session rests from now on.
    pub(super) fn save_resting(&mut self) {
        self.save_session(Some(Now::get().wall_ms));
    }

    /// Saves how far each room was acknowledged.
    pub(super) fn save_cursors(&mut self) -> Ticket {
        self.save_at = None;
        if !self.state.kept || !self.state.cursors.take_moved() {
            return NOTHING;
        }
        let rows = self.state.cursor_rows();
        self.hub.shelving.put(cursors_key(self.mailbox.number), &rows)
    }

    /// Cursors that moved are saved some time later, all in one.
    pub(super) fn save_cursors_later(&mut self) {
        if self.state.kept && self.save_at.is_none() && self.state.cursors.has_moved() {
            self.save_at = Some(Box::pin(sleep(CURSORS_EVERY)));
        }
    }

    /// A message that lies on the shelf is dealt with.
    pub(super) fn take_off(&mut self, place: Option<u64>) {
        if let Some(place) = place.filter(|_| self.state.kept) {
            self.hub.shelving.remove(queued_key(self.mailbox.number, place));
        }
    }

    /// The session as the gate knows it, if it outlives its connection.
    pub(super) fn is_kept(&self) -> bool {
        self.state.kept
    }
}
