//! Members of a room: `/api/rooms/{id}/members`.

use std::sync::Arc;

use hearth_protocol::ids::{InviteCode, RoomId, UserId};
use hearth_protocol::role::{RoomAction, RoomRole};
use hearth_protocol::schema::B64u;
use hearth_store::JoinProof;
use serde::Serialize;
use utoipa::OpenApi;
use utoipa::ToSchema;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, caller, with};
use super::reply::{Answer, answer};
use super::users::UserView;
use crate::app::App;
use crate::error::ApiError;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(list, remove))]
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
        .then(remove)
        .map(answer);
    list.or(remove).unify().boxed()
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
            members.push(MemberView { user: user.into(), role, joined_at });
        }
    }
    let view = |JoinProof { user, code, proof, .. }| Waiting { user, code, proof };
    let waiting = app.store.proofs(room).await?.into_iter().map(view).collect();
    Answer::ok(&MemberList { members, waiting })
}

/// Removes somebody from a room.
#[utoipa::path(delete, path = "/api/rooms/{room}/members/{user}",
    responses((status = 204)))]
async fn remove(
    room: RoomId,
    user: UserId,
    app: Arc<App>,
    caller: Caller,
) -> Result<Answer, ApiError> {
    let state = app.membership.require(room, caller.user, RoomAction::RemoveMember)?;
    match state.members.get(&user) {
        None => return Err(ApiError::not_found("member")),
        Some(RoomRole::Owner) => {
            return Err(ApiError::forbidden("the owner of a room is not removed"));
        }
        Some(_) if state.room.general => {
            return Err(ApiError::conflict("general_is_everyones", "everyone is in this room"));
        }
        Some(_) => {}
    }
    app.remove_member(&state, user, Some(caller.user)).await?;
    Answer::nothing()
}
