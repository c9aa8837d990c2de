//! Rooms: how they come to be, change and end.

use hearth_protocol::ids::{Position, RoomId, UserId};
use hearth_protocol::role::RoomType;
use hearth_store::{Change, Edit, History, Room, StoreError};

use crate::app::App;
use crate::error::ApiError;
use crate::membership::RoomState;
use crate::names::check_title;

impl App {
    /// A room that is not stored yet.
    pub fn new_room(
        &self,
        id: RoomId,
        name: &str,
        kind: RoomType,
        by: UserId,
    ) -> Result<Room, ApiError> {
        let now = self.clock.now_ms();
        Ok(Room {
            id,
            name: check_title("a room's name", name, self.limits.room_name_chars_max)?,
            description: String::new(),
            kind,
            sealing: kind.default_sealing(),
            general: false,
            created_at: now,
            created_by: by,
            version: 0,
            epoch: 0,
            rotation_due: false,
            first_position: Position(1),
            last_message_at: now,
            direct: None,
            history: History::All,
            keep_days: 0,
            keep_bytes: 0,
            pins: vec![],
        })
    }

    /// Where a member's sight of a room's history begins.
    pub async fn sight(&self, state: &RoomState, user: UserId) -> Result<Position, ApiError> {
        match state.room.history {
            History::All => Ok(Position::START),
            History::SinceJoin => {
                let member = self.store.member(state.room.id, user).await?;
                Ok(member.ok_or_else(|| ApiError::not_found("room"))?.joined_position)
            }
        }
    }

    /// Notes in a change that a sealed room needs a new epoch.
    pub fn mark_rotation_due(&self, change: &mut Change, room: RoomId) {
        if let Some(state) = self.membership.room(room).filter(|state| state.is_sealed()) {
            change.edits.push(Edit::UpdateRoom(Room { rotation_due: true, ..state.room.clone() }));
        }
    }

    /// Makes a change that was checked against the room's version: when somebody was quicker, the
    /// client has to look again.
    pub async fn change_epoch(&self, change: Change) -> Result<(), ApiError> {
        match self.store.change(change).await {
            Err(StoreError::Stale { .. }) => {
                Err(ApiError::conflict("epoch_taken", "the room changed meanwhile")
                    .hint("fetch the bundles and the members and make it again"))
            }
            done => done.map(drop).map_err(ApiError::from),
        }
    }
}
