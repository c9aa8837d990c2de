//! The thread that writes: all waiting batches in one transaction, one sync, an answer to each.

use redb::{Database, ReadableTable, Table};
use tokio::sync::{mpsc, oneshot};

use super::{Failure, Open, ROWS, guarded};
use crate::engine::{Batch, EngineError, Op};
use crate::sealed_file::SealedFile;

/// Headers that a two-phase commit makes durable: the new root, then that it is the root.
const HEADERS_PER_COMMIT: u64 = 2;

/// A batch and who waits for it.
pub(super) struct Job {
    pub batch: Batch,
    pub answer: oneshot::Sender<Result<(), EngineError>>,
}

type Answers = Vec<Result<(), EngineError>>;

/// Works until nobody is left who could ask.
pub(super) fn run(open: &Open, mut waiting: mpsc::Receiver<Job>) {
    while let Some(first) = waiting.blocking_recv() {
        let mut jobs = vec![first];
        while let Ok(job) = waiting.try_recv() {
            jobs.push(job);
        }
        let answers = write(open, &jobs);
        for (job, answer) in jobs.into_iter().zip(answers) {
            // Who asked may have gone; what is committed stays.
            drop(job.answer.send(answer));
        }
    }
}

/// Commits a group; after an error that was not its own, reopens and tries once more.
fn write(open: &Open, jobs: &[Job]) -> Answers {
    let mut retried = false;
    loop {
        let state = open.state();
        let Some(database) = &state.database else {
            match open.reopen(state.times) {
                Ok(()) => continue,
                Err(error) => return all(jobs, &error),
            }
        };
        let (failure, decided) = match try_write(database, &state.file, jobs) {
            Ok(answers) => return answers,
            Err(failed) => failed,
        };
        if let Err(error) = open.reopen(state.times) {
            tracing::error!(%error, "the database cannot be reopened");
        }
        match decided {
            // It failed after the point of no return: what it wrote is durable.
            Some(answers) => return answers,
            None if failure.latched && !retried => retried = true,
            None => return all(jobs, &failure.error),
        }
    }
}

/// The answers; or the failure, with the answers if the commit is durable all the same.
fn try_write(
    database: &Database,
    file: &SealedFile,
    jobs: &[Job],
) -> Result<Answers, (Failure, Option<Answers>)> {
    let mut answers = vec![];
    let mut headers = u64::MAX;
    let written = guarded(|| {
        let mut transaction = database.begin_write()?;
        transaction.set_two_phase_commit(true);
        // Saves which pages are free with each commit: opening after a crash, and reopening after
        // an error, need not read the whole file. Costs about 15 % of a single commit.
        transaction.set_quick_repair(true);
        {
            let mut table = transaction.open_table(ROWS)?;
            for job in jobs {
                answers.push(if holds(&table, &job.batch)? {
                    apply(&mut table, &job.batch)?;
                    Ok(())
                } else {
                    Err(EngineError::Conflict)
                });
            }
        }
        if answers.iter().all(Result::is_err) {
            return Ok(transaction.abort()?);
        }
        headers = file.durable_headers();
        Ok(transaction.commit()?)
    });
    match written {
        Ok(()) => Ok(answers),
        Err(failure) => {
            let durable = file.durable_headers() >= headers.saturating_add(HEADERS_PER_COMMIT);
            Err((failure, durable.then_some(answers)))
        }
    }
}

/// Whether all expectations of a batch hold, after the batches before it.
fn holds(table: &Table<'_, &[u8], &[u8]>, batch: &Batch) -> Result<bool, Failure> {
    for op in &batch.ops {
        if let Op::Expect(key, expected) = op {
            let found = table.get(&key[..])?;
            if found.as_ref().map(|value| value.value()) != expected.as_deref() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn apply(table: &mut Table<'_, &[u8], &[u8]>, batch: &Batch) -> Result<(), Failure> {
    for op in &batch.ops {
        match op {
            Op::Expect(..) => {}
            Op::Put(key, value) => drop(table.insert(&key[..], &value[..])?),
            Op::Delete(key) => drop(table.remove(&key[..])?),
        }
    }
    Ok(())
}

fn all(jobs: &[Job], error: &EngineError) -> Answers {
    jobs.iter().map(|_| Err(error.clone())).collect()
}
