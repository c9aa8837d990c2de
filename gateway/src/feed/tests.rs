//! One seat: what fits into its queue, and what a listener that is behind reads.

use bytes::Bytes;
use hearth_protocol::event::{Class, Sender};
use hearth_protocol::ids::{EventId, Position, SessionId};
use hearth_store::EventKind;
use tokio::sync::OnceCell;

use super::seat::{End, Next, Seat, Wants};
use super::*;

const ROOM: RoomId = RoomId::from_bytes([3; 16]);
const ANNA: UserId = UserId::from_bytes([1; 16]);

fn seat(items: usize, bytes: usize) -> Seat {
    let limits =
        Limits { listener_items_max: items, listener_bytes_max: bytes, ..Limits::default() };
    let who = Principal::Person { user: ANNA, session: SessionId::from_bytes([2; 16]) };
    Seat::new(who, Wants::Everything, &limits)
}

fn event(position: u64, bytes: usize) -> Arc<Told> {
    let event = StoredEvent {
        room: ROOM,
        position: Position(position),
        received_at: 1,
        id: EventId::from_bytes([4; 16]),
        sender: Sender::Box,
        class: Class::Event,
        kind: EventKind::Text,
        body: Bytes::from(vec![0; bytes]),
    };
    Arc::new(Told { event, frames: OnceCell::new() })
}

/// What comes next, in a word.
fn next(seat: &Seat) -> String {
    match seat.try_next() {
        Some(Next::Item(Item::Event(told))) => told.event.position.to_string(),
        Some(Next::Item(_)) => "item".to_string(),
        Some(Next::Behind(_)) => "behind".to_string(),
        None => "nothing".to_string(),
    }
}

#[test]
fn what_does_not_fit_is_read_from_the_store_and_so_is_what_comes_after() {
    // By number, and by bytes.
    for seat in [seat(2, 1_000), seat(100, 20)] {
        seat.event(&event(1, 10));
        assert_eq!(next(&seat), "nothing", "the room is not followed");
        seat.follow(ROOM);
        for position in 1..=4 {
            seat.event(&event(position, 10));
        }
        assert_eq!([next(&seat), next(&seat), next(&seat)], ["1", "2", "behind"]);
        seat.event(&event(5, 10));
        assert_eq!(next(&seat), "nothing", "it is read by whoever reads the store");
        seat.caught_up(ROOM);
        seat.event(&event(6, 10));
        assert_eq!([next(&seat), next(&seat)], ["6", "nothing"]);
        seat.fall_behind(ROOM);
        seat.fall_behind(ROOM);
        assert_eq!([next(&seat), next(&seat)], ["behind", "nothing"]);
        seat.fall_behind(ROOM);
        seat.leave(ROOM);
        seat.caught_up(ROOM);
        seat.event(&event(7, 10));
        assert_eq!(next(&seat), "nothing");
    }
}

#[tokio::test]
async fn what_is_live_and_does_not_fit_is_lost_and_anything_else_ends_it() {
    let seat = seat(1, 100);
    seat.follow(ROOM);
    let typing = Item::Typing { room: ROOM, user: ANNA, on: true };
    seat.of_room(ROOM, typing.clone());
    seat.of_room(ROOM, typing);
    seat.of_room(ROOM, Item::Live { room: ROOM, user: ANNA, wire: Bytes::new() });
    assert_eq!([next(&seat), next(&seat)], ["item", "nothing"]);
    seat.of_house(Item::Presence(ANNA, Bytes::new()));
    seat.of_person(ANNA, Item::Inbox(Bytes::new()));
    seat.end(End::Stopping);
    assert_eq!(seat.ended().await, End::TooSlow, "the first reason stands");
}

#[test]
fn a_listener_of_its_inbox_hears_of_nothing_else() {
    let who = Principal::Person { user: ANNA, session: SessionId::from_bytes([2; 16]) };
    let seat = Seat::new(who, Wants::Inbox, &Limits::default());
    seat.of_house(Item::Presence(ANNA, Bytes::new()));
    seat.of_room(ROOM, Item::Gone(ROOM));
    seat.of_person(UserId::from_bytes([9; 16]), Item::Inbox(Bytes::new()));
    assert_eq!(next(&seat), "nothing");
    seat.of_person(ANNA, Item::Inbox(Bytes::new()));
    assert_eq!(next(&seat), "item");
}

#[tokio::test]
async fn a_flood_of_typing_loses_no_doorbell() {
    let limits = Limits { queued_messages_max: 8, ..Limits::default() };
    let house = crate::testing::House::with(limits).await;
    let who = Principal::Person { user: ANNA, session: SessionId::from_bytes([2; 16]) };
    let seat = house.app.feed.sit(who, Wants::Inbox).unwrap();
    // Nobody is waited for in between: the feed hears nothing before all of it is published.
    for number in 0..100 {
        let writer = UserId::from_bytes([number; 16]);
        house.app.broker.publish(&Topic::Live(ROOM, writer), typing_payload(true), false);
    }
    house.app.broker.publish(&Topic::Inbox(ANNA), Bytes::from_static(b"{}"), false);
    let next = tokio::time::timeout(Duration::from_secs(60), seat.next()).await;
    assert!(matches!(next, Ok(Next::Item(Item::Inbox(_)))), "{next:?}");
}

#[tokio::test]
async fn a_sealed_wire_on_live_is_its_senders_own() {
    use hearth_protocol::role::HouseRole;
    use hearth_protocol::sealing::event::Kind;

    let house = crate::testing::House::new().await;
    let anna = house.keyed("anna", HouseRole::Owner).await;
    let ben = house.keyed("ben", HouseRole::Member).await;
    let (_, epoch) = house.sealed_room(&anna).await;
    let id = EventId::from_bytes([4; 16]);
    let wire = epoch.wire(&anna, id, Kind::Live, 0);
    assert!(typing::is_sealed(&wire, anna.id()));
    assert!(!typing::is_sealed(&wire, ben.id()), "it names another one");
    assert!(!typing::is_sealed(&epoch.wire(&anna, id, Kind::Content, 1), anna.id()));
}
