//! The rooms' heads, and the bus that carries their events: restarted when it dies.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use hearth_protocol::ids::{Position, RoomId};

use crate::bus::{Bus, BusError, Link, RoomEvent};

/// Makes a bus.
pub(crate) type Start = Box<dyn Fn() -> Result<Arc<dyn Bus>, BusError> + Send + Sync>;

/// Whether links will hear of an event by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carried {
    /// Those that do not lag will.
    Yes,
    /// Perhaps not: every session must compare its cursors with the heads.
    Perhaps,
}

/// What the broker knows about rooms: nothing but how far each has come since the start.
pub(crate) struct Rooms {
    start: Start,
    bus: Mutex<Option<Arc<dyn Bus>>>,
    heads: RwLock<HashMap<RoomId, Head>>,
    restarts: AtomicU64,
}

/// How far a room has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// Before the first event since the start.
    pub base: Position,
    /// The newest.
    pub head: Position,
}

impl Rooms {
    pub fn new(start: Start) -> Rooms {
        Rooms {
            start,
            bus: Mutex::new(None),
            heads: RwLock::default(),
            restarts: AtomicU64::new(0),
        }
    }

    /// How far a room has come, if anything was published there since the start.
    pub fn head(&self, room: RoomId) -> Option<Head> {
        self.heads.read().unwrap_or_else(PoisonError::into_inner).get(&room).copied()
    }

    /// A room has come this far before the start.
    pub fn know(&self, room: RoomId, head: Position) {
        let mut heads = self.heads.write().unwrap_or_else(PoisonError::into_inner);
        heads.entry(room).or_insert(Head { base: head, head });
    }

    /// How often the bus died.
    pub fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    /// All heads.
    pub fn heads(&self) -> Vec<(RoomId, Head)> {
        let heads = self.heads.read().unwrap_or_else(PoisonError::into_inner);
        heads.iter().map(|(room, head)| (*room, *head)).collect()
    }

    /// Moves the head, then hands the event to the bus: whoever compares after that sees it.
    pub fn publish(&self, event: &RoomEvent) -> Carried {
        {
            let mut heads = self.heads.write().unwrap_or_else(PoisonError::into_inner);
            let base = Position(event.position.0.saturating_sub(1));
            let head = heads.entry(event.room).or_insert(Head { base, head: base });
            head.head = head.head.max(event.position);
        }
        let (bus, fresh) = match self.bus() {
            Ok(found) => found,
            Err(cause) => {
                tracing::error!(%cause, "no bus: events wait in history");
                return Carried::Perhaps;
            }
        };
        match bus.publish(event) {
            Ok(()) if !fresh => Carried::Yes,
            Ok(()) | Err(BusError::Behind) => Carried::Perhaps,
            Err(cause) => {
                self.bury(&bus, &cause);
                Carried::Perhaps
            }
        }
    }

    /// A link to the bus as it is now.
    pub async fn link(&self) -> Result<Box<dyn Link>, BusError> {
        let (bus, _) = self.bus()?;
        let link = bus.link().await;
        if let Err(cause) = &link {
            self.bury(&bus, cause);
        }
        link
    }

    fn bus(&self) -> Result<(Arc<dyn Bus>, bool), BusError> {
        let mut place = self.bus.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bus) = &*place {
            return Ok((Arc::clone(bus), false));
        }
        let bus = (self.start)()?;
        *place = Some(Arc::clone(&bus));
        Ok((bus, true))
    }

    /// Forgets a dead bus; the next use starts another.
    fn bury(&self, dead: &Arc<dyn Bus>, cause: &BusError) {
        let mut place = self.bus.lock().unwrap_or_else(PoisonError::into_inner);
        if place.as_ref().is_some_and(|bus| Arc::ptr_eq(bus, dead)) {
            tracing::error!(%cause, "the bus died; sessions read on from history");
            *place = None;
            self.restarts.fetch_add(1, Ordering::Relaxed);
        }
    }
}
