//! Messages: `/api/rooms/{id}/messages`, `/api/messages/{id}`.

use std::sync::Arc;

use hearth_protocol::event::Sender;
use hearth_protocol::ids::{EventId, Position, RoomId, UserId};
use hearth_protocol::role::{RoomAction, Sealing};
use hearth_store::{EventKind, MessageView, PageQuery, Span, StoredEvent};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
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
    let one = path!("api" / "messages" / EventId)
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(one)
        .map(answer);
    let edit = path!("api" / "messages" / EventId)
        .and(warp::put())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(edit)
        .map(answer);
    let erase = path!("api" / "messages" / EventId)
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .and(warp::query())
        .then(erase)
        .map(answer);
    let edits = path!("api" / "messages" / EventId / "edits")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(edits)
        .map(answer);
    let thread = path!("api" / "messages" / EventId / "thread")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .and(warp::query())
        .then(thread)
        .map(answer);
    let of_room = page.or(post).unify();
    of_room
        .or(one)
        .unify()
        .or(edit)
        .unify()
        .or(erase)
        .unify()
        .or(edits)
        .unify()
        .or(thread)
        .unify()
        .boxed()
}

#[derive(Deserialize)]
struct PageRequest {
    limit: Option<usize>,
    before: Option<String>,
    after: Option<String>,
    /// Half of the page lies before this place, the rest from it on.
    around: Option<String>,
    /// The oldest that came at this time (ms since 1970) or later.
    since: Option<u64>,
    /// `1`: the events as on `out`, also in an open room.
    #[serde(default)]
    raw: u8,
}

/// How many messages a page has.
fn page_limit(app: &App, asked: Option<usize>) -> Result<usize, ApiError> {
    let max = app.limits.page_messages_max;
    let limit = asked.unwrap_or(app.limits.page_messages_default);
    if (1..=max).contains(&limit) {
        return Ok(limit);
    }
    Err(ApiError::invalid("bad_limit", format!("limit is 1 to {max}")))
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

async fn page(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    request: PageRequest,
) -> Result<Answer, ApiError> {
    let state = app.membership.require(room, caller.user, RoomAction::Read)?;
    let limit = page_limit(&app, request.limit)?;
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
    let (messages, covered) = if state.is_sealed() || request.raw == 1 {
        raw(&app, &state, query, around).await?
    } else {
        folded(&app, room, query, around, caller.user).await?
    };
    if let Some(covered) = covered {
        app.receipts.delivered(room, caller.user, covered.to);
    }
    Answer::ok(&json!({
        "messages": messages,
        "covered": covered.map(|span| json!({ "from": span.from, "to": span.to })),
        "first_position": state.room.first_position,
        "head_position": app.store.head(room).await?,
    }))
}

/// The events as they lie.
async fn raw(
    app: &App,
    state: &RoomState,
    query: PageQuery,
    around: Option<Position>,
) -> Result<(Vec<Value>, Option<Span>), ApiError> {
    let room = state.room.id;
    let page = match around {
        Some(at) => app.store.page_around(room, at, query.since, query.limit).await?,
        None => app.store.page(room, query).await?,
    };
    let item = |event: &StoredEvent| history::item(event, state.room.sealing);
    let events = page.events.iter().map(|event| (event.position, item(event)));
    Ok((in_order(events, &page.damaged), page.covered))
}

/// The messages of an open room as they are now.
async fn folded(
    app: &App,
    room: RoomId,
    query: PageQuery,
    around: Option<Position>,
    viewer: UserId,
) -> Result<(Vec<Value>, Option<Span>), ApiError> {
    let page = match around {
        Some(at) => app.store.views_around(room, at, query.since, query.limit).await?,
        None => app.store.views(room, query).await?,
    };
    let item = |view: &MessageView| history::view(view, Some(viewer), &app.limits);
    let views = page.views.iter().map(|view| (view.event.position, item(view)));
    Ok((in_order(views, &page.damaged), page.covered))
}

/// What reads and what does not, by position.
fn in_order(read: impl Iterator<Item = (Position, Value)>, damaged: &[Span]) -> Vec<Value> {
    let damaged = damaged.iter().map(|span| (span.from, history::damaged(span)));
    let mut all: Vec<_> = read.chain(damaged).collect();
    all.sort_by_key(|(position, _)| *position);
    all.into_iter().map(|(_, item)| item).collect()
}

/// What `POST` takes, and `send_message` on `/api/ws`.
#[derive(Deserialize)]
pub struct NewMessage {
    #[serde(default, with = "hearth_protocol::bytes::option")]
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

/// A message as it is now, with its room.
fn message(app: &App, view: &MessageView, viewer: UserId) -> Value {
    let mut item = history::view(view, Some(viewer), &app.limits);
    item["room_id"] = json!(view.event.room);
    item
}

async fn one(id: EventId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let (state, event) = app.seen_event(id, caller.user).await?;
    if state.is_sealed() {
        let mut item = history::item(&event, state.room.sealing);
        item["room_id"] = json!(event.room);
        return Answer::ok(&item);
    }
    if event.kind.is_effect() {
        return Err(ApiError::not_found("message")
            .hint("an edit, a reaction or a deletion is seen in its message"));
    }
    let view = app.message_now(id).await?;
    Answer::ok(&message(&app, &view, caller.user))
}

/// The new text of a message.
#[derive(Debug, Deserialize)]
struct EditRequest {
    /// Markdown, 1 to 10,000 characters.
    content: String,
}

async fn edit(
    id: EventId,
    app: Arc<App>,
    caller: Caller,
    request: EditRequest,
) -> Result<Answer, ApiError> {
    let view = app.edit_message(caller.user, id, &request.content).await?;
    Answer::ok(&message(&app, &view, caller.user))
}

#[derive(Debug, Deserialize)]
struct EraseRequest {
    /// Why, at most 500 characters; shown beside the message.
    reason: Option<String>,
}

async fn erase(
    id: EventId,
    app: Arc<App>,
    caller: Caller,
    request: EraseRequest,
) -> Result<Answer, ApiError> {
    app.erase_message(caller.user, id, request.reason).await?;
    Answer::nothing()
}

/// The texts that a message had.
#[derive(Debug, Serialize)]
struct EditList {
    /// The first is the message as it was sent, the last its text now.
    edits: Vec<EditView>,
}

/// A text that a message had.
#[derive(Debug, Serialize)]
struct EditView {
    id: EventId,
    position: Position,
    received_at: u64,
    content: Value,
}

async fn edits(id: EventId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let (_, event) = app.seen_in_open_room(id, caller.user).await?;
    if event.kind == EventKind::Erased || !event.kind.is_message() {
        return Err(ApiError::not_found("message").hint("what was erased has no earlier texts"));
    }
    let mut texts = vec![event.clone()];
    texts.extend(app.store.edits(&event).await?);
    let edits = texts.iter().map(|text| EditView {
        id: text.id,
        position: text.position,
        received_at: text.received_at,
        content: history::item(text, Sealing::Open)["content"].take(),
    });
    Answer::ok(&EditList { edits: edits.collect() })
}

#[derive(Debug, Deserialize)]
struct ThreadRequest {
    limit: Option<usize>,
    /// The answers above this place.
    after: Option<String>,
}

/// The answers to a message.
#[derive(Debug, Serialize)]
struct Thread {
    /// What they answer.
    parent: Value,
    /// Ascending positions.
    messages: Vec<Value>,
    /// There are more: ask after the last one.
    more: bool,
}

async fn thread(
    id: EventId,
    app: Arc<App>,
    caller: Caller,
    request: ThreadRequest,
) -> Result<Answer, ApiError> {
    let (_, event) = app.seen_in_open_room(id, caller.user).await?;
    if event.kind.is_effect() {
        return Err(ApiError::not_found("message"));
    }
    let limit = page_limit(&app, request.limit)?;
    let after = place(&app, event.room, request.after.as_deref()).await?.unwrap_or_default();
    let mut views = app.store.replies(event.room, event.position, after, limit + 1).await?;
    let more = views.len() > limit;
    views.truncate(limit);
    let parent = message(&app, &app.message_now(id).await?, caller.user);
    let item = |view| history::view(view, Some(caller.user), &app.limits);
    Answer::ok(&Thread { parent, messages: views.iter().map(item).collect(), more })
}

#[cfg(test)]
mod tests;
