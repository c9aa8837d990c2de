//! How the box is: `/health` for everyone, `/metrics` for whoever watches it.

use std::net::SocketAddr;
use std::sync::Arc;

use hearth_protocol::refusal::Kind;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use crate::api::extract::{counts_reader, with};
use crate::api::reply::{Answer, answer};
use crate::app::App;
use crate::counts;
use crate::error::ApiError;
use crate::listening::OverTls;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(health, metrics))]
pub struct Doc;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let metrics = path!("metrics")
        .and(warp::get())
        .and(counts_reader(app))
        .and(with(app))
        .map(metrics)
        .map(answer);
    health_route(app).or(metrics).unify().boxed()
}

/// `/health` alone.
pub fn health_route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    path!("health").and(warp::get()).and(with(app)).then(health).map(answer).boxed()
}

/// What a box answers that waits for its passphrase: it cannot read anything yet.
pub fn locked() -> BoxedFilter<(Response,)> {
    let health = path!("health").and(warp::get()).map(|| {
        let (status, version) = ("locked", env!("CARGO_PKG_VERSION"));
        answer(Answer::unavailable(&Health {
            status,
            version,
            house: None,
            mqtt: None,
            tls: None,
            connections: 0,
            clock: None,
        }))
    });
    let rest = warp::any().map(|| {
        let message = "the box waits for its passphrase";
        answer(Err(ApiError::new(Kind::Unavailable, "locked", message)
            .hint("run `hearth unlock` on the box")))
    });
    health.or(rest).unify().boxed()
}

/// How the box is.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok`, or `locked` while it waits for its passphrase.
    status: &'static str,
    version: &'static str,
    /// What the house is called.
    house: Option<String>,
    /// Where MQTT listens in clear.
    #[schema(value_type = Option<String>)]
    mqtt: Option<SocketAddr>,
    /// What is reached over TLS.
    tls: Option<OverTls>,
    /// MQTT connections now.
    connections: u64,
    /// `trusted`, or `doubted`: then nothing old is removed and no login ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<&'static str>,
}

/// Tells how the box is; 503 while it is locked.
#[utoipa::path(get, path = "/health", security(()),
    responses((status = 200, body = Health), (status = 503, body = Health)))]
async fn health(app: Arc<App>) -> Result<Answer, ApiError> {
    let counts = app.broker.counts();
    let listening = app.listening.get();
    Answer::ok(&Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        house: Some(app.house_name().await?),
        mqtt: listening.map(|at| at.mqtt),
        tls: listening.and_then(|at| at.tls.clone()),
        connections: counts.connections,
        clock: Some(if app.trust.is_doubted() { "doubted" } else { "trusted" }),
    })
}

/// Counts for Prometheus; without a token on the box itself.
#[utoipa::path(get, path = "/metrics", security((), ("bearer" = [])),
    responses((status = 200, body = String, content_type = "text/plain")))]
fn metrics(allowed: Result<(), ApiError>, app: Arc<App>) -> Result<Answer, ApiError> {
    allowed?;
    Answer::text(counts::text(&app), "text/plain; version=0.0.4; charset=utf-8")
}
