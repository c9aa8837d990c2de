//! Changes of key files as steps, so that a test can cut the power between any two of them. What a
//! step wrote is durable once a later [`Step::Sync`] of its folder has returned.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hearth_protocol::limits::wide;
use zeroize::Zeroizing;

use super::KeyError;
use crate::disk::sync_folder_of;

/// How a file is called until it has its name. Fixed, so that what a cut left is found again.
const UNFINISHED: &str = ".new";

/// One step. Files come to be with 0600.
pub(super) enum Step {
    /// Writes a file of an unfinished name, complete and synced.
    Write(PathBuf, Zeroizing<Vec<u8>>),
    /// Gives a file its name, where nothing has it.
    Place(PathBuf),
    /// Gives a file its name, in place of the one that has it.
    Replace(PathBuf),
    /// Removes a file.
    Remove(PathBuf),
    /// Makes durable what was done in the file's folder.
    Sync(PathBuf),
}

/// A new file, from the first step to the last either not there or whole.
pub(super) fn placing(path: &Path, bytes: Zeroizing<Vec<u8>>) -> Vec<Step> {
    let path = path.to_path_buf();
    vec![Step::Write(path.clone(), bytes), Step::Place(path.clone()), Step::Sync(path)]
}

/// Other bytes in place of a file: at each step the old or the new is there, whole.
pub(super) fn replacing(path: &Path, bytes: Zeroizing<Vec<u8>>) -> Vec<Step> {
    let path = path.to_path_buf();
    vec![Step::Write(path.clone(), bytes), Step::Replace(path.clone()), Step::Sync(path)]
}

/// A file that is there no more.
pub(super) fn removing(path: &Path) -> Vec<Step> {
    vec![Step::Remove(path.to_path_buf()), Step::Sync(path.to_path_buf())]
}

/// Takes the steps, one after the other.
pub(super) fn run(steps: Vec<Step>) -> Result<(), KeyError> {
    for step in &steps {
        take(step).map_err(|(path, cause)| io_error(path, step.done(), cause))?;
    }
    Ok(())
}

impl Step {
    fn done(&self) -> &'static str {
        match self {
            Step::Write(..) | Step::Place(_) => "made",
            Step::Replace(_) => "replaced",
            Step::Remove(_) => "removed",
            Step::Sync(_) => "made durable",
        }
    }
}

fn take(step: &Step) -> Result<(), (&Path, io::Error)> {
    let (path, taken) = match step {
        Step::Write(path, bytes) => (path, write(path, bytes)),
        Step::Place(path) => (path, place(path)),
        Step::Replace(path) => (path, fs::rename(unfinished(path), path)),
        Step::Remove(path) => (path, fs::remove_file(path)),
        Step::Sync(path) => (path, sync_folder_of(path)),
    };
    taken.map_err(|cause| (path.as_path(), cause))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let new = unfinished(path);
    // What a cut left may have other rights.
    remove_if_there(&new)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn place(path: &Path) -> io::Result<()> {
    let new = unfinished(path);
    match fs::hard_link(&new, path) {
        Ok(()) => fs::remove_file(new),
        // A file system without hard links, such as that of a USB stick.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && !path.try_exists()? => {
            fs::rename(new, path)
        }
        Err(error) => Err(error),
    }
}

/// Removes what a cut left of a change of this file; says whether there was something.
pub(super) fn sweep(path: &Path) -> Result<(), KeyError> {
    let new = unfinished(path);
    remove_if_there(&new).map_err(|cause| io_error(&new, "removed", cause))
}

/// Whether a cut left something of a change of this file.
pub(super) fn is_unfinished(path: &Path) -> Result<bool, KeyError> {
    there(&unfinished(path))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(UNFINISHED);
    path.with_file_name(name)
}

/// Holds a folder, made if it is not there, for one process at a time.
pub(super) fn hold(folder: &Path) -> Result<File, KeyError> {
    let held = || {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let held = File::open(folder)?;
        held.lock()?;
        Ok(held)
    };
    held().map_err(|cause| io_error(folder, "locked", cause))
}

/// Whether a file is there.
pub(super) fn there(path: &Path) -> Result<bool, KeyError> {
    path.try_exists().map_err(|cause| io_error(path, "looked for", cause))
}

/// The bytes of a file that must not be large.
pub(super) fn read(path: &Path, bytes_max: usize) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let failed = |cause| io_error(path, "read", cause);
    // One piece: growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(bytes_max.saturating_add(1)));
    let file = File::open(path).map_err(failed)?;
    let most = wide(bytes_max).saturating_add(1);
    file.take(most).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > bytes_max {
        return Err(KeyError::TooLarge { path: path.to_path_buf(), bytes_max });
    }
    Ok(bytes)
}

pub(super) fn io_error(path: &Path, done: &'static str, cause: io::Error) -> KeyError {
    KeyError::Io { path: path.to_path_buf(), done, cause }
}
