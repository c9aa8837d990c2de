//! What the MQTT broker keeps over a restart: rows whose keys and values are the broker's own
//! bytes. They share the appender's batches, and with them its syncs.

use bytes::Bytes;

use crate::engine::{Order, Row};
use crate::error::StoreError;
use crate::keys;
use crate::stage::Stage;
use crate::store::Store;

/// Rows removed at a time.
const REMOVED_AT_ONCE: usize = 1_000;

/// One write to the shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShelfEdit {
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
        /// How they begin.
        prefix: Bytes,
    },
}

impl Store {
    /// Every row of the shelf, in ascending order of keys.
    pub async fn shelf(&self) -> Result<Vec<Row>, StoreError> {
        let rows = self.scan_all(keys::shelf_under(&[])).await?;
        Ok(rows.into_iter().map(|(key, value)| (key.slice(1..), value)).collect())
    }
}

/// Adds edits to a batch.
pub(crate) async fn stage(stage: &mut Stage<'_>, edits: &[ShelfEdit]) -> Result<(), StoreError> {
    for edit in edits {
        match edit {
            ShelfEdit::Put { key, value } => stage.put(keys::shelf(key), value.clone()),
            ShelfEdit::Remove { key } => stage.delete(keys::shelf(key)),
            ShelfEdit::RemoveAll { prefix } => remove_all(stage, prefix).await?,
        }
    }
    Ok(())
}

async fn remove_all(stage: &mut Stage<'_>, prefix: &[u8]) -> Result<(), StoreError> {
    loop {
        let range = keys::shelf_under(prefix);
        let rows = stage.scan(range, Order::Ascending, REMOVED_AT_ONCE).await?;
        let last = rows.len() < REMOVED_AT_ONCE;
        for (key, _) in rows {
            stage.delete(key);
        }
        if last {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::on_each_engine;

    fn put(key: &'static str, value: &'static str) -> ShelfEdit {
        ShelfEdit::Put { key: key.into(), value: value.into() }
    }

    #[test]
    fn edits_apply_in_order_and_prefixes_are_whole() {
        on_each_engine(|store| async move {
            let edits = vec![put("a1", "x"), put("a2", "y"), put("b", "z"), put("a1", "w")];
            store.shelve(edits).await.unwrap();
            let row = |key: &'static str, value: &'static str| (key.into(), value.into());
            let all: Vec<Row> = vec![row("a1", "w"), row("a2", "y"), row("b", "z")];
            assert_eq!(store.shelf().await.unwrap(), all);
            let remove = ShelfEdit::RemoveAll { prefix: "a".into() };
            let none = ShelfEdit::Remove { key: "none".into() };
            store.shelve(vec![none, remove, put("a3", "v")]).await.unwrap();
            assert_eq!(store.shelf().await.unwrap(), [row("a3", "v"), row("b", "z")]);
            store.shelve(vec![ShelfEdit::Remove { key: "b".into() }]).await.unwrap();
            assert_eq!(store.shelf().await.unwrap(), [row("a3", "v")]);
        });
    }

    #[test]
    fn many_rows_go_at_once() {
        on_each_engine(|store| async move {
            let rows = (0..2_500u16).map(|n| ShelfEdit::Put {
                key: Bytes::copy_from_slice(&[&b"s"[..], &n.to_be_bytes()].concat()),
                value: Bytes::new(),
            });
            store.shelve(rows.collect()).await.unwrap();
            assert_eq!(store.shelf().await.unwrap().len(), 2_500);
            let remove = ShelfEdit::RemoveAll { prefix: "s".into() };
            store.shelve(vec![remove]).await.unwrap();
            assert_eq!(store.shelf().await.unwrap(), []);
        });
    }
}
