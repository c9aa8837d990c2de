//! `GET /api/notifications/stream`: one's notifications as they come, as server-sent events (HTML
//! Living Standard §9.2); read through `fetch`, because `EventSource` can send no token.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, stream};
use hearth_protocol::ids::{NotificationId, UserId};
use hearth_protocol::limits::seconds_ms;
use hearth_protocol::principal::Principal;
use hearth_protocol::refusal::Kind;
use hearth_protocol::topic::Topic;
use serde_json::Value;
use tokio::sync::mpsc;
use utoipa::OpenApi;
use warp::filters::BoxedFilter;
use warp::reply::{Reply, Response};
use warp::sse::Event;
use warp::{Filter, path, sse};

use crate::api::extract::{principal, with};
use crate::api::reply::answer;
use crate::app::App;
use crate::error::ApiError;
use crate::feed::seat::{Next, Wants};
use crate::feed::{Item, Listener};
use crate::gate::may_have;
use crate::notifications::inbox::NotificationView;
use crate::ws::connection::notification;

/// Events that are on their way to the socket; the rest waits at the seat.
const UNDER_WAY: usize = 16;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(listen))]
pub struct Doc;

/// Its route.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    path!("api" / "notifications" / "stream")
        .and(warp::get())
        .and(with(app))
        .and(principal(app))
        .and(warp::header::optional::<String>("last-event-id"))
        .then(listen)
        .boxed()
}

/// Tells one's notifications as they come: server-sent events of type `notification`.
#[utoipa::path(get, path = "/api/notifications/stream",
    params(("last-event-id" = Option<NotificationId>, Header,
        description = "The last one that the client has: what came since is told first.")),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
async fn listen(app: Arc<App>, who: Principal, last: Option<String>) -> Response {
    let opened = app.feed.sit(who, Wants::Inbox).and_then(|seat| Ok((seat, read(last)?)));
    match opened {
        Ok((seat, last)) => open(app, seat, last),
        Err(no) => answer(Err(no)),
    }
}

/// The last notification that the client has.
fn read(last: Option<String>) -> Result<Option<NotificationId>, ApiError> {
    match last.filter(|last| !last.is_empty()) {
        Some(last) => Ok(Some(last.parse()?)),
        None => Ok(None),
    }
}

fn open(app: Arc<App>, seat: Listener, last: Option<NotificationId>) -> Response {
    let every = Duration::from_millis(seconds_ms(app.limits.sse_keep_alive_s.max(1)));
    let (events, sent) = mpsc::channel(UNDER_WAY);
    // Ends with its client, its login or the box, whichever comes first.
    tokio::spawn(serve(app, seat, last, events));
    let kept = sse::keep_alive().interval(every).text("here").stream(of(sent));
    let mut response = sse::reply(kept).into_response();
    let never = warp::http::HeaderValue::from_static("no-store");
    response.headers_mut().insert("cache-control", never);
    response
}

fn of(mut events: mpsc::Receiver<Event>) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::poll_fn(move |cx| events.poll_recv(cx).map(|event| event.map(Ok)))
}

/// Sends what came since the last one that the client has, then what comes.
async fn serve(
    app: Arc<App>,
    seat: Listener,
    last: Option<NotificationId>,
    events: mpsc::Sender<Event>,
) {
    let end = tokio::select! {
        end = seat.ended() => format!("{end:?}"),
        () = events.closed() => "the client is gone".to_string(),
        told = tell(&app, &seat, last, &events) => match told {
            Ok(()) => "the client is gone".to_string(),
            Err(ApiError(refusal)) => refusal.to_string(),
        },
    };
    tracing::debug!(who = %seat.who.account(), end, "a stream of notifications ends");
}

async fn tell(
    app: &App,
    seat: &Listener,
    last: Option<NotificationId>,
    events: &mpsc::Sender<Event>,
) -> Result<(), ApiError> {
    let Some(user) = seat.who.user() else { return Ok(()) };
    // What comes while the store is read comes by the seat too.
    let mut known = HashSet::new();
    if let Some(last) = last {
        for notification in missed(app, user, last).await? {
            known.insert(notification.id.to_string());
            let id = notification.id.to_string();
            if events.send(event(&id, &shown(&notification)?)).await.is_err() {
                return Ok(());
            }
        }
    }
    loop {
        let next = seat.next().await;
        if !app.auth.live.holds(&seat.who) || !may_have(app, &seat.who, Topic::Inbox(user)) {
            return Ok(());
        }
        let Next::Item(Item::Inbox(payload)) = next else { continue };
        let Some(notification) = notification(&payload) else { continue };
        let id = notification["id"].as_str().unwrap_or_default().to_string();
        if !known.remove(&id) && events.send(event(&id, &notification)).await.is_err() {
            return Ok(());
        }
    }
}

fn event(id: &str, notification: &Value) -> Event {
    Event::default().event("notification").id(id).data(notification.to_string())
}

/// What came after a notification, the oldest first: at most as many as one keeps.
async fn missed(
    app: &App,
    user: UserId,
    last: NotificationId,
) -> Result<Vec<NotificationView>, ApiError> {
    let (limits, now) = (&app.limits, app.clock.now_ms());
    let (mut missed, mut after) = (vec![], last);
    while missed.len() < limits.notifications_per_user_max {
        let rows = limits.page_entries_max;
        let page = app.store.notifications_after(user, after, rows, now).await?;
        let Some(newest) = page.first() else { break };
        after = newest.id;
        for notification in page.into_iter().rev() {
            missed.push(app.notification_view(notification).await?);
        }
    }
    Ok(missed)
}

/// The same JSON as its doorbell's and the list's.
fn shown(notification: &NotificationView) -> Result<Value, ApiError> {
    serde_json::to_value(notification)
        .map_err(|error| ApiError::new(Kind::Unavailable, "unwritable_answer", error.to_string()))
}

#[cfg(test)]
mod tests;
