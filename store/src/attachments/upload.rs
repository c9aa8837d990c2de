//! Streaming in: 64 KiB at a time onto the disk, and only then into the database.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use hearth_protocol::ids::{AttachmentId, RoomId, UserId};
use hearth_protocol::limits::{Limits, wide};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::files::{CHUNK_BYTES, Files, Found, What, Writing, Written};
use super::folder::{Folders, RealFolders};
use super::{Attachment, checks};
use crate::change::{Change, Edit};
use crate::error::StoreError;
use crate::stage::Stage;
use crate::store::Store;

/// The folder of attachments in the data folder.
pub const FILES_FOLDER: &str = "files";
/// The store's secret from which the key of the files comes.
const SECRET: &str = "files";

/// The attachments of a house: the records in its store and the files beside. Cheap to clone.
#[derive(Clone)]
pub struct Attachments {
    pub(super) store: Store,
    pub(super) files: Arc<Files>,
    pub(super) busy: Arc<Busy>,
}

/// An attachment that comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttachment {
    /// Its id, never used before.
    pub id: AttachmentId,
    /// Who stores it.
    pub owner: UserId,
    /// For messages of which room; `None`: an avatar.
    pub room: Option<RoomId>,
    /// Sealed by its owner's client.
    pub sealed: bool,
    /// What its file was called; `None` if it comes sealed.
    pub name: Option<String>,
    /// Its MIME type; `None` if it comes sealed.
    pub mime: Option<String>,
    /// How many bytes will come, where that is known.
    pub size_bytes: Option<u64>,
    /// The box's clock, ms since 1970.
    pub at_ms: u64,
}

impl Attachments {
    /// The attachments of a data folder. What opens their files is a secret of the store, so that
    /// they open in a restored house too, whose data key is another (docs/decisions/0013).
    pub async fn open(store: Store, data_dir: &Path) -> Result<Self, StoreError> {
        Self::on(store, data_dir, Arc::new(RealFolders)).await
    }

    pub(super) async fn on(
        store: Store,
        data_dir: &Path,
        folders: Arc<dyn Folders>,
    ) -> Result<Self, StoreError> {
        let root = data_dir.join(FILES_FOLDER);
        let closed = |error: io::Error| StoreError::Engine(error.into());
        folders.make(&root).and_then(|()| folders.sync(data_dir)).map_err(closed)?;
        let secret = Zeroizing::new(store.secret(SECRET).await?);
        let files = Arc::new(Files::open(root, &secret, folders)?);
        Ok(Self { store, files, busy: Arc::default() })
    }

    /// Stores what comes, as it comes. When it returns `Ok` the file and its record are on disk;
    /// otherwise, and when it is dropped, nothing of it is left. The caller bounds the time that
    /// the bytes may take.
    pub async fn put(
        &self,
        new: NewAttachment,
        from: impl AsyncRead + Unpin,
    ) -> Result<Attachment, StoreError> {
        self.put_with(new, from, Vec::new).await
    }

    /// The same, where more changes together with the attachment: what `more` says when the last
    /// byte has come and the record is not there yet.
    pub async fn put_with(
        &self,
        new: NewAttachment,
        mut from: impl AsyncRead + Unpin,
        more: impl FnOnce() -> Vec<Edit>,
    ) -> Result<Attachment, StoreError> {
        let limits = self.store.limits();
        let claim = self.busy.claim(new.id, Some(new.owner), limits)?;
        self.rehearse(&new).await?;
        let (files, id, sealed) = (self.files.clone(), new.id, new.sealed);
        let begun =
            spawn_blocking(move || Ok(Held::of(files.begin(id, What::Whole, sealed)?, claim)));
        let mut held = joined(begun.await).map_err(failed(id, "made"))?;
        let written = match self.take_in(&new, &mut held, &mut from).await {
            Ok(written) => written,
            Err(error) => {
                held.close().await;
                return Err(error);
            }
        };
        // It goes on if nobody waits any more: the file has its name and wants its record.
        let completing = self.clone().complete(new, more(), written, held);
        tokio::spawn(completing).await.map_err(|_ended| StoreError::Closed)?
    }

    /// Removes an attachment and its file; nothing if it is gone.
    pub async fn remove(&self, id: AttachmentId, at_ms: u64) -> Result<(), StoreError> {
        self.store.change(Change::of(vec![Edit::RemoveAttachment(id)], at_ms)).await?;
        self.remove_file(Found::whole(id)).await?;
        Ok(())
    }

    /// Says no at once to what would be refused at the end.
    async fn rehearse(&self, new: &NewAttachment) -> Result<(), StoreError> {
        let size_bytes = new.size_bytes.unwrap_or_default();
        let written = Written { size_bytes, stored_bytes: 0, sha256: [0; 32] };
        let mut stage = Stage::new(self.store.engine());
        super::put(&mut stage, &attachment(new, written), self.store.limits()).await
    }

    async fn take_in(
        &self,
        new: &NewAttachment,
        held: &mut Held,
        from: &mut (impl AsyncRead + Unpin),
    ) -> Result<Written, StoreError> {
        let max = checks::size_max(new.room, new.sealed, self.store.limits());
        let mut size = 0;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let filled = fill(from, &mut chunk).await;
            let filled =
                filled.map_err(|error| StoreError::BrokenOff { why: error.to_string() })?;
            size += filled;
            if size > max {
                return Err(StoreError::TooLarge { what: "the attachment", max, unit: "bytes" });
            }
            let last = filled < CHUNK_BYTES;
            let write = move |file: &mut Writing| {
                file.write(&chunk[..filled])?;
                Ok(chunk)
            };
            chunk = held.with(write).await.map_err(failed(new.id, "written"))?;
            if last {
                break;
            }
        }
        let size = wide(size);
        if let Some(announced) = new.size_bytes.filter(|announced| *announced != size) {
            let why = format!("{size} bytes came of {announced}");
            return Err(StoreError::BrokenOff { why });
        }
        held.with(Writing::finish).await.map_err(failed(new.id, "made durable"))
    }

    async fn complete(
        self,
        new: NewAttachment,
        more: Vec<Edit>,
        written: Written,
        held: Held,
    ) -> Result<Attachment, StoreError> {
        let attachment = attachment(&new, written);
        let mut edits = vec![Edit::PutAttachment(attachment.clone())];
        edits.extend(more);
        let made = self.store.change(Change::of(edits, new.at_ms)).await;
        if let Err(error) = &made
            // After these the record may be there all the same: the sweep looks.
            && !matches!(error, StoreError::Engine(_) | StoreError::Closed)
        {
            let files = self.files.clone();
            let removed = spawn_blocking(move || files.remove(Found::whole(new.id)));
            if let Err(error) = joined(removed.await) {
                tracing::warn!(%error, "a refused upload waits for the sweep");
            }
        }
        held.close().await;
        made.map(|_lines| attachment)
    }

    /// Removes a file that no record tells of, unless somebody works on it; says whether it did.
    pub(super) async fn remove_file(&self, found: Found) -> Result<bool, StoreError> {
        let Ok(claim) = self.busy.claim(found.id, None, self.store.limits()) else {
            return Ok(false);
        };
        if found.what.is_complete() && self.store.attachment(found.id).await?.is_some() {
            return Ok(false);
        }
        let files = self.files.clone();
        let removed = spawn_blocking(move || {
            let removed = files.remove(found);
            drop(claim);
            removed
        });
        joined(removed.await).map_err(failed(found.id, "removed"))?;
        Ok(true)
    }
}

fn attachment(new: &NewAttachment, written: Written) -> Attachment {
    let Written { size_bytes, stored_bytes, sha256 } = written;
    Attachment {
        id: new.id,
        owner: new.owner,
        room: new.room,
        sealed: new.sealed,
        name: new.name.clone(),
        mime: new.mime.clone(),
        size_bytes,
        stored_bytes,
        sha256,
        created_at: new.at_ms,
        shown: None,
        quarantined: None,
    }
}

/// Fills `out` as far as there is something.
async fn fill(from: &mut (impl AsyncRead + Unpin), out: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < out.len() {
        match from.read(&mut out[filled..]).await? {
            0 => break,
            more => filled += more,
        }
    }
    Ok(filled)
}

/// The result of blocking work, where a panic in it is an error too.
pub(super) fn joined<T>(result: Result<io::Result<T>, tokio::task::JoinError>) -> io::Result<T> {
    result.map_err(io::Error::other)?
}

pub(super) fn failed(id: AttachmentId, done: &'static str) -> impl Fn(io::Error) -> StoreError {
    move |error| StoreError::File { id, done, cause: error.into() }
}

/// A file that is being written, removed away from the runtime's threads if it is dropped.
struct Held(Option<Pending>);

/// In this order: the file is gone before its id is free again.
struct Pending {
    file: Writing,
    _claim: Claim,
}

impl Held {
    fn of(file: Writing, claim: Claim) -> Self {
        Self(Some(Pending { file, _claim: claim }))
    }

    async fn with<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Writing) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let pending = self.0.take();
        let mut pending = pending.ok_or_else(|| io::Error::other("an earlier step failed"))?;
        let done = spawn_blocking(move || {
            let result = work(&mut pending.file);
            (pending, result)
        });
        let (pending, result) = done.await.map_err(io::Error::other)?;
        self.0 = Some(pending);
        result
    }

    /// Removes what is not finished, and sets the id free.
    async fn close(mut self) {
        let pending = self.0.take();
        if let Err(error) = spawn_blocking(move || drop(pending)).await {
            tracing::warn!(%error, "what is left of an upload waits for the sweep");
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let (Some(pending), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn_blocking(move || drop(pending));
        }
    }
}

/// The ids whose files are being written or removed; whose uploads they are.
#[derive(Debug, Default)]
pub(super) struct Busy(Mutex<HashMap<AttachmentId, Option<UserId>>>);

/// That somebody works on a file, as long as it lives.
pub(super) struct Claim {
    busy: Arc<Busy>,
    id: AttachmentId,
}

impl Busy {
    /// Says that an id is worked on, by an upload of `owner` or (`None`) by a removal.
    pub fn claim(
        self: &Arc<Self>,
        id: AttachmentId,
        owner: Option<UserId>,
        limits: &Limits,
    ) -> Result<Claim, StoreError> {
        let mut busy = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if busy.contains_key(&id) {
            return Err(StoreError::IdTaken { what: "attachment" });
        }
        if owner.is_some() {
            let uploads = busy.values().filter(|owner| owner.is_some()).count();
            let own = busy.values().filter(|other| **other == owner).count();
            let bounds = [
                (uploads, limits.uploads_max, "uploads under way"),
                (own, limits.uploads_per_user_max, "uploads of this account under way"),
            ];
            for (there, max, what) in bounds {
                if there >= max {
                    return Err(StoreError::LimitReached { what, max });
                }
            }
        }
        busy.insert(id, owner);
        Ok(Claim { busy: self.clone(), id })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.busy.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
