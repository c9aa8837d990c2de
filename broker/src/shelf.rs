//! What of the broker outlives a restart: sessions, what waits in them, retained messages.
//!
//! - [`Shelf`]: what the broker asks of whoever owns a disk
//! - [`record`]: the rows, and their keys on one page
//! - [`writer`]: gathers rows, writes them in batches, and tells who waited for a batch
//! - [`restore`]: reads everything back at the start

pub(crate) mod record;
pub(crate) mod restore;
pub(crate) mod writer;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use hearth_protocol::refusal::Refusal;

/// A row of the shelf: both are the broker's own bytes.
pub type Row = (Bytes, Bytes);

/// One write. A batch is applied in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShelfChange {
    /// Sets a row.
    Put {
        /// Its key.
        key: Bytes,
        /// Its value.
        value: Bytes,
    },
    /// Removes a row; nothing if there is none.
    Remove {
        /// Its key.
        key: Bytes,
    },
    /// Removes every row whose key begins like this.
    RemoveAll {
        /// How the keys begin.
        prefix: Bytes,
    },
}

/// Keeps the broker's rows: a map of bytes on a disk.
pub trait Shelf: Send + Sync + 'static {
    /// Every row, in ascending order of keys.
    fn load(&self) -> BoxFuture<'_, Result<Vec<Row>, Refusal>>;

    /// Applies all of these or none; they are on disk when it returns `Ok`. After an error the
    /// broker tries the same batch again.
    fn save(&self, changes: Vec<ShelfChange>) -> BoxFuture<'_, Result<(), Refusal>>;
}
