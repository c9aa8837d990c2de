//! What the file store asks of the file system: a seam, so that tests cut the power between any
//! two of its steps.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Folders and the files in them. A name is durable once its folder was synced.
pub(super) trait Folders: Send + Sync + fmt::Debug + 'static {
    /// Makes a folder (0700); nothing if it is there.
    fn make(&self, folder: &Path) -> io::Result<()>;

    /// Makes an empty file (0600), in place of what may be left of another.
    fn create(&self, path: &Path) -> io::Result<Box<dyn NewFile>>;

    /// Another name in the same folder.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Makes durable which names a folder has.
    fn sync(&self, folder: &Path) -> io::Result<()>;

    /// Removes a file; nothing if there is none.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// A file that is being written.
pub(super) trait NewFile: Write + Send {
    /// Makes durable what was written.
    fn sync(&mut self) -> io::Result<()>;
}

impl NewFile for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// The real ones.
#[derive(Debug)]
pub(super) struct RealFolders;

impl Folders for RealFolders {
    fn make(&self, folder: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn NewFile>> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
        Ok(Box::new(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}
