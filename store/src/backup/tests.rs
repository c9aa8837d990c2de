//! Backups made, checked and restored.

mod damage;

use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use hearth_protocol::ids::Position;
use hearth_protocol::limits::Limits;
use hearth_protocol::sealing::agefile::{open_from, seal_into};
use hearth_protocol::sealing::{AgeIdentity, Secret};
use tempfile::TempDir;

use super::{attachments, *};
use crate::engine::Row;
use crate::testing::{attachment_id, event, redb, room_id, user_id};
use crate::*;

/// A folder to work in, and the key of its backups.
struct Place {
    root: TempDir,
    identity: AgeIdentity,
    limits: Limits,
}

impl Place {
    fn new() -> Place {
        let identity = AgeIdentity::from_scalar(&Secret::from_bytes([5; 32])).unwrap();
        Place { root: tempfile::tempdir().unwrap(), identity, limits: Limits::default() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn making(&self) -> Making {
        let to = vec![self.identity.recipient()];
        let (file, data) = (self.at("house.backup"), self.at("old"));
        Making { file, force: true, to, data, made_at: 77 }
    }

    fn restore(&self) -> Result<Restored, BackupError> {
        restore(&self.at("house.backup"), &self.identity, &self.keys(), None, &self.limits)
    }

    /// The keys of the folder that is made.
    fn keys(&self) -> Keys {
        let (data, key_file) = (self.at("data"), self.at("data.key"));
        Keys { data, key_file, credential: None, only: None }
    }

    fn check(&self) -> Result<Restored, BackupError> {
        check(&self.at("house.backup"), &self.identity, &self.limits)
    }

    /// The store in the restored folder.
    async fn open(&self) -> Store {
        let key = self.keys().open(None, &self.limits).unwrap().key;
        let disk = FileDisk::open(&self.at("data").join(DATABASE_FILE)).unwrap();
        Store::on(Redb::open(Arc::new(disk), &key, 1 << 20).unwrap()).await
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.root.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// A backup with these bytes inside the age file.
    fn put_inside(&self, bytes: &[u8]) {
        use std::io::Write;
        let to = [self.identity.recipient()];
        let mut sealed = seal_into("backup", &to, vec![]).unwrap();
        sealed.write_all(bytes).unwrap();
        fs::write(self.at("house.backup"), sealed.finish().unwrap()).unwrap();
    }
}

/// Runs blocking work as the gateway does.
fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async { tokio::task::spawn_blocking(work).await.unwrap() })
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Handle::current().block_on(work)
}

async fn rows(store: &Store) -> Vec<Row> {
    store.scan_all(crate::engine::Range::from("")).await.unwrap()
}

async fn house() -> Store {
    let store = Store::on(redb()).await.with_people().await;
    let house = House { name: "Home".into(), created_at: 1 };
    store.make(vec![Edit::SetHouse(house)]).await.unwrap();
    for number in 1..40 {
        store.append(event(number)).await.unwrap();
    }
    store
}

fn back_up(place: &Place, store: &Store) -> Result<Made, BackupError> {
    store.back_up(&place.making(), &Progress::default())
}

#[test]
fn a_restored_house_has_every_row_and_attachment_under_a_new_key() {
    blocking(|| {
        let place = Place::new();
        let store = wait(house());
        let name = |number: u32| format!("{number:02}/file-{number}");
        for number in 0..3 {
            let path = attachments::path(&place.at("old"), &name(number));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, vec![7; 70_000 * usize::try_from(number).unwrap()]).unwrap();
        }
        let half_made = attachments::path(&place.at("old"), "00/new.part");
        fs::write(half_made, "x").unwrap();
        // One that is listed and then is not there.
        let going = attachments::path(&place.at("old"), "00/going");
        symlink("nowhere", going).unwrap();
        let made = back_up(&place, &store).unwrap();
        let expected = wait(rows(&store));
        let counts = Counts { rows: expected.len() as u64, files: 3, gone: 1, lost: 0 };
        let meta = fs::metadata(place.at("house.backup")).unwrap();
        assert_eq!((made.counts, made.bytes), (counts, meta.len()));
        assert_eq!(meta.permissions().mode() & 0o777, 0o600);
        let whole = Restored { house: "Home".into(), made_at: 77, counts };
        assert_eq!(place.check().unwrap(), whole);
        assert_eq!(place.names(), ["house.backup", "old"], "a check makes nothing");
        assert_eq!(place.restore().unwrap(), whole);
        assert_eq!(place.names(), ["data", "data.key", "house.backup", "old"]);
        let restored = wait(place.open());
        assert!(wait(rows(&restored)) == expected, "rows are not the same");
        for number in 0..3 {
            let file = |data: &str| fs::read(attachments::path(&place.at(data), &name(number)));
            assert_eq!(file("data").unwrap(), file("old").unwrap());
        }
        wait(restored.append(event(40))).unwrap();
        wait(async { (store.close().await, restored.close().await) });
    });
}

#[test]
fn attachments_open_in_a_restored_house() {
    blocking(|| {
        let place = Place::new();
        let store = wait(house());
        fs::create_dir_all(place.at("old")).unwrap();
        let files = wait(Attachments::open(store.clone(), &place.at("old"))).unwrap();
        let new = NewAttachment {
            id: attachment_id(1),
            owner: user_id(1),
            room: None,
            sealed: false,
            name: Some("anna.png".into()),
            mime: Some("image/png".into()),
            size_bytes: None,
            at_ms: 1_000,
        };
        let stored = wait(files.put(new, &b"a face"[..])).unwrap();
        back_up(&place, &store).unwrap();
        place.restore().unwrap();
        let restored = wait(place.open());
        let files = wait(Attachments::open(restored.clone(), &place.at("data"))).unwrap();
        let mut reading = wait(files.read(&stored, 0, None)).unwrap();
        assert_eq!(wait(reading.next()).unwrap().unwrap(), "a face");
        wait(async { (store.close().await, restored.close().await) });
    });
}

#[test]
fn a_backup_is_of_one_moment_while_others_write() {
    blocking(|| {
        let place = Place::new();
        let store = wait(house());
        let writing = tokio::spawn({
            let store = store.clone();
            async move {
                for number in 40..=u8::MAX {
                    let mut event = event(number);
                    event.fresh_id = testing::event_id(number);
                    store.append(event).await.unwrap();
                }
            }
        });
        let mut seen = vec![];
        while !writing.is_finished() {
            back_up(&place, &store).unwrap();
            place.restore().unwrap();
            let restored = wait(place.open());
            let head = wait(restored.head(room_id(1))).unwrap();
            for (key, value) in wait(rows(&restored)) {
                if key[0] == b'x' {
                    let (room, position) = record::place(&value).unwrap();
                    let of_id = keys::event(room, position);
                    assert!(wait(restored.engine().get(of_id)).unwrap().is_some());
                }
            }
            let query = PageQuery::newest(1_000);
            let page = wait(restored.page(room_id(1), query)).unwrap().events;
            let positions: Vec<_> = page.iter().map(|event| event.position).collect();
            assert_eq!(positions, (1..=head.0).map(Position).collect::<Vec<_>>());
            for event in page {
                assert_eq!(wait(restored.event(event.id)).unwrap(), Some(event));
            }
            wait(restored.close());
            drop(restored);
            fs::remove_dir_all(place.at("data")).unwrap();
            seen.push(head);
        }
        wait(writing).unwrap();
        assert!(seen.is_sorted(), "{seen:?}");
        assert_eq!(wait(store.head(room_id(1))).unwrap(), Position(255), "nobody was held up");
        wait(store.close());
    });
}

#[test]
fn a_backup_that_is_interrupted_leaves_the_earlier_one() {
    blocking(|| {
        let place = Place::new();
        let store = wait(house());
        back_up(&place, &store).unwrap();
        let before = fs::read(place.at("house.backup")).unwrap();
        let progress = Progress::default();
        progress.stop();
        let error = store.back_up(&place.making(), &progress).unwrap_err();
        assert!(matches!(error, BackupError::Stopped), "{error}");
        assert_eq!(place.names(), ["house.backup"]);
        assert!(fs::read(place.at("house.backup")).unwrap() == before);
        // What a killed program left is written over, and gets the name only when it is whole.
        fs::write(place.at("house.backup.part"), vec![0; 1 << 20]).unwrap();
        assert_eq!(back_up(&place, &store).unwrap().counts, place.check().unwrap().counts);
        assert_eq!(place.names(), ["house.backup"]);
        wait(store.close());
    });
}

#[test]
fn nothing_but_a_backup_is_written_over_and_somebody_must_be_able_to_open_it() {
    blocking(|| {
        let place = Place::new();
        let store = wait(house());
        fs::write(place.at("house.backup"), "holiday photos").unwrap();
        let error = back_up(&place, &store).unwrap_err();
        assert!(matches!(error, BackupError::Taken(_)), "{error}");
        assert_eq!(fs::read(place.at("house.backup")).unwrap(), b"holiday photos");
        let another = b"age-encryption.org/v1\nsomebody's only copy";
        fs::write(place.at("house.backup"), another).unwrap();
        let unasked = Making { force: false, ..place.making() };
        let progress = Progress::default();
        let error = store.back_up(&unasked, &progress).unwrap_err();
        assert!(error.to_string().contains("replace it with --force"), "{error}");
        assert_eq!(fs::read(place.at("house.backup")).unwrap(), another);
        let made = back_up(&place, &store).unwrap();
        let error = store.back_up(&unasked, &progress).unwrap_err();
        assert!(matches!(error, BackupError::NotTheLast(_)), "the house noted none: {error}");
        let note = Edit::NoteBackup { bytes: made.bytes };
        wait(store.change(Change::of(vec![note], 78))).unwrap();
        store.back_up(&unasked, &progress).unwrap();
        let nobody = Making { to: vec![], ..place.making() };
        let error = store.back_up(&nobody, &Progress::default()).unwrap_err();
        assert!(error.to_string().contains("hearth backup key"), "{error}");
        let nowhere = Making { file: place.at("none/x"), ..place.making() };
        let error = store.back_up(&nowhere, &Progress::default()).unwrap_err();
        assert!(error.to_string().contains("x.part cannot be made"), "{error}");
        wait(store.close());
    });
}

#[test]
fn a_row_may_be_as_large_as_the_limit_says() {
    blocking(|| {
        let mut place = Place::new();
        place.limits.backup_row_bytes_max = 10_000;
        let limits = Arc::new(place.limits.clone());
        let store = wait(Store::open(Arc::new(Memory::new()), limits)).unwrap();
        wait(store.keep("large", vec![1; 10_000])).unwrap();
        back_up(&place, &store).unwrap();
        place.check().unwrap();
        wait(store.keep("larger", vec![1; 10_001])).unwrap();
        let error = back_up(&place, &store).unwrap_err();
        assert!(error.to_string().contains("has 10001 bytes, a backup takes 10000"), "{error}");
        wait(store.close());
    });
}

#[test]
fn a_folder_in_use_is_not_restored_into_and_a_half_restored_one_is_made_anew() {
    blocking(|| {
        let place = Place::new();
        let store = wait(house());
        back_up(&place, &store).unwrap();
        wait(store.close());
        fs::create_dir(place.at("data")).unwrap();
        fs::write(place.at("data/mine"), "x").unwrap();
        let error = place.restore().unwrap_err();
        assert!(matches!(error, BackupError::Occupied(_)), "{error}");
        assert_eq!(fs::read(place.at("data/mine")).unwrap(), b"x");
        fs::remove_file(place.at("data/mine")).unwrap();
        let half = place.at("data.restoring");
        fs::create_dir_all(half.join("files/ab")).unwrap();
        let held = FileDisk::open(&half.join(DATABASE_FILE)).unwrap();
        let error = place.restore().unwrap_err();
        assert!(matches!(error, BackupError::Restoring(_)), "{error}");
        drop(held);
        place.restore().unwrap();
        assert_eq!(place.names(), ["data", "data.key", "house.backup"]);
        assert!(!place.at("data/files").exists());
        // With a key file that is there already, that one opens the new folder too.
        fs::remove_dir_all(place.at("data")).unwrap();
        let key_file = fs::read(place.at("data.key")).unwrap();
        place.restore().unwrap();
        assert_eq!(fs::read(place.at("data.key")).unwrap(), key_file);
        wait(async { place.open().await.close().await });
    });
}

#[test]
fn another_key_does_not_open_it() {
    blocking(|| {
        let mut place = Place::new();
        let store = wait(house());
        back_up(&place, &store).unwrap();
        wait(store.close());
        place.identity = AgeIdentity::from_scalar(&Secret::from_bytes([6; 32])).unwrap();
        let error = place.restore().unwrap_err();
        assert!(error.to_string().contains("give the one it was made for"), "{error}");
        assert_eq!(place.names(), ["house.backup"]);
    });
}

#[test]
fn the_stock_age_command_opens_the_outer_layer() {
    if Command::new("age").arg("--version").output().is_err() {
        eprintln!("not shown: the program age is not installed");
        return;
    }
    blocking(|| {
        let place = Place::new();
        let store = wait(house());
        back_up(&place, &store).unwrap();
        wait(store.close());
        fs::write(place.at("key"), place.identity.to_text().as_bytes()).unwrap();
        let opened = Command::new("age")
            .args(["-d", "-i"])
            .args([place.at("key"), place.at("house.backup")])
            .output()
            .unwrap();
        assert!(opened.status.success(), "{opened:?}");
        assert!(opened.stdout.starts_with(b"hearth-backup\n\x01H"));
        let file = fs::read(place.at("house.backup")).unwrap();
        let mut same = vec![];
        open_from("backup", &place.identity, &file[..]).unwrap().read_to_end(&mut same).unwrap();
        assert!(same == opened.stdout);
    });
}

#[test]
fn the_plan_remembers_who_opens_backups_and_when_the_last_was_made() {
    testing::on_each_engine(|store| async move {
        assert_eq!(store.backup_plan().await.unwrap(), BackupPlan::default());
        store.make(vec![Edit::NoteBackup { bytes: 9 }]).await.unwrap();
        let recipient = Place::new().identity.recipient();
        store.make(vec![Edit::SetBackupRecipient(recipient)]).await.unwrap();
        let plan = BackupPlan { recipient: Some(recipient), last_at: Some(100), last_bytes: 9 };
        assert_eq!(store.backup_plan().await.unwrap(), plan);
    });
}
