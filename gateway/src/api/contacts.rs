//! Whom a person keeps, and who asks to be kept: `/api/contacts`.

use std::sync::Arc;

use hearth_protocol::ids::UserId;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use super::users::UserView;
use crate::app::App;
use crate::contacts::{ContactState, Tie};
use crate::error::ApiError;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(list, one, put, remove))]
pub struct Doc;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let list = path!("api" / "contacts")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(list)
        .map(answer);
    let one = path!("api" / "contacts" / UserId)
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(one)
        .map(answer);
    let put = path!("api" / "contacts" / UserId)
        .and(warp::put())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(put)
        .map(answer);
    let remove = path!("api" / "contacts" / UserId)
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .then(remove)
        .map(answer);
    list.or(one).unify().or(put).unify().or(remove).unify().boxed()
}

/// Somebody who is kept, asked or asks.
#[derive(Debug, Serialize, ToSchema)]
struct ContactView {
    user: UserView,
    state: ContactState,
    /// ms since 1970.
    since: u64,
    /// One's own note; the other does not see it.
    note: String,
}

/// `GET /api/contacts`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Contacts {
    contacts: Vec<ContactView>,
}

impl Contacts {
    /// Those of a person, and who asks to be one.
    pub async fn of(app: &App, user: UserId) -> Result<Self, ApiError> {
        let mut contacts = vec![];
        for tie in app.ties(user).await? {
            contacts.extend(view(app, user, tie).await?);
        }
        Ok(Self { contacts })
    }
}

/// `PUT /api/contacts/{user}`.
#[derive(Debug, Deserialize, ToSchema)]
struct Keep {
    #[serde(default)]
    note: String,
}

async fn view(app: &App, viewer: UserId, tie: Tie) -> Result<Option<ContactView>, ApiError> {
    let Tie { other, state, since, note } = tie;
    let user = app.store.user(other).await?;
    let seen = |user| ContactView { user: app.seen_by(viewer, user), state, since, note };
    Ok(user.map(seen))
}

/// Lists one's contacts, and who asks to be one.
#[utoipa::path(get, path = "/api/contacts", responses((status = 200, body = Contacts)))]
async fn list(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    Answer::ok(&Contacts::of(&app, caller.user).await?)
}

async fn answer_with(app: &App, viewer: UserId, tie: Option<Tie>) -> Result<Answer, ApiError> {
    let missing = || ApiError::not_found("contact");
    Answer::ok(&view(app, viewer, tie.ok_or_else(missing)?).await?.ok_or_else(missing)?)
}

/// Shows what somebody is to one.
#[utoipa::path(get, path = "/api/contacts/{user}", responses((status = 200, body = ContactView)))]
async fn one(other: UserId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let tie = app.tie(caller.user, other).await?;
    answer_with(&app, caller.user, tie).await
}

/// Asks somebody, accepts who asks, or changes one's note.
#[utoipa::path(put, path = "/api/contacts/{user}", request_body = Keep,
    responses((status = 200, body = ContactView)))]
async fn put(
    other: UserId,
    app: Arc<App>,
    caller: Caller,
    request: Keep,
) -> Result<Answer, ApiError> {
    let tie = app.keep(caller.user, other, &request.note).await?;
    answer_with(&app, caller.user, Some(tie)).await
}

/// Ends a contact, or what was asked.
#[utoipa::path(delete, path = "/api/contacts/{user}", responses((status = 204)))]
async fn remove(other: UserId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    app.part(caller.user, other).await?;
    Answer::nothing()
}
