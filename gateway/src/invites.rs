//! Ways in: which invites open a door, and what taking one up does (sealing.md §6).

use hearth_protocol::ids::{InviteCode, RoomId, UserId};
use hearth_protocol::refusal::Kind;
use hearth_protocol::sealing::kdf::sha256;
use hearth_store::{Change, Edit, Invite, JoinProof};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::app::App;
use crate::error::ApiError;

/// A newcomer's proof for one sealed room.
#[derive(Deserialize)]
pub struct Join {
    room: RoomId,
    #[serde(with = "hearth_protocol::bytes")]
    proof: Vec<u8>,
}

impl App {
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
        self.join_by(&mut change, &invite, user, joins).await?;
        self.store.change(change).await?;
        Ok(invite.rooms)
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
        let gone = |code, message: &str| {
            ApiError::new(Kind::Gone, code, message).hint("ask for a new invite")
        };
        let maker_left =
            invite.rooms.iter().any(|room| !self.membership.is_member(*room, invite.by));
        if invite.revoked || maker_left {
            Err(gone("invite_revoked", "the invite was taken back"))
        } else if invite.uses_left == 0 {
            Err(gone("invite_used_up", "the invite was used already"))
        } else if invite.expires_at <= self.clock.now_ms() {
            Err(gone("invite_expired", "the invite has expired"))
        } else {
            Ok(invite)
        }
    }

    /// Adds to a change what makes somebody a member of an invite's rooms.
    pub async fn join_by(
        &self,
        change: &mut Change,
        invite: &Invite,
        user: UserId,
        joins: &[Join],
    ) -> Result<(), ApiError> {
        change.edits.push(Edit::UseInvite { code: invite.code });
        for id in &invite.rooms {
            let state = self.membership.room(*id).ok_or_else(|| ApiError::not_found("room"))?;
            if state.members.contains_key(&user) {
                continue;
            }
            if state.is_sealed() {
                if self.was_listed(&state.room, user).await? {
                    let message = "whoever was in a sealed room does not come back by a link";
                    return Err(ApiError::conflict("listed_before", message)
                        .hint("ask an admin of it to let you in again"));
                }
                let proof = joins.iter().find(|join| join.room == *id).ok_or_else(|| {
                    let message = format!("the sealed room {id} needs a join proof");
                    ApiError::invalid("proof_required", message)
                })?;
                change.edits.push(Edit::PutProof(JoinProof {
                    room: *id,
                    user,
                    code: invite.code,
                    proof: proof.proof.clone(),
                }));
            }
            self.enter(change, &state.room, user);
        }
        Ok(())
    }
}
