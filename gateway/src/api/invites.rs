//! Invites: `/api/rooms/{id}/invites`, `/api/invites/{code}` (sealing.md §6).

use std::sync::Arc;

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::{InviteCode, RoomId};
use hearth_protocol::limits::days_ms;
use hearth_protocol::role::RoomAction;
use hearth_store::{Change, Edit, Invite, Subject};
use serde::Deserialize;
use serde_json::json;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::audit;
use crate::bundles::Setting;
use crate::error::ApiError;
use crate::invites::Join;
use crate::moderation::Act;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let make = path!("api" / "rooms" / RoomId / "invites")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(make)
        .map(answer);
    let list = path!("api" / "rooms" / RoomId / "invites")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(list)
        .map(answer);
    let look = path!("api" / "invites" / InviteCode)
        .and(warp::get())
        .and(with(app))
        .and(warp::header::optional("invite-auth"))
        .then(look)
        .map(answer);
    let revoke = path!("api" / "invites" / InviteCode)
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .then(revoke)
        .map(answer);
    let accept = path!("api" / "invites" / InviteCode / "accept")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(accept)
        .map(answer);
    let of_room = make.or(list).unify();
    of_room.or(look).unify().or(revoke).unify().or(accept).unify().boxed()
}

#[derive(Deserialize)]
struct NewInvite {
    code: InviteCode,
    #[serde(with = "hearth_protocol::bytes::array")]
    auth_hash: [u8; 32],
    #[serde(with = "hearth_protocol::bytes")]
    blob: Vec<u8>,
    /// ms since 1970; 7 days from now where nobody says.
    expires_at: Option<u64>,
    /// How often it can be used; once where nobody says.
    #[serde(default = "once")]
    uses: u32,
    /// Whoever makes an account by it is a guest until then; the general room is not theirs.
    guest_until: Option<u64>,
    #[serde(default)]
    bundles: Vec<RoomBundle>,
}

/// How often an invite is used when nobody says.
fn once() -> u32 {
    1
}

#[derive(Deserialize)]
struct RoomBundle {
    room: RoomId,
    #[serde(with = "hearth_protocol::bytes")]
    bundle: Vec<u8>,
}

impl NewInvite {
    /// When it expires, if it may be so.
    fn check(&self, app: &App, now_ms: u64) -> Result<u64, ApiError> {
        let days = app.limits.invite_days_max;
        let latest = now_ms.saturating_add(days_ms(days));
        let usual = now_ms.saturating_add(days_ms(app.limits.invite_days_default));
        let expires_at = self.expires_at.unwrap_or(usual.min(latest));
        let uses_max = u32::try_from(app.limits.invite_uses_max).unwrap_or(u32::MAX);
        let blob_max = app.limits.invite_blob_bytes_max;
        if expires_at <= now_ms || expires_at > latest {
            let message = format!("an invite lives at most {days} days from now");
            Err(ApiError::invalid("bad_expiry", message))
        } else if !(1..=uses_max).contains(&self.uses) {
            Err(ApiError::invalid("bad_uses", format!("an invite is used 1 to {uses_max} times")))
        } else if self.blob.is_empty() || self.blob.len() > blob_max {
            let message = format!("an invite's blob has 1 to {blob_max} bytes");
            Err(ApiError::invalid("bad_blob", message))
        } else {
            Ok(expires_at)
        }
    }
}

async fn make(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    new: NewInvite,
) -> Result<Answer, ApiError> {
    let asked = app.membership.require(room, caller.user, RoomAction::Invite)?;
    let now = app.clock.now_ms();
    let expires_at = new.check(&app, now)?;
    new.check(&app, now)?;
    app.check_stay(new.guest_until, now)?;
    app.require_inviter(caller.user, new.guest_until).await?;
    app.not_too_often(Act::Invite(caller.user))?;
    let mut states = vec![asked];
    // Every invite into the house is one into the general room too; a guest's is none.
    let general = app.membership.general().filter(|_| new.guest_until.is_none());
    states.extend(general.filter(|general| general.room.id != room));
    states.retain(|state| state.members.contains_key(&caller.user));
    let invite = Invite {
        code: new.code,
        rooms: states.iter().map(|state| state.room.id).collect(),
        by: caller.user,
        auth_hash: new.auth_hash,
        blob: new.blob,
        created_at: now,
        expires_at,
        uses_left: new.uses,
        revoked: false,
        guest_until: new.guest_until,
    };
    let mut change = Change::of(vec![Edit::PutInvite(invite.clone())], now);
    for state in states.iter().filter(|state| state.is_sealed()) {
        let id = state.room.id;
        let bundle = new.bundles.iter().find(|given| given.room == id).ok_or_else(|| {
            ApiError::conflict("bundle_required", format!("the sealed room {id} needs a bundle"))
        })?;
        change.checks.push((id, state.room.version));
        let setting = Setting { new_invite: Some(&invite), ..Setting::of(state) };
        app.add_bundle(&mut change, setting, caller.user, &bundle.bundle).await?;
    }
    let detail = json!({ "code": invite.code, "uses": invite.uses_left });
    audit::note(&mut change, Some(caller.user), "invite.create", Subject::Room(room), detail);
    app.change_epoch(change).await?;
    Answer::created(&json!({ "code": new.code, "expires_at": expires_at,
                             "uses_left": new.uses }))
}

async fn list(room: RoomId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    // Every member: whoever makes the next epoch leaves out what has ended.
    app.membership.require(room, caller.user, RoomAction::Read)?;
    let invites = app.store.invites(room).await?;
    let invites: Vec<_> = invites
        .iter()
        .map(|invite| {
            json!({ "code": invite.code, "by": invite.by, "created_at": invite.created_at,
                    "expires_at": invite.expires_at, "uses_left": invite.uses_left,
                    "revoked": invite.revoked, "guest_until": invite.guest_until })
        })
        .collect();
    Answer::ok(&json!({ "invites": invites }))
}

async fn look(code: InviteCode, app: Arc<App>, auth: Option<String>) -> Result<Answer, ApiError> {
    let auth = match auth {
        None => None,
        Some(text) => Some(
            hearth_protocol::bytes::from_b64u(&text)
                .ok_or_else(|| ApiError::invalid("bad_auth", "Invite-Auth is not base64url"))?,
        ),
    };
    let invite = app.usable_invite(code, auth.as_deref()).await?;
    let inviter = app.store.user(invite.by).await?.map(|user| user.display_name);
    let mut answer = json!({ "house": app.house_name().await?, "rooms": [],
                             "inviter": inviter, "expires_at": invite.expires_at,
                             "guest_until": invite.guest_until });
    // Codes stand in headers that others read; the rooms are for whoever has the link itself.
    if auth.is_some() {
        answer["blob"] = json!(b64u(&invite.blob));
        let rooms = invite.rooms.iter().filter_map(|id| app.membership.room(*id));
        answer["rooms"] = rooms
            .map(|state| {
                let room = &state.room;
                json!({ "id": room.id, "name": room.name, "sealing": room.sealing })
            })
            .collect();
    }
    Answer::ok(&answer)
}

async fn revoke(code: InviteCode, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let missing = || ApiError::not_found("invite");
    let invite = app.store.invite(code).await?.ok_or_else(missing)?;
    let may =
        |room: &RoomId| app.membership.require(*room, caller.user, RoomAction::Invite).is_ok();
    if invite.by != caller.user && !invite.rooms.iter().any(may) {
        return Err(missing());
    }
    let now = app.clock.now_ms();
    let mut change = Change::of(vec![Edit::RevokeInvite { code }], now);
    // Its recipient can still open the current epoch: the next one leaves it out.
    for room in invite.rooms {
        app.mark_rotation_due(&mut change, room);
        let (by, detail) = (Some(caller.user), json!({ "code": code }));
        audit::note(&mut change, by, "invite.revoke", Subject::Room(room), detail);
    }
    app.store.change(change).await?;
    Answer::nothing()
}

#[derive(Deserialize)]
struct Accept {
    #[serde(with = "hearth_protocol::bytes")]
    auth: Vec<u8>,
    joins: Vec<Join>,
}

async fn accept(
    code: InviteCode,
    app: Arc<App>,
    caller: Caller,
    request: Accept,
) -> Result<Answer, ApiError> {
    let rooms = app.accept_invite(code, &request.auth, caller.user, &request.joins).await?;
    Answer::ok(&json!({ "rooms": rooms }))
}

#[cfg(test)]
mod tests;
