//! The small picture of an attachment: made from it once, and again when it is not there. So no
//! record tells of it, no backup holds it, and it counts for no quota. It goes with its attachment.

use bytes::Bytes;
use hearth_protocol::ids::AttachmentId;
use hearth_protocol::limits::wide;
use tokio::task::spawn_blocking;

use super::files::What;
use super::upload::{failed, joined};
use super::{Attachment, Attachments};
use crate::error::StoreError;

impl Attachments {
    /// The small picture of an attachment, empty where none can be made; `None`: nobody has made
    /// it yet. What is in quarantine is refused.
    pub async fn thumbnail(&self, attachment: &Attachment) -> Result<Option<Bytes>, StoreError> {
        attachment.may_be_read()?;
        let (files, id) = (self.files.clone(), attachment.id);
        let max = wide(self.store.limits().thumbnail_bytes_max);
        let read = spawn_blocking(move || files.read_thumbnail(id, max)).await;
        Ok(read.map_err(|_ended| StoreError::Closed)??.map(Bytes::from))
    }

    /// Keeps the small picture of an attachment; empty: none can be made. Nothing is kept of an
    /// attachment that is gone or just going.
    pub async fn keep_thumbnail(&self, id: AttachmentId, picture: Bytes) -> Result<(), StoreError> {
        let max = self.store.limits().thumbnail_bytes_max;
        if picture.len() > max {
            return Err(StoreError::TooLarge { what: "a small picture", max, unit: "bytes" });
        }
        let Ok(claim) = self.busy.claim(id, None, self.store.limits()) else { return Ok(()) };
        if self.store.attachment(id).await?.is_none() {
            return Ok(());
        }
        let files = self.files.clone();
        let written = spawn_blocking(move || {
            let mut writing = files.begin(id, What::Thumbnail, false)?;
            writing.write(&picture)?;
            let written = writing.finish();
            drop(claim);
            written
        });
        joined(written.await).map_err(failed(id, "given a small picture"))?;
        Ok(())
    }
}
