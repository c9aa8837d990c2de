//! Another password (sealing.md §2): the old one is proved, the login and what the vault lies under
//! change in one commit, the other logins end. App tokens are passwords of their own and stay.

use std::net::IpAddr;

use hearth_protocol::ids::{SessionId, UserId};
use hearth_protocol::refusal::Kind;
use hearth_protocol::sealing::vault::Cost;
use hearth_store::{Change, Edit, Login, StoreError, User};
use serde::Deserialize;

use super::{Proof, use_app_token, verifier};
use crate::accounts::check_password;
use crate::app::App;
use crate::error::ApiError;

#[cfg(test)]
mod tests;

/// How the new password is known to the box: stretched in the browser, or, for accounts without a
/// vault, in clear, to be stretched and forgotten.
#[derive(Deserialize)]
pub struct NewLogin {
    #[serde(default, with = "hearth_protocol::bytes::option")]
    salt: Option<Vec<u8>>,
    cost: Option<Cost>,
    #[serde(default, with = "hearth_protocol::bytes::option")]
    new_auth_key: Option<Vec<u8>>,
    new_password: Option<String>,
}

/// `PUT /api/auth/password`.
#[derive(Deserialize)]
pub struct PasswordChange {
    #[serde(default, with = "hearth_protocol::bytes::option")]
    auth_key: Option<Vec<u8>>,
    password: Option<String>,
    #[serde(flatten)]
    new: NewLogin,
    expected_version: Option<u64>,
    #[serde(default, with = "hearth_protocol::bytes::option")]
    vault: Option<Vec<u8>>,
    #[serde(default, with = "hearth_protocol::bytes::option")]
    recovery: Option<Vec<u8>>,
}

/// How a login proves itself: one of the two.
pub fn proof(auth_key: Option<Vec<u8>>, password: Option<String>) -> Result<Proof, ApiError> {
    match (auth_key, password) {
        (Some(key), None) => Ok(Proof::AuthKey(key_of(key)?)),
        (None, Some(password)) => Ok(Proof::Password(password)),
        _ => {
            let message = "a login brings either `auth_key` or `password`";
            Err(ApiError::invalid("bad_login", message))
        }
    }
}

fn key_of(key: Vec<u8>) -> Result<[u8; 32], ApiError> {
    let length = |_| ApiError::invalid("bad_auth_key", "an auth key has 32 bytes");
    key.try_into().map_err(length)
}

impl App {
    /// What the box keeps of a new password.
    pub(crate) async fn login_of(&self, new: NewLogin, vault: bool) -> Result<Login, ApiError> {
        match (new.salt, new.cost, new.new_auth_key, new.new_password) {
            (Some(salt), Some(cost), Some(key), None) => {
                let length = |_| ApiError::invalid("bad_salt", "a salt has 16 bytes");
                cost.check()?;
                let salt = salt.try_into().map_err(length)?;
                Ok(Login { salt, cost, verifier: verifier(&key_of(key)?) })
            }
            (None, None, None, Some(_)) if vault => Err(use_app_token()
                .hint("bring `salt`, `cost` and `new_auth_key`: the password stays in the client")),
            (None, None, None, Some(password)) => {
                check_password(&password)?;
                self.auth.make_login(&password).await
            }
            _ => {
                let message = "bring `salt`, `cost` and `new_auth_key`, or `new_password`";
                Err(ApiError::invalid("bad_login", message))
            }
        }
    }

    /// Changes somebody's password; every other login of theirs ends.
    pub async fn change_password(
        &self,
        user: UserId,
        session: SessionId,
        address: IpAddr,
        request: PasswordChange,
    ) -> Result<(), ApiError> {
        let before = self.person(user).await?;
        let vault = self.store.vault(user).await?;
        let old = proof(request.auth_key, request.password)?;
        if vault.is_some() && matches!(old, Proof::Password(_)) {
            return Err(use_app_token().hint("bring `auth_key`: the password stays in the client"));
        }
        self.auth.attempts.begin(&before.name, address, self.clock.now_ms(), &self.limits)?;
        if !self.auth.meets(&before.name, Some(&before.login), old).await? {
            let message = "the old password is wrong";
            return Err(ApiError::new(Kind::Forbidden, "wrong_password", message));
        }
        self.auth.attempts.succeeded(&before.name, address, &self.limits);
        let login = self.login_of(request.new, vault.is_some()).await?;
        let _turn = self.auth.turn.lock().await;
        let now_is = self.person(user).await?;
        if now_is.login != before.login {
            return Err(ApiError::conflict("changed_meanwhile", "the password changed meanwhile"));
        }
        let mut change = Change::of(vec![], self.clock.now_ms());
        change.edits.push(Edit::UpdateUser(User { login, ..now_is }));
        match (vault, request.expected_version, request.vault, request.recovery) {
            (None, None, None, None) => {}
            (Some(_), Some(expected), Some(vault), Some(recovery)) => {
                self.put_vault(&mut change, user, expected, (vault, recovery), None)?;
            }
            (Some(_), ..) => {
                let message = "the vault lies under the password: bring it anew";
                return Err(ApiError::invalid("vault_required", message)
                    .hint("send `expected_version`, `vault` and `recovery`"));
            }
            (None, ..) => {
                let message = "this account has no vault yet";
                return Err(ApiError::invalid("no_vault", message).hint("PUT /api/vault makes it"));
            }
        }
        change.edits.extend(self.auth.ends(user, Some(session), false).await?);
        match self.store.change(change).await {
            Err(StoreError::Stale { .. }) => Err(vault_conflict()),
            done => {
                done?;
                tracing::info!(%user, "somebody changed their password");
                Ok(())
            }
        }
    }
}

/// 409: the vault is not as the client knows it.
pub fn vault_conflict() -> ApiError {
    ApiError::conflict("vault_conflict", "another device changed the vault meanwhile")
        .hint("GET /api/vault, merge, and try again")
}
