//! Makes a data folder of a backup: under another name until all of it was checked and is durable.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hearth_protocol::limits::Limits;
use hearth_protocol::sealing::AgeIdentity;
use hearth_protocol::sealing::agefile::open_from;
use tokio::runtime::Handle;

use super::attachments;
use super::error::{BackupError, io_error};
use super::frame::{Bad, Counts, Frame, Header, Reader, VERSION};
use crate::disk::{DATABASE_FILE, FileDisk, FileError, sync_folder_of};
use crate::engine::redb::Redb;
use crate::engine::{Batch, Engine};
use crate::error::StoreError;
use crate::master_key::{DataKey, Keys, Opened, Passphrase};
use crate::migrate;

/// Bytes of rows in one commit.
const BATCH_BYTES: usize = 1024 * 1024;

/// What was read of a backup, to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the house is called.
    pub house: String,
    /// When the backup was made, ms since 1970.
    pub made_at: u64,
    /// What is in it.
    pub counts: Counts,
}

/// What becomes of a backup's parts.
trait Target {
    fn row(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), BackupError>;
    fn file(&mut self, name: &str) -> Result<(), BackupError>;
    fn data(&mut self, bytes: &[u8]) -> Result<(), BackupError>;
    /// No more of a file comes.
    fn end_file(&mut self) -> Result<(), BackupError>;
    /// The file is not whole and never will be.
    fn drop_file(&mut self) -> Result<(), BackupError>;
}

/// Reads a backup to its end and keeps nothing of it.
pub fn check(
    file: &Path,
    identity: &AgeIdentity,
    limits: &Limits,
) -> Result<Restored, BackupError> {
    read(file, identity, limits, &mut Nothing)
}

/// Makes a new data folder, where `keys` has it, of a backup. The folder has its name only when all
/// of the backup was good and is on disk. Its key is opened as a new house's is: an existing key
/// file is taken, else one is made. Blocks: for a thread of a runtime that may.
pub fn restore(
    file: &Path,
    identity: &AgeIdentity,
    keys: &Keys,
    passphrase: Option<&Passphrase>,
    limits: &Limits,
) -> Result<Restored, BackupError> {
    let (data, key_file) = (&keys.data, &keys.key_file);
    refuse_occupied(data)?;
    let new_key = !key_file.try_exists().map_err(io_error(key_file, "looked for"))?;
    let folder = New::make(data)?;
    let keys = Keys { data: folder.path.clone(), ..keys.clone() };
    let restored = match keys.open(passphrase, limits) {
        Ok(Opened { key, .. }) => fill(file, identity, &folder, &key, limits),
        Err(error) => Err(error.into()),
    };
    let restored = restored.and_then(|restored| folder.keep(data).map(|()| restored));
    // A folder that has its name already is opened with this key.
    if restored.is_err() && new_key && key_file.exists() && refuse_occupied(data).is_ok() {
        // It opens nothing.
        remove(fs::remove_file(key_file), key_file);
    }
    restored
}

fn fill(
    file: &Path,
    identity: &AgeIdentity,
    folder: &New,
    key: &DataKey,
    limits: &Limits,
) -> Result<Restored, BackupError> {
    let disk = Arc::new(FileDisk::open(&folder.path.join(DATABASE_FILE))?);
    let engine = Redb::open(disk, key, limits.cache_bytes)?;
    let mut into = Folder {
        path: &folder.path,
        engine: &engine,
        runtime: Handle::current(),
        batch: Batch::default(),
        bytes: 0,
        open: None,
    };
    let restored = read(file, identity, limits, &mut into)?;
    into.commit()?;
    Ok(restored)
}

fn refuse_occupied(data: &Path) -> Result<(), BackupError> {
    match fs::read_dir(data).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(false) => Err(BackupError::Occupied(data.to_path_buf())),
        Err(error) => Err(io_error(data, "looked into")(error)),
    }
}

fn read(
    file: &Path,
    identity: &AgeIdentity,
    limits: &Limits,
    into: &mut dyn Target,
) -> Result<Restored, BackupError> {
    let bad = |bad: Bad| {
        let path = file.to_path_buf();
        match bad {
            Bad::Magic => BackupError::NotABackup(path),
            Bad::Newer(found) => BackupError::Newer { path, found, known: VERSION },
            Bad::Damaged(what) => BackupError::Damaged { path, what },
        }
    };
    let bytes = BufReader::new(File::open(file).map_err(io_error(file, "read"))?);
    let bytes = open_from("backup", identity, bytes)
        .map_err(|cause| BackupError::NotOpened { path: file.to_path_buf(), cause })?;
    let (mut reader, header) = Reader::new(bytes, limits.backup_row_bytes_max).map_err(bad)?;
    let Header { house, made_at, layout } = header;
    if layout > migrate::LAYOUT {
        return Err(StoreError::Newer { found: layout, known: migrate::LAYOUT }.into());
    }
    let (mut in_file, mut rows_over) = (false, false);
    loop {
        let frame = reader.next().map_err(bad)?;
        let goes_on = matches!(frame, Frame::Data(_));
        if in_file && matches!(frame, Frame::Lost(_)) {
            into.drop_file()?;
            in_file = false;
        }
        if in_file && !goes_on {
            into.end_file()?;
            in_file = false;
        }
        match frame {
            Frame::Row { key, value } if !rows_over => into.row(key, value)?,
            Frame::Data(bytes) if in_file => into.data(&bytes)?,
            Frame::File(name) if attachments::is_name(&name) => {
                into.file(&name)?;
                (in_file, rows_over) = (true, true);
            }
            Frame::Gone(_) | Frame::Lost(_) => {}
            Frame::End(counts) => return Ok(Restored { house, made_at, counts }),
            Frame::Row { .. } | Frame::Data(_) | Frame::File(_) => {
                return Err(bad(Bad::Damaged("its parts are in disorder".into())));
            }
        }
    }
}

/// Where [`check`] puts what it reads.
struct Nothing;

impl Target for Nothing {
    fn row(&mut self, _: Vec<u8>, _: Vec<u8>) -> Result<(), BackupError> {
        Ok(())
    }

    fn file(&mut self, _: &str) -> Result<(), BackupError> {
        Ok(())
    }

    fn data(&mut self, _: &[u8]) -> Result<(), BackupError> {
        Ok(())
    }

    fn end_file(&mut self) -> Result<(), BackupError> {
        Ok(())
    }

    fn drop_file(&mut self) -> Result<(), BackupError> {
        Ok(())
    }
}

/// A folder that is being filled.
struct Folder<'a> {
    path: &'a Path,
    engine: &'a dyn Engine,
    runtime: Handle,
    batch: Batch,
    bytes: usize,
    open: Option<(PathBuf, File)>,
}

impl Folder<'_> {
    fn commit(&mut self) -> Result<(), BackupError> {
        self.bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        Ok(self.runtime.block_on(self.engine.commit(batch))?)
    }
}

impl Target for Folder<'_> {
    fn row(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), BackupError> {
        self.bytes += key.len() + value.len();
        self.batch.put(key.into(), value.into());
        if self.bytes < BATCH_BYTES { Ok(()) } else { self.commit() }
    }

    fn file(&mut self, name: &str) -> Result<(), BackupError> {
        let path = attachments::path(self.path, name);
        let made = io_error(&path, "made");
        for folder in path.ancestors().skip(1).take(2).collect::<Vec<_>>().into_iter().rev() {
            match DirBuilder::new().mode(0o700).create(folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                done => {
                    done.and_then(|()| sync_folder_of(folder)).map_err(&made)?;
                }
            }
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        self.open = Some((path.clone(), file.map_err(&made)?));
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        match &mut self.open {
            Some((path, file)) => file.write_all(bytes).map_err(io_error(path, "written")),
            None => Ok(()),
        }
    }

    fn end_file(&mut self) -> Result<(), BackupError> {
        let Some((path, file)) = self.open.take() else { return Ok(()) };
        let synced = file.sync_all().and_then(|()| sync_folder_of(&path));
        synced.map_err(io_error(&path, "written"))
    }

    fn drop_file(&mut self) -> Result<(), BackupError> {
        let Some((path, _)) = self.open.take() else { return Ok(()) };
        fs::remove_file(&path).map_err(io_error(&path, "removed"))
    }
}

/// A folder that has not got its name yet; removed when it does not get that far.
struct New {
    path: PathBuf,
    kept: bool,
}

impl New {
    fn make(data: &Path) -> Result<Self, BackupError> {
        let mut name = data.file_name().unwrap_or_default().to_os_string();
        name.push(".restoring");
        let path = data.with_file_name(name);
        if path.is_dir() {
            // What an interrupted restore left, unless one is under way.
            match FileDisk::open(&path.join(DATABASE_FILE)) {
                Err(FileError::InUse(_)) => return Err(BackupError::Restoring(path)),
                opened => drop(opened),
            }
            fs::remove_dir_all(&path).map_err(io_error(&path, "removed"))?;
        }
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&path).map_err(io_error(&path, "made"))?;
        Ok(Self { path, kept: false })
    }

    /// Gives it its name, when all in it is durable.
    fn keep(mut self, data: &Path) -> Result<(), BackupError> {
        let kept = || {
            // A database that closes writes its header once more, for nobody to wait for.
            File::open(self.path.join(DATABASE_FILE))?.sync_all()?;
            File::open(&self.path)?.sync_all()?;
            fs::rename(&self.path, data)?;
            sync_folder_of(data)
        };
        kept().map_err(io_error(data, "made"))?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for New {
    fn drop(&mut self) {
        if !self.kept {
            remove(fs::remove_dir_all(&self.path), &self.path);
        }
    }
}

fn remove(done: io::Result<()>, path: &Path) {
    if let Err(error) = done {
        tracing::warn!(%error, path = %path.display(), "what was half restored stays there");
    }
}
