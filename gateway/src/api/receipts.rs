//! How far people are in a room: `/api/rooms/{id}/read`, `/api/messages/{id}/receipts`.

use std::sync::Arc;

use hearth_protocol::ids::{EventId, Position, RoomId, UserId};
use hearth_store::Receipt;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::error::ApiError;
use crate::place::Place;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(read, of_message))]
pub struct Doc;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let read = path!("api" / "rooms" / RoomId / "read")
        .and(warp::put())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(read)
        .map(answer);
    let of_message = path!("api" / "messages" / EventId / "receipts")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(of_message)
        .map(answer);
    read.or(of_message).unify().boxed()
}

/// How far somebody has read: one of the two.
#[derive(Debug, Deserialize, ToSchema)]
struct ReadRequest {
    message_id: Option<EventId>,
    position: Option<Position>,
}

/// Where one is in a room.
#[derive(Debug, Serialize, ToSchema)]
struct ReceiptView {
    /// The highest position that one of one's devices has.
    delivered: Position,
    /// The highest position that one has read.
    read: Position,
    /// ms since 1970.
    read_at: u64,
}

/// Says how far one has read.
#[utoipa::path(put, path = "/api/rooms/{room}/read", request_body = ReadRequest,
    responses((status = 200, body = ReceiptView)))]
async fn read(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    request: ReadRequest,
) -> Result<Answer, ApiError> {
    let place = match (request.message_id, request.position) {
        (Some(id), None) => Place::Event(id),
        (None, Some(position)) => Place::At(position),
        _ => {
            let message = "say `message_id` or `position`, one of them";
            return Err(ApiError::invalid("bad_place", message));
        }
    };
    let Receipt { delivered, read, read_at, .. } = app.mark_read(room, caller.user, place).await?;
    Answer::ok(&ReceiptView { delivered, read, read_at })
}

/// Who has a message, its sender left out.
#[derive(Debug, Serialize, ToSchema)]
struct MessageReceipts {
    /// Who has read it.
    read_by: Vec<Reader>,
    /// Whose devices have it, those who have read it included.
    delivered_to: Vec<UserId>,
}

/// Somebody who has read a message.
#[derive(Debug, Serialize, ToSchema)]
struct Reader {
    user: UserId,
    /// When they read that far or farther, ms since 1970.
    read_at: u64,
}

/// Lists who has a message, and who has read it.
#[utoipa::path(get, path = "/api/messages/{message}/receipts",
    responses((status = 200, body = MessageReceipts)))]
async fn of_message(id: EventId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let (state, event) = app.seen_event(id, caller.user).await?;
    let mut receipts = app.store.receipts(event.room).await?;
    receipts.retain(|receipt| {
        state.members.contains_key(&receipt.user)
            && event.sender != hearth_protocol::event::Sender::Person(receipt.user)
    });
    let read = receipts.iter().filter(|receipt| receipt.read >= event.position);
    let got = receipts.iter().filter(|receipt| receipt.delivered >= event.position);
    Answer::ok(&MessageReceipts {
        read_by: read.map(|one| Reader { user: one.user, read_at: one.read_at }).collect(),
        delivered_to: got.map(|one| one.user).collect(),
    })
}
