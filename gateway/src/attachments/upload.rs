//! The way in: bytes as they come, in pieces, looked at by what they are and by the virus scanner,
//! into the store. Nothing waits for the whole file, and what breaks off leaves nothing.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt, try_unfold};
use hearth_protocol::ids::{AttachmentId, UserId};
use hearth_protocol::limits::{Limits, wide};
use hearth_protocol::refusal::{Kind, Refusal};
use hearth_store::{Attachment, NewAttachment};
use tokio::time::{Instant, timeout};
use tokio_util::io::StreamReader;

use super::kind::{FileType, HEAD_BYTES, TAKEN, TAKEN_AVATAR, WordMark};
use super::name;
use super::scanner::{Scan, Scanner};
use crate::app::App;
use crate::clock::random;
use crate::error::ApiError;
use crate::membership::RoomState;

/// What an age file begins with (age-encryption.org/v1).
const AGE: &[u8] = b"age-encryption.org/v1\n";

/// The bytes of an upload, or why they end.
pub type Chunks<'a> = BoxStream<'a, Result<Bytes, Refusal>>;

/// Where an upload goes.
pub enum Purpose {
    /// Into messages of a room.
    Room(Arc<RoomState>),
    /// To be an avatar.
    Avatar,
}

/// An upload, before its bytes.
pub struct Upload {
    /// Who uploads: from the login.
    pub by: UserId,
    /// What for.
    pub to: Purpose,
    /// What its file is called, if somebody said so.
    pub name: Option<String>,
    /// How many bytes will come, where that is known.
    pub size_bytes: Option<u64>,
}

/// The same bytes, from whoever sends them fast enough.
pub fn timely<'a>(chunks: Chunks<'a>, limits: &Limits) -> Chunks<'a> {
    let idle = Duration::from_millis(wide(limits.upload_idle_ms_max));
    let until = Instant::now() + Duration::from_secs(wide(limits.upload_s_max));
    let slow = || {
        Refusal::new(Kind::Invalid, "too_slow", "the upload took too long")
            .hint("try again with a better connection, or a smaller file")
    };
    let next = move |mut chunks: Chunks<'a>| async move {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(slow());
        }
        match timeout(idle.min(left), chunks.next()).await {
            Ok(next) => Ok(next.transpose()?.map(|bytes| (bytes, chunks))),
            Err(_elapsed) => Err(slow()),
        }
    };
    try_unfold(chunks, next).boxed()
}

impl App {
    /// Stores an upload, or says why not; then nothing of it is left, but of what the scanner
    /// found something in: that is kept from everybody for a day, and in the audit log.
    pub async fn upload(&self, upload: Upload, chunks: Chunks<'_>) -> Result<Attachment, ApiError> {
        let files = self.files()?;
        let mut arriving = Arriving::new(chunks);
        arriving.gather().await?;
        let mut new = self.new_attachment(&upload);
        if !new.sealed {
            let kind = FileType::of(&arriving.first).ok_or_else(|| match upload.to {
                Purpose::Room(_) => bad_type("an attachment", TAKEN),
                Purpose::Avatar => bad_type("an avatar", TAKEN_AVATAR),
            })?;
            let bytes_max = self.limits.attachment_name_bytes_max;
            new.name = Some(name::kept(upload.name.as_deref(), kind, bytes_max));
            new.mime = Some(kind.mime().to_string());
            arriving.word = (kind == FileType::Doc).then(WordMark::default);
            arriving.scanner = files.scanner.clone().map(|scanner| (scanner, self.limits.clone()));
        } else if !arriving.first.starts_with(AGE) {
            let message = "the room is sealed: what is stored for it is an age file";
            return Err(ApiError::invalid("not_sealed", message)
                .hint("the web client and `age -r` seal it first"));
        }
        let (id, owner) = (new.id, new.owner);
        let verdict = arriving.verdict.clone();
        let reader = StreamReader::new(Box::pin(try_unfold(arriving, |mut arriving| async move {
            let next = arriving.next().await;
            let next = next.map_err(|no| arriving.verdict.refuse(no))?;
            Ok::<_, io::Error>(next.map(|bytes| (bytes, arriving)))
        })));
        let found = || verdict.found().map(|what| self.quarantined(None, id, owner, Some(what)));
        let put = files.store.put_with(new, reader, || found().unwrap_or_default()).await;
        if let Some(no) = verdict.refused() {
            return Err(no);
        }
        let attachment = put.map_err(told)?;
        match verdict.found() {
            Some(what) => {
                let message = format!("the virus scanner found {what} in the file; it is refused");
                Err(ApiError::invalid("malware_found", message)
                    .hint("if it is harmless, who runs the house can let it go within a day"))
            }
            None => Ok(attachment),
        }
    }

    fn new_attachment(&self, upload: &Upload) -> NewAttachment {
        let at_ms = self.clock.now_ms();
        let (room, sealed) = match &upload.to {
            Purpose::Room(state) => (Some(state.room.id), state.is_sealed()),
            Purpose::Avatar => (None, false),
        };
        let (id, owner, size_bytes) =
            (AttachmentId::new(at_ms, random()), upload.by, upload.size_bytes);
        NewAttachment { id, owner, room, sealed, name: None, mime: None, size_bytes, at_ms }
    }

    /// Makes the small picture of an upload, so that it is there when somebody looks.
    pub async fn picture(&self, attachment: &Attachment) {
        if let Ok(files) = self.files()
            && super::kind::is_image(attachment.mime.as_deref())
            && let Err(ApiError(no)) = files.thumbnail(attachment).await
        {
            tracing::debug!(attachment = %attachment.id, %no, "no small picture yet");
        }
    }
}

fn bad_type(what: &str, taken: &str) -> ApiError {
    ApiError::invalid("bad_type", format!("{what} is one of these: {taken}; this is none of them"))
        .hint("what the file is, its bytes say and not its name; put others into a zip file")
}

/// What the store refused, with the remedy of an upload.
fn told(error: hearth_store::StoreError) -> ApiError {
    let ApiError(no) = error.into();
    ApiError(match no.code {
        "quota_full" => no.hint("delete messages with files, or ask who runs the house for room"),
        "limit_reached" => no.hint("wait until another upload is done, or delete old files"),
        _ => no,
    })
}

/// An upload of which the first bytes are here.
struct Arriving<'a> {
    chunks: Chunks<'a>,
    /// The first bytes, together.
    first: Vec<u8>,
    /// What came and was not passed on yet.
    waiting: VecDeque<Bytes>,
    word: Option<WordMark>,
    /// Who looks at it, until it begins.
    scanner: Option<(Scanner, Arc<Limits>)>,
    scan: Option<Scan>,
    verdict: Verdict,
}

impl<'a> Arriving<'a> {
    fn new(chunks: Chunks<'a>) -> Self {
        Self {
            chunks,
            first: vec![],
            waiting: VecDeque::new(),
            word: None,
            scanner: None,
            scan: None,
            verdict: Verdict::default(),
        }
    }

    /// Waits for the bytes that tell the type.
    async fn gather(&mut self) -> Result<(), ApiError> {
        while self.first.len() < HEAD_BYTES {
            let Some(bytes) = self.chunks.next().await.transpose()? else { break };
            let wanted = HEAD_BYTES - self.first.len();
            self.first.extend_from_slice(bytes.get(..wanted).unwrap_or(&bytes));
            self.waiting.push_back(bytes);
        }
        Ok(())
    }

    /// The next bytes, after everybody looked at them; `None` after the last, if nobody minds.
    async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        let next = match self.waiting.pop_front() {
            Some(bytes) => Some(bytes),
            None => self.chunks.next().await.transpose()?,
        };
        if let Some((scanner, limits)) = self.scanner.take() {
            self.scan = Some(scanner.begin(&limits).await?);
        }
        let Some(bytes) = next else {
            if self.word.take().is_some_and(|word| !word.found()) {
                return Err(bad_type("an attachment", TAKEN));
            }
            if let Some(scan) = self.scan.take()
                && let Some(what) = scan.end().await?
            {
                self.verdict.find(what);
            }
            return Ok(None);
        };
        if let Some(word) = &mut self.word {
            word.see(&bytes);
        }
        if let Some(scan) = &mut self.scan {
            scan.see(&bytes).await?;
        }
        Ok(Some(bytes))
    }
}

/// What was said about an upload while it came.
#[derive(Clone, Default)]
struct Verdict(Arc<Mutex<Said>>);

#[derive(Default)]
struct Said {
    refused: Option<ApiError>,
    found: Option<String>,
}

impl Verdict {
    fn with<T>(&self, look: impl FnOnce(&mut Said) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn refuse(&self, no: ApiError) -> io::Error {
        let error = io::Error::other(no.0.clone());
        self.with(|said| said.refused = Some(no));
        error
    }

    fn refused(&self) -> Option<ApiError> {
        self.with(|said| said.refused.clone())
    }

    fn find(&self, what: String) {
        self.with(|said| said.found = Some(what));
    }

    fn found(&self) -> Option<String> {
        self.with(|said| said.found.clone())
    }
}
