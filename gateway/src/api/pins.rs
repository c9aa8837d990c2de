//! Pinned messages: `/api/rooms/{id}/pins`.

use std::sync::Arc;

use hearth_protocol::ids::{EventId, RoomId};
use hearth_store::Pin;
use serde::{Deserialize, Serialize};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::error::ApiError;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let add = path!("api" / "rooms" / RoomId / "pins")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(add)
        .map(answer);
    let remove = path!("api" / "rooms" / RoomId / "pins" / EventId)
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .then(remove)
        .map(answer);
    add.or(remove).unify().boxed()
}

#[derive(Debug, Deserialize)]
struct NewPin {
    message_id: EventId,
}

/// A room's pinned messages, in the order in which they were pinned.
#[derive(Debug, Serialize)]
struct PinList {
    pins: Vec<Pin>,
}

async fn add(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    request: NewPin,
) -> Result<Answer, ApiError> {
    let state = app.pin(room, caller.user, request.message_id, true).await?;
    Answer::created(&PinList { pins: state.room.pins.clone() })
}

async fn remove(
    room: RoomId,
    message: EventId,
    app: Arc<App>,
    caller: Caller,
) -> Result<Answer, ApiError> {
    app.pin(room, caller.user, message, false).await?;
    Answer::nothing()
}
