//! What was sent above QoS 0 and waits for its acknowledgement (MQTT 5 §4.3, §4.4).

use std::collections::VecDeque;

use bytes::Bytes;
use bytestring::ByteString;

use hearth_protocol::ids::{Position, RoomId};

use crate::gate::Qos;
use crate::load::Weight;
use crate::message::Delivery;

/// Packet ids from here on belong to messages that lie on the shelf: each has the one that its
/// place there gives it, so that it has the same one after a restart.
const KEPT_ID_MIN: u16 = 0x8000;

/// More are never under way, so that there are always free packet ids.
pub(crate) const WINDOW_MAX: usize = 0x4000;

/// A room event under way.
#[derive(Debug)]
pub(crate) struct EventDelivery {
    pub room: RoomId,
    pub position: Position,
    pub topic: ByteString,
    pub payload: Bytes,
    pub ids: Vec<u32>,
    /// What it counts for on its way.
    pub _weight: Weight,
}

/// What is under way.
#[derive(Debug)]
pub(crate) enum Held {
    /// A PUBLISH of a plain message.
    Plain(Delivery),
    /// A PUBLISH of a room event, at QoS 1.
    Event(EventDelivery),
    /// A PUBREL: the message itself has arrived.
    Release {
        /// Where it lies on the shelf.
        place: Option<u64>,
    },
}

impl Held {
    /// Where it lies on the shelf.
    pub fn place(&self) -> Option<u64> {
        match self {
            Held::Plain(delivery) => delivery.place,
            Held::Release { place } => *place,
            Held::Event(_) => None,
        }
    }
}

fn kept_id(place: u64) -> u16 {
    // What is masked always fits.
    KEPT_ID_MIN | u16::try_from(place & 0x7FFF).unwrap_or_default()
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

    /// Whether the packet id of a place is free.
    pub fn is_free(&self, place: Option<u64>) -> bool {
        place.is_none_or(|place| self.position(kept_id(place)).is_none())
    }

    /// Takes a packet id for something new, that of its place if it has one, which is free; there
    /// are always fewer of the others under way than ids.
    pub fn start(&mut self, held: Held) -> u16 {
        let id = held.place().map_or_else(|| self.next_id(), kept_id);
        self.entries.push_back(Entry { id, held });
        self.sent += 1;
        id
    }

    fn next_id(&mut self) -> u16 {
        loop {
            self.last_id = if self.last_id + 1 >= KEPT_ID_MIN { 1 } else { self.last_id + 1 };
            if self.position(self.last_id).is_none() {
                return self.last_id;
            }
        }
    }

    /// Puts back what the shelf had: a message that arrived and waits for its PUBCOMP.
    pub fn restore(&mut self, place: u64, id: u16) {
        self.entries.push_back(Entry { id, held: Held::Release { place: Some(place) } });
    }

    /// Room events under way.
    pub fn events(&self) -> impl Iterator<Item = (RoomId, Position)> {
        self.entries.iter().filter_map(|entry| match &entry.held {
            Held::Event(event) => Some((event.room, event.position)),
            Held::Plain(_) | Held::Release { .. } => None,
        })
    }

    fn position(&self, id: u16) -> Option<usize> {
        self.entries.iter().position(|entry| entry.id == id)
    }

    fn remove(&mut self, at: usize) -> Option<Held> {
        let entry = self.entries.remove(at)?;
        if at < self.sent {
            self.sent -= 1;
        }
        Some(entry.held)
    }

    /// PUBACK, or a PUBREC that refuses; what it was. Acknowledgements of nothing are let pass.
    pub fn acknowledged(&mut self, id: u16) -> Option<Held> {
        let at = self.position(id)?;
        if matches!(self.entries[at].held, Held::Release { .. }) {
            return None;
        }
        self.remove(at)
    }

    /// At which QoS a message under way was sent.
    pub fn qos(&self, id: u16) -> Option<Qos> {
        match &self.entries[self.position(id)?].held {
            Held::Plain(delivery) => Some(delivery.qos),
            Held::Event(_) => Some(Qos::AtLeastOnce),
            Held::Release { .. } => None,
        }
    }

    /// PUBREC; where the packet lies on the shelf, `None` if there is no such packet.
    pub fn received(&mut self, id: u16) -> Option<Option<u64>> {
        let at = self.position(id)?;
        let place = self.entries[at].held.place();
        self.entries[at].held = Held::Release { place };
        Some(place)
    }

    /// PUBCOMP; what it was.
    pub fn completed(&mut self, id: u16) -> Option<Held> {
        let at = self.position(id)?;
        if !matches!(self.entries[at].held, Held::Release { .. }) {
            return None;
        }
        self.remove(at)
    }

    /// Messages under way that another session may get instead: not those of QoS 2, which may
    /// have arrived (MQTT 5 §4.8.2).
    pub fn repeatable(&self) -> impl Iterator<Item = &Delivery> {
        self.entries.iter().filter_map(|entry| match &entry.held {
            Held::Plain(delivery) if delivery.qos == Qos::AtLeastOnce => Some(delivery),
            Held::Plain(_) | Held::Event(_) | Held::Release { .. } => None,
        })
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
        let (room, position) = (RoomId::from_bytes([1; 16]), Position(1));
        let (topic, payload, ids) = ("t".into(), Bytes::new(), vec![]);
        let _weight = Weight::default();
        Held::Event(EventDelivery { room, position, topic, payload, ids, _weight })
    }

    #[test]
    fn what_was_not_acknowledged_is_sent_again_in_order() {
        let mut flight = Flight::default();
        let ids: Vec<u16> = (0..4).map(|_| flight.start(event())).collect();
        assert_eq!((ids, flight.len()), (vec![1, 2, 3, 4], 4));
        flight.acknowledged(3);
        assert_eq!((flight.received(2), flight.received(9)), (Some(None), None));
        assert!(flight.acknowledged(2).is_none() && flight.completed(1).is_none());
        flight.rewind();
        assert_eq!(flight.len(), 0);
        let mut again = vec![];
        while let Some((id, held)) = flight.resend() {
            again.push((id, matches!(held, Held::Release { .. })));
        }
        assert_eq!(again, [(1, false), (2, true), (4, false)]);
        flight.completed(2);
        assert_eq!(flight.len(), 2);
    }

    #[test]
    fn ids_in_use_are_passed_over_and_zero_is_none() {
        let mut flight = Flight { last_id: KEPT_ID_MIN - 2, ..Flight::default() };
        assert_eq!(flight.start(event()), KEPT_ID_MIN - 1);
        assert_eq!(flight.start(event()), 1);
        flight.last_id = KEPT_ID_MIN - 1;
        assert_eq!(flight.start(event()), 2);
    }
}
