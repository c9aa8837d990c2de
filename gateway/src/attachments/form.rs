//! An upload as browsers and `curl -F` send it: one file in a form (RFC 7578).

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use hearth_protocol::limits::{Limits, wide};
use hearth_protocol::refusal::{Kind, Refusal};
use multer::{Constraints, Error, Field, Multipart, SizeLimit};

use super::upload::Chunks;
use crate::error::ApiError;

/// Bytes of a field that is no file: an id.
const TEXT_BYTES_MAX: u64 = 64;

/// What a form says before its file.
#[derive(Default)]
pub struct Fields {
    /// For which room.
    pub room: Option<String>,
    /// To be an avatar.
    pub avatar: bool,
    /// What the file is called.
    pub name: Option<String>,
}

/// The boundary of a form; `None`: the body is no form but the file itself.
pub fn boundary(content_type: Option<&str>) -> Result<Option<String>, ApiError> {
    let Some(content_type) = content_type else { return Ok(None) };
    match multer::parse_boundary(content_type) {
        Ok(boundary) => Ok(Some(boundary)),
        Err(Error::NoBoundary) => Err(bad("the form has no boundary")),
        Err(_no_form) => Ok(None),
    }
}

/// The fields before the file, and the file's bytes.
pub async fn open<'a>(
    chunks: Chunks<'a>,
    boundary: String,
    limits: &Limits,
) -> Result<(Fields, Chunks<'a>), ApiError> {
    let in_file = Arc::new(AtomicBool::new(false));
    let before_max = limits.upload_form_bytes_max;
    let pieces = Pieces { chunks, taken: false, before: 0, before_max, in_file: in_file.clone() };
    let sizes = SizeLimit::new()
        .whole_stream(wide(max_bytes(limits)))
        .for_field("room", TEXT_BYTES_MAX)
        .for_field("avatar", TEXT_BYTES_MAX);
    let constraints = Constraints::new().size_limit(sizes);
    let mut form = Multipart::with_constraints(pieces, boundary, constraints);
    let mut fields = Fields::default();
    while let Some(field) = form.next_field().await.map_err(refusal)? {
        if let Some(name) = field.file_name() {
            fields.name = Some(name.to_string());
            in_file.store(true, Ordering::Relaxed);
            return Ok((fields, file(field)));
        }
        match field.name() {
            Some("room") => fields.room = Some(text(field).await?),
            Some("avatar") => fields.avatar = text(field).await? == "1",
            _ => {}
        }
    }
    Err(bad("there is no file in the form").hint("curl -F file=@PHOTO.jpg, after other fields"))
}

/// How large a body with a form may be.
pub fn max_bytes(limits: &Limits) -> usize {
    let file = limits.attachment_bytes_max.saturating_add(limits.attachment_sealing_bytes_max);
    file.saturating_add(limits.upload_form_bytes_max)
}

async fn text(field: Field<'_>) -> Result<String, ApiError> {
    Ok(field.text().await.map_err(refusal)?.trim().to_string())
}

fn file(field: Field<'_>) -> Chunks<'_> {
    field.map(|chunk| chunk.map_err(|error| refusal(error).0)).boxed()
}

fn bad(message: impl Into<String>) -> ApiError {
    ApiError::invalid("bad_form", message)
}

fn refusal(error: Error) -> ApiError {
    match error {
        Error::StreamReadFailed(cause) => match cause.downcast::<Refusal>() {
            Ok(no) => ApiError(*no),
            Err(cause) => ApiError::invalid("broke_off", cause.to_string()),
        },
        Error::StreamSizeExceeded { limit } => {
            ApiError::new(Kind::TooLarge, "too_large", format!("more than {limit} bytes came"))
        }
        Error::IncompleteFieldData { .. } | Error::IncompleteStream | Error::IncompleteHeaders => {
            ApiError::invalid("broke_off", "the upload broke off; send it again")
        }
        error => bad(format!("the form does not read: {error}")),
    }
}

/// A body one piece at a time: the parser takes all that is there whenever it looks, and would so
/// hold what a fast sender sends.
struct Pieces<'a> {
    chunks: Chunks<'a>,
    /// A piece was taken since the parser looked last.
    taken: bool,
    /// Bytes before the file.
    before: usize,
    before_max: usize,
    in_file: Arc<AtomicBool>,
}

impl Stream for Pieces<'_> {
    type Item = Result<Bytes, Refusal>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.taken {
            self.taken = false;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let in_file = self.in_file.load(Ordering::Relaxed);
        if !in_file && self.before > self.before_max {
            return Poll::Ready(Some(Err(bad("the file comes too late in the form").0)));
        }
        let next = ready!(self.chunks.poll_next_unpin(context));
        if let Some(Ok(bytes)) = &next {
            self.taken = true;
            self.before = self.before.saturating_add(bytes.len());
        }
        Poll::Ready(next)
    }
}
