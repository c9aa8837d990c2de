//! The disk under the sealed file: a real file, or one of a test that loses what was not synced.
//! And the folder it lies in, where another file can take its place.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[cfg(test)]
pub(crate) mod through;
pub(crate) mod untouched;

/// The database's file inside the data folder.
pub const DATABASE_FILE: &str = "hearth.db";

/// Bytes at offsets. What was written is durable once a later `sync` has returned `Ok`.
pub trait Disk: Send + Sync + fmt::Debug + 'static {
    /// How many bytes there are.
    fn len(&self) -> io::Result<u64>;

    /// Whether there are none.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// How many bytes of space they take: fewer than there are, where nothing was ever written.
    fn occupied(&self) -> io::Result<u64> {
        self.len()
    }

    /// Fills `out` from an offset, or fails.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;

    /// Writes all of `data` at an offset.
    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()>;

    /// Cuts off, or adds zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Makes durable what was done.
    fn sync(&self) -> io::Result<()>;
}

/// Where the database's file has its name, and a compacted one gets it.
pub trait Folder: Send + Sync + fmt::Debug + 'static {
    /// Makes an empty file beside the database's, in place of one that is there.
    fn create_beside(&self) -> io::Result<Arc<dyn Disk>>;

    /// Gives the file beside the name of the other, which lives on without a name as long as
    /// somebody has it. After an error the names are as they were.
    fn replace(&self) -> io::Result<()>;

    /// Makes durable which file has the name. After an error nobody knows which one has it.
    fn sync(&self) -> io::Result<()>;

    /// Removes the file beside.
    fn discard(&self) -> io::Result<()>;

    /// Bytes that a file beside may take; a folder without an end has room for any.
    fn free_bytes(&self) -> io::Result<u64> {
        Ok(u64::MAX)
    }
}

/// Why the database's file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Another process has it.
    #[error("{0} is in use by another Hearth; stop that one, or use another data folder")]
    InUse(PathBuf),
    /// It cannot be opened or made.
    #[error("{path} cannot be opened; check that the folder exists and is yours to write")]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

/// A file, locked against other processes as long as it is open.
#[derive(Debug)]
pub struct FileDisk {
    file: File,
}

impl FileDisk {
    /// Opens a file, making it (0600) if it is not there.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let open = |cause| FileError::Open { path: path.to_path_buf(), cause };
        loop {
            let disk = Self::lock(path, OpenOptions::new().create(true))?;
            // Whoever had it may have given its name to another file, just before it let go.
            if disk.is_at(path).map_err(open)? {
                // A new name in a folder is durable once the folder is.
                sync_folder_of(path).map_err(open)?;
                return Ok(disk);
            }
        }
    }

    fn lock(path: &Path, options: &mut OpenOptions) -> Result<Self, FileError> {
        let open = |cause| FileError::Open { path: path.to_path_buf(), cause };
        let file = options.read(true).write(true).truncate(false).mode(0o600).open(path);
        let file = file.map_err(open)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(FileError::InUse(path.to_path_buf())),
            Err(TryLockError::Error(cause)) => Err(open(cause)),
        }
    }

    /// Whether the file is the one that has this name.
    fn is_at(&self, path: &Path) -> io::Result<bool> {
        let own = self.file.metadata()?;
        match fs::metadata(path) {
            Ok(named) => Ok((named.dev(), named.ino()) == (own.dev(), own.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The folder of a real file. Each file in it is locked from its making on, so that the lock
/// outlives a change of names.
#[derive(Debug)]
pub struct FileFolder {
    path: PathBuf,
}

impl FileFolder {
    /// Opens the database's file, and removes what a compaction that was cut off left beside it.
    pub fn open(path: &Path) -> Result<(Self, FileDisk), FileError> {
        let disk = FileDisk::open(path)?;
        let folder = Self { path: path.to_path_buf() };
        let left = |cause| FileError::Open { path: folder.beside(), cause };
        folder.discard().map_err(left)?;
        Ok((folder, disk))
    }

    fn beside(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".new");
        name.into()
    }
}

impl Folder for FileFolder {
    fn create_beside(&self) -> io::Result<Arc<dyn Disk>> {
        self.discard()?;
        let disk = FileDisk::lock(&self.beside(), OpenOptions::new().create_new(true));
        Ok(Arc::new(disk.map_err(io::Error::other)?))
    }

    fn replace(&self) -> io::Result<()> {
        fs::rename(self.beside(), &self.path)
    }

    fn sync(&self) -> io::Result<()> {
        sync_folder_of(&self.path)
    }

    fn discard(&self) -> io::Result<()> {
        match fs::remove_file(self.beside()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let disk = rustix::fs::statvfs(&self.path)?;
        // What is left for this user: a file system keeps some for root.
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
}

/// Makes durable that a file is in its folder.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

impl Disk for FileDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn occupied(&self) -> io::Result<u64> {
        const BLOCK: u64 = 512;
        Ok(self.file.metadata()?.blocks() * BLOCK)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write_all_at(data, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::block_on;
    use crate::{Batch, DataKey, Engine, Redb};

    #[test]
    fn a_file_is_taken_by_one_and_keeps_what_was_synced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(DATABASE_FILE);
        let first = FileDisk::open(&path).unwrap();
        let error = FileDisk::open(&path).err().unwrap();
        assert!(matches!(error, FileError::InUse(_)), "{error}");
        drop(first);
        let disk = Arc::new(FileDisk::open(&path).unwrap());
        let key = DataKey::from_bytes([1; 32]);
        block_on(async {
            let engine = Redb::open(disk, &key, 1 << 20).unwrap();
            let mut batch = Batch::default();
            batch.put("k".into(), "v".into());
            engine.commit(batch).await.unwrap();
        });
        let engine = Redb::open(Arc::new(FileDisk::open(&path).unwrap()), &key, 1 << 20).unwrap();
        assert_eq!(block_on(engine.get("k".into())).unwrap().unwrap(), "v");
        let nowhere = FileDisk::open(&folder.path().join("missing/hearth.db")).err().unwrap();
        assert!(matches!(nowhere, FileError::Open { .. }), "{nowhere}");
    }
}
