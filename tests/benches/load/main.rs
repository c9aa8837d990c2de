//! The load program: `hearth serve`, the broker alone and mosquitto under the same loads in the
//! same run, then the memory of `hearth serve`. Prints one table.
//!
//! `make bench`, or `cargo bench -p system-tests --bench load -- [ROUNDS] [ROW]` after a release
//! build: with ROW, only the rows whose name holds it, and no memory.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod brokers;
mod memory;

use brokers::Brokers;
use system_tests::load::{Target, fan_out, one_by_one, pipelined};

/// Each figure is the median of so many.
const ROUNDS: usize = 5;
const PUBLISHERS: usize = 25;
const READERS: usize = 25;

#[derive(Debug, Clone, Copy)]
enum Load {
    FanOut { qos: u8, readers: usize, count: usize },
    Latency { percent: usize },
    Durable { each: usize },
}

/// A line of the table: what is measured, and the goal as a ratio to mosquitto.
struct Row {
    what: &'static str,
    load: Load,
    goal: &'static str,
}

const fn fan(qos: u8, readers: usize, count: usize) -> Load {
    Load::FanOut { qos, readers, count }
}

const ROWS: [Row; 7] = [
    Row { what: "QoS 0, 1→1, messages/s", load: fan(0, 1, 200_000), goal: "≥ 1.5" },
    Row { what: "QoS 0, 1→25, messages/s", load: fan(0, READERS, 20_000), goal: "≥ 2.5" },
    Row { what: "QoS 1, 1→1, messages/s", load: fan(1, 1, 60_000), goal: "≥ 1.0" },
    Row { what: "QoS 1, 1→25, messages/s", load: fan(1, READERS, 10_000), goal: "≥ 1.5" },
    Row { what: "QoS 1 p50, ms", load: Load::Latency { percent: 50 }, goal: "≤ 1.5" },
    Row { what: "QoS 1 p99, ms", load: Load::Latency { percent: 99 }, goal: "" },
    Row { what: "25 pipelining, stored/s", load: Load::Durable { each: 1_000 }, goal: "≥ 0.5" },
];

async fn measure(target: &Target, load: Load) -> f64 {
    match load {
        Load::FanOut { qos, readers, count } => fan_out(target, qos, readers, count).await,
        Load::Latency { percent } => {
            let times = one_by_one(target, 2_000).await;
            times[(times.len() - 1) * percent / 100]
        }
        Load::Durable { each } => pipelined(target, PUBLISHERS, each).await,
    }
}

fn median(figures: &mut [f64]) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}

fn figure(number: Option<f64>) -> String {
    match number {
        None => "–".to_string(),
        Some(number) if number < 100.0 => format!("{number:.2}"),
        Some(number) => format!("{number:.0}"),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let rounds = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(ROUNDS);
    let row = std::env::args()
        .skip(1)
        .find(|word| !word.starts_with("--") && word.parse::<usize>().is_err());
    if row.is_none() {
        memory::empty_house();
        memory::idle_connections().await;
    }
    let brokers = Brokers::start();
    println!("| {rounds} runs, median | mosquitto | standalone | ratio | hearth | ratio | goal |");
    println!("|---|---|---|---|---|---|---|");
    let asked = |what: &str| row.as_ref().is_none_or(|row| what.contains(row.as_str()));
    for row in ROWS.into_iter().filter(|row| asked(row.what)) {
        let targets = brokers.targets(matches!(row.load, Load::Durable { .. }));
        let mut figures = targets.clone().map(|_| vec![]);
        for _ in 0..rounds {
            for (target, figures) in targets.iter().zip(&mut figures) {
                if let Some(target) = target {
                    figures.push(measure(target, row.load).await);
                }
            }
        }
        let [peer, alone, hearth] = figures.map(|mut figures| median(&mut figures));
        let ratio = |own: Option<f64>| figure(own.zip(peer).map(|(own, peer)| own / peer));
        println!(
            "| {} | {} | {} | {} | {} | {} | {} |",
            row.what,
            figure(peer),
            figure(alone),
            ratio(alone),
            figure(hearth),
            ratio(hearth),
            row.goal
        );
    }
    if row.is_none() {
        memory::soak().await;
    }
}
