//! Ways in: which invites open a door, and what taking one up does (sealing.md §6).

use hearth_protocol::ids::{InviteCode, RoomId, UserId};
use hearth_protocol::limits::days_ms;
use hearth_protocol::refusal::Kind;
use hearth_protocol::role::{HouseRole, RoomAction};
use hearth_protocol::schema::B64u;
use hearth_protocol::sealing::bundle::Bundle;
use hearth_protocol::sealing::card::Card;
use hearth_protocol::sealing::invite::Joining;
use hearth_protocol::sealing::kdf::sha256;
use hearth_store::{Change, Edit, Invite, JoinProof, Room, Subject, User};
use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::{self, AuditAction};
use crate::clock::random;
use crate::error::ApiError;
use crate::membership::RoomState;

/// A newcomer's proof for one sealed room.
#[derive(Deserialize, ToSchema)]
pub struct Join {
    room: RoomId,
    #[serde(with = "hearth_protocol::bytes::array")]
    #[schema(value_type = B64u)]
    proof: [u8; 64],
}

/// How long an invite lasts, how often it is used, and for whom it is.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// ms since 1970; 7 days from now where nobody says.
    pub expires_at: Option<u64>,
    /// How often it can be used.
    pub uses: u32,
    /// Whoever makes an account by it is a guest until then.
    pub guest_until: Option<u64>,
}

/// Whether an invite opens by its code alone: it has no secret and leads to one open room.
pub fn is_bare(invite: &Invite) -> bool {
    invite.blob.is_empty()
}

impl App {
    /// When an invite of these terms expires, if it may be made so.
    pub fn check_terms(&self, terms: &Terms) -> Result<u64, ApiError> {
        let (now, days) = (self.clock.now_ms(), self.limits.invite_days_max);
        let latest = now.saturating_add(days_ms(days));
        let usual = now.saturating_add(days_ms(self.limits.invite_days_default));
        let expires_at = terms.expires_at.unwrap_or(usual.min(latest));
        let uses_max = u32::try_from(self.limits.invite_uses_max).unwrap_or(u32::MAX);
        if expires_at <= now || expires_at > latest {
            let message = format!("an invite lives at most {days} days from now");
            return Err(ApiError::invalid("bad_expiry", message));
        }
        if !(1..=uses_max).contains(&terms.uses) {
            let message = format!("an invite is used 1 to {uses_max} times");
            return Err(ApiError::invalid("bad_uses", message));
        }
        self.check_stay(terms.guest_until, now)?;
        Ok(expires_at)
    }

    /// Makes an invite into one open room for whoever has its code. `maker` is in whose name it
    /// stands, `by` who is told to the audit log: `None` is the box's own shell.
    pub async fn invite_openly(
        &self,
        state: &RoomState,
        maker: UserId,
        by: Option<UserId>,
        terms: Terms,
    ) -> Result<Invite, ApiError> {
        if state.is_sealed() {
            let message = "an invite into a sealed room is sealed by its maker's client";
            return Err(ApiError::conflict("bundle_required", message)
                .hint("make it in the web client or by `hearth invite`"));
        }
        let expires_at = self.check_terms(&terms)?;
        let (now, room) = (self.clock.now_ms(), &state.room);
        let invite = Invite {
            code: InviteCode::new(random()),
            rooms: vec![room.id],
            by: maker,
            auth_hash: sha256(b""),
            blob: vec![],
            created_at: now,
            expires_at,
            uses_left: terms.uses,
            revoked: false,
            guest_until: terms.guest_until,
        };
        let mut change = Change::of(vec![Edit::PutInvite(invite.clone())], now);
        // A room that is sealed meanwhile takes nobody by such an invite.
        change.checks.push((room.id, room.version));
        note_invite(&mut change, by, room.id, &invite);
        self.change_epoch(change).await?;
        Ok(invite)
    }

    /// Adds to a change that seals a room: a code alone opens it no more.
    pub async fn end_bare_invites(
        &self,
        change: &mut Change,
        room: RoomId,
    ) -> Result<(), ApiError> {
        let standing = self.store.invites(room).await?.into_iter();
        let bare = standing.filter(|invite| is_bare(invite) && !invite.revoked);
        change.edits.extend(bare.map(|invite| Edit::RevokeInvite { code: invite.code }));
        Ok(())
    }

    /// Whether somebody may have the code of an invite that opens by it: whoever made it, and who
    /// may make such a one.
    pub async fn may_hand_on(
        &self,
        invite: &Invite,
        room: RoomId,
        user: UserId,
    ) -> Result<bool, ApiError> {
        let may = self.membership.require(room, user, RoomAction::Invite).is_ok();
        Ok(invite.by == user || may && self.may_let_in(user, invite.guest_until).await?)
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
        let maker = self.store.user(invite.by).await?;
        let maker_is_out = maker.is_none_or(|maker| maker.may_sign_in(now).is_err());
        let sealed = |room: &RoomId| self.membership.room(*room).is_some_and(|it| it.is_sealed());
        if invite.revoked || maker_left || maker_is_out {
            Err(gone("invite_revoked", "the invite was taken back"))
        } else if is_bare(&invite) && invite.rooms.iter().any(sealed) {
            Err(gone("invite_revoked", "the room was sealed since: a code alone opens it no more"))
        } else if invite.uses_left == 0 {
            Err(gone("invite_used_up", "the invite was used already"))
        } else if invite.expires_at <= now || invite.guest_until.is_some_and(|until| until <= now) {
            Err(gone("invite_expired", "the invite has expired"))
        } else {
            Ok(invite)
        }
    }

    /// Adds to a change what makes somebody a member of an invite's rooms; those it leads to come
    /// back. The general room is not a guest's.
    pub async fn join_by(
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
                let proof = self.proof(change, &state.room, invite.code, user.id, joins).await?;
                change.edits.push(Edit::PutProof(proof));
            }
            self.enter(change, &state.room, user.id);
        }
        Ok(rooms)
    }

    /// The proof by which a newcomer is listed in a sealed room: one that its members will believe.
    async fn proof(
        &self,
        change: &Change,
        room: &Room,
        code: InviteCode,
        user: UserId,
        joins: &[Join],
    ) -> Result<JoinProof, ApiError> {
        if self.was_listed(room, user).await? {
            let message = "whoever was in a sealed room does not come back by a link";
            return Err(ApiError::conflict("listed_before", message)
                .hint("ask an admin of it to let you in again"));
        }
        let id = room.id;
        let join = joins.iter().find(|join| join.room == id).ok_or_else(|| {
            let message = format!("the sealed room {id} needs a join proof");
            ApiError::invalid("proof_required", message)
        })?;
        let current = self.store.bundle(id, room.epoch).await?;
        let header = current.map(|bundle| Bundle::parse(&bundle.bytes)).transpose()?;
        let invited = header.as_ref().and_then(|bundle| bundle.header.invite(code));
        let Some(invited) = invited else {
            let message = "the room's epoch names this invite no more";
            return Err(
                ApiError::new(Kind::Gone, "invite_revoked", message).hint("ask for a new invite")
            );
        };
        let proves = |card: &Card| {
            let joining = Joining { code, room: id, user, fingerprint: card.fingerprint() };
            card.user() == user && joining.verify(&invited.sign_public, &join.proof).is_ok()
        };
        if !self.cards_of(change, &[user]).await?.iter().any(proves) {
            let message = "the join proof is not by this invite's secret for your card";
            return Err(ApiError::invalid("bad_proof", message)
                .hint("make it of the link's secret, the room, yourself and your current keys"));
        }
        Ok(JoinProof { room: id, user, code, proof: join.proof.to_vec() })
    }

    /// Refuses guests where the house takes none.
    pub fn require_guests(&self) -> Result<(), ApiError> {
        if self.limits.guest_days_max > 0 {
            return Ok(());
        }
        Err(ApiError::new(Kind::Forbidden, "no_guests", "this house takes no guests")
            .hint("ask who runs it for an account"))
    }

    /// Whether somebody may let others in for so long: a guest for no longer than they stay
    /// themselves, and no members.
    pub async fn may_let_in(&self, by: UserId, guest_until: Option<u64>) -> Result<bool, ApiError> {
        let inviter = self.person(by).await?;
        Ok(match (inviter.role, inviter.guest_until, guest_until) {
            (HouseRole::Guest, None, until) => until.is_some(),
            (HouseRole::Guest, Some(own), until) => until.is_some_and(|until| until <= own),
            _ => true,
        })
    }

    /// Refuses who may not let others in for so long.
    pub async fn require_inviter(
        &self,
        by: UserId,
        guest_until: Option<u64>,
    ) -> Result<(), ApiError> {
        if self.may_let_in(by, guest_until).await? {
            return Ok(());
        }
        Err(ApiError::forbidden("a guest invites guests only, for no longer than they stay")
            .hint("send `guest_until`"))
    }
}

/// An invite's code as the audit log has it: who reads the log is not let in by that.
pub fn noted_code(invite: &Invite) -> String {
    let code = invite.code.as_str();
    match code.get(..3).filter(|_| is_bare(invite)) {
        Some(begin) => format!("{begin}…"),
        None => code.to_string(),
    }
}

impl App {
    /// Shortens in an audit entry's detail, as programs before this one wrote it, the whole code of
    /// an invite that opens by it.
    pub async fn hide_code(&self, detail: &mut Value) -> Result<(), ApiError> {
        let Some(text) = detail.get_mut("code") else { return Ok(()) };
        let code = text.as_str().and_then(|text| text.parse().ok());
        let invite = match code {
            Some(code) => self.store.invite(code).await?,
            None => None,
        };
        if let Some(invite) = invite {
            *text = noted_code(&invite).into();
        }
        Ok(())
    }
}

/// Adds to a change that an invite is made by it.
pub fn note_invite(change: &mut Change, by: Option<UserId>, room: RoomId, invite: &Invite) {
    let detail = json!({
        "code": noted_code(invite),
        "uses": invite.uses_left,
        "guest_until": invite.guest_until,
    });
    audit::note(change, by, AuditAction::InviteCreate, Subject::Room(room), detail);
}
