//! What the database could not do since the start: the last error of the engine is remembered, for
//! `hearth doctor`. Want of room is forgotten when a commit goes well again; the rest is not, since
//! a disk that said no once will say it again.

#[cfg(test)]
mod tests;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hearth_store::engine::{BoxFuture, Order, Range, Row};
use hearth_store::{Batch, Engine, EngineError, Snapshot};
use serde::{Deserialize, Serialize};

use crate::clock::Clock;

/// An error of the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// When it was met last, ms since 1970.
    pub at: u64,
    /// What happened.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
    over: Over,
}

/// When a trouble is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Over {
    /// When something can be written.
    Written,
    /// When the file was looked after.
    LookedAfter,
    /// Not before a restart.
    Restarted,
}

/// The last trouble there was. Cheap to clone.
#[derive(Clone)]
pub struct Troubles {
    clock: Arc<dyn Clock>,
    last: Arc<Mutex<Option<Trouble>>>,
    /// Commits that went well, and errors, since the start.
    counts: Arc<[AtomicU64; 2]>,
}

impl Troubles {
    /// None yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, last: Arc::default(), counts: Arc::default() }
    }

    /// The last one.
    pub fn last(&self) -> Option<Trouble> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Commits that went well and errors noted, since the start.
    pub fn counts(&self) -> [u64; 2] {
        self.counts.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// Notes an error, if the disk or the file is what is wrong.
    pub fn note(&self, error: &EngineError) {
        let over = match error {
            EngineError::Full(_) => Over::Written,
            EngineError::NoRoom { .. } => Over::LookedAfter,
            _ => Over::Restarted,
        };
        let (what, remedy) = match error {
            EngineError::Conflict | EngineError::GivenUp(_) => return,
            EngineError::Damaged { what, .. } => (
                format!("the database is damaged: {what}"),
                "check the disk; `hearth restore BACKUP` makes a whole house of a backup",
            ),
            EngineError::Full(cause) => (format!("the disk is full: {cause}"), "make room on it"),
            EngineError::NoRoom { .. } => (
                error.to_string(),
                "delete what else lies there, or move the data folder to a larger disk",
            ),
            EngineError::Io(cause) => (
                format!("the disk refused: {cause}"),
                "look into the log of the system, make a backup, and replace the disk if it is old",
            ),
            other => (other.to_string(), "restart Hearth; if that does not help, see its log"),
        };
        self.counts[1].fetch_add(1, Ordering::Relaxed);
        let trouble = Trouble { at: self.clock.now_ms(), what, remedy: remedy.into(), over };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
    }

    fn written(&self) {
        self.counts[0].fetch_add(1, Ordering::Relaxed);
        self.end(Over::Written);
    }

    /// The file was looked after, with room for what that takes.
    pub fn looked_after(&self) {
        self.end(Over::LookedAfter);
    }

    fn end(&self, over: Over) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.take_if(|trouble| trouble.over == over);
    }
}

/// An engine whose errors are noted.
pub struct Watched {
    engine: Arc<dyn Engine>,
    troubles: Troubles,
}

impl Watched {
    /// Notes the errors of an engine.
    pub fn new(engine: Arc<dyn Engine>, troubles: Troubles) -> Self {
        Self { engine, troubles }
    }

    fn noted<'a, T: 'a>(
        &'a self,
        work: BoxFuture<'a, Result<T, EngineError>>,
    ) -> BoxFuture<'a, Result<T, EngineError>> {
        Box::pin(async move { work.await.inspect_err(|error| self.troubles.note(error)) })
    }
}

impl Engine for Watched {
    fn get(&self, key: Bytes) -> BoxFuture<'_, Result<Option<Bytes>, EngineError>> {
        self.noted(self.engine.get(key))
    }

    fn scan(
        &self,
        range: Range,
        order: Order,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Row>, EngineError>> {
        self.noted(self.engine.scan(range, order, limit))
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), EngineError>> {
        let work = self.noted(self.engine.commit(batch));
        Box::pin(async move { work.await.inspect(|()| self.troubles.written()) })
    }

    /// What a snapshot meets is told to whoever asked for it.
    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, EngineError>> {
        self.noted(self.engine.snapshot())
    }

    fn host(&self, work: BoxFuture<'static, ()>) -> io::Result<()> {
        self.engine.host(work)
    }
}
