//! The files beside the database: `files/ab/<id>`, where `ab` are the last two digits of the id.
//! What came in clear is an age file to HKDF(the store's secret, "", "hearth/v1/files"), what
//! came sealed lies there as it came. A small picture may lie beside it, as `files/ab/<id>.thumb`,
//! sealed in the same way. Everything here blocks.
//!
//! A file is written under another name, synced, renamed, and its folder synced: what has its name
//! is complete. One that is dropped before that is removed.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use age::stream::{StreamReader, StreamWriter};
use hearth_protocol::ids::AttachmentId;
use hearth_protocol::sealing::agefile::AgeIdentity;
use hearth_protocol::sealing::kdf::Secret;
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Attachment;
use super::folder::{Folders, NewFile};
use crate::engine::EngineError;
use crate::error::StoreError;

/// Bytes that are read or written at a time: age's own chunk.
pub(super) const CHUNK_BYTES: usize = 64 * 1024;
/// The folder of files.
pub(super) struct Files {
    root: PathBuf,
    folders: Arc<dyn Folders>,
    identity: age::x25519::Identity,
}

/// A name that was found in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// Whose file it is.
    pub id: AttachmentId,
    /// Which of its files.
    pub what: What,
}

/// The files of an attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// The attachment.
    Whole,
    /// What is not complete of it.
    Part,
    /// Its small picture.
    Thumbnail,
    /// What is not complete of that.
    ThumbnailPart,
}

impl What {
    /// What the names of such files end with; the longer endings first.
    const ENDINGS: [(What, &str); 4] = [
        (What::ThumbnailPart, ".thumb.part"),
        (What::Thumbnail, ".thumb"),
        (What::Part, ".part"),
        (What::Whole, ""),
    ];

    fn ending(self) -> &'static str {
        Self::ENDINGS.iter().find(|(what, _)| *what == self).map_or("", |(_, ending)| ending)
    }

    /// What it is while it is written.
    fn part(self) -> What {
        match self {
            What::Whole | What::Part => What::Part,
            What::Thumbnail | What::ThumbnailPart => What::ThumbnailPart,
        }
    }

    /// Whether it stays as long as there is a record.
    pub fn is_complete(self) -> bool {
        self.part() != self
    }
}

impl Found {
    /// The attachment itself.
    pub fn whole(id: AttachmentId) -> Self {
        Found { id, what: What::Whole }
    }
}

impl Files {
    /// The files of a data folder, and the store's secret for them.
    pub fn open(
        root: PathBuf,
        secret: &[u8; 32],
        folders: Arc<dyn Folders>,
    ) -> Result<Self, StoreError> {
        let mut scalar = Zeroizing::new([0; 32]);
        let expanded = Hkdf::<Sha256>::new(None, secret).expand(b"hearth/v1/files", &mut *scalar);
        expanded.map_err(|error| EngineError::Closed(error.to_string()))?;
        let identity = AgeIdentity::from_scalar(&Secret::from_bytes(*scalar))
            .map_err(|error| EngineError::Closed(error.to_string()))?;
        let identity = identity.to_text().parse();
        let identity = identity.map_err(|why: &str| EngineError::Closed(why.to_string()))?;
        Ok(Self { root, folders, identity })
    }

    fn folder(&self, id: AttachmentId) -> PathBuf {
        let [.., last] = *id.as_bytes();
        self.root.join(format!("{last:02x}"))
    }

    fn path(&self, id: AttachmentId, what: What) -> PathBuf {
        self.folder(id).join(format!("{id}{}", what.ending()))
    }

    /// A new file, of which nothing is there until it is finished.
    pub fn begin(&self, id: AttachmentId, what: What, sealed: bool) -> io::Result<Writing> {
        self.folders.make(&self.folder(id))?;
        self.folders.sync(&self.root)?;
        let part = self.path(id, what.part());
        let file = self.folders.create(&part)?;
        // From here on what was made is removed with `writing`.
        let mut writing = Writing {
            out: Out::Raw(file),
            part,
            path: self.path(id, what),
            folders: self.folders.clone(),
            sha256: Sha256::new(),
            size_bytes: 0,
            done: false,
        };
        if !sealed {
            writing.seal(&self.identity.to_public())?;
        }
        Ok(writing)
    }

    /// What an attachment is, from one of its bytes on.
    pub fn read(&self, attachment: &Attachment, from: u64) -> Result<Source, StoreError> {
        let id = attachment.id;
        let damaged = |why: String| StoreError::FileDamaged { id, why };
        let failed = |error| read_error(id, error);
        let mut file = match File::open(self.path(id, What::Whole)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(damaged("it is not there".into()));
            }
            opened => opened.map_err(failed)?,
        };
        let (there, stored) = (file.metadata().map_err(failed)?.len(), attachment.stored_bytes);
        if there != stored {
            return Err(damaged(format!("it has {there} bytes instead of {stored}")));
        }
        if attachment.sealed {
            file.seek(SeekFrom::Start(from)).map_err(failed)?;
            return Ok(Source::Raw(file));
        }
        let mut reader = self.unseal(id, file)?;
        if from > 0 {
            reader.seek(SeekFrom::Start(from)).map_err(failed)?;
        }
        Ok(Source::Sealed(Box::new(reader)))
    }

    /// A small picture of at most `max` bytes; `None`: there is none.
    pub fn read_thumbnail(
        &self,
        id: AttachmentId,
        max: u64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let file = match File::open(self.path(id, What::Thumbnail)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|error| read_error(id, error))?,
        };
        let mut bytes = vec![];
        let read = self.unseal(id, file)?.take(max).read_to_end(&mut bytes);
        read.map_err(|error| read_error(id, error))?;
        Ok(Some(bytes))
    }

    fn unseal(
        &self,
        id: AttachmentId,
        file: File,
    ) -> Result<StreamReader<BufReader<File>>, StoreError> {
        let damaged = |why: String| StoreError::FileDamaged { id, why };
        let opened = age::Decryptor::new_buffered(BufReader::new(file))
            .and_then(|file| file.decrypt(std::iter::once(&self.identity as &dyn age::Identity)));
        opened.map_err(|error| match error {
            age::DecryptError::NoMatchingKeys => damaged("it was sealed in another house".into()),
            age::DecryptError::Io(error) => read_error(id, error),
            other => damaged(other.to_string()),
        })
    }

    /// How many bytes lie on disk; `None`: there is no such file.
    pub fn stored_bytes(&self, id: AttachmentId) -> io::Result<Option<u64>> {
        match fs::metadata(self.path(id, What::Whole)) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes a file, complete or not; nothing if there is none. With an attachment goes its small
    /// picture.
    pub fn remove(&self, found: Found) -> io::Result<()> {
        if found.what == What::Whole {
            self.folders.remove(&self.path(found.id, What::Thumbnail))?;
        }
        self.folders.remove(&self.path(found.id, found.what))
    }

    /// What lies in one of the 256 folders. Names that are none of ours stay, and are logged.
    pub fn list(&self, folder: u8) -> io::Result<Vec<Found>> {
        let entries = match fs::read_dir(self.root.join(format!("{folder:02x}"))) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            entries => entries?,
        };
        let mut found = vec![];
        for entry in entries {
            let name = entry?.file_name();
            let name = name.to_string_lossy();
            let parsed = What::ENDINGS.iter().find_map(|(what, ending)| {
                Some(Found { id: name.strip_suffix(ending)?.parse().ok()?, what: *what })
            });
            match parsed {
                Some(file) => found.push(file),
                None => tracing::warn!(folder, "a file in the folder of attachments is not ours"),
            }
        }
        Ok(found)
    }
}

/// What a failed read says about the file.
pub(super) fn read_error(id: AttachmentId, error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            StoreError::FileDamaged { id, why: error.to_string() }
        }
        _ => StoreError::File { id, done: "read", cause: error.into() },
    }
}

/// A file that is being written.
pub(super) struct Writing {
    out: Out,
    part: PathBuf,
    path: PathBuf,
    folders: Arc<dyn Folders>,
    sha256: Sha256,
    size_bytes: u64,
    done: bool,
}

enum Out {
    Raw(Box<dyn NewFile>),
    Sealed(Box<StreamWriter<Box<dyn NewFile>>>),
    Ended,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    pub size_bytes: u64,
    pub stored_bytes: u64,
    pub sha256: [u8; 32],
}

impl Writing {
    fn seal(&mut self, to: &age::x25519::Recipient) -> io::Result<()> {
        if let Out::Raw(file) = std::mem::replace(&mut self.out, Out::Ended) {
            let to = std::iter::once(to as &dyn age::Recipient);
            let sealer = age::Encryptor::with_recipients(to).map_err(io::Error::other)?;
            self.out = Out::Sealed(Box::new(sealer.wrap_output(file)?));
        }
        Ok(())
    }

    /// Adds bytes.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.out {
            Out::Raw(file) => file.write_all(bytes)?,
            Out::Sealed(file) => file.write_all(bytes)?,
            Out::Ended => return Err(io::Error::other("the file is finished")),
        }
        self.sha256.update(bytes);
        self.size_bytes += u64::try_from(bytes.len()).map_err(io::Error::other)?;
        Ok(())
    }

    /// Gives it its name, durable on return.
    pub fn finish(&mut self) -> io::Result<Written> {
        let mut file = match std::mem::replace(&mut self.out, Out::Ended) {
            Out::Raw(file) => file,
            Out::Sealed(file) => file.finish()?,
            Out::Ended => return Err(io::Error::other("the file is finished")),
        };
        file.flush()?;
        file.sync()?;
        let stored_bytes = fs::metadata(&self.part)?.len();
        self.folders.rename(&self.part, &self.path)?;
        self.folders.sync(self.path.parent().unwrap_or(Path::new(".")))?;
        self.done = true;
        let sha256 = self.sha256.clone().finalize().into();
        Ok(Written { size_bytes: self.size_bytes, stored_bytes, sha256 })
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        self.out = Out::Ended;
        for path in [&self.part, &self.path] {
            if let Err(error) = self.folders.remove(path) {
                tracing::warn!(%error, "what is left of an upload waits for the sweep");
            }
        }
    }
}

/// An attachment's bytes in clear, or as they came.
pub(super) enum Source {
    Raw(File),
    Sealed(Box<StreamReader<BufReader<File>>>),
}

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Source::Raw(file) => file.read(out),
            Source::Sealed(file) => file.read(out),
        }
    }
}
