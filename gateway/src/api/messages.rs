//! The messages of a room: `/api/rooms/{id}/messages`; one of them is in [`super::message`].

use std::sync::Arc;

use hearth_protocol::event::Sender;
use hearth_protocol::ids::{Position, RoomId, UserId};
use hearth_protocol::role::RoomAction;
use hearth_protocol::schema::B64u;
use hearth_store::{MessageView, PageQuery, Span, StoredEvent};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use utoipa::OpenApi;
use utoipa::{IntoParams, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::entries::messages_limit;
use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::error::ApiError;
use crate::history::{self, Entry, Item, Keep, MessageItem, fit};
use crate::ingest::{Submission, room_is_sealed};
use crate::membership::RoomState;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(page, post))]
pub struct Doc;

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

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PageRequest {
    /// How many at most.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// Those before this place: a position in digits, or the id of a message of the room.
    before: Option<String>,
    /// Those after this place.
    after: Option<String>,
    /// Half of the page lies before this place, the rest from it on.
    around: Option<String>,
    /// The oldest that came at this time (ms since 1970) or later.
    since: Option<u64>,
    /// `1`: the events as on `out`, also in an open room.
    #[serde(default)]
    #[param(maximum = 1)]
    raw: u8,
}

/// The position of a place, if one is given.
pub async fn place(
    app: &App,
    room: RoomId,
    text: Option<&str>,
) -> Result<Option<Position>, ApiError> {
    match text {
        Some(text) => app.position_of(room, text.parse()?).await.map(Some),
        None => Ok(None),
    }
}

/// A stretch of a room.
#[derive(Serialize, ToSchema)]
struct Covered {
    from: Position,
    to: Position,
}

/// Messages in the order of their positions: fewer than were asked for where more bytes than an
/// answer has would be needed.
#[derive(Serialize, ToSchema)]
struct MessagePage {
    #[schema(value_type = Vec<MessageItem>)]
    messages: Vec<Box<RawValue>>,
    /// The stretch in which nothing else is to be seen.
    covered: Option<Covered>,
    first_position: Position,
    head_position: Position,
}

/// Gives a page of messages; without a place the last one.
#[utoipa::path(get, path = "/api/rooms/{room}/messages", params(PageRequest),
    responses((status = 200, body = MessagePage)))]
async fn page(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    request: PageRequest,
) -> Result<Answer, ApiError> {
    let state = app.membership.require(room, caller.user, RoomAction::Read)?;
    let limit = messages_limit(&app, request.limit)?;
    if request.raw > 1 {
        return Err(ApiError::invalid("bad_query", "`raw` is 0 or 1"));
    }
    let before = place(&app, room, request.before.as_deref()).await?;
    let after = place(&app, room, request.after.as_deref()).await?;
    let around = place(&app, room, request.around.as_deref()).await?;
    let asked = [before.is_some(), after.is_some(), around.is_some(), request.since.is_some()];
    if asked.into_iter().filter(|asked| *asked).count() > 1 {
        let message = "one of `before`, `after`, `around` and `since`, not two";
        return Err(ApiError::invalid("bad_place", message));
    }
    let after = match request.since {
        Some(at_ms) => Some(app.store.position_at(room, at_ms).await?.previous()),
        None => after,
    };
    let since = app.sight(&state, caller.user).await?;
    let query = PageQuery { before, after, since, limit };
    let (entries, covered) = if state.is_sealed() || request.raw == 1 {
        raw(&app, &state, query, around).await?
    } else {
        folded(&app, room, query, around, caller.user).await?
    };
    let keep = match (around, query.after) {
        (Some(at), _) => Keep::Around(at),
        (None, Some(_)) => Keep::First,
        (None, None) => Keep::Last,
    };
    let (messages, covered) = fit(entries, covered, keep, app.limits.page_bytes_max);
    if let Some(covered) = covered {
        app.receipts.delivered(room, caller.user, covered.to);
    }
    Answer::ok(&MessagePage {
        messages,
        covered: covered.map(|Span { from, to }| Covered { from, to }),
        first_position: state.room.first_position,
        head_position: app.store.head(room).await?,
    })
}

/// The events as they lie.
async fn raw(
    app: &App,
    state: &RoomState,
    query: PageQuery,
    around: Option<Position>,
) -> Result<(Vec<Entry>, Option<Span>), ApiError> {
    let room = state.room.id;
    let page = match around {
        Some(at) => app.store.page_around(room, at, query.since, query.limit).await?,
        None => app.store.page(room, query).await?,
    };
    let item = |event: &StoredEvent| Item::stored(event, state.room.sealing).raw();
    let events = page.events.iter().map(|event| (event.position, item(event)));
    Ok((in_order(events, &page.damaged)?, page.covered))
}

/// The messages of an open room as they are now.
async fn folded(
    app: &App,
    room: RoomId,
    query: PageQuery,
    around: Option<Position>,
    viewer: UserId,
) -> Result<(Vec<Entry>, Option<Span>), ApiError> {
    let page = match around {
        Some(at) => app.store.views_around(room, at, query.since, query.limit).await?,
        None => app.store.views(room, query).await?,
    };
    let item = |view: &MessageView| Item::now(view, Some(viewer), &app.limits).raw();
    let views = page.views.iter().map(|view| (view.event.position, item(view)));
    Ok((in_order(views, &page.damaged)?, page.covered))
}

/// What reads and what does not, by position.
fn in_order(
    read: impl Iterator<Item = (Position, Result<Box<RawValue>, ApiError>)>,
    damaged: &[Span],
) -> Result<Vec<Entry>, ApiError> {
    let read = read.map(|(at, json)| Ok(Entry { span: Span { from: at, to: at }, json: json? }));
    let gap = |span: &Span| {
        let json = to_raw_value(&history::damaged(span));
        Ok(Entry { span: *span, json: json.map_err(|error| ApiError::unwritable(&error))? })
    };
    let mut all = read.chain(damaged.iter().map(gap)).collect::<Result<Vec<_>, ApiError>>()?;
    all.sort_by_key(|entry| entry.span.from);
    Ok(all)
}

/// What `POST` takes, and `send_message` on `/api/ws`: `sealed` in a sealed room; in an open one
/// `content` with what an event may have beside it (docs/protocol.md).
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "content": "Dinner at seven" }))]
pub struct NewMessage {
    #[serde(default, with = "hearth_protocol::bytes::option")]
    #[schema(value_type = Option<B64u>)]
    sealed: Option<Vec<u8>>,
    #[serde(flatten)]
    event: serde_json::Map<String, serde_json::Value>,
}

impl NewMessage {
    /// The same bytes that `in` would get.
    pub fn payload(self, state: &RoomState) -> Result<bytes::Bytes, ApiError> {
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

/// Posts a message; 200 if it was stored before.
#[utoipa::path(post, path = "/api/rooms/{room}/messages", request_body = NewMessage,
    responses((status = 200, body = MessageItem), (status = 201, body = MessageItem)))]
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

#[cfg(test)]
mod tests;
