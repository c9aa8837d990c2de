//! Whom the epochs of a room ever listed: read from its bundles when somebody asks first, and after
//! that only what came since.

use std::collections::HashSet;

use hearth_protocol::ids::{Epoch, UserId};
use hearth_protocol::sealing::bundle::Bundle as SealedBundle;
use hearth_store::{Room, Store};
use tokio::sync::Mutex;

use crate::app::App;
use crate::error::ApiError;

/// Bundles that are in memory at a time when all are looked through.
const LOOKED_THROUGH: usize = 16;

/// The past of one room.
#[derive(Debug, Default)]
pub struct Past(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    up_to: Epoch,
    users: HashSet<UserId>,
}

impl Past {
    /// Whether any epoch of the room, up to the one it is in now, ever listed somebody.
    async fn lists(&self, store: &Store, room: &Room, user: UserId) -> Result<bool, ApiError> {
        let mut seen = self.0.lock().await;
        while seen.up_to < room.epoch {
            let some = store.bundles_page(room.id, seen.up_to, LOOKED_THROUGH).await?;
            if some.is_empty() {
                break;
            }
            for bundle in &some {
                let header = SealedBundle::parse(&bundle.bytes)?.header;
                seen.users.extend(header.members.iter().map(|(user, _)| *user));
                seen.up_to = bundle.epoch;
            }
        }
        Ok(seen.users.contains(&user))
    }
}

impl App {
    /// Whether any epoch of a room ever listed somebody: nobody comes back by a proof.
    pub async fn was_listed(&self, room: &Room, user: UserId) -> Result<bool, ApiError> {
        match self.membership.room(room.id) {
            Some(state) => state.past.lists(&self.store, room, user).await,
            None => Past::default().lists(&self.store, room, user).await,
        }
    }

    /// Whether any epoch of a room that somebody is in ever listed somebody else. Its headers tell
    /// them so, and without that card they could neither believe these epochs nor make the next.
    pub async fn is_listed_with(&self, viewer: UserId, user: UserId) -> Result<bool, ApiError> {
        for state in self.membership.rooms_of(viewer) {
            if state.is_sealed() && state.past.lists(&self.store, &state.room, user).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests;
