//! Old data becomes data of today, whatever the power does; newer data is left alone.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use hearth_protocol::event::Sender;
use hearth_protocol::ids::{Position, UserId};
use hearth_protocol::limits::Limits;
use hearth_protocol::role::HouseRole;
use serde_json::{Value, json};

use super::*;
use crate::engine::Range;
use crate::sim_disk::{Dice, SimDisk};
use crate::testing::{block_on, redb};
use crate::{Keys, Memory, PageQuery, Store};

type Rows = BTreeMap<Bytes, Bytes>;

/// The stored data folder of layout 1: its file, its key and what it holds.
struct Old {
    image: Vec<u8>,
    key: DataKey,
    holds: Value,
}

fn old() -> Old {
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/layout-1");
    let folder = tempfile::tempdir().unwrap();
    let copied = |file: &str| -> PathBuf {
        let copy = folder.path().join(file);
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(stored.join(file), &copy).unwrap();
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o600)).unwrap();
        copy
    };
    copied("data/keys/keyfile.age");
    let (data, key_file) = (folder.path().join("data"), copied("data.key"));
    let keys = Keys { data, key_file, credential: None, only: None };
    let key = keys.open(None, &Limits::default()).unwrap().key;
    let image = fs::read(stored.join("data/hearth.db")).unwrap();
    let holds = serde_json::from_slice(&fs::read(stored.join("holds.json")).unwrap()).unwrap();
    Old { image, key, holds }
}

impl Old {
    fn open(&self, disk: Arc<SimDisk>) -> Redb {
        Redb::open(disk, &self.key, 1 << 20).unwrap()
    }
}

async fn rows(engine: &dyn Engine) -> Rows {
    let all = Range { start: Bytes::new(), end: None };
    engine.scan(all, Order::Ascending, usize::MAX).await.unwrap().into_iter().collect()
}

/// What a layout might add: to users and rooms, of each kind of value.
const SOME: &[Added] = &[
    Added { tag: b'u', field: "status_text", value: "\"\"" },
    Added { tag: b'R', field: "pinned", value: "[]" },
    Added { tag: b'u', field: "blocked_at", value: "null" },
];

/// The rows of layout 1 as [`SOME`] makes them.
fn expected(before: &Rows) -> Rows {
    let mut after = before.clone();
    for (key, value) in &mut after {
        let added = match key[0] {
            b'0' => {
                *value = number(2);
                continue;
            }
            b'u' => json!({ "status_text": "", "blocked_at": null }),
            b'R' => json!({ "pinned": [] }),
            _ => continue,
        };
        let mut noun: Map<String, Value> = serde_json::from_slice(&value[1..]).unwrap();
        noun.extend(added.as_object().unwrap().clone());
        *value = [&[1][..], &serde_json::to_vec(&noun).unwrap()].concat().into();
    }
    after
}

#[test]
fn a_step_adds_its_fields_to_every_record_and_changes_nothing_else() {
    block_on(async {
        let engine = Memory::new();
        let mut batch = Batch::default();
        batch.put(keys::layout(), number(1));
        // More records than are taken at a time.
        for user in 0..2_500_u16 {
            let [high, low] = user.to_be_bytes();
            let id = UserId::from_bytes([high, low, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7]);
            let noun = json!({ "id": id, "created_at": u64::MAX - u64::from(user) });
            batch.put(keys::user(id), record::encode("user", &noun).unwrap());
        }
        batch.put(keys::user_name("anna"), "not a record".into());
        engine.commit(batch).await.unwrap();
        let before = rows(&engine).await;
        with(&engine, SOME).await.unwrap();
        let after = rows(&engine).await;
        assert!(after == expected(&before), "rows are not as the step makes them");
        with(&engine, SOME).await.unwrap();
        assert!(rows(&engine).await == after, "data of this layout is left alone");
    });
}

#[test]
fn the_stored_house_of_layout_1_reads_as_a_house_of_today() {
    block_on(async {
        let old = old();
        let engine = old.open(Arc::new(SimDisk::holding(old.image.clone())));
        let before = rows(&engine).await;
        assert_eq!(before[&keys::layout()], number(1));
        let store = Store::on(engine).await;
        let text = |value: &Value| value.as_str().unwrap().to_string();
        assert_eq!(store.house().await.unwrap().unwrap().name, text(&old.holds["house"]));
        let ada = store.user_by_name("Ada").await.unwrap().unwrap();
        assert_eq!(
            (ada.id.to_string(), ada.role),
            (text(&old.holds["users"]["ada"]), HouseRole::Owner)
        );
        assert_eq!(store.users().await.unwrap().len(), 2);
        assert!(store.vault(ada.id).await.unwrap().is_some());
        assert_eq!(store.cards(ada.id).await.unwrap().len(), 1);
        assert!(!store.sessions_of(ada.id).await.unwrap().is_empty());
        assert_eq!(store.tokens_of(ada.id).await.unwrap()[0].label, "kitchen tablet");
        assert_eq!(store.grants().await.unwrap()[0].filter.to_string(), "shelly/#");
        assert!(!store.shelf().await.unwrap().is_empty());
        let (mut people, mut devices) = (0, 0);
        for room in store.rooms().await.unwrap() {
            assert_eq!(store.members(room.id).await.unwrap().len(), 2);
            assert_eq!(store.devices(room.id).await.unwrap().len(), 1);
            if room.general {
                assert!(store.bundles(room.id, 0).await.unwrap().len() > 2);
                let invites = store.invites(room.id).await.unwrap();
                let unused = text(&old.holds["unused_invite"]["code"]);
                assert!(invites.iter().any(|invite| invite.code.to_string() == unused));
            }
            let query = PageQuery::newest(100);
            let events = store.page(room.id, query).await.unwrap().events;
            assert_eq!(store.head(room.id).await.unwrap(), Position(events.len() as u64));
            for event in events {
                match event.sender {
                    Sender::Person(_) => people += 1,
                    Sender::Device(_) => devices += 1,
                    Sender::Box => continue,
                }
                assert_eq!(store.event(event.id).await.unwrap(), Some(event));
            }
        }
        let said: usize = old.holds["said"]
            .as_object()
            .unwrap()
            .values()
            .map(|said| said.as_array().unwrap().len())
            .sum();
        assert_eq!((people + devices, devices), (said, 2));
        store.close().await;
    });
}

fn rounds() -> u64 {
    std::env::var("HEARTH_ROUNDS").map_or(100, |text| text.parse().unwrap())
}

#[test]
fn a_power_cut_while_it_migrates_leaves_the_old_layout_or_the_new_one_whole() {
    block_on(async {
        let old = old();
        let disk = Arc::new(SimDisk::holding(old.image.clone()));
        let engine = old.open(disk.clone());
        let before = rows(&engine).await;
        let after = expected(&before);
        with(&engine, SOME).await.unwrap();
        drop(engine);
        let operations = disk.operations();
        let mut whole = [0, 0];
        for round in 0..rounds() {
            let mut dice = Dice::new(round + 1);
            let disk = Arc::new(SimDisk::holding(old.image.clone()));
            disk.cut_power_after(dice.roll(operations + 1));
            if let Ok(engine) = Redb::open(disk.clone(), &old.key, 1 << 20) {
                // The power may be gone before it is done.
                with(&engine, SOME).await.ok();
            }
            let disk = Arc::new(SimDisk::holding(disk.after_power_cut(&mut dice)));
            let engine = old.open(disk);
            let found = rows(&engine).await;
            whole[usize::from(found == after)] += 1;
            assert!(found == before || found == after, "round {round}: a half-made layout");
            with(&engine, SOME).await.unwrap();
            assert!(rows(&engine).await == after, "round {round}: the next start finishes it");
        }
        assert!(whole.iter().all(|count| *count > 0), "cuts on both sides of it: {whole:?}");
    });
}

#[test]
fn data_of_a_newer_program_is_refused_and_its_file_stays_as_it_is() {
    block_on(async {
        let disk = Arc::new(SimDisk::new());
        let key = DataKey::from_bytes([7; 32]);
        let engine = Redb::open(disk.clone(), &key, 1 << 20).unwrap();
        let mut batch = Batch::default();
        batch.put(keys::layout(), number(LAYOUT + 1));
        engine.commit(batch).await.unwrap();
        let refused = |error: StoreError| {
            matches!(error, StoreError::Newer { found: 3, known: 2 }) && {
                error.to_string().contains("install a newer Hearth")
            }
        };
        // Whether the newer program ended in order or was killed.
        for image in [disk.image(), {
            drop(engine);
            disk.image()
        }] {
            let disk = Arc::new(SimDisk::holding(image.clone()));
            assert!(refused(refuse_newer(disk.clone(), &key).await.unwrap_err()));
            assert_eq!((disk.operations(), disk.image() == image), (0, true));
            // Whoever opens it without looking first changes nothing of what it says.
            let engine = Redb::open(disk.clone(), &key, 1 << 20).unwrap();
            let before = rows(&engine).await;
            assert!(refused(bring_up(&engine).await.unwrap_err()));
            assert!(rows(&engine).await == before);
        }
    });
}

#[test]
fn new_data_and_data_of_this_program_are_taken() {
    block_on(async {
        let key = DataKey::from_bytes([7; 32]);
        let disk = Arc::new(SimDisk::new());
        refuse_newer(disk.clone(), &key).await.unwrap();
        assert_eq!(disk.operations(), 0, "an empty disk stays empty");
        let engine = Redb::open(disk.clone(), &key, 1 << 20).unwrap();
        bring_up(&engine).await.unwrap();
        assert_eq!(rows(&engine).await, Rows::from([(keys::layout(), number(LAYOUT))]));
        drop(engine);
        refuse_newer(disk, &key).await.unwrap();
    });
}

#[test]
fn a_record_that_does_not_read_stops_the_step_and_nothing_is_changed() {
    block_on(async {
        let engine = redb();
        let mut batch = Batch::default();
        batch.put(keys::layout(), number(1));
        batch.put(keys::user(UserId::from_bytes([1; 16])), "\u{1}[]".into());
        engine.commit(batch).await.unwrap();
        let before = rows(&engine).await;
        let error = with(&engine, SOME).await.unwrap_err();
        assert!(matches!(error, StoreError::Record { .. }), "{error}");
        assert!(rows(&engine).await == before);
    });
}
