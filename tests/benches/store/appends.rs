//! Durable appends: one writer beside plain redb with the same rows and durability; 64 writers
//! beside the engine with batches made by hand.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use hearth_store::{Batch, Engine, Store};
use redb::{Database, TableDefinition};

use crate::houses::{self, event, rows_of};
use crate::{Row, folder};

const ROWS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("rows");
/// Appends of a turn, one after the other.
const ALONE: usize = 2;
const WRITERS: usize = 64;
/// Appends of each of them in a turn.
const EACH: usize = 20;
const TURNS: u32 = 10;

/// The time of the next event: as ids of later events are greater, here and in what is done by
/// hand.
fn now() -> u64 {
    static CLOCK: AtomicU64 = AtomicU64::new(1);
    CLOCK.fetch_add(1, Relaxed)
}

fn new(name: &str) -> PathBuf {
    let path = folder().join(name);
    if path.exists() {
        std::fs::remove_file(&path).unwrap();
    }
    path
}

pub async fn rows(rounds: usize) {
    let store = houses::open(&new("one.db")).await;
    houses::furnish(&store, 1).await;
    let plain = Plain::new(&new("plain.db"));
    let mut next = 1;
    let ours = async || one_by_one(&store).await;
    let theirs = async || {
        next += ALONE as u64;
        plain.one_by_one(next - ALONE as u64)
    };
    let row = Row {
        what: "appends/s, 1 writer; plain redb",
        goal: "≥ 0.6",
        turns: 100,
        figure: |seconds| ALONE as f64 / seconds,
    };
    row.print(rounds, ours, theirs).await;
    houses::close(store).await;
    for (rooms, what) in [
        (1, "appends/s, 64 writers, 1 room; batches of 64 by hand"),
        (WRITERS, "appends/s, 64 writers, 64 rooms; batches of 64 by hand"),
    ] {
        let store = houses::open(&new("many.db")).await;
        houses::furnish(&store, rooms).await;
        let engine = houses::engine(&new("hand.db"), 16 << 20);
        let mut next = 1;
        let ours = async || at_once(&store, rooms).await;
        let theirs = async || {
            next += EACH as u64;
            by_hand(&engine, rooms, next - EACH as u64).await
        };
        let figure = |seconds| (WRITERS * EACH) as f64 / seconds;
        Row { what, goal: "≥ 0.8", turns: TURNS, figure }.print(rounds, ours, theirs).await;
        houses::close(store).await;
    }
}

async fn one_by_one(store: &Store) -> f64 {
    let start = Instant::now();
    for _ in 0..ALONE {
        store.append(event(0, now())).await.unwrap();
    }
    start.elapsed().as_secs_f64()
}

/// redb in a file of its own, not encrypted.
struct Plain(Database);

impl Plain {
    fn new(path: &Path) -> Self {
        Self(Database::create(path).unwrap())
    }

    fn one_by_one(&self, first: u64) -> f64 {
        let start = Instant::now();
        for position in first..first + ALONE as u64 {
            let mut transaction = self.0.begin_write().unwrap();
            transaction.set_two_phase_commit(true);
            let mut table = transaction.open_table(ROWS).unwrap();
            for (key, value) in rows_of(0, position) {
                table.insert(&key[..], &value[..]).unwrap();
            }
            drop(table);
            transaction.commit().unwrap();
        }
        start.elapsed().as_secs_f64()
    }
}

/// Every writer appends one after the other.
async fn at_once(store: &Store, rooms: usize) -> f64 {
    let start = Instant::now();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..EACH {
                    store.append(event(writer % rooms, now())).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    start.elapsed().as_secs_f64()
}

/// The same events with one commit for each 64.
async fn by_hand(engine: &impl Engine, rooms: usize, first: u64) -> f64 {
    let start = Instant::now();
    for number in first..first + EACH as u64 {
        let mut batch = Batch::default();
        for writer in 0..WRITERS {
            let position = match rooms {
                1 => number * WRITERS as u64 + writer as u64,
                _ => number,
            };
            let rows = rows_of(writer % rooms, position);
            for (key, value) in rows {
                batch.put(key, value);
            }
        }
        engine.commit(batch).await.unwrap();
    }
    start.elapsed().as_secs_f64()
}
