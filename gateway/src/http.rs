//! HTTP: REST, the web client, MQTT over WebSocket, `/health`, `/metrics`; in clear on loopback,
//! over TLS beyond it (design §10).
//!
//! - [`server`]: connections within bounds · [`patience`]: none is waited for without end
//! - [`counters`], [`status`]: how busy it is, how the box is
//! - [`trust`]: how a client comes to trust the house · [`mqtt`]: MQTT over WebSocket

pub mod counters;
mod mqtt;
mod patience;
pub mod server;
pub mod status;
pub mod trust;

use std::sync::Arc;

use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::{HeaderValue, Method, StatusCode};
use warp::path::FullPath;
use warp::reply::Response;

use crate::api;
use crate::api::reply::{nothing_here, recover};
use crate::app::App;
use crate::{sse, web, ws};

/// Everything that is answered on loopback and over TLS.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let known = api::routes(app)
        .or(status::routes(app))
        .unify()
        .or(trust::files(app))
        .unify()
        .or(mqtt::routes(app))
        .unify()
        .or(ws::routes(app))
        .unify()
        .or(sse::routes(app))
        .unify()
        .or(web::routes())
        .unify();
    let known = api::addresses::door(app).or(known).unify().recover(recover).unify();
    warp::method().and(warp::path::full()).and(known).map(refine).map(secure).boxed()
}

/// What is wrong with a request that no route took: warp says of a path that is not there that its
/// method is wrong, as some file could be there; and `Allow` belongs to a 405 (RFC 9110 §15.5.6).
fn refine(method: Method, path: FullPath, mut response: Response) -> Response {
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    let methods = api::openapi::methods(path.as_str());
    // With this method there is something at such a path, but what stands for an id is none.
    let no_id = methods.contains(&method.as_str());
    match methods.join(", ").try_into() {
        Ok(allow) if !methods.is_empty() && !no_id => {
            response.headers_mut().insert("allow", allow);
            response
        }
        _ if path.as_str().starts_with("/api/") => nothing_here(),
        _ => {
            response.headers_mut().insert("allow", HeaderValue::from_static("GET, HEAD"));
            response
        }
    }
}

/// With an answer to whatever no route takes, and the headers that every answer has.
pub(crate) fn whole(known: BoxedFilter<(Response,)>) -> BoxedFilter<(Response,)> {
    known.recover(recover).unify().map(secure).boxed()
}

/// For a house whose certificate others vouch for: browsers then come by TLS only (RFC 6797). Under
/// its own authority a house that was set up anew, or another one called hearth.local, would be
/// shut out by this for as long as browsers remember it.
pub fn strict(routes: BoxedFilter<(Response,)>) -> BoxedFilter<(Response,)> {
    let year = HeaderValue::from_static("max-age=31536000");
    routes
        .map(move |mut response: Response| {
            response.headers_mut().insert("strict-transport-security", year.clone());
            response
        })
        .boxed()
}

/// Headers that every answer has (design §9, §10).
pub(crate) fn secure(mut response: Response) -> Response {
    const HEADERS: [(&str, &str); 6] = [
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
        ("cross-origin-resource-policy", "same-origin"),
    ];
    for (name, value) in HEADERS {
        // Attachments are under a stricter policy than the page.
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
