//! The files beside the database: `files/ab/NAME` in the data folder, copied as they lie there.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use crate::attachments::FILES_FOLDER;

/// Every attachment's name, `ab/NAME`, some folders of them at a time. Others' files, such as
/// those that are being written, have names that no attachment has and are left out.
pub(super) fn names(folder: &Path) -> io::Result<impl Iterator<Item = io::Result<String>>> {
    let shelves = match fs::read_dir(folder) {
        Ok(entries) => entries.collect::<io::Result<Vec<_>>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => vec![],
        Err(error) => return Err(error),
    };
    let shelves = shelves.into_iter().filter(|entry| entry.path().is_dir());
    let all = shelves.flat_map(|shelf| match fs::read_dir(shelf.path()) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| name(&shelf, &entry))).collect(),
        Err(error) => vec![Err(error)],
    });
    Ok(all.filter(|found| found.as_ref().map_or(true, |name| is_name(name))))
}

fn name(shelf: &DirEntry, entry: &DirEntry) -> String {
    format!("{}/{}", shelf.file_name().to_string_lossy(), entry.file_name().to_string_lossy())
}

/// Whether this is an attachment's name, and so leads nowhere but into its folder.
pub(super) fn is_name(name: &str) -> bool {
    let letters = |text: &str| {
        !text.is_empty() && text.bytes().all(|one| one.is_ascii_alphanumeric() || one == b'-')
    };
    name.len() <= 100 && name.split_once('/').is_some_and(|(one, two)| letters(one) && letters(two))
}

/// Where an attachment lies.
pub(super) fn path(data: &Path, name: &str) -> PathBuf {
    data.join(FILES_FOLDER).join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_attachments_have_names_of_attachments() {
        for good in ["ab/01a1fe9e-f3fc-71c4-be01-c9280f0c975a", "0/1"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "ab", "ab/", "/ab", "../x", "ab/..", "ab/c.part", "a/b/c", "ab/c\\d", "ä/b"]
        {
            assert!(!is_name(bad), "{bad}");
        }
        assert!(!is_name(&format!("ab/{}", "c".repeat(98))));
        assert!(is_name(&format!("ab/{}", "c".repeat(97))));
    }
}
