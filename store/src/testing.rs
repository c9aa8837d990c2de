//! For unit tests: a store in three words, on each engine, and things to put into it.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;

use bytes::Bytes;
use hearth_protocol::event::{Class, Line, Sender};
use hearth_protocol::ids::{
    AttachmentId, DeviceId, EventId, GrantId, InviteCode, Position, RoomId, SessionId, TokenId,
    UserId,
};
use hearth_protocol::limits::Limits;
use hearth_protocol::presence::PresenceChoice;
use hearth_protocol::role::{HouseRole, RoomRole, RoomType, Sealing};
use hearth_protocol::sealing::password::Cost;
use tokio::sync::Semaphore;

use crate::engine::{Batch, BoxFuture, Engine, EngineError, Order, Range, Row, Snapshot};
pub use crate::hurt::Hurt;
use crate::sim_disk::SimDisk;
use crate::*;

/// Asserts that the store said no, and how.
macro_rules! refused {
    ($result:expr, $variant:ident) => {
        let result = $result;
        assert!(matches!(result, Err(crate::StoreError::$variant { .. })), "{result:?}");
    };
}
pub(crate) use refused;

/// Runs a test on a store over each engine.
pub fn on_each_engine<F: Future<Output = ()>>(test: impl Fn(Store) -> F) {
    for engine in [Arc::new(Memory::new()) as Arc<dyn Engine>, Arc::new(redb())] {
        block_on(async {
            let store = Store::open(engine, Arc::new(Limits::default())).await.unwrap();
            test(store.clone()).await;
            store.close().await;
        });
    }
}

/// redb on a disk in memory.
pub fn redb() -> Redb {
    Redb::open(Arc::new(SimDisk::new()), &DataKey::from_bytes([7; 32]), 1 << 20).unwrap()
}

/// Runs a future to its end.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Begins all in their order, then waits for all.
pub async fn join_all<T>(mut futures: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    let mut answers: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, answer) in futures.iter_mut().zip(&mut answers) {
            if answer.is_none()
                && let Poll::Ready(done) = future.as_mut().poll(context)
            {
                *answer = Some(done);
            }
        }
        if answers.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    answers.into_iter().flatten().collect()
}

/// Does something with each number below `count`, on all cores; the answers in their order.
pub fn on_all_cores<T: Send>(count: usize, work: impl Fn(usize) -> T + Send + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let some = || {
        let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let numbers = numbers.take_while(|number| *number < count);
        numbers.map(|number| (number, work(number))).collect::<Vec<_>>()
    };
    let mut done: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(some)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, answer)| answer).collect()
}

macro_rules! numbered {
    ($($name:ident: $id:ident;)+) => {
        $(pub fn $name(number: u8) -> $id {
            $id::from_bytes([number; 16])
        })+
    };
}

numbered! {
    user_id: UserId;
    room_id: RoomId;
    device_id: DeviceId;
    event_id: EventId;
    session_id: SessionId;
    token_id: TokenId;
    grant_id: GrantId;
    attachment_id: AttachmentId;
}

pub fn code(number: u8) -> InviteCode {
    InviteCode::new([number; 10])
}

pub fn user(number: u8, name: &str) -> User {
    User {
        id: user_id(number),
        name: name.into(),
        display_name: name.into(),
        avatar: None,
        status_text: String::new(),
        presence: PresenceChoice::Online,
        role: HouseRole::Member,
        blocked: false,
        guest_until: None,
        created_at: 1,
        last_seen: 0,
        login: Login { salt: [number; 16], cost: Cost::default(), verifier: [number; 32] },
    }
}

pub fn room(number: u8) -> Room {
    Room {
        id: room_id(number),
        name: format!("room {number}"),
        description: String::new(),
        kind: RoomType::Private,
        sealing: Sealing::Sealed,
        general: false,
        created_at: 5,
        created_by: user_id(1),
        version: 0,
        epoch: 0,
        rotation_due: false,
        first_position: Position(1),
        last_message_at: 5,
        direct: None,
        history: History::All,
        keep_days: 0,
        keep_bytes: 0,
        pins: vec![],
    }
}

pub fn member(room: u8, user: u8) -> Member {
    Member {
        room: room_id(room),
        user: user_id(user),
        role: RoomRole::Member,
        joined_at: 9,
        joined_position: Position::START,
        notify: Notify::All,
    }
}

pub fn device(number: u8, room: u8, name: &str) -> Device {
    Device {
        id: device_id(number),
        room: room_id(room),
        name: name.into(),
        token_hash: [number; 32],
        created_at: 3,
        created_by: user_id(1),
        door_epoch: 0,
        last_post_at: 0,
        plain: Plain::Refuse,
    }
}

pub fn contact(user: u8, other: u8) -> Contact {
    Contact { user: user_id(user), other: user_id(other), since: 7, note: String::new() }
}

pub fn joined(user: u8) -> Line {
    Line::Joined { user: user_id(user), by: None }
}

/// An event of user 1 in room 1, checked against version 1, with the id of its number.
pub fn event(number: u8) -> NewEvent {
    NewEvent {
        room: room_id(1),
        id: Some(event_id(number)),
        sender: Sender::Person(user_id(1)),
        class: Class::Event,
        kind: EventKind::Text,
        parent: None,
        effect: Effect::None,
        body: Bytes::from(format!("body {number}")),
        at_ms: 1_000 + u64::from(number),
        once: Once::Id,
        checked: 1,
        fresh_id: event_id(number.wrapping_add(128)),
    }
}

impl Store {
    /// Every row there is, keys and values.
    pub async fn rows(&self) -> Vec<Row> {
        self.scan_all(Range::prefix(Bytes::new())).await.unwrap()
    }

    /// A store on an engine, with default limits.
    pub async fn on(engine: impl Engine + 'static) -> Store {
        Store::open(Arc::new(engine), Arc::new(Limits::default())).await.unwrap()
    }

    /// Makes a change of these edits.
    pub async fn make(&self, edits: Vec<Edit>) -> Result<Vec<StoredEvent>, StoreError> {
        self.change(Change::of(edits, 100)).await
    }

    /// Users 1 to 3, Anna, Bob and Cem, and room 1 (version 1) without members.
    pub async fn with_people(self) -> Store {
        let people = [user(1, "Anna"), user(2, "Bob"), user(3, "Cem")];
        self.make(people.map(Edit::PutUser).into()).await.unwrap();
        self.make(vec![Edit::PutRoom(room(1))]).await.unwrap();
        self
    }
}

/// What the listener was told, in order.
#[derive(Debug, Default)]
pub struct Told(pub Mutex<Vec<String>>);

impl Told {
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Committed for Told {
    fn events(&self, events: &[StoredEvent]) {
        let events = events.iter().map(|event| format!("event {}", event.position));
        self.0.lock().unwrap().extend(events);
    }

    fn changed(&self, change: &Change, rooms: &[Room]) {
        let versions: Vec<_> = rooms.iter().map(|room| room.version).collect();
        let told = format!("changed {} edits, versions {versions:?}", change.edits.len());
        self.0.lock().unwrap().push(told);
    }
}

/// An edit, a reaction or an erasure by user 1 in room 1, with the id of its number.
pub fn effect(number: u8, kind: EventKind, effect: Effect) -> NewEvent {
    NewEvent { kind, effect, ..event(number) }
}

pub fn edit(number: u8, target: u8) -> NewEvent {
    effect(number, EventKind::Edit, Effect::Edit { target: event_id(target) })
}

pub fn react(number: u8, target: u8, emoji: &str, on: bool) -> NewEvent {
    let emoji = emoji.to_string();
    effect(number, EventKind::React, Effect::React { target: event_id(target), emoji, on })
}

pub fn erase(number: u8, target: u8, right: Right) -> NewEvent {
    let erase =
        Effect::Erase { target: event_id(target), right, reason: Some("wrong room".into()) };
    effect(number, EventKind::Delete, erase)
}

/// The same event by another person.
pub fn by(user: u8, event: NewEvent) -> NewEvent {
    NewEvent { sender: Sender::Person(user_id(user)), ..event }
}

/// An engine that commits when it is let, and fails when it is told.
pub struct Gated {
    pub memory: Memory,
    pub gate: Semaphore,
    pub commits: AtomicUsize,
    pub fails: AtomicUsize,
    /// A failing commit is there all the same, as after a sync that failed too late.
    pub lies: bool,
}

impl Gated {
    pub fn new(permits: usize) -> Self {
        Self {
            memory: Memory::new(),
            gate: Semaphore::new(permits),
            commits: AtomicUsize::new(0),
            fails: AtomicUsize::new(0),
            lies: false,
        }
    }
}

impl Engine for Arc<Gated> {
    fn get(&self, key: Bytes) -> BoxFuture<'_, Result<Option<Bytes>, EngineError>> {
        self.memory.get(key)
    }

    fn scan(
        &self,
        range: Range,
        order: Order,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Row>, EngineError>> {
        self.memory.scan(range, order, limit)
    }

    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, EngineError>> {
        self.memory.snapshot()
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), EngineError>> {
        Box::pin(async move {
            self.gate.acquire().await.unwrap().forget();
            self.commits.fetch_add(1, Ordering::SeqCst);
            let fails = self.fails.load(Ordering::SeqCst);
            if fails == 0 {
                return self.memory.commit(batch).await;
            }
            self.fails.store(fails - 1, Ordering::SeqCst);
            if self.lies {
                self.memory.commit(batch).await?;
            }
            Err(EngineError::Closed("told to fail".into()))
        })
    }
}
