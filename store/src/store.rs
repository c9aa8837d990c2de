//! What the gateway holds: reads go to the engine, writes through the one appender.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use hearth_protocol::ids::{DeviceId, SessionId, TokenId, UserId};
use hearth_protocol::limits::Limits;
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, oneshot};

use crate::appender::{Answer, Appender, Work};
use crate::change::Change;
use crate::engine::{Engine, EngineError, Order, Range, Row};
use crate::error::StoreError;
use crate::heads::Heads;
use crate::messages::damage::Damage;
use crate::messages::{Appended, NewEvent, StoredEvent};
use crate::receipts::Pending;
use crate::rooms::Room;
use crate::shelf::ShelfEdit;
use crate::sweeps::{Sweep, Swept};
use crate::{keys, migrate, record};

/// Rows that a read takes from the engine at a time.
pub(crate) const SCAN_ROWS: usize = 1_000;

/// Who is told what was committed: in commit order, after the commit and before the futures of
/// those who asked for it complete. Must not wait, must not call the store.
pub trait Committed: Send + Sync {
    /// Events are on disk, in the order of their positions.
    fn events(&self, events: &[StoredEvent]);

    /// A change is on disk; `rooms` are the rooms it touched, as they are now. Its lines follow as
    /// events.
    fn changed(&self, change: &Change, rooms: &[Room]);
}

/// A "last used" that may be written late: with the next commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Touch {
    /// `last_seen`.
    User(UserId),
    /// `last_used_at`.
    Session(SessionId),
    /// `last_used_at`.
    Token(TokenId),
    /// `last_post_at`.
    Device(DeviceId),
}

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    queue: mpsc::Sender<Work>,
    /// Ends when the appender has ended, and holds nothing of the store any more.
    ended: Arc<Mutex<Option<oneshot::Receiver<Never>>>>,
}

/// Nothing: a channel of it can only end.
enum Never {}

/// What the store and its appender both hold.
pub(crate) struct Shared {
    pub engine: Arc<dyn Engine>,
    pub limits: Arc<Limits>,
    pub heads: Heads,
    pub receipts: Pending,
    pub damage: Damage,
    pub listener: OnceLock<Arc<dyn Committed>>,
}

impl Store {
    /// The store on an engine. Needs a tokio runtime: the appender runs within it.
    pub async fn open(engine: Arc<dyn Engine>, limits: Arc<Limits>) -> Result<Self, StoreError> {
        migrate::bring_up(&*engine).await?;
        let heads = Heads::default();
        heads.load(&*engine).await?;
        let (queue, works) = mpsc::channel(limits.appends_waiting_max.max(1));
        let (receipts, damage, listener) = (Pending::default(), Damage::default(), OnceLock::new());
        let shared = Arc::new(Shared { engine, limits, heads, receipts, damage, listener });
        let (running, ended) = oneshot::channel();
        let appender = Appender::new(shared.clone(), works);
        let hosted = shared.engine.host(Box::pin(async move {
            appender.run().await;
            drop(running);
        }));
        hosted.map_err(EngineError::from)?;
        Ok(Self { shared, queue, ended: Arc::new(Mutex::new(Some(ended))) })
    }

    /// Says who is told of commits: once, before the first write.
    pub fn listen(&self, listener: Arc<dyn Committed>) {
        if self.shared.listener.set(listener).is_err() {
            tracing::error!("the store has a listener already; the second is not told anything");
        }
    }

    /// Commits what waits, and takes nothing more.
    pub async fn close(&self) {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(ended) = ended else { return };
        if self.queue.send(Work::Close).await.is_err() {
            tracing::debug!("the appender has ended already");
        }
        match ended.await {
            Ok(never) => match never {},
            Err(_ended) => {}
        }
    }

    /// Stores an event. When it returns `Ok` the event is on disk.
    ///
    /// The same event again ([`crate::Once`]) from the same sender in the same room is answered
    /// with its old place, whatever the room's version is by now; from others it is `IdTaken`.
    /// A room that is not of the version it was checked against is `Stale`.
    pub async fn append(&self, event: NewEvent) -> Result<Appended, StoreError> {
        self.ask(|answer| Work::Append { event, answer }).await
    }

    /// Makes a change. When it returns `Ok` the change is on disk; the lines it wrote come back.
    pub async fn change(&self, change: Change) -> Result<Vec<StoredEvent>, StoreError> {
        self.ask(|answer| Work::Change { change: Box::new(change), answer }).await
    }

    /// Notes a use, to be written with the next commit; lost if there is none before a crash, or
    /// if the appender has too much to do.
    pub fn touch(&self, touch: Touch, at_ms: u64) {
        if let Err(error) = self.queue.try_send(Work::Touch(touch, at_ms)) {
            tracing::debug!(%error, ?touch, "a last use is not noted");
        }
    }

    /// Writes to the shelf in this order, all or nothing. Durable on return.
    pub async fn shelve(&self, edits: Vec<ShelfEdit>) -> Result<(), StoreError> {
        self.ask(|answer| Work::Shelve { edits, answer }).await
    }

    /// Does a bounded part of a clean-up, in a commit of its own or with what else waits. It goes
    /// on where the last call ended ([`Swept::next`]; empty: from the start); `at_ms` is the box's
    /// clock, ms since 1970.
    pub async fn sweep(&self, sweep: Sweep, from: Bytes, at_ms: u64) -> Result<Swept, StoreError> {
        self.ask(|answer| Work::Sweep { sweep, from, at_ms, answer }).await
    }

    /// Writes the receipts that are noted and not written yet, and last uses beside them.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.ask(|answer| Work::Flush { answer }).await
    }

    pub(crate) async fn release(&self, key: Bytes) -> Result<(), StoreError> {
        self.ask(|answer| Work::Release { key, answer }).await
    }

    /// Waits for room in the queue, then for the answer. Dropping it leaves the work in the queue.
    async fn ask<T>(&self, work: impl FnOnce(Answer<T>) -> Work) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.queue.send(work(answer)).await.map_err(|_closed| StoreError::Closed)?;
        answered.await.map_err(|_ended| StoreError::Closed)?
    }

    /// How many wait for the appender.
    pub fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    pub(crate) fn engine(&self) -> &dyn Engine {
        &*self.shared.engine
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn heads(&self) -> &Heads {
        &self.shared.heads
    }

    pub(crate) async fn load<T: DeserializeOwned>(
        &self,
        what: &'static str,
        key: Bytes,
    ) -> Result<Option<T>, StoreError> {
        self.engine().get(key).await?.map(|bytes| record::decode(what, &bytes)).transpose()
    }

    pub(crate) async fn load_all<T: DeserializeOwned>(
        &self,
        what: &'static str,
        range: Range,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.scan_all(range).await?;
        rows.iter().map(|(_, value)| record::decode(what, value)).collect()
    }

    pub(crate) async fn scan_all(&self, range: Range) -> Result<Vec<Row>, StoreError> {
        scan_all(self.engine(), range).await
    }
}

/// Every row of a range, some at a time.
pub(crate) async fn scan_all(engine: &dyn Engine, range: Range) -> Result<Vec<Row>, StoreError> {
    let scan = |part| async move { Ok(engine.scan(part, Order::Ascending, SCAN_ROWS).await?) };
    pages(range, scan).await
}

/// Every row of a range, from a scan that gives the first [`SCAN_ROWS`] of one.
pub(crate) async fn pages<F: Future<Output = Result<Vec<Row>, StoreError>>>(
    mut range: Range,
    scan: impl Fn(Range) -> F,
) -> Result<Vec<Row>, StoreError> {
    let mut rows = vec![];
    loop {
        let more = scan(range.clone()).await?;
        let full = more.len() == SCAN_ROWS;
        rows.extend(more);
        match rows.last() {
            Some((last, _)) if full => range = keys::after(range, last),
            _ => return Ok(rows),
        }
    }
}
