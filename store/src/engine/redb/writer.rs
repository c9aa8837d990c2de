//! The thread that writes: all waiting batches in one transaction, one sync, an answer to each.

use std::collections::HashSet;
use std::sync::PoisonError;

use bytes::Bytes;
use redb::{Database, ReadableTable, Table};
use tokio::sync::{mpsc, oneshot};

use super::{Failure, Next, Open, ROWS, TRIES, guarded, runs};
use crate::engine::{Batch, EngineError, Op};
use crate::sealed_file::{SealedFile, damage};

/// Headers that a two-phase commit makes durable: the new root, then that it is the root.
const HEADERS_PER_COMMIT: u64 = 2;

/// What the writer does.
pub(super) enum Job {
    /// Commits a batch, with others.
    Commit(Waiting),
    /// Does something while nothing is being committed.
    Between(Box<dyn FnOnce(&Open) + Send>),
}

/// A batch and who waits for it.
pub(super) struct Waiting {
    pub batch: Batch,
    pub answer: oneshot::Sender<Answer>,
}

type Answer = Result<(), EngineError>;

/// The table, within the transaction that writes it.
pub(super) type Rows<'a> = Table<'a, &'static [u8], &'static [u8]>;

/// Works until nobody is left who could ask.
pub(super) fn run(open: &Open, mut waiting: mpsc::Receiver<Job>) {
    while let Some(first) = waiting.blocking_recv() {
        let mut group = vec![];
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Commit(batch) => group.push(batch),
                Job::Between(work) => {
                    commit(open, std::mem::take(&mut group));
                    let _writing = open.writing.lock().unwrap_or_else(PoisonError::into_inner);
                    work(open);
                }
            }
            next = waiting.try_recv().ok();
        }
        commit(open, group);
    }
}

/// Commits a group and answers each batch of it, when nobody else writes.
pub(super) fn commit(open: &Open, jobs: Vec<Waiting>) {
    let _writing = open.writing.lock().unwrap_or_else(PoisonError::into_inner);
    write(open, jobs);
}

/// Commits a group and answers each batch of it. A batch that needs a damaged page fails alone;
/// after an error that was another's fault the group is tried again.
fn write(open: &Open, mut jobs: Vec<Waiting>) {
    jobs.iter().for_each(|job| open.note(&job.batch));
    let mut tries = 0;
    while !jobs.is_empty() {
        let (state, database) = match open.database() {
            Ok(found) => found,
            Err(error) => return answer(jobs, |_| Err(error.clone())),
        };
        let Some(database) = &database.0 else { continue };
        let failed = match try_write(database, &state.file, &jobs) {
            Ok(answers) => return answer(jobs, |job| answers[job].clone()),
            Err(failed) => failed,
        };
        tries += 1;
        let may_help = open.may_help(&state, failed.failure.next).unwrap_or_else(|error| {
            tracing::error!(%error, "the database cannot be reopened");
            false
        });
        if let Some(answers) = failed.durable {
            return answer(jobs, |job| answers[job].clone());
        }
        if may_help && tries < TRIES {
            continue;
        }
        let error = failed.failure.explained(&state.file);
        match failed.culprit {
            Some(culprit) => answer(vec![jobs.remove(culprit)], |_| Err(error.clone())),
            None => return answer(jobs, |_| Err(error.clone())),
        }
    }
}

/// Who asked may have gone; what is committed stays.
fn answer(jobs: Vec<Waiting>, answer: impl Fn(usize) -> Answer) {
    for (number, job) in jobs.into_iter().enumerate() {
        drop(job.answer.send(answer(number)));
    }
}

/// A group that was not committed, or did not seem to be.
struct Failed {
    failure: Failure,
    /// The batch at which it failed, if that met damage.
    culprit: Option<usize>,
    /// The answers, if it failed after the point of no return: what it wrote is durable.
    durable: Option<Vec<Answer>>,
}

fn try_write(
    database: &Database,
    file: &SealedFile,
    jobs: &[Waiting],
) -> Result<Vec<Answer>, Failed> {
    let mut answers = vec![];
    let mut headers = u64::MAX;
    let mut began = false;
    damage::begin();
    let written = guarded(|| {
        let mut transaction = database.begin_write()?;
        transaction.set_two_phase_commit(true);
        // Saves which pages are free with each commit: opening after a crash, and reopening after
        // an error, need not read the whole file. Costs about 15 % of a single commit.
        transaction.set_quick_repair(true);
        {
            let mut table = transaction.open_table(ROWS)?;
            began = true;
            for job in jobs {
                let applied = apply(&mut table, &job.batch)?;
                answers.push(if applied { Ok(()) } else { Err(EngineError::Conflict) });
            }
        }
        if answers.iter().all(Result::is_err) {
            return Ok(transaction.abort()?);
        }
        headers = file.durable_headers();
        transaction.commit()?;
        file.mirror_header();
        Ok(())
    });
    let Err(mut failure) = written else { return Ok(answers) };
    let applied = answers.len() == jobs.len();
    if applied && failure.next == Next::GoOn {
        // Half a commit: what redb holds in memory is not what is on the disk.
        failure.next = Next::Reopen;
    }
    let met_damage = began && !applied && matches!(failure.error, EngineError::Damaged { .. });
    let culprit = met_damage.then_some(answers.len());
    let durable = file.durable_headers() >= headers.saturating_add(HEADERS_PER_COMMIT);
    Err(Failed { failure, culprit, durable: durable.then_some(answers) })
}

/// Applies a batch after the batches before it, if all its expectations hold; else the rows stay as
/// they are.
///
/// Most expectations are that a key is new which the batch then writes: writing it tells.
fn apply(table: &mut Rows<'_>, batch: &Batch) -> Result<bool, Failure> {
    let mut fresh = HashSet::new();
    for op in &batch.ops {
        match op {
            Op::Expect(key, None) => {
                fresh.insert(key);
            }
            Op::Expect(key, expected) => {
                if value(table, key)? != *expected {
                    return Ok(false);
                }
            }
            Op::Put(..) | Op::Delete(..) => {}
        }
    }
    let mut replaced = vec![];
    let changes = runs::changes(batch);
    let mut left = &changes[..];
    while let Some(((key, new), others)) = left.split_first() {
        let run = runs::insert(table, left)?;
        if run > 0 {
            left[..run].iter().for_each(|(key, _)| {
                fresh.remove(key);
                replaced.push((*key, None));
            });
            left = &left[run..];
            continue;
        }
        let old = write_row(table, key, *new)?;
        let is_known = fresh.remove(key) && old.is_some();
        replaced.push((key, old));
        if is_known {
            return put_back(table, replaced).map(|()| false);
        }
        left = others;
    }
    for key in fresh {
        if value(table, key)?.is_some() {
            return put_back(table, replaced).map(|()| false);
        }
    }
    Ok(true)
}

fn value(table: &Rows<'_>, key: &Bytes) -> Result<Option<Bytes>, Failure> {
    Ok(table.get(&key[..])?.map(|found| Bytes::copy_from_slice(found.value())))
}

/// Writes or removes a row; its value until now.
fn write_row(
    table: &mut Rows<'_>,
    key: &Bytes,
    value: Option<&Bytes>,
) -> Result<Option<Bytes>, Failure> {
    let old = match value {
        Some(value) => table.insert(&key[..], &value[..])?,
        None => table.remove(&key[..])?,
    };
    Ok(old.map(|old| Bytes::copy_from_slice(old.value())))
}

/// Undoes what a batch wrote.
fn put_back(table: &mut Rows<'_>, replaced: Vec<(&Bytes, Option<Bytes>)>) -> Result<(), Failure> {
    for (key, old) in replaced.into_iter().rev() {
        write_row(table, key, old.as_ref())?;
    }
    Ok(())
}
