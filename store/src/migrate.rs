//! The version of the whole layout, and the steps from one to the next.
//!
//! Each step is one batch with the new version in it: a crash leaves the old layout or the new one,
//! whole. A step rewrites records of which a house has a few thousand at most, never events. Data
//! of a newer program is refused, and not a byte of its file is changed ([`refuse_newer`]).

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::disk::Disk;
use crate::disk::untouched::Untouched;
use crate::engine::redb::Redb;
use crate::engine::{Batch, Engine, EngineError, Order};
use crate::error::StoreError;
use crate::master_key::DataKey;
use crate::stage::Stage;
use crate::{keys, record};

#[cfg(test)]
mod tests;
mod to_2;

use to_2::Added;

/// The layout that this program writes.
pub(crate) const LAYOUT: u32 = 2;
/// Rows that a step takes from the engine at a time.
const STEP_ROWS: usize = 1_000;
/// What reading one row needs.
const CACHE_BYTES: usize = 1 << 20;

/// Refuses a database that a newer program wrote, before anything is written to its file.
pub async fn refuse_newer(disk: Arc<dyn Disk>, key: &DataKey) -> Result<(), StoreError> {
    if disk.is_empty().map_err(EngineError::from)? {
        return Ok(());
    }
    let engine =
        Redb::open(Arc::new(Untouched::new(disk).map_err(EngineError::from)?), key, CACHE_BYTES)?;
    let found = layout(&engine).await?;
    known(found).map(drop)
}

/// Marks new data, brings old data to this layout, refuses that of a newer program.
pub(crate) async fn bring_up(engine: &dyn Engine) -> Result<(), StoreError> {
    with(engine, to_2::ADDED).await
}

/// As [`bring_up`], where layout 2 adds these fields.
async fn with(engine: &dyn Engine, added: &[Added]) -> Result<(), StoreError> {
    let Some(found) = known(layout(engine).await?)? else {
        let mut batch = Batch::default();
        batch.expect(keys::layout(), None);
        batch.put(keys::layout(), number(LAYOUT));
        return Ok(engine.commit(batch).await?);
    };
    for from in found..LAYOUT {
        let mut stage = Stage::new(engine);
        match from {
            1 => add_fields(&mut stage, added).await?,
            _ => return Err(record::form("layout", format!("there never was a version {from}"))),
        }
        stage.put(keys::layout(), number(from + 1));
        let mut batch = Batch::default();
        batch.expect(keys::layout(), Some(number(from)));
        batch.ops.append(&mut stage.into_batch().ops);
        engine.commit(batch).await?;
        tracing::info!(from, to = from + 1, "the data is of a new layout now");
    }
    Ok(())
}

async fn layout(engine: &dyn Engine) -> Result<Option<u32>, StoreError> {
    let Some(found) = engine.get(keys::layout()).await? else { return Ok(None) };
    let form = |_| record::form("layout", "its version has not 4 bytes".into());
    Ok(Some(u32::from_be_bytes(found[..].try_into().map_err(form)?)))
}

fn known(found: Option<u32>) -> Result<Option<u32>, StoreError> {
    match found {
        Some(found) if found > LAYOUT => Err(StoreError::Newer { found, known: LAYOUT }),
        found => Ok(found),
    }
}

fn number(layout: u32) -> Bytes {
    layout.to_be_bytes().to_vec().into()
}

/// Adds fields to every record of a tag, some at a time.
async fn add_fields(stage: &mut Stage<'_>, added: &[Added]) -> Result<(), StoreError> {
    let mut tags: Vec<u8> = added.iter().map(|one| one.tag).collect();
    tags.sort_unstable();
    tags.dedup();
    for tag in tags {
        let fields = fields(added.iter().filter(|one| one.tag == tag))?;
        let mut range = keys::tagged(tag);
        loop {
            let rows = stage.engine().scan(range.clone(), Order::Ascending, STEP_ROWS).await?;
            let Some((last, _)) = rows.last() else { break };
            range = keys::after(range, last);
            for (key, value) in rows {
                let mut noun: Map<String, Value> = record::decode("record", &value)?;
                for (field, value) in &fields {
                    noun.entry(field.clone()).or_insert_with(|| value.clone());
                }
                stage.put(key, record::encode("record", &noun)?);
            }
        }
    }
    Ok(())
}

fn fields<'a>(added: impl Iterator<Item = &'a Added>) -> Result<Map<String, Value>, StoreError> {
    let parse = |one: &Added| match serde_json::from_str(one.value) {
        Ok(value) => Ok((one.field.to_string(), value)),
        Err(error) => Err(record::form("new field", format!("{}: {error}", one.field))),
    };
    added.map(parse).collect()
}
