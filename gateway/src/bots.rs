//! Bots: accounts of programs, made by whoever runs the house. They have no password, only app
//! tokens; what they post never looks like a person's. They are in the rooms they are added to.

use hearth_protocol::ids::{TokenId, UserId};
use hearth_protocol::presence::PresenceChoice;
use hearth_protocol::role::{HouseAction, HouseRole};
use hearth_protocol::sealing::vault::Cost;
use hearth_store::{AppToken, Change, Edit, Login, Scope, Subject, User, users};
use serde_json::json;

use crate::app::App;
use crate::audit::{self, AuditAction};
use crate::clock::random;
use crate::error::ApiError;
use crate::names::display_name;

#[cfg(test)]
mod tests;

/// What a new bot is to be.
pub struct NewBot {
    /// What it is called; unique among people and bots.
    pub name: String,
    /// What the others see; the name if not given.
    pub display_name: Option<String>,
    /// What its first token is called.
    pub label: String,
    /// What its first token is for.
    pub scope: Option<Scope>,
}

impl App {
    /// A bot with its first token, which is shown once.
    pub async fn make_bot(
        &self,
        by: UserId,
        new: NewBot,
    ) -> Result<(User, AppToken, String), ApiError> {
        self.roles.require(by, HouseAction::ManagePeople)?;
        users::check_name(&new.name, &self.limits)?;
        let now = self.clock.now_ms();
        let user = User {
            id: UserId::new(now, random()),
            display_name: display_name(new.display_name.as_deref(), &new.name, &self.limits)?,
            name: new.name,
            avatar: None,
            status_text: String::new(),
            presence: PresenceChoice::Online,
            blocked: false,
            guest_until: None,
            role: HouseRole::Bot,
            created_at: now,
            last_seen: 0,
            // Nobody knows what is hashed to this: there is no password.
            login: Login { salt: random(), cost: Cost::default(), verifier: random() },
        };
        let (token, text) = self.auth.new_app_token(user.id, &new.label, new.scope);
        let edits = vec![Edit::PutUser(user.clone()), Edit::PutToken(token.clone())];
        let mut change = Change::of(edits, now);
        let detail = json!({ "name": user.name });
        audit::note(&mut change, Some(by), AuditAction::BotMake, Subject::User(user.id), detail);
        self.store.change(change).await?;
        Ok((user, token, text))
    }

    /// A bot, for whoever runs the house.
    pub async fn require_bot(&self, by: UserId, bot: UserId) -> Result<User, ApiError> {
        self.roles.require(by, HouseAction::ManagePeople)?;
        let user = self.store.user(bot).await?.filter(|user| user.role == HouseRole::Bot);
        user.ok_or_else(|| ApiError::not_found("bot"))
    }

    /// Another token of a bot, shown once.
    pub async fn make_bot_token(
        &self,
        by: UserId,
        bot: UserId,
        label: &str,
        scope: Option<Scope>,
    ) -> Result<(AppToken, String), ApiError> {
        let bot = self.require_bot(by, bot).await?;
        let (token, text) = self.auth.new_app_token(bot.id, label, scope);
        let edits = vec![Edit::PutToken(token.clone())];
        let mut change = Change::of(edits, self.clock.now_ms());
        let detail = json!({ "token": token.id });
        audit::note(&mut change, Some(by), AuditAction::BotToken, Subject::User(bot.id), detail);
        self.store.change(change).await?;
        Ok((token, text))
    }

    /// Ends a token of a bot.
    pub async fn end_bot_token(
        &self,
        by: UserId,
        bot: UserId,
        token: TokenId,
    ) -> Result<(), ApiError> {
        let bot = self.require_bot(by, bot).await?;
        let found = self.store.token(token).await?.filter(|token| token.user == bot.id);
        found.ok_or_else(|| ApiError::not_found("token"))?;
        let mut change = Change::of(vec![Edit::RemoveToken(token)], self.clock.now_ms());
        let detail = json!({ "token": token });
        audit::note(&mut change, Some(by), AuditAction::BotTokenEnd, Subject::User(bot.id), detail);
        self.store.change(change).await?;
        Ok(())
    }
}
