//! Joining with `after`: what was missed, then what comes, each once and in order.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use hearth_protocol::event::Sender;
use hearth_protocol::ids::{EventId, RoomId};
use hearth_protocol::role::RoomRole;
use hearth_store::engine::{Order, Range, Row};
use hearth_store::{Batch, Edit, Engine, EngineError, History, Memory, Snapshot};
use proptest::prelude::*;
use tokio::task::yield_now;

use super::*;
use crate::ingest::Submission;

/// The positions of a room's events, in the order in which they came.
fn positions(heard: &[Value]) -> Vec<u64> {
    let of = |event: &Value| match event["type"].as_str() {
        Some("message_created") => event["message"]["position"].as_u64(),
        Some("presence_updated") => None,
        _ => event["position"].as_u64(),
    };
    heard.iter().filter_map(of).collect()
}

async fn write(house: &House, who: &Person, room: RoomId, text: &str) {
    let submission = Submission {
        room,
        sender: Sender::Person(who.id),
        payload: text.to_string().into(),
        packet: None,
        can_be_refused: true,
    };
    house.app.submit(submission).await.unwrap();
}

/// What a random interleaving does next.
#[derive(Debug, Clone)]
enum Act {
    /// Somebody writes so many messages at once.
    Write(usize),
    /// Everything else has so many turns.
    Turns(usize),
    /// The client takes so many events.
    Take(usize),
    /// The connection breaks; the client comes back where it was.
    Return,
    /// It joins once more on the same connection.
    JoinAgain,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (1..6_usize).prop_map(Act::Write),
        4 => (1..12_usize).prop_map(Act::Turns),
        4 => (1..8_usize).prop_map(Act::Take),
        1 => Just(Act::Return),
        1 => Just(Act::JoinAgain),
    ];
    prop::collection::vec(act, 1..40)
}

/// An engine at which everything else has some turns before each answer.
struct Halting(Memory);

async fn halt() {
    for _ in 0..3 {
        yield_now().await;
    }
}

impl Engine for Halting {
    fn get(&self, key: Bytes) -> BoxFuture<'_, Result<Option<Bytes>, EngineError>> {
        async move {
            halt().await;
            self.0.get(key).await
        }
        .boxed()
    }

    fn scan(
        &self,
        range: Range,
        order: Order,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Row>, EngineError>> {
        async move {
            let rows = self.0.scan(range, order, limit).await;
            halt().await;
            rows
        }
        .boxed()
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), EngineError>> {
        self.0.commit(batch)
    }

    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, EngineError>> {
        self.0.snapshot()
    }

    fn host(&self, work: BoxFuture<'static, ()>) -> io::Result<()> {
        self.0.host(work)
    }
}

/// A client that keeps what it has.
struct Reader {
    client: Client,
    has: Vec<u64>,
}

impl Reader {
    async fn come(scene: &Scene, has: Vec<u64>) -> Reader {
        let who = Principal::Person { user: scene.ben.id, session: scene.ben.session };
        // A narrow pipe: the box waits for its reader.
        let mut client = Client::try_sit(&scene.house, who, 2).unwrap();
        let after = has.last().copied().unwrap_or(0);
        client.ask(json!({ "type": "join_room", "room_id": scene.room, "after": after })).await;
        Reader { client, has }
    }

    fn note(&mut self, event: Value) {
        self.has.extend(positions(&[event]));
    }
}

async fn interleave(acts: Vec<Act>, items_max: usize) -> Vec<u64> {
    let limits =
        Limits { listener_items_max: items_max, backlog_events_max: 3, ..Limits::default() };
    let engine = Arc::new(Halting(Memory::new()));
    let limits = Limits { ws_events_per_10_s: 0, messages_per_10_s: 0, ..limits };
    let scene = Arc::new(Scene::of(House::upon(engine, limits).await).await);
    let mut reader = Reader::come(&scene, vec![]).await;
    let mut writers = vec![];
    let mut written = 0;
    for act in acts {
        match act {
            Act::Write(count) => {
                written += count;
                let scene = Arc::clone(&scene);
                writers.push(tokio::spawn(async move {
                    for _ in 0..count {
                        write(&scene.house, &scene.anna, scene.room, "x").await;
                    }
                }));
            }
            Act::Turns(count) => {
                for _ in 0..count {
                    yield_now().await;
                }
            }
            Act::Take(count) => {
                for _ in 0..count {
                    while let Some(event) = reader.client.heard.pop_front() {
                        reader.has.extend(positions(&[event]));
                    }
                    match reader.client.from.try_recv() {
                        Ok(Sent::Text(text)) => reader.note(serde_json::from_str(&text).unwrap()),
                        _ => break,
                    }
                }
            }
            Act::Return => {
                reader.client.task.abort();
                reader = Reader::come(&scene, reader.has).await;
            }
            Act::JoinAgain => {
                // All that was sent before the answer is on its way already.
                let after = reader.has.last().copied().unwrap_or(0);
                let join = json!({ "type": "join_room", "room_id": scene.room, "after": after });
                reader.client.ask(join).await;
                // What came before the answer comes again: joining anew is reading anew.
                reader.client.heard.clear();
            }
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let all = u64::try_from(written).unwrap();
    while reader.has.last().copied().unwrap_or(0) < all {
        // Far longer than it takes: what does not come by then never comes.
        let next = tokio::time::timeout(Duration::from_secs(60), reader.client.next()).await;
        match next {
            Ok(event) => reader.note(event.expect("it goes on")),
            Err(_) => return reader.has,
        }
    }
    // Nothing comes twice afterwards either.
    let rest = reader.client.all().await;
    reader.has.extend(positions(&rest));
    reader.has
}

fn acts_written(acts: &[Act]) -> u64 {
    let of = |act: &Act| if let Act::Write(count) = act { *count } else { 0 };
    acts.iter().map(of).map(|count| u64::try_from(count).unwrap()).sum()
}

fn whole(positions: &[u64], written: u64) -> bool {
    positions.iter().copied().eq(1..=written)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// However writing, reading, breaking off and full queues interleave.
    #[test]
    fn a_client_that_comes_back_has_every_event_once_and_in_order(
        acts in acts(),
        items_max in prop_oneof![Just(1), Just(2), Just(1_000)],
        threads in any::<bool>(),
    ) {
        use tokio::runtime::Builder;
        // In turns, which shows again what it showed once; and truly at once.
        let mut builder =
            if threads { Builder::new_multi_thread() } else { Builder::new_current_thread() };
        let runtime = builder.worker_threads(2).enable_all().build().unwrap();
        let positions = runtime.block_on(interleave(acts.clone(), items_max));
        let written = acts_written(&acts);
        prop_assert!(whole(&positions, written), "{positions:?} of {written}");
    }
}

#[tokio::test]
async fn what_was_missed_comes_as_it_would_have_come() {
    let scene = Scene::new().await;
    let Scene { house, anna, ben, room, .. } = &scene;
    let (kept, erased) = (EventId::new(1, [1; 10]), EventId::new(1, [2; 10]));
    write(house, anna, *room, &json!({ "content": "helo", "id": kept }).to_string()).await;
    write(house, anna, *room, &json!({ "content": "oops", "id": erased }).to_string()).await;
    for event in [
        json!({ "type": "edit", "target": kept, "content": "hello" }),
        json!({ "type": "edit", "target": erased, "content": "worse" }),
        json!({ "type": "react", "target": kept, "emoji": "👍", "on": true }),
        json!({ "type": "delete", "target": erased }),
    ] {
        write(house, anna, *room, &event.to_string()).await;
    }
    let mut client = Client::new(house, ben);
    // By position in digits, as text, or by the id of a message.
    for (after, expected) in [
        (json!(0), vec![1, 2, 3, 4, 5, 6]),
        (json!("4"), vec![5, 6]),
        (json!(kept), vec![2, 3, 4, 5, 6]),
        (json!(6), vec![]),
    ] {
        let join = json!({ "type": "join_room", "room_id": room, "after": after });
        assert_eq!(client.ask(join).await["position"], 6);
        let mut heard = vec![];
        while heard.len() < expected.len() {
            let event = client.next().await.unwrap();
            if event["type"] != "presence_updated" {
                heard.push(event);
            }
        }
        assert_eq!(positions(&heard), expected);
        if heard.len() == 6 {
            let types: Vec<_> = heard.iter().map(|event| event["type"].as_str().unwrap()).collect();
            let gone = "message_deleted";
            let told = ["message_created", gone, "message_updated", gone, "reaction_added", gone];
            assert_eq!(types, told);
            assert_eq!(heard[1]["message_id"], json!(erased));
            assert!(!json!(heard).to_string().contains("oops"), "{heard:?}");
        }
    }
    let join = |after: Value| json!({ "type": "join_room", "room_id": room, "after": after });
    for bad in [json!(7), json!("x"), json!(-1), json!({}), json!(EventId::new(1, [9; 10]))] {
        assert_eq!(client.try_ask(join(bad)).await.unwrap_err(), "bad_place");
    }
    scene.post(anna, json!({ "content": "still here" })).await;
    assert_eq!(client.hear("message_created").await["message"]["position"], 7);
}

#[tokio::test]
async fn a_newcomer_sees_nothing_of_what_was_before_them_where_the_room_says_so() {
    let scene = Scene::new().await;
    let Scene { house, anna, cleo, room, .. } = &scene;
    let old = EventId::new(1, [1; 10]);
    write(house, anna, *room, &json!({ "content": "secret", "id": old }).to_string()).await;
    let history = History::SinceJoin;
    house
        .change(vec![Edit::SetHistory { room: *room, history, keep_days: 0, keep_bytes: 0 }])
        .await;
    let now = crate::testing::BEGINS_MS;
    let state = house.app.membership.room(*room).unwrap();
    let put = crate::accounts::member(&state.room, cleo.id, RoomRole::Member, now);
    let mut change = hearth_store::Change::of(vec![Edit::PutMember(put)], now);
    let joined = hearth_protocol::event::Line::Joined { user: cleo.id, by: None };
    change.line(*room, joined, EventId::new(now, [3; 10]));
    house.app.store.change(change).await.unwrap();
    let mut client = Client::new(house, cleo);
    client.ask(json!({ "type": "join_room", "room_id": room, "after": 0 })).await;
    // Their own coming is the first that they see.
    assert_eq!(client.hear("user_joined").await["position"], 2);
    let edit = json!({ "type": "edit", "target": old, "content": "a new secret" });
    write(house, anna, *room, &edit.to_string()).await;
    write(house, anna, *room, "for all").await;
    let created = client.hear("message_created").await;
    assert_eq!(created["message"]["content"], "for all");
    let rest = client.all().await;
    assert!(!json!(rest).to_string().contains("secret"), "{rest:?}");
    // Nor when it is read from the store.
    client.ask(json!({ "type": "join_room", "room_id": room, "after": 0 })).await;
    assert_eq!(client.hear("user_joined").await["position"], 2);
    assert_eq!(client.hear("message_created").await["message"]["content"], "for all");
    assert!(!json!(client.all().await).to_string().contains("secret"));
}
