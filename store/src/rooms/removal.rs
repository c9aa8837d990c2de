//! How a room ends: at once nobody finds it and nothing can be written to it; its rows go in the
//! background, a bounded number per commit. Its id is never a room's again, so that no position is
//! given twice; the ids of its events are free once their rows are gone.

use bytes::Bytes;
use hearth_protocol::ids::{RoomId, UserId};
use hearth_protocol::limits::Limits;
use serde::{Deserialize, Serialize};

use super::{direct_key, require};
use crate::engine::{Order, Range};
use crate::error::{Rule, StoreError};
use crate::stage::Stage;
use crate::sweeps::Swept;
use crate::{invites, keys, members, record};

/// A room that was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Removed {
    /// By whom.
    pub by: UserId,
    /// ms since 1970.
    pub at: u64,
    /// Its rows are gone too.
    pub swept: bool,
}

/// Removes a room and its memberships; its devices have ended before.
pub(crate) async fn remove(
    stage: &mut Stage<'_>,
    id: RoomId,
    by: UserId,
    at: u64,
) -> Result<(), StoreError> {
    let room = require(stage, id).await?;
    if room.general {
        return Err(Rule::General.into());
    }
    if let Some(two) = room.direct {
        stage.delete(direct_key(two));
    }
    members::remove_all(stage, id).await?;
    if !stage.scan(keys::devices_of(id), Order::Ascending, 1).await?.is_empty() {
        return Err(StoreError::Invalid {
            what: "the removal of a room",
            why: "its devices end before, in the same change",
        });
    }
    stage.delete(keys::room(id));
    stage.save("removed room", keys::removed(id), &Removed { by, at, swept: false })?;
    stage.remove_room(id);
    Ok(())
}

/// Removes some rows of the first removed room, from this mark on, that has any.
pub(crate) async fn sweep(
    stage: &mut Stage<'_>,
    from: Bytes,
    limits: &Limits,
) -> Result<Swept, StoreError> {
    let max = limits.sweep_rows_max.max(1);
    let marks = keys::removed_rooms();
    let marks = Range { start: from.max(marks.start), ..marks };
    for (mark, value) in stage.scan(marks, Order::Ascending, usize::MAX).await? {
        let removed: Removed = record::decode("removed room", &value)?;
        if removed.swept {
            continue;
        }
        let room = RoomId::from_bytes(record::id16("removed room", &mark)?);
        let mut rows = 0;
        for (range, kind) in rows_of(room) {
            for (key, value) in stage.scan(range, Order::Ascending, max - rows).await? {
                match kind {
                    Kind::Event => free_id(stage, &key, value),
                    Kind::Invite => invites::without(stage, room, &key).await?,
                    Kind::Other => {}
                }
                stage.delete(key);
                rows += 1;
            }
            if rows >= max {
                return Ok(Swept { rows, next: Some(mark) });
            }
        }
        stage.delete(keys::tally(room));
        stage.save("removed room", mark.clone(), &Removed { swept: true, ..removed })?;
        return Ok(Swept { rows, next: Some(mark) });
    }
    Ok(Swept::default())
}

/// Of an event that does not read, the id stays taken.
fn free_id(stage: &mut Stage<'_>, key: &[u8], value: Bytes) {
    match record::decode_event(key, value) {
        Ok(event) => stage.delete(keys::event_id(event.id)),
        Err(error) => tracing::warn!(%error, "an event of a removed room leaves its id"),
    }
}

/// What a row of a removed room leads to.
#[derive(Clone, Copy)]
enum Kind {
    Event,
    Invite,
    Other,
}

/// All that a room has beside its memberships, the events first.
fn rows_of(room: RoomId) -> [(Range, Kind); 12] {
    [
        (keys::events_of(room), Kind::Event),
        (keys::abouts_of(room), Kind::Other),
        (keys::reactions_of(room), Kind::Other),
        (keys::replies_of(room), Kind::Other),
        (keys::edits_of(room), Kind::Other),
        (keys::receipts_of(room), Kind::Other),
        (keys::sanctions_of(room), Kind::Other),
        (keys::bundles(room), Kind::Other),
        (keys::proofs(room), Kind::Other),
        (keys::invites_of(room), Kind::Invite),
        (keys::device_names_of(room), Kind::Other),
        (keys::posts_of(room), Kind::Other),
    ]
}
