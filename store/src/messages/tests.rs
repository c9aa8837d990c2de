//! What edits, reactions and erasures do, each rule at its edge and past it.

use std::sync::Arc;

use hearth_protocol::event::{Class, Line};
use hearth_protocol::ids::Position;
use hearth_protocol::limits::Limits;
use hearth_protocol::sealing::event::HEADER;

use crate::testing::*;
use crate::*;

macro_rules! refused {
    ($result:expr, $pattern:pat) => {
        let result = $result;
        assert!(matches!(result, Err($pattern)), "{result:?}");
    };
}

async fn view(store: &Store, number: u8) -> MessageView {
    store.message_view(event_id(number)).await.unwrap().unwrap()
}

async fn store_with(limits: Limits) -> Store {
    let store = Store::open(Arc::new(Memory::new()), Arc::new(limits)).await.unwrap();
    store.with_people().await
}

#[test]
fn every_kind_reads_back_from_its_byte() {
    for kind in EventKind::ALL {
        assert_eq!(EventKind::from_byte(kind.byte()), Some(*kind));
    }
    assert_eq!(EventKind::from_byte(0), None);
}

#[test]
fn an_event_of_layout_1_reads_with_the_kind_that_its_class_says() {
    for (class, body, kind) in [
        (Class::Event, &b"{}"[..], EventKind::Text),
        (Class::Event, b"\x01wire", EventKind::Sealed),
        (Class::Door, b"age", EventKind::Post),
        (Class::Line, b"{}", EventKind::System),
    ] {
        let mut row = vec![1];
        row.extend_from_slice(&9_u64.to_be_bytes());
        row.extend_from_slice(&[class.byte(), 1]);
        row.extend_from_slice(&[3; 16]);
        row.extend_from_slice(&[4; 16]);
        row.extend_from_slice(body);
        let key = keys::event(room_id(1), Position(7));
        let event = record::decode_event(&key, row.into()).unwrap();
        assert_eq!((event.kind, event.class, &event.body[..]), (kind, class, body));
        assert_eq!((event.received_at, event.id), (9, event_id(4)));
        let again = record::decode_event(&key, record::encode_event(&event)).unwrap();
        assert_eq!(again, event);
    }
}

#[test]
fn the_last_edit_of_ones_own_message_is_its_text() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        store.append(event(1)).await.unwrap();
        let plain = view(&store, 1).await;
        assert_eq!((plain.about, plain.edit), (About::default(), None));
        store.append(edit(2, 1)).await.unwrap();
        let last = store.append(edit(3, 1)).await.unwrap();
        let edited = view(&store, 1).await;
        assert_eq!(edited.event.body, "body 1", "the history stays as it was sent");
        assert_eq!(edited.edit.unwrap().body, "body 3");
        let expected = Edited { position: last.position, at: last.received_at };
        assert_eq!((edited.about.edited, edited.about.edits), (Some(expected), 2));
        assert!(store.append(edit(3, 1)).await.unwrap().duplicate, "a repeat is answered");
        refused!(store.append(by(2, edit(4, 1))).await, StoreError::Rule(Rule::NotOwn));
        refused!(store.append(edit(4, 2)).await, StoreError::Rule(Rule::NotAMessage));
        refused!(store.append(edit(4, 9)).await, StoreError::Rule(Rule::NoMessage));
        assert_eq!(store.head(room_id(1)).await.unwrap(), Position(3), "a refusal takes no place");
    });
}

#[test]
fn a_message_is_edited_for_15_minutes_by_the_boxs_clock() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let sent = store.append(event(1)).await.unwrap().received_at;
        let at = |number, at_ms| NewEvent { at_ms, ..edit(number, 1) };
        store.append(at(2, sent + 15 * 60_000)).await.unwrap();
        let late = store.append(at(3, sent + 15 * 60_000 + 1)).await;
        refused!(late, StoreError::Rule(Rule::EditWindowOver { minutes: 15 }));
    });
}

#[test]
fn a_message_has_as_many_edits_and_reactions_as_the_limits_say() {
    block_on(async {
        let limits = Limits {
            edits_per_message_max: 1,
            reactions_per_message_max: 2,
            emoji_bytes_max: 4,
            ..Limits::default()
        };
        let store = store_with(limits).await;
        store.append(event(1)).await.unwrap();
        store.append(edit(2, 1)).await.unwrap();
        refused!(store.append(edit(3, 1)).await, StoreError::LimitReached { max: 1, .. });
        store.append(react(3, 1, "👍", true)).await.unwrap();
        store.append(by(2, react(4, 1, "👍", true))).await.unwrap();
        let third = by(3, react(5, 1, "👍", true));
        refused!(store.append(third).await, StoreError::LimitReached { max: 2, .. });
        for bad in ["", "\u{fe0f}", "👍👍", "a b", "a\n"] {
            let bad = store.append(react(6, 1, bad, true)).await;
            refused!(bad, StoreError::Rule(Rule::BadEmoji { max: 4 }));
        }
    });
}

#[test]
fn a_person_reacts_once_with_an_emoji_and_takes_it_off() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        store.append(event(1)).await.unwrap();
        store.append(react(2, 1, "❤\u{fe0f}", true)).await.unwrap();
        store.append(by(2, react(3, 1, "👍", true))).await.unwrap();
        store.append(react(4, 1, "❤", true)).await.unwrap();
        store.append(by(2, react(5, 1, "❤", true))).await.unwrap();
        let grouped = |view: MessageView| {
            let group = |reacted: Reacted| (reacted.emoji, reacted.by);
            view.reactions.into_iter().map(group).collect::<Vec<_>>()
        };
        let hearts = vec![(user_id(1), 1_002), (user_id(2), 1_005)];
        let thumb = ("👍".to_string(), vec![(user_id(2), 1_003)]);
        assert_eq!(grouped(view(&store, 1).await), [("❤".to_string(), hearts), thumb.clone()]);
        store.append(react(6, 1, "❤\u{fe0f}", false)).await.unwrap();
        store.append(react(7, 1, "❤", false)).await.unwrap();
        let hearts = vec![(user_id(2), 1_005)];
        assert_eq!(grouped(view(&store, 1).await), [thumb, ("❤".to_string(), hearts)]);
        refused!(store.append(react(8, 2, "👍", true)).await, StoreError::Rule(Rule::NotAMessage));
    });
}

#[test]
fn what_lies_in_another_room_is_not_there() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        store.make(vec![Edit::PutRoom(room(2))]).await.unwrap();
        store.append(NewEvent { room: room_id(2), ..event(1) }).await.unwrap();
        for wrong in [edit(2, 1), react(2, 1, "👍", true), erase(2, 1, Right::Moderator)] {
            refused!(store.append(wrong).await, StoreError::Rule(Rule::NoMessage));
        }
        let answer = NewEvent { parent: Some(event_id(1)), ..event(3) };
        store.append(answer).await.unwrap();
        assert_eq!(view(&store, 3).await.about.parent, None, "another room's parent is not noted");
    });
}

#[test]
fn of_an_erased_message_no_word_stays_in_any_row() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let secret = |event: NewEvent| NewEvent { body: "the secret word".into(), ..event };
        store.append(secret(event(1))).await.unwrap();
        store.append(secret(edit(2, 1))).await.unwrap();
        store.append(by(2, react(3, 1, "👍", true))).await.unwrap();
        let pin = Edit::PutPin { room: room_id(1), message: event_id(1), by: user_id(1) };
        store.make(vec![pin]).await.unwrap();
        let theirs = by(2, erase(4, 1, Right::Own));
        let stale = store.append(theirs.clone()).await;
        refused!(stale, StoreError::Stale { .. });
        let now = |event: NewEvent| NewEvent { checked: 2, ..event };
        refused!(store.append(now(theirs)).await, StoreError::Rule(Rule::NotOwn));
        let done = store.append(now(by(2, erase(4, 1, Right::Moderator)))).await.unwrap();

        for (key, value) in store.rows().await {
            let found = value.windows(6).any(|window| window == b"secret");
            assert!(!found, "in the row of {}", char::from(key[0]));
        }
        let MessageView { event, about, edit, reactions } = view(&store, 1).await;
        assert_eq!(
            (event.kind, event.class, event.position),
            (EventKind::Erased, Class::Line, Position(1))
        );
        assert_eq!(event.sender, crate::testing::event(1).sender, "the stub says who wrote it");
        let line: Line = serde_json::from_slice(&event.body).unwrap();
        assert_eq!(line, Line::Erased { target: event_id(1), by: user_id(2) });
        let deleted =
            Deleted { by: user_id(2), at: done.received_at, reason: Some("wrong room".into()) };
        assert_eq!((about.deleted, about.edited, edit), (Some(deleted), None, None));
        assert!(reactions.is_empty());
        assert!(store.room(room_id(1)).await.unwrap().unwrap().pins.is_empty());

        let again = |event: NewEvent| NewEvent { checked: 3, ..event };
        for late in [crate::testing::edit(5, 1), react(5, 1, "👍", true), erase(5, 1, Right::Own)]
        {
            refused!(store.append(again(late)).await, StoreError::Rule(Rule::Erased));
        }
        assert!(store.append(secret(crate::testing::event(1))).await.unwrap().duplicate);
    });
}

#[test]
fn of_an_erased_sealed_message_the_header_stays() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let wire = [&[1; HEADER][..], &[7; 400]].concat();
        let sealed = NewEvent { kind: EventKind::Sealed, body: wire.into(), ..event(1) };
        store.append(sealed).await.unwrap();
        let mut change = Change::of(vec![], 5_000);
        let (room, target, by) = (room_id(1), event_id(1), user_id(1));
        change.edits.push(Edit::Erase { room, target, by, right: Right::Own, reason: None });
        change.line(room, Line::Erased { target, by }, event_id(50));
        store.change(change).await.unwrap();
        let left = store.event(event_id(1)).await.unwrap().unwrap();
        assert_eq!((left.class, left.kind), (Class::Event, EventKind::Erased));
        assert_eq!(left.body, vec![1; HEADER]);
        assert_eq!(store.head(room).await.unwrap(), Position(2), "the line that tells of it");
    });
}

#[test]
fn an_edit_and_an_erasure_that_race_have_one_order() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        store.append(event(1)).await.unwrap();
        let (first, gone, late) = tokio::join!(
            store.append(edit(2, 1)),
            store.append(erase(3, 1, Right::Own)),
            store.append(edit(4, 1)),
        );
        assert_eq!((first.unwrap().position, gone.unwrap().position), (Position(2), Position(3)));
        refused!(late, StoreError::Rule(Rule::Erased));
        let edit = store.event(event_id(2)).await.unwrap().unwrap();
        assert!(!edit.body.starts_with(b"body"), "{:?}", edit.body);
    });
}

#[test]
fn the_answers_to_a_message_are_found_in_order() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        let answer = |number, parent| NewEvent { parent: Some(event_id(parent)), ..event(number) };
        store.append(event(1)).await.unwrap();
        store.append(event(2)).await.unwrap();
        for (number, parent) in [(3, 1), (4, 2), (5, 1), (6, 1)] {
            store.append(answer(number, parent)).await.unwrap();
        }
        let replies = async |after, limit| {
            let after = Position(after);
            let found = store.replies(room_id(1), Position(1), after, limit).await.unwrap();
            found.into_iter().map(|view| view.event.position.0).collect::<Vec<_>>()
        };
        assert_eq!(replies(0, 9).await, [3, 5, 6]);
        assert_eq!(replies(3, 1).await, [5]);
        assert_eq!(replies(6, 9).await, [0; 0]);
        let parent = Parent { id: event_id(1), position: Position(1) };
        assert_eq!(view(&store, 5).await.about.parent, Some(parent));
    });
}

#[test]
fn what_an_event_did_does_not_refuse_it_when_it_comes_again() {
    on_each_engine(|store| async {
        let store = store.with_people().await;
        store.append(event(1)).await.unwrap();
        let events = [edit(2, 1), react(3, 1, "👍", true), erase(4, 1, Right::Own)];
        for event in &events {
            store.append(event.clone()).await.unwrap();
        }
        for (position, event) in (2..).zip(events) {
            let again = store.append(event).await.unwrap();
            assert!(again.duplicate && again.position == Position(position), "{again:?}");
        }
        assert_eq!(store.head(room_id(1)).await.unwrap(), Position(4));
    });
}
