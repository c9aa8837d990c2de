//! A place in a room, as clients name it.

use std::str::FromStr;

use hearth_protocol::ids::{EventId, Position, RoomId};

use crate::app::App;
use crate::error::ApiError;

/// A position in digits, or the id of an event there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A position.
    At(Position),
    /// An event.
    Event(EventId),
}

impl FromStr for Place {
    type Err = ApiError;

    fn from_str(text: &str) -> Result<Self, ApiError> {
        let text = text.trim();
        if let Ok(position) = text.parse() {
            return Ok(Place::At(Position(position)));
        }
        let shown: String = text.chars().take(64).collect();
        let message = format!("`{shown}` is neither a position nor a message's id");
        text.parse().map(Place::Event).map_err(|_| ApiError::invalid("bad_place", message))
    }
}

impl App {
    /// The position of a place. An event of another room is as unknown as one that never was.
    pub async fn position_of(&self, room: RoomId, place: Place) -> Result<Position, ApiError> {
        match place {
            Place::At(position) => Ok(position),
            Place::Event(id) => match self.store.place(id).await? {
                Some((of, position)) if of == room => Ok(position),
                _ => {
                    let message = format!("`{id}` is no message of this room");
                    Err(ApiError::invalid("bad_place", message))
                }
            },
        }
    }
}
