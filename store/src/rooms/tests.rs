//! What rooms hold about their people: owners, sanctions, pins, receipts, one test each rule.

use std::sync::Arc;

use hearth_protocol::ids::Position;
use hearth_protocol::limits::Limits;
use hearth_protocol::role::{RoomRole, RoomType};

use crate::testing::*;
use crate::*;

macro_rules! refused {
    ($result:expr, $pattern:pat) => {
        let result = $result;
        assert!(matches!(result, Err($pattern)), "{result:?}");
    };
}

fn with_role(user: u8, role: RoomRole) -> Member {
    Member { role, ..member(1, user) }
}

fn leave(user: u8) -> Edit {
    Edit::RemoveMember { room: room_id(1), user: user_id(user) }
}

fn sentence(until: Option<u64>) -> Option<Sentence> {
    Some(Sentence { by: user_id(1), at: 1, reason: "noise".into(), until })
}

fn ban(user: u8, sentence: Option<Sentence>) -> Edit {
    Edit::Ban { room: room_id(1), user: user_id(user), sentence }
}

fn mute(user: u8, sentence: Option<Sentence>) -> Edit {
    Edit::Mute { room: room_id(1), user: user_id(user), sentence }
}

#[test]
fn the_last_owner_stays_one_while_others_are_there() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let join = [with_role(1, RoomRole::Owner), with_role(2, RoomRole::Admin)];
        store.make(join.map(Edit::PutMember).into()).await.unwrap();
        refused!(store.make(vec![leave(1)]).await, StoreError::Rule(Rule::LastOwner));
        let less = Edit::UpdateMember(with_role(1, RoomRole::Member));
        refused!(store.make(vec![less.clone()]).await, StoreError::Rule(Rule::LastOwner));
        let transfer = vec![Edit::UpdateMember(with_role(2, RoomRole::Owner)), less];
        store.make(transfer).await.unwrap();
        store.make(vec![leave(1)]).await.unwrap();
        store.make(vec![leave(2)]).await.unwrap();
        assert!(store.members(room_id(1)).await.unwrap().is_empty(), "the last one may go");
    });
}

#[test]
fn who_is_banned_is_no_member_until_the_ban_is_over_or_lifted() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        store.make(vec![Edit::PutMember(member(1, 2))]).await.unwrap();
        refused!(store.make(vec![ban(2, sentence(None))]).await, StoreError::Invalid { .. });
        store.make(vec![leave(2), ban(2, sentence(Some(500)))]).await.unwrap();
        let join = |at_ms| Change::of(vec![Edit::PutMember(member(1, 2))], at_ms);
        refused!(store.change(join(499)).await, StoreError::Rule(Rule::Banned));
        store.change(join(500)).await.unwrap();
        store.make(vec![leave(2), ban(2, sentence(None))]).await.unwrap();
        refused!(store.change(join(u64::MAX)).await, StoreError::Rule(Rule::Banned));
        store.make(vec![ban(2, None)]).await.unwrap();
        store.change(join(1)).await.unwrap();
        assert!(store.sanctions(room_id(1)).await.unwrap().is_empty());
        store.make(vec![Edit::PutRoom(Room { general: true, ..room(2) })]).await.unwrap();
        let (room, user) = (room_id(2), user_id(2));
        let general = Edit::Ban { room, user, sentence: sentence(None) };
        refused!(store.make(vec![general]).await, StoreError::Rule(Rule::General));
    });
}

#[test]
fn a_mute_outlives_the_membership_and_stands_beside_a_ban() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        store.make(vec![Edit::PutMember(member(1, 2))]).await.unwrap();
        store.make(vec![mute(2, sentence(Some(9)))]).await.unwrap();
        store.make(vec![leave(2), ban(2, sentence(None))]).await.unwrap();
        store.make(vec![ban(2, None), Edit::PutMember(member(1, 2))]).await.unwrap();
        let (room, user) = (room_id(1), user_id(2));
        let expected = Sanction { room, user, mute: sentence(Some(9)), ban: None };
        assert_eq!(store.sanctions(room_id(1)).await.unwrap(), [expected]);
        let mute = sentence(Some(9)).unwrap();
        assert!(mute.holds(8) && !mute.holds(9));
        assert_eq!(store.room(room_id(1)).await.unwrap().unwrap().version, 5);
    });
}

#[test]
fn sanctions_names_and_descriptions_are_as_long_as_the_limits_say() {
    block_on(async {
        let limits = Limits {
            reason_chars_max: 5,
            sanctions_per_room_max: 1,
            room_name_chars_max: 3,
            room_description_chars_max: 2,
            ..Limits::default()
        };
        let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
        store
            .make(
                [1, 2, 3]
                    .map(|number| Edit::PutUser(user(number, &format!("user{number}"))))
                    .into(),
            )
            .await
            .unwrap();
        let named = |name: &str, about: &str| {
            vec![Edit::PutRoom(Room { name: name.into(), description: about.into(), ..room(1) })]
        };
        refused!(store.make(named("abcd", "")).await, StoreError::TooLarge { max: 3, .. });
        refused!(store.make(named("abc", "abc")).await, StoreError::TooLarge { max: 2, .. });
        refused!(store.make(named(" ", "")).await, StoreError::Invalid { .. });
        store.make(named("äöü", "ab")).await.unwrap();
        let long = sentence(None).map(|known| Sentence { reason: "noises".into(), ..known });
        refused!(store.make(vec![mute(1, long)]).await, StoreError::TooLarge { max: 5, .. });
        store.make(vec![mute(1, sentence(None))]).await.unwrap();
        store.make(vec![mute(1, sentence(Some(7)))]).await.unwrap();
        let second = store.make(vec![mute(2, sentence(None))]).await;
        refused!(second, StoreError::LimitReached { max: 1, .. });
    });
}

#[test]
fn what_somebody_is_told_of_is_theirs_and_moves_no_version() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        store.make(vec![Edit::PutMember(member(1, 2))]).await.unwrap();
        let (room, user) = (room_id(1), user_id(2));
        let told = vec![Edit::SetNotify { room, user, notify: Notify::Muted }];
        store.make(told).await.unwrap();
        let role = Edit::UpdateMember(with_role(2, RoomRole::Admin));
        store.make(vec![role]).await.unwrap();
        let found = store.member(room, user).await.unwrap().unwrap();
        assert_eq!((found.notify, found.role), (Notify::Muted, RoomRole::Admin));
        assert_eq!(store.room(room).await.unwrap().unwrap().version, 3);
    });
}

#[test]
fn messages_are_pinned_once_in_order_and_no_more_than_the_limit_says() {
    block_on(async {
        let limits = Limits { pins_per_room_max: 2, ..Limits::default() };
        let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
        let store = store.with_people().await;
        for number in 1..=3 {
            store.append(event(number)).await.unwrap();
        }
        store.append(react(4, 1, "👍", true)).await.unwrap();
        let pin = |number| {
            vec![Edit::PutPin { room: room_id(1), message: event_id(number), by: user_id(1) }]
        };
        let unpin = |number| vec![Edit::RemovePin { room: room_id(1), message: event_id(number) }];
        refused!(store.make(pin(9)).await, StoreError::Rule(Rule::NoMessage));
        refused!(store.make(pin(4)).await, StoreError::Rule(Rule::NotAMessage));
        store.make(pin(2)).await.unwrap();
        store.make(pin(1)).await.unwrap();
        store.make(pin(2)).await.unwrap();
        refused!(store.make(pin(3)).await, StoreError::LimitReached { max: 2, .. });
        let pins = async || {
            let room = store.room(room_id(1)).await.unwrap().unwrap();
            room.pins.into_iter().map(|pin| pin.position.0).collect::<Vec<_>>()
        };
        assert_eq!(pins().await, [2, 1]);
        refused!(store.make(unpin(3)).await, StoreError::NotFound { .. });
        store.make(unpin(2)).await.unwrap();
        store.make(pin(3)).await.unwrap();
        assert_eq!(pins().await, [1, 3]);
    });
}

#[test]
fn receipts_rise_up_to_the_head_and_are_seen_at_once() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let join = [member(1, 1), member(1, 2)];
        store.make(join.map(Edit::PutMember).into()).await.unwrap();
        for number in 1..=3 {
            store.append(NewEvent { checked: 2, ..event(number) }).await.unwrap();
        }
        let read = |user, at| Receipt::read(user_id(user), Position(at), 70 + at);
        let note = async |receipt| store.note_receipt(room_id(1), receipt).await;
        assert_eq!(note(read(1, 2)).await.unwrap(), read(1, 2));
        assert_eq!(note(read(1, 1)).await.unwrap(), read(1, 2), "never back");
        let got = note(Receipt::delivered(user_id(1), Position(3))).await.unwrap();
        assert_eq!(got, Receipt { delivered: Position(3), ..read(1, 2) });
        note(Receipt::delivered(user_id(2), Position(1))).await.unwrap();
        refused!(note(read(1, 4)).await, StoreError::NotFound { .. });
        refused!(note(read(3, 1)).await, StoreError::NotFound { what: "member" });
        let expected = [got, Receipt::delivered(user_id(2), Position(1))];
        assert_eq!(store.receipts(room_id(1)).await.unwrap(), expected);
        assert_eq!(store.readers(room_id(1), Position(2)).await.unwrap(), [got]);
        assert!(store.readers(room_id(1), Position(3)).await.unwrap().is_empty());
        let on_disk = async || store.scan_all(keys::receipts_of(room_id(1))).await.unwrap().len();
        assert_eq!(on_disk().await, 0, "noted in memory");
        store.flush().await.unwrap();
        assert_eq!(on_disk().await, 2);
        assert_eq!(store.receipts(room_id(1)).await.unwrap(), expected);
        note(read(2, 3)).await.unwrap();
        store.make(vec![leave(2)]).await.unwrap();
        store.flush().await.unwrap();
        assert_eq!(on_disk().await, 1, "who has left has none");
        assert_eq!(store.receipts(room_id(1)).await.unwrap(), [got]);
    });
}

#[test]
fn receipts_are_written_when_many_wait_and_when_the_store_closes() {
    block_on(async {
        let engine = Arc::new(Memory::new());
        let limits = Arc::new(Limits { receipts_pending_max: 1, ..Limits::default() });
        let store = Store::open(engine.clone(), limits.clone()).await.unwrap();
        let store = store.with_people().await;
        let join = [member(1, 1), member(1, 2), member(1, 3)];
        store.make(join.map(Edit::PutMember).into()).await.unwrap();
        store.append(NewEvent { checked: 2, ..event(1) }).await.unwrap();
        let read = |user| Receipt::read(user_id(user), Position(1), 70);
        store.note_receipt(room_id(1), read(1)).await.unwrap();
        store.note_receipt(room_id(1), read(2)).await.unwrap();
        assert_eq!(store.scan_all(keys::receipts_of(room_id(1))).await.unwrap().len(), 2);
        store.note_receipt(room_id(1), read(3)).await.unwrap();
        store.close().await;
        let store = Store::open(engine, limits).await.unwrap();
        assert_eq!(store.receipts(room_id(1)).await.unwrap(), [read(1), read(2), read(3)]);
    });
}

#[test]
fn a_direct_room_stays_one_and_no_other_room_becomes_one() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let two = Some([user_id(1), user_id(2)]);
        let direct = Room { kind: RoomType::Direct, direct: two, ..room(2) };
        store.make(vec![Edit::PutRoom(direct.clone())]).await.unwrap();
        let update = async |room: Room| store.make(vec![Edit::UpdateRoom(room)]).await;
        refused!(
            update(Room { kind: RoomType::Private, ..direct.clone() }).await,
            StoreError::Invalid { .. }
        );
        refused!(
            update(Room { kind: RoomType::Direct, ..room(1) }).await,
            StoreError::Invalid { .. }
        );
        refused!(
            update(Room { kind: RoomType::Direct, direct: two, ..room(1) }).await,
            StoreError::Invalid { .. }
        );
        update(Room { name: "us".into(), ..direct }).await.unwrap();
        update(Room { kind: RoomType::Public, ..room(1) }).await.unwrap();
        let kinds = store.rooms().await.unwrap().into_iter().map(|room| room.kind);
        assert_eq!(kinds.collect::<Vec<_>>(), [RoomType::Public, RoomType::Direct]);
    });
}
