//! People among themselves: who may know of whom.

use hearth_protocol::ids::UserId;
use hearth_protocol::role::HouseAction;

use crate::app::App;
use crate::error::ApiError;

impl App {
    /// Whether somebody may know of somebody: the one place that decides it. Who may not find
    /// everybody of the house (a guest) sees the people of the same rooms.
    pub async fn may_see(&self, viewer: UserId, user: UserId) -> Result<bool, ApiError> {
        Ok(viewer == user
            || self.roles.may(viewer, HouseAction::FindPeople)
            || self.membership.share_a_room(viewer, user))
    }
}
