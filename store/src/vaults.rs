//! Vaults: what a person keeps on the box, sealed; swapped by compare-and-set on the version.

use hearth_protocol::ids::UserId;
use hearth_protocol::sealing::password::Cost;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys;
use crate::stage::Stage;
use crate::store::Store;
use crate::users;

/// A person's vault with its recovery file (sealing.md §2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vault {
    /// From 1; each swap raises it by one.
    pub version: u64,
    /// Sealed under the password.
    #[serde(with = "hearth_protocol::bytes")]
    pub vault: Vec<u8>,
    /// The same, sealed to the recovery sheet.
    #[serde(with = "hearth_protocol::bytes")]
    pub recovery: Vec<u8>,
    /// What the password was stretched with that it lies under, where that is the login's no more
    /// (after a reset); `None`: as the login says.
    #[serde(default)]
    pub sealed_under: Option<SealedUnder>,
}

/// What the password of a vault was stretched with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedUnder {
    /// Of Argon2id.
    #[serde(with = "hearth_protocol::bytes::array")]
    pub salt: [u8; 16],
    /// Of Argon2id.
    pub cost: Cost,
}

impl Store {
    /// A person's vault, once there is one.
    pub async fn vault(&self, user: UserId) -> Result<Option<Vault>, StoreError> {
        self.load("vault", keys::vault(user)).await
    }
}

/// Replaces version `expected` (0: none) by the next.
pub(crate) async fn swap(
    stage: &mut Stage<'_>,
    user: UserId,
    expected: u64,
    vault: &Vault,
) -> Result<(), StoreError> {
    users::require(stage, user).await?;
    let current: Option<Vault> = stage.load("vault", keys::vault(user)).await?;
    let version = current.map_or(0, |vault| vault.version);
    if version != expected {
        return Err(StoreError::Stale { what: "vault" });
    }
    if Some(vault.version) != expected.checked_add(1) {
        return Err(StoreError::Invalid {
            what: "the vault",
            why: "its version is the next after the one it replaces",
        });
    }
    stage.save("vault", keys::vault(user), vault)
}
