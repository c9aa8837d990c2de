//! Gathers the rows that change, writes them in batches, and tells who waited for a batch.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use bytes::Bytes;
use hearth_protocol::limits::Limits;
use serde::Serialize;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::record::{encode, session_prefix};
use super::{Shelf, ShelfChange};
use crate::mailbox::Mailbox;

/// How long to wait before a batch that failed is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// Names a batch: what was changed before it was given out is on disk once the batch is. Nothing
/// is [`NOTHING`].
pub(crate) type Ticket = u64;

/// The ticket of what needs no disk.
pub(crate) const NOTHING: Ticket = 0;

#[derive(Debug)]
struct Pending {
    /// The last change of each row.
    rows: BTreeMap<Bytes, Option<Bytes>>,
    /// Bytes of their values, those that were replaced meanwhile included.
    bytes: usize,
    /// Sessions that are over; none of them gets a row any more.
    over: Vec<u64>,
    /// The batch that takes the next change.
    ticket: Ticket,
    /// Who is told once a batch is on disk, by number: each once, of the first batch it waits for.
    waiting: BTreeMap<u64, (Ticket, Arc<Mailbox>)>,
    closing: bool,
}

/// The broker's side of the shelf. Without a shelf nothing is kept, and nobody waits.
pub(crate) struct Shelving {
    limits: Arc<Limits>,
    shelf: OnceLock<Arc<dyn Shelf>>,
    pending: Mutex<Pending>,
    /// Read while several rows are to get into one batch, written while a batch is taken.
    whole: RwLock<()>,
    saved: AtomicU64,
    behind: AtomicBool,
    changed: Notify,
}

impl Shelving {
    /// Keeps nothing yet.
    pub fn new(limits: Arc<Limits>) -> Self {
        let pending = Pending {
            rows: BTreeMap::new(),
            bytes: 0,
            over: Vec::new(),
            ticket: NOTHING + 1,
            waiting: BTreeMap::new(),
            closing: false,
        };
        Self {
            limits,
            shelf: OnceLock::new(),
            pending: Mutex::new(pending),
            whole: RwLock::default(),
            saved: AtomicU64::new(NOTHING),
            behind: AtomicBool::new(false),
            changed: Notify::new(),
        }
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to keep rows; only the first shelf counts. `write` is to be run.
    pub fn begin(&self, shelf: Arc<dyn Shelf>) -> bool {
        self.shelf.set(shelf).is_ok()
    }

    /// Whether anything is kept.
    pub fn is_on(&self) -> bool {
        self.shelf.get().is_some()
    }

    /// Whether so much waits for the disk that nothing more should be promised.
    pub fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Relaxed)
    }

    /// Sets a row.
    pub fn put<T: Serialize>(&self, key: Bytes, value: &T) -> Ticket {
        if !self.is_on() {
            return NOTHING;
        }
        match encode(value) {
            Some(value) => self.change(|pending| {
                pending.bytes += value.len();
                pending.rows.insert(key, Some(value));
            }),
            None => NOTHING,
        }
    }

    /// Removes a row.
    pub fn remove(&self, key: Bytes) -> Ticket {
        self.change(|pending| {
            pending.rows.insert(key, None);
        })
    }

    /// Removes all rows of a session, which gets none any more.
    pub fn end(&self, number: u64) -> Ticket {
        self.change(|pending| {
            let prefix = session_prefix(number);
            let keys = pending.rows.range(prefix.clone()..).map(|(key, _)| key);
            let keys: Vec<_> = keys.take_while(|key| key.starts_with(&prefix)).cloned().collect();
            for key in keys {
                pending.rows.remove(&key);
            }
            pending.over.push(number);
        })
    }

    fn change(&self, make: impl FnOnce(&mut Pending)) -> Ticket {
        if !self.is_on() {
            return NOTHING;
        }
        let ticket = {
            let mut pending = self.pending();
            make(&mut pending);
            let behind = pending.rows.len() >= self.limits.shelf_rows_waiting_max
                || pending.bytes >= self.limits.shelf_bytes_waiting_max;
            self.behind.store(behind, Ordering::Relaxed);
            pending.ticket
        };
        self.changed.notify_one();
        ticket
    }

    /// All rows that change until the guard is dropped get into one batch. Not across an await.
    pub fn together(&self) -> RwLockReadGuard<'_, ()> {
        self.whole.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a batch is on disk.
    pub fn is_saved(&self, ticket: Ticket) -> bool {
        self.saved.load(Ordering::Acquire) >= ticket
    }

    /// Orders a look at what waits (`Orders::saved`) once a batch is on disk; false: it is.
    pub fn wait(&self, ticket: Ticket, mailbox: &Arc<Mailbox>) -> bool {
        if self.is_saved(ticket) {
            return false;
        }
        let mut pending = self.pending();
        let (waits, number) = (!self.is_saved(ticket), mailbox.number);
        if waits {
            let mailbox = || (ticket, Arc::clone(mailbox));
            let first = pending.waiting.entry(number).or_insert_with(mailbox);
            first.0 = first.0.min(ticket);
        }
        waits
    }

    /// Nothing more comes: `write` ends once all is on disk.
    pub fn close(&self) {
        self.pending().closing = true;
        self.changed.notify_one();
    }

    /// Writes batch after batch until it is closed.
    pub async fn write(&self) {
        let Some(shelf) = self.shelf.get() else { return };
        loop {
            let (changes, ticket) = match self.take() {
                Some(batch) => batch,
                None if self.pending().closing => return,
                None => {
                    self.changed.notified().await;
                    continue;
                }
            };
            while let Err(refusal) = shelf.save(changes.clone()).await {
                if self.pending().closing {
                    tracing::error!(%refusal, rows = changes.len(),
                        "the broker stops without having kept its sessions");
                    return;
                }
                tracing::error!(%refusal, rows = changes.len(), "sessions wait for the disk");
                sleep(RETRY).await;
            }
            self.tell(ticket);
        }
    }

    fn take(&self) -> Option<(Vec<ShelfChange>, Ticket)> {
        let _whole = self.whole.write().unwrap_or_else(PoisonError::into_inner);
        let mut pending = self.pending();
        if pending.rows.is_empty() && pending.over.is_empty() {
            return None;
        }
        let over = std::mem::take(&mut pending.over).into_iter();
        let over = over.map(|n| ShelfChange::RemoveAll { prefix: session_prefix(n) });
        let rows = std::mem::take(&mut pending.rows).into_iter();
        let rows = rows.map(|(key, value)| match value {
            Some(value) => ShelfChange::Put { key, value },
            None => ShelfChange::Remove { key },
        });
        let changes = over.chain(rows).collect();
        pending.bytes = 0;
        self.behind.store(false, Ordering::Relaxed);
        pending.ticket += 1;
        Some((changes, pending.ticket - 1))
    }

    fn tell(&self, ticket: Ticket) {
        let told: Vec<_> = {
            let mut pending = self.pending();
            self.saved.store(ticket, Ordering::Release);
            let due = |_: &u64, waiter: &mut (Ticket, Arc<Mailbox>)| waiter.0 <= ticket;
            pending.waiting.extract_if(.., due).map(|(_, waiter)| waiter).collect()
        };
        for (_, mailbox) in told {
            mailbox.order(|orders| orders.saved = true);
        }
    }
}
