//! Who is it? Logins, sessions, tokens (design §7, sealing.md §2).
//!
//! - [`attempts`]: failed logins make the next one wait
//! - [`jwt`]: the 24-hour token of a session
//! - [`live`]: which credentials have not ended

pub mod attempts;
pub mod jwt;
pub mod live;

use std::net::IpAddr;
use std::sync::Arc;

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::{SessionId, TokenId, UserId};
use hearth_protocol::limits::{self, Limits};
use hearth_protocol::principal::Principal;
use hearth_protocol::refusal::Kind;
use hearth_protocol::sealing::kdf::sha256;
use hearth_protocol::sealing::vault::{self, Cost};
use hearth_store::{AppToken, Change, Edit, Login, Session, Store, Touch, User};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use crate::clock::{Clock, Trust, random};
use crate::error::ApiError;
use attempts::Attempts;
use jwt::JwtKey;
use live::Live;

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
    attempts: Attempts,
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

/// What a login, set-up, registration or refresh answers.
#[derive(Debug, Serialize)]
pub struct SessionReply {
    token: String,
    expires_at: u64,
    refresh: String,
    session_id: SessionId,
    user: crate::api::users::UserView,
}

/// A session about to be stored, with the secret that only its owner gets.
pub struct NewSession {
    /// The record.
    pub session: Session,
    refresh: String,
}

/// The salt and cost of a name's password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Params {
    /// 16 bytes.
    #[serde(with = "hearth_protocol::bytes::array")]
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
        let live = Arc::new(Live::load(&store).await?);
        let argon2_queue = Semaphore::new(limits.login_queue_max + 1);
        let (attempts, argon2) = (Attempts::default(), Semaphore::new(1));
        Ok(Self {
            store,
            limits,
            clock,
            trust,
            jwt,
            params_secret,
            attempts,
            argon2,
            argon2_queue,
            live,
        })
    }

    /// Salt and cost for a name; for unknown names ones that are stable and look alike.
    pub async fn params(&self, name: &str) -> Result<Params, ApiError> {
        Ok(match self.store.user_by_name(name).await? {
            Some(user) => Params { salt: user.login.salt, cost: user.login.cost },
            None => self.unknown_params(name),
        })
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
        let params = match &user {
            Some(user) => Params { salt: user.login.salt, cost: user.login.cost },
            None => self.unknown_params(name),
        };
        let by_password = matches!(proof, Proof::Password(_));
        let given = match proof {
            Proof::AuthKey(key) => verifier(&key),
            Proof::Password(password) => self.stretch(password, params).await?,
        };
        // The comparison is made for unknown names too, with what nothing can meet.
        let expected = user.as_ref().map_or(self.params_secret, |user| user.login.verifier);
        let met: bool = given.ct_eq(&expected).into();
        let Some(user) = user.filter(|_| met) else {
            return Err(ApiError::new(
                Kind::Unauthenticated,
                "wrong_login",
                "the name or the password is wrong",
            ));
        };
        if by_password && self.store.vault(user.id).await?.is_some() {
            return Err(ApiError::new(
                Kind::Forbidden,
                "use_app_token",
                "this account keeps its keys sealed under its password, which stays in the browser",
            )
            .hint("make an app token in the account's settings"));
        }
        self.attempts.succeeded(name, address, &self.limits);
        let session = self.new_session(user.id, label);
        let mut edits = self.end_expired(user.id).await?;
        edits.push(Edit::PutSession(session.session.clone()));
        self.store.change(Change::of(edits, self.clock.now_ms())).await?;
        self.reply(session, user)
    }

    /// A session that is not stored yet: it goes into the change that makes its account.
    pub fn new_session(&self, user: UserId, label: &str) -> NewSession {
        let now = self.clock.now_ms();
        let refresh = b64u(&random::<32>());
        let label = if label.trim().is_empty() { "unnamed" } else { label.trim() };
        let session = Session {
            id: SessionId::new(now, random()),
            user,
            label: label.chars().take(self.limits.display_name_chars_max).collect(),
            refresh_hash: sha256(refresh.as_bytes()),
            created_at: now,
            last_used_at: now,
        };
        NewSession { session, refresh }
    }

    /// The answer for a stored session.
    pub fn reply(&self, made: NewSession, user: User) -> Result<SessionReply, ApiError> {
        let life_ms = limits::hours_ms(self.limits.token_hours);
        let expires_at = self.clock.now_ms().saturating_add(life_ms);
        let token = self
            .jwt
            .sign(user.id, made.session.id, expires_at)
            .map_err(|error| ApiError::new(Kind::Unavailable, "token_failed", error.to_string()))?;
        Ok(SessionReply {
            token,
            expires_at,
            refresh: made.refresh,
            session_id: made.session.id,
            user: user.into(),
        })
    }

    /// A new 24-hour token for a refresh secret.
    pub async fn refresh(&self, refresh: &str) -> Result<SessionReply, ApiError> {
        let ended = || {
            ApiError::new(Kind::Unauthenticated, "session_ended", "this login has ended")
                .hint("sign in again")
        };
        let hash = sha256(refresh.as_bytes());
        let session = self.store.session_by_refresh(hash).await?.ok_or_else(ended)?;
        let user = self.store.user(session.user).await?.ok_or_else(ended)?;
        let now = self.clock.now_ms();
        user.may_sign_in(now)?;
        if self.is_over(&session) {
            let edits = vec![Edit::RemoveSession(session.id)];
            self.store.change(Change::of(edits, now)).await?;
            return Err(ended());
        }
        self.store.touch(Touch::Session(session.id), now);
        self.reply(NewSession { session, refresh: refresh.to_string() }, user)
    }

    /// Ends a person's logins that nobody used for too long.
    async fn end_expired(&self, user: UserId) -> Result<Vec<Edit>, ApiError> {
        let sessions = self.store.sessions_of(user).await?;
        let expired = sessions.into_iter().filter(|session| self.is_over(session));
        Ok(expired.map(|session| Edit::RemoveSession(session.id)).collect())
    }

    /// Whether nobody used a login for too long, as far as the clock can tell.
    fn is_over(&self, session: &Session) -> bool {
        !self.trust.is_doubted() && session.is_over(self.clock.now_ms(), &self.limits)
    }

    /// An app token: shown once, kept as a hash.
    pub async fn make_app_token(
        &self,
        user: UserId,
        label: &str,
    ) -> Result<(AppToken, String), ApiError> {
        let now = self.clock.now_ms();
        let text = format!("{APP_TOKEN}{}", b64u(&random::<32>()));
        let token = AppToken {
            id: TokenId::new(now, random()),
            user,
            label: label.chars().take(self.limits.display_name_chars_max).collect(),
            hash: sha256(text.as_bytes()),
            created_at: now,
            last_used_at: now,
        };
        let edits = vec![Edit::PutToken(token.clone())];
        self.store.change(Change::of(edits, now)).await?;
        Ok((token, text))
    }

    /// Who a token of any kind stands for: a JWT, an app token or a device's.
    pub async fn principal(&self, token: &str) -> Result<Principal, ApiError> {
        let who = if token.starts_with(APP_TOKEN) {
            self.store
                .token_by_hash(sha256(token.as_bytes()))
                .await?
                .map(|token| Principal::App { user: token.user, token: token.id })
        } else if token.starts_with(DEVICE_TOKEN) {
            self.store
                .device_by_token(sha256(token.as_bytes()))
                .await?
                .map(|device| Principal::Device { device: device.id, room: device.room })
        } else {
            self.jwt
                .check(token, self.clock.now_ms())
                .map(|(user, session)| Principal::Person { user, session })
        };
        if let Some(Principal::App { token, .. }) = who {
            self.store.touch(Touch::Token(token), self.clock.now_ms());
        }
        who.filter(|who| self.live.holds(who)).ok_or_else(|| {
            ApiError::new(Kind::Unauthenticated, "wrong_token", "the token is wrong or has ended")
                .hint("sign in again, or make a new token")
        })
    }
}

/// What the box keeps of an auth key.
pub fn verifier(auth_key: &[u8; 32]) -> [u8; 32] {
    sha256(auth_key)
}
