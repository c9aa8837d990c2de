//! What everybody is in the house, mirrored in memory: changed in commit order, asked where nothing
//! may wait.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use hearth_protocol::ids::UserId;
use hearth_protocol::role::{HouseAction, HouseRole, may_in_house};
use hearth_store::{Change, Edit, Store, StoreError};

use crate::error::ApiError;

/// The mirror.
#[derive(Debug, Default)]
pub struct Roles {
    of: RwLock<HashMap<UserId, HouseRole>>,
}

impl Roles {
    /// Reads what the store holds.
    pub async fn load(store: &Store) -> Result<Self, StoreError> {
        let users = store.users().await?;
        let of = users.into_iter().map(|user| (user.id, user.role)).collect();
        Ok(Self { of: RwLock::new(of) })
    }

    /// Follows a change that is on disk.
    pub fn apply(&self, change: &Change) {
        for edit in &change.edits {
            if let Edit::PutUser(user) | Edit::UpdateUser(user) = edit {
                let mut of = self.of.write().unwrap_or_else(PoisonError::into_inner);
                of.insert(user.id, user.role);
            }
        }
    }

    /// Whether somebody may do something to the house.
    pub fn may(&self, user: UserId, action: HouseAction) -> bool {
        let of = self.of.read().unwrap_or_else(PoisonError::into_inner);
        of.get(&user).is_some_and(|role| may_in_house(*role, action))
    }

    /// Everybody who may do something to the house.
    pub fn who_may(&self, action: HouseAction) -> Vec<UserId> {
        let of = self.of.read().unwrap_or_else(PoisonError::into_inner);
        let may = of.iter().filter(|(_, role)| may_in_house(**role, action));
        may.map(|(user, _)| *user).collect()
    }

    /// Refuses who may not.
    pub fn require(&self, user: UserId, action: HouseAction) -> Result<(), ApiError> {
        if self.may(user, action) {
            return Ok(());
        }
        Err(ApiError::forbidden("this is for the owner and the admins of the house")
            .hint("ask one of them"))
    }
}
