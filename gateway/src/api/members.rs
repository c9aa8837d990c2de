//! Members of a room: `/api/rooms/{id}/members`, and what one of them prefers.

use std::sync::Arc;

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::{RoomId, UserId};
use hearth_protocol::role::{RoomAction, RoomRole};
use hearth_store::Notify;
use serde::{Deserialize, Serialize};
use serde_json::json;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use super::users::UserView;
use crate::app::App;
use crate::error::ApiError;

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

async fn list(room: RoomId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    app.membership.require(room, caller.user, RoomAction::Read)?;
    let mut members = vec![];
    for member in app.store.members(room).await? {
        // An account is never deleted under a membership.
        if let Some(user) = app.store.user(member.user).await? {
            members.push(json!({ "user": UserView::from(user), "role": member.role,
                                 "joined_at": member.joined_at }));
        }
    }
    let waiting: Vec<_> = app
        .store
        .proofs(room)
        .await?
        .into_iter()
        .map(|proof| json!({ "user": proof.user, "code": proof.code, "proof": b64u(&proof.proof) }))
        .collect();
    Answer::ok(&json!({ "members": members, "waiting": waiting }))
}

/// `DELETE /api/rooms/{id}/members/{user}?reason=`.
#[derive(Debug, Deserialize)]
struct Kick {
    /// Why; the person is told.
    #[serde(default)]
    reason: String,
}

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
#[derive(Debug, Deserialize)]
struct NewMember {
    user_id: UserId,
    /// The next epoch of a sealed room, which lists them; without it they wait for one.
    #[serde(default, with = "hearth_protocol::bytes::option")]
    bundle: Option<Vec<u8>>,
}

async fn add(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    new: NewMember,
) -> Result<Answer, ApiError> {
    let is_new = app.add_member(room, caller.user, new.user_id, new.bundle.as_deref()).await?;
    member_answer(&app, room, new.user_id, is_new).await
}

/// A member as the list has them.
async fn member_answer(
    app: &App,
    room: RoomId,
    user: UserId,
    is_new: bool,
) -> Result<Answer, ApiError> {
    let missing = || ApiError::not_found("member");
    let member = app.store.member(room, user).await?.ok_or_else(missing)?;
    let user = app.store.user(user).await?.ok_or_else(missing)?;
    let view = json!({ "user": UserView::from(user), "role": member.role,
                       "joined_at": member.joined_at });
    if is_new { Answer::created(&view) } else { Answer::ok(&view) }
}

/// What somebody becomes.
#[derive(Debug, Deserialize)]
struct NewRole {
    role: RoomRole,
    /// With `owner`: the room is handed over, and whoever does it becomes an admin.
    #[serde(default)]
    transfer: bool,
}

async fn set_role(
    room: RoomId,
    user: UserId,
    app: Arc<App>,
    caller: Caller,
    new: NewRole,
) -> Result<Answer, ApiError> {
    app.set_role(room, caller.user, user, new.role, new.transfer).await?;
    member_answer(&app, room, user, false).await
}

/// Of which messages of a room one is told.
#[derive(Debug, Serialize, Deserialize)]
struct Preference {
    notify: Notify,
}

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
