//! What was sent above QoS 0 and waits for its acknowledgement (MQTT 5 §4.3, §4.4).

use std::collections::VecDeque;

use bytes::Bytes;
use bytestring::ByteString;

use crate::message::Delivery;

/// A room event under way.
#[derive(Debug, Clone)]
pub(crate) struct EventDelivery {
    pub topic: ByteString,
    pub payload: Bytes,
    pub ids: Vec<u32>,
}

/// What is under way.
#[derive(Debug, Clone)]
pub(crate) enum Held {
    /// A PUBLISH of a plain message.
    Plain(Delivery),
    /// A PUBLISH of a room event, at QoS 1.
    Event(EventDelivery),
    /// A PUBREL: the message itself has arrived.
    Release,
}

#[derive(Debug)]
struct Entry {
    id: u16,
    held: Held,
}

/// In order of sending, across connections.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    entries: VecDeque<Entry>,
    /// How many of them, from the front, were sent on this connection.
    sent: usize,
    last_id: u16,
}

impl Flight {
    /// A new connection: everything is to be sent again.
    pub fn rewind(&mut self) {
        self.sent = 0;
    }

    /// Packets under way on this connection.
    pub fn len(&self) -> usize {
        self.sent
    }

    /// Whether an earlier connection left something that is still to be sent again.
    pub fn has_unsent(&self) -> bool {
        self.sent < self.entries.len()
    }

    /// The next packet to send again, as it counts from now on as sent.
    pub fn resend(&mut self) -> Option<(u16, &Held)> {
        let entry = self.entries.get(self.sent)?;
        self.sent += 1;
        Some((entry.id, &entry.held))
    }

    /// Takes a packet id for something new; there are always fewer under way than ids.
    pub fn start(&mut self, held: Held) -> u16 {
        loop {
            self.last_id = if self.last_id == u16::MAX { 1 } else { self.last_id + 1 };
            if self.position(self.last_id).is_none() {
                break;
            }
        }
        self.entries.push_back(Entry { id: self.last_id, held });
        self.sent += 1;
        self.last_id
    }

    fn position(&self, id: u16) -> Option<usize> {
        self.entries.iter().position(|entry| entry.id == id)
    }

    fn remove(&mut self, at: usize) {
        self.entries.remove(at);
        if at < self.sent {
            self.sent -= 1;
        }
    }

    /// PUBACK, or a PUBREC that refuses. Acknowledgements of nothing are let pass.
    pub fn acknowledged(&mut self, id: u16) {
        if let Some(at) = self.position(id)
            && !matches!(self.entries[at].held, Held::Release)
        {
            self.remove(at);
        }
    }

    /// PUBREC; whether there is such a packet.
    pub fn received(&mut self, id: u16) -> bool {
        match self.position(id) {
            Some(at) => {
                self.entries[at].held = Held::Release;
                true
            }
            None => false,
        }
    }

    /// PUBCOMP.
    pub fn completed(&mut self, id: u16) {
        if let Some(at) = self.position(id)
            && matches!(self.entries[at].held, Held::Release)
        {
            self.remove(at);
        }
    }

    /// Takes back what was just started and could not be sent.
    pub fn abandon(&mut self, id: u16) {
        if let Some(at) = self.position(id) {
            self.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Held {
        Held::Event(EventDelivery { topic: "t".into(), payload: Bytes::new(), ids: vec![] })
    }

    #[test]
    fn what_was_not_acknowledged_is_sent_again_in_order() {
        let mut flight = Flight::default();
        let ids: Vec<u16> = (0..4).map(|_| flight.start(event())).collect();
        assert_eq!((ids, flight.len()), (vec![1, 2, 3, 4], 4));
        flight.acknowledged(3);
        assert!(flight.received(2));
        assert!(!flight.received(9));
        flight.acknowledged(2);
        flight.completed(1);
        flight.rewind();
        assert_eq!(flight.len(), 0);
        let mut again = vec![];
        while let Some((id, held)) = flight.resend() {
            again.push((id, matches!(held, Held::Release)));
        }
        assert_eq!(again, [(1, false), (2, true), (4, false)]);
        flight.completed(2);
        assert_eq!(flight.len(), 2);
    }

    #[test]
    fn ids_in_use_are_passed_over_and_zero_is_none() {
        let mut flight = Flight { last_id: u16::MAX - 1, ..Flight::default() };
        assert_eq!(flight.start(event()), u16::MAX);
        assert_eq!(flight.start(event()), 1);
        flight.last_id = u16::MAX - 1;
        assert_eq!(flight.start(event()), 2);
    }
}
