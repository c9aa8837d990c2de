//! Power cuts and disks that say no, over the whole engine: what was acknowledged is there.
//!
//! - [`cuts`]: the power is cut at any operation, in each situation of a database's life
//! - [`cards`]: on a cheap card, which breaks what it was writing
//! - [`faults`]: the disk is full, or says no

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::Redb;
use crate::EngineError;
use crate::engine::{Batch, Engine, Op, Order, Range};
use crate::master_key::DataKey;
use crate::sim_disk::{Dice, SimDisk};
use crate::testing::join_all;

mod cards;
mod cuts;
mod faults;

const CACHE_BYTES: usize = 1 << 20;
/// Keys that are written again and again.
const KEYS: u64 = 150;

type Rows = BTreeMap<Bytes, Bytes>;

fn open(disk: &Arc<SimDisk>) -> Result<Redb, EngineError> {
    Redb::open(disk.clone(), &DataKey::from_bytes([7; 32]), CACHE_BYTES)
}

/// What is to be there: after each batch that was not refused, beginning with what is
/// acknowledged.
#[derive(Debug, Clone, Default)]
struct Model {
    acknowledged: Rows,
    /// Batches whose fate is not known: asked for, and not answered with `Ok`.
    unsure: Vec<Batch>,
}

impl Model {
    /// Commits some batches at once; the first error, if not all are acknowledged. One that is
    /// acknowledged says that those that failed before it are not there.
    async fn commit(&mut self, engine: &Redb, batches: Vec<Batch>) -> Result<(), EngineError> {
        let mut result = Ok(());
        for (batch, answer) in batches.iter().zip(at_once(engine, &batches).await) {
            match answer {
                Ok(()) => {
                    self.unsure.clear();
                    apply(&mut self.acknowledged, batch);
                }
                Err(error) => {
                    result = result.and(Err(error));
                    self.unsure.push(batch.clone());
                }
            }
        }
        result
    }

    /// Whether these rows are all that was acknowledged, and of the rest the first few batches as
    /// wholes; they are what counts from then on.
    fn settle(&mut self, found: Rows) -> Result<(), String> {
        let mut expected = self.acknowledged.clone();
        let mut unsure = self.unsure.drain(..);
        while found != expected {
            let Some(batch) = unsure.next() else {
                let lost = self.acknowledged.keys().filter(|key| !found.contains_key(*key));
                return Err(format!("wrong rows; {} keys are not there", lost.count()));
            };
            apply(&mut expected, &batch);
        }
        drop(unsure);
        self.acknowledged = expected;
        Ok(())
    }
}

async fn at_once(engine: &Redb, batches: &[Batch]) -> Vec<Result<(), EngineError>> {
    join_all(batches.iter().map(|batch| engine.commit(batch.clone())).collect()).await
}

fn apply(rows: &mut Rows, batch: &Batch) {
    for op in &batch.ops {
        match op {
            Op::Expect(..) => {}
            Op::Put(key, value) => drop(rows.insert(key.clone(), value.clone())),
            Op::Delete(key) => drop(rows.remove(key)),
        }
    }
}

async fn rows(engine: &Redb) -> Result<Rows, EngineError> {
    let range = Range { start: Bytes::new(), end: None };
    Ok(engine.scan(range, Order::Ascending, usize::MAX).await?.into_iter().collect())
}

/// A batch of puts and deletes of keys that are used again, and of a key of its own; `large`
/// ones make the file grow.
fn batch(dice: &mut Dice, large: bool) -> Batch {
    let mut batch = Batch::default();
    for _ in 0..=dice.roll(4) {
        let key: Bytes = [&b"k"[..], &dice.roll(KEYS).to_be_bytes()].concat().into();
        match dice.roll(4) {
            0 => batch.delete(key),
            _ => batch.put(key, value(dice, large)),
        }
    }
    let own = [&b"once"[..], &dice.roll(u64::MAX).to_be_bytes()].concat();
    batch.put(own.into(), value(dice, false));
    batch
}

/// From some bytes to some pages.
fn value(dice: &mut Dice, large: bool) -> Bytes {
    let words = 5 + dice.place(if large { 6_000 } else { 200 });
    dice.roll(u64::MAX).to_be_bytes().repeat(words).into()
}

/// One to four batches.
fn batches(dice: &mut Dice, large: bool) -> Vec<Batch> {
    (0..=dice.roll(4)).map(|_| batch(dice, large)).collect()
}
