//! Stretches of history that do not read: found by halving until they are bounded, remembered so
//! that the next page does not ask the disk again (design §6). All around them reads on.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError, RwLock};

use hearth_protocol::ids::{Position, RoomId};

use super::StoredEvent;
use crate::engine::{Engine, EngineError, Order, Row};
use crate::error::StoreError;
use crate::store::Store;
use crate::{keys, record};

/// Positions from the first to the last of a stretch, both in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first.
    pub from: Position,
    /// The last.
    pub to: Position,
}

/// An event of a page, or a stretch that does not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    Event(StoredEvent),
    Damaged(Span),
}

impl Item {
    /// The positions that it speaks for.
    pub fn span(&self) -> Span {
        match self {
            Item::Event(event) => Span { from: event.position, to: event.position },
            Item::Damaged(span) => *span,
        }
    }
}

/// How often a disk may refuse an event before it counts as damaged: a disk that is away for a
/// moment comes back, and then the event reads.
const REFUSALS_MAX: u32 = 10;
/// Events in question at a time.
const SUSPECTS_MAX: usize = 1_000;

/// What is known not to read. As large as there are such stretches.
#[derive(Debug, Default)]
pub(crate) struct Damage {
    known: RwLock<BTreeMap<RoomId, BTreeMap<Position, Position>>>,
    /// Events that the disk refused, and how often.
    suspects: Mutex<BTreeMap<(RoomId, Position), u32>>,
}

impl Damage {
    /// The first known stretch of a room that ends at a position or after.
    pub fn next(&self, room: RoomId, from: Position) -> Option<Span> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let spans = known.get(&room)?;
        let (from, to) = spans.iter().find(|(_, to)| **to >= from)?;
        Some(Span { from: *from, to: *to })
    }

    /// Whether an error will stay: the bytes are others than were written, or the disk refused
    /// them often enough.
    fn is_lasting(&self, room: RoomId, at: Position, error: &EngineError) -> bool {
        if !error.is_of_the_disk() {
            return true;
        }
        let mut suspects = self.suspects.lock().unwrap_or_else(PoisonError::into_inner);
        if suspects.len() >= SUSPECTS_MAX {
            suspects.clear();
        }
        let refusals = suspects.entry((room, at)).or_default();
        *refusals += 1;
        let lasting = *refusals >= REFUSALS_MAX;
        if lasting {
            suspects.remove(&(room, at));
        }
        lasting
    }

    fn stretches(&self) -> usize {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.values().map(BTreeMap::len).sum()
    }

    /// Remembers a position.
    fn note(&self, room: RoomId, at: Position) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let spans = known.entry(room).or_default();
        let before = spans.range(..=at).next_back().map(|(from, to)| (*from, *to));
        let from = match before {
            Some((_, to)) if to >= at => return,
            Some((from, to)) if to.next() == at => from,
            _ => at,
        };
        let to = spans.remove(&at.next()).unwrap_or(at);
        spans.insert(from, to);
        tracing::error!(%room, position = %at, "an event does not read; run `hearth doctor`");
    }
}

impl Store {
    /// How many stretches of history are known not to read: those that a page met since the start.
    pub fn damaged_stretches(&self) -> usize {
        self.shared().damage.stretches()
    }
}

/// Decoded rows of a page; one that does not decode is damaged alone.
pub(crate) fn decode(rows: Vec<Row>, items: &mut Vec<Item>) -> Result<(), StoreError> {
    for (key, value) in rows {
        match record::decode_event(&key, value) {
            Ok(event) => items.push(Item::Event(event)),
            Err(error) => {
                let at = record::last_position(&key)?;
                tracing::error!(%error, position = %at, "an event does not read");
                push_damaged(items, Span { from: at, to: at });
            }
        }
    }
    Ok(())
}

fn push_damaged(items: &mut Vec<Item>, span: Span) {
    match items.last_mut() {
        Some(Item::Damaged(last)) if last.to.next() == span.from => last.to = span.to,
        _ => items.push(Item::Damaged(span)),
    }
}

/// Where damage is read around.
pub(crate) struct Around<'a> {
    pub engine: &'a dyn Engine,
    pub damage: &'a Damage,
    pub room: RoomId,
    /// How many failing reads one page may cost; what is left then is answered as damaged whole,
    /// and not remembered.
    pub probes: usize,
}

impl Around<'_> {
    /// The items of `[from, until)`, ascending: known damage skipped, new damage bounded.
    pub async fn read(&mut self, from: Position, until: Position) -> Result<Vec<Item>, StoreError> {
        let mut items = vec![];
        let mut at = from;
        while at < until {
            let known = self.damage.next(self.room, at).filter(|span| span.from < until);
            match known {
                Some(span) if span.from <= at => {
                    let to = span.to.min(until.previous());
                    push_damaged(&mut items, Span { from: at, to });
                    at = to.next();
                }
                known => {
                    let end = known.map_or(until, |span| span.from);
                    self.halve(at, end, &mut items).await?;
                    at = end;
                }
            }
        }
        Ok(items)
    }

    async fn halve(
        &mut self,
        from: Position,
        until: Position,
        items: &mut Vec<Item>,
    ) -> Result<(), StoreError> {
        let mut waiting = vec![(from, until)];
        while let Some((from, until)) = waiting.pop() {
            let range = keys::events(self.room, from, Some(until));
            let error = match self.engine.scan(range, Order::Ascending, usize::MAX).await {
                Ok(rows) => {
                    decode(rows, items)?;
                    continue;
                }
                Err(error @ EngineError::Damaged { .. }) => error,
                Err(error) => return Err(error.into()),
            };
            if from.next() == until {
                if !self.damage.is_lasting(self.room, from, &error) {
                    return Err(error.into());
                }
                tracing::debug!(%error, "found by halving");
                self.damage.note(self.room, from);
                push_damaged(items, Span { from, to: from });
            } else if self.probes == 0 {
                push_damaged(items, Span { from, to: until.previous() });
            } else {
                self.probes -= 1;
                let middle = Position(from.0 + (until.0 - from.0) / 2);
                waiting.push((middle, until));
                waiting.push((from, middle));
            }
        }
        Ok(())
    }
}
