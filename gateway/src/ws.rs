//! `/api/ws`: what happens in the house as JSON, for clients without MQTT (seed 004 @API).
//!
//! - [`event`]: what clients and the box say
//! - [`render`]: a stored event as clients hear it
//! - [`connection`]: one client, from its first event to its last; its [`room`]s and [`pace`]
//! - [`socket`]: the frames below

pub mod connection;
pub mod event;
pub mod pace;
pub mod render;
pub mod room;
pub mod socket;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use hearth_protocol::refusal::Kind;
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, HeaderValue};
use warp::reply::{Reply, Response};
use warp::ws::Ws;
use warp::{Filter, path};

use crate::api::extract::{person, with};
use crate::api::reply::answer;
use crate::app::App;
use crate::error::ApiError;
use crate::feed::Listener;
use crate::feed::seat::Wants;
use connection::Connection;
use socket::Frames;

/// The subprotocol that is spoken here.
const PROTOCOL: &str = "hearth.v1";
/// What stands before the token among the subprotocols: browsers can send no header.
const BEARER: &str = "bearer.";

/// Its route.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    path!("api" / "ws")
        .and(warp::ws())
        .and(warp::header::headers_cloned())
        .and(with(app))
        .then(|ws: Ws, headers: HeaderMap, app: Arc<App>| async move {
            match admit(&app, &headers).await {
                Ok(seat) => open(ws, app, seat),
                Err(no) => answer(Err(no)),
            }
        })
        .boxed()
}

/// Who it is, and a seat for them.
async fn admit(app: &Arc<App>, headers: &HeaderMap) -> Result<Listener, ApiError> {
    // The header may come more than once (RFC 6455 §11.3.4).
    let lists = headers.get_all("sec-websocket-protocol").iter();
    let offers: Vec<&str> = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .collect();
    if !offers.contains(&PROTOCOL) {
        let message = format!("a WebSocket here offers the subprotocol `{PROTOCOL}`");
        return Err(ApiError::invalid("no_subprotocol", message)
            .hint("offer `hearth.v1` and `bearer.TOKEN`"));
    }
    let token = offers.iter().find_map(|offer| offer.strip_prefix(BEARER)).ok_or_else(|| {
        ApiError::new(Kind::Unauthenticated, "sign_in", "this needs a token")
            .hint("offer the subprotocol `bearer.TOKEN`; POST /api/auth/login gives one")
    })?;
    app.feed.sit(person(app, token).await?, Wants::Everything)
}

fn open(ws: Ws, app: Arc<App>, seat: Listener) -> Response {
    // A frame that is a little too large is answered, and the connection goes on.
    let max = app.limits.ws_frame_bytes_max.saturating_mul(2);
    let upgraded = ws.max_message_size(max).max_frame_size(max).on_upgrade(|socket| async move {
        // Whom `person` let in is one.
        if let Some(connection) = Connection::new(app, seat) {
            connection.run(Frames(socket)).await;
        }
    });
    let mut response = upgraded.into_response();
    let protocol = HeaderValue::from_static(PROTOCOL);
    response.headers_mut().insert("sec-websocket-protocol", protocol);
    response
}
