//! kill -9 in the middle of 25 publishing clients: what was acknowledged is there, once.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::{HashMap, HashSet};

use hearth_protocol::ids::EventId;
use rand::RngExt;
use system_tests::{House, Person, Publisher};
use tokio::sync::watch;

const CLIENTS: usize = 25;
const MESSAGES: usize = 40;

fn rounds() -> usize {
    std::env::var("HEARTH_ROUNDS").map_or(10, |text| text.parse().unwrap())
}

/// What one client did until the connection was gone or everything was acknowledged.
struct Outcome {
    acknowledged: Vec<EventId>,
    unsure: Vec<EventId>,
}

async fn publish(
    mut publisher: Publisher,
    ids: Vec<EventId>,
    acknowledged: watch::Sender<usize>,
) -> Outcome {
    for id in &ids {
        publisher.publish(*id, "under fire");
    }
    let mut before = 0;
    while publisher.outstanding() > 0 && publisher.step().await {
        let now = publisher.acknowledged.len();
        acknowledged.send_modify(|count| *count += now - before);
        before = now;
    }
    assert_eq!(publisher.refused, [], "the house refused messages");
    let unsure = ids.into_iter().filter(|id| !publisher.acknowledged.contains(id)).collect();
    Outcome { acknowledged: publisher.acknowledged, unsure }
}

/// All clients publish their ids at once; with `kill_at`, the house is killed when so many
/// messages are acknowledged.
async fn storm(
    house: &mut House,
    people: &[Person],
    room: &str,
    ids: Vec<Vec<EventId>>,
    kill_at: Option<usize>,
) -> Vec<Outcome> {
    let (acknowledged, mut count) = watch::channel(0);
    let mut clients = vec![];
    for (person, ids) in people.iter().zip(ids) {
        let publisher = Publisher::new(house.mqtt, &person.name, &person.token, room);
        clients.push(tokio::spawn(publish(publisher, ids, acknowledged.clone())));
    }
    // The last client's end ends the wait.
    drop(acknowledged);
    if let Some(kill_at) = kill_at {
        count.wait_for(|count| *count >= kill_at).await.ok();
        house.kill();
    }
    let mut outcomes = vec![];
    for client in clients {
        outcomes.push(client.await.unwrap());
    }
    outcomes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9_and_is_stored_once() {
    let limits = ["--limit", "messages_per_10_s=0", "--limit", "login_tries_free=1000"];
    let mut house = House::with(&limits);
    let people: Vec<_> =
        (0..CLIENTS).map(|number| house.person(&format!("client_{number}"))).collect();
    let room = house.open_room(&people[0], "Storm");
    for person in &people[1..] {
        house.join(person, &room);
    }
    let mut random = rand::rng();
    let mut clock = 1_u64;
    let mut fresh = |count: usize| -> Vec<EventId> {
        clock += 1;
        (0..count).map(|_| EventId::new(clock, rand::rng().random())).collect()
    };
    let (mut promised, mut known) = (Vec::new(), HashSet::new());
    for round in 0..rounds() {
        let ids: Vec<_> = (0..CLIENTS).map(|_| fresh(MESSAGES)).collect();
        known.extend(ids.iter().flatten().copied());
        let kill_at = random.random_range(1..CLIENTS * MESSAGES * 3 / 4);
        let outcomes = storm(&mut house, &people, &room, ids, Some(kill_at)).await;
        house.restart();
        let unsure: Vec<_> = outcomes.iter().map(|outcome| outcome.unsure.clone()).collect();
        promised.extend(outcomes.into_iter().flat_map(|outcome| outcome.acknowledged));
        check(&house, &people[0], &room, &promised, &known, round);
        // What they cannot be sure of they send again, with the same ids.
        let again = storm(&mut house, &people, &room, unsure, None).await;
        promised.extend(again.into_iter().flat_map(|outcome| outcome.acknowledged));
        assert_eq!(promised.len(), known.len(), "round {round}: not everything was acknowledged");
        check(&house, &people[0], &room, &promised, &known, round);
    }
    println!("{} rounds, {} messages: missing 0, stored twice 0", rounds(), promised.len());
}

fn check(
    house: &House,
    who: &Person,
    room: &str,
    promised: &[EventId],
    known: &HashSet<EventId>,
    round: usize,
) {
    let mut stored: HashMap<EventId, usize> = HashMap::new();
    let mut last = 0;
    for message in house.messages(who, room) {
        let position = message["position"].as_u64().unwrap();
        assert!(position > last, "round {round}: positions do not ascend");
        last = position;
        *stored.entry(message["id"].as_str().unwrap().parse().unwrap()).or_default() += 1;
    }
    let missing = promised.iter().filter(|id| !stored.contains_key(id)).count();
    let twice = stored.values().filter(|count| **count > 1).count();
    let invented = stored.keys().filter(|id| !known.contains(id)).count();
    assert_eq!((missing, twice, invented), (0, 0, 0), "round {round}: missing, twice, invented");
}
