//! What a thief sees and what tampering does: nothing, and an error.

use std::sync::Arc;

use bytes::Bytes;

use super::{DATA, OpenError, SLOT};
use crate::engine::{Batch, Engine, Order, Range, Row};
use crate::sim_disk::{Dice, SimDisk};
use crate::testing::block_on;
use crate::{DataKey, EngineError, Redb};

const CANARY: &str = "the washing is done";
const KEY: [u8; 32] = [7; 32];
const SLOT_BYTES: usize = SLOT;

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
    let disk = Arc::new(SimDisk::new());
    let engine = Redb::open(disk.clone(), &DataKey::from_bytes(KEY), 1 << 20).unwrap();
    let rows = block_on(async {
        for commit in 0..20_u32 {
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

#[test]
fn a_copy_of_the_file_shows_nothing() {
    let (image, rows) = database();
    assert_eq!(rows.len(), 400);
    for needle in [CANARY.as_bytes(), b"redb", b"rows"] {
        assert!(!image.windows(needle.len()).any(|part| part == needle));
    }
    assert!(!image[data()..].windows(64).any(|part| part.iter().all(|byte| *byte == 0x20)));
}

#[test]
fn every_kind_of_block_resists_a_flipped_bit() {
    let (image, rows) = database();
    let mut dice = Dice::new(1);
    let mut places: Vec<usize> = (0..66).collect();
    for copy in [4_096, 16_384] {
        places.extend([copy, copy + 24, copy + 31, copy + 32, copy + 4_127, copy + 4_143]);
    }
    let slots = (image.len() - data()) / SLOT_BYTES;
    for slot in (0..slots).step_by(3) {
        let within = usize::try_from(dice.roll(u64::try_from(SLOT_BYTES).unwrap())).unwrap();
        places.push(data() + slot * SLOT_BYTES + within);
    }
    let mut refused = 0;
    for place in places {
        let mut image = image.clone();
        image[place] ^= 1 << dice.roll(8);
        refused += usize::from(is_refused(image, &rows));
    }
    assert!(refused > 66, "{refused}: the superblock alone has as many bytes");
}

#[test]
fn blocks_that_are_swapped_copied_or_emptied_are_refused_or_of_no_use() {
    let (image, rows) = database();
    let slots = (image.len() - data()) / SLOT_BYTES;
    let slot = |number: usize| data() + number * SLOT_BYTES..data() + (number + 1) * SLOT_BYTES;
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
        for changed in [swapped, copied, emptied] {
            refused += usize::from(is_refused(changed, &rows));
        }
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn a_file_that_is_cut_off_is_refused() {
    let (image, rows) = database();
    let lengths = [1, 65, 66, 4_095, 4_096, 20_000, data() - 1, data(), data() + SLOT_BYTES];
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
}

#[test]
fn after_a_damaged_page_was_read_the_database_goes_on() {
    let disk = Arc::new(SimDisk::holding(database().0));
    let slots = (disk.image().len() - data()) / SLOT_BYTES;
    let engine = Redb::open(disk.clone(), &DataKey::from_bytes(KEY), 0).unwrap();
    block_on(async {
        let first: Bytes = [0_u32.to_be_bytes(); 2].concat().into();
        let mut failed = 0;
        for slot in 0..slots {
            let place = data() + slot * SLOT_BYTES + 100;
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
