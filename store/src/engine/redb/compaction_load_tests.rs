//! A compaction holds writers up for one commit, and gives up when they write too much.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{io, thread};

use bytes::Bytes;

use super::Redb;
use super::compaction_tests::{Model, key, rows};
use crate::disk::through::Through;
use crate::disk::{Disk, Folder};
use crate::engine::{Batch, Engine, EngineError};
use crate::sim_folder::SimFolder;
use crate::testing::block_on;
use crate::{Compacted, DataKey};

/// Far longer than any commit takes.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between what a copy sees first and what it must see in full.
const COMMITS_PER_SYNC: usize = 2;

/// A folder whose file beside waits at each sync of the copy until others have committed.
#[derive(Debug)]
struct Slow {
    folder: Arc<SimFolder>,
    watched: Arc<Watched>,
}

#[derive(Debug)]
struct Watched {
    commits: Mutex<Receiver<()>>,
    /// Syncs of the writer's thread: of its file, and of the file beside before the switch.
    of_commits: Mutex<usize>,
    of_switch: Mutex<usize>,
    is_slow: AtomicBool,
    is_replaced: AtomicBool,
}

#[derive(Debug)]
struct WatchedDisk {
    disk: Arc<dyn Disk>,
    watched: Arc<Watched>,
    is_beside: bool,
}

impl Slow {
    /// It, and where commits are told.
    fn new() -> (Arc<Slow>, Sender<()>) {
        let (told, commits) = mpsc::channel();
        let watched = Arc::new(Watched {
            commits: Mutex::new(commits),
            of_commits: Mutex::default(),
            of_switch: Mutex::default(),
            is_slow: AtomicBool::new(true),
            is_replaced: AtomicBool::new(false),
        });
        (Arc::new(Slow { folder: Arc::default(), watched }), told)
    }

    fn watch(&self, disk: Arc<dyn Disk>, is_beside: bool) -> Arc<dyn Disk> {
        Arc::new(WatchedDisk { disk, watched: self.watched.clone(), is_beside })
    }

    fn open(self: &Arc<Self>) -> Redb {
        let disk = self.watch(self.folder.open(), false);
        Redb::open_in(self.clone(), disk, &DataKey::from_bytes([7; 32]), 1 << 20).unwrap()
    }
}

impl Folder for Slow {
    fn create_beside(&self) -> io::Result<Arc<dyn Disk>> {
        Ok(self.watch(self.folder.create_beside()?, true))
    }

    fn replace(&self) -> io::Result<()> {
        self.watched.is_replaced.store(true, SeqCst);
        self.folder.replace()
    }

    fn sync(&self) -> io::Result<()> {
        self.folder.sync()
    }

    fn discard(&self) -> io::Result<()> {
        self.folder.discard()
    }
}

impl Watched {
    fn synced(&self, is_beside: bool) {
        let is_writer = thread::current().name() == Some("store-writer");
        match (is_writer, is_beside) {
            (true, false) => *self.of_commits.lock().unwrap() += 1,
            (_, true) if self.is_replaced.load(SeqCst) => {}
            (true, true) => *self.of_switch.lock().unwrap() += 1,
            (false, true) if self.is_slow.load(SeqCst) => {
                let commits = self.commits.lock().unwrap();
                while commits.try_recv().is_ok() {}
                for _ in 0..COMMITS_PER_SYNC {
                    commits.recv_timeout(PATIENCE).expect("writers are held up by the copy");
                }
            }
            (false, _) => {}
        }
    }
}

impl Through for WatchedDisk {
    fn below(&self) -> &dyn Disk {
        &*self.disk
    }

    fn sync_through(&self) -> io::Result<()> {
        self.disk.sync()?;
        self.watched.synced(self.is_beside);
        Ok(())
    }
}

/// A batch that notes so many changes, and writes one row.
fn batch(number: u32, changes: u32) -> Batch {
    let mut batch = Batch::default();
    batch.put("last".into(), number.to_be_bytes().to_vec().into());
    // Of rows that are not there: nothing but the noting of it takes time.
    (1..changes).for_each(|row| batch.delete(key(1_000_000 + number * changes + row)));
    batch
}

/// A compaction while batches of so many changes are committed; and what is there then.
async fn compact_under(
    engine: &Redb,
    told: &Sender<()>,
    changes: u32,
) -> (Result<Compacted, EngineError>, Model) {
    let mut expected = rows(engine).await;
    let is_done = AtomicBool::new(false);
    let compacting = async {
        let compacted = engine.compact().await;
        is_done.store(true, SeqCst);
        compacted
    };
    let writing = async {
        let mut number = 0;
        while !is_done.load(SeqCst) {
            number += 1;
            engine.commit(batch(number, changes)).await.unwrap();
            told.send(()).unwrap();
        }
        number
    };
    let (compacted, number) = tokio::join!(compacting, writing);
    expected.insert("last".into(), Bytes::copy_from_slice(&number.to_be_bytes()));
    (compacted, expected)
}

async fn furnished(engine: &Redb) {
    for number in 0..20 {
        let mut batch = Batch::default();
        (0..50).for_each(|row| batch.put(key(number * 50 + row), vec![7; 300].into()));
        engine.commit(batch).await.unwrap();
    }
}

#[test]
fn writers_are_held_up_by_one_commit_and_never_by_the_copy() {
    block_on(async {
        let (slow, told) = Slow::new();
        let engine = slow.open();
        furnished(&engine).await;
        let before = *slow.watched.of_commits.lock().unwrap();
        engine.commit(batch(0, 1)).await.unwrap();
        let of_one = *slow.watched.of_commits.lock().unwrap() - before;
        assert!(of_one > 0, "a commit syncs");
        // Always the same row: however many commits there are, they never are too many changes.
        let (compacted, expected) = compact_under(&engine, &told, 1).await;
        compacted.unwrap();
        let of_switch = *slow.watched.of_switch.lock().unwrap();
        assert!((1..=of_one).contains(&of_switch), "{of_switch} syncs, a commit has {of_one}");
        assert!(rows(&engine).await == expected);
    });
}

#[test]
fn a_compaction_gives_up_when_too_much_is_written_and_loses_nothing() {
    // More in one round than is noted; more in every round than may be left for the switch.
    for changes in [super::compaction::CHANGES_MAX, super::compaction::LAST_CHANGES_MAX] {
        block_on(async {
            let (slow, told) = Slow::new();
            let engine = slow.open();
            furnished(&engine).await;
            let changes = u32::try_from(changes).unwrap() + 1;
            let (compacted, expected) = compact_under(&engine, &told, changes).await;
            let error = compacted.expect_err("too much is written");
            let text = error.to_string();
            assert!(text.contains("given up") && text.contains("when it is quieter"), "{text}");
            assert!(rows(&engine).await == expected && !slow.folder.has_beside());
            slow.watched.is_slow.store(false, SeqCst);
            engine.compact().await.unwrap();
            assert!(rows(&engine).await == expected);
            drop(engine);
            assert!(rows(&slow.open()).await == expected);
        });
    }
}
