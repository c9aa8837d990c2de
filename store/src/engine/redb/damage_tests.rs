//! A damaged page harms only itself: all else is read and written, and nothing is ever wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use super::Redb;
use crate::DataKey;
use crate::disk::Disk;
use crate::disk::through::Through;
use crate::engine::{Batch, Engine, EngineError, Op, Order, Range};
use crate::sim_disk::{Dice, SimDisk};
use crate::testing::block_on;

/// Where block 1 begins, and how long a block is.
const DATA: usize = 28_672;
const SLOT: usize = 4_136;
/// Old rows, in more pages than one branch of the tree has.
const ROWS: u32 = 4_000;

type Model = BTreeMap<Bytes, Bytes>;

/// A disk with a scratch: what touches it cannot be read, ever.
#[derive(Debug)]
struct Scratched {
    disk: SimDisk,
    scratch: Mutex<std::ops::Range<usize>>,
}

impl Through for Scratched {
    fn below(&self) -> &dyn Disk {
        &self.disk
    }

    fn read_through(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let scratch = self.scratch.lock().unwrap().clone();
        let start = usize::try_from(offset).unwrap();
        if start < scratch.end && scratch.start < start + out.len() {
            return Err(io::Error::other("a bad sector"));
        }
        self.disk.read_at(offset, out)
    }
}

fn open(disk: Arc<dyn Disk>) -> Result<Redb, EngineError> {
    Redb::open(disk, &DataKey::from_bytes([7; 32]), 1 << 20)
}

fn key(number: u32) -> Bytes {
    [&b"m"[..], &number.to_be_bytes()].concat().into()
}

fn put(number: u32, version: u8) -> Batch {
    let mut batch = Batch::default();
    batch.put(key(number), vec![version; 200].into());
    batch
}

/// An image of a closed database with old rows, and the rows.
fn history() -> (Vec<u8>, Model) {
    let disk = Arc::new(SimDisk::new());
    let engine = open(disk.clone()).unwrap();
    let mut model = Model::new();
    block_on(async {
        for commit in 0..ROWS / 100 {
            let mut batch = Batch::default();
            for number in commit * 100..(commit + 1) * 100 {
                let value = Bytes::from(number.to_be_bytes().repeat(50));
                model.insert(key(number), value.clone());
                batch.put(key(number), value);
            }
            engine.commit(batch).await.unwrap();
        }
    });
    drop(engine);
    (disk.image(), model)
}

fn blocks(image: &[u8]) -> usize {
    (image.len() - DATA) / SLOT
}

fn place(block: usize) -> std::ops::Range<usize> {
    DATA + block * SLOT..DATA + (block + 1) * SLOT
}

/// Reads all keys of the model one by one; which of them are damaged. No other answer may differ.
async fn damaged_of(engine: &Redb, model: &Model) -> BTreeSet<Bytes> {
    let mut damaged = BTreeSet::new();
    for (key, value) in model {
        match engine.get(key.clone()).await {
            Ok(found) => assert!(found.as_ref() == Some(value), "data that nobody wrote"),
            Err(EngineError::Damaged { .. }) => assert!(damaged.insert(key.clone())),
            Err(error) => panic!("{error:?}"),
        }
    }
    damaged
}

/// Commits one batch, to the model too if it was done; whether it was.
async fn commit(engine: &Redb, model: &mut Model, batch: Batch) -> bool {
    match engine.commit(batch.clone()).await {
        Ok(()) => {
            for op in batch.ops {
                match op {
                    Op::Put(key, value) => drop(model.insert(key, value)),
                    Op::Delete(key) => drop(model.remove(&key)),
                    Op::Expect(..) => {}
                }
            }
            true
        }
        Err(EngineError::Damaged { .. }) => false,
        Err(error) => panic!("{error:?}"),
    }
}

/// What must hold with one block damaged for ever; how many rows it harms.
async fn lives_with(disk: Arc<dyn Disk>, mut model: Model, seed: u64) -> usize {
    let Ok(engine) = open(disk.clone()) else { return usize::MAX };
    let damaged = damaged_of(&engine, &model).await;
    if damaged.contains(&key(ROWS - 1)) || damaged.is_empty() {
        return damaged.len();
    }
    // New rows, alone and in one group with what cannot be done.
    let first = damaged.first().cloned().unwrap();
    for number in ROWS..ROWS + 20 {
        let mut refused = Batch::default();
        refused.put(first.clone(), "new".into());
        let done = commit(&engine, &mut model, put(number, 1));
        let (refused, done) = tokio::join!(engine.commit(refused), done);
        assert!(matches!(refused, Err(EngineError::Damaged { .. })), "{refused:?}");
        assert!(done, "a new row beside a damaged page");
    }
    // Old rows around it: each is changed, or is as it was.
    let mut dice = Dice::new(seed);
    let numbers: Vec<u32> = (0..60)
        .map(|_| {
            let within = dice.roll(damaged.len() as u64 + 120);
            let first = u32::from_be_bytes(first[1..].try_into().unwrap());
            (first + u32::try_from(within).unwrap()).saturating_sub(60).min(ROWS)
        })
        .collect();
    for number in numbers {
        let mut batch = Batch::default();
        if dice.roll(3) == 0 {
            batch.put(key(number), vec![9; 300].into());
        } else {
            for number in number..number + u32::try_from(dice.roll(30)).unwrap() {
                batch.delete(key(number));
            }
        }
        let harmed = batch.ops.iter().any(|op| match op {
            Op::Put(key, _) | Op::Delete(key) => damaged.contains(key),
            Op::Expect(..) => false,
        });
        let done = commit(&engine, &mut model, batch).await;
        assert!(!(harmed && done), "a damaged row cannot be changed");
    }
    let later = damaged_of(&engine, &model).await;
    assert!(later.is_subset(&damaged), "no row is damaged that was not");
    // The process starts again.
    drop(engine);
    let engine = open(disk).unwrap();
    assert!(damaged_of(&engine, &model).await == later);
    assert!(commit(&engine, &mut model, put(ROWS + 30, 2)).await);
    damaged.len()
}

/// A disk that holds the image with one block damaged: changed, or on a bad sector.
fn damaged(image: &[u8], block: usize) -> Arc<dyn Disk> {
    let mut image = image.to_vec();
    if block.is_multiple_of(2) {
        image[place(block).start + 1_000] ^= 1;
        return Arc::new(SimDisk::holding(image));
    }
    let scratch = Mutex::new(place(block));
    Arc::new(Scratched { disk: SimDisk::holding(image), scratch })
}

/// About how many rows a damaged block harms: every tenth is asked for.
async fn harm(image: &[u8], model: &Model, block: usize) -> usize {
    let Ok(engine) = open(damaged(image, block)) else { return model.len() };
    let sample = model.iter().step_by(10).map(|(key, value)| (key.clone(), value.clone()));
    damaged_of(&engine, &sample.collect()).await.len() * 10
}

#[test]
fn whichever_page_is_damaged_all_others_are_read_and_written() {
    let (image, model) = history();
    let (mut leaves, mut branches, mut fatal) = (0, 0, 0);
    for block in 0..blocks(&image) {
        block_on(async {
            let counted = match harm(&image, &model, block).await {
                0 => return,
                1..50 => &mut leaves,
                50..4_000 => &mut branches,
                _ => &mut fatal,
            };
            *counted += 1;
            if *counted % 12 == 1 {
                let disk = damaged(&image, block);
                lives_with(disk, model.clone(), block as u64).await;
            }
        });
    }
    assert!(leaves > 150 && branches > 1, "{leaves} leaves, {branches} branches");
    assert!(fatal <= 6, "{fatal}: those that every commit writes anew, as the root");
}

/// An engine whose rows around the 1,000th are damaged; the image, the rows, and which are.
fn with_damage() -> (Redb, Model, BTreeSet<Bytes>) {
    let (image, model) = history();
    for block in 0..blocks(&image) {
        let Ok(engine) = open(damaged(&image, block)) else { continue };
        let reads = |number| block_on(engine.get(key(number))).is_ok();
        if !reads(1_000) && reads(2_000) {
            let damaged = block_on(damaged_of(&engine, &model));
            if damaged.len() < 50 {
                return (engine, model, damaged);
            }
        }
    }
    panic!("no leaf has the row");
}

fn reopenings(engine: &Redb) -> u64 {
    engine.open.state().times
}

#[test]
fn who_reads_a_damaged_page_all_the_time_stops_nobody() {
    let (engine, _, damaged) = with_damage();
    block_on(async {
        let engine = Arc::new(engine);
        let done = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let (engine, done) = (engine.clone(), done.clone());
                let key = damaged.first().cloned().unwrap();
                tokio::spawn(async move {
                    let mut refused = 0;
                    while !done.load(SeqCst) {
                        engine.get(key.clone()).await.unwrap_err();
                        refused += 1;
                    }
                    refused
                })
            })
            .collect();
        for number in ROWS..ROWS + 100 {
            engine.commit(put(number, 1)).await.unwrap();
            engine.get(key(number)).await.unwrap().unwrap();
        }
        done.store(true, SeqCst);
        for reader in readers {
            assert!(reader.await.unwrap() > 0);
        }
        assert_eq!(reopenings(&engine), 0);
    });
}

#[test]
fn scans_beside_a_damaged_page_succeed_and_find_where_it_begins_and_ends() {
    let (engine, model, damaged) = with_damage();
    block_on(async {
        let (first, last) = (damaged.first().unwrap(), damaged.last().unwrap());
        let all = Range::from(Bytes::new());
        let scan = async |range: Range, order, limit| engine.scan(range, order, limit).await;
        for limit in [usize::MAX, 2_000] {
            let error = scan(all.clone(), Order::Ascending, limit).await.unwrap_err();
            assert!(matches!(error, EngineError::Damaged { .. }), "{error:?}");
        }
        let before = model.range(..first.clone()).count();
        let rows = scan(all.clone(), Order::Ascending, before).await.unwrap();
        assert!(rows.iter().map(|(key, value)| (key, value)).eq(model.range(..first.clone())));
        let after = Range::from([&last[..], &[0]].concat());
        let rows = scan(after, Order::Ascending, usize::MAX).await.unwrap();
        assert_eq!(rows.len(), model.len() - before - damaged.len());
        let rows = scan(all, Order::Descending, rows.len()).await.unwrap();
        assert!(rows.iter().all(|(key, _)| key > last));
        // Row by row, each with its limit: exactly the damaged ones fail.
        for (key, value) in &model {
            let one = Range { start: key.clone(), end: Some([&key[..], &[0]].concat().into()) };
            match scan(one, Order::Ascending, 1).await {
                Ok(rows) => assert!(rows == [(key.clone(), value.clone())]),
                Err(_) => assert!(damaged.contains(key)),
            }
        }
        // A snapshot does the same, and lives on after it met damage.
        let mut snapshot = engine.snapshot().await.unwrap();
        snapshot.rows(Range::from(first.clone()), 1).await.unwrap_err();
        assert_eq!(snapshot.rows(Range::from(Bytes::new()), before).await.unwrap().len(), before);
        assert_eq!(reopenings(&engine), 0);
    });
}

#[test]
fn of_a_group_only_those_fail_that_need_the_damaged_page() {
    let (engine, mut model, damaged) = with_damage();
    block_on(async {
        let harmed = |number: usize| damaged.iter().nth(number).cloned().unwrap();
        let mut change = Batch::default();
        change.put(harmed(0), "new".into());
        let mut remove = Batch::default();
        remove.put(key(ROWS + 1), "with it".into());
        remove.delete(harmed(1));
        let mut expect = put(ROWS + 2, 1);
        expect.expect(harmed(2), None);
        let mut stale = put(ROWS + 3, 1);
        stale.expect(key(7), None);
        let (one, change, two, remove, expect, stale, three) = tokio::join!(
            engine.commit(put(ROWS + 4, 1)),
            engine.commit(change),
            engine.commit(put(ROWS + 5, 1)),
            engine.commit(remove),
            engine.commit(expect),
            engine.commit(stale),
            engine.commit(put(ROWS + 6, 1)),
        );
        for done in [one, two, three] {
            done.unwrap();
        }
        for refused in [change, remove, expect] {
            assert!(matches!(refused, Err(EngineError::Damaged { .. })), "{refused:?}");
        }
        assert!(matches!(stale, Err(EngineError::Conflict)), "{stale:?}");
        for number in [ROWS + 1, ROWS + 2, ROWS + 3] {
            assert!(engine.get(key(number)).await.unwrap().is_none(), "nothing of it is there");
        }
        for number in [ROWS + 4, ROWS + 5, ROWS + 6] {
            model.insert(key(number), vec![1; 200].into());
        }
        assert!(damaged_of(&engine, &model).await == damaged);
    });
}

#[test]
fn a_page_that_reads_again_is_damaged_no_more() {
    let (image, model) = history();
    block_on(async {
        for block in (0..blocks(&image)).step_by(7) {
            let scratch = Mutex::new(0..0);
            let disk = Arc::new(Scratched { disk: SimDisk::holding(image.clone()), scratch });
            let engine = open(disk.clone()).unwrap();
            *disk.scratch.lock().unwrap() = place(block);
            let all = Range::from(Bytes::new());
            let found = engine.scan(all.clone(), Order::Ascending, usize::MAX).await;
            *disk.scratch.lock().unwrap() = 0..0;
            let rows = engine.scan(all, Order::Ascending, usize::MAX).await.unwrap();
            assert!(rows.into_iter().collect::<Model>() == model);
            assert_eq!(reopenings(&engine), u64::from(found.is_err()));
        }
    });
}
