//! Bundles: a room's epochs in one unbroken line from 1, each made by compare-and-set on the
//! room's epoch. Kept for ever.

use hearth_protocol::ids::{Epoch, RoomId, UserId};
use serde::{Deserialize, Serialize};

use crate::engine::{Order, Range};
use crate::error::StoreError;
use crate::stage::Stage;
use crate::store::Store;
use crate::{keys, record, rooms};

/// A room's epoch (sealing.md §3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// Of which room.
    pub room: RoomId,
    /// Its number.
    pub epoch: Epoch,
    /// The bundle as it came.
    #[serde(with = "hearth_protocol::bytes")]
    pub bytes: Vec<u8>,
    /// SHA-256 of its header.
    #[serde(with = "hearth_protocol::bytes::array")]
    pub header_hash: [u8; 32],
    /// By whom.
    pub by: UserId,
    /// ms since 1970.
    pub at: u64,
}

impl Store {
    /// One epoch of a room.
    pub async fn bundle(&self, room: RoomId, epoch: Epoch) -> Result<Option<Bundle>, StoreError> {
        self.load("bundle", keys::bundle(room, epoch)).await
    }

    /// The first of a room's epochs above `after`, ascending.
    pub async fn bundles_page(
        &self,
        room: RoomId,
        after: Epoch,
        limit: usize,
    ) -> Result<Vec<Bundle>, StoreError> {
        let Some(first) = after.checked_add(1) else { return Ok(vec![]) };
        let range = Range { start: keys::bundle(room, first), ..keys::bundles(room) };
        let rows = self.engine().scan(range, Order::Ascending, limit).await?;
        rows.iter().map(|(_, value)| record::decode("bundle", value)).collect()
    }

    /// A room's epochs above `after`, ascending.
    pub async fn bundles(&self, room: RoomId, after: Epoch) -> Result<Vec<Bundle>, StoreError> {
        let Some(first) = after.checked_add(1) else { return Ok(vec![]) };
        let range = Range { start: keys::bundle(room, first), ..keys::bundles(room) };
        self.load_all("bundle", range).await
    }
}

/// The room's next epoch; what was due is done by it.
pub(crate) async fn put(stage: &mut Stage<'_>, bundle: &Bundle) -> Result<(), StoreError> {
    let mut room = rooms::require(stage, bundle.room).await?;
    if room.epoch.checked_add(1) != Some(bundle.epoch) {
        return Err(StoreError::Stale { what: "epoch" });
    }
    room.epoch = bundle.epoch;
    room.rotation_due = false;
    rooms::save(stage, &room)?;
    stage.save("bundle", keys::bundle(bundle.room, bundle.epoch), bundle)?;
    stage.touch_room(bundle.room);
    Ok(())
}
