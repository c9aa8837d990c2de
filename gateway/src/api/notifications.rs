//! What a person was alerted to: `/api/notifications`.

use std::sync::Arc;

use hearth_protocol::ids::NotificationId;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, OpenApi, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::entries::{entries_limit, first_within};
use super::extract::{Caller, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::error::ApiError;
use crate::notifications::inbox::{InboxQuery, NotificationView};

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(list, count, read_all, read))]
pub struct Doc;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let list = path!("api" / "notifications")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .and(warp::query())
        .then(list)
        .map(answer);
    let count = path!("api" / "notifications" / "count")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(count)
        .map(answer);
    let read_all = path!("api" / "notifications" / "read-all")
        .and(warp::patch())
        .and(with(app))
        .and(caller(app))
        .then(read_all)
        .map(answer);
    let read = path!("api" / "notifications" / NotificationId / "read")
        .and(warp::patch())
        .and(with(app))
        .and(caller(app))
        .then(read)
        .map(answer);
    list.or(count).unify().or(read_all).unify().or(read).unify().boxed()
}

/// `GET /api/notifications?before=&after=&limit=&unread=`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PageRequest {
    /// The newest before this one.
    before: Option<NotificationId>,
    /// The oldest after this one.
    after: Option<NotificationId>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// `1`: those alone that are not read.
    #[serde(default)]
    #[param(maximum = 1)]
    unread: u8,
}

/// A page of notifications, the newest first.
#[derive(Debug, Serialize, ToSchema)]
struct NotificationPage {
    #[schema(value_type = Vec<NotificationView>)]
    notifications: Vec<Box<RawValue>>,
    /// How many are unread in all.
    unread: usize,
}

/// How many are unread.
#[derive(Debug, Serialize, ToSchema)]
struct UnreadCount {
    unread: usize,
}

/// Gives a page of one's notifications, the newest first.
#[utoipa::path(get, path = "/api/notifications", params(PageRequest),
    responses((status = 200, body = NotificationPage)))]
async fn list(app: Arc<App>, caller: Caller, page: PageRequest) -> Result<Answer, ApiError> {
    let PageRequest { before, after, limit, unread } = page;
    if before.is_some() && after.is_some() {
        return Err(ApiError::invalid("bad_query", "`before` or `after`, not both"));
    }
    if unread > 1 {
        return Err(ApiError::invalid("bad_query", "`unread` is 0 or 1"));
    }
    let limit = entries_limit(&app, limit)?;
    let query = InboxQuery { before, after, unread_only: unread == 1, limit };
    let mut notifications = app.notifications(caller.user, query).await?;
    // What is left out is what the next page begins with: the newest of those after a place.
    if after.is_some() {
        notifications.reverse();
    }
    let mut notifications = first_within(notifications, app.limits.page_bytes_max)?;
    if after.is_some() {
        notifications.reverse();
    }
    let unread = app.unread_notifications(caller.user).await?;
    Answer::ok(&NotificationPage { notifications, unread })
}

/// Counts one's unread notifications.
#[utoipa::path(get, path = "/api/notifications/count",
    responses((status = 200, body = UnreadCount)))]
async fn count(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    Answer::ok(&UnreadCount { unread: app.unread_notifications(caller.user).await? })
}

/// Marks all of one's notifications as read.
#[utoipa::path(patch, path = "/api/notifications/read-all",
    responses((status = 200, body = UnreadCount)))]
async fn read_all(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    Answer::ok(&UnreadCount { unread: app.read_notifications(caller.user, None).await? })
}

/// Marks a notification as read.
#[utoipa::path(patch, path = "/api/notifications/{id}/read",
    responses((status = 200, body = UnreadCount)))]
async fn read(id: NotificationId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    Answer::ok(&UnreadCount { unread: app.read_notifications(caller.user, Some(id)).await? })
}
