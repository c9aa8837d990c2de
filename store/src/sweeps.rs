//! Sweeps: what goes by itself, a bounded number of rows per commit, through the one appender. They
//! are asked for by the gateway while the clock is trusted; each call does a part and says whether
//! there is more.

use bytes::Bytes;
use hearth_protocol::ids::RoomId;
use hearth_protocol::limits::{Limits, seconds_ms};

use crate::engine::{Order, Range};
use crate::error::StoreError;
use crate::messages::Became;
use crate::rooms::removal;
use crate::stage::Stage;
use crate::store::Store;
use crate::{keys, record};

/// What is swept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sweep {
    /// A room's oldest events, as far as its retention says.
    History {
        /// Which room's.
        room: RoomId,
        /// The box's clock, ms since 1970.
        at_ms: u64,
    },
    /// The rows of rooms that were removed.
    RemovedRooms,
    /// What remembers door posts after their time, and packets after that of any session.
    OnceKeys {
        /// Where the last call ended; empty: from the start.
        from: Bytes,
        /// The box's clock, ms since 1970.
        at_ms: u64,
        /// How long the same post is the same one.
        post_ms: u64,
    },
}

impl Sweep {
    /// The time it was asked for with.
    pub(crate) fn at_ms(&self) -> u64 {
        match self {
            Sweep::History { at_ms, .. } | Sweep::OnceKeys { at_ms, .. } => *at_ms,
            Sweep::RemovedRooms => 0,
        }
    }
}

/// What a sweep did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Rows that are gone.
    pub rows: usize,
    /// Where to go on, if there is more; means something to [`Sweep::OnceKeys`] only.
    pub next: Option<Bytes>,
}

impl Store {
    /// The newest time, ms since 1970, at which the clock was trusted; 0: never yet.
    pub async fn trusted_ms(&self) -> Result<u64, StoreError> {
        Ok(self.load("clock", keys::clock()).await?.unwrap_or(0))
    }

    /// Keeps a time at which the clock is trusted.
    pub async fn trust(&self, at_ms: u64) -> Result<(), StoreError> {
        let mut batch = crate::engine::Batch::default();
        batch.put(keys::clock(), record::encode("clock", &at_ms)?);
        Ok(self.engine().commit(batch).await?)
    }
}

/// Stages a part of a sweep that is no room's history.
pub(crate) async fn stage(
    stage: &mut Stage<'_>,
    sweep: &Sweep,
    limits: &Limits,
) -> Result<Swept, StoreError> {
    match sweep {
        Sweep::History { .. } => Ok(Swept::default()),
        Sweep::RemovedRooms => removal::sweep(stage, limits).await,
        Sweep::OnceKeys { from, at_ms, post_ms } => {
            once_keys(stage, from.clone(), *at_ms, *post_ms, limits).await
        }
    }
}

async fn once_keys(
    stage: &mut Stage<'_>,
    from: Bytes,
    at_ms: u64,
    post_ms: u64,
    limits: &Limits,
) -> Result<Swept, StoreError> {
    let session_ms = seconds_ms(limits.session_expiry_s_max);
    let mut swept = Swept::default();
    for (range, life_ms) in [(keys::posts(), post_ms), (keys::packets(), session_ms)] {
        if range.end.as_ref().is_some_and(|end| from >= *end) {
            continue;
        }
        let range = Range { start: from.clone().max(range.start), ..range };
        let rows = stage.scan(range, Order::Ascending, limits.sweep_rows_max).await?;
        let full = rows.len() >= limits.sweep_rows_max;
        for (key, value) in rows {
            let became: Became = record::decode("once-key", &value)?;
            if full {
                // The first key that is greater.
                swept.next = Some([&key, &b"\0"[..]].concat().into());
            }
            if became.received_at.saturating_add(life_ms) <= at_ms {
                stage.delete(key);
                swept.rows += 1;
            }
        }
        if full {
            break;
        }
    }
    Ok(swept)
}
