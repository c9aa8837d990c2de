//! The web client, served from the binary itself.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::{EmbeddedFile, RustEmbed};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::HeaderValue;
use warp::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use warp::path::FullPath;
use warp::reply::Response;

use crate::http::server::Shared;

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
            let made = page(path.as_str(), known.as_deref(), gzip).await;
            made.ok_or_else(warp::reject::not_found)
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
fn compressed(bytes: &[u8]) -> std::io::Result<Bytes> {
    let mut encoder = GzEncoder::new(vec![], Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.into())
}

/// A file of the client; however many take it, its bytes are there once.
#[derive(Debug)]
struct File {
    media_type: &'static str,
    hash: [u8; 32],
    plain: Bytes,
    /// Made when it is first asked for.
    small: OnceCell<Bytes>,
}

/// Files that were asked for: no more than the client has.
static FILES: LazyLock<Mutex<HashMap<String, Arc<File>>>> = LazyLock::new(Mutex::default);

/// A file of the client by its name.
fn file(name: &str) -> Option<Arc<File>> {
    let found = Client::get(name)?;
    let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
    // A build for development reads from the disk, where a file may be another by now.
    if let Some(known) = files.get(name).filter(|one| one.hash == found.metadata.sha256_hash()) {
        return Some(known.clone());
    }
    let file = Arc::new(File::new(name, found));
    files.insert(name.to_string(), file.clone());
    Some(file)
}

impl File {
    fn new(name: &str, found: EmbeddedFile) -> Self {
        let plain = match found.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        };
        let (media_type, hash) = (media_type(name), found.metadata.sha256_hash());
        Self { media_type, hash, plain, small: OnceCell::new() }
    }

    fn is_text(&self) -> bool {
        !["image/png", "image/x-icon", "application/octet-stream"].contains(&self.media_type)
    }

    /// Its bytes compressed; those of one file are compressed once.
    async fn small(self: &Arc<Self>) -> Result<Bytes, std::io::Error> {
        let file = self.clone();
        let make = async || {
            // It takes some 30 ms of a processor.
            spawn_blocking(move || compressed(&file.plain)).await.map_err(std::io::Error::other)?
        };
        self.small.get_or_try_init(make).await.cloned()
    }
}

async fn page(path: &str, known: Option<&str>, gzip: bool) -> Option<Response> {
    let name = path.trim_start_matches('/');
    if let Some(file) = file(name) {
        return Some(send(name, &file, known, gzip).await);
    }
    let is_page = !name.starts_with("api/") && !name.rsplit('/').next()?.contains('.');
    if !is_page {
        return None;
    }
    Some(match file("index.html") {
        Some(file) => send("index.html", &file, known, gzip).await,
        None => missing(),
    })
}

async fn send(name: &str, file: &Arc<File>, known: Option<&str>, gzip: bool) -> Response {
    let gzip = gzip && file.is_text() && file.plain.len() > COMPRESSED_FROM;
    let hash = hearth_protocol::bytes::b64u(&file.hash[..16]);
    let tag = if gzip { format!("\"{hash}-gzip\"") } else { format!("\"{hash}\"") };
    let same = |one: &str| one.trim().trim_start_matches("W/") == tag || one.trim() == "*";
    let fresh = known.is_some_and(|known| known.split(',').any(same));
    let mut encoded = false;
    let body = match (fresh, gzip) {
        (true, _) => Bytes::new(),
        (false, false) => file.plain.clone(),
        (false, true) => match file.small().await {
            Ok(small) => {
                encoded = true;
                small
            }
            Err(error) => {
                tracing::warn!(%error, name, "not compressed");
                file.plain.clone()
            }
        },
    };
    let mut response = Response::new(body.into());
    response.extensions_mut().insert(Shared);
    if encoded {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if file.is_text() {
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
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.media_type));
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

    fn file(name: &str, text: &'static str) -> Arc<File> {
        let metadata = rust_embed::Metadata::__rust_embed_new([7; 32], None, None);
        Arc::new(File::new(name, EmbeddedFile { data: text.as_bytes().into(), metadata }))
    }

    #[tokio::test]
    async fn text_is_compressed_and_known_by_a_tag_of_its_own() {
        let text: &'static str = "function f() {}\n".repeat(500).leak();
        let script = file("assets/a.js", text);
        let plain = send("assets/a.js", &script, None, false).await;
        let small = send("assets/a.js", &script, None, true).await;
        let of = |response: &Response, name: &str| {
            response.headers().get(name).map(|value| value.to_str().unwrap().to_string())
        };
        assert_eq!(of(&small, "content-encoding").as_deref(), Some("gzip"));
        assert_eq!(of(&plain, "content-encoding"), None);
        assert_eq!(of(&plain, "vary").as_deref(), Some("accept-encoding"));
        assert_ne!(of(&small, "etag"), of(&plain, "etag"));
        let known = format!("W/\"x\", {}", of(&small, "etag").unwrap());
        assert_eq!(send("assets/a.js", &script, Some(&known), true).await.status(), 304);
        assert_eq!(send("assets/a.js", &script, Some(&known), false).await.status(), 200);
        let picture = send("a.png", &file("a.png", text), None, true).await;
        assert_eq!((of(&picture, "content-encoding"), of(&picture, "vary")), (None, None));
        let short = send("a.txt", &file("a.txt", "short"), None, true).await;
        assert_eq!(of(&short, "content-encoding"), None);
    }

    #[tokio::test]
    async fn however_many_take_a_file_its_bytes_are_there_once() {
        let text: &'static str = "function f() {}\n".repeat(500).leak();
        let script = file("assets/a.js", text);
        assert_eq!(script.plain.as_ptr(), text.as_ptr(), "what the program brings is not copied");
        let all = (0..50).map(|_| script.small());
        let all = futures_util::future::try_join_all(all).await.unwrap();
        assert!(all.iter().all(|one| one.as_ptr() == all[0].as_ptr()));
        let answer = send("assets/a.js", &script, None, true).await;
        let mut answer = std::pin::pin!(answer);
        let frame = std::future::poll_fn(|cx| hyper::body::Body::poll_frame(answer.as_mut(), cx));
        let sent = frame.await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(sent.as_ptr(), all[0].as_ptr());
    }
}
