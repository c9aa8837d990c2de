//! A disk that is full or says no, at any operation: the caller is told, nothing of the commit is
//! there, what was there still reads, and writing goes on by itself when the fault is over.

use std::sync::Arc;

use super::cuts::furnished;
use super::{Model, batches, open, rows};
use crate::sim_disk::{Dice, Fault, SimDisk};
use crate::testing::{block_on, on_all_cores};
use crate::{DataKey, EngineError, Redb};

/// What goes wrong at the nth operation or sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Once(Fault),
    /// Until somebody mends the disk, or makes room.
    Lasting(Fault),
    Sync,
}

use Trouble::{Lasting, Once, Sync};

impl Trouble {
    fn comes(self, disk: &SimDisk, nth: u64) {
        match self {
            Once(fault) => disk.fail_nth(nth, fault),
            Lasting(fault) => disk.fail_from(nth, fault),
            Sync => disk.fail_sync(nth),
        }
    }

    /// Whether an error says what it is.
    fn is_named(self, error: &EngineError) -> bool {
        let full = matches!(self, Once(Fault::Full) | Lasting(Fault::Full));
        full == matches!(error, EngineError::Full(_))
    }
}

/// Makes a database, commits, closes it, and opens it after a power cut, with trouble on the way;
/// how many commits failed.
async fn script(trouble: Trouble, nth: u64) -> u32 {
    let (disk, mut model) = (Arc::new(SimDisk::new()), Model::default());
    let mut dice = Dice::new(nth);
    trouble.comes(&disk, nth);
    let engine = open(&disk).or_else(|_| {
        disk.mend();
        open(&disk)
    });
    let engine = engine.unwrap_or_else(|error| panic!("{trouble:?} {nth}: making: {error:?}"));
    let mut failed = 0;
    for round in 0..8 {
        let batches = batches(&mut dice, round % 3 == 0);
        let Err(error) = model.commit(&engine, batches.clone()).await else { continue };
        failed += 1;
        assert!(trouble.is_named(&error), "{trouble:?} {nth}: {error}");
        match rows(&engine).await {
            Ok(found) => assert!(found == model.acknowledged, "{trouble:?} {nth}: there"),
            // Going back to the last durable header needs a disk that writes.
            Err(error) => assert!(trouble == Lasting(Fault::Error), "{trouble:?} {nth}: {error}"),
        }
        disk.mend();
        assert!(rows(&engine).await.unwrap() == model.acknowledged, "{trouble:?} {nth}: mended");
        let again = model.commit(&engine, batches).await;
        again.unwrap_or_else(|error| panic!("{trouble:?} {nth}: again: {error:?}"));
    }
    drop(engine);
    let image = disk.after_power_cut(&mut dice);
    let engine = open(&Arc::new(SimDisk::holding(image))).unwrap();
    assert!(rows(&engine).await.unwrap() == model.acknowledged, "{trouble:?} {nth}: after a cut");
    failed
}

/// The script with a trouble at each of its operations in turn.
fn everywhere(trouble: Trouble, count: usize) {
    let failed = on_all_cores(count, |number| block_on(script(trouble, number as u64 + 1)));
    let most = failed.iter().max().unwrap();
    let hit = failed.iter().filter(|failed| **failed > 0).count();
    assert_eq!(*most, 1, "{trouble:?}: it recovers by itself");
    assert!(hit > count / 2, "{trouble:?}: only {hit} of {count} failed a commit");
}

#[test]
fn a_disk_that_says_no_once_fails_one_commit_wherever_it_does() {
    everywhere(Once(Fault::Error), 80);
    everywhere(Once(Fault::Full), 80);
}

#[test]
fn a_full_disk_fails_commits_and_no_reads_until_there_is_room() {
    everywhere(Lasting(Fault::Full), 80);
}

#[test]
fn a_disk_that_writes_no_more_fails_commits_until_it_is_mended() {
    everywhere(Lasting(Fault::Error), 80);
}

#[test]
fn a_sync_that_failed_is_not_taken_as_done() {
    everywhere(Sync, 16);
}

#[test]
fn a_read_that_fails_once_does_no_lasting_harm() {
    let (image, model) = furnished();
    let key = DataKey::from_bytes([7; 32]);
    let failed = on_all_cores(80, |number| {
        let disk = Arc::new(SimDisk::holding(image.clone()));
        let mut model = model.clone();
        let mut dice = Dice::new(number as u64);
        // Without a cache everything is read from the disk.
        let engine = Redb::open(disk.clone(), &key, 0).unwrap();
        disk.fail_read(number as u64 + 1);
        let mut failed = 0;
        block_on(async {
            for _ in 0..3 {
                let batches = batches(&mut dice, false);
                if model.commit(&engine, batches.clone()).await.is_err() {
                    failed += 1;
                    model.commit(&engine, batches).await.unwrap();
                }
                let found = rows(&engine).await;
                failed += u32::from(found.is_err());
                let found = if found.is_err() { rows(&engine).await } else { found };
                assert!(found.unwrap() == model.acknowledged, "read {number}");
            }
        });
        failed
    });
    assert!(failed.iter().all(|failed| *failed <= 1), "{failed:?}");
    assert!(failed.contains(&1), "{failed:?}");
}
