//! The set-up of the house: `/api/setup`, once.

use std::sync::Arc;

use hearth_store::Registration;
use serde::Serialize;
use utoipa::OpenApi;
use utoipa::ToSchema;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{new_body, with};
use super::reply::{Answer, answer};
use crate::accounts::SetUp;
use crate::app::App;
use crate::auth::SessionReply;
use crate::error::ApiError;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(needed, set_up))]
pub struct Doc;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let needed = path!("api" / "setup").and(warp::get()).and(with(app)).then(needed).map(answer);
    let set_up = path!("api" / "setup")
        .and(warp::post())
        .and(with(app))
        .and(new_body(app))
        .then(set_up)
        .map(answer);
    needed.or(set_up).unify().boxed()
}

/// Whether the house is still to be set up, and who may make an account.
#[derive(Serialize, ToSchema)]
struct Needed {
    needed: bool,
    registration: Registration,
}

/// Tells whether nobody lives here yet.
#[utoipa::path(get, path = "/api/setup", security(()), responses((status = 200, body = Needed)))]
async fn needed(app: Arc<App>) -> Result<Answer, ApiError> {
    let (needed, settings) = (app.needs_set_up().await?, app.store.settings().await?);
    Answer::ok(&Needed { needed, registration: settings.registration })
}

/// Sets the house up: the first account, its keys and the general room.
#[utoipa::path(post, path = "/api/setup", security(()), request_body = SetUp,
    responses((status = 201, body = SessionReply)))]
async fn set_up(app: Arc<App>, request: SetUp) -> Result<Answer, ApiError> {
    Answer::created(&app.set_up(request).await?)
}
