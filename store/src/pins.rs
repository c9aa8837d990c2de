//! Pins: the messages of a room that are shown first, in the order they were pinned. A message that
//! is erased or goes with old history takes its pin with it.

use hearth_protocol::ids::{EventId, Position, RoomId, UserId};
use hearth_protocol::limits::Limits;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::messages::effects;
use crate::rooms;
use crate::stage::Stage;

/// A pinned message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pin {
    /// Which.
    pub message: EventId,
    /// Where it lies.
    pub position: Position,
    /// By whom.
    pub by: UserId,
    /// ms since 1970.
    pub at: u64,
}

/// Pins a message; nothing if it is pinned.
pub(crate) async fn put(
    stage: &mut Stage<'_>,
    room: RoomId,
    message: EventId,
    by: UserId,
    at: u64,
    limits: &Limits,
) -> Result<(), StoreError> {
    let mut room = rooms::require(stage, room).await?;
    if room.pins.iter().any(|pin| pin.message == message) {
        return Ok(());
    }
    let position = effects::message(stage, room.id, message).await?.position;
    let max = limits.pins_per_room_max;
    if room.pins.len() >= max {
        return Err(StoreError::LimitReached { what: "pinned messages in this room", max });
    }
    room.pins.push(Pin { message, position, by, at });
    rooms::save(stage, &room)?;
    stage.touch_room(room.id);
    Ok(())
}

/// Takes a pin off.
pub(crate) async fn remove(
    stage: &mut Stage<'_>,
    room: RoomId,
    message: EventId,
) -> Result<(), StoreError> {
    if drop_pin(stage, room, message).await? {
        Ok(())
    } else {
        Err(StoreError::NotFound { what: "pin" })
    }
}

/// Takes off the pin of a message that is erased, if it has one.
pub(crate) async fn drop_erased(
    stage: &mut Stage<'_>,
    room: RoomId,
    message: EventId,
) -> Result<(), StoreError> {
    drop_pin(stage, room, message).await.map(drop)
}

async fn drop_pin(
    stage: &mut Stage<'_>,
    room: RoomId,
    message: EventId,
) -> Result<bool, StoreError> {
    let mut room = rooms::require(stage, room).await?;
    let before = room.pins.len();
    room.pins.retain(|pin| pin.message != message);
    if room.pins.len() == before {
        return Ok(false);
    }
    rooms::save(stage, &room)?;
    stage.touch_room(room.id);
    Ok(true)
}
