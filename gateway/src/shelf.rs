//! The broker's shelf on the house's store.

use futures_util::future::{BoxFuture, FutureExt};
use hearth_broker::shelf::Row;
use hearth_broker::{Shelf, ShelfChange};
use hearth_protocol::refusal::Refusal;
use hearth_store::{ShelfEdit, Store};

use crate::error::ApiError;

/// Keeps what the broker must not forget beside the rooms it is about.
pub struct HouseShelf {
    store: Store,
}

impl HouseShelf {
    /// The shelf in a store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Shelf for HouseShelf {
    fn load(&self) -> BoxFuture<'_, Result<Vec<Row>, Refusal>> {
        async { Ok(self.store.shelf().await.map_err(ApiError::from)?) }.boxed()
    }

    fn save(&self, changes: Vec<ShelfChange>) -> BoxFuture<'_, Result<(), Refusal>> {
        let edit = |change| match change {
            ShelfChange::Put { key, value } => ShelfEdit::Put { key, value },
            ShelfChange::Remove { key } => ShelfEdit::Remove { key },
            ShelfChange::RemoveAll { prefix } => ShelfEdit::RemoveAll { prefix },
        };
        let edits = changes.into_iter().map(edit).collect();
        async { Ok(self.store.shelve(edits).await.map_err(ApiError::from)?) }.boxed()
    }
}
