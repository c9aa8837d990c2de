//! Who wants to hear nothing of whom, mirrored in memory: changed in commit order, asked at every
//! delivery of a presence. Two of whom one blocks the other are hidden from each other.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

use hearth_protocol::ids::UserId;
use hearth_protocol::refusal::Kind;
use hearth_store::{Block, Change, Edit, Store, StoreError};

use crate::app::App;
use crate::error::ApiError;
use crate::membership::RoomState;

/// The mirror: who blocks whom.
#[derive(Debug, Default)]
pub struct Blocks {
    of: RwLock<HashSet<(UserId, UserId)>>,
}

impl Blocks {
    /// Reads what the store holds.
    pub async fn load(store: &Store) -> Result<Self, StoreError> {
        let mut of = HashSet::new();
        for user in store.users().await? {
            let blocks = store.blocks(user.id).await?;
            of.extend(blocks.into_iter().map(|block| (block.user, block.other)));
        }
        Ok(Self { of: RwLock::new(of) })
    }

    /// Follows a change that is on disk.
    pub fn apply(&self, change: &Change) {
        for edit in &change.edits {
            match edit {
                Edit::PutBlock(Block { user, other, .. }) => {
                    self.of.write().unwrap_or_else(PoisonError::into_inner).insert((*user, *other));
                }
                Edit::RemoveBlock { user, other } => {
                    let mut of = self.of.write().unwrap_or_else(PoisonError::into_inner);
                    of.remove(&(*user, *other));
                }
                _ => {}
            }
        }
    }

    /// Whether `user` blocks `other`.
    pub fn has(&self, user: UserId, other: UserId) -> bool {
        self.of.read().unwrap_or_else(PoisonError::into_inner).contains(&(user, other))
    }

    /// Whether one of two people blocks the other.
    pub fn apart(&self, one: UserId, other: UserId) -> bool {
        self.has(one, other) || self.has(other, one)
    }
}

impl App {
    /// From now on `user` and `other` are hidden from each other; nothing if they are already.
    pub async fn block(&self, user: UserId, other: UserId) -> Result<(), ApiError> {
        if !self.knows(user, other) && !self.blocks.has(user, other) {
            return Err(ApiError::not_found("person"));
        }
        let now = self.clock.now_ms();
        let block = Block { user, other, since: now };
        self.store.change(Change::of(vec![Edit::PutBlock(block)], now)).await?;
        Ok(())
    }

    /// `user` no longer blocks `other`; nothing if they did not.
    pub async fn unblock(&self, user: UserId, other: UserId) -> Result<(), ApiError> {
        let edit = Edit::RemoveBlock { user, other };
        self.store.change(Change::of(vec![edit], self.clock.now_ms())).await?;
        Ok(())
    }

    /// Refuses what `from` wants to say to `to` alone. Who is blocked is not told that they are.
    pub fn may_reach(&self, from: UserId, to: UserId) -> Result<(), ApiError> {
        if self.blocks.has(from, to) {
            let message = "you block this person";
            return Err(ApiError::new(Kind::Forbidden, "blocked", message)
                .hint("DELETE /api/blocks/{user} first"));
        }
        if self.blocks.has(to, from) {
            return Err(unreachable());
        }
        Ok(())
    }

    /// Refuses who may not write in a room now: who is muted there, and the two of a direct room of
    /// whom one blocks the other. Asked by every door.
    pub fn may_speak(&self, state: &RoomState, user: UserId) -> Result<(), ApiError> {
        state.may_speak(user, self.clock.now_ms())?;
        match state.room.direct {
            Some([one, other]) => self.may_reach(user, if user == one { other } else { one }),
            None => Ok(()),
        }
    }
}

/// The same for who is blocked and for who cannot be written to for another reason.
pub fn unreachable() -> ApiError {
    ApiError::new(Kind::Forbidden, "unreachable", "this person cannot be reached here")
}
