//! The web client, served from the binary itself.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::{EmbeddedFile, RustEmbed};
use tokio::task::spawn_blocking;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::HeaderValue;
use warp::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use warp::path::FullPath;
use warp::reply::Response;

/// Bytes from which compressing pays: below, it is one packet either way.
const COMPRESSED_FROM: usize = 1_024;

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
        .and(warp::header::optional::<String>(ACCEPT_ENCODING.as_str()))
        .and_then(|path: FullPath, known: Option<String>, takes: Option<String>| async move {
            let gzip = takes.is_some_and(|takes| takes_gzip(&takes));
            // Compressing takes some 30 ms of a processor.
            let made = spawn_blocking(move || page(path.as_str(), known.as_deref(), gzip)).await;
            made.ok().flatten().ok_or_else(warp::reject::not_found)
        })
        .boxed()
}

/// Whether a client takes gzip (RFC 9110 §12.5.3).
fn takes_gzip(header: &str) -> bool {
    header.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let never = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !never
    })
}

/// Only what this program brings along is compressed, never an answer of REST: what somebody
/// writes would stand beside what others may not know, and its size would tell (docs/security.md).
fn compressed(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(vec![], Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn page(path: &str, known: Option<&str>, gzip: bool) -> Option<Response> {
    let name = path.trim_start_matches('/');
    if let Some(file) = Client::get(name) {
        return Some(send(name, file, known, gzip));
    }
    let is_page = !name.starts_with("api/") && !name.rsplit('/').next()?.contains('.');
    if !is_page {
        return None;
    }
    Some(match Client::get("index.html") {
        Some(file) => send("index.html", file, known, gzip),
        None => missing(),
    })
}

fn send(name: &str, file: EmbeddedFile, known: Option<&str>, gzip: bool) -> Response {
    let media_type = media_type(name);
    let is_text = !["image/png", "image/x-icon", "application/octet-stream"].contains(&media_type);
    let gzip = gzip && is_text && file.data.len() > COMPRESSED_FROM;
    let hash = hearth_protocol::bytes::b64u(&file.metadata.sha256_hash()[..16]);
    let tag = if gzip { format!("\"{hash}-gzip\"") } else { format!("\"{hash}\"") };
    let same = |one: &str| one.trim().trim_start_matches("W/") == tag || one.trim() == "*";
    let fresh = known.is_some_and(|known| known.split(',').any(same));
    let mut encoded = false;
    let body = match (fresh, gzip) {
        (true, _) => vec![],
        (false, false) => file.data.into_owned(),
        (false, true) => match compressed(&file.data) {
            Ok(small) => {
                encoded = true;
                small
            }
            Err(error) => {
                tracing::warn!(%error, name, "not compressed");
                file.data.into_owned()
            }
        },
    };
    let mut response = Response::new(body.into());
    if encoded {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if is_text {
        response.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    if fresh {
        *response.status_mut() = warp::http::StatusCode::NOT_MODIFIED;
    }
    // Names under assets/ carry a hash of what they hold.
    let forever = name.starts_with("assets/");
    let cache = if forever { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_as_the_client_says() {
        for takes in ["gzip", "br, GZIP;q=0.5", "deflate,gzip ; q=1"] {
            assert!(takes_gzip(takes), "{takes}");
        }
        for takes in ["", "br", "gzip;q=0", "x-gzip-not"] {
            assert!(!takes_gzip(takes), "{takes}");
        }
    }

    fn file(text: &'static str) -> EmbeddedFile {
        let metadata = rust_embed::Metadata::__rust_embed_new([7; 32], None, None);
        EmbeddedFile { data: text.as_bytes().into(), metadata }
    }

    #[test]
    fn text_is_compressed_and_known_by_a_tag_of_its_own() {
        let text: &'static str = "function f() {}\n".repeat(500).leak();
        let plain = send("assets/a.js", file(text), None, false);
        let small = send("assets/a.js", file(text), None, true);
        let of = |response: &Response, name: &str| {
            response.headers().get(name).map(|value| value.to_str().unwrap().to_string())
        };
        assert_eq!(of(&small, "content-encoding").as_deref(), Some("gzip"));
        assert_eq!(of(&plain, "content-encoding"), None);
        assert_eq!(of(&plain, "vary").as_deref(), Some("accept-encoding"));
        assert_ne!(of(&small, "etag"), of(&plain, "etag"));
        let known = format!("W/\"x\", {}", of(&small, "etag").unwrap());
        assert_eq!(send("assets/a.js", file(text), Some(&known), true).status(), 304);
        assert_eq!(send("assets/a.js", file(text), Some(&known), false).status(), 200);
        let picture = send("a.png", file(text), None, true);
        assert_eq!((of(&picture, "content-encoding"), of(&picture, "vary")), (None, None));
        let short = send("a.txt", file("short"), None, true);
        assert_eq!(of(&short, "content-encoding"), None);
    }
}
