//! The web client, served from the binary itself.

use rust_embed::{EmbeddedFile, RustEmbed};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::HeaderValue;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use warp::path::FullPath;
use warp::reply::Response;

/// What `npm run build` made; nothing in a build without it.
#[derive(RustEmbed)]
#[folder = "../webclient/dist/"]
#[allow_missing = true]
struct Client;

/// Files by their path; any other path of a page is the app itself, which reads the address.
pub fn routes() -> BoxedFilter<(Response,)> {
    warp::get()
        .or(warp::head())
        .unify()
        .and(warp::path::full())
        .and(warp::header::optional::<String>(IF_NONE_MATCH.as_str()))
        .and_then(|path: FullPath, known: Option<String>| async move {
            page(path.as_str(), known.as_deref()).ok_or_else(warp::reject::not_found)
        })
        .boxed()
}

fn page(path: &str, known: Option<&str>) -> Option<Response> {
    let name = path.trim_start_matches('/');
    if let Some(file) = Client::get(name) {
        return Some(send(name, file, known));
    }
    let is_page = !name.starts_with("api/") && !name.rsplit('/').next()?.contains('.');
    if !is_page {
        return None;
    }
    Some(match Client::get("index.html") {
        Some(file) => send("index.html", file, known),
        None => missing(),
    })
}

fn send(name: &str, file: EmbeddedFile, known: Option<&str>) -> Response {
    let tag = format!("\"{}\"", hearth_protocol::bytes::b64u(&file.metadata.sha256_hash()[..16]));
    let fresh = known == Some(tag.as_str());
    let body = if fresh { Vec::new() } else { file.data.into_owned() };
    let mut response = Response::new(body.into());
    if fresh {
        *response.status_mut() = warp::http::StatusCode::NOT_MODIFIED;
    }
    // Names under assets/ carry a hash of what they hold.
    let forever = name.starts_with("assets/");
    let cache = if forever { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(name)));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    response
}

fn missing() -> Response {
    let text = "This hearth was built without its web client: run `make build`.\n";
    let mut response = Response::new(text.into());
    *response.status_mut() = warp::http::StatusCode::NOT_FOUND;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
