//! How a client comes to trust the house: its authority's certificate, and the page that says what
//! to do with it. Beyond loopback this is all there is in clear (design §10).

mod page;
mod words;

use std::sync::Arc;

use hearth_protocol::refusal::Kind;
use hearth_protocol::sealing::kdf::sha256;
use utoipa::OpenApi;
use warp::filters::BoxedFilter;
use warp::http::uri::Authority as HostPort;
use warp::http::{HeaderMap, HeaderValue, Method, StatusCode};
use warp::path::FullPath;
use warp::reply::Response;
use warp::{Filter, path};

use super::{status, whole};
use crate::api::extract::with;
use crate::api::reply::{Answer, answer};
use crate::app::App;
use crate::error::ApiError;
use words::Tongue;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(ca, profile))]
pub struct Doc;

/// The files alone.
pub fn files(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let ca = path!("ca.crt").and(warp::get()).and(with(app)).then(ca).map(answer);
    let profile =
        path!("ca.mobileconfig").and(warp::get()).and(with(app)).then(profile).map(answer);
    ca.or(profile).unify().boxed()
}

/// Where the house is reached over TLS.
#[derive(Debug, Clone)]
pub struct Https {
    /// Its port.
    pub port: u16,
    /// What it may be called; the first is what it calls itself. Empty: the certificate was given,
    /// and no name was.
    pub names: Vec<String>,
    /// Whether the house vouches for itself.
    pub own: bool,
}

impl Https {
    /// A name with the port, where it is not the usual one.
    pub fn url(&self, name: &str) -> String {
        let name = if name.contains(':') { format!("[{name}]") } else { name.to_string() };
        match self.port {
            443 => format!("https://{name}"),
            port => format!("https://{name}:{port}"),
        }
    }

    /// The address for a client that called the box by its `Host` header.
    fn for_host(&self, headers: &HeaderMap) -> Option<String> {
        let asked = headers.get("host").and_then(|host| host.to_str().ok());
        let asked = asked.and_then(|host| host.parse::<HostPort>().ok());
        let asked = asked.map(|asked| asked.host().trim_matches(['[', ']']).to_ascii_lowercase());
        let known = |name: &String| self.names.is_empty() || self.names.contains(name);
        let name = asked.filter(known).or_else(|| self.names.first().cloned())?;
        Some(self.url(&name))
    }
}

/// All that is answered in clear beyond loopback.
pub fn routes(app: &Arc<App>, https: Https) -> BoxedFilter<(Response,)> {
    let there = https.clone();
    let page = warp::path::end()
        .and(warp::get())
        .and(with(app))
        .and(warp::header::headers_cloned())
        .then(move |app, headers: HeaderMap| {
            let accept = headers.get("accept-language").and_then(|value| value.to_str().ok());
            page(app, there.for_host(&headers), Tongue::liked(accept.unwrap_or_default()))
        })
        .map(answer);
    let there = https.clone();
    let elsewhere = warp::method()
        .and(warp::path::full())
        .and(warp::query::raw().or(warp::any().map(String::new)).unify())
        .and(warp::header::headers_cloned())
        .map(move |method: Method, path: FullPath, query: String, headers: HeaderMap| {
            redirect(&method, there.for_host(&headers), path.as_str(), &query)
        });
    let health = status::health_route(app);
    let known = if https.own {
        page.or(files(app)).unify().or(health).unify().or(elsewhere).unify().boxed()
    } else {
        health.or(elsewhere).unify().boxed()
    };
    whole(known)
}

/// Whoever only looks is sent on; what was sent in clear is not asked for again.
fn redirect(method: &Method, https: Option<String>, path: &str, query: &str) -> Response {
    let refused = |hint| {
        let message = "beyond the box itself this is answered over HTTPS only";
        answer(Err(ApiError::new(Kind::Forbidden, "use_https", message).hint(hint)))
    };
    if ![Method::GET, Method::HEAD].contains(method) {
        return refused("what was sent could be read on its way: change the password it held");
    }
    let mark = if query.is_empty() { "" } else { "?" };
    let place = https.and_then(|https| format!("{https}{path}{mark}{query}").try_into().ok());
    let Some(place): Option<HeaderValue> = place else {
        return refused("call the box by its name");
    };
    let mut response = Response::new(Vec::new().into());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    response.headers_mut().insert("location", place);
    response.headers_mut().insert("cache-control", HeaderValue::from_static("no-store"));
    response
}

/// Gives the certificate by which clients trust the box: no secret.
#[utoipa::path(get, path = "/ca.crt", security(()),
    responses((status = 200, body = String, content_type = "application/x-x509-ca-cert")))]
async fn ca(app: Arc<App>) -> Result<Answer, ApiError> {
    Answer::text(app.authority().await?.pem().to_string(), "application/x-x509-ca-cert")
}

/// Gives the same as a profile for iPhone, iPad and Mac.
#[utoipa::path(get, path = "/ca.mobileconfig", security(()),
    responses((status = 200, body = String, content_type = "application/x-apple-aspen-config")))]
async fn profile(app: Arc<App>) -> Result<Answer, ApiError> {
    let pem = app.authority().await?.pem().to_string();
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    let der = lines.collect::<Vec<_>>().join("\n");
    // The same certificate is the same profile: installed again, it replaces itself.
    let id = |what: &str| page::uuid(&sha256(format!("{what}{der}").as_bytes()));
    let text = page::profile(&der, &id("profile"), &id("certificate"));
    Answer::text(text, "application/x-apple-aspen-config")
}

async fn page(app: Arc<App>, https: Option<String>, tongue: Tongue) -> Result<Answer, ApiError> {
    let fingerprint = app.authority().await?.fingerprint();
    let https = https.unwrap_or_default();
    let page = page::html(&app.house_name().await?, &fingerprint, &https, tongue);
    Answer::text(page, "text/html; charset=utf-8")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::testing::House;

    #[test]
    fn a_client_is_sent_on_to_a_name_that_the_house_has() {
        let names = ["hearth.local", "192.168.1.5", "fd00::5"].map(str::to_string).to_vec();
        let https = Https { port: 443, names, own: true };
        let sent = |https: &Https, host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("host", host.parse().unwrap());
            https.for_host(&headers)
        };
        for (host, place) in [
            ("192.168.1.5:80", "https://192.168.1.5"),
            ("HEARTH.local", "https://hearth.local"),
            ("[fd00::5]:80", "https://[fd00::5]"),
            ("evil.example", "https://hearth.local"),
            ("<script>", "https://hearth.local"),
        ] {
            assert_eq!(sent(&https, host).as_deref(), Some(place), "{host}");
        }
        let given = Https { port: 8443, names: vec![], own: false };
        assert_eq!(sent(&given, "den.example:80").as_deref(), Some("https://den.example:8443"));
        assert_eq!(given.for_host(&HeaderMap::new()), None);
    }

    #[tokio::test]
    async fn in_clear_nothing_of_the_house_is_told_and_nothing_is_taken() {
        let house = House::new().await;
        let https = Https { port: 443, names: vec!["hearth.local".into()], own: true };
        let mut clear = house;
        clear.routes = routes(&clear.app, https);
        let get = async |path| clear.call("GET", path, None, Value::Null).await;
        let page = get("/").await;
        let text = String::from_utf8(page.bytes).unwrap();
        let print = clear.app.authority().await.unwrap().fingerprint().replace(':', ":<wbr>");
        assert!(text.contains(&print) && text.contains("href=\"https://hearth.local\""), "{text}");
        let french = warp::test::request().path("/").header("accept-language", "fr-FR");
        let french = french.reply(&clear.routes).await;
        let text = String::from_utf8(french.body().to_vec()).unwrap();
        assert!(text.contains("<html lang=fr>") && text.contains(&print), "{text}");
        let moved = get("/api/rooms?limit=1").await;
        assert_eq!(moved.status, 307);
        assert_eq!(moved.headers["location"], "https://hearth.local/api/rooms?limit=1");
        for path in ["/api/auth/login", "/", "/ca.crt"] {
            let refused = clear.call("POST", path, None, serde_json::json!({})).await;
            assert_eq!(refused.code(), "use_https", "{path}");
        }
        let profile = String::from_utf8(get("/ca.mobileconfig").await.bytes).unwrap();
        assert_eq!(profile.matches("<key>PayloadUUID</key>").count(), 2, "{profile}");
    }
}
