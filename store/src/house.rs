//! The house: there is one, or none yet. And the secrets that the box makes for itself once.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::engine::{Batch, EngineError};
use crate::error::StoreError;
use crate::stage::Stage;
use crate::store::Store;
use crate::{keys, record};

/// The house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct House {
    /// What it is called.
    pub name: String,
    /// When it was set up, ms since 1970.
    pub created_at: u64,
}

impl Store {
    /// The house, once it is set up.
    pub async fn house(&self) -> Result<Option<House>, StoreError> {
        self.load("house", keys::house()).await
    }

    /// A random secret of the box, made when it is first asked for.
    pub async fn secret(&self, name: &str) -> Result<[u8; 32], StoreError> {
        let kept = match self.kept(name).await? {
            Some(kept) => kept,
            None => {
                let mut secret = vec![0; 32];
                let filled = getrandom::fill(&mut secret);
                filled.map_err(|error| EngineError::Closed(error.to_string()))?;
                self.keep(name, secret).await?
            }
        };
        let form = |_| record::form("secret", "it has not 32 bytes".into());
        kept[..].try_into().map_err(form)
    }

    /// What the box keeps to itself under a name.
    pub async fn kept(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        Ok(self.engine().get(keys::secret(name)).await?)
    }

    /// Keeps something under a name, for ever, unless something is kept there; gives what is.
    pub async fn keep(&self, name: &str, secret: Vec<u8>) -> Result<Bytes, StoreError> {
        let (key, secret) = (keys::secret(name), Bytes::from(secret));
        let mut batch = Batch::default();
        batch.expect(key.clone(), None);
        batch.put(key.clone(), secret.clone());
        match self.engine().commit(batch).await {
            Ok(()) => Ok(secret),
            // Somebody else was first.
            Err(EngineError::Conflict) => Ok(self.engine().get(key).await?.unwrap_or_default()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Sets it.
pub(crate) fn set(stage: &mut Stage<'_>, house: &House) -> Result<(), StoreError> {
    stage.save("house", keys::house(), house)
}
