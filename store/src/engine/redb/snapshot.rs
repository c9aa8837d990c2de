//! A snapshot: one read transaction of redb, held open. redb keeps the pages that it sees, so it
//! costs the disk what writers replace meanwhile, and memory only what one call returns.

use std::sync::Arc;

use redb::{ReadOnlyTable, ReadableDatabase};

use super::{Held, Next, Open, ROWS, guarded, reading};
use crate::engine::{BoxFuture, EngineError, Order, Range, Row, Snapshot};
use crate::sealed_file::SealedFile;

type Table = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// The rows of one read transaction, which ends when this is dropped.
pub(super) struct Rows {
    table: Arc<Table>,
    file: Arc<SealedFile>,
    /// A compaction may put another database in its place meanwhile; this one stays open.
    _held: Arc<Held>,
}

impl Rows {
    pub fn take(open: &Open) -> Result<Self, EngineError> {
        let (table, held) = open
            .with(|database, held| Ok((database.begin_read()?.open_table(ROWS)?, held.clone())))?;
        Ok(Self { table: Arc::new(table), file: open.state().file, _held: held })
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
            rows.map_err(|failure| match failure.next {
                Next::TryAgain => {
                    let why = "it was reopened after an error, and the snapshot ended with it";
                    EngineError::Closed(why.into())
                }
                Next::GoOn | Next::Reopen => failure.explained(&self.file),
            })
        })
    }
}
