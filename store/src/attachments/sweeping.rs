//! The sweep: what nothing shows any more, files without a record, and a report of records whose
//! file is not there.

use hearth_protocol::ids::AttachmentId;
use tokio::task::spawn_blocking;

use super::files::Found;
use super::upload::{failed, joined};
use super::{Attachment, Attachments, is_unused};
use crate::change::{Change, Edit};
use crate::engine::Order;
use crate::error::StoreError;
use crate::stage::Stage;
use crate::{keys, record};

/// What a sweep did and found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SweptFiles {
    /// How many attachments are gone because nothing shows them.
    pub attachments: usize,
    /// How many files are gone because no record tells of them.
    pub files: usize,
    /// The attachments whose file is not there or has another length; they stay.
    pub damaged: Vec<AttachmentId>,
}

impl Attachments {
    /// Looks at every attachment and every file once, and removes what is for nobody, in small
    /// commits. It may run beside uploads, readings and itself. `at_ms` is the box's clock, which
    /// should be trusted: what waits for its message is judged by it.
    pub async fn sweep(&self, at_ms: u64) -> Result<SweptFiles, StoreError> {
        let mut swept = SweptFiles::default();
        let rows_max = self.store.limits().sweep_rows_max.max(1);
        let mut range = keys::attachments();
        loop {
            let rows = self.store.engine().scan(range.clone(), Order::Ascending, rows_max).await?;
            let all = rows.iter().map(|(_, value)| record::decode("attachment", value));
            let all = all.collect::<Result<Vec<Attachment>, _>>()?;
            self.sweep_page(all, at_ms, &mut swept).await?;
            match rows.last() {
                Some((last, _)) if rows.len() == rows_max => range = keys::after(range, last),
                _ => break,
            }
        }
        for folder in 0..=u8::MAX {
            let files = self.files.clone();
            let listed = spawn_blocking(move || files.list(folder)).await;
            let listed = joined(listed).map_err(|error| StoreError::Engine(error.into()))?;
            for found in listed {
                swept.files += usize::from(self.remove_file(found).await?);
            }
        }
        Ok(swept)
    }

    async fn sweep_page(
        &self,
        all: Vec<Attachment>,
        at_ms: u64,
        swept: &mut SweptFiles,
    ) -> Result<(), StoreError> {
        let mut unused = vec![];
        for attachment in all {
            let stage = Stage::new(self.store.engine());
            if is_unused(&stage, &attachment, at_ms, self.store.limits()).await? {
                unused.push(attachment.id);
            } else if self.is_damaged(&attachment).await? {
                tracing::warn!(attachment = %attachment.id, "the file of an attachment is damaged");
                swept.damaged.push(attachment.id);
            }
        }
        if unused.is_empty() {
            return Ok(());
        }
        // Each is decided once more, where nothing can come between.
        let edits = unused.iter().map(|id| Edit::SweepAttachment(*id)).collect();
        self.store.change(Change::of(edits, at_ms)).await?;
        for id in unused {
            let gone = self.remove_file(Found::whole(id)).await?;
            swept.attachments += usize::from(gone);
        }
        Ok(())
    }

    async fn is_damaged(&self, attachment: &Attachment) -> Result<bool, StoreError> {
        let (files, id) = (self.files.clone(), attachment.id);
        let stored = spawn_blocking(move || files.stored_bytes(id)).await;
        let stored = joined(stored).map_err(failed(id, "looked at"))?;
        if stored == Some(attachment.stored_bytes) {
            return Ok(false);
        }
        // Somebody may have removed it meanwhile.
        Ok(self.store.attachment(id).await?.is_some())
    }
}
