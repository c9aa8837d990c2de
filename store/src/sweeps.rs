//! Sweeps: what goes by itself, a bounded number of rows per commit, through the one appender. They
//! are asked for by the gateway while the clock is trusted; each call does a part, and says where
//! the next one goes on. What is followed by others than the store, like sessions, goes by the same
//! edits as when somebody asks for it.

use bytes::Bytes;
use hearth_protocol::ids::{Position, RoomId};
use hearth_protocol::limits::{Limits, seconds_ms};

use crate::change::Edit;
use crate::edits::{self, Setting};
use crate::engine::{self, Order, Range, Row};
use crate::error::StoreError;
use crate::messages::Became;
use crate::rooms::{Room, removal};
use crate::stage::Stage;
use crate::store::Store;
use crate::{audit, invites, keys, notifications, record, reports, sessions, tokens};

/// What is swept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep {
    /// A room's oldest events, as far as its retention says.
    History {
        /// Which room's.
        room: RoomId,
    },
    /// The rows of rooms that were removed.
    RemovedRooms,
    /// What remembers door posts after their time, and packets after that of any session.
    OnceKeys {
        /// How long the same post is the same one.
        post_ms: u64,
    },
    /// Invites that expired some days ago.
    Invites,
    /// Sessions that nobody used for too long, or whose person may not sign in any more.
    Sessions,
    /// App tokens whose person may not sign in any more.
    Tokens,
    /// Notifications whose time is over.
    Notifications,
    /// Decided reports whose time is over.
    Reports,
    /// Audit entries whose time is over.
    Audit,
}

/// What a sweep did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many are gone: rows, or what was swept by name.
    pub rows: usize,
    /// The key from which the next call goes on; `None`: all is looked at.
    pub next: Option<Bytes>,
}

/// What a part of a sweep did, and what those who follow changes are told.
#[derive(Default)]
pub(crate) struct Part {
    pub swept: Swept,
    /// What was done as if somebody had asked for it.
    pub edits: Vec<Edit>,
    /// The room, if it is another one now.
    pub room: Option<Room>,
}

impl From<Swept> for Part {
    fn from(swept: Swept) -> Self {
        Self { swept, ..Self::default() }
    }
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
    sweep: Sweep,
    from: Bytes,
    at_ms: u64,
    limits: &Limits,
) -> Result<Part, StoreError> {
    let range = match sweep {
        Sweep::History { .. } => return Ok(Part::default()),
        Sweep::RemovedRooms => return Ok(removal::sweep(stage, from, limits).await?.into()),
        Sweep::OnceKeys { post_ms } => {
            return Ok(once_keys(stage, from, at_ms, post_ms, limits).await?.into());
        }
        Sweep::Invites => keys::invites(),
        Sweep::Sessions => keys::sessions(),
        Sweep::Tokens => keys::tokens(),
        Sweep::Notifications => notifications::over(at_ms, limits),
        Sweep::Reports => keys::reports_decided(),
        Sweep::Audit => audit::over(stage, at_ms, limits).await?,
    };
    let Page { rows, next } = page(stage, range, from, limits).await?;
    let edits = match sweep {
        Sweep::Invites => invites::ends(&rows, at_ms, limits)?,
        Sweep::Sessions => sessions::ends(stage, &rows, at_ms, limits).await?,
        Sweep::Tokens => tokens::ends(stage, &rows, at_ms).await?,
        Sweep::Notifications => notifications::ends(&rows)?,
        Sweep::Reports => reports::ends(stage, &rows, at_ms, limits).await?,
        Sweep::Audit => audit::ends(&rows)?,
        Sweep::History { .. } | Sweep::RemovedRooms | Sweep::OnceKeys { .. } => vec![],
    };
    let setting = Setting { at_ms, limits, joined: &|_, _| Position::START };
    for edit in &edits {
        edits::apply(stage, edit, &setting).await?;
    }
    Ok(Part { swept: Swept { rows: edits.len(), next }, edits, room: None })
}

/// Some rows of a range, and where the next ones begin if there may be more.
struct Page {
    rows: Vec<Row>,
    next: Option<Bytes>,
}

async fn page(
    stage: &Stage<'_>,
    range: Range,
    from: Bytes,
    limits: &Limits,
) -> Result<Page, StoreError> {
    let max = limits.sweep_rows_max.max(1);
    let range = Range { start: from.max(range.start), ..range };
    if range.is_empty() {
        return Ok(Page { rows: vec![], next: None });
    }
    let rows = stage.scan(range, Order::Ascending, max).await?;
    let last = rows.last().filter(|_| rows.len() == max);
    let next = last.map(|(key, _)| engine::after(key));
    Ok(Page { rows, next })
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
        let Page { rows, next } = page(stage, range, from.clone(), limits).await?;
        for (key, value) in rows {
            let became: Became = record::decode("once-key", &value)?;
            if became.received_at.saturating_add(life_ms) <= at_ms {
                stage.delete(key);
                swept.rows += 1;
            }
        }
        swept.next = next;
        if swept.next.is_some() {
            break;
        }
    }
    Ok(swept)
}

#[cfg(test)]
pub(crate) mod tests;
