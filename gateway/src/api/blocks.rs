//! Whom a person does not want to hear from: `/api/blocks`.

use std::sync::Arc;

use hearth_protocol::ids::UserId;
use hearth_store::Block;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, caller, with};
use super::reply::{Answer, answer};
use super::users::UserView;
use crate::app::App;
use crate::error::ApiError;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(list, one, put, remove))]
pub struct Doc;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let list = path!("api" / "blocks")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(list)
        .map(answer);
    let one = path!("api" / "blocks" / UserId)
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(one)
        .map(answer);
    let put = path!("api" / "blocks" / UserId)
        .and(warp::put())
        .and(with(app))
        .and(caller(app))
        .then(put)
        .map(answer);
    let remove = path!("api" / "blocks" / UserId)
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .then(remove)
        .map(answer);
    list.or(one).unify().or(put).unify().or(remove).unify().boxed()
}

/// Somebody who is blocked.
#[derive(Debug, Serialize, ToSchema)]
struct BlockView {
    /// Whom.
    user: UserView,
    /// ms since 1970.
    since: u64,
}

/// `GET /api/blocks`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Blocks {
    blocks: Vec<BlockView>,
}

impl Blocks {
    /// Those of a person.
    pub async fn of(app: &App, user: UserId) -> Result<Self, ApiError> {
        let mut blocks = vec![];
        for block in app.store.blocks(user).await? {
            blocks.extend(view(app, block).await?);
        }
        Ok(Self { blocks })
    }
}

async fn view(app: &App, block: Block) -> Result<Option<BlockView>, ApiError> {
    let user = app.store.user(block.other).await?;
    let seen = |user| BlockView { user: app.seen_by(block.user, user), since: block.since };
    Ok(user.map(seen))
}

/// Lists whom one blocks.
#[utoipa::path(get, path = "/api/blocks", responses((status = 200, body = Blocks)))]
async fn list(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    Answer::ok(&Blocks::of(&app, caller.user).await?)
}

/// Shows whether one blocks somebody.
#[utoipa::path(get, path = "/api/blocks/{user}", responses((status = 200, body = BlockView)))]
async fn one(other: UserId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let blocks = app.store.blocks(caller.user).await?;
    let found = blocks.into_iter().find(|block| block.other == other);
    let missing = || ApiError::not_found("block");
    Answer::ok(&view(&app, found.ok_or_else(missing)?).await?.ok_or_else(missing)?)
}

/// Blocks somebody.
#[utoipa::path(put, path = "/api/blocks/{user}", responses((status = 204)))]
async fn put(other: UserId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    app.block(caller.user, other).await?;
    Answer::nothing()
}

/// Blocks somebody no more.
#[utoipa::path(delete, path = "/api/blocks/{user}", responses((status = 204)))]
async fn remove(other: UserId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    app.unblock(caller.user, other).await?;
    Answer::nothing()
}
