//! Who is in a room: how people come in, change and go.

use hearth_protocol::event::Line;
use hearth_protocol::ids::{EventId, UserId};
use hearth_protocol::role::RoomRole;
use hearth_store::{Change, Edit, Room};

use crate::accounts::member;
use crate::app::App;
use crate::clock::random;
use crate::error::ApiError;
use crate::membership::RoomState;

impl App {
    /// Makes somebody a member, with the line that says so.
    pub fn enter(&self, change: &mut Change, room: &Room, user: UserId) {
        let at = change.at_ms;
        change.edits.push(Edit::PutMember(member(room, user, RoomRole::Member, at)));
        change.line(room.id, Line::Joined { user, by: None }, EventId::new(at, random()));
    }

    /// Ends a membership; a sealed room needs a new epoch before it takes anything more.
    pub async fn remove_member(
        &self,
        state: &RoomState,
        user: UserId,
        by: Option<UserId>,
    ) -> Result<(), ApiError> {
        let (room, now) = (state.room.id, self.clock.now_ms());
        let mut change = Change::of(vec![Edit::RemoveMember { room, user }], now);
        self.mark_rotation_due(&mut change, room);
        change.line(room, Line::Left { user, by }, EventId::new(now, random()));
        self.store.change(change).await?;
        Ok(())
    }
}
