//! Attachments that are bound in the append of their message.

use super::*;
use crate::{Appended, Effect, EventKind, NewEvent};

/// A message of user 1 in the open room with these attachments.
fn shows(number: u8, attachments: &[u8]) -> NewEvent {
    let attachments = attachments.iter().map(|number| attachment_id(*number)).collect();
    let event = effect(number, EventKind::File, Effect::Show { attachments });
    NewEvent { room: room_id(2), ..event }
}

async fn say(house: &House, event: NewEvent) -> Result<Appended, StoreError> {
    house.store.append(event).await
}

#[test]
fn a_message_is_stored_with_what_it_shows_or_not_at_all() {
    block_on(async {
        let house = House::new().await;
        house.put(text(1), b"one").await.unwrap();
        house.put(text(2), b"two").await.unwrap();
        house.put(NewAttachment { owner: user_id(2), ..text(3) }, b"bobs").await.unwrap();
        house.put(sealed(4), b"of another room").await.unwrap();
        for foreign in [3, 4, 9] {
            let Err(error) = say(&house, shows(1, &[1, foreign])).await else { panic!("stored") };
            assert!(matches!(error, StoreError::NotFound { what: "attachment" }), "{error}");
            assert_eq!(house.store.event(event_id(1)).await.unwrap(), None);
        }
        say(&house, shows(1, &[1, 2])).await.unwrap();
        let of = house.store.attachments_of(room_id(2), event_id(1)).await.unwrap();
        assert_eq!(of.len(), 2);
        assert!(say(&house, shows(1, &[1, 2])).await.unwrap().duplicate, "it comes again");
        let Err(error) = say(&house, shows(2, &[2])).await else { panic!("shown twice") };
        assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
        let erase = NewEvent { room: room_id(2), ..erase(3, 1, crate::Right::Own) };
        say(&house, erase).await.unwrap();
        assert!(!house.is_there(1).await && !house.is_there(2).await);
    });
}

#[test]
fn a_message_shows_so_many_and_no_more() {
    block_on(async {
        let house = House::with(Limits { attachments_per_event_max: 2, ..Limits::default() }).await;
        for number in 1..=3 {
            house.put(text(number), b"x").await.unwrap();
        }
        let Err(error) = say(&house, shows(1, &[1, 2, 3])).await else { panic!("stored") };
        assert!(matches!(error, StoreError::LimitReached { max: 2, .. }), "{error}");
        say(&house, shows(1, &[1, 2])).await.unwrap();
    });
}
