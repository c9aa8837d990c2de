//! What the gateway costs over the store underneath: the same work by HTTP and WebSocket at a
//! running `hearth serve`, and by the store alone in this process, in one run on one disk. Prints
//! one table.
//!
//! `make bench`, or `cargo bench -p system-tests --bench gateway -- [ROUNDS] [ROW]` after a
//! release build: with ROW, only the rows whose name holds it.
//!
//! - [`clients`]: HTTP/1.1 over kept connections, and readers at `/api/ws`
//! - [`bare`]: the store as `hearth serve` opens it
//! - [`wire`]: the same requests and answers with nothing behind them
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod bare;
mod clients;
mod wire;

use std::net::SocketAddr;
use std::time::Duration;

use bare::Bare;
use clients::{Clients, Scene};

/// Each figure is the median of so many.
const ROUNDS: usize = 5;
/// Messages in the room that is read.
const HISTORY: usize = 10_000;
/// People who are there at the same time (the design point).
const PEOPLE: usize = 25;
/// How often each of them writes and reads a page.
const PACE: Duration = Duration::from_millis(500);
const ACTIVE_FOR: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy)]
enum Load {
    Pages { clients: usize, each: usize },
    Posts { clients: usize, each: usize },
    FanOut { count: usize },
    Active { percent: usize },
}

/// A line of the table. The share above the store is what is left of the time when the store's is
/// taken away; the gateway's own share, when the wire's is taken away too.
struct Row {
    what: &'static str,
    load: Load,
}

const ROWS: [Row; 8] = [
    Row { what: "page of 50, 1 client, µs", load: Load::Pages { clients: 1, each: 1_000 } },
    Row { what: "page of 50, 10 clients, µs", load: Load::Pages { clients: 10, each: 200 } },
    Row { what: "durable post, 1 client, µs", load: Load::Posts { clients: 1, each: 300 } },
    Row { what: "durable post, 10 clients, µs", load: Load::Posts { clients: 10, each: 100 } },
    Row { what: "durable post, 100 clients, µs", load: Load::Posts { clients: 100, each: 50 } },
    Row { what: "post to 25 at /api/ws, µs", load: Load::FanOut { count: 300 } },
    Row { what: "25 active, post p50, µs", load: Load::Active { percent: 50 } },
    Row { what: "25 active, post p99, µs", load: Load::Active { percent: 99 } },
];

/// Microseconds: of one piece of work, or of the slowest so many percent.
async fn by_gateway(clients: &Clients<'_>, at: Option<SocketAddr>, load: Load) -> f64 {
    match load {
        Load::Pages { clients: many, each } => clients.pages(at, many, each).await,
        Load::Posts { clients: many, each } => clients.posts(at, many, each).await,
        Load::FanOut { count } => clients.fan_out(PEOPLE, count).await,
        Load::Active { percent } => {
            at_percent(clients.active(PEOPLE, PACE, ACTIVE_FOR).await, percent)
        }
    }
}

async fn by_store(bare: &Bare, load: Load) -> f64 {
    match load {
        Load::Pages { clients, each } => bare.pages(clients, each).await,
        Load::Posts { clients, each } => bare.posts(clients, each).await,
        Load::FanOut { count } => bare.posts(1, count).await,
        Load::Active { percent } => {
            at_percent(bare.active(PEOPLE, PACE, ACTIVE_FOR).await, percent)
        }
    }
}

fn at_percent(mut times: Vec<Duration>, percent: usize) -> f64 {
    times.sort();
    let time = times[(times.len() - 1) * percent / 100];
    time.as_secs_f64() * 1e6
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let rounds = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(ROUNDS);
    let row = std::env::args()
        .skip(1)
        .find(|word| !word.starts_with("--") && word.parse::<usize>().is_err());
    let scene = Scene::start(PEOPLE);
    let clients = Clients::new(&scene);
    clients.fill(HISTORY).await;
    let bare = Bare::open(&scene.folder(), HISTORY).await;
    let columns = ["gateway", "store alone", "share above it", "wire alone", "gateway's own share"];
    println!("| {rounds} runs, median | {} |", columns.join(" | "));
    println!("|---|---|---|---|---|---|");
    for Row { what, load } in ROWS {
        if row.as_ref().is_some_and(|row| !what.contains(row.as_str())) {
            continue;
        }
        let peer = clients.wire(load).await;
        let (mut ours, mut alone, mut wire) = (vec![], vec![], vec![]);
        for _ in 0..rounds {
            ours.push(by_gateway(&clients, None, load).await);
            alone.push(by_store(&bare, load).await);
            if peer.is_some() {
                wire.push(by_gateway(&clients, peer, load).await);
            }
        }
        let (ours, alone) = (median(ours), median(alone));
        let share = |rest: f64| 100.0 * (1.0 - rest / ours);
        let above = share(alone);
        let told = match peer {
            None => "– | –".to_string(),
            Some(_) => {
                let wire = median(wire);
                format!("{wire:.0} | {:.0} %", share(alone + wire))
            }
        };
        println!("| {what} | {ours:.0} | {alone:.0} | {above:.0} % | {told} |");
    }
    bare.close().await;
}
