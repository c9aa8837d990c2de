//! Members of a room: `/api/rooms/{id}/members`.

use std::sync::Arc;

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::{RoomId, UserId};
use hearth_protocol::role::RoomAction;
use serde::Deserialize;
use serde_json::json;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, caller, with};
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
    list.or(remove).unify().boxed()
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
