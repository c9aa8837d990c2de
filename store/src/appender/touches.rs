//! "Last used" of things: kept until something is committed anyway, and written with it.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Appender;
use crate::devices::Device;
use crate::error::StoreError;
use crate::keys;
use crate::sessions::Session;
use crate::stage::Stage;
use crate::store::Touch;
use crate::tokens::AppToken;
use crate::users::User;

impl Appender {
    /// Remembers a use; as many as may wait, the rest is forgotten.
    pub(super) fn note(&mut self, touch: Touch, at_ms: u64) {
        let full = self.touches.len() >= self.shared.limits.appends_waiting_max;
        if !full || self.touches.contains_key(&touch) {
            let last = self.touches.entry(touch).or_default();
            *last = at_ms.max(*last);
        }
    }

    /// Adds what is remembered to a batch. What does not read is no reason to fail the batch.
    pub(super) async fn stage_touches(&self, stage: &mut Stage<'_>) {
        for (touch, at_ms) in &self.touches {
            if let Err(error) = write(stage, *touch, *at_ms).await {
                tracing::warn!(%error, ?touch, "a last use is not noted");
            }
        }
    }

    /// Writes what is remembered in a batch of its own, at the end.
    pub(super) async fn write_touches(&self) -> Result<(), StoreError> {
        let mut stage = Stage::new(&*self.shared.engine);
        self.stage_touches(&mut stage).await;
        if !stage.is_empty() {
            self.shared.engine.commit(stage.into_batch()).await?;
        }
        Ok(())
    }
}

async fn write(stage: &mut Stage<'_>, touch: Touch, at_ms: u64) -> Result<(), StoreError> {
    match touch {
        Touch::User(id) => raise::<User>(stage, "user", keys::user(id), at_ms).await,
        Touch::Session(id) => raise::<Session>(stage, "session", keys::session(id), at_ms).await,
        Touch::Token(id) => raise::<AppToken>(stage, "app token", keys::token(id), at_ms).await,
        Touch::Device(id) => raise::<Device>(stage, "device", keys::device(id), at_ms).await,
    }
}

/// A noun that remembers when it was last used.
trait Used {
    fn last_use(&mut self) -> &mut u64;
}

impl Used for User {
    fn last_use(&mut self) -> &mut u64 {
        &mut self.last_seen
    }
}

impl Used for Session {
    fn last_use(&mut self) -> &mut u64 {
        &mut self.last_used_at
    }
}

impl Used for AppToken {
    fn last_use(&mut self) -> &mut u64 {
        &mut self.last_used_at
    }
}

impl Used for Device {
    fn last_use(&mut self) -> &mut u64 {
        &mut self.last_post_at
    }
}

/// Raises the last use of a noun that is still there.
async fn raise<T: Used + Serialize + DeserializeOwned>(
    stage: &mut Stage<'_>,
    what: &'static str,
    key: Bytes,
    at_ms: u64,
) -> Result<(), StoreError> {
    let Some(mut noun) = stage.load::<T>(what, key.clone()).await? else { return Ok(()) };
    let field = noun.last_use();
    if *field >= at_ms {
        return Ok(());
    }
    *field = at_ms;
    stage.save(what, key, &noun)
}
