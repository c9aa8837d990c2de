//! A disk that is full or says no, under the whole store: positions have no gaps and no doubles,
//! and what was refused is not there.

use std::sync::Arc;

use hearth_protocol::ids::Position;
use hearth_protocol::limits::Limits;

use crate::engine::BoxFuture;
use crate::sim_disk::{Dice, Fault, SimDisk};
use crate::testing::*;
use crate::*;

async fn open(disk: &Arc<SimDisk>) -> Store {
    let engine = Redb::open(disk.clone(), &DataKey::from_bytes([7; 32]), 1 << 20).unwrap();
    Store::open(Arc::new(engine), Arc::new(Limits::default())).await.unwrap()
}

/// Room 1 or 2.
fn to(room: u8, number: u8) -> NewEvent {
    NewEvent { room: room_id(room), ..event(number) }
}

async fn stored(store: &Store, room: u8) -> Vec<StoredEvent> {
    let query = PageQuery::after(Position::START, usize::MAX);
    store.page(room_id(room), query).await.unwrap().events
}

/// Every room has exactly these events, numbered from 1, and knows their ids.
async fn check(store: &Store, acknowledged: &[Appended], why: &str) {
    let mut found = 0;
    for room in [1, 2] {
        let events = stored(store, room).await;
        for (event, position) in events.iter().zip(1..) {
            assert_eq!(event.position, Position(position), "{why}");
            let known = store.event(event.id).await.unwrap();
            assert_eq!(known.as_ref(), Some(event), "{why}");
            let promised = acknowledged.iter().filter(|appended| appended.id == event.id);
            let positions: Vec<_> = promised.map(|appended| appended.position).collect();
            assert_eq!(positions, [event.position], "{why}");
        }
        assert_eq!(store.head(room_id(room)).await.unwrap().0, events.len() as u64, "{why}");
        found += events.len();
    }
    assert_eq!(found, acknowledged.len(), "{why}");
}

/// Appends pairs of events, with a fault on the way; how many appends failed.
async fn script(nth: u64, fault: Fault, lasting: bool) -> usize {
    let why = format!("{fault:?} {nth}, lasting: {lasting}");
    let disk = Arc::new(SimDisk::new());
    let store = open(&disk).await.with_people().await;
    store.make(vec![Edit::PutRoom(room(2))]).await.unwrap();
    if lasting {
        disk.fail_from(nth, fault)
    } else {
        disk.fail_nth(nth, fault)
    }
    let (mut acknowledged, mut failed) = (vec![], 0);
    for number in 0..6 {
        let events = [to(1, 2 * number), to(2, 2 * number + 1)];
        let [one, two] = events.clone().map(|event| store.append(event));
        for (answer, event) in <[_; 2]>::from(tokio::join!(one, two)).into_iter().zip(events) {
            let appended = match answer {
                Ok(appended) => appended,
                Err(error) => {
                    failed += 1;
                    assert!(matches!(error, StoreError::Engine(_)), "{why}: {error:?}");
                    disk.mend();
                    assert!(store.event(event.id.unwrap()).await.unwrap().is_none(), "{why}");
                    store.append(event).await.unwrap_or_else(|error| panic!("{why}: {error}"))
                }
            };
            assert!(!appended.duplicate, "{why}");
            acknowledged.push(appended);
        }
    }
    check(&store, &acknowledged, &why).await;
    store.close().await;
    drop(store);
    let image = disk.after_power_cut(&mut Dice::new(nth));
    check(&open(&Arc::new(SimDisk::holding(image))).await, &acknowledged, &why).await;
    failed
}

#[test]
fn a_disk_that_fails_costs_no_position_and_gives_none_twice() {
    for (fault, lasting) in
        [(Fault::Error, false), (Fault::Full, false), (Fault::Error, true), (Fault::Full, true)]
    {
        let mut hit = 0;
        for nth in 1..=50 {
            let failed = block_on(script(nth, fault, lasting));
            assert!(failed <= 2, "{fault:?} {nth}: it recovers by itself");
            hit += usize::from(failed > 0);
        }
        assert!(hit > 0, "{fault:?}: none of 50 failed an append");
    }
}

#[test]
fn a_full_disk_says_what_to_do_and_is_written_to_again_when_there_is_room() {
    block_on(async {
        let disk = Arc::new(SimDisk::new());
        let store = open(&disk).await.with_people().await;
        disk.fail_from(1, Fault::Full);
        let big = |number| NewEvent { body: vec![b'x'; 60_000].into(), ..event(number) };
        let mut numbers = 1..;
        let error = loop {
            if let Err(error) = store.append(big(numbers.next().unwrap())).await {
                break error;
            }
        };
        assert!(error.to_string().contains("make room"), "{error}");
        let before = stored(&store, 1).await;
        assert!(store.append(big(200)).await.is_err());
        assert_eq!(stored(&store, 1).await, before, "reads go on, and nothing new is there");
        disk.mend();
        let next = store.append(big(200)).await.unwrap().position;
        assert_eq!(next.0, before.len() as u64 + 1);
    });
}

#[test]
fn whoever_needs_a_damaged_page_is_refused_alone() {
    block_on(async {
        let engine = Arc::new(Hurt::default());
        let store = Store::on(engine.clone()).await.with_people().await;
        store.touch(Touch::User(user_id(1)), 80);
        let bad = event(3);
        engine.rows.lock().unwrap().insert(keys::event_id(bad.id.unwrap()));
        let appends =
            (0..6).map(|number| -> BoxFuture<'_, _> { Box::pin(store.append(event(number))) });
        let answers = join_all(appends.collect()).await;
        for (number, answer) in answers.iter().enumerate() {
            assert_eq!(answer.is_ok(), number != 3, "{number}: {answer:?}");
        }
        let positions: Vec<_> = stored(&store, 1).await.iter().map(|e| e.position.0).collect();
        assert_eq!(positions, [1, 2, 3, 4, 5]);
        // Where the row of a last use does not read or take it, only that is lost.
        engine.rows.lock().unwrap().insert(keys::user(user_id(1)));
        store.touch(Touch::User(user_id(1)), 90);
        store.append(event(7)).await.unwrap();
    });
}
