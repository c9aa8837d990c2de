//! HTTP: REST, the web client, MQTT over WebSocket, `/health`, `/metrics`; in clear on loopback,
//! over TLS beyond it (design §10).
//!
//! - [`server`]: connections within bounds · [`patience`], [`taken`]: none is waited for without
//!   end · [`budget`]: what requests and answers take in memory
//! - [`counters`], [`status`]: how busy it is, how the box is
//! - [`trust`]: how a client comes to trust the house · [`mqtt`]: MQTT over WebSocket

pub mod budget;
pub mod counters;
mod mqtt;
mod patience;
pub mod server;
pub mod status;
mod taken;
pub mod trust;

use std::net::IpAddr;
use std::sync::Arc;

use hearth_protocol::refusal::{Kind, Refusal};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::header::HOST;
use warp::http::uri::Authority;
use warp::http::{HeaderValue, Method, StatusCode};
use warp::path::FullPath;
use warp::reply::Response;

use crate::api;
use crate::api::reply::{nothing_here, recover, refuse};
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

/// On loopback: for who calls the box by one of its names, or by an address. A page of another
/// site whose name was made to lead here sends that name (DNS rebinding), and hears 421.
pub fn named(routes: BoxedFilter<(Response,)>, names: Vec<String>) -> BoxedFilter<(Response,)> {
    let names: Arc<[String]> = names.into();
    let other =
        warp::header::optional::<String>(HOST.as_str()).and_then(move |host: Option<String>| {
            let wrong = host.filter(|host| !is_ours(host, &names));
            async move { wrong.map(|host| misdirected(&host)).ok_or_else(warp::reject::not_found) }
        });
    whole(other.or(routes).unify().boxed())
}

/// Whether a `Host` header (RFC 9110 §7.2) names this box: an address is nobody's to hijack.
fn is_ours(host: &str, names: &[String]) -> bool {
    let Ok(host) = host.trim().parse::<Authority>() else { return false };
    let host = host.host().trim_matches(['[', ']']).trim_end_matches('.');
    let known = |name: &String| name.eq_ignore_ascii_case(host);
    host.parse::<IpAddr>().is_ok() || names.iter().any(known)
}

fn misdirected(host: &str) -> Response {
    let host: String = host.chars().take(100).collect();
    let message = format!("this box is not called `{host}`");
    let refusal = Refusal::new(Kind::Invalid, "wrong_host", message)
        .hint("call it localhost or hearth.local; behind a proxy start it with --name HOST");
    let mut response = refuse(&refusal);
    *response.status_mut() = StatusCode::MISDIRECTED_REQUEST;
    response
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::House;

    #[test]
    fn a_host_is_ours_by_name_or_by_any_address() {
        let names = ["hearth.local", "localhost", "den.home"].map(str::to_string);
        for host in [
            "localhost:8080",
            "LOCALHOST",
            "hearth.local.",
            "den.home:443",
            "127.0.0.1:1",
            "[::1]:8080",
            "192.168.1.5",
        ] {
            assert!(is_ours(host, &names), "{host}");
        }
        for host in [
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "",
            "a b",
            "evil@",
        ] {
            assert!(!is_ours(host, &names), "{host}");
        }
    }

    #[tokio::test]
    async fn who_was_led_here_by_another_name_gets_nothing() {
        let house = House::new().await;
        let routes = named(house.routes.clone(), vec!["localhost".to_string()]);
        let ask = async |host: Option<&str>, path: &str| {
            let request = warp::test::request().path(path);
            let request = match host {
                Some(host) => request.header("host", host),
                None => request,
            };
            request.reply(&routes).await
        };
        for path in ["/metrics", "/health", "/", "/api/rooms", "/nothing.js"] {
            let refused = ask(Some("evil.example:8080"), path).await;
            assert_eq!(refused.status(), 421, "{path}");
            let text = String::from_utf8(refused.body().to_vec()).unwrap();
            assert!(text.contains("wrong_host") && text.contains("--name"), "{text}");
            assert_eq!(refused.headers()["x-content-type-options"], "nosniff");
        }
        for host in [Some("localhost:8080"), Some("127.0.0.1:8080"), None] {
            assert_eq!(ask(host, "/health").await.status(), 200, "{host:?}");
            assert_eq!(ask(host, "/api/rooms").await.status(), 401, "{host:?}");
            assert_eq!(ask(host, "/api/nothing").await.status(), 404, "{host:?}");
        }
    }
    #[tokio::test]
    async fn every_answer_says_what_a_browser_may_do_with_it() {
        let house = House::new().await;
        for path in ["/", "/health", "/api/docs", "/api/rooms", "/api/nothing"] {
            let headers = house.call("GET", path, None, serde_json::Value::Null).await.headers;
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "no-referrer"),
                ("x-frame-options", "DENY"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                assert_eq!(headers[name], value, "{path}");
            }
            let policy = headers["content-security-policy"].to_str().unwrap();
            let rules: Vec<_> = policy.split("; ").collect();
            for rule in [
                "default-src 'none'",
                "script-src 'self' 'wasm-unsafe-eval'",
                "worker-src 'self' blob:",
                "connect-src 'self'",
                "base-uri 'none'",
                "form-action 'none'",
                "frame-ancestors 'none'",
            ] {
                assert!(rules.contains(&rule), "{path}: {rule} is not in {policy}");
            }
        }
    }
}
