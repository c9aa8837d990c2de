//! Who cannot be in a room: `/api/rooms/{id}/bans`.

use std::sync::Arc;

use hearth_protocol::ids::{RoomId, UserId};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::mutes::{NewSentence, SentenceView, sentences};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::error::ApiError;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(list, ban, unban))]
pub struct Doc;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let list = path!("api" / "rooms" / RoomId / "bans")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(list)
        .map(answer);
    let ban = path!("api" / "rooms" / RoomId / "bans")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(ban)
        .map(answer);
    let unban = path!("api" / "rooms" / RoomId / "bans" / UserId)
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .then(unban)
        .map(answer);
    list.or(ban).unify().or(unban).unify().boxed()
}

/// `GET /api/rooms/{id}/bans`.
#[derive(Debug, Serialize, ToSchema)]
struct Bans {
    bans: Vec<SentenceView>,
}

/// Lists who is banned from a room.
#[utoipa::path(get, path = "/api/rooms/{room}/bans", responses((status = 200, body = Bans)))]
async fn list(room: RoomId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    app.moderated(room, caller.user)?;
    let bans = sentences(&app, room, caller.user, |sanction| sanction.ban).await?;
    Answer::ok(&Bans { bans })
}

/// Bans somebody from a room.
#[utoipa::path(post, path = "/api/rooms/{room}/bans", request_body = NewSentence,
    responses((status = 204)))]
async fn ban(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    new: NewSentence,
) -> Result<Answer, ApiError> {
    app.ban(room, caller.user, new.user_id, &new.reason, new.term()).await?;
    Answer::nothing()
}

/// Lifts a ban.
#[utoipa::path(delete, path = "/api/rooms/{room}/bans/{user}", responses((status = 204)))]
async fn unban(
    room: RoomId,
    user: UserId,
    app: Arc<App>,
    caller: Caller,
) -> Result<Answer, ApiError> {
    app.unban(room, caller.user, user).await?;
    Answer::nothing()
}
