//! Grants of plain MQTT topics: `/api/grants`, for those who run the house.

use std::sync::Arc;

use hearth_protocol::grant::Access;
use hearth_protocol::ids::GrantId;
use hearth_protocol::role::HouseAction;
use hearth_store::{Grant, Grantee};
use serde::{Deserialize, Serialize};
use utoipa::OpenApi;
use utoipa::ToSchema;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::error::ApiError;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(list, add, remove))]
pub struct Doc;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let list = path!("api" / "grants")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(list)
        .map(answer);
    let add = path!("api" / "grants")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(add)
        .map(answer);
    let remove = path!("api" / "grants" / GrantId)
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .then(remove)
        .map(answer);
    list.or(add).unify().or(remove).unify().boxed()
}

/// An app token could otherwise give itself what its owner kept from it.
fn check(app: &App, caller: &Caller) -> Result<(), ApiError> {
    caller.login()?;
    app.roles.require(caller.user, HouseAction::ManageGrants)
}

/// Every grant, the oldest first.
#[derive(Serialize, ToSchema)]
struct GrantList {
    grants: Vec<Grant>,
}

/// Lists the grants of plain MQTT topics.
#[utoipa::path(get, path = "/api/grants", responses((status = 200, body = GrantList)))]
async fn list(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    check(&app, &caller)?;
    Answer::ok(&GrantList { grants: app.store.grants().await? })
}

/// A right to the topics under a filter, for a person or a device.
#[derive(Deserialize, ToSchema)]
struct NewGrant {
    #[serde(flatten)]
    to: Grantee,
    filter: String,
    access: Access,
}

/// Grants plain MQTT topics to a person or a device.
#[utoipa::path(post, path = "/api/grants", request_body = NewGrant,
    responses((status = 201, body = Grant)))]
async fn add(app: Arc<App>, caller: Caller, request: NewGrant) -> Result<Answer, ApiError> {
    check(&app, &caller)?;
    let NewGrant { to, filter, access } = request;
    Answer::created(&app.add_grant(to, &filter, access, Some(caller.user)).await?)
}

/// Takes a grant back.
#[utoipa::path(delete, path = "/api/grants/{grant}", responses((status = 204)))]
async fn remove(id: GrantId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    check(&app, &caller)?;
    app.remove_grant(id).await?;
    Answer::nothing()
}
