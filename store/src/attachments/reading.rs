//! Streaming out: from any byte on, 64 KiB at a time.

use std::io::Read;

use bytes::Bytes;
use hearth_protocol::ids::AttachmentId;
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use super::files::{CHUNK_BYTES, Source, read_error};
use super::{Attachment, Attachments};
use crate::error::StoreError;

/// An attachment, or a part of it, on its way to somebody. It may be dropped at any time.
pub struct Reading {
    id: AttachmentId,
    source: Option<Source>,
    left_bytes: u64,
    /// Of a reading from the first byte to the last: what its SHA-256 must be.
    whole: Option<(Sha256, [u8; 32])>,
}

impl Attachments {
    /// Opens an attachment from byte `from` up to, not including, `until`, which is cut to its
    /// size. `from` beyond the size is refused, and so is what is in quarantine.
    pub async fn read(
        &self,
        attachment: &Attachment,
        from: u64,
        until: Option<u64>,
    ) -> Result<Reading, StoreError> {
        attachment.may_be_read()?;
        let size = attachment.size_bytes;
        let until = until.map_or(size, |until| until.min(size));
        if from > until || (from == size && from > 0) {
            return Err(StoreError::Invalid {
                what: "the range",
                why: "it begins behind the end of the attachment",
            });
        }
        let (files, wanted) = (self.files.clone(), attachment.clone());
        let opened = spawn_blocking(move || files.read(&wanted, from)).await;
        let source = opened.map_err(|_ended| StoreError::Closed)??;
        let is_whole = from == 0 && until == size;
        Ok(Reading {
            id: attachment.id,
            source: Some(source),
            left_bytes: until - from,
            whole: is_whole.then(|| (Sha256::new(), attachment.sha256)),
        })
    }
}

impl Reading {
    /// How many bytes will still come.
    pub fn left_bytes(&self) -> u64 {
        self.left_bytes
    }

    /// The next bytes, at most 64 KiB; `None` after the last. What is not what was stored is an
    /// error, with which the reading ends.
    pub async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        if self.left_bytes == 0 {
            return Ok(None);
        }
        let Some(mut source) = self.source.take() else { return Err(StoreError::Closed) };
        let size = usize::try_from(self.left_bytes).unwrap_or(usize::MAX).min(CHUNK_BYTES);
        let read = spawn_blocking(move || {
            let mut chunk = vec![0; size];
            source.read_exact(&mut chunk).map(|()| (source, chunk))
        });
        let read = read.await.map_err(|_ended| StoreError::Closed)?;
        let (source, chunk) = read.map_err(|error| read_error(self.id, error))?;
        self.left_bytes -= u64::try_from(size).unwrap_or(self.left_bytes);
        self.source = Some(source);
        if let Some((mut sha256, expected)) = self.whole.take() {
            sha256.update(&chunk);
            if self.left_bytes > 0 {
                self.whole = Some((sha256, expected));
            } else if <[u8; 32]>::from(sha256.finalize()) != expected {
                let why = "its bytes are not those that came".into();
                return Err(StoreError::FileDamaged { id: self.id, why });
            }
        }
        Ok(Some(chunk.into()))
    }
}
