//! Reactions: `/api/messages/{id}/reactions`.

use std::sync::Arc;

use hearth_protocol::ids::{EventId, UserId};
use hearth_store::Reacted;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, Decoded, body, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::error::ApiError;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(list, add, remove))]
pub struct Doc;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let list = path!("api" / "messages" / EventId / "reactions")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(list)
        .map(answer);
    let add = path!("api" / "messages" / EventId / "reactions")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(add)
        .map(answer);
    let remove = path!("api" / "messages" / EventId / "reactions" / Decoded)
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .then(remove)
        .map(answer);
    list.or(add).unify().or(remove).unify().boxed()
}

/// All reactions to a message, by emoji in the order in which each came first.
#[derive(Debug, Serialize, ToSchema)]
struct ReactionList {
    reactions: Vec<ReactionView>,
}

/// Everybody's reaction with one emoji.
#[derive(Debug, Serialize, ToSchema)]
struct ReactionView {
    /// Without U+FE0F.
    emoji: String,
    count: usize,
    /// The first first.
    users: Vec<Reactor>,
}

/// Somebody who reacted.
#[derive(Debug, Serialize, ToSchema)]
struct Reactor {
    user: UserId,
    /// ms since 1970.
    at: u64,
}

impl ReactionList {
    async fn of(app: &App, id: EventId, user: UserId) -> Result<Self, ApiError> {
        let view = |Reacted { emoji, by }: Reacted| ReactionView {
            emoji,
            count: by.len(),
            users: by.into_iter().map(|(user, at)| Reactor { user, at }).collect(),
        };
        let reactions = app.reactions(user, id).await?;
        Ok(Self { reactions: reactions.into_iter().map(view).collect() })
    }
}

/// Lists the reactions to a message.
#[utoipa::path(get, path = "/api/messages/{message}/reactions",
    responses((status = 200, body = ReactionList)))]
async fn list(id: EventId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    Answer::ok(&ReactionList::of(&app, id, caller.user).await?)
}

/// A reaction to be.
#[derive(Debug, Deserialize, ToSchema)]
struct NewReaction {
    /// One emoji; U+FE0F in it makes no difference.
    emoji: String,
}

/// Reacts to a message; 200 if one had.
#[utoipa::path(post, path = "/api/messages/{message}/reactions", request_body = NewReaction,
    responses((status = 200, body = ReactionList), (status = 201, body = ReactionList)))]
async fn add(
    id: EventId,
    app: Arc<App>,
    caller: Caller,
    request: NewReaction,
) -> Result<Answer, ApiError> {
    let is_new = app.react(caller.user, id, &request.emoji, true).await?;
    let list = ReactionList::of(&app, id, caller.user).await?;
    if is_new { Answer::created(&list) } else { Answer::ok(&list) }
}

/// Takes a reaction back.
#[utoipa::path(delete, path = "/api/messages/{message}/reactions/{emoji}",
    responses((status = 204)))]
async fn remove(
    id: EventId,
    Decoded(emoji): Decoded,
    app: Arc<App>,
    caller: Caller,
) -> Result<Answer, ApiError> {
    if app.react(caller.user, id, &emoji, false).await? {
        return Answer::nothing();
    }
    Err(ApiError::not_found("reaction of yours"))
}
