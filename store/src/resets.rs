//! Links for a new password, made by whoever runs the house: one at a time for each person, used
//! once, within their time. A link sets the login and nothing else: sessions go on, and the vault
//! stays as it is, with what it lies under noted beside it (sealing.md §2).

use hearth_protocol::ids::UserId;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::stage::Stage;
use crate::store::Store;
use crate::users::{Login, User};
use crate::vaults::{SealedUnder, Vault};
use crate::{keys, users};

/// A link for a new password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    /// Whose.
    pub user: UserId,
    /// SHA-256 of its secret.
    #[serde(with = "hearth_protocol::bytes::array")]
    pub hash: [u8; 32],
    /// Who made it; `None` is the box's own shell.
    pub by: Option<UserId>,
    /// ms since 1970.
    pub expires_at: u64,
}

impl Store {
    /// The link that somebody has, used up by nobody yet; it may have expired.
    pub async fn reset(&self, user: UserId) -> Result<Option<Reset>, StoreError> {
        self.load("reset link", keys::reset(user)).await
    }
}

/// A new link, in place of the one before.
pub(crate) async fn put(stage: &mut Stage<'_>, reset: &Reset) -> Result<(), StoreError> {
    users::require(stage, reset.user).await?;
    stage.save("reset link", keys::reset(reset.user), reset)
}

/// Uses it.
pub(crate) async fn use_once(
    stage: &mut Stage<'_>,
    user: UserId,
    hash: &[u8; 32],
    login: &Login,
    at_ms: u64,
) -> Result<(), StoreError> {
    let missing = StoreError::NotFound { what: "reset link" };
    let found: Option<Reset> = stage.load("reset link", keys::reset(user)).await?;
    let Some(reset) = found.filter(|reset| reset.hash == *hash) else { return Err(missing) };
    if reset.expires_at <= at_ms {
        return Err(StoreError::Gone { what: "reset link", why: "expired" });
    }
    let old = users::require(stage, user).await?;
    old.may_sign_in(at_ms)?;
    let vault: Option<Vault> = stage.load("vault", keys::vault(user)).await?;
    if let Some(vault) = vault.filter(|vault| vault.sealed_under.is_none()) {
        let Login { salt, cost, .. } = old.login;
        let sealed_under = Some(SealedUnder { salt, cost });
        stage.save("vault", keys::vault(user), &Vault { sealed_under, ..vault })?;
    }
    stage.delete(keys::reset(user));
    stage.save("user", keys::user(user), &User { login: login.clone(), ..old })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Edit;
    use crate::testing::*;

    fn reset(number: u8, expires_at: u64) -> Edit {
        let (user, hash) = (user_id(1), [number; 32]);
        Edit::PutReset(Reset { user, hash, by: Some(user_id(2)), expires_at })
    }

    fn login(number: u8) -> Login {
        Login { salt: [number; 16], verifier: [number; 32], ..user(1, "Anna").login }
    }

    fn use_it(number: u8) -> Vec<Edit> {
        let (user, hash) = (user_id(1), [number; 32]);
        vec![Edit::UseReset { user, hash, login: login(number) }]
    }

    #[test]
    fn a_link_is_used_once_in_its_time_and_a_newer_one_replaces_it() {
        on_each_engine(|store| async {
            let store = store.with_people().await;
            refused!(store.make(use_it(1)).await, NotFound);
            store.make(vec![reset(1, u64::MAX), reset(2, u64::MAX)]).await.unwrap();
            refused!(store.make(use_it(1)).await, NotFound);
            store.make(use_it(2)).await.unwrap();
            assert_eq!(store.user(user_id(1)).await.unwrap().unwrap().login, login(2));
            assert_eq!(store.reset(user_id(1)).await.unwrap(), None);
            refused!(store.make(use_it(2)).await, NotFound);
            store.make(vec![reset(3, 0)]).await.unwrap();
            refused!(store.make(use_it(3)).await, Gone);
            let blocked = User { blocked: true, ..user(1, "Anna") };
            store.make(vec![reset(4, u64::MAX), Edit::UpdateUser(blocked)]).await.unwrap();
            refused!(store.make(use_it(4)).await, Gone);
        });
    }

    #[test]
    fn the_vault_stays_and_what_it_lies_under_is_kept_beside_it() {
        on_each_engine(|store| async {
            let store = store.with_people().await;
            let old = store.user(user_id(1)).await.unwrap().unwrap().login;
            let vault = Vault { version: 1, vault: vec![1], recovery: vec![2], sealed_under: None };
            let swap = Edit::SwapVault { user: user_id(1), expected: 0, vault: vault.clone() };
            store.make(vec![swap, reset(5, u64::MAX)]).await.unwrap();
            store.make(use_it(5)).await.unwrap();
            let sealed_under = Some(SealedUnder { salt: old.salt, cost: old.cost });
            let kept = Some(Vault { sealed_under, ..vault });
            assert_eq!(store.vault(user_id(1)).await.unwrap(), kept);
            // A second reset does not forget what the vault lies under.
            store.make(vec![reset(6, u64::MAX)]).await.unwrap();
            store.make(use_it(6)).await.unwrap();
            assert_eq!(store.vault(user_id(1)).await.unwrap(), kept);
        });
    }
}
