//! Who follows a room and writes there by `/api/ws`: as the table of room roles says.

use super::*;
use crate::role_tests::{Cell, HOUSE_ROLES, KINDS, PLACES};

#[tokio::test]
async fn ws_answers_as_the_table_says() {
    for kind in KINDS {
        for role in HOUSE_ROLES {
            for place in PLACES {
                let cell = Cell::new(kind, role, place).await;
                let what = format!("{role:?}, {place:?} of a {kind:?} room");
                let mut client = Client::new(&cell.house, &cell.who);
                for event in [
                    json!({ "type": "join_room", "room_id": cell.room }),
                    json!({ "type": "send_message", "room_id": cell.room, "content": "hi" }),
                    json!({ "type": "typing_start", "room_id": cell.room }),
                ] {
                    let answer = client.try_ask(event.clone()).await;
                    match place {
                        Some(_) => assert!(answer.is_ok(), "{what}: {event}: {answer:?}"),
                        None => assert_eq!(answer, Err("not_found".to_string()), "{what}: {event}"),
                    }
                }
            }
        }
    }
}
