//! Invites: `/api/rooms/{id}/invites`, `/api/invites/{code}` (sealing.md §6).

use std::sync::Arc;

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::{InviteCode, RoomId, UserId};
use hearth_protocol::role::{RoomAction, Sealing};
use hearth_protocol::schema::B64u;
use hearth_store::{Change, Edit, Invite, Subject};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::OpenApi;
use utoipa::ToSchema;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use crate::admin::invite_path;
use crate::app::App;
use crate::audit::{self, AuditAction};
use crate::bundles::Setting;
use crate::error::ApiError;
use crate::invites::{Join, Terms, is_bare, note_invite, noted_code};
use crate::membership::RoomState;
use crate::moderation::Act;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(make, list, look, revoke, accept))]
pub struct Doc;

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

/// An invite as its maker's client sealed it (sealing.md §6). Without `code`, `auth_hash` and
/// `blob`: into one open room, for whoever has the code that the box makes.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "uses": 3 }))]
struct NewInvite {
    code: Option<InviteCode>,
    /// SHA-256 of what the link's secret opens the invite with.
    #[serde(default, with = "hearth_protocol::bytes::option")]
    #[schema(value_type = Option<B64u>)]
    auth_hash: Option<Vec<u8>>,
    #[serde(default, with = "hearth_protocol::bytes::option")]
    #[schema(value_type = Option<B64u>)]
    blob: Option<Vec<u8>>,
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

/// The next epoch of one room.
#[derive(Deserialize, ToSchema)]
struct RoomBundle {
    room: RoomId,
    #[serde(with = "hearth_protocol::bytes")]
    #[schema(value_type = B64u)]
    bundle: Vec<u8>,
}

/// What the maker's client sealed.
struct SealedInvite {
    code: InviteCode,
    auth_hash: [u8; 32],
    blob: Vec<u8>,
}

impl NewInvite {
    fn terms(&self) -> Terms {
        Terms { expires_at: self.expires_at, uses: self.uses, guest_until: self.guest_until }
    }

    /// What the client sealed; `None`: nothing.
    fn sealed(&self, app: &App) -> Result<Option<SealedInvite>, ApiError> {
        let (code, hash, blob) = match (self.code, &self.auth_hash, &self.blob) {
            (None, None, None) => return Ok(None),
            (Some(code), Some(hash), Some(blob)) => (code, hash, blob),
            _ => {
                let message = "`code`, `auth_hash` and `blob` come together, or none of them";
                return Err(ApiError::invalid("bad_invite", message));
            }
        };
        let auth_hash = hash.as_slice().try_into().map_err(|_length| {
            ApiError::invalid("bad_invite", "`auth_hash` is a SHA-256: 32 bytes")
        })?;
        let max = app.limits.invite_blob_bytes_max;
        if blob.is_empty() || blob.len() > max {
            let message = format!("an invite's blob has 1 to {max} bytes");
            return Err(ApiError::invalid("bad_blob", message));
        }
        Ok(Some(SealedInvite { code, auth_hash, blob: blob.clone() }))
    }
}

/// The invite that was made.
#[derive(Serialize, ToSchema)]
struct InviteMade {
    code: InviteCode,
    /// ms since 1970.
    expires_at: u64,
    uses_left: u32,
    /// Below the house's address, where the code is all of the link; else the client makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

impl InviteMade {
    fn of(invite: &Invite) -> Self {
        let Invite { code, expires_at, uses_left, .. } = *invite;
        Self { code, expires_at, uses_left, path: is_bare(invite).then(|| invite_path(code)) }
    }
}

/// Makes an invite to a room.
#[utoipa::path(post, path = "/api/rooms/{room}/invites", request_body = NewInvite,
    responses((status = 201, body = InviteMade)))]
async fn make(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    new: NewInvite,
) -> Result<Answer, ApiError> {
    let asked = app.membership.require(room, caller.user, RoomAction::Invite)?;
    if new.guest_until.is_none() {
        // Who comes by it is of the house: not for a token that is for some rooms.
        caller.login()?;
    }
    let (terms, sealed) = (new.terms(), new.sealed(&app)?);
    app.check_terms(&terms)?;
    app.require_inviter(caller.user, new.guest_until).await?;
    app.not_too_often(Act::Invite(caller.user))?;
    let invite = match sealed {
        Some(sealed) => make_sealed(&app, caller.user, asked, sealed, new).await?,
        None => app.invite_openly(&asked, caller.user, Some(caller.user), terms).await?,
    };
    Answer::created(&InviteMade::of(&invite))
}

/// An invite to a room and, for who is to live here, the general one, with the next epoch of each
/// that is sealed.
async fn make_sealed(
    app: &App,
    by: UserId,
    asked: Arc<RoomState>,
    sealed: SealedInvite,
    new: NewInvite,
) -> Result<Invite, ApiError> {
    let room = asked.room.id;
    let mut states = vec![asked];
    // Every invite into the house is one into the general room too; a guest's is none.
    let general = app.membership.general().filter(|_| new.guest_until.is_none());
    states.extend(general.filter(|general| general.room.id != room));
    states.retain(|state| state.members.contains_key(&by));
    let now = app.clock.now_ms();
    let invite = Invite {
        code: sealed.code,
        rooms: states.iter().map(|state| state.room.id).collect(),
        by,
        auth_hash: sealed.auth_hash,
        blob: sealed.blob,
        created_at: now,
        expires_at: app.check_terms(&new.terms())?,
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
        app.add_bundle(&mut change, setting, by, &bundle.bundle).await?;
    }
    note_invite(&mut change, Some(by), room, &invite);
    app.change_epoch(change).await?;
    Ok(invite)
}

/// An invite as the members of its rooms see it; where its code is all of the link, as those see
/// it who may make such a one.
#[derive(Serialize, ToSchema)]
struct InviteView {
    code: InviteCode,
    by: UserId,
    /// ms since 1970.
    created_at: u64,
    /// ms since 1970.
    expires_at: u64,
    uses_left: u32,
    revoked: bool,
    /// ms since 1970: whoever makes an account by it is a guest until then.
    guest_until: Option<u64>,
}

impl From<Invite> for InviteView {
    fn from(invite: Invite) -> Self {
        let Invite { code, by, created_at, expires_at, uses_left, revoked, guest_until, .. } =
            invite;
        Self { code, by, created_at, expires_at, uses_left, revoked, guest_until }
    }
}

/// The invites of a room.
#[derive(Serialize, ToSchema)]
struct InviteList {
    invites: Vec<InviteView>,
}

/// Lists the invites of a room.
#[utoipa::path(get, path = "/api/rooms/{room}/invites",
    responses((status = 200, body = InviteList)))]
async fn list(room: RoomId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    // Every member: whoever makes the next epoch leaves out what has ended.
    app.membership.require(room, caller.user, RoomAction::Read)?;
    let mut invites = vec![];
    for invite in app.store.invites(room).await? {
        let is_login = caller.session.is_some();
        if !is_bare(&invite) || is_login && app.may_hand_on(&invite, room, caller.user).await? {
            invites.push(InviteView::from(invite));
        }
    }
    Answer::ok(&InviteList { invites })
}

/// A room that an invite is to.
#[derive(Serialize, ToSchema)]
struct InvitedRoom {
    id: RoomId,
    name: String,
    sealing: Sealing,
}

/// What an invite is to, for whoever has its code; rooms and blob for whoever has its link.
#[derive(Serialize, ToSchema)]
struct InviteLook {
    house: String,
    /// The display name of who made it.
    inviter: Option<String>,
    /// ms since 1970.
    expires_at: u64,
    /// ms since 1970: whoever makes an account by it is a guest until then.
    guest_until: Option<u64>,
    rooms: Vec<InvitedRoom>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<B64u>)]
    blob: Option<String>,
}

/// Shows what an invite is to.
#[utoipa::path(get, path = "/api/invites/{code}", security(()),
    params(("invite-auth" = Option<B64u>, Header, description = "From the link's secret.")),
    responses((status = 200, body = InviteLook)))]
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
    let mut answer = InviteLook {
        house: app.house_name().await?,
        inviter,
        expires_at: invite.expires_at,
        guest_until: invite.guest_until,
        rooms: vec![],
        blob: None,
    };
    // Codes stand in headers that others read; the rooms are for whoever has the link itself.
    if auth.is_some() || is_bare(&invite) {
        answer.blob = (!is_bare(&invite)).then(|| b64u(&invite.blob));
        let rooms = invite.rooms.iter().filter_map(|id| app.membership.room(*id));
        let view = |state: Arc<RoomState>| {
            let room = &state.room;
            InvitedRoom { id: room.id, name: room.name.clone(), sealing: room.sealing }
        };
        answer.rooms = rooms.map(view).collect();
    }
    Answer::ok(&answer)
}

/// Takes an invite back.
#[utoipa::path(delete, path = "/api/invites/{code}",
    responses((status = 204)))]
async fn revoke(code: InviteCode, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let missing = || ApiError::not_found("invite");
    let invite = app.store.invite(code).await?.ok_or_else(missing)?;
    let may =
        |room: &RoomId| app.membership.require(*room, caller.user, RoomAction::Invite).is_ok();
    if invite.by != caller.user && !invite.rooms.iter().any(may) {
        return Err(missing());
    }
    if invite.revoked {
        return Answer::nothing();
    }
    let now = app.clock.now_ms();
    let mut change = Change::of(vec![Edit::RevokeInvite { code }], now);
    // Its recipient can still open the current epoch: the next one leaves it out.
    let noted = noted_code(&invite);
    for room in invite.rooms {
        app.mark_rotation_due(&mut change, room);
        let (by, detail) = (Some(caller.user), json!({ "code": noted }));
        audit::note(&mut change, by, AuditAction::InviteRevoke, Subject::Room(room), detail);
    }
    app.store.change(change).await?;
    Answer::nothing()
}

/// An invite taken up by somebody who has an account.
#[derive(Deserialize, ToSchema)]
struct Accept {
    /// What the link's secret opens the invite with; nothing where the code is all of the link.
    #[serde(default, with = "hearth_protocol::bytes")]
    #[schema(value_type = B64u)]
    auth: Vec<u8>,
    #[serde(default)]
    joins: Vec<Join>,
}

/// The rooms one is in now.
#[derive(Serialize, ToSchema)]
struct Accepted {
    rooms: Vec<RoomId>,
}

/// Takes an invite up.
#[utoipa::path(post, path = "/api/invites/{code}/accept", request_body = Accept,
    responses((status = 200, body = Accepted)))]
async fn accept(
    code: InviteCode,
    app: Arc<App>,
    caller: Caller,
    request: Accept,
) -> Result<Answer, ApiError> {
    let rooms = app.accept_invite(code, &request.auth, caller.user, &request.joins).await?;
    Answer::ok(&Accepted { rooms })
}

#[cfg(test)]
mod tests;
