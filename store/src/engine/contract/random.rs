//! Random operations on every engine at once: equal answers.

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::{block_on, homes};
use crate::engine::{Batch, Engine, EngineError, Order, Range, Row};
use crate::testing::join_all;

#[derive(Debug, Clone)]
enum Step {
    /// Batches that are under way at the same time.
    Commit(Vec<Vec<(u8, Op)>>),
    Get(u8),
    Scan {
        start: u8,
        end: Option<u8>,
        descending: bool,
        limit: usize,
    },
    Reopen,
}

#[derive(Debug, Clone)]
enum Op {
    Put(u16),
    Delete,
    ExpectNone,
    /// What the key has before the step, which a batch beside this one may change first.
    ExpectCurrent,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let op = prop_oneof![
        4 => any::<u16>().prop_map(Op::Put),
        2 => Just(Op::Delete),
        1 => Just(Op::ExpectNone),
        2 => Just(Op::ExpectCurrent),
    ];
    let key = 0..24_u8;
    let batch = prop::collection::vec((key.clone(), op), 0..6);
    let limit = prop_oneof![4 => 0..9_usize, 1 => Just(usize::MAX)];
    let step = prop_oneof![
        6 => prop::collection::vec(batch, 1..4).prop_map(Step::Commit),
        2 => key.clone().prop_map(Step::Get),
        4 => (key.clone(), prop::option::of(key), any::<bool>(), limit).prop_map(
            |(start, end, descending, limit)| Step::Scan { start, end, descending, limit }
        ),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..40)
}

/// Keys of several lengths, some the beginnings of others, one of them empty.
fn key(number: u8) -> Bytes {
    let text = [&b"k"[..], &[number / 4]].concat().repeat(usize::from(number % 4));
    text.into()
}

/// From nothing to some pages.
fn value(number: u16) -> Bytes {
    number.to_be_bytes().repeat(usize::from(number) % 4_000).into()
}

async fn batch_of(ops: &[(u8, Op)], engine: &dyn Engine) -> Batch {
    let mut batch = Batch::default();
    for (number, op) in ops {
        let key = key(*number);
        match op {
            Op::Put(number) => batch.put(key, value(*number)),
            Op::Delete => batch.delete(key),
            Op::ExpectNone => batch.expect(key, None),
            Op::ExpectCurrent => {
                let current = engine.get(key.clone()).await.unwrap();
                batch.expect(key, current);
            }
        }
    }
    batch
}

#[derive(Debug, PartialEq)]
enum Answer {
    /// Of each batch: whether it was committed, or in conflict.
    Committed(Vec<bool>),
    Got(Option<Bytes>),
    Scanned(Vec<Row>),
}

async fn answer(engine: &dyn Engine, step: &Step) -> Answer {
    match step {
        Step::Commit(batches) => {
            let mut made = vec![];
            for ops in batches {
                made.push(batch_of(ops, engine).await);
            }
            let commits = made.into_iter().map(|batch| engine.commit(batch)).collect();
            let committed = join_all(commits).await.into_iter().map(|result| match result {
                Ok(()) => true,
                Err(EngineError::Conflict) => false,
                Err(error) => panic!("{error}"),
            });
            Answer::Committed(committed.collect())
        }
        Step::Get(number) => Answer::Got(engine.get(key(*number)).await.unwrap()),
        Step::Scan { start, end, descending, limit } => {
            let range = Range { start: key(*start), end: end.map(key) };
            let order = if *descending { Order::Descending } else { Order::Ascending };
            Answer::Scanned(engine.scan(range, order, *limit).await.unwrap())
        }
        Step::Reopen => {
            let range = Range { start: Bytes::new(), end: None };
            Answer::Scanned(engine.scan(range, Order::Ascending, usize::MAX).await.unwrap())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn all_engines_answer_random_operations_alike(steps in steps()) {
        let homes = homes();
        let mut engines: Vec<Arc<dyn Engine>> = homes.iter().map(|home| home.open()).collect();
        block_on(async {
            for step in &steps {
                if let Step::Reopen = step {
                    engines.clear();
                    engines.extend(homes.iter().map(|home| home.open()));
                }
                let expected = answer(&*engines[0], step).await;
                for engine in &engines[1..] {
                    prop_assert_eq!(&answer(&**engine, step).await, &expected);
                }
            }
            Ok(())
        })?;
    }
}
