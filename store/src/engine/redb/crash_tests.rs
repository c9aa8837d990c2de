//! Power cuts and disks that say no, over the whole engine: what was acknowledged is there.

use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Runtime;

use super::Redb;
use crate::engine::{Batch, Engine, Order, Range};
use crate::master_key::DataKey;
use crate::sim_disk::{Dice, Fault, SimDisk};

const CACHE_BYTES: usize = 1 << 20;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

fn open(disk: &Arc<SimDisk>) -> Result<Redb, crate::EngineError> {
    Redb::open(disk.clone(), &DataKey::from_bytes([7; 32]), CACHE_BYTES)
}

/// Commit `number`: some rows of its own, and one row that every commit rewrites.
fn commit_of(number: u32, round: u32) -> Batch {
    let mut batch = Batch::default();
    for row in 0..rows_of(number, round) {
        batch.put(key(number, row), value(number, row));
    }
    batch.put(Bytes::from_static(b"last"), number.to_be_bytes().to_vec().into());
    batch
}

fn rows_of(number: u32, round: u32) -> u32 {
    1 + (number * 7 + round) % 5
}

fn key(number: u32, row: u32) -> Bytes {
    [&b"r"[..], &number.to_be_bytes(), &row.to_be_bytes()].concat().into()
}

/// From some bytes to some pages, so that the file grows.
fn value(number: u32, row: u32) -> Bytes {
    let words = 10 + usize::try_from((number * 31 + row * 17) % 97).unwrap() * 40;
    (number ^ row).to_be_bytes().repeat(words).into()
}

async fn last(engine: &Redb) -> u32 {
    let last = engine.get(Bytes::from_static(b"last")).await.unwrap();
    last.map_or(0, |bytes| u32::from_be_bytes(bytes[..].try_into().unwrap()))
}

/// Every commit up to `last` as a whole, and nothing else.
async fn check(engine: &Redb, last: u32, round: u32) {
    let range = Range::prefix(&b"r"[..]);
    let rows = engine.scan(range, Order::Ascending, usize::MAX).await.unwrap();
    let expected: Vec<_> = (1..=last)
        .flat_map(|number| (0..rows_of(number, round)).map(move |row| (number, row)))
        .map(|(number, row)| (key(number, row), value(number, row)))
        .collect();
    assert!(rows == expected, "round {round}: rows are lost, torn or too many");
}

/// Commits until the disk says no; how many were acknowledged.
async fn work(disk: &Arc<SimDisk>, from: u32, round: u32) -> u32 {
    let Ok(engine) = open(disk) else { return from };
    for number in from + 1..from + 25 {
        if engine.commit(commit_of(number, round)).await.is_err() {
            return number - 1;
        }
    }
    from + 24
}

fn round(round: u32, from_nothing: bool) {
    let mut dice = Dice::new(u64::from(round) + 1);
    let mut disk = Arc::new(SimDisk::new());
    runtime().block_on(async {
        let mut acknowledged = 0;
        if !from_nothing {
            acknowledged = work(&disk, 0, round).await;
            assert_eq!(acknowledged, 24);
        }
        // The second cut comes while the first one is being recovered from.
        for most in [120, 12, 60] {
            disk.cut_power_after(dice.roll(most));
            acknowledged = work(&disk, acknowledged, round).await;
            disk = Arc::new(SimDisk::holding(disk.after_power_cut(&mut dice)));
            let copy = Arc::new(SimDisk::holding(disk.image()));
            let engine = open(&copy).unwrap_or_else(|error| panic!("round {round}: {error}"));
            let there = last(&engine).await;
            assert!(
                (acknowledged..=acknowledged + 1).contains(&there),
                "round {round}: {there} commits are there, {acknowledged} were acknowledged",
            );
            check(&engine, there, round).await;
            acknowledged = there;
        }
        assert!(work(&disk, acknowledged, round).await > acknowledged, "it is writable");
    });
}

#[test]
fn no_acknowledged_commit_is_lost_in_a_power_cut() {
    for number in 0..100 {
        round(number, false);
    }
}

#[test]
fn a_power_cut_while_the_database_is_made_leaves_one_that_opens() {
    for number in 0..60 {
        round(number, true);
    }
}

#[test]
fn after_a_disk_that_says_no_the_commit_is_not_there_and_the_next_ones_are() {
    runtime().block_on(async {
        for (nth, fault) in (1..40).flat_map(|nth| [(nth, Fault::Error), (nth, Fault::Full)]) {
            let disk = Arc::new(SimDisk::new());
            let engine = open(&disk).unwrap();
            engine.commit(commit_of(1, 0)).await.unwrap();
            disk.fail_nth(nth, fault);
            let mut there = 1;
            let mut failed = 0;
            while there < 12 {
                match engine.commit(commit_of(there + 1, 0)).await {
                    Ok(()) => there += 1,
                    Err(error) => {
                        let full = matches!(error, crate::EngineError::Full(_));
                        assert_eq!(full, fault == Fault::Full, "{nth}: {error}");
                        failed += 1;
                    }
                }
                assert_eq!(last(&engine).await, there, "{nth}");
                assert!(failed <= 1, "{nth}: it recovers by itself");
            }
            check(&engine, 12, 0).await;
            drop(engine);
            let image = disk.after_power_cut(&mut Dice::new(nth));
            let engine = open(&Arc::new(SimDisk::holding(image))).unwrap();
            check(&engine, 12, 0).await;
        }
    });
}

#[test]
fn a_failed_sync_and_then_a_power_cut_lose_nothing_that_was_acknowledged() {
    runtime().block_on(async {
        for nth in 1..30 {
            let mut dice = Dice::new(nth);
            let disk = Arc::new(SimDisk::new());
            let engine = open(&disk).unwrap();
            engine.commit(commit_of(1, 0)).await.unwrap();
            disk.fail_nth(nth, Fault::Error);
            disk.cut_power_after(nth + dice.roll(30));
            let mut there = 1;
            while there < 40 {
                match engine.commit(commit_of(there + 1, 0)).await {
                    Ok(()) => there += 1,
                    // The power is gone when it fails twice.
                    Err(_) if engine.commit(commit_of(there + 1, 0)).await.is_ok() => there += 1,
                    Err(_) => break,
                }
            }
            drop(engine);
            let image = disk.after_power_cut(&mut dice);
            let engine = open(&Arc::new(SimDisk::holding(image))).unwrap();
            let found = last(&engine).await;
            assert!((there..=there + 1).contains(&found), "{nth}: {found} of {there}");
            check(&engine, found, 0).await;
        }
    });
}
