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
mod tests {
    use bytes::Bytes;
    use hearth_protocol::ids::RoomId;
    use hearth_protocol::limits::Limits;
    use hearth_protocol::role::HouseRole;
    use hearth_store::{Edit, Notification, NotificationKind};
    use serde_json::json;
    use tokio::task::JoinHandle;

    use super::*;
    use crate::testing::{BEGINS_MS, House, Person};

    const ROOM: RoomId = RoomId::from_bytes([3; 16]);

    fn alert(to: &Person, number: u8) -> Notification {
        let created_at = BEGINS_MS + u64::from(number);
        Notification {
            id: NotificationId::new(created_at, [number; 10]),
            recipient: to.id,
            kind: NotificationKind::Mention,
            room: ROOM,
            event: None,
            position: None,
            by: None,
            created_at,
            read: false,
        }
    }

    async fn view(house: &House, alert: &Notification) -> Value {
        shown(&house.app.notification_view(alert.clone()).await.unwrap()).unwrap()
    }

    /// Stores a notification and rings.
    async fn ring(house: &House, to: &Person, number: u8) -> Notification {
        let alert = alert(to, number);
        house.change(vec![Edit::PutNotification(alert.clone())]).await;
        let view = view(house, &alert).await;
        let bell = json!({ "type": "notification", "notification": view }).to_string();
        house.app.broker.publish(&Topic::Inbox(to.id), bell.into(), false);
        alert
    }

    /// The stream as it stands when it has ended.
    fn stream(
        house: &House,
        who: &Person,
        last: Option<&str>,
    ) -> JoinHandle<(u16, String, String)> {
        let mut request = warp::test::request()
            .path("/api/notifications/stream")
            .header("authorization", format!("Bearer {}", who.token));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let routes = house.routes.clone();
        tokio::spawn(async move {
            let response = request.reply(&routes).await;
            let kind = response.headers()["content-type"].to_str().unwrap().to_string();
            let text = String::from_utf8(response.body().to_vec()).unwrap();
            (response.status().as_u16(), kind, text)
        })
    }

    /// Lets everything else go on until so many listen.
    async fn listening(house: &House, count: usize) {
        while house.app.feed.listeners() != count {
            tokio::task::yield_now().await;
        }
    }

    /// Ids and data of the events in a stream.
    fn events(text: &str) -> Vec<(String, Value)> {
        let mut events = vec![];
        for event in text.split("\n\n").filter(|event| event.contains("data:")) {
            let field =
                |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            assert_eq!(field("event:"), "notification");
            events.push((field("id:").to_string(), serde_json::from_str(field("data:")).unwrap()));
        }
        events
    }

    #[tokio::test]
    async fn what_comes_is_told_with_its_id_until_the_login_ends() {
        let house = House::new().await;
        let anna = house.person("anna", HouseRole::Owner).await;
        let ben = house.person("ben", HouseRole::Member).await;
        let reading = stream(&house, &anna, None);
        listening(&house, 1).await;
        // Other doorbells, and other people's, are not for this stream.
        let refused = Bytes::from_static(br#"{"type":"refused"}"#);
        house.app.broker.publish(&Topic::Inbox(anna.id), refused, false);
        ring(&house, &ben, 1).await;
        let alert = ring(&house, &anna, 2).await;
        // The link hands on one after the other.
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        house.change(vec![Edit::RemoveSession(anna.session)]).await;
        let (status, kind, text) = reading.await.unwrap();
        assert_eq!((status, kind.as_str()), (200, "text/event-stream"));
        let expected = vec![(alert.id.to_string(), view(&house, &alert).await)];
        assert_eq!(events(&text), expected);
        listening(&house, 0).await;
    }

    #[tokio::test]
    async fn who_comes_back_gets_what_came_after_the_last_one_and_nothing_twice() {
        let limits = Limits { page_entries_max: 3, ..Limits::default() };
        let house = House::with(limits).await;
        let anna = house.person("anna", HouseRole::Owner).await;
        let mut all = vec![];
        for number in 1..=9 {
            all.push(ring(&house, &anna, number).await.id.to_string());
        }
        for known in [0, 1, 3, 6, 8, 9] {
            let before = NotificationId::lowest(BEGINS_MS).to_string();
            let last = if known == 0 { before } else { all[known - 1].clone() };
            let reading = stream(&house, &anna, Some(&last));
            listening(&house, 1).await;
            // Rung once more while it is replayed: it is the same one.
            let alert = alert(&anna, 9);
            let view = house.app.notification_view(alert.clone()).await.unwrap();
            let bell = json!({ "type": "notification", "notification": view }).to_string();
            if known < 9 {
                house.app.broker.publish(&Topic::Inbox(anna.id), bell.into(), false);
            }
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
            house.app.feed.end(|_| true, crate::feed::seat::End::Disconnected);
            let (_, _, text) = reading.await.unwrap();
            let ids: Vec<_> = events(&text).into_iter().map(|(id, _)| id).collect();
            assert_eq!(ids, all[known..], "after {known}");
            listening(&house, 0).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_shows_a_sign_of_life_every_fifteen_seconds() {
        let house = House::new().await;
        let anna = house.person("anna", HouseRole::Owner).await;
        let reading = stream(&house, &anna, None);
        listening(&house, 1).await;
        tokio::time::sleep(Duration::from_secs(46)).await;
        house.app.feed.close().await;
        let (_, _, text) = reading.await.unwrap();
        assert_eq!(text.matches(":here\n").count(), 3, "{text:?}");
    }

    #[tokio::test]
    async fn who_may_not_listen_is_told_so() {
        let house =
            House::with(Limits { listeners_per_identity_max: 1, ..Limits::default() }).await;
        let anna = house.person("anna", HouseRole::Owner).await;
        let path = "/api/notifications/stream";
        assert_eq!(house.call("GET", path, None, Value::Null).await.code(), "sign_in");
        assert_eq!(stream(&house, &anna, Some("x")).await.unwrap().0, 400);
        let reading = stream(&house, &anna, None);
        listening(&house, 1).await;
        assert_eq!(house.get(path, &anna).await.status, 429);
        house.app.feed.close().await;
        reading.await.unwrap();
        assert_eq!(house.get(path, &anna).await.code(), "stopping");
    }
}
