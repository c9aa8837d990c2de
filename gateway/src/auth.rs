//! Who is it? Logins, sessions, tokens (design §7, sealing.md §2).
//!
//! - [`attempts`]: failed logins make the next one wait · [`hourly`]: so do many new accounts
//! - [`sessions`]: logins and how they are renewed · [`jwt`]: their 24-hour tokens
//! - [`tokens`]: app tokens, and who a token of any kind stands for
//! - [`live`]: which credentials have not ended
//! - [`password`]: another password, [`reset`]: one by a link of whoever runs the house
//! - [`pairing`]: a new device without typing

pub mod attempts;
pub mod hourly;
pub mod jwt;
pub mod live;
pub mod pairing;
pub mod password;
pub mod reset;
pub mod sessions;
#[cfg(test)]
mod tests;
pub mod tokens;

use std::net::IpAddr;
use std::sync::Arc;

use hearth_protocol::limits::Limits;
use hearth_protocol::refusal::Kind;
use hearth_protocol::schema::B64u;
use hearth_protocol::sealing::kdf::sha256;
use hearth_protocol::sealing::vault::{self, Cost};
use hearth_store::{Change, Edit, Login, Store};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokio::sync::{Mutex, Semaphore};
use utoipa::ToSchema;

use crate::clock::{Clock, Trust, random};
use crate::error::ApiError;
use attempts::Attempts;
use hourly::Hourly;
use jwt::JwtKey;
use live::Live;
use pairing::Channels;

pub use sessions::{NewSession, SessionReply};

/// What begins an app token.
pub const APP_TOKEN: &str = "hearth_app_";
/// What begins a device token.
pub const DEVICE_TOKEN: &str = "hearth_dev_";

/// Everything that tells who somebody is.
pub struct Auth {
    store: Store,
    limits: Arc<Limits>,
    clock: Arc<dyn Clock>,
    trust: Arc<Trust>,
    jwt: JwtKey,
    /// Makes stable salts for names that nobody has.
    params_secret: [u8; 32],
    /// Signs refresh secrets.
    refresh_secret: [u8; 32],
    attempts: Attempts,
    /// Accounts that were made without an invite of their own.
    pub(crate) made: Hourly,
    /// Pairings under way.
    pub(crate) channels: Channels,
    /// One change of an account at a time: it is read, altered and written as a whole.
    pub(crate) turn: Mutex<()>,
    /// One Argon2 at a time; the rest of the queue waits for it.
    argon2: Semaphore,
    argon2_queue: Semaphore,
    /// Which credentials have not ended.
    pub live: Arc<Live>,
}

/// How a login proves itself.
pub enum Proof {
    /// The browser's half of the stretched password.
    AuthKey([u8; 32]),
    /// The password itself, for accounts without a vault.
    Password(String),
}

/// The salt and cost of a name's password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Params {
    /// 16 bytes.
    #[serde(with = "hearth_protocol::bytes::array")]
    #[schema(value_type = B64u)]
    pub salt: [u8; 16],
    /// Of Argon2id.
    pub cost: Cost,
}

impl Auth {
    /// Reads the box's secrets and live credentials from the store.
    pub async fn open(
        store: Store,
        limits: Arc<Limits>,
        clock: Arc<dyn Clock>,
        trust: Arc<Trust>,
    ) -> Result<Self, ApiError> {
        let jwt = JwtKey::new(&store.secret("jwt").await?);
        let params_secret = store.secret("params").await?;
        let refresh_secret = store.secret("refresh").await?;
        let live = Arc::new(Live::load(&store, clock.clone()).await?);
        let argon2_queue = Semaphore::new(limits.login_queue_max + 1);
        Ok(Self {
            store,
            limits,
            clock,
            trust,
            jwt,
            params_secret,
            refresh_secret,
            attempts: Attempts::default(),
            made: Hourly::default(),
            channels: Channels::default(),
            turn: Mutex::default(),
            argon2: Semaphore::new(1),
            argon2_queue,
            live,
        })
    }

    /// Salt and cost for a name; for unknown names ones that are stable and look alike.
    pub async fn params(&self, name: &str) -> Result<Params, ApiError> {
        let user = self.store.user_by_name(name).await?;
        Ok(self.params_of(name, user.as_ref().map(|user| &user.login)))
    }

    /// Both are made for every name, so that unknown ones take no other way.
    fn params_of(&self, name: &str, login: Option<&Login>) -> Params {
        let unknown = self.unknown_params(name);
        login.map_or(unknown, |login| Params { salt: login.salt, cost: login.cost })
    }

    fn unknown_params(&self, name: &str) -> Params {
        let mut salt = [0; 16];
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.params_secret) {
            mac.update(name.to_ascii_lowercase().as_bytes());
            salt.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        }
        Params { salt, cost: Cost::default() }
    }

    /// What is stored of a password: salt, cost and the verifier the browser's half must meet.
    pub async fn make_login(&self, password: &str) -> Result<Login, ApiError> {
        let params = Params { salt: random(), cost: Cost::default() };
        let verifier = self.stretch(password.to_string(), params.clone()).await?;
        Ok(Login { salt: params.salt, cost: params.cost, verifier })
    }

    /// SHA-256 of the auth key of a password. One at a time; a bounded queue waits.
    async fn stretch(&self, password: String, params: Params) -> Result<[u8; 32], ApiError> {
        let busy = |_| {
            ApiError::new(
                Kind::TooMany { retry_after_ms: 2_000 },
                "too_many_logins",
                "too many logins at once; try again in 2 s",
            )
        };
        let _queued = self.argon2_queue.try_acquire().map_err(busy)?;
        let _slot = self.argon2.acquire().await.map_err(|error| {
            ApiError::new(Kind::Unavailable, "shutting_down", error.to_string())
        })?;
        let stretched = tokio::task::spawn_blocking(move || {
            vault::stretch(&password, &params.salt, &params.cost)
        });
        match stretched.await {
            Ok(stretched) => Ok(verifier(stretched?.auth_key().as_bytes())),
            Err(error) => Err(ApiError::new(Kind::Unavailable, "login_failed", error.to_string())),
        }
    }

    /// Checks a login and makes its session.
    pub async fn login(
        &self,
        name: &str,
        proof: Proof,
        label: &str,
        address: IpAddr,
    ) -> Result<SessionReply, ApiError> {
        self.attempts.begin(name, address, self.clock.now_ms(), &self.limits)?;
        let user = self.store.user_by_name(name).await?;
        let by_password = matches!(proof, Proof::Password(_));
        let met = self.meets(name, user.as_ref().map(|user| &user.login), proof).await?;
        let Some(user) = user.filter(|_| met) else {
            return Err(wrong_login());
        };
        if by_password && self.store.vault(user.id).await?.is_some() {
            return Err(use_app_token());
        }
        self.attempts.succeeded(name, address, &self.limits);
        // A password that was changed meanwhile ended every login; this is none after it.
        let _turn = self.turn.lock().await;
        let now_is = self.store.user(user.id).await?;
        let Some(user) = now_is.filter(|now_is| now_is.login == user.login) else {
            return Err(wrong_login());
        };
        let session = self.new_session(user.id, label);
        let mut edits = self.make_room(user.id).await?;
        edits.push(Edit::PutSession(session.session.clone()));
        self.store.change(Change::of(edits, self.clock.now_ms())).await?;
        self.reply(session, user)
    }

    /// Whether a proof is that of a login. The comparison is made for unknown names too, with what
    /// nothing can meet.
    async fn meets(
        &self,
        name: &str,
        login: Option<&Login>,
        proof: Proof,
    ) -> Result<bool, ApiError> {
        let salt = self.params_of(name, login).salt;
        let given = match proof {
            Proof::AuthKey(key) => verifier(&key),
            // The box stretches at the cost of its own logins only. Another one is a browser's,
            // which keeps the password to itself.
            Proof::Password(password) => {
                self.stretch(password, Params { salt, cost: Cost::default() }).await?
            }
        };
        let expected = login.map_or(self.params_secret, |login| login.verifier);
        Ok(given.ct_eq(&expected).into())
    }
}

/// What the box keeps of an auth key.
pub fn verifier(auth_key: &[u8; 32]) -> [u8; 32] {
    sha256(auth_key)
}

fn wrong_login() -> ApiError {
    ApiError::new(Kind::Unauthenticated, "wrong_login", "the name or the password is wrong")
}

fn use_app_token() -> ApiError {
    ApiError::new(
        Kind::Forbidden,
        "use_app_token",
        "this account keeps its keys sealed under its password, which stays in the browser",
    )
    .hint("make an app token in the account's settings")
}
