//! Accounts that people make for themselves: by an invite, in a house that is open, and as a guest
//! without a password.

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::{InviteCode, RoomId, UserId};
use hearth_protocol::presence::PresenceChoice;
use hearth_protocol::refusal::Kind;
use hearth_protocol::role::HouseRole;
use hearth_protocol::schema::B64u;
use hearth_protocol::sealing::vault::Cost;
use hearth_store::{Change, Edit, Login, Registration, User};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::NewAccount;
use crate::app::App;
use crate::auth::SessionReply;
use crate::clock::random;
use crate::error::ApiError;
use crate::invites::{Join, is_bare};
use crate::names::check_title;

#[cfg(test)]
mod tests;

/// `POST /api/auth/register`. Without `code`: in a house that is open; without `auth`: by an invite
/// whose code is all of the link.
#[derive(Deserialize, ToSchema)]
pub struct Register {
    code: Option<InviteCode>,
    #[serde(default, with = "hearth_protocol::bytes::option")]
    #[schema(value_type = Option<B64u>)]
    auth: Option<Vec<u8>>,
    #[serde(default)]
    joins: Vec<Join>,
    #[serde(flatten)]
    account: NewAccount,
}

/// `POST /api/auth/guest`.
#[derive(Deserialize, ToSchema)]
pub struct NewGuest {
    code: InviteCode,
    #[serde(default, with = "hearth_protocol::bytes")]
    #[schema(value_type = B64u)]
    auth: Vec<u8>,
    display_name: String,
    #[serde(default)]
    label: String,
}

impl App {
    /// An account with keys of its own: a member or guest of an invite's rooms at once, listed by
    /// the proofs it brings; in an open house a member of the general room, whose people list it.
    pub async fn register(&self, request: Register) -> Result<SessionReply, ApiError> {
        let mut change = Change::of(vec![], self.clock.now_ms());
        let (user, session) = match (request.code, request.auth) {
            (Some(code), auth) => {
                let auth = auth.unwrap_or_default();
                let invite = self.usable_invite(code, Some(&auth)).await?;
                if invite.guest_until.is_some() {
                    self.require_guests()?;
                }
                let role = invite.guest_until.map_or(HouseRole::Member, |_| HouseRole::Guest);
                let until = invite.guest_until;
                let opened = self.open_account(&mut change, request.account, role, until)?;
                let rooms = self.join_by(&mut change, &invite, &opened.0, &request.joins).await?;
                if role == HouseRole::Member && is_bare(&invite) {
                    self.enter_general(&mut change, opened.0.id, &rooms);
                }
                opened
            }
            (None, None) => {
                self.require_open().await?;
                let opened =
                    self.open_account(&mut change, request.account, HouseRole::Member, None)?;
                // The name is looked at before the hour's places are.
                if self.store.user_by_name(&opened.0.name).await?.is_none() {
                    let max = self.limits.accounts_per_hour_max;
                    self.auth.made.count(change.at_ms, max)?;
                }
                self.enter_general(&mut change, opened.0.id, &[]);
                opened
            }
            (None, Some(_)) => {
                let message = "an invite is shown by its `code`, and `auth` where it has a secret";
                return Err(ApiError::invalid("bad_invite", message));
            }
        };
        self.store.change(change).await?;
        tracing::info!(user = %user.id, role = ?user.role, "somebody made an account");
        self.auth.reply(session, user)
    }

    /// Everybody who lives here is in the general room; where it is sealed, its people list them.
    fn enter_general(&self, change: &mut Change, user: UserId, already: &[RoomId]) {
        let general = self.membership.general();
        if let Some(general) = general.filter(|general| !already.contains(&general.room.id)) {
            self.enter(change, &general.room, user);
        }
    }

    async fn require_open(&self) -> Result<(), ApiError> {
        let there = !self.needs_set_up().await?;
        if there && self.store.settings().await?.registration == Registration::Open {
            return Ok(());
        }
        let message = "accounts of this house are made by invite";
        Err(ApiError::new(Kind::Forbidden, "invite_required", message)
            .hint("ask somebody who lives here for a link"))
    }

    /// A guest without a password: signed in here until the invite's day, and nowhere else.
    pub async fn let_in(&self, request: NewGuest) -> Result<SessionReply, ApiError> {
        self.require_guests()?;
        let invite = self.usable_invite(request.code, Some(&request.auth)).await?;
        let now = self.clock.now_ms();
        let Some(until) = invite.guest_until else {
            let message = "this invite is for an account with a password";
            return Err(ApiError::conflict("account_required", message)
                .hint("register with the link instead"));
        };
        let mut rooms = invite.rooms.iter().filter_map(|room| self.membership.room(*room));
        if rooms.any(|state| state.is_sealed()) {
            let message = "a sealed room is for people with keys, which need an account";
            return Err(ApiError::conflict("account_required", message)
                .hint("register with the link instead"));
        }
        let max = self.limits.display_name_chars_max;
        let display_name = check_title("a display name", &request.display_name, max)?;
        self.auth.made.count(now, self.limits.accounts_per_hour_max)?;
        let user = User {
            id: UserId::new(now, random()),
            name: guest_name(),
            display_name,
            avatar: None,
            status_text: String::new(),
            presence: PresenceChoice::Online,
            blocked: false,
            guest_until: Some(until),
            role: HouseRole::Guest,
            created_at: now,
            last_seen: now,
            // Nobody knows what is hashed to this: there is no password.
            login: Login { salt: random(), cost: Cost::default(), verifier: random() },
        };
        let session = self.auth.new_session(user.id, &request.label);
        let edits = vec![Edit::PutUser(user.clone()), Edit::PutSession(session.session.clone())];
        let mut change = Change::of(edits, now);
        self.join_by(&mut change, &invite, &user, &[]).await?;
        self.store.change(change).await?;
        tracing::info!(user = %user.id, "a guest came in");
        self.auth.reply(session, user)
    }
}

/// A name for somebody who never types it.
fn guest_name() -> String {
    let random = b64u(&random::<9>()).replace('-', "_");
    format!("guest_{random}")
}
