//! Accounts that people make for themselves: by an invite, in a house that is open, and as a guest
//! without a password. And an invite taken up by somebody who has an account.

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::{InviteCode, RoomId, UserId};
use hearth_protocol::presence::PresenceChoice;
use hearth_protocol::refusal::Kind;
use hearth_protocol::role::HouseRole;
use hearth_protocol::sealing::kdf::sha256;
use hearth_protocol::sealing::vault::Cost;
use hearth_store::{Change, Edit, Invite, JoinProof, Login, Registration, User};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::accounts::NewAccount;
use crate::app::App;
use crate::auth::SessionReply;
use crate::clock::random;
use crate::error::ApiError;
use crate::names::check_title;

#[cfg(test)]
mod tests;

/// `POST /api/auth/register`. Without `code` and `auth`: in a house that is open.
#[derive(Deserialize)]
pub struct Register {
    code: Option<InviteCode>,
    #[serde(default, with = "hearth_protocol::bytes::option")]
    auth: Option<Vec<u8>>,
    #[serde(default)]
    joins: Vec<Join>,
    #[serde(flatten)]
    account: NewAccount,
}

/// A newcomer's proof for one sealed room.
#[derive(Deserialize)]
pub struct Join {
    room: RoomId,
    #[serde(with = "hearth_protocol::bytes")]
    proof: Vec<u8>,
}

/// `POST /api/auth/guest`.
#[derive(Deserialize)]
pub struct NewGuest {
    code: InviteCode,
    #[serde(with = "hearth_protocol::bytes")]
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
            (Some(code), Some(auth)) => {
                let invite = self.usable_invite(code, Some(&auth)).await?;
                let role = invite.guest_until.map_or(HouseRole::Member, |_| HouseRole::Guest);
                let until = invite.guest_until;
                let opened = self.open_account(&mut change, request.account, role, until)?;
                self.join_by(&mut change, &invite, &opened.0, &request.joins).await?;
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
                if let Some(general) = self.membership.general() {
                    self.enter(&mut change, &general.room, opened.0.id);
                }
                opened
            }
            _ => {
                let message = "an invite is shown by `code` and `auth` together";
                return Err(ApiError::invalid("bad_invite", message));
            }
        };
        self.store.change(change).await?;
        tracing::info!(user = %user.id, role = ?user.role, "somebody made an account");
        self.auth.reply(session, user)
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

    /// A guest lets nobody in for longer than they stay themselves, and no members.
    pub async fn require_inviter(
        &self,
        by: UserId,
        guest_until: Option<u64>,
    ) -> Result<(), ApiError> {
        let inviter = self.person(by).await?;
        let stays = match (inviter.role, inviter.guest_until, guest_until) {
            (HouseRole::Guest, None, until) => until.is_some(),
            (HouseRole::Guest, Some(own), until) => until.is_some_and(|until| until <= own),
            _ => true,
        };
        if stays {
            return Ok(());
        }
        Err(ApiError::forbidden("a guest invites guests only, for no longer than they stay")
            .hint("send `guest_until`"))
    }

    /// An invite taken up by somebody who has an account.
    pub async fn accept_invite(
        &self,
        code: InviteCode,
        auth: &[u8],
        user: UserId,
        joins: &[Join],
    ) -> Result<Vec<RoomId>, ApiError> {
        let invite = self.usable_invite(code, Some(auth)).await?;
        let mut change = Change::of(vec![], self.clock.now_ms());
        let user = self.person(user).await?;
        let rooms = self.join_by(&mut change, &invite, &user, joins).await?;
        self.store.change(change).await?;
        Ok(rooms)
    }

    /// An invite that can still be used, shown by its link's secret where `auth` is asked for.
    pub async fn usable_invite(
        &self,
        code: InviteCode,
        auth: Option<&[u8]>,
    ) -> Result<Invite, ApiError> {
        let unknown = || ApiError::not_found("invite").hint("check the link, or ask for a new one");
        let invite = self.store.invite(code).await?.ok_or_else(unknown)?;
        if let Some(auth) = auth {
            let fits: bool = sha256(auth).ct_eq(&invite.auth_hash).into();
            if !fits {
                return Err(unknown());
            }
        }
        let now = self.clock.now_ms();
        let gone = |code, message: &str| {
            ApiError::new(Kind::Gone, code, message).hint("ask for a new invite")
        };
        let maker_left =
            invite.rooms.iter().any(|room| !self.membership.is_member(*room, invite.by));
        if invite.revoked || maker_left {
            Err(gone("invite_revoked", "the invite was taken back"))
        } else if invite.uses_left == 0 {
            Err(gone("invite_used_up", "the invite was used already"))
        } else if invite.expires_at <= now || invite.guest_until.is_some_and(|until| until <= now) {
            Err(gone("invite_expired", "the invite has expired"))
        } else {
            Ok(invite)
        }
    }

    /// Enters an invite's rooms; those it leads to come back. The general room is not a guest's.
    async fn join_by(
        &self,
        change: &mut Change,
        invite: &Invite,
        user: &User,
        joins: &[Join],
    ) -> Result<Vec<RoomId>, ApiError> {
        change.edits.push(Edit::UseInvite { code: invite.code });
        let mut rooms = vec![];
        for id in &invite.rooms {
            let state = self.membership.room(*id).ok_or_else(|| ApiError::not_found("room"))?;
            if state.room.general && user.role == HouseRole::Guest {
                continue;
            }
            rooms.push(*id);
            if state.members.contains_key(&user.id) {
                continue;
            }
            if state.is_sealed() {
                self.prove(change, &state.room, invite.code, user.id, joins).await?;
            }
            self.enter(change, &state.room, user.id);
        }
        Ok(rooms)
    }

    /// Adds the proof by which a newcomer is listed in a sealed room.
    async fn prove(
        &self,
        change: &mut Change,
        room: &hearth_store::Room,
        code: InviteCode,
        user: UserId,
        joins: &[Join],
    ) -> Result<(), ApiError> {
        if self.was_listed(room, user).await? {
            let message = "whoever was in a sealed room does not come back by a link";
            return Err(ApiError::conflict("listed_before", message)
                .hint("ask its people; letting someone in again is not there yet"));
        }
        let room = room.id;
        let join = joins.iter().find(|join| join.room == room).ok_or_else(|| {
            let message = format!("the sealed room {room} needs a join proof");
            ApiError::invalid("proof_required", message)
        })?;
        let proof = join.proof.clone();
        change.edits.push(Edit::PutProof(JoinProof { room, user, code, proof }));
        Ok(())
    }
}

/// A name for somebody who never types it.
fn guest_name() -> String {
    let random = b64u(&random::<9>()).replace('-', "_");
    format!("guest_{random}")
}
