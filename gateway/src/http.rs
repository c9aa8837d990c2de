//! The one HTTP listener: REST, the web client, MQTT over WebSocket, `/health`, `/metrics`.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use hearth_broker::ws::{Frames, offers_mqtt};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, HeaderValue};
use warp::reply::{Reply, Response};
use warp::ws::{Message, WebSocket, Ws};
use warp::{Filter, path};

use crate::api;
use crate::api::extract::{Peer, counts_reader, with};
use crate::api::reply::{Answer, answer, recover};
use crate::app::App;
use crate::counts;
use crate::error::ApiError;
use crate::{sse, web, ws};

/// Everything the listener answers.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let health = path!("health").and(warp::get()).and(with(app)).then(health).map(answer);
    let metrics = path!("metrics")
        .and(warp::get())
        .and(counts_reader(app))
        .and(with(app))
        .map(metrics)
        .map(answer);
    let ca = path!("ca.crt").and(warp::get()).and(with(app)).then(ca);
    let socket = path!("mqtt")
        .and(warp::ws())
        .and(warp::header::headers_cloned())
        .and(with(app))
        .and(warp::ext::optional::<Peer>())
        .map(mqtt_socket);
    let known = api::routes(app)
        .or(health)
        .unify()
        .or(metrics)
        .unify()
        .or(ca)
        .unify()
        .or(socket)
        .unify()
        .or(ws::routes(app))
        .unify()
        .or(sse::routes(app))
        .unify()
        .or(web::routes())
        .unify();
    api::addresses::door(app).or(known).unify().recover(recover).unify().map(secure).boxed()
}

async fn health(app: Arc<App>) -> Result<Answer, ApiError> {
    let counts = app.broker.counts();
    Answer::ok(&json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "house": app.house_name().await?,
        "mqtt": app.mqtt.get(),
        "connections": counts.connections,
        "clock": if app.trust.is_doubted() { "doubted" } else { "trusted" },
    }))
}

fn metrics(allowed: Result<(), ApiError>, app: Arc<App>) -> Result<Answer, ApiError> {
    allowed?;
    Answer::text(counts::text(&app.broker.counts()), "text/plain; version=0.0.4")
}

/// The certificate by which clients trust the box: no secret.
async fn ca(app: Arc<App>) -> Response {
    let authority = match app.authority().await {
        Ok(authority) => authority,
        Err(error) => return answer(Err(error)),
    };
    let mut response = authority.pem().to_string().into_response();
    let media_type = HeaderValue::from_static("application/x-x509-ca-cert");
    response.headers_mut().insert("content-type", media_type);
    response
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

/// Headers that every answer has (design §9, §10).
fn secure(mut response: Response) -> Response {
    const HEADERS: [(&str, &str); 5] = [
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' \
             'unsafe-inline'; img-src 'self' blob: data:; media-src 'self' blob:; font-src 'self'; \
             connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// How long a client may take to send its headers.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);
/// How long open requests may take when the appliance stops.
const LINGER: Duration = Duration::from_secs(5);

/// Serves until `stop` turns true, then lets open requests finish.
pub async fn serve(
    listener: TcpListener,
    routes: BoxedFilter<(Response,)>,
    connections_max: usize,
    mut stop: watch::Receiver<bool>,
) {
    let service = warp::service(routes);
    let places = Arc::new(Semaphore::new(connections_max));
    let graceful = GracefulShutdown::new();
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN);
    builder.http2().timer(TokioTimer::new());
    loop {
        // Above the limit nobody is accepted until somebody has gone: the kernel's queue waits.
        let Ok(place) = places.clone().acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors and the like: those who are connected make room.
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let service =
            TowerToHyperService::new(WithPeer { inner: service.clone(), peer: Peer(peer) });
        let connection =
            builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "an HTTP connection ended");
            }
            drop(place);
        });
    }
    if tokio::time::timeout(LINGER, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}

/// Puts the peer's address into each request.
#[derive(Clone)]
struct WithPeer<S> {
    inner: S,
    peer: Peer,
}

impl<S, B> tower_service::Service<warp::http::Request<B>> for WithPeer<S>
where
    S: tower_service::Service<warp::http::Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: warp::http::Request<B>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        self.inner.call(request)
    }
}
