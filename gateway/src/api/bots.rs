//! Accounts of programs, and their tokens: `/api/bots`.

use std::sync::Arc;

use hearth_protocol::ids::{TokenId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::auth::{NewToken, TokenList, TokenMade};
use super::extract::{Caller, body, caller, with};
use super::people::AccountView;
use super::reply::{Answer, answer};
use crate::app::App;
use crate::bots::NewBot;
use crate::error::ApiError;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(make, tokens, make_token, end_token))]
pub struct Doc;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let make = path!("api" / "bots")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(make)
        .map(answer);
    let tokens = path!("api" / "bots" / UserId / "tokens")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(tokens)
        .map(answer);
    let make_token = path!("api" / "bots" / UserId / "tokens")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(make_token)
        .map(answer);
    let end_token = path!("api" / "bots" / UserId / "tokens" / TokenId)
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .then(end_token)
        .map(answer);
    make.or(tokens).unify().or(make_token).unify().or(end_token).unify().boxed()
}

/// A bot with its first token.
#[derive(Serialize, ToSchema)]
struct MadeBot {
    user: AccountView,
    #[serde(flatten)]
    token: TokenMade,
}

/// Makes a bot and its first token, whose text is told this once.
#[utoipa::path(post, path = "/api/bots", request_body = BotRequest,
    responses((status = 201, body = MadeBot)))]
async fn make(app: Arc<App>, caller: Caller, new: BotRequest) -> Result<Answer, ApiError> {
    caller.login()?;
    let (label, scope) = new.token.checked(&app)?;
    let bot = NewBot { name: new.name, display_name: new.display_name, label, scope };
    let (user, token, text) = app.make_bot(caller.user, bot).await?;
    Answer::created(&MadeBot { user: user.into(), token: TokenMade::new(token, text) })
}

/// A bot to be, and its first token.
#[derive(Deserialize, ToSchema)]
struct BotRequest {
    name: String,
    display_name: Option<String>,
    token: NewToken,
}

/// Lists the tokens of a bot.
#[utoipa::path(get, path = "/api/bots/{user}/tokens", responses((status = 200, body = TokenList)))]
async fn tokens(id: UserId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    caller.login()?;
    let bot = app.require_bot(caller.user, id).await?;
    Answer::ok(&TokenList::from(app.store.tokens_of(bot.id).await?))
}

/// Makes a token for a bot; its text is told this once.
#[utoipa::path(post, path = "/api/bots/{user}/tokens", request_body = NewToken,
    responses((status = 201, body = TokenMade)))]
async fn make_token(
    id: UserId,
    app: Arc<App>,
    caller: Caller,
    new: NewToken,
) -> Result<Answer, ApiError> {
    caller.login()?;
    let (label, scope) = new.checked(&app)?;
    let (token, text) = app.make_bot_token(caller.user, id, &label, scope).await?;
    Answer::created(&TokenMade::new(token, text))
}

/// Ends a token of a bot.
#[utoipa::path(delete, path = "/api/bots/{user}/tokens/{token}", responses((status = 204)))]
async fn end_token(
    id: UserId,
    token: TokenId,
    app: Arc<App>,
    caller: Caller,
) -> Result<Answer, ApiError> {
    caller.login()?;
    app.end_bot_token(caller.user, id, token).await?;
    Answer::nothing()
}
