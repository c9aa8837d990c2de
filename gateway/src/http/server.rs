//! Accepts HTTP connections and serves them, within bounds, until it is told to stop.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::TryFutureExt;
use hearth_broker::bounds::{Bounds, Place};
use hearth_protocol::limits::{Limits, wide};
use hyper::body::{Body, Incoming};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tower_service::Service;
use warp::filters::BoxedFilter;
use warp::http::{Request, StatusCode};
use warp::reply::Response;

use super::budget::Budget;
use super::counters::Counters;
use super::patience::Patient;
use super::taken::{Taken, Waiting};
use crate::api::extract::Peer;
use crate::api::reply::refuse;
use crate::error::ApiError;
use crate::http::secure;
use crate::tls::{Acceptor, TlsStream};

/// What one over the bounds hears, if it speaks in clear.
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 10\r\n\
    content-length: 0\r\nconnection: close\r\n\r\n";

/// Bytes that hyper wants to have for a request.
const MIN_BUFFER: usize = 8_192;

/// A listener with what it answers.
pub struct Door {
    /// Where it listens.
    pub listener: Arc<TcpListener>,
    /// What it answers.
    pub routes: BoxedFilter<(Response,)>,
    /// How it speaks TLS, if it does.
    pub tls: Option<Acceptor>,
}

/// What a connection gets of its door.
#[derive(Clone)]
struct Inside {
    routes: BoxedFilter<(Response,)>,
    tls: Option<Acceptor>,
}

/// What all doors share.
pub struct Server {
    limits: Arc<Limits>,
    bounds: Arc<Bounds>,
    counters: Arc<Counters>,
    answers: Budget,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
}

fn ms(limit: usize) -> Duration {
    Duration::from_millis(wide(limit))
}

impl Server {
    /// With these limits for all doors together.
    pub fn new(limits: Arc<Limits>, counters: Arc<Counters>) -> Arc<Self> {
        let (all, one) = (limits.http_connections_max, limits.http_connections_per_address_max);
        let bounds = Arc::new(Bounds::new(all, one));
        let (http1, http2) = builders(&limits);
        let answers = Budget::new(limits.http_answers_bytes_max);
        Arc::new(Self { limits, bounds, counters, answers, http1, http2 })
    }

    /// Serves until `stop` turns true, then lets open requests finish.
    pub async fn serve(self: Arc<Self>, door: Door, mut stop: watch::Receiver<bool>) {
        let Door { listener, routes, tls } = door;
        let inside = Inside { routes, tls };
        let mut connections = JoinSet::new();
        let stopped = stop.clone();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
                Some(_ended) = connections.join_next() => continue,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let Some(place) = self.place(&stream, peer) else { continue };
                    let stopped = stopped.clone();
                    let (server, inside) = (self.clone(), inside.clone());
                    connections.spawn(async move {
                        server.connection(stream, peer, inside, stopped).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    // Out of file descriptors and the like: those who are connected make room.
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        // Who comes now goes elsewhere at once.
        drop(listener);
        let linger = ms(self.limits.http_linger_ms_max);
        let finished = async { while connections.join_next().await.is_some() {} };
        if timeout(linger, finished).await.is_err() {
            tracing::warn!("some requests did not finish in time");
        }
        connections.shutdown().await;
    }

    fn place(&self, stream: &TcpStream, peer: SocketAddr) -> Option<Place> {
        let place = self.bounds.enter(peer).filter(|place| place.refused.is_none());
        if place.is_none() {
            self.counters.turned_away();
            tracing::debug!(%peer, "closed: too many connections");
            if let Err(error) = stream.try_write(BUSY) {
                tracing::debug!(%error, "and without a word");
            }
        }
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        place
    }

    async fn connection(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        inside: Inside,
        stop: watch::Receiver<bool>,
    ) {
        let Inside { routes, tls } = inside;
        let _counted = self.counters.connected(tls.is_some());
        let free = Arc::new(AtomicBool::new(false));
        let stream = Patient::new(stream, &self.limits, free.clone());
        let until = Until { stop, waiting: self.waiting() };
        let service = self.seen(routes, peer, free, &until.waiting);
        match tls {
            None => self.speak(stream, false, service, until).await,
            Some(tls) => {
                let shaken = self.shake_hands(stream, &tls, until.stop.clone()).await;
                if let Some((stream, is_h2)) = shaken {
                    self.speak(stream, is_h2, service, until).await;
                }
            }
        }
    }

    fn waiting(&self) -> Arc<Waiting> {
        Waiting::new(ms(self.limits.http_stall_ms_max))
    }

    fn seen(
        &self,
        routes: BoxedFilter<(Response,)>,
        peer: SocketAddr,
        free: Arc<AtomicBool>,
        waiting: &Arc<Waiting>,
    ) -> impl Service<
        Request<Incoming>,
        Response = Answered,
        Error = Infallible,
        Future: Send + 'static,
    >
    + Clone
    + Send
    + 'static
    + use<> {
        let (inner, counters) = (warp::service(routes), self.counters.clone());
        let (waiting, answers) = (waiting.clone(), self.answers.clone());
        Seen { inner, peer: Peer(peer), free, counters, waiting, answers }
    }

    /// The TLS connection, and whether HTTP/2 is spoken over it.
    async fn shake_hands<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        tls: &Acceptor,
        mut stop: watch::Receiver<bool>,
    ) -> Option<(TlsStream<S>, bool)> {
        let handshake = timeout(ms(self.limits.handshake_ms_max), tls.accept(stream));
        let shaken = tokio::select! {
            shaken = handshake => shaken,
            _ = stop.wait_for(|stop| *stop) => return None,
        };
        match shaken {
            Ok(Ok(shaken)) => return Some(shaken),
            Ok(Err(error)) => tracing::debug!(%error, "no TLS"),
            Err(_) => tracing::debug!("no TLS in time"),
        }
        None
    }

    /// Which version is known: nobody is waited for to show it by a preface.
    async fn speak<I, S>(&self, stream: I, is_h2: bool, service: S, until: Until)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        S: Service<Request<Incoming>, Response = Answered, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send + 'static,
    {
        let Until { mut stop, waiting } = until;
        let (io, service) = (TokioIo::new(stream), TowerToHyperService::new(service));
        let serving = async {
            if is_h2 {
                let mut connection = pin!(self.http2.serve_connection(io, service));
                tokio::select! {
                    ended = connection.as_mut() => ended,
                    () = told(&mut stop) => {
                        connection.as_mut().graceful_shutdown();
                        connection.await
                    }
                }
            } else {
                let mut connection = pin!(self.http1.serve_connection(io, service).with_upgrades());
                tokio::select! {
                    ended = connection.as_mut() => ended,
                    () = told(&mut stop) => {
                        connection.as_mut().graceful_shutdown();
                        connection.await
                    }
                }
            }
        };
        tokio::select! {
            ended = serving => if let Err(error) = ended {
                tracing::debug!(%error, "an HTTP connection ended");
            },
            () = waiting.too_long() => tracing::debug!("an answer was not taken in time"),
        }
    }
}

/// What ends a connection from this side.
struct Until {
    stop: watch::Receiver<bool>,
    waiting: Arc<Waiting>,
}

/// Waits until the box stops.
async fn told(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

fn builders(limits: &Limits) -> (http1::Builder, http2::Builder<TokioExecutor>) {
    let header_bytes = limits.http_header_bytes_max;
    let narrow = |limit: usize| u32::try_from(limit).unwrap_or(u32::MAX);
    let mut one = http1::Builder::new();
    one.timer(TokioTimer::new())
        .header_read_timeout(ms(limits.http_header_ms_max))
        .max_headers(limits.http_headers_max)
        .max_header_size(header_bytes)
        .max_buf_size((2 * header_bytes).max(MIN_BUFFER));
    let mut two = http2::Builder::new(TokioExecutor::new());
    two.timer(TokioTimer::new())
        .keep_alive_interval(ms(limits.http_idle_ms_max) / 3)
        .keep_alive_timeout(ms(limits.http_stall_ms_max))
        .max_header_list_size(narrow(header_bytes))
        .max_concurrent_streams(narrow(limits.http_streams_max))
        .max_pending_accept_reset_streams(limits.http_resets_max)
        .max_local_error_reset_streams(limits.http_resets_max)
        .initial_stream_window_size(narrow(limits.http_window_bytes))
        .initial_connection_window_size(narrow(limits.http_window_bytes))
        .max_send_buf_size(limits.http_window_bytes);
    (one, two)
}

/// An answer on its way out.
type Answered = warp::http::Response<Taken<Response>>;

/// Marks an answer whose bytes are there anyway, however many take them.
#[derive(Debug, Clone, Copy)]
pub struct Shared;

/// Notes what goes by: who asks, what is answered, and that a connection became a WebSocket.
#[derive(Clone)]
struct Seen<S> {
    inner: S,
    peer: Peer,
    free: Arc<AtomicBool>,
    counters: Arc<Counters>,
    waiting: Arc<Waiting>,
    answers: Budget,
}

impl<S> Seen<S> {
    /// The answer on its way out; 503 where there is no room for it.
    fn answered(&self, mut response: Response) -> Answered {
        let mut room = self.answers.room(self.peer.0.ip());
        let shared = response.extensions().get::<Shared>().is_some();
        let bytes = response.size_hint().exact().filter(|_| !shared).unwrap_or_default();
        if let Err(ApiError(no)) = room.take(usize::try_from(bytes).unwrap_or(usize::MAX)) {
            response = secure(refuse(&no));
        }
        self.counters.answered(response.status());
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            self.free.store(true, Ordering::Relaxed);
        }
        let (head, body) = response.into_parts();
        let body = Taken::new(Response::new(body), self.waiting.clone(), room);
        Answered::from_parts(head, body)
    }
}

impl<S> Service<Request<Incoming>> for Seen<S>
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible> + Clone,
    S: Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Answered;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answered, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        let (answer, seen) = (self.inner.call(request), self.clone());
        Box::pin(answer.map_ok(move |response| seen.answered(response)))
    }
}

#[cfg(test)]
mod tests;
