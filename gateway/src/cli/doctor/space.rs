//! Whether the disk of the data folder has room.

use std::path::Path;

use hearth_protocol::limits::Limits;
use hearth_store::DATABASE_FILE;
use rustix::fs::statvfs;

use super::Finding;

const MB: u64 = 1_000_000;

/// How much is free where the data folder lies, and what to do if that is little.
pub(super) fn free(data: &Path) -> Finding {
    let file_bytes = std::fs::metadata(data.join(DATABASE_FILE)).map_or(0, |file| file.len());
    match statvfs(data) {
        // What is left for this user: a file system keeps some for root.
        Ok(disk) => {
            let free_bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
            judge(data, free_bytes, file_bytes, Limits::default().free_bytes_low as u64)
        }
        Err(error) => Finding {
            good: false,
            text: format!("{}: its free space is not known: {error}", data.display()),
        },
    }
}

/// Little is less than the limit, or than another copy of the store: compaction writes one.
fn judge(data: &Path, free_bytes: u64, file_bytes: u64, low_bytes: u64) -> Finding {
    let (shown, free) = (data.display(), free_bytes / MB);
    let needed_bytes = low_bytes.max(file_bytes);
    if free_bytes >= needed_bytes {
        return Finding { good: true, text: format!("{free} MB are free for {shown}") };
    }
    let text = format!(
        "only {free} MB are free for {shown}, {} MB should be: delete what else lies on that disk, \
         or move the folder to a larger one (stop Hearth, copy it, start with --data). A full disk \
         takes no message; those it has stay readable",
        needed_bytes.div_ceil(MB)
    );
    Finding { good: false, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_with_little_room_is_found_with_the_remedy() {
        let good = |free, file| judge(Path::new("data"), free, file, 100 * MB).good;
        assert!(good(100 * MB, 0) && !good(100 * MB - 1, 0));
        assert!(good(300 * MB, 300 * MB) && !good(300 * MB - 1, 300 * MB));
        let found = judge(Path::new("data"), 7 * MB, 0, 100 * MB);
        assert!(found.text.starts_with("only 7 MB are free for data, 100 MB"), "{}", found.text);
        assert!(found.text.contains("larger one"), "{}", found.text);
    }

    #[test]
    fn a_folder_that_is_there_has_some_room() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free(folder.path()).text.contains("MB are free"));
        assert!(!free(&folder.path().join("missing")).good);
    }
}
