//! A new password by a link that whoever runs the house makes: one use, one day, kept as a hash. It
//! sets the login only; it ends no login and cannot open the vault (sealing.md §2).

use hearth_protocol::bytes::{b64u, from_b64u};
use hearth_protocol::ids::UserId;
use hearth_protocol::limits::hours_ms;
use hearth_protocol::role::HouseRole;
use hearth_protocol::sealing::kdf::sha256;
use hearth_store::{Change, Edit, Reset, StoreError, Subject};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use subtle::ConstantTimeEq;
use utoipa::ToSchema;

use super::password::NewLogin;
use crate::app::App;
use crate::audit::{self, AuditAction};
use crate::clock::random;
use crate::error::ApiError;

/// A link for a new password, shown once.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ResetLink {
    /// Whose.
    pub name: String,
    /// What follows the house's address: `/reset#SECRET`.
    pub path: String,
    /// For `POST /api/auth/reset`.
    pub secret: String,
    /// ms since 1970.
    pub expires_at: u64,
}

/// `POST /api/auth/reset`.
#[derive(Deserialize, ToSchema)]
pub struct UseReset {
    secret: String,
    #[serde(flatten)]
    new: NewLogin,
}

/// Bytes of a link's secret: whose it is, and what nobody guesses.
const SECRET: usize = 16 + 32;

impl App {
    /// A link for somebody; the one before ends. `by` `None` is the box's own shell.
    pub async fn make_reset(
        &self,
        by: Option<UserId>,
        user: UserId,
    ) -> Result<ResetLink, ApiError> {
        let person = self.person(user).await?;
        self.require_over(by, &person)?;
        if person.role == HouseRole::Bot {
            let message = "a bot has no password";
            return Err(ApiError::conflict("no_password", message).hint("make it an app token"));
        }
        let now = self.clock.now_ms();
        person.may_sign_in(now)?;
        let secret = b64u(&[&user.as_bytes()[..], &random::<32>()].concat());
        let expires_at = now.saturating_add(hours_ms(self.limits.reset_hours));
        let hash = sha256(secret.as_bytes());
        let reset = Reset { user, hash, by, expires_at };
        let mut change = Change::of(vec![Edit::PutReset(reset)], now);
        audit::note(&mut change, by, AuditAction::UserReset, Subject::User(user), Value::Null);
        self.store.change(change).await?;
        tracing::info!(%user, "a link for a new password was made");
        let path = format!("/reset#{secret}");
        Ok(ResetLink { name: person.name, path, secret, expires_at })
    }

    /// Uses a link; the name of whose it was comes back.
    pub async fn use_reset(&self, request: UseReset) -> Result<String, ApiError> {
        let missing =
            || ApiError::not_found("link").hint("ask an admin of the house for a new one");
        let secret: [u8; SECRET] = from_b64u(&request.secret)
            .and_then(|secret| secret.try_into().ok())
            .ok_or_else(missing)?;
        let mut user = [0; 16];
        user.copy_from_slice(&secret[..16]);
        let (user, hash) = (UserId::from_bytes(user), sha256(request.secret.as_bytes()));
        let reset = self.store.reset(user).await?.ok_or_else(missing)?;
        let fits: bool = reset.hash.ct_eq(&hash).into();
        if !fits {
            return Err(missing());
        }
        if reset.expires_at <= self.clock.now_ms() {
            let gone = StoreError::Gone { what: "link", why: "expired" };
            return Err(ApiError::from(gone).hint("ask an admin of the house for a new one"));
        }
        let vault = self.store.vault(user).await?.is_some();
        let login = self.login_of(request.new, vault).await?;
        let _turn = self.auth.turn.lock().await;
        let person = self.person(user).await?;
        // Whose role rose meanwhile is not for the same hands any more, and neither is anybody for
        // hands that were taken the house from.
        if let Some(by) = reset.by {
            let maker = self.store.user(by).await?.ok_or_else(missing)?;
            maker.may_sign_in(self.clock.now_ms())?;
            self.require_over(reset.by, &person)?;
        }
        let name = person.name;
        let mut change =
            Change::of(vec![Edit::UseReset { user, hash, login }], self.clock.now_ms());
        let subject = Subject::User(user);
        audit::note(&mut change, Some(user), AuditAction::UserResetUsed, subject, Value::Null);
        match self.store.change(change).await {
            Err(StoreError::NotFound { .. }) => Err(missing()),
            done => {
                done?;
                tracing::info!(%user, "a link for a new password was used");
                Ok(name)
            }
        }
    }
}
