//! Grants of plain MQTT topics: `/api/grants`, for those who run the house.

use std::sync::Arc;

use hearth_protocol::grant::Access;
use hearth_protocol::ids::GrantId;
use hearth_protocol::role::HouseAction;
use hearth_store::Grantee;
use serde::Deserialize;
use serde_json::json;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::error::ApiError;

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

async fn list(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    check(&app, &caller)?;
    Answer::ok(&json!({ "grants": app.store.grants().await? }))
}

#[derive(Deserialize)]
struct AddRequest {
    #[serde(flatten)]
    to: Grantee,
    filter: String,
    access: Access,
}

async fn add(app: Arc<App>, caller: Caller, request: AddRequest) -> Result<Answer, ApiError> {
    check(&app, &caller)?;
    let AddRequest { to, filter, access } = request;
    Answer::created(&app.add_grant(to, &filter, access, Some(caller.user)).await?)
}

async fn remove(id: GrantId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    check(&app, &caller)?;
    app.remove_grant(id, Some(caller.user)).await?;
    Answer::nothing()
}
