//! Pinned messages: `/api/rooms/{id}/pins`.

use std::sync::Arc;

use hearth_protocol::ids::{EventId, RoomId};
use hearth_store::Pin;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::error::ApiError;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(add, remove))]
pub struct Doc;

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

/// A message to be pinned.
#[derive(Debug, Deserialize, ToSchema)]
struct NewPin {
    message_id: EventId,
}

/// A room's pinned messages, in the order in which they were pinned.
#[derive(Debug, Serialize, ToSchema)]
struct PinList {
    pins: Vec<Pin>,
}

/// Pins a message.
#[utoipa::path(post, path = "/api/rooms/{room}/pins", request_body = NewPin,
    responses((status = 201, body = PinList)))]
async fn add(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    request: NewPin,
) -> Result<Answer, ApiError> {
    let state = app.pin(room, caller.user, request.message_id, true).await?;
    Answer::created(&PinList { pins: state.room.pins.clone() })
}

/// Unpins a message.
#[utoipa::path(delete, path = "/api/rooms/{room}/pins/{message}", responses((status = 204)))]
async fn remove(
    room: RoomId,
    message: EventId,
    app: Arc<App>,
    caller: Caller,
) -> Result<Answer, ApiError> {
    app.pin(room, caller.user, message, false).await?;
    Answer::nothing()
}
