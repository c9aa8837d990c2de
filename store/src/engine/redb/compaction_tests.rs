//! A compaction gives back room while everybody goes on; whenever the power goes, one whole file
//! has the name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use bytes::Bytes;

use super::Redb;
use crate::DataKey;
use crate::disk::{FileFolder, Folder};
use crate::engine::{Batch, Engine, EngineError, Order, Range};
use crate::sim_disk::Dice;
use crate::sim_folder::SimFolder;
use crate::testing::block_on;

pub(super) type Model = BTreeMap<Bytes, Bytes>;

fn open(folder: &Arc<SimFolder>) -> Result<Redb, EngineError> {
    let key = DataKey::from_bytes([7; 32]);
    Redb::open_in(folder.clone(), folder.open(), &key, 1 << 20)
}

pub(super) fn key(number: u32) -> Bytes {
    number.to_be_bytes().to_vec().into()
}

/// Commit `number`: new rows, changes of old ones, and the end of others.
fn batch(number: u32) -> Batch {
    let mut batch = Batch::default();
    for row in 0..3 {
        batch.put(key(number * 3 + row), vec![u8::try_from(number % 251).unwrap(); 700].into());
    }
    batch.put(key(number / 2), number.to_be_bytes().repeat(90).into());
    batch.delete(key(number / 3 * 2 + 1));
    batch.put("last".into(), number.to_be_bytes().to_vec().into());
    batch
}

/// What is there after the commits up to `last`.
fn model(last: u32) -> Model {
    let mut model = Model::new();
    for op in (1..=last).flat_map(|number| batch(number).ops) {
        match op {
            crate::engine::Op::Put(key, value) => drop(model.insert(key, value)),
            crate::engine::Op::Delete(key) => drop(model.remove(&key)),
            crate::engine::Op::Expect(..) => {}
        }
    }
    model
}

pub(super) async fn rows(engine: &Redb) -> Model {
    let all = Range::from(Bytes::new());
    engine.scan(all, Order::Ascending, usize::MAX).await.unwrap().into_iter().collect()
}

pub(super) async fn last(engine: &Redb) -> u32 {
    let last = engine.get("last".into()).await.unwrap();
    last.map_or(0, |bytes| u32::from_be_bytes(bytes[..].try_into().unwrap()))
}

/// Commits beside a compaction: fewer changes than are left to the switch.
const WRITTEN_MEANWHILE: u32 = 100;

/// Commits until `stop` says so or the disk says no; the last that was acknowledged.
async fn commits(engine: &Redb, from: u32, stop: impl Fn(u32) -> bool) -> u32 {
    let mut done = from;
    while !stop(done) && engine.commit(batch(done + 1)).await.is_ok() {
        done += 1;
    }
    done
}

#[test]
fn a_compaction_gives_back_room_while_readers_and_writers_go_on() {
    let folder = Arc::new(SimFolder::default());
    block_on(async {
        let engine = open(&folder).unwrap();
        let before = commits(&engine, 0, |done| done == 200).await;
        let mut large = Batch::default();
        let mut gone = Batch::default();
        for number in 1_000_000..1_010_000 {
            large.put(key(number), vec![1; 900].into());
            gone.delete(key(number));
        }
        engine.commit(large).await.unwrap();
        engine.commit(gone).await.unwrap();
        let mut snapshot = engine.snapshot().await.unwrap();
        let is_done = AtomicBool::new(false);
        let compacting = async {
            let compacted = engine.compact().await;
            is_done.store(true, SeqCst);
            compacted
        };
        let reading = async {
            while !is_done.load(SeqCst) {
                assert!(last(&engine).await >= before);
            }
        };
        // Not without end: where the copy seldom has its turn, writers would fill what it frees.
        let writing = commits(&engine, before, |done| {
            is_done.load(SeqCst) || done == before + WRITTEN_MEANWHILE
        });
        // The writer is polled first: a compaction may be done before its own first poll returns.
        let (done, (), compacted) = tokio::join!(writing, reading, compacting);
        let compacted = compacted.unwrap();
        assert!(compacted.after_bytes * 4 < compacted.before_bytes, "{compacted:?}");
        assert!(u64::try_from(folder.database_image().len()).unwrap() < compacted.before_bytes);
        assert!(done > before, "writers went on");
        assert!(!folder.has_beside());
        assert!(rows(&engine).await == model(done));
        let then = snapshot.rows(Range::from(Bytes::new()), usize::MAX).await.unwrap();
        assert!(then.into_iter().collect::<Model>() == model(before), "a snapshot outlives it");
        let done = commits(&engine, done, |last| last == done + 20).await;
        drop(engine);
        let engine = open(&folder).unwrap();
        assert!(rows(&engine).await == model(done));
    });
}

#[test]
fn a_compaction_without_room_for_a_second_file_does_not_begin() {
    let folder = Arc::new(SimFolder::default());
    block_on(async {
        let engine = open(&folder).unwrap();
        let done = commits(&engine, 0, |done| done == 40).await;
        let taken = engine.usage().await.unwrap().file_bytes;
        folder.has_free(taken - 1);
        let error = engine.compact().await.unwrap_err();
        assert!(matches!(error, EngineError::NoRoom { .. }), "{error}");
        assert!(error.to_string().contains("make room"), "{error}");
        assert!(!folder.has_beside());
        let done = commits(&engine, done, |last| last == done + 5).await;
        folder.has_free(engine.usage().await.unwrap().file_bytes);
        engine.compact().await.unwrap();
        assert!(rows(&engine).await == model(done));
    });
}

/// Power cuts at any operation while it is compacted and written, and while that is recovered
/// from. Which threads do what until then is up to the machine.
fn round(number: u64) {
    let mut dice = Dice::new(number);
    let mut folder = Arc::new(SimFolder::default());
    block_on(async {
        let engine = open(&folder).unwrap();
        let mut acknowledged = commits(&engine, 0, |done| done == 30).await;
        drop(engine);
        // About as many operations as there are, then as few as opening takes.
        for most in [320, 320, 12, 320] {
            folder.cut_power_after(dice.roll(most));
            if let Ok(engine) = open(&folder) {
                let upto = acknowledged + 15;
                let writing = commits(&engine, acknowledged, |done| done == upto);
                let (compacted, done) = tokio::join!(engine.compact(), writing);
                acknowledged = done;
                if compacted.is_ok() {
                    acknowledged = commits(&engine, done, |last| last == done + 5).await;
                }
            }
            folder = Arc::new(folder.after_power_cut(&mut dice));
            let copy = Arc::new(folder.after_power_cut(&mut dice));
            let engine = open(&copy).unwrap_or_else(|error| panic!("round {number}: {error}"));
            let there = last(&engine).await;
            assert!(
                (acknowledged..=acknowledged + 1).contains(&there),
                "round {number}: {there} commits are there, {acknowledged} were acknowledged",
            );
            assert!(rows(&engine).await == model(there), "round {number}");
            acknowledged = there;
        }
    });
}

#[test]
fn no_acknowledged_commit_is_lost_in_a_power_cut_during_a_compaction() {
    let rounds = std::env::var("HEARTH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    for number in 0..rounds.unwrap_or(100) {
        round(number);
    }
}

#[test]
fn a_compaction_that_meets_damage_leaves_everything_as_it_was() {
    block_on(async {
        let folder = Arc::new(SimFolder::default());
        let engine = open(&folder).unwrap();
        let done = commits(&engine, 0, |done| done == 100).await;
        drop(engine);
        let image = folder.database_image();
        let (mut refused, mut compacted) = (0, 0);
        for slot in (0..(image.len() - 28_672) / 4_136).step_by(5) {
            let mut damaged = image.clone();
            damaged[28_672 + slot * 4_136 + 500] ^= 1;
            let folder = Arc::new(SimFolder::holding(damaged));
            let Ok(engine) = open(&folder) else { continue };
            match engine.compact().await {
                Ok(_) => {
                    compacted += 1;
                    assert!(rows(&engine).await == model(done));
                }
                Err(EngineError::Damaged { .. }) => {
                    refused += 1;
                    assert!(!folder.has_beside());
                    assert_eq!(folder.database_image().len(), image.len());
                    let found = engine.get("last".into()).await;
                    if found.is_ok() {
                        assert_eq!(last(&engine).await, done);
                        let mut next = Batch::default();
                        next.put("last".into(), "next".into());
                        engine.commit(next).await.unwrap();
                    }
                }
                Err(error) => panic!("{error:?}"),
            }
        }
        assert!(refused > 5 && compacted > 0, "{refused} refused, {compacted} not harmed");
    });
}

#[test]
fn a_real_file_is_replaced_and_stays_locked() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("hearth.db");
    let beside = place.path().join("hearth.db.new");
    std::fs::write(&beside, "left behind").unwrap();
    let key = DataKey::from_bytes([7; 32]);
    let (folder, disk) = FileFolder::open(&path).unwrap();
    assert!(!beside.exists(), "what was left behind is removed");
    let engine = Redb::open_in(Arc::new(folder), Arc::new(disk), &key, 1 << 20).unwrap();
    block_on(async {
        let done = commits(&engine, 0, |done| done == 50).await;
        let is_done = AtomicBool::new(false);
        let trying = async {
            while !is_done.load(SeqCst) {
                let error = FileFolder::open(&path).expect_err("it is in use");
                assert!(error.to_string().contains("in use by another Hearth"), "{error}");
                tokio::task::yield_now().await;
            }
        };
        let compacting = async {
            let compacted = engine.compact().await;
            is_done.store(true, SeqCst);
            compacted.unwrap()
        };
        tokio::join!(compacting, trying);
        assert!(FileFolder::open(&path).is_err() && !beside.exists());
        let done = commits(&engine, done, |last| last == 60).await;
        drop(engine);
        let (_, disk) = FileFolder::open(&path).unwrap();
        let engine = Redb::open(Arc::new(disk), &key, 1 << 20).unwrap();
        assert!(rows(&engine).await == model(done));
        let error = engine.compact().await.unwrap_err();
        assert!(matches!(error, EngineError::Io(_)), "a disk alone has no folder: {error}");
    });
}

/// A folder whose names cannot be made durable.
#[derive(Debug, Default)]
struct Unsure(Arc<SimFolder>);

impl Folder for Unsure {
    fn create_beside(&self) -> std::io::Result<Arc<dyn crate::Disk>> {
        self.0.create_beside()
    }

    fn replace(&self) -> std::io::Result<()> {
        self.0.replace()
    }

    fn sync(&self) -> std::io::Result<()> {
        Err(std::io::Error::other("the disk says no"))
    }

    fn discard(&self) -> std::io::Result<()> {
        self.0.discard()
    }
}

#[test]
fn when_nobody_knows_which_file_has_the_name_nothing_more_is_acknowledged() {
    let unsure = Arc::new(Unsure::default());
    let key = DataKey::from_bytes([7; 32]);
    block_on(async {
        let engine = Redb::open_in(unsure.clone(), unsure.0.open(), &key, 1 << 20).unwrap();
        let done = commits(&engine, 0, |done| done == 40).await;
        assert!(matches!(engine.compact().await, Err(EngineError::Io(_))));
        for _ in 0..2 {
            let error = engine.commit(batch(done + 1)).await.unwrap_err();
            assert!(error.to_string().contains("restart"), "{error}");
        }
        drop(engine);
        for seed in 0..10 {
            let folder = Arc::new(unsure.0.after_power_cut(&mut Dice::new(seed)));
            assert!(rows(&open(&folder).unwrap()).await == model(done));
        }
    });
}
