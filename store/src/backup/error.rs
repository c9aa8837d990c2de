//! Why there is no backup, or no house made of one.

use std::io;
use std::path::{Path, PathBuf};

use hearth_protocol::sealing::SealingError;

use crate::disk::FileError;
use crate::engine::EngineError;
use crate::error::StoreError;
use crate::master_key::KeyError;

/// Why there is no backup, or no house made of one. What was there before still is.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Nobody could open it.
    #[error(
        "nobody could open this backup: make its key first (`hearth backup key FILE`), \
         or name a recipient (--to age1…)"
    )]
    NoRecipient,
    /// Something else has the name.
    #[error("{0} is there already and is no backup; give another name, or move it away")]
    Taken(PathBuf),
    /// An age file has the name, of which nobody knows what is in it.
    #[error(
        "{0} is there already and is not the last backup of this house: give another name, or \
         replace it with --force"
    )]
    NotTheLast(PathBuf),
    /// The house stops, or was told to.
    #[error("the box is stopping; make the backup again when it runs")]
    Stopped,
    /// A row that no backup takes.
    #[error("a stored row has {bytes} bytes, a backup takes {max}; report this")]
    RowTooLarge {
        /// Its size.
        bytes: usize,
        /// The most that one may have.
        max: usize,
    },
    /// The folder has something in it.
    #[error(
        "{0} is not empty; restore into a new folder (--data), and keep that one until it runs"
    )]
    Occupied(PathBuf),
    /// The folder that becomes the new one is somebody's.
    #[error("{0} is being restored by another program; wait for it")]
    Restoring(PathBuf),
    /// It does not open.
    #[error("{path} does not open with this key; give the one it was made for")]
    NotOpened {
        /// The backup.
        path: PathBuf,
        /// What age says.
        #[source]
        cause: SealingError,
    },
    /// It opens and is something else.
    #[error("{0} is an age file, but not a backup of Hearth; give another file")]
    NotABackup(PathBuf),
    /// A newer program made it.
    #[error("{path} has format {found}, this program knows {known}; install a newer Hearth")]
    Newer {
        /// The backup.
        path: PathBuf,
        /// Its format.
        found: u8,
        /// The newest one known.
        known: u8,
    },
    /// It was cut or changed.
    #[error("{path} is damaged: {what}; nothing was restored, use another copy of it")]
    Damaged {
        /// The backup.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A file or folder does not obey.
    #[error("{path} cannot be {done}; check that its folder exists, is yours and has room")]
    Io {
        /// Which.
        path: PathBuf,
        /// What was tried.
        done: &'static str,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// The recipients.
    #[error("cannot seal to the recipients")]
    Sealing(#[source] SealingError),
    /// The house's store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The new key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The new database's file.
    #[error(transparent)]
    File(#[from] FileError),
}

impl From<EngineError> for BackupError {
    fn from(error: EngineError) -> Self {
        StoreError::from(error).into()
    }
}

/// What a file or folder did not obey in.
pub(super) fn io_error<'a>(
    path: &'a Path,
    done: &'static str,
) -> impl Fn(io::Error) -> BackupError + 'a {
    move |cause| BackupError::Io { path: path.to_path_buf(), done, cause }
}
