//! What a person was alerted to: `/api/notifications`.

use std::sync::Arc;

use hearth_protocol::ids::NotificationId;
use serde::{Deserialize, Serialize};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, caller, page_limit, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::error::ApiError;
use crate::notifications::inbox::{InboxQuery, NotificationView};

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
#[derive(Debug, Deserialize)]
struct PageRequest {
    before: Option<NotificationId>,
    after: Option<NotificationId>,
    limit: Option<usize>,
    /// `1`: those alone that are not read.
    #[serde(default)]
    unread: u8,
}

/// A page of notifications, the newest first.
#[derive(Debug, Serialize)]
struct Page {
    notifications: Vec<NotificationView>,
    /// How many are unread in all.
    unread: usize,
}

/// How many are unread.
#[derive(Debug, Serialize)]
struct Count {
    unread: usize,
}

async fn list(app: Arc<App>, caller: Caller, page: PageRequest) -> Result<Answer, ApiError> {
    let PageRequest { before, after, limit, unread } = page;
    if before.is_some() && after.is_some() {
        return Err(ApiError::invalid("bad_query", "`before` or `after`, not both"));
    }
    let limit = page_limit(&app, limit)?;
    let query = InboxQuery { before, after, unread_only: unread == 1, limit };
    let notifications = app.notifications(caller.user, query).await?;
    let unread = app.unread_notifications(caller.user).await?;
    Answer::ok(&Page { notifications, unread })
}

async fn count(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    Answer::ok(&Count { unread: app.unread_notifications(caller.user).await? })
}

async fn read_all(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    Answer::ok(&Count { unread: app.read_notifications(caller.user, None).await? })
}

async fn read(id: NotificationId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    Answer::ok(&Count { unread: app.read_notifications(caller.user, Some(id)).await? })
}
