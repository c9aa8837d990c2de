//! The store's speed and size, each as a ratio of two things done in the same run on the same
//! disk. Prints one table.
//!
//! `make bench`, or `cargo bench -p hearth-store --bench store -- [ROUNDS] [appends|history]`.
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

/// A line of the table: what is measured, and the goal as a ratio.
struct Row {
    what: &'static str,
    goal: &'static str,
    /// A round is so many short turns of each of the two, so that both meet the same weather.
    turns: u32,
    /// From the seconds of a turn to the figure.
    figure: fn(f64) -> f64,
}

impl Row {
    /// Measures two things, each as seconds, and prints both with their ratio.
    async fn print(
        &self,
        rounds: usize,
        mut one: impl AsyncFnMut() -> f64,
        mut other: impl AsyncFnMut() -> f64,
    ) {
        let (mut ours, mut theirs) = (vec![], vec![]);
        for _ in 0..rounds {
            let mut seconds = [0.0; 2];
            for _ in 0..self.turns {
                seconds[0] += one().await;
                seconds[1] += other().await;
            }
            let [one, other] = seconds.map(|sum| (self.figure)(sum / f64::from(self.turns)));
            ours.push(one);
            theirs.push(other);
        }
        let (what, goal) = (self.what, self.goal);
        let (ours, theirs) = (median(ours), median(theirs));
        let [shown, beside] = [figure(ours), figure(theirs)];
        println!("| {what} | {shown} | {beside} | {:.2} | {goal} |", ours / theirs);
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let Some(at) = words.iter().position(|word| word == "resident") {
        return history::print_resident(words[at + 1].as_ref()).await;
    }
    let rounds = words.iter().find_map(|word| word.parse().ok()).unwrap_or(ROUNDS);
    if folder().exists() {
        std::fs::remove_dir_all(folder()).unwrap();
    }
    println!("| {rounds} runs, median | the store | beside | ratio | goal |");
    println!("|---|---|---|---|---|");
    let is_left_out = |other: &str| words.iter().any(|word| word == other);
    if !is_left_out("history") {
        appends::rows(rounds).await;
    }
    if !is_left_out("appends") {
        history::rows(rounds).await;
    }
    std::fs::remove_dir_all(folder()).unwrap();
}
