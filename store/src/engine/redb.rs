//! The engine on disk: one redb table in a sealed file.
//!
//! One thread writes: it takes all batches that wait, applies them in one transaction, syncs once
//! and answers each. Commits are made in two phases, because only they survive every power cut
//! (sealing.md §8). redb refuses everything after any error of its file; then the file goes back
//! to its last durable header and the database is reopened behind the seam.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use redb::{Builder, Database, ReadableDatabase, StorageError, TableDefinition};
use tokio::sync::{mpsc, oneshot};

use super::{Batch, BoxFuture, Cause, Engine, EngineError, Order, Range, Row, Snapshot};
use crate::disk::Disk;
use crate::master_key::DataKey;
use crate::sealed_file::{Ended, SealedFile};

#[cfg(test)]
mod crash_tests;
mod reading;
mod snapshot;
#[cfg(test)]
mod snapshot_tests;
mod writer;

use writer::Job;

/// The one table: the sorted map of the seam.
const ROWS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("rows");
/// Batches that wait for the writer. The appender has one under way at a time; the rest is slack.
const BATCHES_WAITING: usize = 64;

/// The engine on disk. Dropping it commits what waits and closes the database.
pub struct Redb {
    open: Arc<Open>,
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
}

/// The database, which can be replaced by itself, reopened.
struct Open {
    state: RwLock<State>,
    cache_bytes: usize,
}

/// The hold of the file and the database on it; none while it could not be reopened.
#[derive(Clone)]
struct State {
    file: Arc<SealedFile>,
    database: Option<Arc<Database>>,
    /// How often it was reopened.
    times: u64,
}

/// What went wrong inside redb, and whether to reopen.
struct Failure {
    error: EngineError,
    /// It is not this operation's own: another one's error made redb refuse.
    latched: bool,
}

impl Redb {
    /// Opens the database on a disk, or makes it where the disk is empty.
    pub fn open(
        disk: Arc<dyn Disk>,
        key: &DataKey,
        cache_bytes: usize,
    ) -> Result<Self, EngineError> {
        let file = Arc::new(SealedFile::open(disk, key)?);
        let database = open_database(&file, cache_bytes)?;
        let state = State { file, database: Some(Arc::new(database)), times: 0 };
        let open = Arc::new(Open { state: RwLock::new(state), cache_bytes });
        let (jobs, waiting) = mpsc::channel(BATCHES_WAITING);
        let writer = thread::Builder::new()
            .name("store-writer".into())
            .spawn({
                let open = open.clone();
                move || writer::run(&open, waiting)
            })
            .map_err(EngineError::from)?;
        Ok(Self { open, jobs: Some(jobs), writer: Some(writer) })
    }

    async fn read<T: Send + 'static>(
        &self,
        look: impl Fn(&Database) -> Result<T, Failure> + Send + Sync + 'static,
    ) -> Result<T, EngineError> {
        let open = self.open.clone();
        let reading = tokio::task::spawn_blocking(move || open.with(look));
        reading.await.map_err(|error| EngineError::Closed(error.to_string()))?
    }
}

impl Drop for Redb {
    fn drop(&mut self) {
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
            let closed = || EngineError::Closed("it is shutting down".into());
            let (answer, answered) = oneshot::channel();
            let jobs = jobs.ok_or_else(closed)?;
            jobs.send(Job { batch, answer }).await.map_err(|_ended| closed())?;
            answered.await.map_err(|_ended| closed())?
        })
    }

    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, EngineError>> {
        Box::pin(async move {
            let table = self.read(|database| Ok(database.begin_read()?.open_table(ROWS)?)).await?;
            Ok(Box::new(snapshot::Rows::new(table)) as Box<dyn Snapshot>)
        })
    }
}

impl Open {
    fn state(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads; if redb refuses, reopens it, and reads once more if the error was another's.
    fn with<T>(&self, look: impl Fn(&Database) -> Result<T, Failure>) -> Result<T, EngineError> {
        let mut retried = false;
        loop {
            let state = self.state();
            let Some(database) = &state.database else {
                self.reopen(state.times)?;
                continue;
            };
            let failure = match guarded(|| look(database)) {
                Ok(found) => return Ok(found),
                Err(failure) => failure,
            };
            self.reopen(state.times)?;
            if retried || !failure.latched {
                return Err(failure.error);
            }
            retried = true;
        }
    }

    /// Replaces a database that refuses, unless somebody did since it was opened for the
    /// `times`th time.
    fn reopen(&self, times: u64) -> Result<(), EngineError> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.times != times {
            return Ok(());
        }
        state.database = None;
        let file = Arc::new(state.file.recover()?);
        state.file = file.clone();
        let database = open_database(&file, self.cache_bytes)?;
        state.database = Some(Arc::new(database));
        state.times += 1;
        tracing::warn!(times = state.times, "the database was reopened after an error");
        Ok(())
    }
}

fn open_database(file: &SealedFile, cache_bytes: usize) -> Result<Database, EngineError> {
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
    guarded(open).map_err(|failure| failure.error)
}

/// redb asserts what it reads; what it panics at is damage like any other.
fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_panic| {
        let what = "its pages contradict each other".to_string();
        Err(Failure { error: EngineError::Damaged { what, cause: None }, latched: false })
    })
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        let latched = match &error {
            StorageError::PreviousIo | StorageError::DatabaseClosed => true,
            StorageError::Io(error) => error.get_ref().is_some_and(|inner| inner.is::<Ended>()),
            _ => false,
        };
        let error = match error {
            StorageError::Io(error) => error.into(),
            StorageError::Corrupted(what) => EngineError::Damaged { what, cause: None },
            other => EngineError::Io(Cause::new(other)),
        };
        Failure { error, latched }
    }
}

macro_rules! failures {
    ($($error:ident),+) => {
        $(impl From<redb::$error> for Failure {
            fn from(error: redb::$error) -> Self {
                match error {
                    redb::$error::Storage(error) => error.into(),
                    other => Failure {
                        error: EngineError::Io(Cause::new(io::Error::other(other.to_string()))),
                        latched: false,
                    },
                }
            }
        })+
    };
}

failures!(DatabaseError, TransactionError, TableError, CommitError);
