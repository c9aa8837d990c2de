//! Sessions: a login of one installation, its refresh secret, and how that is renewed (design §7).
//!
//! A refresh secret is `session id ‖ number u64 ‖ MAC`: the box knows each one that it ever gave
//! out, and stores only the SHA-256 of the one in force. Each use brings the next. One that was
//! replaced still gives the same answer for a short while, because an answer can be lost; used
//! after that, somebody has a copy, and the session ends.

use hearth_protocol::bytes::{b64u, from_b64u};
use hearth_protocol::ids::{SessionId, UserId};
use hearth_protocol::limits::{hours_ms, seconds_ms};
use hearth_protocol::refusal::Kind;
use hearth_protocol::sealing::kdf::sha256;
use hearth_store::{Change, Edit, Session, StoreError, User};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;
use utoipa::ToSchema;

use super::Auth;
use crate::api::users::UserView;
use crate::clock::random;
use crate::error::ApiError;

/// What a login, set-up, registration or refresh answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionReply {
    token: String,
    expires_at: u64,
    refresh: String,
    session_id: SessionId,
    user: UserView,
}

/// A session about to be stored, with the secret that only its owner gets.
pub struct NewSession {
    /// The record.
    pub session: Session,
    refresh: String,
}

/// Bytes of a refresh secret before its MAC.
const NAMED: usize = 16 + 8;
/// Bytes of one.
const SECRET: usize = NAMED + 32;
/// Renewals by which a client may be ahead of a house that was restored.
const AHEAD_MAX: u64 = 1_000;

impl Auth {
    /// A session that is not stored yet: it goes into the change that makes its account.
    pub fn new_session(&self, user: UserId, label: &str) -> NewSession {
        let now = self.clock.now_ms();
        let id = SessionId::new(now, random());
        let refresh = self.refresh_secret(id, 0);
        let label = if label.trim().is_empty() { "unnamed" } else { label.trim() };
        let session = Session {
            id,
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
        let life_ms = hours_ms(self.limits.token_hours);
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
            user: UserView::whole(user),
        })
    }

    /// A new 24-hour token and the next refresh secret for a refresh secret.
    pub async fn refresh(&self, refresh: &str) -> Result<SessionReply, ApiError> {
        let named = self.named(refresh);
        if let Some(session) = self.store.session_by_refresh(sha256(refresh.as_bytes())).await? {
            // A secret of an older program has no number; the next one has.
            let number = named.map_or(0, |(_, number)| number.saturating_add(1));
            match self.renew(session, number).await {
                // The same secret was used twice at once: this is the second.
                Err(ApiError(refusal)) if refusal.code == "changed_meanwhile" => {}
                renewed => return renewed,
            }
        }
        let (id, number) = named.ok_or_else(ended)?;
        let session = self.store.session(id).await?.ok_or_else(ended)?;
        self.not_in_force(session, number).await
    }

    /// Gives a session the secret of this number in place of the one in force.
    async fn renew(&self, session: Session, number: u64) -> Result<SessionReply, ApiError> {
        let user = self.user_of(&session).await?;
        let refresh = self.refresh_secret(session.id, number);
        let (id, from, to) = (session.id, session.refresh_hash, sha256(refresh.as_bytes()));
        let edits = vec![Edit::RenewSession { id, from, to }];
        match self.store.change(Change::of(edits, self.clock.now_ms())).await {
            Ok(_) => self.reply(NewSession { session, refresh }, user),
            Err(StoreError::NotFound { .. }) => Err(ended()),
            Err(error) => Err(error.into()),
        }
    }

    /// What a secret of the box gets that is not the one in force.
    async fn not_in_force(&self, session: Session, number: u64) -> Result<SessionReply, ApiError> {
        let in_force = |number| {
            sha256(self.refresh_secret(session.id, number).as_bytes()) == session.refresh_hash
        };
        let next = number.saturating_add(1);
        let now = self.clock.now_ms();
        let retry_ms = seconds_ms(self.limits.refresh_retry_s);
        if now.saturating_sub(session.last_used_at) < retry_ms && in_force(next) {
            let user = self.user_of(&session).await?;
            let refresh = self.refresh_secret(session.id, next);
            return self.reply(NewSession { session, refresh }, user);
        }
        // Only the box makes one with a higher number: it was restored from a backup since.
        if (number.saturating_sub(AHEAD_MAX)..number).any(in_force) {
            return self.renew(session, next).await;
        }
        tracing::warn!(session = %session.id, user = %session.user, "a refresh secret was reused");
        self.store.change(Change::of(vec![Edit::RemoveSession(session.id)], now)).await?;
        Err(ApiError::new(
            Kind::Unauthenticated,
            "session_ended",
            "this login was ended: its secret was used a second time",
        )
        .hint("sign in again; if that was not you, change the password"))
    }

    /// Whose session it is, if it is not over.
    async fn user_of(&self, session: &Session) -> Result<User, ApiError> {
        let user = self.store.user(session.user).await?.ok_or_else(ended)?;
        let now = self.clock.now_ms();
        user.may_sign_in(now)?;
        if self.is_over(session) {
            let edits = vec![Edit::RemoveSession(session.id)];
            self.store.change(Change::of(edits, now)).await?;
            return Err(ended());
        }
        Ok(user)
    }

    /// Whether nobody used a login for too long, as far as the clock can tell.
    fn is_over(&self, session: &Session) -> bool {
        !self.trust.is_doubted() && session.is_over(self.clock.now_ms(), &self.limits)
    }

    /// The refresh secret of this number.
    fn refresh_secret(&self, id: SessionId, number: u64) -> String {
        let mut secret = Vec::with_capacity(SECRET);
        secret.extend_from_slice(id.as_bytes());
        secret.extend_from_slice(&number.to_be_bytes());
        if let Some(mac) = self.refresh_mac(&secret) {
            secret.extend_from_slice(&mac.finalize().into_bytes());
        }
        b64u(&secret)
    }

    /// Which session and number a refresh secret of the box names.
    fn named(&self, refresh: &str) -> Option<(SessionId, u64)> {
        let secret: [u8; SECRET] = from_b64u(refresh)?.try_into().ok()?;
        let (named, mac) = secret.split_at(NAMED);
        self.refresh_mac(named)?.verify_slice(mac).ok()?;
        let (id, number) = named.split_at(16);
        let id = SessionId::from_bytes(id.try_into().ok()?);
        Some((id, u64::from_be_bytes(number.try_into().ok()?)))
    }

    fn refresh_mac(&self, named: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.refresh_secret).ok()?;
        mac.update(named);
        Some(mac)
    }

    /// The ends of a person's logins that nobody used for too long, and where there are as many as
    /// there may be, of the one that was used longest ago.
    pub(crate) async fn make_room(&self, user: UserId) -> Result<Vec<Edit>, ApiError> {
        let sessions = self.store.sessions_of(user).await?;
        let tokens = self.store.tokens_of(user).await?.len();
        let (over, mut kept): (Vec<_>, Vec<_>) =
            sessions.into_iter().partition(|session| self.is_over(session));
        let mut ends: Vec<_> = over.into_iter().map(|session| session.id).collect();
        if kept.len() + tokens >= self.limits.sessions_per_user_max {
            kept.sort_by_key(|session| self.live.last_seen(session));
            ends.extend(kept.first().map(|session| session.id));
        }
        Ok(ends.into_iter().map(Edit::RemoveSession).collect())
    }

    /// The ends of all that somebody is signed in with: logins but one, and app tokens.
    pub(crate) async fn ends(
        &self,
        user: UserId,
        but: Option<SessionId>,
        tokens: bool,
    ) -> Result<Vec<Edit>, ApiError> {
        let sessions = self.store.sessions_of(user).await?.into_iter();
        let others = sessions.filter(|session| Some(session.id) != but);
        let mut edits: Vec<_> = others.map(|session| Edit::RemoveSession(session.id)).collect();
        if tokens {
            let tokens = self.store.tokens_of(user).await?;
            edits.extend(tokens.into_iter().map(|token| Edit::RemoveToken(token.id)));
        }
        Ok(edits)
    }
}

/// 401: sign in again.
pub(crate) fn ended() -> ApiError {
    ApiError::new(Kind::Unauthenticated, "session_ended", "this login has ended")
        .hint("sign in again")
}
