//! Members of a room: `/api/rooms/{id}/members`, and what one of them prefers.

use std::sync::Arc;

use hearth_protocol::ids::{InviteCode, RoomId, UserId};
use hearth_protocol::role::{RoomAction, RoomRole};
use hearth_protocol::schema::B64u;
use hearth_store::{JoinProof, Notify};
use serde::{Deserialize, Serialize};
use utoipa::OpenApi;
use utoipa::{IntoParams, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use super::users::UserView;
use crate::app::App;
use crate::error::ApiError;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(list, add, remove, set_role, set_notify))]
pub struct Doc;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let list = path!("api" / "rooms" / RoomId / "members")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(list)
        .map(answer);
    let remove = path!("api" / "rooms" / RoomId / "members" / UserId)
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .and(warp::query())
        .then(remove)
        .map(answer);
    let add = path!("api" / "rooms" / RoomId / "members")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(add)
        .map(answer);
    let role = path!("api" / "rooms" / RoomId / "members" / UserId / "role")
        .and(warp::patch())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(set_role)
        .map(answer);
    let notify = path!("api" / "rooms" / RoomId / "notify")
        .and(warp::put())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(set_notify)
        .map(answer);
    list.or(add).unify().or(remove).unify().or(role).unify().or(notify).unify().boxed()
}

/// Somebody in a room.
#[derive(Serialize, ToSchema)]
struct MemberView {
    user: UserView,
    role: RoomRole,
    /// ms since 1970.
    joined_at: u64,
}

/// Somebody whom the next epoch of a sealed room lets in.
#[derive(Serialize, ToSchema)]
struct Waiting {
    user: UserId,
    code: InviteCode,
    /// That they have the invite's secret (sealing.md §6).
    #[serde(with = "hearth_protocol::bytes")]
    #[schema(value_type = B64u)]
    proof: Vec<u8>,
}

/// The people of a room.
#[derive(Serialize, ToSchema)]
struct MemberList {
    members: Vec<MemberView>,
    waiting: Vec<Waiting>,
}

/// Lists who is in a room, and whom its next epoch lets in.
#[utoipa::path(get, path = "/api/rooms/{room}/members",
    responses((status = 200, body = MemberList)))]
async fn list(room: RoomId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    app.membership.require(room, caller.user, RoomAction::Read)?;
    let mut members = vec![];
    for member in app.store.members(room).await? {
        // An account is never deleted under a membership.
        if let Some(user) = app.store.user(member.user).await? {
            let (role, joined_at) = (member.role, member.joined_at);
            let user = app.seen_by(caller.user, user);
            members.push(MemberView { user, role, joined_at });
        }
    }
    let view = |JoinProof { user, code, proof, .. }| Waiting { user, code, proof };
    let waiting = app.store.proofs(room).await?.into_iter().map(view).collect();
    Answer::ok(&MemberList { members, waiting })
}

/// `DELETE /api/rooms/{id}/members/{user}?reason=`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Kick {
    /// Why; the person is told.
    #[serde(default)]
    reason: String,
}

/// Removes somebody from a room.
#[utoipa::path(delete, path = "/api/rooms/{room}/members/{user}", params(Kick),
    responses((status = 204)))]
async fn remove(
    room: RoomId,
    user: UserId,
    app: Arc<App>,
    caller: Caller,
    kick: Kick,
) -> Result<Answer, ApiError> {
    app.kick(room, caller.user, user, &kick.reason).await?;
    Answer::nothing()
}

/// Whom an admin lets in.
#[derive(Debug, Deserialize, ToSchema)]
struct NewMember {
    user_id: UserId,
    /// The next epoch of a sealed room, which lists them; without it they wait for one.
    #[serde(default, with = "hearth_protocol::bytes::option")]
    #[schema(value_type = Option<B64u>)]
    bundle: Option<Vec<u8>>,
}

/// Lets somebody of the house into a room; 200 if they are in it.
#[utoipa::path(post, path = "/api/rooms/{room}/members", request_body = NewMember,
    responses((status = 200, body = MemberView), (status = 201, body = MemberView)))]
async fn add(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    new: NewMember,
) -> Result<Answer, ApiError> {
    let is_new = app.add_member(room, caller.user, new.user_id, new.bundle.as_deref()).await?;
    member_answer(&app, room, (caller.user, new.user_id), is_new).await
}

/// A member as the list has them.
async fn member_answer(
    app: &App,
    room: RoomId,
    (viewer, user): (UserId, UserId),
    is_new: bool,
) -> Result<Answer, ApiError> {
    let missing = || ApiError::not_found("member");
    let member = app.store.member(room, user).await?.ok_or_else(missing)?;
    let user = app.store.user(user).await?.ok_or_else(missing)?;
    let (role, joined_at) = (member.role, member.joined_at);
    let view = MemberView { user: app.seen_by(viewer, user), role, joined_at };
    if is_new { Answer::created(&view) } else { Answer::ok(&view) }
}

/// What somebody becomes.
#[derive(Debug, Deserialize, ToSchema)]
struct NewRole {
    role: RoomRole,
    /// With `owner`: the room is handed over, and whoever does it becomes an admin.
    #[serde(default)]
    transfer: bool,
}

/// Gives somebody another role in a room.
#[utoipa::path(patch, path = "/api/rooms/{room}/members/{user}/role", request_body = NewRole,
    responses((status = 200, body = MemberView)))]
async fn set_role(
    room: RoomId,
    user: UserId,
    app: Arc<App>,
    caller: Caller,
    new: NewRole,
) -> Result<Answer, ApiError> {
    app.set_role(room, caller.user, user, new.role, new.transfer).await?;
    member_answer(&app, room, (caller.user, user), false).await
}

/// Of which messages of a room one is told.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct Preference {
    notify: Notify,
}

/// Says of which messages of a room one wants to be told.
#[utoipa::path(put, path = "/api/rooms/{room}/notify", request_body = Preference,
    responses((status = 200, body = Preference)))]
async fn set_notify(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    preference: Preference,
) -> Result<Answer, ApiError> {
    app.set_notify(room, caller.user, preference.notify).await?;
    Answer::ok(&preference)
}

#[cfg(test)]
mod tests;
