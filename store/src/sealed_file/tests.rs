//! What a thief sees and what tampering does: nothing, and an error.

use std::sync::Arc;

use bytes::Bytes;

use super::cipher::Cipher;
use super::{DATA, OpenError, SLOT};
use crate::engine::{Batch, Engine, Order, Range, Row};
use crate::sim_disk::{Dice, SimDisk};
use crate::testing::*;
use crate::{DataKey, EngineError, Redb, Store};

const CANARY: &str = "the washing is done";
const KEY: [u8; 32] = [7; 32];

fn data() -> usize {
    usize::try_from(DATA).unwrap()
}

fn open(image: Vec<u8>, key: [u8; 32]) -> Result<Redb, EngineError> {
    Redb::open(Arc::new(SimDisk::holding(image)), &DataKey::from_bytes(key), 1 << 20)
}

async fn rows(engine: &Redb) -> Result<Vec<Row>, EngineError> {
    engine.scan(Range { start: Bytes::new(), end: None }, Order::Ascending, usize::MAX).await
}

/// A closed database of some hundred rows, and its rows.
fn database() -> (Vec<u8>, Vec<Row>) {
    database_of(20)
}

/// The same with a few rows.
fn small() -> (Vec<u8>, Vec<Row>) {
    database_of(1)
}

fn database_of(commits: u32) -> (Vec<u8>, Vec<Row>) {
    let disk = Arc::new(SimDisk::new());
    let engine = Redb::open(disk.clone(), &DataKey::from_bytes(KEY), 1 << 20).unwrap();
    let rows = block_on(async {
        for commit in 0..commits {
            let mut batch = Batch::default();
            for row in 0..20_u32 {
                let key = [commit.to_be_bytes(), row.to_be_bytes()].concat();
                batch.put(key.into(), CANARY.repeat(1 + usize::try_from(row).unwrap() * 3).into());
            }
            engine.commit(batch).await.unwrap();
        }
        rows(&engine).await.unwrap()
    });
    drop(engine);
    (disk.image(), rows)
}

/// Opens a changed image: it is an error to open or to read, or it is as it was. Never a panic,
/// never other rows.
fn is_refused(image: Vec<u8>, expected: &[Row]) -> bool {
    let engine = match open(image, KEY) {
        Ok(engine) => engine,
        Err(_) => return true,
    };
    match block_on(rows(&engine)) {
        Ok(found) => {
            assert!(found == expected, "data that nobody wrote");
            false
        }
        Err(error) => {
            assert!(matches!(error, EngineError::Damaged { .. }), "{error:?}");
            true
        }
    }
}

/// Whether each of some files with the same in them, sealed apart, shows it. Four letters are in
/// one file among thousands by chance; not in two.
fn all_show(images: &[Vec<u8>], needle: &[u8]) -> bool {
    images.iter().all(|image| image.windows(needle.len()).any(|part| part == needle))
}

#[test]
fn a_copy_of_the_file_shows_nothing() {
    let (image, rows) = database();
    assert_eq!(rows.len(), 400);
    assert!(!image[data()..].windows(64).any(|part| part.iter().all(|byte| *byte == 0x20)));
    let images = [image, database().0];
    for needle in [CANARY.as_bytes(), b"redb", b"rows"] {
        assert!(!all_show(&images, needle), "{}", String::from_utf8_lossy(needle));
    }
}

/// Ids, names, words and the fields of records, of people, rooms and messages.
#[test]
fn nothing_of_a_house_is_recognisable_in_its_file() {
    // While it runs, and closed.
    let house = || {
        let disk = Arc::new(SimDisk::new());
        let running = block_on(async {
            let engine = Redb::open(disk.clone(), &DataKey::from_bytes(KEY), 1 << 20).unwrap();
            let store = Store::on(engine).await.with_people().await;
            store.append(event(77)).await.unwrap();
            let running = disk.image();
            store.close().await;
            running
        });
        (running, disk.image())
    };
    let ((running, closed), (running_other, closed_other)) = (house(), house());
    let ids = [*user_id(1).as_bytes(), *room_id(1).as_bytes(), *event_id(77).as_bytes()];
    let words = ["Anna", "room 1", "body 77", "display_name", "created_at", "verifier", "redb"];
    for images in [[running, running_other], [closed, closed_other]] {
        for needle in ids.iter().map(|id| &id[..]).chain(words.map(str::as_bytes)) {
            assert!(!all_show(&images, needle), "{}", String::from_utf8_lossy(needle));
        }
    }
}

#[test]
fn a_damaged_header_copy_costs_a_killed_database_nothing() {
    let disk = Arc::new(SimDisk::new());
    let engine = Redb::open(disk.clone(), &DataKey::from_bytes(KEY), 1 << 20).unwrap();
    block_on(async {
        for number in 0..5_u8 {
            let mut batch = Batch::default();
            batch.put(vec![number].into(), CANARY.into());
            engine.commit(batch).await.unwrap();
            for copy in [4_096, 16_384] {
                let mut image = disk.image();
                image[copy + 100] ^= 1;
                let found = rows(&open(image, KEY).unwrap()).await.unwrap();
                assert_eq!(found, rows(&engine).await.unwrap());
            }
        }
    });
}

#[test]
fn every_flipped_bit_of_superblock_and_header_is_refused_or_of_no_use() {
    let (image, rows) = small();
    let superblock = (0..66).flat_map(|place| (0..8).map(move |bit| (place, bit)));
    let copies = [4_096, 16_384].into_iter().flat_map(|copy| copy..copy + 4_144);
    let headers = copies.map(|place| (place, place % 8));
    let places: Vec<_> = superblock.chain(headers).collect();
    let refused = on_all_cores(places.len(), |number| {
        let (place, bit) = places[number];
        let mut image = image.clone();
        image[place] ^= 1 << bit;
        is_refused(image, &rows)
    });
    let of_superblock = refused[..66 * 8].iter().filter(|refused| **refused).count();
    assert_eq!(of_superblock, 66 * 8);
}

#[test]
fn every_flipped_bit_of_a_slot_is_refused() {
    let cipher = Cipher::new(&DataKey::from_bytes(KEY), [1; 16]).unwrap();
    let mut slot = vec![5; SLOT];
    cipher.seal(7, &mut slot).unwrap();
    for bit in 0..SLOT * 8 {
        let mut flipped = slot.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(cipher.open(7, &mut flipped).is_err(), "bit {bit}");
    }
    assert!(cipher.open(8, &mut slot.clone()).is_err(), "another block");
    let other_file = Cipher::new(&DataKey::from_bytes(KEY), [2; 16]).unwrap();
    assert!(other_file.open(7, &mut slot.clone()).is_err(), "another file");
    let other_key = Cipher::new(&DataKey::from_bytes([8; 32]), [1; 16]).unwrap();
    assert!(other_key.open(7, &mut slot.clone()).is_err(), "another key");
    assert!(cipher.open(7, &mut slot).is_ok());
}

#[test]
fn a_flipped_bit_in_any_slot_is_refused_or_of_no_use() {
    let (image, rows) = database();
    let slots = (image.len() - data()) / SLOT;
    // Nonce, page and tag of each slot, at places that differ from slot to slot.
    let places: Vec<_> = (0..slots)
        .flat_map(|slot| [slot % 24, 24 + slot * 61 % 4_096, 4_120 + slot % 16].map(|p| (slot, p)))
        .collect();
    let refused = on_all_cores(places.len(), |number| {
        let (slot, place) = places[number];
        let mut image = image.clone();
        image[data() + slot * SLOT + place] ^= 1 << (number % 8);
        (slot, is_refused(image, &rows))
    });
    // A slot is refused wherever the bit is, or holds nothing that is read.
    for of_slot in refused.chunk_by(|one, other| one.0 == other.0) {
        assert!(of_slot.iter().all(|place| place.1 == of_slot[0].1), "{of_slot:?}");
    }
    assert!(refused.iter().any(|place| place.1) && refused.iter().any(|place| !place.1));
}

#[test]
fn blocks_that_are_swapped_copied_emptied_or_of_another_file_are_refused_or_of_no_use() {
    let (image, rows) = database();
    // The same rows under the same key, in a file of its own.
    let (foreign, _) = database();
    let slots = (image.len() - data()) / SLOT;
    let slot = |number: usize| data() + number * SLOT..data() + (number + 1) * SLOT;
    let mut dice = Dice::new(2);
    let mut refused = 0;
    for _ in 0..60 {
        let one = usize::try_from(dice.roll(u64::try_from(slots).unwrap())).unwrap();
        let other = (one + 1) % slots;
        let mut swapped = image.clone();
        swapped[slot(one)].copy_from_slice(&image[slot(other)]);
        swapped[slot(other)].copy_from_slice(&image[slot(one)]);
        let mut copied = image.clone();
        copied[slot(one)].copy_from_slice(&image[slot(other)]);
        let mut emptied = image.clone();
        emptied[slot(one)].fill(0);
        let mut of_another_file = image.clone();
        of_another_file[slot(one)].copy_from_slice(&foreign[slot(one)]);
        for changed in [swapped, copied, emptied, of_another_file] {
            refused += usize::from(is_refused(changed, &rows));
        }
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn a_file_that_is_cut_off_is_refused() {
    let (image, rows) = database();
    let lengths = [1, 65, 66, 4_095, 4_096, 20_000, data() - 1, data(), data() + SLOT];
    let later = (1..20).map(|part| data() + (image.len() - data()) / 20 * part);
    for len in lengths.into_iter().chain(later) {
        assert!(is_refused(image[..len].to_vec(), &rows), "{len} bytes");
    }
}

#[test]
fn each_file_that_is_no_database_says_what_it_is() {
    let (image, _) = database();
    let error = |image: Vec<u8>, key| match open(image, key).err() {
        Some(EngineError::Open(error)) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(error(image.clone(), [8; 32]), OpenError::WrongKey));
    assert!(matches!(error(b"SQLite format 3\0".repeat(4_000), KEY), OpenError::Foreign));
    assert!(matches!(error(b"short".to_vec(), KEY), OpenError::Foreign));
    let mut newer = image.clone();
    newer[9] = 2;
    assert!(matches!(error(newer, KEY), OpenError::Newer(2)));
    let mut headless = image;
    headless[5_000] ^= 1;
    headless[17_000] ^= 1;
    assert!(matches!(error(headless, KEY), OpenError::Damaged { .. }));
    assert!(open(vec![], KEY).is_ok());
    let remedies = [
        (OpenError::WrongKey, "use the key file"),
        (OpenError::Foreign, "another data folder"),
        (OpenError::Newer(2), "install a newer Hearth"),
        (OpenError::Damaged { what: String::new() }, "restore a backup"),
    ];
    for (error, remedy) in remedies {
        assert!(error.to_string().contains(remedy), "{error}");
    }
}

#[test]
fn after_a_damaged_page_was_read_the_database_goes_on() {
    let disk = Arc::new(SimDisk::holding(database().0));
    let slots = (disk.image().len() - data()) / SLOT;
    let engine = Redb::open(disk.clone(), &DataKey::from_bytes(KEY), 0).unwrap();
    block_on(async {
        let first: Bytes = [0_u32.to_be_bytes(); 2].concat().into();
        let mut failed = 0;
        for slot in 0..slots {
            let place = data() + slot * SLOT + 100;
            disk.tamper(|image| image[place] ^= 1);
            failed += usize::from(rows(&engine).await.is_err());
            disk.tamper(|image| image[place] ^= 1);
            assert_eq!(rows(&engine).await.unwrap().len(), 400, "block {slot}: it goes on");
        }
        assert!(failed > 10, "{failed}");
        assert!(engine.get(first.clone()).await.unwrap().is_some());
        let mut batch = Batch::default();
        batch.put(first, "still writable".into());
        engine.commit(batch).await.unwrap();
    });
}
