//! Who may read and not write in a room: `/api/rooms/{id}/mutes`.

use std::sync::Arc;

use hearth_protocol::ids::{RoomId, UserId};
use hearth_store::{Sanction, Sentence};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use super::users::UserView;
use crate::app::App;
use crate::error::ApiError;
use crate::sanctions::Term;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(list, mute, unmute))]
pub struct Doc;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let list = path!("api" / "rooms" / RoomId / "mutes")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(list)
        .map(answer);
    let mute = path!("api" / "rooms" / RoomId / "mutes")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(mute)
        .map(answer);
    let unmute = path!("api" / "rooms" / RoomId / "mutes" / UserId)
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .then(unmute)
        .map(answer);
    list.or(mute).unify().or(unmute).unify().boxed()
}

/// A mute or ban to be: `minutes` or `until` (ms since 1970), or neither for one without an end.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewSentence {
    /// Whom.
    pub user_id: UserId,
    /// Why; the person is told.
    #[serde(default)]
    pub reason: String,
    minutes: Option<usize>,
    until: Option<u64>,
}

impl NewSentence {
    /// How long.
    pub fn term(&self) -> Term {
        Term { minutes: self.minutes, until: self.until }
    }
}

/// A mute or ban that holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct SentenceView {
    /// Whom.
    user: UserView,
    /// By whom.
    by: UserId,
    /// Since when, ms since 1970.
    at: u64,
    /// Why; may be empty.
    reason: String,
    /// When it is over, ms since 1970; null: when it is lifted.
    until: Option<u64>,
}

/// The mutes or bans of a room that hold now.
pub async fn sentences(
    app: &App,
    room: RoomId,
    viewer: UserId,
    which: impl Fn(Sanction) -> Option<Sentence>,
) -> Result<Vec<SentenceView>, ApiError> {
    let now = app.clock.now_ms();
    let mut views = vec![];
    for sanction in app.store.sanctions(room).await? {
        let user = sanction.user;
        let Some(sentence) = which(sanction).filter(|sentence| sentence.holds(now)) else {
            continue;
        };
        if let Some(user) = app.store.user(user).await? {
            let Sentence { by, at, reason, until } = sentence;
            views.push(SentenceView { user: app.seen_by(viewer, user), by, at, reason, until });
        }
    }
    Ok(views)
}

/// `GET /api/rooms/{id}/mutes`.
#[derive(Debug, Serialize, ToSchema)]
struct Mutes {
    mutes: Vec<SentenceView>,
}

/// Lists who is muted in a room.
#[utoipa::path(get, path = "/api/rooms/{room}/mutes", responses((status = 200, body = Mutes)))]
async fn list(room: RoomId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    app.moderated(room, caller.user)?;
    let mutes = sentences(&app, room, caller.user, |sanction| sanction.mute).await?;
    Answer::ok(&Mutes { mutes })
}

/// Mutes somebody in a room.
#[utoipa::path(post, path = "/api/rooms/{room}/mutes", request_body = NewSentence,
    responses((status = 204)))]
async fn mute(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    new: NewSentence,
) -> Result<Answer, ApiError> {
    app.mute(room, caller.user, new.user_id, &new.reason, new.term()).await?;
    Answer::nothing()
}

/// Lifts a mute.
#[utoipa::path(delete, path = "/api/rooms/{room}/mutes/{user}", responses((status = 204)))]
async fn unmute(
    room: RoomId,
    user: UserId,
    app: Arc<App>,
    caller: Caller,
) -> Result<Answer, ApiError> {
    app.unmute(room, caller.user, user).await?;
    Answer::nothing()
}
