//! Messages of a room: `/api/rooms/{id}/messages`.

use std::sync::Arc;

use hearth_protocol::event::Sender;
use hearth_protocol::ids::{EventId, Position, RoomId};
use hearth_protocol::role::RoomAction;
use hearth_store::PageQuery;
use serde::Deserialize;
use serde_json::json;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::error::ApiError;
use crate::history;
use crate::ingest::{Submission, room_is_sealed};
use crate::membership::RoomState;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let page = path!("api" / "rooms" / RoomId / "messages")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .and(warp::query())
        .then(page)
        .map(answer);
    let post = path!("api" / "rooms" / RoomId / "messages")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(post)
        .map(answer);
    page.or(post).unify().boxed()
}

#[derive(Deserialize)]
struct PageRequest {
    limit: Option<usize>,
    before: Option<String>,
    after: Option<String>,
}

/// A place in a room: a position in digits, or the id of a message there.
async fn place(app: &App, room: RoomId, text: Option<&str>) -> Result<Option<Position>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    if let Ok(position) = text.parse() {
        return Ok(Some(Position(position)));
    }
    let bad = |why: &str| ApiError::invalid("bad_place", format!("`{text}` is {why}"));
    let id: EventId = text.parse().map_err(|_| bad("neither a position nor a message's id"))?;
    match app.store.event(id).await? {
        Some(event) if event.room == room => Ok(Some(event.position)),
        _ => Err(bad("no message of this room")),
    }
}

async fn page(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    request: PageRequest,
) -> Result<Answer, ApiError> {
    let state = app.membership.require(room, caller.user, RoomAction::Read)?;
    let max = app.limits.page_messages_max;
    let limit = request.limit.unwrap_or(app.limits.page_messages_default);
    if !(1..=max).contains(&limit) {
        return Err(ApiError::invalid("bad_limit", format!("limit is 1 to {max}")));
    }
    let before = place(&app, room, request.before.as_deref()).await?;
    let after = place(&app, room, request.after.as_deref()).await?;
    if before.is_some() && after.is_some() {
        return Err(ApiError::invalid("bad_place", "either `before` or `after`, not both"));
    }
    let query = PageQuery { before, after, limit };
    let events = app.store.page(room, query).await?;
    let messages: Vec<_> =
        events.iter().map(|event| history::item(event, state.room.sealing)).collect();
    Answer::ok(&json!({
        "messages": messages,
        "first_position": state.room.first_position,
        "head_position": app.store.head(room).await?,
    }))
}

#[derive(Deserialize)]
struct NewMessage {
    #[serde(default, with = "hearth_protocol::bytes::option")]
    sealed: Option<Vec<u8>>,
    #[serde(flatten)]
    event: serde_json::Map<String, serde_json::Value>,
}

impl NewMessage {
    /// The same bytes that `in` would get.
    fn payload(self, state: &RoomState) -> Result<bytes::Bytes, ApiError> {
        match self.sealed {
            Some(sealed) => Ok(sealed.into()),
            None if state.is_sealed() => Err(room_is_sealed()),
            None if self.event.contains_key("content") => {
                Ok(serde_json::Value::Object(self.event).to_string().into())
            }
            None => Err(ApiError::invalid("bad_event", "a message has `content` or `sealed`")),
        }
    }
}

async fn post(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    message: NewMessage,
) -> Result<Answer, ApiError> {
    let state = app.membership.require(room, caller.user, RoomAction::Write)?;
    let submission = Submission {
        packet: None,
        room,
        sender: Sender::Person(caller.user),
        payload: message.payload(&state)?,
        can_be_refused: true,
    };
    let stored = app.submit(submission).await?;
    let item = history::item(&stored.event, state.room.sealing);
    if stored.duplicate { Answer::ok(&item) } else { Answer::created(&item) }
}
