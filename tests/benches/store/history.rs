//! A room of a million messages: a page anywhere, opening, memory, bytes on disk.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use hearth_protocol::ids::Position;
use hearth_store::{Batch, Engine, PageQuery, Store, keys};
use rand::RngExt;

use crate::houses::{self, event, room_id, rows_of};
use crate::{Row, folder};

const MESSAGES: u64 = 1_000_000;
/// Messages of a commit while the room is filled.
const FILL: u64 = 5_000;
const PAGE: usize = 50;
/// Pages of a turn.
const PAGES: usize = 100;
/// Pages that are read before memory is looked at.
const MANY_PAGES: usize = 2_000;

pub async fn rows(rounds: usize) {
    let (large, empty) = (folder().join("large.db"), folder().join("empty.db"));
    let stored_bytes = fill(&large).await;
    let store = houses::open(&empty).await;
    houses::furnish(&store, 1).await;
    houses::close(store).await;

    let store = houses::open(&large).await;
    let anywhere = async || pages(&store, || Some(rand::rng().random_range(50..MESSAGES))).await;
    let newest = async || pages(&store, || None).await;
    let row = Row {
        what: "µs, a page of 50 anywhere in 1,000,000; the newest page",
        goal: "≤ 2",
        turns: 10,
        figure: |seconds| seconds * 1e6 / PAGES as f64,
    };
    row.print(rounds, anywhere, newest).await;
    // What a killed process leaves is what its file holds while it runs.
    store.append(event(0, MESSAGES + 1)).await.unwrap();
    let killed = folder().join("killed.db");
    std::fs::copy(&large, &killed).unwrap();
    houses::close(store).await;

    let row = Row {
        what: "ms, opening 1,000,000 messages; an empty store",
        goal: "≤ 2",
        turns: 5,
        figure: |seconds| seconds * 1e3,
    };
    row.print(rounds, async || opening(&large).await, async || opening(&empty).await).await;
    let after_kill = async || {
        let copy = folder().join("copy.db");
        std::fs::copy(&killed, &copy).unwrap();
        opening(&copy).await
    };
    let what = "ms, opening 1,000,000 messages after kill -9; an empty store";
    let row = Row { what, turns: 1, goal: "", ..row };
    row.print(rounds, after_kill, async || opening(&empty).await).await;
    let resident = resident(&large);
    println!("| MB resident after {MANY_PAGES} random pages | {resident} | – | – | ≤ 64 |");
    on_disk("bytes on disk; keys and values", "", &large, stored_bytes);
    houses::compact(&large).await;
    on_disk("bytes on disk after compaction; keys and values", "≤ 1.4", &large, stored_bytes);
}

/// How much larger than what is in it a file is.
fn on_disk(what: &str, goal: &str, path: &Path, stored_bytes: u64) {
    const BLOCK: u64 = 512;
    let metadata = std::fs::metadata(path).unwrap();
    // redb lets a file grow in large steps, of which nothing but the length is there at first.
    let bytes = metadata.blocks() * BLOCK;

    let ratio = bytes as f64 / stored_bytes as f64;
    println!("| {what} | {bytes} | {stored_bytes} | {ratio:.2} | {goal} |");
}

/// A closed store with a million messages in one room; the bytes of their keys and values.
async fn fill(path: &PathBuf) -> u64 {
    if path.exists() {
        std::fs::remove_file(path).unwrap();
    }
    let store = houses::open(path).await;
    houses::furnish(&store, 1).await;
    houses::close(store).await;
    let engine = houses::engine(path, 256 << 20);
    let mut bytes = 0;
    // Rows that come past the appender are counted as those of an older layout are.
    let mut uncounted = Batch::default();
    uncounted.delete(keys::tally(room_id(0)));
    engine.commit(uncounted).await.unwrap();
    for first in (1..=MESSAGES).step_by(usize::try_from(FILL).unwrap()) {
        let mut batch = Batch::default();
        for (key, value) in (first..first + FILL).flat_map(|position| rows_of(0, position)) {
            bytes += (key.len() + value.len()) as u64;
            batch.put(key, value);
        }
        engine.commit(batch).await.unwrap();
    }
    bytes
}

/// Reads pages that end before some positions.
async fn pages(store: &Store, before: impl Fn() -> Option<u64>) -> f64 {
    let start = Instant::now();
    for _ in 0..PAGES {
        let query = PageQuery { before: before().map(Position), ..PageQuery::newest(PAGE) };
        let page = store.page(room_id(0), query).await.unwrap();
        assert!(page.events.len() >= PAGE - 1);
    }
    start.elapsed().as_secs_f64()
}

/// Opens and closes; how long until it was open.
async fn opening(path: &Path) -> f64 {
    let start = Instant::now();
    let store = houses::open(path).await;
    let seconds = start.elapsed().as_secs_f64();
    houses::close(store).await;
    seconds
}

/// What a process of its own holds after reading pages.
fn resident(path: &Path) -> String {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).arg("resident").arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_string()
}

/// The other side of [`resident`].
pub async fn print_resident(path: &Path) {
    let store = houses::open(path).await;
    for _ in 0..MANY_PAGES / PAGES {
        pages(&store, || Some(rand::rng().random_range(50..MESSAGES))).await;
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    let kb: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    println!("{:.1}", kb / 1024.0);
    houses::close(store).await;
}
