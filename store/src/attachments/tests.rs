//! Attachments on a real folder: records, streams, power cuts, sweeps.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hearth_protocol::limits::Limits;
use hearth_protocol::role::Sealing;
use tempfile::TempDir;
use tokio::io::{AsyncRead, ReadBuf};

use super::*;
use crate::testing::*;
use crate::{Attachments, Edit, Memory, NewAttachment, Room};

mod cuts;
mod records;
mod shows;
mod streams;
mod sweeps;
mod thumbnails;

/// A store with people, the sealed room 1 and the open room 2, and a folder beside it.
struct House {
    folder: TempDir,
    store: Store,
    attachments: Attachments,
}

impl House {
    async fn new() -> House {
        House::with(Limits::default()).await
    }

    async fn with(limits: Limits) -> House {
        House::on(Arc::new(Memory::new()), limits).await
    }

    async fn on(engine: Arc<dyn crate::Engine>, limits: Limits) -> House {
        let store = Store::open(engine, Arc::new(limits)).await.unwrap().with_people().await;
        let open = Room { sealing: Sealing::Open, ..room(2) };
        store.make(vec![Edit::PutRoom(open)]).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let attachments = Attachments::open(store.clone(), folder.path()).await.unwrap();
        House { folder, store, attachments }
    }

    async fn put(&self, new: NewAttachment, bytes: &[u8]) -> Result<Attachment, StoreError> {
        self.attachments.put(new, bytes).await
    }

    async fn read(
        &self,
        attachment: &Attachment,
        from: u64,
        until: Option<u64>,
    ) -> Result<Vec<u8>, StoreError> {
        let mut reading = self.attachments.read(attachment, from, until).await?;
        let mut all = vec![];
        while let Some(chunk) = reading.next().await? {
            assert!(chunk.len() <= 64 * 1024);
            all.extend_from_slice(&chunk);
        }
        assert_eq!(reading.left_bytes(), 0);
        Ok(all)
    }

    async fn bind(&self, number: u8, event: u8) -> Result<(), StoreError> {
        let (attachment, by) = (attachment_id(number), user_id(1));
        let edit = Edit::BindAttachment { attachment, by, event: event_id(event) };
        self.store.make(vec![edit]).await.map(drop)
    }

    async fn is_there(&self, number: u8) -> bool {
        self.store.attachment(attachment_id(number)).await.unwrap().is_some()
    }

    async fn used(&self, whose: Whose) -> (u64, u64) {
        let used = self.store.attachment_use(whose).await.unwrap();
        (used.files, used.bytes)
    }

    /// Every file beside the database.
    fn files(&self) -> Vec<PathBuf> {
        let mut found = vec![];
        walk(&self.folder.path().join("files"), &mut found);
        found.sort();
        found
    }

    fn file(&self, number: u8) -> PathBuf {
        let id = attachment_id(number);
        self.folder.path().join(format!("files/{number:02x}/{id}"))
    }
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
}

/// A text of user 1 for the open room.
fn text(number: u8) -> NewAttachment {
    NewAttachment {
        id: attachment_id(number),
        owner: user_id(1),
        room: Some(room_id(2)),
        sealed: false,
        name: Some("shopping list.txt".into()),
        mime: Some("application/pdf".into()),
        size_bytes: None,
        at_ms: 1_000,
    }
}

/// Something sealed by user 1 for the sealed room.
fn sealed(number: u8) -> NewAttachment {
    let room = Some(room_id(1));
    NewAttachment { room, sealed: true, name: None, mime: None, ..text(number) }
}

/// A picture of user 1.
fn picture(number: u8) -> NewAttachment {
    NewAttachment { room: None, mime: Some("image/png".into()), ..text(number) }
}

/// So many bytes, which differ from one another and read as text.
fn content(bytes: usize) -> Vec<u8> {
    let lines = (0..).flat_map(|line| format!("line {line} of the shopping list\n").into_bytes());
    lines.take(bytes).collect()
}

/// Bytes, and then nothing more for ever, or an error.
struct Stalls<'a> {
    bytes: &'a [u8],
    error: Option<&'static str>,
    /// Told when the bytes are taken.
    taken: Arc<tokio::sync::Notify>,
}

impl AsyncRead for Stalls<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let some = self.bytes.len().min(out.remaining()).min(1_000);
        let (now, later) = self.bytes.split_at(some);
        out.put_slice(now);
        self.bytes = later;
        if some > 0 {
            return Poll::Ready(Ok(()));
        }
        self.taken.notify_one();
        self.error.map_or(Poll::Pending, |error| Poll::Ready(Err(io::Error::other(error))))
    }
}

fn stalls(bytes: &[u8]) -> Stalls<'_> {
    Stalls { bytes, error: None, taken: Arc::default() }
}
