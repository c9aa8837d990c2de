//! The set-up of the house: `/api/setup`, once.

use std::sync::Arc;

use serde_json::json;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{body, with};
use super::reply::{Answer, answer};
use crate::accounts::SetUp;
use crate::app::App;
use crate::error::ApiError;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let needed = path!("api" / "setup").and(warp::get()).and(with(app)).then(needed).map(answer);
    let set_up = path!("api" / "setup")
        .and(warp::post())
        .and(with(app))
        .and(body(app))
        .then(set_up)
        .map(answer);
    needed.or(set_up).unify().boxed()
}

async fn needed(app: Arc<App>) -> Result<Answer, ApiError> {
    let (needed, settings) = (app.needs_set_up().await?, app.store.settings().await?);
    Answer::ok(&json!({ "needed": needed, "registration": settings.registration }))
}

async fn set_up(app: Arc<App>, request: SetUp) -> Result<Answer, ApiError> {
    Answer::created(&app.set_up(request).await?)
}
