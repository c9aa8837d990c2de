//! What the house is called: `/api/settings`.

use std::sync::Arc;

use serde_json::json;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::error::ApiError;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    path!("api" / "settings")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(settings)
        .map(answer)
        .boxed()
}

async fn settings(app: Arc<App>, _caller: Caller) -> Result<Answer, ApiError> {
    Answer::ok(&json!({ "house": app.house_name().await? }))
}
