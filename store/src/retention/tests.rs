//! What goes by itself: how much, in how small steps, and that nothing else goes with it.

use std::sync::Arc;

use bytes::Bytes;
use hearth_protocol::event::{Class, Sender};
use hearth_protocol::ids::{EventId, Position};
use hearth_protocol::limits::{Limits, days_ms};

use crate::testing::*;
use crate::*;

fn keep(days: usize, bytes: u64) -> Vec<Edit> {
    let (room, history) = (room_id(1), History::All);
    vec![Edit::SetHistory { room, history, keep_days: days, keep_bytes: bytes }]
}

/// Sweeps room 1 to the end; gives the number of commits that removed something.
async fn sweep(store: &Store, at_ms: u64) -> usize {
    let mut commits = 0;
    let mut from = Bytes::new();
    loop {
        let history = Sweep::History { room: room_id(1) };
        let swept = store.sweep(history, from, at_ms).await.unwrap();
        commits += usize::from(swept.rows > 0);
        match swept.next {
            Some(next) => from = next,
            None => return commits,
        }
    }
}

async fn left(store: &Store) -> Vec<u64> {
    let page = store.page(room_id(1), PageQuery::newest(1_000)).await.unwrap();
    page.events.into_iter().map(|event| event.position.0).collect()
}

/// What the rows of a room's events take, counted one by one.
async fn counted(store: &Store) -> u64 {
    let page = store.page(room_id(1), PageQuery::newest(1_000)).await.unwrap();
    page.events.iter().map(record::event_bytes).sum()
}

async fn tally(store: &Store) -> u64 {
    store.heads().get(room_id(1)).unwrap().tally.bytes
}

async fn with_events(store: Store, events: u8) -> Store {
    let store = store.with_people().await;
    for number in 1..=events {
        let at_ms = days_ms(usize::from(number));
        store.append(NewEvent { at_ms, ..event(number) }).await.unwrap();
    }
    store
}

#[test]
fn what_is_older_than_its_days_goes_and_its_position_never_comes_back() {
    on_each_engine(|store| async {
        let store = with_events(store, 5).await;
        assert_eq!(sweep(&store, days_ms(900)).await, 0, "a room keeps all unless it is told");
        store.make(keep(2, 0)).await.unwrap();
        assert_eq!(sweep(&store, days_ms(5)).await, 1);
        assert_eq!(left(&store).await, [3, 4, 5], "two days old is not older than two days");
        let room = store.room(room_id(1)).await.unwrap().unwrap();
        assert_eq!((room.first_position, room.version), (Position(3), 2));
        assert_eq!(store.event(event_id(1)).await.unwrap(), None);
        let below = store.page(room_id(1), PageQuery::after(Position::START, 2)).await.unwrap();
        assert_eq!(below.covered.unwrap().from, Position(3), "a cursor moves on");

        sweep(&store, days_ms(99)).await;
        assert_eq!(left(&store).await, [0; 0]);
        let next = NewEvent { checked: 2, ..event(9) };
        assert_eq!(store.append(next).await.unwrap().position, Position(6));
    });
}

#[test]
fn positions_go_on_after_a_restart_though_no_event_is_left() {
    block_on(async {
        let engine: Arc<dyn Engine> = Arc::new(redb());
        let store = Store::open(engine.clone(), Arc::new(Limits::default())).await.unwrap();
        let store = with_events(store, 3).await;
        store.make(keep(1, 0)).await.unwrap();
        sweep(&store, days_ms(99)).await;
        store.close().await;
        let store = Store::open(engine, Arc::new(Limits::default())).await.unwrap();
        let next = NewEvent { checked: 2, ..event(4) };
        let next = store.append(next).await.unwrap();
        assert_eq!((next.position, next.received_at), (Position(4), days_ms(3)));
    });
}

#[test]
fn the_oldest_go_while_a_room_is_larger_than_its_bytes() {
    on_each_engine(|store| async {
        let store = with_events(store, 9).await;
        assert_eq!(tally(&store).await, counted(&store).await);
        let one = counted(&store).await / 9;
        store.make(keep(0, 4 * one)).await.unwrap();
        sweep(&store, 0).await;
        assert_eq!(left(&store).await, [6, 7, 8, 9]);
        assert_eq!(tally(&store).await, 4 * one);
        sweep(&store, 0).await;
        assert_eq!(left(&store).await, [6, 7, 8, 9], "at its bytes it stays");
        store.append(NewEvent { checked: 2, ..erase(20, 9, Right::Own) }).await.unwrap();
        assert_eq!(tally(&store).await, counted(&store).await, "an erasure frees bytes");
    });
}

#[test]
fn a_room_of_layout_1_is_counted_before_its_size_is_judged() {
    block_on(async {
        let engine = Arc::new(Memory::new());
        let limits = Arc::new(Limits { sweep_rows_max: 2, ..Limits::default() });
        let store = Store::open(engine.clone(), limits.clone()).await.unwrap();
        let store = with_events(store, 5).await;
        let all = counted(&store).await;
        store.close().await;
        let mut batch = Batch::default();
        batch.delete(keys::tally(room_id(1)));
        engine.commit(batch).await.unwrap();

        let store = Store::open(engine, limits).await.unwrap();
        assert_eq!(tally(&store).await, 0);
        store.make(keep(0, all)).await.unwrap();
        sweep(&store, 0).await;
        assert_eq!((tally(&store).await, left(&store).await.len()), (all, 5));
        store.make(keep(0, all - 1)).await.unwrap();
        sweep(&store, 0).await;
        assert_eq!(left(&store).await, [2, 3, 4, 5]);
    });
}

#[test]
fn one_commit_removes_a_bounded_number_of_rows_and_writers_go_between() {
    block_on(async {
        let limits = Limits { sweep_rows_max: 6, ..Limits::default() };
        let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
        let store = with_events(store, 30).await;
        store.make(keep(1, 0)).await.unwrap();
        // Two rows an event: itself and its id.
        let once = Sweep::History { room: room_id(1) };
        let (swept, appended) = tokio::join!(
            store.sweep(once, Bytes::new(), days_ms(99)),
            store.append(NewEvent { checked: 2, at_ms: days_ms(99), ..event(40) }),
        );
        assert_eq!(swept.unwrap().rows, 6);
        assert_eq!(appended.unwrap().position, Position(31));
        assert_eq!(sweep(&store, days_ms(99)).await, 9);
        assert_eq!(left(&store).await, [31]);
    });
}

#[test]
fn all_that_hangs_on_an_event_goes_with_it() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let before = store.rows().await;
        store.append(event(1)).await.unwrap();
        store.append(NewEvent { parent: Some(event_id(1)), ..event(2) }).await.unwrap();
        store.append(edit(3, 1)).await.unwrap();
        store.append(react(4, 1, "👍", true)).await.unwrap();
        store.append(by(2, react(5, 2, "👍", true))).await.unwrap();
        let pin =
            |number| Edit::PutPin { room: room_id(1), message: event_id(number), by: user_id(1) };
        store.make(vec![pin(1), pin(2)]).await.unwrap();
        store.append(NewEvent { checked: 2, ..erase(6, 2, Right::Own) }).await.unwrap();
        store.make(keep(1, 0)).await.unwrap();
        sweep(&store, days_ms(99)).await;
        let after: Vec<_> = store.rows().await.into_iter().map(|(key, _)| key).collect();
        let before: Vec<_> = before.into_iter().map(|(key, _)| key).collect();
        assert_eq!(after, before);
        assert!(store.room(room_id(1)).await.unwrap().unwrap().pins.is_empty());
    });
}

#[test]
fn a_damaged_stretch_goes_with_what_came_after_it() {
    block_on(async {
        let engine = Arc::new(Hurt::default());
        let store = with_events(Store::on(engine.clone()).await, 9).await;
        engine.hurt(room_id(1), [2, 3, 9]);
        store.make(keep(2, 0)).await.unwrap();
        sweep(&store, days_ms(7)).await;
        assert_eq!(left(&store).await, [5, 6, 7, 8]);
        let page = store.page(room_id(1), PageQuery::newest(99)).await.unwrap();
        assert_eq!(page.damaged, [Span { from: Position(9), to: Position(9) }]);
    });
}

#[test]
fn damage_that_is_longer_than_a_step_holds_no_sweep_up() {
    block_on(async {
        let engine = Arc::new(Hurt::default());
        let limits = Arc::new(Limits { sweep_rows_max: 2, ..Limits::default() });
        let store = Store::open(Arc::new(engine.clone()), limits).await.unwrap();
        let store = with_events(store, 9).await;
        engine.hurt(room_id(1), 1..=7);
        store.make(keep(1, 0)).await.unwrap();
        sweep(&store, days_ms(10)).await;
        assert_eq!(left(&store).await, [9]);
    });
}

#[test]
fn a_room_that_decides_nothing_keeps_what_the_settings_say() {
    on_each_engine(|store| async {
        let store = with_events(store, 5).await;
        let days = |version, retention_days| {
            let settings = Settings { version, retention_days, ..Settings::default() };
            vec![Edit::SwapSettings { expected: version - 1, settings }]
        };
        store.make(days(1, 2)).await.unwrap();
        store.make(keep(9, 0)).await.unwrap();
        assert_eq!(sweep(&store, days_ms(5)).await, 0, "the room's own days hold");
        store.make(keep(0, 0)).await.unwrap();
        sweep(&store, days_ms(5)).await;
        assert_eq!(left(&store).await, [3, 4, 5]);
        store.make(days(2, 0)).await.unwrap();
        assert_eq!(sweep(&store, days_ms(900)).await, 0, "0 is for ever");
    });
}

#[test]
fn a_removed_room_is_gone_at_once_and_its_rows_bit_by_bit() {
    block_on(async {
        let limits = Limits { sweep_rows_max: 5, ..Limits::default() };
        let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
        let store = store.with_people().await;
        store.make(vec![Edit::PutRoom(room(2)), Edit::PutMember(member(2, 1))]).await.unwrap();
        let before: Vec<_> = store.rows().await.into_iter().map(|(key, _)| key).collect();
        store.make(vec![Edit::PutMember(member(1, 1))]).await.unwrap();
        store.make(vec![Edit::PutDevice(device(1, 1, "washer"))]).await.unwrap();
        let now = |event: NewEvent| NewEvent { checked: 3, ..event };
        for number in 1..=9 {
            store.append(now(event(number))).await.unwrap();
        }
        store.append(now(react(20, 3, "👍", true))).await.unwrap();
        let remove = || Edit::RemoveRoom { room: room_id(1), by: user_id(1) };
        let with_device = store.make(vec![remove()]).await;
        assert!(matches!(with_device, Err(StoreError::Invalid { .. })));
        store.make(vec![Edit::RemoveDevice(device_id(1)), remove()]).await.unwrap();

        assert!(store.room(room_id(1)).await.unwrap().is_none());
        assert!(store.members(room_id(1)).await.unwrap().is_empty());
        assert_eq!(store.memberships(user_id(1)).await.unwrap().len(), 1);
        assert!(store.event(event_id(1)).await.unwrap().is_none());
        assert!(matches!(store.append(event(50)).await, Err(StoreError::NotFound { .. })));
        let again = store.make(vec![Edit::PutRoom(room(1))]).await;
        assert!(matches!(again, Err(StoreError::IdTaken { .. })), "its id is never a room's again");

        let (mut commits, mut from) = (0, Bytes::new());
        while let Some(next) = store.sweep(Sweep::RemovedRooms, from, 0).await.unwrap().next {
            (commits, from) = (commits + 1, next);
        }
        assert!(commits > 2, "{commits} commits");
        let mut after: Vec<_> = store.rows().await.into_iter().map(|(key, _)| key).collect();
        after.retain(|key| *key != keys::removed(room_id(1)));
        let mut before = before;
        before.retain(|key| ![keys::room(room_id(1)), keys::tally(room_id(1))].contains(key));
        assert_eq!(after, before);
        let freed = NewEvent { room: room_id(2), ..event(1) };
        assert!(!store.append(freed).await.unwrap().duplicate, "ids of events are free again");
        assert!(matches!(
            store.make(vec![Edit::PutRoom(room(1))]).await,
            Err(StoreError::IdTaken { .. })
        ));
    });
}

#[test]
fn the_general_room_stays() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        store.make(vec![Edit::PutRoom(Room { general: true, ..room(2) })]).await.unwrap();
        let remove = Edit::RemoveRoom { room: room_id(2), by: user_id(1) };
        let done = store.make(vec![remove]).await;
        assert!(matches!(done, Err(StoreError::Rule(Rule::General))));
    });
}

#[test]
fn what_remembers_posts_and_packets_goes_after_its_time() {
    block_on(async {
        let limits = Limits { sweep_rows_max: 3, session_expiry_s_max: 2, ..Limits::default() };
        let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
        let store = store.with_people().await;
        store.make(vec![Edit::PutDevice(device(1, 1, "washer"))]).await.unwrap();
        for number in 1..=7 {
            let once = Once::Hash { sha256: [number; 32], within_ms: 100 };
            let (sender, class) = (Sender::Device(device_id(1)), Class::Door);
            let post = NewEvent { id: None, sender, class, once, checked: 2, ..event(number) };
            store.append(post).await.unwrap();
            let once = Once::Qos2 { session: "phone".into(), packet_id: number.into() };
            let packet = NewEvent { id: None, once, checked: 2, ..event(number) };
            let fresh_id = EventId::from_bytes([number + 60; 16]);
            store.append(NewEvent { fresh_id, ..packet }).await.unwrap();
        }
        // Events 1 to 7 came at 1,001 to 1,007.
        let sweep = async |at_ms| store.sweep_all(Sweep::OnceKeys { post_ms: 100 }, at_ms).await;
        assert_eq!(sweep(1_100).await, 0);
        assert_eq!(sweep(1_103).await, 3);
        assert_eq!(sweep(3_005).await, 4 + 5);
        assert_eq!(sweep(9_999).await, 2);
        assert!(store.scan_all(keys::posts()).await.unwrap().is_empty());
        assert!(store.scan_all(keys::packets()).await.unwrap().is_empty());
    });
}
