//! A snapshot shows one moment, on both engines, and gives back the disk what it held.

use std::sync::Arc;

use bytes::Bytes;

use super::Redb;
use crate::engine::{Batch, Engine, Order, Range, Row, Snapshot};
use crate::sim_disk::SimDisk;
use crate::testing::{block_on, redb};
use crate::{DataKey, Memory};

fn puts(number: u32) -> Batch {
    let mut batch = Batch::default();
    for row in 0..100_u32 {
        batch.put(
            row.to_be_bytes().to_vec().into(),
            vec![u8::try_from(number).unwrap(); 500].into(),
        );
    }
    batch
}

/// All rows, in chunks as a backup takes them.
async fn all(snapshot: &mut dyn Snapshot) -> Vec<Row> {
    let mut rows: Vec<Row> = vec![];
    let mut range = Range::from(Bytes::new());
    loop {
        let chunk = snapshot.rows(range.clone(), 7).await.unwrap();
        let Some((last, _)) = chunk.last() else { return rows };
        range.start = [&last[..], &[0]].concat().into();
        assert!(chunk.len() <= 7);
        rows.extend(chunk);
    }
}

#[test]
fn a_snapshot_shows_one_moment_while_writers_go_on() {
    for engine in [Arc::new(Memory::new()) as Arc<dyn Engine>, Arc::new(redb())] {
        block_on(async {
            engine.commit(puts(0)).await.unwrap();
            let then =
                engine.scan(Range::from(Bytes::new()), Order::Ascending, usize::MAX).await.unwrap();
            let mut snapshot = engine.snapshot().await.unwrap();
            for number in 1..5 {
                engine.commit(puts(number)).await.unwrap();
                assert!(all(&mut *snapshot).await == then, "{number}");
            }
            let mut later = puts(5);
            later.delete(7_u32.to_be_bytes().to_vec().into());
            engine.commit(later).await.unwrap();
            assert!(all(&mut *snapshot).await == then);
            let mut now = engine.snapshot().await.unwrap();
            assert_eq!(all(&mut *now).await.len(), 99);
        });
    }
}

#[test]
fn a_snapshot_holds_the_disk_no_longer_than_it_lives() {
    let disk = Arc::new(SimDisk::new());
    let engine = Redb::open(disk.clone(), &DataKey::from_bytes([7; 32]), 1 << 20).unwrap();
    block_on(async {
        for number in 0..20 {
            engine.commit(puts(number)).await.unwrap();
        }
        let settled = disk.image().len();
        let snapshot = engine.snapshot().await.unwrap();
        for number in 0..20 {
            engine.commit(puts(number)).await.unwrap();
        }
        let held = disk.image().len();
        assert!(held > settled, "{held}: it held what was replaced");
        drop(snapshot);
        for number in 0..200 {
            engine.commit(puts(number)).await.unwrap();
        }
        assert!(disk.image().len() <= held, "what it held is used again");
    });
}
