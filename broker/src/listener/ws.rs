//! MQTT over WebSocket (MQTT 5 §6), for a broker without an HTTP server in front.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout_at;
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::hub::Hub;
use crate::session;
use crate::ws::{Frames, PROTOCOL, offers_mqtt, tungstenite};

/// Accepts until the broker closes.
pub(crate) async fn listen(hub: &Arc<Hub>, listener: TcpListener) {
    while let Some((stream, peer)) = super::tcp::accept(hub, &listener).await {
        let connection = serve(Arc::clone(hub), stream, peer);
        hub.tasks.spawn(connection);
    }
}

async fn serve(hub: Arc<Hub>, stream: TcpStream, peer: SocketAddr) {
    let Some(place) = hub.bounds.enter(peer) else {
        return tracing::debug!(%peer, "closed: too many connections");
    };
    let until = session::connect_by(&hub);
    // A frame may hold any piece of the MQTT stream: none larger than the largest packet is needed.
    let bytes = hub.limits.packet_bytes_max;
    let config =
        WebSocketConfig::default().max_message_size(Some(bytes)).max_frame_size(Some(bytes));
    let handshake = accept_hdr_async_with_config(stream, choose, Some(config));
    let handshake = timeout_at(until, handshake);
    match hub.closing.run_until_cancelled(handshake).await {
        Some(Ok(Ok(socket))) => {
            let io = Frames::new(tungstenite(socket));
            session::run_counted(hub, io, peer, place, until).await;
        }
        Some(Ok(Err(cause))) => tracing::debug!(%peer, %cause, "no WebSocket"),
        Some(Err(_)) => tracing::debug!(%peer, "no WebSocket handshake in time"),
        None => {}
    }
}

/// Takes the subprotocol `mqtt`, and nothing without it.
#[expect(clippy::result_large_err, reason = "the library's own callback type")]
fn choose(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let mut offered = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    if offered.any(|value| offers_mqtt(value.to_str().ok())) {
        let chosen = HeaderValue::from_static(PROTOCOL);
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, chosen);
        return Ok(response);
    }
    let mut refusal = ErrorResponse::new(Some("the subprotocol is mqtt".to_string()));
    *refusal.status_mut() = StatusCode::BAD_REQUEST;
    Err(refusal)
}
