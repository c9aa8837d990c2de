//! Rows that lie side by side are written side by side: redb then fills its pages, which row by row
//! it leaves half empty, so that a page of history is read from half as many of them.

use std::ops::Bound;

use bytes::Bytes;
use redb::CursorError;

use super::Failure;
use super::writer::Rows;
use crate::engine::{Batch, Op};

/// Rows that are a run: for fewer a search of its own costs more than it saves.
const RUN_MIN: usize = 4;

/// A key, and its value to be; `None`: the row goes.
pub(super) type Change<'a> = (&'a Bytes, Option<&'a Bytes>);

/// What a batch makes of rows, by key, each once: the last word counts.
pub(super) fn changes(batch: &Batch) -> Vec<Change<'_>> {
    let mut changes: Vec<Change<'_>> = batch
        .ops
        .iter()
        .rev()
        .filter_map(|op| match op {
            Op::Put(key, value) => Some((key, Some(value))),
            Op::Delete(key) => Some((key, None)),
            Op::Expect(..) => None,
        })
        .collect();
    // Stable: of one key the last word comes first.
    changes.sort_by_key(|(key, _)| *key);
    changes.dedup_by_key(|(key, _)| *key);
    changes
}

/// Writes the run of new rows that changes begin with, if they do; of how many rows it is.
pub(super) fn insert(table: &mut Rows<'_>, changes: &[Change<'_>]) -> Result<usize, Failure> {
    let run = run_of(changes);
    let Some((first, _)) = run.first().filter(|_| run.len() >= RUN_MIN) else { return Ok(0) };
    let mut cursor = table.upper_bound_mut(Bound::Excluded(&first[..]))?;
    let mut count = 0;
    for (key, value) in run {
        let Some(value) = value else { break };
        match cursor.insert_before(&key[..], &value[..]) {
            Ok(()) => count += 1,
            // The row is there, or one between it and those before it.
            Err(CursorError::UnorderedKey) => break,
            Err(error) => return Err(error.into()),
        }
    }
    cursor.close()?;
    Ok(count)
}

/// The rows that changes begin with and that seem to lie side by side.
fn run_of<'a, 'b>(changes: &'b [Change<'a>]) -> &'b [Change<'a>] {
    let puts = changes.iter().take_while(|(_, value)| value.is_some()).count();
    let pairs = changes[..puts].windows(2);
    let neighbours = pairs.take_while(|pair| are_near(pair[0].0, pair[1].0)).count();
    &changes[..puts.min(neighbours + 1)]
}

/// Whether two keys have a length and their first third in common: the tag, and the room or time.
fn are_near(one: &Bytes, other: &Bytes) -> bool {
    let third = one.len().div_ceil(3);
    one.len() == other.len() && one[..third] == other[..third]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use redb::{ReadableDatabase, ReadableTableMetadata};

    use super::super::ROWS;
    use super::*;
    use crate::engine::redb::Redb;
    use crate::engine::{Engine, EngineError, Order, Range};
    use crate::master_key::DataKey;
    use crate::sim_disk::SimDisk;

    fn key(room: u8, number: u32) -> Bytes {
        [&[room; 9][..], &number.to_be_bytes()].concat().into()
    }

    fn put(batch: &mut Batch, room: u8, numbers: std::ops::Range<u32>) {
        numbers.for_each(|number| batch.put(key(room, number), vec![room; 200].into()));
    }

    #[test]
    fn a_batch_is_by_key_and_its_last_word_counts() {
        let mut batch = Batch::default();
        batch.put("b".into(), "1".into());
        batch.expect("c".into(), None);
        batch.put("a".into(), "2".into());
        batch.delete("b".into());
        batch.delete("a".into());
        batch.put("a".into(), "3".into());
        let (a, b) = (Bytes::from("a"), Bytes::from("b"));
        assert_eq!(changes(&batch), [(&a, Some(&Bytes::from("3"))), (&b, None)]);
    }

    #[tokio::test]
    async fn runs_fill_their_pages_in_the_middle_of_the_table_too() {
        let disk = Arc::new(SimDisk::new());
        let engine = Redb::open(disk, &DataKey::from_bytes([1; 32]), 1 << 20).unwrap();
        let mut ends = Batch::default();
        put(&mut ends, 9, 0..1);
        engine.commit(ends).await.unwrap();
        for first in (0..6_000).step_by(60) {
            let mut batch = Batch::default();
            // Two rooms, mixed, as they come.
            for number in first..first + 60 {
                put(&mut batch, 1, number..number + 1);
                put(&mut batch, 2, number..number + 1);
            }
            engine.commit(batch).await.unwrap();
        }
        let stats =
            engine.open.with(|database, _| Ok(database.begin_read()?.open_table(ROWS)?.stats()?));
        let stats = stats.unwrap();
        let pages = stats.leaf_pages() * 4_096;
        let filled = stats.stored_bytes() as f64 / pages as f64;
        assert!(filled > 0.8, "{filled:.2} of {} pages is filled", stats.leaf_pages());
    }

    #[tokio::test]
    async fn a_run_that_meets_rows_leaves_none_out_and_none_behind_after_a_conflict() {
        let disk = Arc::new(SimDisk::new());
        let engine = Redb::open(disk, &DataKey::from_bytes([1; 32]), 1 << 20).unwrap();
        let mut some = Batch::default();
        put(&mut some, 1, 20..21);
        put(&mut some, 1, 30..35);
        engine.commit(some).await.unwrap();
        let mut fresh = Batch::default();
        put(&mut fresh, 1, 0..60);
        fresh.expect(key(1, 33), None);
        assert!(matches!(engine.commit(fresh).await, Err(EngineError::Conflict)));
        let all = || engine.scan(Range::from(Bytes::new()), Order::Ascending, 100);
        assert_eq!(all().await.unwrap().len(), 6);
        let mut over = Batch::default();
        put(&mut over, 1, 0..60);
        over.delete(key(1, 30));
        engine.commit(over).await.unwrap();
        let keys: Vec<_> = all().await.unwrap().into_iter().map(|(key, _)| key).collect();
        let expected: Vec<_> =
            (0..60).filter(|number| *number != 30).map(|number| key(1, number)).collect();
        assert_eq!(keys, expected);
    }
}
