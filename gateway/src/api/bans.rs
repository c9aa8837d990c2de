//! Who cannot be in a room: `/api/rooms/{id}/bans`.

use std::sync::Arc;

use hearth_protocol::ids::{RoomId, UserId};
use serde::Serialize;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::mutes::{NewSentence, SentenceView, sentences};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::error::ApiError;

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
#[derive(Debug, Serialize)]
struct Bans {
    bans: Vec<SentenceView>,
}

async fn list(room: RoomId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    app.moderated(room, caller.user)?;
    let bans = sentences(&app, room, |sanction| sanction.ban).await?;
    Answer::ok(&Bans { bans })
}

async fn ban(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    new: NewSentence,
) -> Result<Answer, ApiError> {
    app.ban(room, caller.user, new.user_id, &new.reason, new.term()).await?;
    Answer::nothing()
}

async fn unban(
    room: RoomId,
    user: UserId,
    app: Arc<App>,
    caller: Caller,
) -> Result<Answer, ApiError> {
    app.unban(room, caller.user, user).await?;
    Answer::nothing()
}
