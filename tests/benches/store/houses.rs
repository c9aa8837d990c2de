//! Stores for the benchmarks: one person, some rooms, and events of 200 bytes.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use hearth_protocol::event::{Class, Sender};
use hearth_protocol::ids::{EventId, Position, RoomId, UserId};
use hearth_protocol::limits::Limits;
use hearth_protocol::presence::PresenceChoice;
use hearth_protocol::role::{HouseRole, RoomRole, RoomType, Sealing};
use hearth_protocol::sealing::password::Cost;
use hearth_store::engine::Row;
use hearth_store::{
    Change, DataKey, Edit, Effect, EventKind, FileDisk, FileFolder, History, Login, Member,
    NewEvent, Notify, Once, Redb, Room, Store, StoredEvent, User, keys, record,
};
use rand::RngExt;

/// As a sealed message of a few words is.
const BODY: [u8; 200] = [b'x'; 200];

pub fn engine(path: &Path, cache_bytes: usize) -> Redb {
    let disk = Arc::new(FileDisk::open(path).unwrap());
    Redb::open(disk, &DataKey::from_bytes([7; 32]), cache_bytes).unwrap()
}

/// The store as `hearth serve` opens it.
pub async fn open(path: &Path) -> Store {
    let limits = Limits::default();
    let engine = engine(path, limits.cache_bytes);
    Store::open(Arc::new(engine), Arc::new(limits)).await.unwrap()
}

/// Moves all rows to a new file without the room of what was deleted.
pub async fn compact(path: &Path) {
    let (folder, disk) = FileFolder::open(path).unwrap();
    let key = DataKey::from_bytes([7; 32]);
    let engine = Redb::open_in(Arc::new(folder), Arc::new(disk), &key, 16 << 20).unwrap();
    engine.compact().await.unwrap();
}

pub async fn close(store: Store) {
    store.close().await;
}

pub fn author() -> UserId {
    UserId::from_bytes([1; 16])
}

pub fn room_id(number: usize) -> RoomId {
    RoomId::from_bytes([u8::try_from(number + 1).unwrap(); 16])
}

/// Rooms from 0 on, with one person in them.
pub async fn furnish(store: &Store, rooms: usize) {
    let user = User {
        id: author(),
        name: "anna".into(),
        display_name: "Anna".into(),
        avatar: None,
        status_text: String::new(),
        presence: PresenceChoice::Online,
        blocked: false,
        guest_until: None,
        role: HouseRole::Member,
        created_at: 1,
        last_seen: 1,
        login: Login { salt: [1; 16], cost: Cost::default(), verifier: [1; 32] },
    };
    store.change(Change::of(vec![Edit::PutUser(user)], 1)).await.unwrap();
    for number in 0..rooms {
        let room = room(number);
        let member = Member {
            room: room.id,
            user: author(),
            role: RoomRole::Member,
            joined_at: 1,
            joined_position: Position::START,
            notify: Notify::All,
        };
        let edits = vec![Edit::PutRoom(room), Edit::PutMember(member)];
        store.change(Change::of(edits, 1)).await.unwrap();
    }
}

fn room(number: usize) -> Room {
    Room {
        id: room_id(number),
        name: format!("room {number}"),
        description: String::new(),
        kind: RoomType::Private,
        sealing: Sealing::Open,
        general: false,
        created_at: 1,
        created_by: author(),
        version: 0,
        epoch: 0,
        rotation_due: false,
        first_position: Position(1),
        last_message_at: 1,
        direct: None,
        history: History::All,
        keep_days: 0,
        keep_bytes: 0,
        pins: vec![],
    }
}

/// An event with a new id.
pub fn event(room: usize, at_ms: u64) -> NewEvent {
    let id = EventId::new(at_ms, rand::rng().random());
    NewEvent {
        room: room_id(room),
        id: Some(id),
        sender: Sender::Person(author()),
        class: Class::Event,
        kind: EventKind::Text,
        parent: None,
        effect: Effect::None,
        body: Bytes::from_static(&BODY),
        at_ms,
        once: Once::Id,
        checked: 1,
        fresh_id: id,
    }
}

/// The two rows that the store writes for an event.
pub fn rows_of(room: usize, position: u64) -> [Row; 2] {
    let NewEvent { room, sender, class, kind, body, at_ms, fresh_id: id, .. } =
        event(room, position);
    let position = Position(position);
    let stored = StoredEvent { room, position, received_at: at_ms, id, sender, class, kind, body };
    [
        (keys::event(room, position), record::encode_event(&stored)),
        (keys::event_id(id), record::encode_place(room, position)),
    ]
}
