//! The one task that writes: it takes all that waits, numbers it, and hands the engine one batch
//! (design §6). Nothing is told to anybody before the batch is durable.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::change::Change;
use crate::engine::EngineError;
use crate::error::StoreError;
use crate::heads::Moved;
use crate::messages::{Appended, NewEvent, StoredEvent};
use crate::receipts;
use crate::rooms::Room;
use crate::shelf::{self, ShelfEdit};
use crate::stage::Stage;
use crate::store::{Shared, Touch};
use crate::sweeps::{Part, Sweep, Swept};

#[cfg(test)]
mod fault_tests;
mod numbering;
#[cfg(test)]
mod tests;
mod touches;

use numbering::{Ids, Numbering};

/// Where an answer goes; whoever asked may be gone.
pub(crate) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// What waits for the appender.
pub(crate) enum Work {
    Append { event: NewEvent, answer: Answer<Appended> },
    Change { change: Box<Change>, answer: Answer<Vec<StoredEvent>> },
    Release { key: Bytes, answer: Answer<()> },
    Shelve { edits: Vec<ShelfEdit>, answer: Answer<()> },
    Sweep { sweep: Sweep, from: Bytes, at_ms: u64, answer: Answer<Swept> },
    Flush { answer: Answer<()> },
    Touch(Touch, u64),
    Close,
}

/// What a work will be once the batch is durable.
enum Outcome {
    Appended(Result<(Appended, Option<StoredEvent>, Vec<Room>), StoreError>),
    Changed(Result<(Vec<Room>, Vec<StoredEvent>), StoreError>),
    Swept(Result<Part, StoreError>),
    Done(Result<(), StoreError>),
    Nothing,
}

/// The task.
pub(crate) struct Appender {
    shared: Arc<Shared>,
    works: mpsc::Receiver<Work>,
    touches: BTreeMap<Touch, u64>,
    /// A commit failed: what is on disk is read again before anything is numbered.
    doubt: bool,
    /// How many works the last round had.
    crowd: usize,
}

/// How long those who were answered last are waited for: enough for some dozens of tasks on two
/// busy cores, little beside a sync of any disk.
const GATHER: Duration = Duration::from_micros(150);

impl Appender {
    pub fn new(shared: Arc<Shared>, works: mpsc::Receiver<Work>) -> Self {
        Self { shared, works, touches: BTreeMap::new(), doubt: false, crowd: 0 }
    }

    /// Works until it is closed and nothing waits, or nobody is left who could ask.
    pub async fn run(mut self) {
        let max = self.shared.limits.batch_events_max.max(1);
        loop {
            let mut works = Vec::new();
            if self.works.recv_many(&mut works, max).await == 0 {
                break;
            }
            self.gather(&mut works, max).await;
            if works.iter().any(|work| matches!(work, Work::Close)) {
                self.works.close();
            }
            self.round(works).await;
        }
        if !self.touches.is_empty()
            && let Err(error) = self.write_touches().await
        {
            tracing::warn!(%error, "the last uses are not noted");
        }
    }

    /// Whoever was just answered often asks again at once: gives them their turn, as long as some
    /// come or are missing, so that they share this sync and need not wait for the next one.
    async fn gather(&mut self, works: &mut Vec<Work>, max: usize) {
        let (crowd, began) = (self.crowd.min(max), Instant::now());
        let mut before = 0;
        while before < works.len() || (works.len() < crowd && began.elapsed() < GATHER) {
            before = works.len();
            tokio::task::yield_now().await;
            std::thread::yield_now();
            while works.len() < max
                && let Ok(work) = self.works.try_recv()
            {
                works.push(work);
            }
        }
        self.crowd = works.len();
    }

    /// One batch: all of these works, or the reason why not, to each.
    async fn round(&mut self, mut works: Vec<Work>) {
        let result = match self.commit(&works, Ids::Expected).await {
            // Some id is known: look which, and answer it with what it became.
            Err(StoreError::Engine(EngineError::Conflict)) => {
                self.commit(&works, Ids::LookedUp).await
            }
            result => result,
        };
        match result {
            Ok((outcomes, heads)) => {
                self.shared.heads.set(&heads);
                self.tell(&works, &outcomes);
                for (work, outcome) in works.into_iter().zip(outcomes) {
                    answer(work, outcome);
                }
            }
            // Only those who need what is damaged are refused; nothing of the batch is there.
            Err(StoreError::Engine(EngineError::Damaged { .. })) if works.len() > 1 => {
                let others = works.split_off(works.len() / 2);
                Box::pin(self.round(works)).await;
                Box::pin(self.round(others)).await;
            }
            Err(StoreError::Engine(error @ EngineError::Damaged { .. }))
                if !self.touches.is_empty() =>
            {
                tracing::warn!(%error, "the last uses are not noted");
                self.touches.clear();
                Box::pin(self.round(works)).await;
            }
            Err(error) => {
                self.doubt = true;
                tracing::error!(%error, works = works.len(), "a batch is not committed");
                for work in works {
                    refuse(work, &error);
                }
            }
        }
    }

    /// Decides each work in order and commits what came out.
    async fn commit(
        &mut self,
        works: &[Work],
        ids: Ids,
    ) -> Result<(Vec<Outcome>, Moved), StoreError> {
        let shared = self.shared.clone();
        if self.doubt {
            shared.heads.load(&*shared.engine).await?;
            self.doubt = false;
        }
        let mut stage = Stage::new(&*shared.engine);
        let mut numbering = Numbering::new(&shared, ids);
        let mut outcomes = Vec::with_capacity(works.len());
        let mut flush = false;
        for work in works {
            outcomes.push(match work {
                Work::Append { event, .. } => {
                    Outcome::Appended(numbering.append(&mut stage, event).await)
                }
                Work::Change { change, .. } => {
                    Outcome::Changed(numbering.change(&mut stage, change).await)
                }
                Work::Release { key, .. } => Outcome::Done(release(&mut stage, key).await),
                Work::Shelve { edits, .. } => Outcome::Done(shelf::stage(&mut stage, edits).await),
                Work::Sweep { sweep, from, at_ms, .. } => {
                    Outcome::Swept(numbering.sweep(&mut stage, *sweep, from.clone(), *at_ms).await)
                }
                Work::Flush { .. } => {
                    flush = true;
                    Outcome::Done(Ok(()))
                }
                Work::Touch(touch, at_ms) => {
                    self.note(*touch, *at_ms);
                    Outcome::Nothing
                }
                Work::Close => {
                    flush = true;
                    Outcome::Nothing
                }
            });
        }
        for (device, at_ms) in numbering.posts() {
            self.note(Touch::Device(device), at_ms);
        }
        let noted = if flush { shared.receipts.all() } else { BTreeMap::new() };
        receipts::stage_all(&mut stage, &noted).await?;
        let heads = numbering.finish(&mut stage)?;
        if !stage.is_empty() {
            self.stage_touches(&mut stage).await;
            shared.engine.commit(stage.into_batch()).await?;
            self.touches.clear();
        }
        shared.receipts.written(&noted);
        Ok((outcomes, heads))
    }

    /// Tells the listener, in the order of the works.
    fn tell(&self, works: &[Work], outcomes: &[Outcome]) {
        let Some(listener) = self.shared.listener.get() else { return };
        let mut events = Vec::new();
        for (work, outcome) in works.iter().zip(outcomes) {
            match (work, outcome) {
                (
                    Work::Append { event: asked, .. },
                    Outcome::Appended(Ok((_, Some(event), rooms))),
                ) => {
                    if !rooms.is_empty() {
                        if !events.is_empty() {
                            listener.events(&std::mem::take(&mut events));
                        }
                        listener.changed(&Change::of(vec![], asked.at_ms), rooms);
                    }
                    events.push(event.clone());
                }
                (Work::Sweep { at_ms, .. }, Outcome::Swept(Ok(part)))
                    if part.room.is_some() || !part.edits.is_empty() =>
                {
                    if !events.is_empty() {
                        listener.events(&std::mem::take(&mut events));
                    }
                    let change = Change::of(part.edits.clone(), *at_ms);
                    listener.changed(&change, part.room.as_slice());
                }
                (Work::Change { change, .. }, Outcome::Changed(Ok((rooms, lines)))) => {
                    if !events.is_empty() {
                        listener.events(&std::mem::take(&mut events));
                    }
                    listener.changed(change, rooms);
                    events.extend_from_slice(lines);
                }
                _ => {}
            }
        }
        if !events.is_empty() {
            listener.events(&events);
        }
    }
}

/// A packet id that is free again.
async fn release(stage: &mut Stage<'_>, key: &Bytes) -> Result<(), StoreError> {
    if stage.get(key.clone()).await?.is_some() {
        stage.delete(key.clone());
    }
    Ok(())
}

/// Answers a work that was decided; who asked may be gone, what is stored stays stored.
fn answer(work: Work, outcome: Outcome) {
    match (work, outcome) {
        (Work::Append { answer, .. }, Outcome::Appended(result)) => {
            send(answer, result.map(|(appended, _, _)| appended));
        }
        (Work::Change { answer, .. }, Outcome::Changed(result)) => {
            send(answer, result.map(|(_, lines)| lines));
        }
        (Work::Sweep { answer, .. }, Outcome::Swept(result)) => {
            send(answer, result.map(|part| part.swept));
        }
        (
            Work::Release { answer, .. } | Work::Shelve { answer, .. } | Work::Flush { answer },
            Outcome::Done(result),
        ) => send(answer, result),
        _ => {}
    }
}

fn refuse(work: Work, error: &StoreError) {
    match work {
        Work::Append { answer, .. } => send(answer, Err(error.clone())),
        Work::Change { answer, .. } => send(answer, Err(error.clone())),
        Work::Sweep { answer, .. } => send(answer, Err(error.clone())),
        Work::Release { answer, .. } | Work::Shelve { answer, .. } | Work::Flush { answer } => {
            send(answer, Err(error.clone()));
        }
        Work::Touch(..) | Work::Close => {}
    }
}

fn send<T>(answer: Answer<T>, result: Result<T, StoreError>) {
    drop(answer.send(result));
}
