//! App tokens, and who a token of any kind stands for.

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::{TokenId, UserId};
use hearth_protocol::principal::Principal;
use hearth_protocol::refusal::Kind;
use hearth_protocol::sealing::kdf::sha256;
use hearth_store::{AppToken, Change, Edit, Scope, Touch};

use super::{APP_TOKEN, Auth, DEVICE_TOKEN};
use crate::clock::random;
use crate::error::ApiError;

impl Auth {
    /// An app token that is not stored yet, with the text that only its owner gets.
    pub fn new_app_token(
        &self,
        user: UserId,
        label: &str,
        scope: Option<Scope>,
    ) -> (AppToken, String) {
        let now = self.clock.now_ms();
        let text = format!("{APP_TOKEN}{}", b64u(&random::<32>()));
        let token = AppToken {
            id: TokenId::new(now, random()),
            user,
            label: label.chars().take(self.limits.display_name_chars_max).collect(),
            hash: sha256(text.as_bytes()),
            created_at: now,
            last_used_at: now,
            scope,
        };
        (token, text)
    }

    /// An app token: shown once, kept as a hash.
    pub async fn make_app_token(
        &self,
        user: UserId,
        label: &str,
        scope: Option<Scope>,
    ) -> Result<(AppToken, String), ApiError> {
        let (token, text) = self.new_app_token(user, label, scope);
        let edits = vec![Edit::PutToken(token.clone())];
        self.store.change(Change::of(edits, self.clock.now_ms())).await?;
        Ok((token, text))
    }

    /// Who a token of any kind stands for (a JWT, an app token or a device's); what it is for is
    /// asked where something is done by it.
    pub async fn principal(&self, token: &str) -> Result<Principal, ApiError> {
        let now = self.clock.now_ms();
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
            let checked = self.jwt.check(token, now);
            checked.map(|(user, session)| Principal::Person { user, session })
        };
        let who = who.filter(|who| self.live.holds(who)).ok_or_else(|| {
            ApiError::new(Kind::Unauthenticated, "wrong_token", "the token is wrong or has ended")
                .hint("sign in again, or make a new token")
        })?;
        match who {
            Principal::App { token, .. } => self.store.touch(Touch::Token(token), now),
            Principal::Person { session, .. } => self.live.saw(session, now),
            Principal::Device { .. } | Principal::Local(_) => {}
        }
        Ok(who)
    }
}
