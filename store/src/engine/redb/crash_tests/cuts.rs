//! The power is cut at any operation, in each situation of a database's life: nothing that was
//! acknowledged is lost, nothing else is there, every database opens.
//!
//! `HEARTH_ROUNDS` says how many cuts; `make torture` makes many.

use std::sync::Arc;

use bytes::Bytes;

use super::{Model, Redb, Rows, batches, open, rows};
use crate::engine::{Engine, Range, after};
use crate::sim_disk::{Dice, SimDisk};
use crate::testing::{block_on, on_all_cores};

const ROUNDS: usize = 500;

/// What goes on when the power is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Situation {
    /// The file is made.
    Creation,
    Commits,
    /// The file gets longer.
    Growth,
    /// The database is opened after a cut; twice.
    Recovery,
    /// A sync failed shortly before.
    FailedSync,
    /// A backup reads a snapshot while others commit.
    Backup,
    Close,
}

use Situation::{Backup, Close, Commits, Creation, FailedSync, Growth, Recovery};

const SITUATIONS: [Situation; 7] = [Creation, Commits, Growth, Recovery, FailedSync, Backup, Close];

/// Rows that a backup takes at a time here: it is not done before the power goes.
const CHUNK: usize = 25;

/// A disk with a closed database, and what is in it.
pub(super) fn furnished() -> (Vec<u8>, Model) {
    furnished_by(24)
}

/// The same, of so many commits.
pub(super) fn furnished_by(commits: u32) -> (Vec<u8>, Model) {
    let (disk, mut model) = (Arc::new(SimDisk::new()), Model::default());
    let mut dice = Dice::new(1);
    block_on(async {
        let engine = open(&disk).unwrap();
        for _ in 0..commits {
            model.commit(&engine, batches(&mut dice, false)).await.unwrap();
        }
    });
    (disk.image(), model)
}

/// One life of a database up to the cut.
pub(super) struct Round {
    pub disk: Arc<SimDisk>,
    pub model: Model,
    pub dice: Dice,
}

impl Round {
    pub fn new(base: &(Vec<u8>, Model), situation: Situation, seed: u64) -> Self {
        let (disk, model) = match situation {
            Creation => (SimDisk::new(), Model::default()),
            _ => (SimDisk::holding(base.0.clone()), base.1.clone()),
        };
        Self { disk: Arc::new(disk), model, dice: Dice::new(seed) }
    }

    /// Lives until the power is cut, or until nothing is left to do.
    pub async fn live(&mut self, situation: Situation) -> Result<(), String> {
        let most = match situation {
            Creation => 30,
            Commits | Growth | Backup => 120,
            Recovery => 60,
            FailedSync | Close => u64::from(u32::MAX),
        };
        self.disk.cut_power_after(self.dice.roll(most));
        match situation {
            Creation | Commits => self.work(false).await,
            Growth => self.work(true).await,
            Recovery => {
                self.work(false).await?;
                for _ in 0..2 {
                    let image = self.disk.after_power_cut(&mut self.dice);
                    self.disk = Arc::new(SimDisk::holding(image));
                    self.disk.cut_power_after(self.dice.roll(12));
                    self.work(false).await?;
                }
                Ok(())
            }
            FailedSync => {
                let Some(engine) = self.open().await? else { return Ok(()) };
                self.disk.fail_sync(1 + self.dice.roll(20));
                self.commit(&engine, false).await;
                self.disk.cut_power_after(self.dice.roll(12));
                self.commit(&engine, false).await;
                Ok(())
            }
            Backup => match self.open().await? {
                Some(engine) => self.back_up(&engine).await,
                None => Ok(()),
            },
            Close => {
                let Some(engine) = self.open().await? else { return Ok(()) };
                for _ in 0..self.dice.roll(3) {
                    let batches = batches(&mut self.dice, false);
                    self.model.commit(&engine, batches).await.map_err(|e| e.to_string())?;
                }
                self.disk.cut_power_after(self.dice.roll(8));
                drop(engine);
                Ok(())
            }
        }
    }

    async fn work(&mut self, large: bool) -> Result<(), String> {
        if let Some(engine) = self.open().await? {
            self.commit(&engine, large).await;
        }
        Ok(())
    }

    /// The engine with what is to be there; none if the power is gone.
    async fn open(&mut self) -> Result<Option<Redb>, String> {
        let engine = match open(&self.disk) {
            Ok(engine) => engine,
            Err(_) if self.disk.is_cut() => return Ok(None),
            Err(error) => return Err(format!("it does not open: {error:?}")),
        };
        self.model.settle(rows(&engine).await.map_err(|error| error.to_string())?)?;
        Ok(Some(engine))
    }

    /// Commits until the disk says no.
    async fn commit(&mut self, engine: &Redb, large: bool) {
        for _ in 0..12 {
            let batches = batches(&mut self.dice, large);
            if self.model.commit(engine, batches).await.is_err() {
                break;
            }
        }
    }

    /// Reads a snapshot to its end while commits go on; what it shows is one moment, also when the
    /// power is gone.
    async fn back_up(&mut self, engine: &Redb) -> Result<(), String> {
        let mut snapshot = match engine.snapshot().await {
            Ok(snapshot) => snapshot,
            Err(_) if self.disk.is_cut() => return Ok(()),
            Err(error) => return Err(format!("no snapshot: {error:?}")),
        };
        let moment = self.model.acknowledged.clone();
        let (mut shown, mut range) = (Rows::new(), Range::from(Bytes::new()));
        let mut commits = true;
        loop {
            // After the power went, what can still be read is read.
            commits = commits && {
                let batches = batches(&mut self.dice, false);
                self.model.commit(engine, batches).await.is_ok()
            };
            let chunk = match snapshot.rows(range.clone(), CHUNK).await {
                Ok(chunk) => chunk,
                Err(_) if self.disk.is_cut() => break,
                Err(error) => return Err(format!("the snapshot ended: {error:?}")),
            };
            let Some((last, _)) = chunk.last() else {
                if shown.len() != moment.len() {
                    return Err(format!("{} rows of {}", shown.len(), moment.len()));
                }
                break;
            };
            range.start = after(last);
            shown.extend(chunk);
        }
        let is_of_the_moment = shown.iter().eq(moment.iter().take(shown.len()));
        if is_of_the_moment { Ok(()) } else { Err("a snapshot of two moments".into()) }
    }

    /// The power is back: the database opens with what is to be there, and takes more.
    async fn survive(&mut self) -> Result<(), String> {
        self.disk = Arc::new(SimDisk::holding(self.disk.after_power_cut(&mut self.dice)));
        for _ in 0..2 {
            let engine = self.open().await?.ok_or("no power")?;
            let batches = batches(&mut self.dice, false);
            let result = self.model.commit(&engine, batches).await;
            result.map_err(|error| format!("it is not writable: {error}"))?;
        }
        self.open().await?;
        Ok(())
    }
}

/// Whether the cut came before the work was done; or what it did.
fn round(
    base: &(Vec<u8>, Model),
    situation: Situation,
    seed: u64,
    lies: bool,
) -> Result<bool, String> {
    let mut round = Round::new(base, situation, seed);
    if lies {
        round.disk.lie();
    }
    block_on(async {
        round.live(situation).await?;
        let cut_short = round.disk.is_cut();
        round.survive().await?;
        Ok(cut_short)
    })
    .map_err(|error: String| format!("{situation:?} {seed}: {error}"))
}

/// Rounds of all situations in turn.
pub(super) fn in_turn<T: Send>(
    count: usize,
    round: impl Fn(Situation, u64) -> T + Send + Sync,
) -> Vec<T> {
    on_all_cores(count, |number| round(SITUATIONS[number % SITUATIONS.len()], number as u64))
}

pub(super) fn rounds() -> usize {
    std::env::var("HEARTH_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap())
}

#[test]
fn no_power_cut_loses_what_was_acknowledged_or_closes_the_database() {
    let (base, count) = (furnished(), rounds());
    let done = in_turn(count, |situation, seed| round(&base, situation, seed, false));
    let failed: Vec<_> = done.iter().filter_map(|round| round.as_ref().err()).collect();
    assert!(failed.is_empty(), "{} of {count} rounds: {:#?}", failed.len(), &failed[..1]);
    let cut_short = done.iter().filter(|round| matches!(round, Ok(true))).count();
    assert!(cut_short > count / 2, "only {cut_short} of {count} cuts came in the middle");
    println!("{count} power cuts, {cut_short} in the middle: 0 lost, 0 wrong, 0 closed");
}

/// The test above would see a database that trusts a disk that does not sync.
#[test]
fn a_disk_that_lies_about_its_syncs_is_found_out() {
    let base = furnished();
    let done = in_turn(60, |situation, seed| round(&base, situation, seed, true));
    let failed = done.iter().filter(|round| round.is_err()).count();
    assert!(failed > 10, "only {failed} of 60 rounds show a loss");
}
