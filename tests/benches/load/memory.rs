//! What `hearth serve` holds in memory: empty, with idle connections, and after much traffic.

use system_tests::load::{Target, pipelined};
use system_tests::raw::Raw;

use crate::PUBLISHERS;
use crate::brokers::house;

const IDLE: usize = 5_000;
/// An hour of 25 people who write a message a second, the most that the rate limit lets pass.
const HOUR_EACH: usize = 3_600;
const HOURS: usize = 4;

/// Resident memory in kB, from /proc.
fn resident_kb(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

pub fn empty_house() {
    let house = system_tests::House::start();
    println!("idle, an empty store: {} kB resident (goal ≤ 12,288)", resident_kb(house.pid()));
}

/// Connections that say nothing, bare and with a subscription each.
pub async fn idle_connections() {
    let lifted = [
        "--limit",
        "connections_per_identity_max=10000",
        "--limit",
        "connections_per_address_max=10000",
        "--limit",
        "sessions_per_identity_max=10000",
    ];
    let (house, room, plain) = house(&lifted);
    let before = resident_kb(house.pid());
    let mut held = hold(&room).await;
    let each = |kb: usize| (kb - before) as f64 / IDLE as f64;
    let bare = each(resident_kb(house.pid()));
    println!("{IDLE} idle connections: {bare:.1} kB each (goal ≤ 16)");
    for connection in &mut held {
        connection.subscribe(&plain.outlet, 1).await;
    }
    let subscribed = each(resident_kb(house.pid()));
    println!("{IDLE} idle connections, subscribed: {subscribed:.1} kB each (goal ≤ 16)");
}

async fn hold(target: &Target) -> Vec<Raw> {
    let mut held = vec![];
    for number in 0..IDLE {
        held.push(target.connect(&format!("idle{number}")).await);
    }
    held
}

/// Hours of a busy house in seconds: memory is to stay where the first hour left it.
pub async fn soak() {
    let (house, room, _) = house(&[]);
    let mut resident = vec![];
    for _ in 0..HOURS {
        pipelined(&room, PUBLISHERS, HOUR_EACH).await;
        resident.push(resident_kb(house.pid()));
    }
    let messages = PUBLISHERS * HOUR_EACH;
    println!("after each {messages} stored messages: {resident:?} kB resident (goal: flat)");
}
