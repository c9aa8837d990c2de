//! Whether the disk of the data folder has room.

use std::path::Path;

use hearth_protocol::limits::Limits;
use hearth_store::DATABASE_FILE;
use rustix::fs::statvfs;

use super::Finding;
use super::house::MB;
use crate::attachments::Storage;

/// How many of those with the most attachments are named.
const NAMED: usize = 5;

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

/// How much attachments take of what they may, and whose take most.
pub(super) fn attachments(storage: &Storage) -> Finding {
    let (used, max) = (storage.house, storage.house_bytes_max);
    let mut text =
        format!("{} attachments take {} of {} MB", used.files, used.bytes / MB, max / MB);
    let most = storage.users.iter().take(NAMED);
    let most: Vec<_> =
        most.map(|user| format!("{} {} MB", user.name, user.used.bytes / MB)).collect();
    if !most.is_empty() {
        text.push_str(&format!("; most: {}", most.join(", ")));
    }
    // Nine tenths leave time to do something.
    let good = used.bytes <= max / 10 * 9;
    if !good {
        text.push_str(
            ": soon nobody can send files; delete old messages with files, or give them more room \
             with `serve --limit attachment_house_mib=…`",
        );
    }
    Finding { good, text }
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
    fn attachments_are_told_of_before_they_take_all_that_they_may() {
        let used = |bytes| hearth_store::attachments::Use { files: 2, bytes };
        let users = vec![crate::attachments::UserStorage {
            id: hearth_protocol::ids::UserId::from_bytes([1; 16]),
            name: "anna".into(),
            used: used(30 * MB),
        }];
        let storage = Storage {
            house: used(90 * MB),
            house_bytes_max: 100 * MB,
            user_bytes_max: 50 * MB,
            users,
        };
        let found = attachments(&storage);
        assert!(found.good, "{}", found.text);
        assert_eq!(found.text, "2 attachments take 90 of 100 MB; most: anna 30 MB");
        let found = attachments(&Storage { house: used(90 * MB + 1), ..storage });
        assert!(!found.good && found.text.contains("delete old messages"), "{}", found.text);
    }

    #[test]
    fn a_folder_that_is_there_has_some_room() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free(folder.path()).text.contains("MB are free"));
        assert!(!free(&folder.path().join("missing")).good);
    }
}
