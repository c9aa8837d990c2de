//! What is told of an event's place among those of its writer, as far as a room was read.

use hearth_protocol::event::Class;
use hearth_protocol::ids::Position;
use hearth_protocol::sealing::event::Numbered;
use hearth_protocol::sealing::order::{Fit, Order, Strange};

use super::reading::{Line, Said};

/// How an event fits to what was read before; `None`: it was read before.
type Place = Option<Fit>;

/// What was read of a room, ascending.
#[derive(Default)]
pub(super) struct Runs {
    order: Option<Order>,
    /// Everything was read up to here since the run began.
    to: Position,
}

impl Runs {
    /// What is read next speaks for the positions from here on.
    pub(super) fn from(&mut self, from: Position) {
        let begins = from <= Position::START.next();
        match &mut self.order {
            Some(_) if from == self.to.next() => {}
            Some(order) if from > self.to => order.skip(),
            // Read once more.
            _ => self.order = Some(Order::new(begins)),
        }
    }

    /// All up to here was read, whatever was left out of it.
    pub(super) fn to(&mut self, to: Position) {
        self.to = self.to.max(to);
    }

    /// Something could not be read: nobody knows whose events were there.
    pub(super) fn gap(&mut self, to: Position) {
        self.to(to);
        if let Some(order) = &mut self.order {
            order.skip();
        }
    }

    /// The place of the next event of a page; `None`: nothing is counted of it.
    pub(super) fn item(&mut self, class: Option<Class>, wire: &[u8]) -> Option<Place> {
        let Numbered { id, sender, writer, seq } =
            Numbered::of(wire).filter(|_| class == Some(Class::Event))?;
        Some(self.order.as_mut()?.take(id, (sender, writer), seq))
    }

    /// The place of an event as it comes, which follows what was read: the box sends all of them.
    /// One that was delivered before has none.
    pub(super) fn live(
        &mut self,
        position: Position,
        class: Option<Class>,
        wire: &[u8],
    ) -> Option<Place> {
        if self.order.is_none() {
            self.from(position);
        }
        if position <= self.to {
            return None;
        }
        self.to = position;
        self.item(class, wire)
    }
}

/// A line with what is told of its place.
pub(super) fn told(mut line: Line, place: Option<Place>) -> Line {
    let Some(place) = place else { return line };
    let Some(Fit { missing, strange }) = place else {
        (line.said, line.event) = (Said::Unreadable, None);
        line.text = "[an event that was there before]".into();
        return line;
    };
    (line.missing, line.strange) = (missing, strange);
    match strange {
        Some(Strange::CopiedWriter) => line.text += " [sent twice, from a copied device]",
        Some(Strange::OutOfTurn) => line.text += " [older than what came before it]",
        None => {}
    }
    match missing {
        0 => {}
        1 => line.text = format!("[1 event before this is missing] {}", line.text),
        many => line.text = format!("[{many} events before this are missing] {}", line.text),
    }
    line
}
