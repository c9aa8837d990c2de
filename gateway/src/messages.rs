//! What people do with messages: the one place behind REST, WebSocket and MQTT.

use std::sync::Arc;

use hearth_protocol::ids::{EventId, UserId};
use hearth_protocol::role::RoomAction;
use hearth_store::StoredEvent;

use crate::app::App;
use crate::error::ApiError;
use crate::membership::RoomState;

impl App {
    /// An event and its room, if somebody may see it; else it is not there.
    pub async fn seen_event(
        &self,
        id: EventId,
        user: UserId,
    ) -> Result<(Arc<RoomState>, StoredEvent), ApiError> {
        let missing = || ApiError::not_found("message");
        let event = self.store.event(id).await?.ok_or_else(missing)?;
        let room = event.room;
        let state = self.membership.require(room, user, RoomAction::Read).map_err(|_| missing())?;
        let sight = self.sight(&state, user).await?.max(state.room.first_position);
        if event.position < sight { Err(missing()) } else { Ok((state, event)) }
    }
}
