//! One message, by its id: `/api/messages/{id}`, its earlier texts, the answers to it.

use std::sync::Arc;

use hearth_protocol::ids::{EventId, Position, UserId};
use hearth_protocol::role::Sealing;
use hearth_store::{EventKind, MessageView, Span};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::{IntoParams, OpenApi, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::entries::{first_within, messages_limit};
use super::extract::{Caller, body, caller, with};
use super::messages::place;
use super::reply::{Answer, answer};
use crate::app::App;
use crate::error::ApiError;
use crate::history::{self, Entry, Item, Keep, MessageItem, fit};

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(one, edit, erase, edits, thread))]
pub struct Doc;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
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
        .and(warp::query())
        .then(edits)
        .map(answer);
    let thread = path!("api" / "messages" / EventId / "thread")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .and(warp::query())
        .then(thread)
        .map(answer);
    one.or(edit).unify().or(erase).unify().or(edits).unify().or(thread).unify().boxed()
}

/// A message as it is now, with its room.
fn message(app: &App, view: &MessageView, viewer: UserId) -> Value {
    Item::now(view, Some(viewer), &app.limits).in_room().value()
}

/// Shows a message as it is now.
#[utoipa::path(get, path = "/api/messages/{message}",
    responses((status = 200, body = MessageItem)))]
async fn one(id: EventId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let (state, event) = app.seen_event(id, caller.user).await?;
    if state.is_sealed() {
        return Answer::ok(&Item::stored(&event, state.room.sealing).in_room());
    }
    if event.kind.is_effect() {
        return Err(ApiError::not_found("message")
            .hint("an edit, a reaction or a deletion is seen in its message"));
    }
    let view = app.message_now(id).await?;
    Answer::ok(&message(&app, &view, caller.user))
}

/// The new text of a message.
#[derive(Debug, Deserialize, ToSchema)]
struct EditRequest {
    /// Markdown, 1 to 10,000 characters.
    content: String,
}

/// Gives a message of one's own another text.
#[utoipa::path(put, path = "/api/messages/{message}", request_body = EditRequest,
    responses((status = 200, body = MessageItem)))]
async fn edit(
    id: EventId,
    app: Arc<App>,
    caller: Caller,
    request: EditRequest,
) -> Result<Answer, ApiError> {
    let view = app.edit_message(caller.user, id, &request.content).await?;
    Answer::ok(&message(&app, &view, caller.user))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EraseRequest {
    /// Why, at most 500 characters; shown beside the message.
    reason: Option<String>,
}

/// Erases a message.
#[utoipa::path(delete, path = "/api/messages/{message}", params(EraseRequest),
    responses((status = 204)))]
async fn erase(
    id: EventId,
    app: Arc<App>,
    caller: Caller,
    request: EraseRequest,
) -> Result<Answer, ApiError> {
    app.erase_message(caller.user, id, request.reason).await?;
    Answer::nothing()
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EditsRequest {
    /// Those above this position.
    #[serde(default)]
    #[param(value_type = Option<u64>)]
    after: Position,
}

/// Texts that a message had.
#[derive(Debug, Serialize, ToSchema)]
struct EditList {
    /// The very first is the message as it was sent, the very last its text now.
    #[schema(value_type = Vec<EditView>)]
    edits: Vec<Box<RawValue>>,
    /// There are more: ask after the last one.
    more: bool,
}

/// A text that a message had.
#[derive(Debug, Serialize, ToSchema)]
struct EditView {
    id: EventId,
    position: Position,
    /// ms since 1970.
    received_at: u64,
    #[schema(value_type = Option<String>)]
    content: Value,
}

/// Lists the texts that a message had, as many as fit into an answer.
#[utoipa::path(get, path = "/api/messages/{message}/edits", params(EditsRequest),
    responses((status = 200, body = EditList)))]
async fn edits(
    id: EventId,
    app: Arc<App>,
    caller: Caller,
    request: EditsRequest,
) -> Result<Answer, ApiError> {
    let (_, event) = app.seen_in_open_room(id, caller.user).await?;
    if event.kind == EventKind::Erased || !event.kind.is_message() {
        return Err(ApiError::not_found("message").hint("what was erased has no earlier texts"));
    }
    let mut texts = vec![event.clone()];
    texts.extend(app.store.edits(&event).await?);
    texts.retain(|text| text.position > request.after);
    let views = texts.iter().map(|text| EditView {
        id: text.id,
        position: text.position,
        received_at: text.received_at,
        content: history::item(text, Sealing::Open)["content"].take(),
    });
    let edits = first_within(views, app.limits.page_bytes_max)?;
    let more = edits.len() < texts.len();
    Answer::ok(&EditList { edits, more })
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ThreadRequest {
    /// How many at most.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// The answers above this place.
    after: Option<String>,
}

/// The answers to a message.
#[derive(Debug, Serialize, ToSchema)]
struct Thread {
    /// What they answer.
    #[schema(value_type = MessageItem)]
    parent: Value,
    /// Ascending positions.
    #[schema(value_type = Vec<MessageItem>)]
    messages: Vec<Box<RawValue>>,
    /// There are more: ask after the last one.
    more: bool,
}

/// Gives a page of the answers to a message.
#[utoipa::path(get, path = "/api/messages/{message}/thread", params(ThreadRequest),
    responses((status = 200, body = Thread)))]
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
    let limit = messages_limit(&app, request.limit)?;
    let after = place(&app, event.room, request.after.as_deref()).await?.unwrap_or_default();
    let mut views = app.store.replies(event.room, event.position, after, limit + 1).await?;
    let mut more = views.len() > limit;
    views.truncate(limit);
    let parent = message(&app, &app.message_now(id).await?, caller.user);
    let entry = |view: &MessageView| {
        let span = Span { from: view.event.position, to: view.event.position };
        let json = Item::now(view, Some(caller.user), &app.limits).raw()?;
        Ok::<_, ApiError>(Entry { span, json })
    };
    let entries = views.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    let (messages, _) = fit(entries, None, Keep::First, app.limits.page_bytes_max);
    more |= messages.len() < views.len();
    Answer::ok(&Thread { parent, messages, more })
}
