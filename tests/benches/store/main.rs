//! The store's speed and size, each as a ratio of two things done in the same run on the same
//! disk. Prints one table.
//!
//! `make bench`, or `cargo bench -p hearth-store --bench store -- [ROUNDS]`.
//!
//! - [`appends`]: durable appends, beside redb by hand
//! - [`history`]: a room of a million messages: pages, opening, memory, bytes on disk
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod appends;
mod history;
mod houses;

use std::path::PathBuf;

/// Each figure is the median of so many.
const ROUNDS: usize = 5;

/// A folder on the disk that the build lies on, which is no memory disk.
fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("store-bench");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn figure(number: f64) -> String {
    if number < 100.0 { format!("{number:.2}") } else { format!("{number:.0}") }
}

/// Measures two things in turn, and prints a line with both and their ratio, which is to be at
/// least, or at most, the goal.
async fn row<T>(
    rounds: usize,
    what: &str,
    goal: &str,
    mut one: impl AsyncFnMut() -> T,
    mut other: impl AsyncFnMut() -> T,
) where
    f64: From<T>,
{
    let (mut ours, mut theirs) = (vec![], vec![]);
    for _ in 0..rounds {
        ours.push(f64::from(one().await));
        theirs.push(f64::from(other().await));
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!("| {what} | {} | {} | {:.2} | {goal} |", figure(ours), figure(theirs), ours / theirs);
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let Some(at) = words.iter().position(|word| word == "resident") {
        return history::print_resident(words[at + 1].as_ref()).await;
    }
    let rounds = words.iter().find_map(|word| word.parse().ok()).unwrap_or(ROUNDS);
    println!("| {rounds} runs, median | the store | beside | ratio | goal |");
    println!("|---|---|---|---|---|");
    appends::rows(rounds).await;
    history::rows(rounds).await;
    std::fs::remove_dir_all(folder()).unwrap();
}
