//! Which logins, app tokens and devices are still valid: mirrored in memory, asked at every
//! delivery, changed in commit order.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

use hearth_protocol::ids::{DeviceId, SessionId, TokenId};
use hearth_protocol::principal::Principal;
use hearth_store::{Change, Edit, Store, StoreError};

#[derive(Debug, Default)]
struct Ids {
    sessions: HashSet<SessionId>,
    tokens: HashSet<TokenId>,
    devices: HashSet<DeviceId>,
}

/// What has not ended.
#[derive(Debug, Default)]
pub struct Live {
    ids: RwLock<Ids>,
}

impl Live {
    /// Reads what the store holds.
    pub async fn load(store: &Store) -> Result<Self, StoreError> {
        let mut ids = Ids::default();
        for user in store.users().await? {
            ids.sessions.extend(store.sessions_of(user.id).await?.into_iter().map(|s| s.id));
            ids.tokens.extend(store.tokens_of(user.id).await?.into_iter().map(|t| t.id));
        }
        for room in store.rooms().await? {
            ids.devices.extend(store.devices(room.id).await?.into_iter().map(|d| d.id));
        }
        Ok(Self { ids: RwLock::new(ids) })
    }

    /// Follows a change that is on disk.
    pub fn apply(&self, change: &Change) {
        let mut ids = self.ids.write().unwrap_or_else(PoisonError::into_inner);
        for edit in &change.edits {
            match edit {
                Edit::PutSession(session) => drop(ids.sessions.insert(session.id)),
                Edit::RemoveSession(id) => drop(ids.sessions.remove(id)),
                Edit::PutToken(token) => drop(ids.tokens.insert(token.id)),
                Edit::RemoveToken(id) => drop(ids.tokens.remove(id)),
                Edit::PutDevice(device) => drop(ids.devices.insert(device.id)),
                Edit::RemoveDevice(id) => drop(ids.devices.remove(id)),
                _ => {}
            }
        }
    }

    /// Whether somebody who signed in once still is.
    pub fn holds(&self, who: &Principal) -> bool {
        let ids = self.ids.read().unwrap_or_else(PoisonError::into_inner);
        match who {
            Principal::Person { session, .. } => ids.sessions.contains(session),
            Principal::App { token, .. } => ids.tokens.contains(token),
            Principal::Device { device, .. } => ids.devices.contains(device),
            Principal::Local(_) => false,
        }
    }
}
