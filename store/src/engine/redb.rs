//! The engine on disk: one redb table in a sealed file.
//!
//! One thread writes: it takes all batches that wait, applies them in one transaction, syncs once
//! and answers each. Who commits most has a thread that does so itself (`host.rs`). Commits are
//! made in two phases, because only they survive every power cut (sealing.md §8). redb refuses
//! everything after an error of its file; then the file goes back to its last durable header and
//! the database is reopened behind the seam. A page that does not read is an answer to those who
//! need it, and concerns nobody else (`sealed_file/damage.rs`).

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use redb::{Builder, Database, ReadableDatabase, TableDefinition};
use tokio::sync::{mpsc, oneshot};

use super::{Batch, BoxFuture, Cause, Engine, EngineError, Order, Range, Row, Snapshot};
use crate::disk::{Disk, Folder};
use crate::master_key::DataKey;
use crate::sealed_file::{SealedFile, damage};

mod compaction;
#[cfg(test)]
mod compaction_load_tests;
#[cfg(test)]
mod compaction_tests;
#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod damage_tests;
mod failure;
mod host;
mod reading;
mod runs;
#[cfg(test)]
mod sharing_tests;
mod snapshot;
#[cfg(test)]
mod snapshot_tests;
mod usage;
mod writer;

use failure::{Failure, Next, guarded};
use writer::{Job, Waiting};

pub use compaction::Compacted;
pub use usage::Usage;

/// The one table: the sorted map of the seam.
const ROWS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("rows");
/// Batches that wait for the writer. The appender has one under way at a time; the rest is slack.
const BATCHES_WAITING: usize = 64;
/// How often something is tried that fails by another's fault, or that a reopening may mend.
const TRIES: u32 = 8;

/// The engine on disk. Dropping it commits what waits and closes the database.
pub struct Redb {
    open: Arc<Open>,
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    folder: Option<Arc<dyn Folder>>,
    key: DataKey,
}

/// The database, which can be replaced by itself, reopened.
struct Open {
    state: RwLock<State>,
    cache_bytes: usize,
    changes: Mutex<compaction::Changes>,
    /// Held by who writes: the writer, or a host.
    writing: Mutex<()>,
    /// Nobody waits for a compaction any more.
    closing: AtomicBool,
}

/// The hold of the file and the database on it; none while it could not be reopened.
#[derive(Clone)]
struct State {
    file: Arc<SealedFile>,
    database: Option<Arc<Held>>,
    /// How often it was replaced.
    times: u64,
    /// Why it must not be reopened by this process.
    ended: Option<&'static str>,
}

/// A database that may panic when it is closed, after it panicked before.
struct Held(Option<Database>);

impl Drop for Held {
    fn drop(&mut self) {
        let closed = guarded(|| {
            drop(self.0.take());
            Ok(())
        });
        if let Err(failure) = closed {
            tracing::warn!(error = %failure.error, "a database that is given up did not close");
        }
    }
}

impl Redb {
    /// Opens the database on a disk, or makes it where the disk is empty. On a disk alone it cannot
    /// be compacted.
    pub fn open(
        disk: Arc<dyn Disk>,
        key: &DataKey,
        cache_bytes: usize,
    ) -> Result<Self, EngineError> {
        Self::start(disk, None, key, cache_bytes)
    }

    /// Opens the database on the disk that has its name in a folder.
    pub fn open_in(
        folder: Arc<dyn Folder>,
        disk: Arc<dyn Disk>,
        key: &DataKey,
        cache_bytes: usize,
    ) -> Result<Self, EngineError> {
        Self::start(disk, Some(folder), key, cache_bytes)
    }

    fn start(
        disk: Arc<dyn Disk>,
        folder: Option<Arc<dyn Folder>>,
        key: &DataKey,
        cache_bytes: usize,
    ) -> Result<Self, EngineError> {
        let file = Arc::new(SealedFile::open(disk, key)?);
        let database = open_database(&file, cache_bytes)?;
        let database = Some(Arc::new(Held(Some(database))));
        let state = State { file, database, times: 0, ended: None };
        let open = Arc::new(Open {
            state: RwLock::new(state),
            cache_bytes,
            changes: Mutex::default(),
            writing: Mutex::default(),
            closing: AtomicBool::new(false),
        });
        let (jobs, waiting) = mpsc::channel(BATCHES_WAITING);
        let writer = thread::Builder::new()
            .name("store-writer".into())
            .spawn({
                let open = open.clone();
                move || writer::run(&open, waiting)
            })
            .map_err(EngineError::from)?;
        Ok(Self { open, jobs: Some(jobs), writer: Some(writer), folder, key: key.clone() })
    }

    /// Moves all rows to a new file without the room of what was deleted. Readers and writers go
    /// on; it takes the disk once more what is stored, as long as it lasts.
    pub async fn compact(&self) -> Result<Compacted, EngineError> {
        let no_folder = || {
            let why = "a database on a disk alone cannot be compacted";
            EngineError::Io(Cause::new(io::Error::new(io::ErrorKind::Unsupported, why)))
        };
        let folder = self.folder.clone().ok_or_else(no_folder)?;
        let jobs = self.jobs.clone().ok_or_else(closed)?;
        let (open, key) = (self.open.clone(), self.key.clone());
        let compaction = compaction::Compaction { open, jobs, folder, key };
        let running = tokio::task::spawn_blocking(move || compaction.run());
        running.await.map_err(|error| EngineError::Closed(error.to_string()))?
    }

    /// Commits what waits and closes the database, whoever still holds the engine: its file says
    /// that it was closed, once those who read now have ended.
    pub async fn close(&self) -> Result<(), EngineError> {
        let (answer, answered) = oneshot::channel();
        let jobs = self.jobs.clone().ok_or_else(closed)?;
        let close = move |open: &Open| {
            open.end();
            drop(answer.send(Ok::<_, EngineError>(())));
        };
        jobs.send(Job::Between(Box::new(close))).await.map_err(|_ended| closed())?;
        answered.await.map_err(|_ended| closed())?
    }

    /// How much of its file is in use. Reads everything: what of it is damaged is found.
    pub async fn usage(&self) -> Result<Usage, EngineError> {
        let open = self.open.clone();
        let counting = tokio::task::spawn_blocking(move || open.usage());
        counting.await.map_err(|error| EngineError::Closed(error.to_string()))?
    }

    async fn read<T: Send + 'static>(
        &self,
        look: impl Fn(&Database) -> Result<T, Failure> + Send + Sync + 'static,
    ) -> Result<T, EngineError> {
        if host::is_here() {
            return self.open.with(|database, _| look(database));
        }
        let open = self.open.clone();
        let reading = tokio::task::spawn_blocking(move || open.with(|database, _| look(database)));
        reading.await.map_err(|error| EngineError::Closed(error.to_string()))?
    }
}

impl Drop for Redb {
    fn drop(&mut self) {
        self.open.closing.store(true, SeqCst);
        self.jobs = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the thread that writes the database panicked");
        }
    }
}

impl Engine for Redb {
    fn get(&self, key: Bytes) -> BoxFuture<'_, Result<Option<Bytes>, EngineError>> {
        Box::pin(self.read(move |database| {
            let table = database.begin_read()?.open_table(ROWS)?;
            Ok(table.get(&key[..])?.map(|value| Bytes::copy_from_slice(value.value())))
        }))
    }

    fn scan(
        &self,
        range: Range,
        order: Order,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Row>, EngineError>> {
        Box::pin(self.read(move |database| {
            reading::scan(&database.begin_read()?.open_table(ROWS)?, &range, order, limit)
        }))
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), EngineError>> {
        let jobs = self.jobs.clone();
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            let jobs = jobs.ok_or_else(closed)?;
            let waiting = Waiting { batch, answer };
            if host::is_here() {
                writer::commit(&self.open, vec![waiting]);
            } else {
                jobs.send(Job::Commit(waiting)).await.map_err(|_ended| closed())?;
            }
            answered.await.map_err(|_ended| closed())?
        })
    }

    fn host(&self, work: BoxFuture<'static, ()>) -> io::Result<()> {
        host::run(work)
    }

    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, EngineError>> {
        Box::pin(async move {
            let open = self.open.clone();
            let taking = tokio::task::spawn_blocking(move || snapshot::Rows::take(&open));
            let rows = taking.await.map_err(|error| EngineError::Closed(error.to_string()))??;
            Ok(Box::new(rows) as Box<dyn Snapshot>)
        })
    }
}

fn closed() -> EngineError {
    EngineError::Closed("it is shutting down".into())
}

impl Open {
    fn state(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads; does what a failure calls for, and reads again if that can help.
    fn with<T>(
        &self,
        look: impl Fn(&Database, &Arc<Held>) -> Result<T, Failure>,
    ) -> Result<T, EngineError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let (state, held) = self.database()?;
            let Some(database) = &held.0 else { continue };
            match guarded(|| look(database, &held)) {
                Ok(found) => return Ok(found),
                Err(failure) if self.may_help(&state, failure.next)? && tries < TRIES => {}
                Err(failure) => return Err(failure.explained(&state.file)),
            }
        }
    }

    /// The database, reopened if it could not be before.
    fn database(&self) -> Result<(State, Arc<Held>), EngineError> {
        loop {
            let state = self.state();
            if let Some(database) = state.database.clone() {
                return Ok((state, database));
            }
            self.reopen(state.times)?;
        }
    }

    /// Does what a failure calls for; whether the same may go well now.
    fn may_help(&self, state: &State, next: Next) -> Result<bool, EngineError> {
        match next {
            // What stands in redb's cache in place of a page is forgotten with the database.
            Next::GoOn if !state.file.has_healed() => return Ok(false),
            Next::GoOn | Next::Reopen | Next::TryAgain => self.reopen(state.times)?,
        }
        Ok(next != Next::Reopen)
    }

    /// Lets go of the database for good.
    fn end(&self) {
        self.closing.store(true, SeqCst);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.ended = Some("it was stopped");
        state.times += 1;
        state.database = None;
    }

    /// Replaces a database that refuses, unless somebody did since it was opened for the
    /// `times`th time.
    fn reopen(&self, times: u64) -> Result<(), EngineError> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.times != times {
            return Ok(());
        }
        if let Some(why) = state.ended {
            return Err(EngineError::Closed(why.into()));
        }
        state.database = None;
        let file = Arc::new(state.file.recover()?);
        state.file = file.clone();
        let database = open_database(&file, self.cache_bytes)?;
        state.database = Some(Arc::new(Held(Some(database))));
        state.times += 1;
        tracing::warn!(times = state.times, "the database was reopened after an error");
        Ok(())
    }
}

fn open_database(file: &SealedFile, cache_bytes: usize) -> Result<Database, EngineError> {
    damage::begin();
    let open = || -> Result<Database, Failure> {
        let database =
            Builder::new().set_cache_size(cache_bytes).create_with_backend(file.handle())?;
        // The table is there before the first reader asks for it.
        if let Err(redb::TableError::TableDoesNotExist(_)) = database.begin_read()?.open_table(ROWS)
        {
            let mut transaction = database.begin_write()?;
            transaction.set_two_phase_commit(true);
            transaction.open_table(ROWS)?;
            transaction.commit()?;
        }
        Ok(database)
    };
    let database = guarded(open).map_err(|failure| failure.explained(file))?;
    file.mirror_header();
    Ok(database)
}
