//! What the appender owes: one numbering, one batch, nothing told before it is durable.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use hearth_protocol::event::{Class, Sender};
use hearth_protocol::ids::Position;
use hearth_protocol::limits::Limits;

use crate::testing::*;
use crate::*;

/// Polls once, as somebody does who then gives up.
fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

async fn position(store: &Store, event: NewEvent) -> u64 {
    let appended = store.append(event).await.unwrap();
    assert!(!appended.duplicate);
    appended.position.0
}

#[test]
fn events_are_numbered_from_one_without_gaps() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        for number in 1..=5 {
            assert_eq!(position(&store, event(number)).await, u64::from(number));
        }
        assert_eq!(store.head(room_id(1)).await.unwrap(), Position(5));
        let missing = NewEvent { room: room_id(9), ..event(6) };
        assert!(matches!(store.append(missing).await, Err(StoreError::NotFound { .. })));
    });
}

#[test]
fn a_known_id_is_the_same_event_from_its_sender_and_taken_for_others() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        store.make(vec![Edit::PutRoom(room(2))]).await.unwrap();
        let first = store.append(event(1)).await.unwrap();
        let again = NewEvent { at_ms: 9_999, body: "other".into(), ..event(1) };
        let known = Appended { duplicate: true, ..first };
        assert_eq!(store.append(again.clone()).await.unwrap(), known);
        // Whatever the room's version is by now.
        store.make(vec![Edit::PutMember(member(1, 1))]).await.unwrap();
        assert_eq!(store.append(again).await.unwrap(), known);
        let others = [
            NewEvent { sender: Sender::Person(user_id(2)), ..event(1) },
            NewEvent { room: room_id(2), ..event(1) },
        ];
        for other in others {
            assert!(matches!(store.append(other).await, Err(StoreError::IdTaken { .. })));
        }
        assert_eq!(store.event(event_id(1)).await.unwrap().unwrap().body, "body 1");
        assert_eq!(store.head(room_id(1)).await.unwrap(), Position(1));
    });
}

#[test]
fn in_one_batch_the_second_of_two_equal_events_is_the_duplicate() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let mine = event(1);
        let theirs = NewEvent { sender: Sender::Person(user_id(2)), ..event(1) };
        let (first, second, other, next) = tokio::join!(
            store.append(mine.clone()),
            store.append(mine),
            store.append(theirs),
            store.append(event(2)),
        );
        let first = first.unwrap();
        assert_eq!(second.unwrap(), Appended { duplicate: true, ..first });
        assert!(matches!(other, Err(StoreError::IdTaken { .. })));
        assert_eq!(next.unwrap().position, Position(2));
    });
}

#[test]
fn an_event_checked_against_another_version_is_stale() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        store.make(vec![Edit::PutMember(member(1, 1))]).await.unwrap();
        assert!(matches!(store.append(event(1)).await, Err(StoreError::Stale { .. })));
        assert_eq!(position(&store, NewEvent { checked: 2, ..event(1) }).await, 1);
    });
}

#[test]
fn the_time_of_a_room_never_runs_backwards() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let mut times = vec![];
        for (number, at_ms) in [(1, 500), (2, 100), (3, 501)] {
            let event = NewEvent { at_ms, ..event(number) };
            times.push(store.append(event).await.unwrap().received_at);
        }
        assert_eq!(times, [500, 500, 501]);
        assert_eq!(store.room(room_id(1)).await.unwrap().unwrap().last_message_at, 501);
    });
}

#[test]
fn a_packet_is_stored_once_until_it_is_released() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let packet = |number: u8, body: &'static str| NewEvent {
            id: None,
            body: body.into(),
            once: Once::Qos2 { session: "phone".into(), packet_id: 7 },
            ..event(number)
        };
        let first = store.append(packet(1, "ok")).await.unwrap();
        let known = Appended { duplicate: true, ..first };
        assert_eq!(store.append(packet(2, "ok")).await.unwrap(), known);
        store.release_packet("phone", 7).await.unwrap();
        store.release_packet("phone", 7).await.unwrap();
        assert_eq!(position(&store, packet(3, "ok")).await, 2);
        // Another text under a packet id that was never released is another message.
        assert_eq!(position(&store, packet(4, "other")).await, 3);
        let theirs = NewEvent { sender: Sender::Person(user_id(2)), ..packet(5, "other") };
        assert_eq!(position(&store, theirs).await, 4);
    });
}

#[test]
fn a_post_is_the_same_one_for_a_while() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        store.make(vec![Edit::PutDevice(device(1, 1, "washer"))]).await.unwrap();
        let post = |number: u8, at_ms: u64, hash: u8| NewEvent {
            id: None,
            sender: Sender::Device(device_id(1)),
            class: Class::Door,
            at_ms,
            checked: 2,
            once: Once::Hash { sha256: [hash; 32], within_ms: 600 },
            ..event(number)
        };
        assert_eq!(position(&store, post(1, 1_000, 1)).await, 1);
        assert!(store.append(post(2, 1_599, 1)).await.unwrap().duplicate);
        assert_eq!(position(&store, post(3, 1_599, 2)).await, 2);
        assert_eq!(position(&store, post(4, 1_600, 1)).await, 3);
        assert!(store.append(post(5, 2_000, 1)).await.unwrap().duplicate);
        let device = store.device(device_id(1)).await.unwrap().unwrap();
        assert_eq!(device.last_post_at, 1_600, "written with the post");
    });
}

#[test]
fn all_that_waits_is_one_batch_and_told_in_order_before_it_is_answered() {
    block_on(async {
        let engine = Arc::new(Gated::new(3));
        let store = Store::on(engine.clone()).await.with_people().await;
        let told = Arc::new(Told::default());
        store.listen(told.clone());
        let before = engine.commits.load(Ordering::SeqCst);
        let asked = (1..=100).map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.append(event(number)).await })
        });
        let asked: Vec<_> = asked.collect();
        tokio::task::yield_now().await;
        assert!(told.all().is_empty(), "nothing is durable yet");
        engine.gate.add_permits(2);
        for (number, asked) in (1..=100).zip(asked) {
            assert_eq!(asked.await.unwrap().unwrap().position, Position(number));
            assert!(told.all().contains(&format!("event {number}")));
        }
        let commits = engine.commits.load(Ordering::SeqCst) - before;
        assert!(commits <= 2, "{commits} commits for 100 waiting appends");
        let in_order: Vec<_> = (1..=100).map(|number| format!("event {number}")).collect();
        assert_eq!(told.all(), in_order);
    });
}

#[test]
fn changes_and_events_keep_the_order_in_which_they_were_asked_for() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let told = Arc::new(Told::default());
        store.listen(told.clone());
        let mut join = Change::of(vec![Edit::PutMember(member(1, 2))], 50);
        join.line(room_id(1), joined(2), event_id(200));
        let late = NewEvent { checked: 2, ..event(3) };
        let (one, lines, stale, late) = tokio::join!(
            store.append(event(1)),
            store.change(join),
            store.append(event(2)),
            store.append(late),
        );
        assert_eq!(one.unwrap().position, Position(1));
        let lines = lines.unwrap();
        assert_eq!((lines[0].position, lines[0].received_at), (Position(2), 1_001));
        assert_eq!((lines[0].sender, lines[0].class), (Sender::Box, Class::Line));
        assert!(matches!(stale, Err(StoreError::Stale { .. })));
        assert_eq!(late.unwrap().position, Position(3));
        let expected = ["event 1", "changed 1 edits, versions [2]", "event 2", "event 3"];
        assert_eq!(told.all(), expected);
        let there = store.member(room_id(1), user_id(2)).await.unwrap().unwrap();
        assert_eq!(there.joined_position, Position(2), "the line that tells of it");
    });
}

#[test]
fn an_append_that_nobody_waits_for_any_more_is_stored_all_the_same() {
    block_on(async {
        let engine = Arc::new(Gated::new(3));
        let store = Store::on(engine.clone()).await.with_people().await;
        {
            let mut given_up = pin!(store.append(event(1)));
            assert!(poll_once(given_up.as_mut()).is_pending());
        }
        engine.gate.add_permits(9);
        assert_eq!(position(&store, event(2)).await, 2);
        assert!(store.append(event(1)).await.unwrap().duplicate);
    });
}

#[test]
fn whoever_comes_when_enough_wait_waits_outside() {
    block_on(async {
        let engine = Arc::new(Gated::new(3));
        let limits = Limits { appends_waiting_max: 2, batch_events_max: 1, ..Limits::default() };
        let store = Store::open(Arc::new(engine.clone()), Arc::new(limits)).await.unwrap();
        let store = store.with_people().await;
        let mut asked: Vec<_> =
            (1..=6).map(|number| Box::pin(store.append(event(number)))).collect();
        for asked in &mut asked {
            assert!(poll_once(asked.as_mut()).is_pending());
            tokio::task::yield_now().await;
        }
        assert_eq!(store.waiting(), 2);
        engine.gate.add_permits(99);
        for (number, asked) in (1..=6).zip(asked) {
            assert_eq!(asked.await.unwrap().position, Position(number));
        }
    });
}

#[test]
fn a_commit_that_fails_is_told_to_all_and_takes_no_position() {
    for lies in [false, true] {
        block_on(async {
            let engine = Arc::new(Gated { lies, ..Gated::new(99) });
            let store = Store::on(engine.clone()).await.with_people().await;
            let told = Arc::new(Told::default());
            store.listen(told.clone());
            engine.fails.store(1, Ordering::SeqCst);
            let failed = store.append(event(1)).await;
            assert!(matches!(failed, Err(StoreError::Engine(_))));
            assert!(told.all().is_empty());
            // An engine that breaks its word is found out: the heads are read again.
            let expected = if lies { 2 } else { 1 };
            assert_eq!(position(&store, event(2)).await, expected);
            assert_eq!(store.append(event(1)).await.unwrap().duplicate, lies);
        });
    }
}

#[test]
fn closing_commits_what_waits_and_takes_nothing_more() {
    block_on(async {
        let engine = Arc::new(Gated::new(3));
        let store = Store::on(engine.clone()).await.with_people().await;
        let mut waiting = Box::pin(store.append(event(1)));
        assert!(poll_once(waiting.as_mut()).is_pending());
        store.touch(Touch::User(user_id(1)), 77);
        engine.gate.add_permits(99);
        store.close().await;
        assert_eq!(waiting.await.unwrap().position, Position(1));
        assert!(matches!(store.append(event(2)).await, Err(StoreError::Closed)));
        assert_eq!(store.user(user_id(1)).await.unwrap().unwrap().last_seen, 77);
        store.close().await;
    });
}

#[test]
fn a_store_that_is_opened_again_goes_on_where_it_was() {
    block_on(async {
        let engine: Arc<dyn Engine> = Arc::new(redb());
        let limits = Arc::new(Limits::default());
        let store = Store::open(engine.clone(), limits.clone()).await.unwrap();
        let store = store.with_people().await;
        store.append(event(1)).await.unwrap();
        let secret = store.secret("jwt").await.unwrap();
        store.close().await;
        let store = Store::open(engine, limits).await.unwrap();
        assert!(store.append(event(1)).await.unwrap().duplicate);
        let early = NewEvent { at_ms: 1, ..event(2) };
        let second = store.append(early).await.unwrap();
        assert_eq!((second.position, second.received_at), (Position(2), 1_001));
        assert_eq!(store.secret("jwt").await.unwrap(), secret);
        assert_ne!(store.secret("params").await.unwrap(), secret);
    });
}

#[test]
fn a_change_is_made_as_a_whole_or_leaves_no_trace() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let mut change = Change::of(vec![], 100);
        change.edits.push(Edit::PutUser(user(4, "Dora")));
        change.edits.push(Edit::PutMember(member(1, 4)));
        change.line(room_id(1), joined(4), event_id(50));
        let mut bad = change.clone();
        bad.edits.push(Edit::PutUser(user(5, "ANNA")));
        assert!(matches!(store.change(bad).await, Err(StoreError::NameTaken { .. })));
        let mut stale = change.clone();
        stale.checks.push((room_id(1), 7));
        assert!(matches!(store.change(stale).await, Err(StoreError::Stale { .. })));
        let mut short = change.clone();
        short.ids.clear();
        assert!(matches!(store.change(short).await, Err(StoreError::Invalid { .. })));
        assert!(store.user(user_id(4)).await.unwrap().is_none());
        assert!(store.members(room_id(1)).await.unwrap().is_empty());
        assert_eq!(store.head(room_id(1)).await.unwrap(), Position::START);

        change.checks.push((room_id(1), 1));
        assert_eq!(store.change(change.clone()).await.unwrap().len(), 1);
        assert_eq!(store.room(room_id(1)).await.unwrap().unwrap().version, 2);
        let mut again = Change::of(vec![], 100);
        again.line(room_id(1), joined(4), event_id(50));
        assert!(matches!(store.change(again).await, Err(StoreError::IdTaken { .. })));
    });
}

#[test]
fn pages_go_both_ways_and_stay_in_their_room() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        store.make(vec![Edit::PutRoom(room(2))]).await.unwrap();
        for number in 1..=9 {
            store.append(event(number)).await.unwrap();
        }
        store.append(NewEvent { room: room_id(2), ..event(20) }).await.unwrap();
        let page = async |before: Option<u64>, after: Option<u64>, limit| {
            let (before, after) = (before.map(Position), after.map(Position));
            let query = PageQuery { before, after, limit, since: Position::START };
            let events = store.page(room_id(1), query).await.unwrap().events;
            events.iter().map(|event| event.position.0).collect::<Vec<_>>()
        };
        assert_eq!(page(None, None, 3).await, [7, 8, 9]);
        assert_eq!(page(Some(7), None, 3).await, [4, 5, 6]);
        assert_eq!(page(Some(2), None, 3).await, [1]);
        assert_eq!(page(Some(1), None, 3).await, [0; 0]);
        assert_eq!(page(None, Some(0), 2).await, [1, 2]);
        assert_eq!(page(None, Some(7), 9).await, [8, 9]);
        assert_eq!(page(None, Some(9), 9).await, [0; 0]);
        assert_eq!(page(Some(6), Some(3), 9).await, [4, 5]);
        assert_eq!(page(None, Some(u64::MAX), 9).await, [0; 0]);
        let newest = store.newest(room_id(1)).await.unwrap().unwrap();
        assert_eq!((newest.position, &newest.body[..]), (Position(9), &b"body 9"[..]));
    });
}
