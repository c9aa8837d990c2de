//! The way out: which bytes of an attachment, and what is said about them, so that nothing that
//! somebody uploaded runs in the page.

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::try_unfold;
use hearth_protocol::bytes::b64u;
use hearth_store::{Attachment, Reading, StoreError};

use super::kind::is_image;
use super::range::Part;
use super::{Files, name, thumbnails};
use crate::error::ApiError;

/// What whoever opens it as a page of its own may do: nothing.
const SANDBOX: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";

/// What a request asks for besides the attachment.
#[derive(Debug, Default)]
pub struct Wanted {
    /// `Range`.
    pub range: Option<String>,
    /// `If-Range`: the tag for which the range holds.
    pub if_range: Option<String>,
    /// `If-None-Match`: the tags that the client has.
    pub if_none_match: Option<String>,
}

/// An answer: status, headers, and which bytes.
pub struct Served {
    /// 200, 206, 304 or 416.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// From this byte up to, not including, that one, where there is a body.
    pub bytes: Option<(u64, u64)>,
}

/// How an attachment is answered.
pub fn serve(attachment: &Attachment, wanted: &Wanted) -> Served {
    let size = attachment.size_bytes;
    let tag = format!("\"{}\"", b64u(&attachment.sha256[..16]));
    let mut headers = common(attachment, &tag);
    if wanted.if_none_match.as_deref().is_some_and(|tags| has_tag(tags, &tag)) {
        return Served { status: 304, headers, bytes: None };
    }
    // A date is no tag: then the whole is sent (RFC 9110 §13.1.5).
    let same = wanted.if_range.as_deref().is_none_or(|known| known.trim() == tag);
    let range = wanted.range.as_deref().filter(|_| same);
    headers.push(("accept-ranges", "bytes".into()));
    match Part::of(range, size) {
        Part::Nothing => {
            headers.push(("content-range", format!("bytes */{size}")));
            headers.push(("content-length", "0".into()));
            Served { status: 416, headers, bytes: None }
        }
        Part::Whole => {
            headers.push(("content-length", size.to_string()));
            Served { status: 200, headers, bytes: Some((0, size)) }
        }
        Part::Bytes { from, until } => {
            headers.push(("content-range", format!("bytes {from}-{}/{size}", until - 1)));
            headers.push(("content-length", (until - from).to_string()));
            Served { status: 206, headers, bytes: Some((from, until)) }
        }
    }
}

/// How its small picture is answered.
pub fn serve_thumbnail(whole: &Attachment, picture: &[u8], wanted: &Wanted) -> Served {
    let tag = format!("\"{}-small\"", b64u(&whole.sha256[..16]));
    let mut headers = common(whole, &tag);
    let mime = thumbnails::mime(picture);
    headers.retain(|(name, _)| !["content-type", "content-disposition"].contains(name));
    headers.push(("content-type", mime.into()));
    headers.push(("content-disposition", "inline".into()));
    if wanted.if_none_match.as_deref().is_some_and(|tags| has_tag(tags, &tag)) {
        return Served { status: 304, headers, bytes: None };
    }
    headers.push(("content-length", picture.len().to_string()));
    Served { status: 200, headers, bytes: None }
}

/// The bytes of an answer, as they are read.
pub async fn body(
    files: &Files,
    attachment: &Attachment,
    (from, until): (u64, u64),
) -> Result<impl Stream<Item = Result<Bytes, StoreError>> + use<>, ApiError> {
    let reading = files.store.read(attachment, from, Some(until)).await?;
    Ok(try_unfold(reading, |mut reading: Reading| async move {
        let next = reading.next().await;
        if let Err(error) = &next {
            tracing::error!(%error, "a download breaks off");
        }
        Ok(next?.map(|bytes| (bytes, reading)))
    }))
}

/// Whether a list of tags has this one, or all (RFC 9110 §13.1.2: weak ones are equal too).
fn has_tag(tags: &str, tag: &str) -> bool {
    let mut tags = tags.split(',').map(str::trim);
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

fn common(attachment: &Attachment, tag: &str) -> Vec<(&'static str, String)> {
    let mime = attachment.mime.as_deref();
    let kind = if is_image(mime) { "inline" } else { "attachment" };
    let sealed_name = format!("{}.age", attachment.id);
    let file_name = attachment.name.as_deref().unwrap_or(&sealed_name);
    vec![
        ("content-type", mime.unwrap_or("application/octet-stream").into()),
        ("content-disposition", name::disposition(kind, file_name)),
        ("content-security-policy", SANDBOX.into()),
        ("x-content-type-options", "nosniff".into()),
        ("cross-origin-resource-policy", "same-origin".into()),
        // Kept by the browser, and asked for again each time: whoever left a room gets a 404.
        ("cache-control", "private, no-cache, no-transform".into()),
        ("etag", tag.into()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_a_list() {
        assert!(has_tag("\"a\", W/\"b\"", "\"b\"") && has_tag("*", "\"b\""));
        assert!(!has_tag("\"a\"", "\"b\"") && !has_tag("b", "\"b\""));
    }
}
