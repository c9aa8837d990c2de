//! Receipts: how far each member got a room's events and read them. Both positions only rise, reach
//! at most to the newest event, and what is read was delivered.
//!
//! A receipt is noted in memory, seen at once, and written with [`Store::flush`], which the gateway
//! asks for every second and the store does when it closes: a crash forgets about a second.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use hearth_protocol::ids::{Position, RoomId, UserId};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys;
use crate::stage::Stage;
use crate::store::Store;

/// How far a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Whose.
    pub user: UserId,
    /// The newest position that one of their devices has.
    pub delivered: Position,
    /// The newest position that they have read.
    pub read: Position,
    /// When they read it, ms since 1970; 0: nothing yet.
    pub read_at: u64,
}

impl Receipt {
    /// What a newcomer has.
    pub fn none(user: UserId) -> Self {
        Self { user, delivered: Position::START, read: Position::START, read_at: 0 }
    }

    /// Everything up to a position was delivered.
    pub fn delivered(user: UserId, position: Position) -> Self {
        Self { delivered: position, ..Self::none(user) }
    }

    /// Everything up to a position was read.
    pub fn read(user: UserId, position: Position, at_ms: u64) -> Self {
        Self { delivered: position, read: position, read_at: at_ms, user }
    }

    /// The farther one of two in each.
    fn merge(self, other: Self) -> Self {
        let farther = if other.read > self.read { other } else { self };
        Self { delivered: self.delivered.max(other.delivered).max(farther.read), ..farther }
    }
}

/// Receipts that are noted and not written yet.
#[derive(Debug, Default)]
pub(crate) struct Pending(Mutex<BTreeMap<(RoomId, UserId), Receipt>>);

impl Pending {
    fn with<T>(&self, use_it: impl FnOnce(&mut BTreeMap<(RoomId, UserId), Receipt>) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All of them.
    pub fn all(&self) -> BTreeMap<(RoomId, UserId), Receipt> {
        self.with(|pending| pending.clone())
    }

    /// Forgets those that were written and did not move meanwhile.
    pub fn written(&self, written: &BTreeMap<(RoomId, UserId), Receipt>) {
        self.with(|pending| pending.retain(|key, noted| written.get(key) != Some(noted)));
    }
}

impl Store {
    /// Notes how far somebody is in a room, and gives where that leaves them.
    pub async fn note_receipt(&self, room: RoomId, noted: Receipt) -> Result<Receipt, StoreError> {
        let head = self.head(room).await?;
        if noted.delivered > head || noted.read > head {
            return Err(StoreError::NotFound { what: "message to have read" });
        }
        if self.member(room, noted.user).await?.is_none() {
            return Err(StoreError::NotFound { what: "member" });
        }
        let key = keys::receipt(room, noted.user);
        let old = self.load("receipt", key).await?.unwrap_or(Receipt::none(noted.user));
        let pending = &self.shared().receipts;
        let (merged, full) = pending.with(|pending| {
            let before = pending.get(&(room, noted.user)).map_or(old, |noted| old.merge(*noted));
            let merged = before.merge(noted);
            if merged != old {
                pending.insert((room, noted.user), merged);
            }
            (merged, pending.len() > self.shared().limits.receipts_pending_max)
        });
        if full {
            self.flush().await?;
        }
        Ok(merged)
    }

    /// How far somebody is in a room.
    pub async fn receipt(&self, room: RoomId, user: UserId) -> Result<Receipt, StoreError> {
        let old = self.load("receipt", keys::receipt(room, user)).await?;
        let old = old.unwrap_or(Receipt::none(user));
        let noted = self.shared().receipts.with(|pending| pending.get(&(room, user)).copied());
        Ok(noted.map_or(old, |noted| old.merge(noted)))
    }

    /// How far everybody is who ever got anything of a room.
    pub async fn receipts(&self, room: RoomId) -> Result<Vec<Receipt>, StoreError> {
        let pending = self.shared().receipts.all();
        let rows: Vec<Receipt> = self.load_all("receipt", keys::receipts_of(room)).await?;
        let mut all: BTreeMap<_, _> = rows.into_iter().map(|row| (row.user, row)).collect();
        for ((there, user), noted) in pending {
            if there == room {
                all.entry(user).and_modify(|row| *row = row.merge(noted)).or_insert(noted);
            }
        }
        Ok(all.into_values().collect())
    }

    /// Who has read a room up to a position, or farther.
    pub async fn readers(
        &self,
        room: RoomId,
        position: Position,
    ) -> Result<Vec<Receipt>, StoreError> {
        let mut receipts = self.receipts(room).await?;
        receipts.retain(|receipt| receipt.read >= position);
        Ok(receipts)
    }
}

/// Writes what is noted, where there is still a member.
pub(crate) async fn stage_all(
    stage: &mut Stage<'_>,
    noted: &BTreeMap<(RoomId, UserId), Receipt>,
) -> Result<(), StoreError> {
    for ((room, user), receipt) in noted {
        if stage.get(keys::member(*room, *user)).await?.is_none() {
            continue;
        }
        let key = keys::receipt(*room, *user);
        let old = stage.load("receipt", key.clone()).await?.unwrap_or(Receipt::none(*user));
        let merged = old.merge(*receipt);
        if merged != old {
            stage.save("receipt", key, &merged)?;
        }
    }
    Ok(())
}
