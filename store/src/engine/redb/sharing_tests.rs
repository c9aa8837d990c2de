//! Who waits for whom, and who fails with whom: readers wait for no writer, a batch that conflicts
//! fails alone.

use std::io;
use std::sync::{Arc, Condvar, Mutex};

use super::Redb;
use crate::DataKey;
use crate::disk::Disk;
use crate::disk::through::Through;
use crate::engine::{Batch, Engine, EngineError, Order, Range};
use crate::sealed_file::SealedFile;
use crate::sim_disk::SimDisk;
use crate::testing::block_on;

/// A disk whose syncs wait while it is held.
#[derive(Debug, Default)]
struct Slow {
    disk: SimDisk,
    held: Mutex<bool>,
    /// Somebody waits in a sync.
    waiting: Mutex<bool>,
    changed: Condvar,
}

impl Slow {
    fn hold(&self, held: bool) {
        *self.held.lock().unwrap() = held;
        self.changed.notify_all();
    }

    fn wait_for_a_sync(&self) {
        let waiting = self.waiting.lock().unwrap();
        drop(self.changed.wait_while(waiting, |waiting| !*waiting).unwrap());
    }
}

impl Through for Slow {
    fn below(&self) -> &dyn Disk {
        &self.disk
    }

    fn sync_through(&self) -> io::Result<()> {
        let held = self.held.lock().unwrap();
        if *held {
            *self.waiting.lock().unwrap() = true;
            self.changed.notify_all();
        }
        drop(self.changed.wait_while(held, |held| *held).unwrap());
        self.disk.sync()
    }
}

fn put(number: u32) -> Batch {
    let mut batch = Batch::default();
    batch.put(number.to_be_bytes().to_vec().into(), vec![1; 200].into());
    batch
}

/// Whether redb's header in an image says that the database was not closed: a bit of its tenth byte
/// (redb, docs/design.md, "god byte").
fn asks_for_recovery(image: Vec<u8>) -> bool {
    const RECOVERY_REQUIRED: u8 = 2;
    let disk = Arc::new(SimDisk::holding(image));
    let file = SealedFile::open(disk, &DataKey::from_bytes([7; 32])).unwrap();
    let mut start = [0; 10];
    redb::StorageBackend::read(&file, 0, &mut start).unwrap();
    start[9] & RECOVERY_REQUIRED != 0
}

#[test]
fn a_database_is_closed_though_others_still_hold_its_engine() {
    let disk = Arc::new(SimDisk::new());
    let engine = Redb::open(disk.clone(), &DataKey::from_bytes([7; 32]), 1 << 20).unwrap();
    let engine = Arc::new(engine);
    let held = engine.clone();
    block_on(async {
        let mut batch = Batch::default();
        batch.put("k".into(), "v".into());
        engine.commit(batch.clone()).await.unwrap();
        assert!(asks_for_recovery(disk.image()), "it is open");
        engine.close().await.unwrap();
        assert!(!asks_for_recovery(disk.image()), "it is closed");
        for error in [held.commit(batch).await.err(), held.get("k".into()).await.err()] {
            assert!(matches!(error, Some(EngineError::Closed(_))), "{error:?}");
        }
    });
    drop((engine, held));
    let engine = Redb::open(disk, &DataKey::from_bytes([7; 32]), 1 << 20).unwrap();
    assert_eq!(block_on(engine.get("k".into())).unwrap().unwrap(), "v");
}

#[test]
fn readers_do_not_wait_for_a_writer_whose_sync_hangs() {
    let disk = Arc::new(Slow::default());
    // No cache: every read goes to the disk.
    let engine = Arc::new(Redb::open(disk.clone(), &DataKey::from_bytes([7; 32]), 0).unwrap());
    block_on(async {
        for number in 0..100 {
            engine.commit(put(number)).await.unwrap();
        }
        disk.hold(true);
        let writing = tokio::spawn({
            let engine = engine.clone();
            async move { engine.commit(put(100)).await }
        });
        let hanging = disk.clone();
        tokio::task::spawn_blocking(move || hanging.wait_for_a_sync()).await.unwrap();
        let all = Range::from(Vec::new());
        let rows = engine.scan(all.clone(), Order::Ascending, usize::MAX).await.unwrap();
        assert_eq!(rows.len(), 100, "what is not durable is not there");
        let mut snapshot = engine.snapshot().await.unwrap();
        assert_eq!(snapshot.rows(all, usize::MAX).await.unwrap().len(), 100);
        assert!(engine.get(7_u32.to_be_bytes().to_vec().into()).await.unwrap().is_some());
        disk.hold(false);
        writing.await.unwrap().unwrap();
    });
}

#[test]
fn batches_that_wait_share_a_sync_and_one_that_conflicts_fails_alone() {
    let disk = Arc::new(Slow::default());
    let engine = Arc::new(Redb::open(disk.clone(), &DataKey::from_bytes([7; 32]), 0).unwrap());
    block_on(async {
        engine.commit(put(0)).await.unwrap();
        let before = disk.disk.syncs();
        engine.commit(put(1)).await.unwrap();
        let syncs_of_one = disk.disk.syncs() - before;
        disk.hold(true);
        let first = tokio::spawn({
            let engine = engine.clone();
            async move { engine.commit(put(2)).await }
        });
        let hanging = disk.clone();
        tokio::task::spawn_blocking(move || hanging.wait_for_a_sync()).await.unwrap();
        let mut batches: Vec<Batch> = (3..23).map(put).collect();
        batches[7].expect(0_u32.to_be_bytes().to_vec().into(), None);
        let mut waiting: Vec<_> = batches.into_iter().map(|batch| engine.commit(batch)).collect();
        // Polled once each, they lie in the writer's queue.
        std::future::poll_fn(|context| {
            assert!(waiting.iter_mut().all(|commit| commit.as_mut().poll(context).is_pending()));
            std::task::Poll::Ready(())
        })
        .await;
        let before = disk.disk.syncs();
        disk.hold(false);
        first.await.unwrap().unwrap();
        for (number, commit) in waiting.into_iter().enumerate() {
            let answer = commit.await;
            assert_eq!(matches!(answer, Err(EngineError::Conflict)), number == 7, "{answer:?}");
        }
        assert_eq!(disk.disk.syncs() - before, 2 * syncs_of_one, "the first, and the group");
    });
}
