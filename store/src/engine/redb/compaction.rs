//! Compaction: the rows move to a new file, in order, and the new file takes the old one's place.
//!
//! In order, redb fills page after page. It can give back the room of what was deleted only while
//! nobody reads or writes. So the rows of a snapshot are copied beside the database while everybody
//! goes on; what is changed meanwhile is noted and copied in rounds; and between two commits the
//! writer copies the last changes and changes the names. Whenever the power goes, one of the two
//! files has the name and is whole.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, MutexGuard, PoisonError};

use bytes::Bytes;
use redb::{Database, ReadOnlyTable};
use tokio::sync::{mpsc, oneshot};

use super::failure::{Failure, guarded};
use super::writer::Job;
use super::{Held, Open, ROWS, State, open_database};
use crate::disk::Folder;
use crate::engine::{Batch, EngineError, Op};
use crate::master_key::DataKey;
use crate::sealed_file::{SealedFile, damage};

/// Bytes of rows in one commit of the copy: they fit into the cache below.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;
/// The cache of the new database while it is filled.
const CACHE_BYTES: usize = 12 * 1024 * 1024;
/// Changes that the writer may copy between two commits: less than a large group commit.
pub(super) const LAST_CHANGES_MAX: usize = 1_024;
/// Changes noted at a time. Who writes more while a round is copied has no time for a compaction.
pub(super) const CHANGES_MAX: usize = 131_072;
/// Rounds until the changes that are left must be few.
const ROUNDS: usize = 8;
const TOO_MUCH: &str = "too much is written at the moment; try again when it is quieter";

type Table = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// What a compaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// Bytes of space that the database's file took before it.
    pub before_bytes: u64,
    /// And the file that has its place, after it.
    pub after_bytes: u64,
}

/// Keys that were written since a compaction began, or since its last round.
pub(super) type Changes = Option<BTreeSet<Bytes>>;

/// One compaction.
pub(super) struct Compaction {
    pub open: Arc<Open>,
    pub jobs: mpsc::Sender<Job>,
    pub folder: Arc<dyn Folder>,
    pub key: DataKey,
}

fn refused(why: &'static str) -> EngineError {
    EngineError::GivenUp(why)
}

impl Compaction {
    /// Copies and switches; after an error everything is as before.
    pub fn run(self) -> Result<Compacted, EngineError> {
        // The thread may have met damage in an earlier use.
        damage::begin();
        let folder = self.folder.clone();
        let (table, before_bytes) = self.between(move |open| {
            if open.changes().is_some() {
                return Err(refused("another one is under way"));
            }
            let (table, before_bytes) = (open.table()?, open.state().file.disk_bytes()?);
            // At most: it is not known what is in use without reading it all.
            let (needed_bytes, free_bytes) = (before_bytes, folder.free_bytes()?);
            if free_bytes < needed_bytes {
                return Err(EngineError::NoRoom { needed_bytes, free_bytes });
            }
            *open.changes() = Some(BTreeSet::new());
            Ok((table, before_bytes))
        })?;
        let moved = self.fill(table).and_then(|(file, database)| self.catch_up(file, database));
        let (old, after_bytes) = match moved {
            Ok(done) => done,
            Err(error) => {
                *self.open.changes() = None;
                if let Err(cause) = self.folder.discard() {
                    tracing::warn!(%cause, "what a compaction began is left until the next start");
                }
                return Err(error);
            }
        };
        // Closing it takes a while, which the writer need not wait for.
        drop(old);
        Ok(Compacted { before_bytes, after_bytes })
    }

    /// A new file with all rows of a snapshot.
    fn fill(&self, table: Table) -> Result<(Arc<SealedFile>, Database), EngineError> {
        let file = Arc::new(SealedFile::open(self.folder.create_beside()?, &self.key)?);
        let database = open_database(&file, CACHE_BYTES)?;
        let source = self.open.state().file;
        let mut rows = guarded(|| Ok(table.range::<&[u8]>(..)?))
            .map_err(|failure| failure.explained(&source))?;
        loop {
            if self.open.closing.load(SeqCst) {
                return Err(EngineError::Closed("it is shutting down".into()));
            }
            let copied = guarded(|| {
                let mut chunk_bytes = 0;
                let transaction = database.begin_write()?;
                {
                    let mut target = transaction.open_table(ROWS)?;
                    for row in rows.by_ref() {
                        let (key, value) = row?;
                        target.insert(key.value(), value.value())?;
                        chunk_bytes += key.value().len() + value.value().len();
                        if chunk_bytes >= CHUNK_BYTES {
                            break;
                        }
                    }
                }
                transaction.commit()?;
                Ok(chunk_bytes)
            });
            if copied.map_err(|failure| failure.explained(&source))? < CHUNK_BYTES {
                break;
            }
        }
        drop(database);
        let database = open_database(&file, self.open.cache_bytes)?;
        Ok((file, database))
    }

    /// Copies what changed until little is left; the writer copies that and switches.
    fn catch_up(
        &self,
        file: Arc<SealedFile>,
        database: Database,
    ) -> Result<(State, u64), EngineError> {
        for _ in 0..ROUNDS {
            let (keys, table) = self.between(|open| Ok((open.take_changes()?, open.table()?)))?;
            let source = self.open.state().file;
            copy(&keys, &table, &database).map_err(|failure| failure.explained(&source))?;
            if keys.len() <= LAST_CHANGES_MAX {
                break;
            }
        }
        let folder = self.folder.clone();
        self.between(move |open| open.switch(file, database, &*folder))
    }

    /// Has something done by the writer, between two commits.
    fn between<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Open) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let closed = || EngineError::Closed("it is shutting down".into());
        let (answer, answered) = oneshot::channel();
        let job = Job::Between(Box::new(move |open| drop(answer.send(work(open)))));
        self.jobs.blocking_send(job).map_err(|_ended| closed())?;
        answered.blocking_recv().map_err(|_ended| closed())?
    }
}

/// Makes keys of one database what they are in another's table, durably.
fn copy(keys: &BTreeSet<Bytes>, from: &Table, to: &Database) -> Result<(), Failure> {
    guarded(|| {
        let mut transaction = to.begin_write()?;
        transaction.set_two_phase_commit(true);
        transaction.set_quick_repair(true);
        {
            let mut target = transaction.open_table(ROWS)?;
            for key in keys {
                match from.get(&key[..])? {
                    Some(value) => drop(target.insert(&key[..], value.value())?),
                    None => drop(target.remove(&key[..])?),
                }
            }
        }
        Ok(transaction.commit()?)
    })
}

impl Open {
    pub(super) fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what a batch may change, if a compaction wants to know.
    pub(super) fn note(&self, batch: &Batch) {
        let mut changes = self.changes();
        let Some(keys) = changes.as_mut().filter(|keys| keys.len() <= CHANGES_MAX) else { return };
        keys.extend(batch.ops.iter().filter_map(|op| match op {
            Op::Put(key, _) | Op::Delete(key) => Some(key.clone()),
            Op::Expect(..) => None,
        }));
    }

    fn take_changes(&self) -> Result<BTreeSet<Bytes>, EngineError> {
        let keys = self.changes().replace(BTreeSet::new()).unwrap_or_default();
        if keys.len() > CHANGES_MAX {
            return Err(refused(TOO_MUCH));
        }
        Ok(keys)
    }

    fn table(&self) -> Result<Table, EngineError> {
        self.with(|database, _| Ok(redb::ReadableDatabase::begin_read(database)?.open_table(ROWS)?))
    }

    /// Copies the last changes and lets the new file take the old one's place. The old one is
    /// handed back.
    fn switch(
        &self,
        file: Arc<SealedFile>,
        database: Database,
        folder: &dyn Folder,
    ) -> Result<(State, u64), EngineError> {
        let keys = self.take_changes()?;
        if keys.len() > LAST_CHANGES_MAX {
            return Err(refused(TOO_MUCH));
        }
        let table = self.table()?;
        let old = self.state();
        copy(&keys, &table, &database).map_err(|failure| failure.explained(&old.file))?;
        let counted = guarded(|| Ok((rows(&table)?, rows(&database_table(&database)?)?)));
        let (expected, found) = counted.map_err(|failure| failure.explained(&file))?;
        if expected != found {
            return Err(refused("its copy lacks rows; run `hearth doctor`"));
        }
        file.mirror_header();
        let after_bytes = file.disk_bytes()?;
        folder.replace()?;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        *self.changes() = None;
        if let Err(cause) = folder.sync() {
            // Whichever file a restart finds has all that was acknowledged so far, and no more.
            tracing::error!(%cause, "nobody knows which file a power cut would leave");
            state.database = None;
            state.ended = Some("its file may have changed its name or not; restart Hearth");
            return Err(cause.into());
        }
        state.file = file;
        state.database = Some(Arc::new(Held(Some(database))));
        state.times += 1;
        Ok((old, after_bytes))
    }
}

fn rows(table: &Table) -> Result<u64, Failure> {
    Ok(redb::ReadableTableMetadata::len(table)?)
}

fn database_table(database: &Database) -> Result<Table, Failure> {
    Ok(redb::ReadableDatabase::begin_read(database)?.open_table(ROWS)?)
}
