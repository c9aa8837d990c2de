//! What the house is called: `/api/settings`.

use std::sync::Arc;

use serde::Serialize;
use utoipa::OpenApi;
use utoipa::ToSchema;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::error::ApiError;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(settings))]
pub struct Doc;

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

/// What everyone may know of the house.
#[derive(Serialize, ToSchema)]
struct SettingsView {
    /// What it is called.
    house: String,
}

/// Tells what the house is called.
#[utoipa::path(get, path = "/api/settings", responses((status = 200, body = SettingsView)))]
async fn settings(app: Arc<App>, _caller: Caller) -> Result<Answer, ApiError> {
    Answer::ok(&SettingsView { house: app.house_name().await? })
}
