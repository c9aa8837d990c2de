//! Upkeep of the store's file: once a day all of it is read, and compacted if that pays.

use std::sync::Arc;
use std::time::Duration;

use hearth_protocol::limits::Limits;
use hearth_store::{EngineError, Redb};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::app::App;

/// From the start to the first look: a start is busy enough.
const FIRST_AFTER: Duration = Duration::from_secs(3_600);
/// Between two looks.
const EVERY: Duration = Duration::from_secs(24 * 3_600);

/// Looks after the file until `stop` turns true.
pub async fn run(engine: Arc<Redb>, app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut ticks = interval_at(Instant::now() + FIRST_AFTER, EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        // What it does is dropped at a stop: the engine gives it up when it is closed.
        tokio::select! {
            looked = look(&engine, &app.limits) => match looked {
                Ok(_) => app.troubles.looked_after(),
                Err(error) => {
                    app.troubles.note(&error);
                    tracing::error!(%error, "the database's file was not looked after");
                }
            },
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Compacts the file if that pays; whether it did.
async fn look(engine: &Redb, limits: &Limits) -> Result<bool, EngineError> {
    let usage = engine.usage().await?;
    if !usage.compaction_pays(limits) {
        return Ok(false);
    }
    let done = engine.compact().await?;
    tracing::info!(done.before_bytes, done.after_bytes, "the database's file was compacted");
    Ok(true)
}

#[cfg(test)]
mod tests {
    use hearth_store::{Batch, DataKey, Engine, FileFolder};

    use super::*;

    #[tokio::test]
    async fn a_file_is_compacted_when_most_of_it_is_free_and_only_then() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("hearth.db");
        let (folder, disk) = FileFolder::open(&path).unwrap();
        let key = DataKey::from_bytes([1; 32]);
        let engine = Redb::open_in(Arc::new(folder), Arc::new(disk), &key, 1 << 20).unwrap();
        let limits = Limits { compaction_free_bytes: 1 << 20, ..Limits::default() };
        let (mut much, mut gone) = (Batch::default(), Batch::default());
        for number in 0..4_000_u32 {
            much.put(number.to_be_bytes().to_vec().into(), vec![7; 1_000].into());
            gone.delete(number.to_be_bytes().to_vec().into());
        }
        engine.commit(much).await.unwrap();
        engine.commit(gone).await.unwrap();
        let before = std::fs::metadata(&path).unwrap().len();
        assert!(look(&engine, &limits).await.unwrap());
        let after = std::fs::metadata(&path).unwrap().len();
        assert!(after * 3 < before, "{after} of {before}");
        assert!(!look(&engine, &limits).await.unwrap());
    }
}
