//! A snapshot: one read transaction of redb, held open. redb keeps the pages that it sees, so it
//! costs the disk what writers replace meanwhile, and memory only what one call returns.

use std::sync::Arc;

use redb::ReadOnlyTable;

use super::{guarded, reading};
use crate::engine::{BoxFuture, EngineError, Order, Range, Row, Snapshot};

type Table = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// The rows of one read transaction, which ends when this is dropped.
pub(super) struct Rows {
    table: Arc<Table>,
}

impl Rows {
    pub fn new(table: Table) -> Self {
        Self { table: Arc::new(table) }
    }
}

impl Snapshot for Rows {
    fn rows(&mut self, range: Range, limit: usize) -> BoxFuture<'_, Result<Vec<Row>, EngineError>> {
        let table = self.table.clone();
        Box::pin(async move {
            let reading = tokio::task::spawn_blocking(move || {
                guarded(|| reading::scan(&*table, &range, Order::Ascending, limit))
            });
            let rows = reading.await.map_err(|error| EngineError::Closed(error.to_string()))?;
            rows.map_err(|failure| {
                if failure.latched {
                    let why = "it was reopened after an error, and the snapshot ended with it";
                    EngineError::Closed(why.into())
                } else {
                    failure.error
                }
            })
        })
    }
}
