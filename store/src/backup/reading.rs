//! All rows of a snapshot, but for those that do not read: one bad sector must not be the end of
//! all backups.

use bytes::Bytes;

use super::error::BackupError;
use crate::engine::{EngineError, Range, Row, Snapshot, after};

/// Rows that are taken from the snapshot at a time: a few MiB, where most are messages.
const ROWS: usize = 128;
/// Bytes that a key may be longer than the one before it, where it is looked for by halving.
const LONGER_BYTES: usize = 8;

/// What is read next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// Rows, in order.
    Rows(Vec<Row>),
    /// Some rows that do not read were passed over.
    Lost,
    /// There are no more.
    End,
}

/// Where one is in a snapshot.
pub(super) struct Rows {
    snapshot: Box<dyn Snapshot>,
    start: Bytes,
    /// Rows to be taken one by one: damage is among them.
    single: usize,
    /// Nothing beyond `start` reads.
    over: bool,
}

impl Rows {
    pub fn of(snapshot: Box<dyn Snapshot>) -> Self {
        Self { snapshot, start: Bytes::new(), single: 0, over: false }
    }

    /// The next rows.
    pub async fn next(&mut self) -> Result<Read, BackupError> {
        while !self.over {
            let limit = if self.single > 0 { 1 } else { ROWS };
            match self.snapshot.rows(Range::from(self.start.clone()), limit).await {
                Ok(rows) => {
                    let Some((last, _)) = rows.last() else { return Ok(Read::End) };
                    self.start = after(last);
                    self.single = self.single.saturating_sub(1);
                    return Ok(Read::Rows(rows));
                }
                Err(EngineError::Damaged { .. }) if limit > 1 => self.single = ROWS,
                Err(error @ EngineError::Damaged { .. }) => {
                    tracing::error!(%error, "rows do not read and are not in the backup");
                    self.single = 0;
                    match self.beyond().await? {
                        Some(start) => self.start = start,
                        None => self.over = true,
                    }
                    return Ok(Read::Lost);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Read::End)
    }

    /// The first place from which rows read again; `None`: there is none. What lies between two
    /// damaged places that are near each other may be passed over with them.
    async fn beyond(&mut self) -> Result<Option<Bytes>, BackupError> {
        let len = self.start.len().max(1) + LONGER_BYTES;
        let start = widened(&self.start, len);
        let (mut bad, mut good) = (start.clone(), None);
        // It may read from there already; else in ever larger steps, the last one to the end of
        // all keys.
        let steps = (8 * LONGER_BYTES..8 * len).map_while(|bit| raised(&start, bit));
        for next in [start.clone()].into_iter().chain(steps).chain([vec![u8::MAX; len]]) {
            if self.reads(&next).await? {
                good = Some(next);
                break;
            }
            bad = next;
        }
        let Some(mut good) = good else { return Ok(None) };
        while let Some(middle) = between(&bad, &good) {
            let found = if self.reads(&middle).await? { &mut good } else { &mut bad };
            *found = middle;
        }
        // As a number it is the same with fewer zeros at its end; as a key each is another.
        let zeros = good.iter().rev().take_while(|byte| **byte == 0).count();
        for end in len - zeros..len {
            if good[..end] > self.start[..] && self.reads(&good[..end]).await? {
                good.truncate(end);
                break;
            }
        }
        Ok(Some(good.into()))
    }

    async fn reads(&mut self, start: &[u8]) -> Result<bool, BackupError> {
        match self.snapshot.rows(Range::from(start.to_vec()), 1).await {
            Ok(_) => Ok(true),
            Err(EngineError::Damaged { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn widened(key: &[u8], len: usize) -> Vec<u8> {
    let mut wide = key.to_vec();
    wide.resize(len, 0);
    wide
}

/// A key plus 2 to the power of `bit`, as numbers; `None` where that is too large.
fn raised(key: &[u8], bit: usize) -> Option<Vec<u8>> {
    let mut raised = key.to_vec();
    let mut add = 1 << (bit % 8);
    for byte in raised.iter_mut().rev().skip(bit / 8) {
        let (sum, over) = byte.overflowing_add(add);
        *byte = sum;
        if !over {
            return Some(raised);
        }
        add = 1;
    }
    None
}

/// The middle of two keys of one length, as numbers; `None` if nothing lies between.
fn between(low: &[u8], high: &[u8]) -> Option<Vec<u8>> {
    let mut carry = 0;
    let mut sum: Vec<u8> = low
        .iter()
        .zip(high)
        .rev()
        .map(|(one, other)| {
            let [over, sum] = (u16::from(*one) + u16::from(*other) + carry).to_be_bytes();
            carry = u16::from(over);
            sum
        })
        .collect();
    sum.push(if carry > 0 { 1 } else { 0 });
    sum.reverse();
    let half = |pair: &[u8]| (pair[0] << 7) | (pair[1] >> 1);
    let middle: Vec<u8> = sum.windows(2).map(half).collect();
    (middle != low).then_some(middle)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::engine::BoxFuture;
    use crate::testing::block_on;

    /// Rows in leaves of four, some of which do not read.
    struct Torn {
        rows: BTreeMap<Vec<u8>, usize>,
        torn: BTreeSet<usize>,
    }

    impl Torn {
        fn leaf(&self, start: &[u8]) -> usize {
            let next = self.rows.range(start.to_vec()..).next();
            next.map_or(self.rows.len().div_ceil(4), |(_, number)| number / 4)
        }
    }

    impl Snapshot for Torn {
        fn rows(
            &mut self,
            range: Range,
            limit: usize,
        ) -> BoxFuture<'_, Result<Vec<Row>, EngineError>> {
            let found: Vec<_> = self.rows.range(range.start.to_vec()..).take(limit).collect();
            let mut leaves: BTreeSet<_> = found.iter().map(|(_, number)| *number / 4).collect();
            leaves.insert(self.leaf(&range.start));
            let rows = found.iter().map(|(key, _)| (Bytes::from((*key).clone()), Bytes::new()));
            let rows = if leaves.is_disjoint(&self.torn) {
                Ok(rows.collect())
            } else {
                Err(EngineError::Damaged { what: "a leaf".into(), cause: None })
            };
            Box::pin(std::future::ready(rows))
        }
    }

    /// Reads rows with these keys of which these leaves are torn: what is not in them comes.
    fn check(keys: BTreeSet<Vec<u8>>, torn: BTreeSet<usize>) {
        let leaves = keys.len().div_ceil(4);
        let torn: BTreeSet<_> = torn.into_iter().filter(|leaf| *leaf < leaves).collect();
        let rows: BTreeMap<_, _> = keys.into_iter().zip(0..).collect();
        // Between two damaged pages rows may be passed over.
        let within = torn.first().zip(torn.last()).map(|(first, last)| *first..=*last);
        let is_in = |number: &usize| within.as_ref().is_some_and(|w| w.contains(&(number / 4)));
        let is_beside = |number: &usize| !is_in(number);
        let beside: Vec<_> =
            rows.iter().filter(|(_, n)| is_beside(n)).map(|(key, _)| key.clone()).collect();
        let numbers = rows.clone();
        let (mut found, mut lost) = (vec![], 0);
        block_on(async {
            let mut rows = Rows::of(Box::new(Torn { rows, torn: torn.clone() }));
            loop {
                match rows.next().await.unwrap() {
                    Read::Rows(rows) => found.extend(rows.into_iter().map(|(k, _)| k.to_vec())),
                    Read::Lost => lost += 1,
                    Read::End => break,
                }
            }
        });
        assert!(found.iter().all(|key| !torn.contains(&(numbers[key] / 4))));
        assert_eq!(lost > 0, !torn.is_empty());
        found.retain(|key| is_beside(&numbers[key]));
        assert_eq!(found, beside);
    }

    proptest! {
        #[test]
        fn every_row_is_read_but_those_of_damaged_pages(
            keys in prop::collection::btree_set(prop::collection::vec(0..3_u8, 1..6), 1..300),
            torn in prop::collection::btree_set(0..75_usize, 0..3),
        ) {
            check(keys, torn);
        }
    }

    #[test]
    fn a_row_right_behind_a_damaged_page_is_read_where_its_key_has_but_one_zero_more() {
        for torn in 0..3 {
            check((1..12).map(|len| vec![0; len]).collect(), [torn].into());
        }
    }
}
