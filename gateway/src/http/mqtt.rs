//! MQTT over WebSocket: `/mqtt`.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use hearth_broker::ws::{Frames, offers_mqtt};
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, HeaderValue};
use warp::reply::{Reply, Response};
use warp::ws::{Message, WebSocket, Ws};
use warp::{Filter, path};

use crate::api::extract::{Peer, with};
use crate::api::reply::answer;
use crate::app::App;
use crate::error::ApiError;

/// Its route.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    path!("mqtt")
        .and(warp::ws())
        .and(warp::header::headers_cloned())
        .and(with(app))
        .and(warp::ext::optional::<Peer>())
        .map(mqtt_socket)
        .boxed()
}

/// MQTT over WebSocket (MQTT 5 §6): binary frames, subprotocol `mqtt`.
fn mqtt_socket(ws: Ws, headers: HeaderMap, app: Arc<App>, peer: Option<Peer>) -> Response {
    // The header may come more than once (RFC 6455 §11.3.4).
    let mut offers = headers.get_all("sec-websocket-protocol").iter();
    if !offers.any(|list| offers_mqtt(list.to_str().ok())) {
        let message = "a WebSocket here offers the subprotocol `mqtt`";
        return answer(Err(ApiError::invalid("no_subprotocol", message)));
    }
    let peer = peer.map_or_else(|| ([127, 0, 0, 1], 0).into(), |Peer(address)| address);
    let max = app.limits.packet_bytes_max;
    let upgraded =
        ws.max_message_size(max).max_frame_size(max).on_upgrade(move |socket| async move {
            app.broker.attach(Frames::new(Binary(socket)), peer).await;
        });
    let mut response = upgraded.into_response();
    let protocol = HeaderValue::from_static("mqtt");
    response.headers_mut().insert("sec-websocket-protocol", protocol);
    response
}

/// "Cannot accept this type of data" (RFC 6455 §7.4.1).
const UNSUPPORTED_DATA: u16 = 1003;

/// The binary frames of a WebSocket; pings and a close are answered below.
struct Binary(WebSocket);

impl Binary {
    /// Says why the connection ends; whoever does not read is not waited for.
    fn refuse(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), warp::Error>> {
        ready!(self.0.poll_ready_unpin(cx))?;
        let close = Message::close_with(UNSUPPORTED_DATA, "MQTT comes in binary frames");
        self.0.start_send_unpin(close)?;
        self.0.poll_flush_unpin(cx)
    }
}

impl Stream for Binary {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let Some(message) = ready!(self.0.poll_next_unpin(cx)) else {
                return Poll::Ready(None);
            };
            let message = message.map_err(io::Error::other)?;
            if message.is_binary() {
                return Poll::Ready(Some(Ok(message.into_bytes())));
            }
            // MQTT 5 §6.0: a text frame is a protocol error.
            if message.is_text() {
                if let Poll::Ready(Err(cause)) = self.refuse(cx) {
                    tracing::debug!(%cause, "a text frame was refused without a word");
                }
                return Poll::Ready(Some(Err(io::Error::other("a text frame is no MQTT"))));
            }
        }
    }
}

impl Sink<Bytes> for Binary {
    type Error = io::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_ready_unpin(cx).map_err(io::Error::other)
    }

    fn start_send(mut self: Pin<&mut Self>, bytes: Bytes) -> io::Result<()> {
        self.0.start_send_unpin(Message::binary(bytes)).map_err(io::Error::other)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush_unpin(cx).map_err(io::Error::other)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_close_unpin(cx).map_err(io::Error::other)
    }
}
