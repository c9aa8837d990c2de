//! The house: there is one, or none yet. And the secrets that the box makes for itself once.

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
        let key = keys::secret(name);
        let form = |_| record::form("secret", "it has not 32 bytes".into());
        if let Some(secret) = self.engine().get(key.clone()).await? {
            return secret[..].try_into().map_err(form);
        }
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| EngineError::Closed(error.to_string()))?;
        let mut batch = Batch::default();
        batch.expect(key.clone(), None);
        batch.put(key.clone(), secret.to_vec().into());
        match self.engine().commit(batch).await {
            Ok(()) => Ok(secret),
            // Somebody else made it first.
            Err(EngineError::Conflict) => {
                let secret = self.engine().get(key).await?.unwrap_or_default();
                secret[..].try_into().map_err(form)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Sets it.
pub(crate) fn set(stage: &mut Stage<'_>, house: &House) -> Result<(), StoreError> {
    stage.save("house", keys::house(), house)
}
