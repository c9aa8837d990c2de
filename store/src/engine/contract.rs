//! What every engine owes the seam: one suite for all, and random operations compared with the
//! model.

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::memory::Memory;
use super::redb::Redb;
use super::{Batch, Engine, EngineError, Order, Range};
use crate::master_key::DataKey;
use crate::sim_disk::SimDisk;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

fn on_redb() -> Arc<dyn Engine> {
    let disk = Arc::new(SimDisk::new());
    Arc::new(Redb::open(disk, &DataKey::from_bytes([7; 32]), 1 << 20).unwrap())
}

fn engines() -> [(&'static str, Arc<dyn Engine>); 2] {
    [("memory", Arc::new(Memory::new())), ("redb", on_redb())]
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn puts(rows: &[(&str, &str)]) -> Batch {
    let mut batch = Batch::default();
    for (key, value) in rows {
        batch.put(bytes(key), bytes(value));
    }
    batch
}

async fn keys(engine: &dyn Engine, range: Range, order: Order, limit: usize) -> Vec<String> {
    let rows = engine.scan(range, order, limit).await.unwrap();
    rows.into_iter().map(|(key, _)| String::from_utf8(key.to_vec()).unwrap()).collect()
}

#[test]
fn what_was_put_is_there_and_what_was_deleted_is_not() {
    for (name, engine) in engines() {
        runtime().block_on(async {
            assert_eq!(engine.get(bytes("a")).await.unwrap(), None, "{name}");
            engine.commit(puts(&[("a", "1"), ("b", ""), ("", "empty")])).await.unwrap();
            assert_eq!(engine.get(bytes("a")).await.unwrap(), Some(bytes("1")), "{name}");
            assert_eq!(engine.get(bytes("b")).await.unwrap(), Some(bytes("")), "{name}");
            assert_eq!(engine.get(bytes("")).await.unwrap(), Some(bytes("empty")), "{name}");
            let mut batch = puts(&[("a", "2"), ("a", "3")]);
            batch.delete(bytes("b"));
            batch.delete(bytes("never there"));
            engine.commit(batch).await.unwrap();
            assert_eq!(engine.get(bytes("a")).await.unwrap(), Some(bytes("3")), "{name}");
            assert_eq!(engine.get(bytes("b")).await.unwrap(), None, "{name}");
        });
    }
}

#[test]
fn a_scan_keeps_to_its_range_order_and_limit() {
    for (name, engine) in engines() {
        runtime().block_on(async {
            engine.commit(puts(&[("a", ""), ("ab", ""), ("b", ""), ("c", "")])).await.unwrap();
            let engine = &*engine;
            let range =
                |start: &str, end: Option<&str>| Range { start: bytes(start), end: end.map(bytes) };
            let up = Order::Ascending;
            assert_eq!(keys(engine, range("", None), up, 9).await, ["a", "ab", "b", "c"], "{name}");
            assert_eq!(keys(engine, range("a", Some("b")), up, 9).await, ["a", "ab"], "{name}");
            assert_eq!(keys(engine, Range::prefix("a"), up, 1).await, ["a"], "{name}");
            let down = Order::Descending;
            assert_eq!(keys(engine, range("ab", None), down, 2).await, ["c", "b"], "{name}");
            assert!(keys(engine, range("b", Some("a")), up, 9).await.is_empty(), "{name}");
            assert!(keys(engine, range("a", None), up, 0).await.is_empty(), "{name}");
        });
    }
}

#[test]
fn an_expectation_that_fails_fails_its_whole_batch_and_no_other() {
    for (name, engine) in engines() {
        runtime().block_on(async {
            engine.commit(puts(&[("a", "1")])).await.unwrap();
            let mut stale = puts(&[("b", "1")]);
            stale.expect(bytes("a"), Some(bytes("0")));
            let mut taken = puts(&[("c", "1")]);
            taken.expect(bytes("a"), None);
            let mut good = puts(&[("d", "1")]);
            good.expect(bytes("a"), Some(bytes("1")));
            good.expect(bytes("d"), None);
            let (stale, taken, good) =
                tokio::join!(engine.commit(stale), engine.commit(taken), engine.commit(good));
            assert!(matches!(stale, Err(EngineError::Conflict)), "{name}");
            assert!(matches!(taken, Err(EngineError::Conflict)), "{name}");
            good.unwrap();
            let all = Range { start: Bytes::new(), end: None };
            assert_eq!(keys(&*engine, all, Order::Ascending, 9).await, ["a", "d"], "{name}");
        });
    }
}

#[test]
fn of_two_batches_for_one_key_the_first_wins() {
    for (name, engine) in engines() {
        runtime().block_on(async {
            let mut one = puts(&[("k", "1")]);
            one.expect(bytes("k"), None);
            let mut two = puts(&[("k", "2")]);
            two.expect(bytes("k"), None);
            let (one, two) = tokio::join!(engine.commit(one), engine.commit(two));
            assert!(one.is_ok() && matches!(two, Err(EngineError::Conflict)), "{name}");
            assert_eq!(engine.get(bytes("k")).await.unwrap(), Some(bytes("1")), "{name}");
        });
    }
}

#[test]
fn values_of_many_pages_are_kept() {
    for (name, engine) in engines() {
        runtime().block_on(async {
            let large: Bytes = (0..300_000_u32).map(|byte| byte.to_be_bytes()[3]).collect();
            let mut batch = Batch::default();
            batch.put(bytes("large"), large.clone());
            engine.commit(batch).await.unwrap();
            assert_eq!(engine.get(bytes("large")).await.unwrap(), Some(large), "{name}");
        });
    }
}

#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<(u8, Op)>),
    Get(u8),
    Scan { start: u8, end: Option<u8>, descending: bool, limit: usize },
}

#[derive(Debug, Clone)]
enum Op {
    Put(u16),
    Delete,
    ExpectNone,
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
    let step = prop_oneof![
        3 => prop::collection::vec((key.clone(), op), 0..6).prop_map(Step::Commit),
        1 => key.clone().prop_map(Step::Get),
        2 => (key.clone(), prop::option::of(key), any::<bool>(), 0..9_usize).prop_map(
            |(start, end, descending, limit)| Step::Scan { start, end, descending, limit }
        ),
    ];
    prop::collection::vec(step, 1..30)
}

fn key(number: u8) -> Bytes {
    vec![b'k', number].into()
}

async fn batch_of(ops: &[(u8, Op)], model: &Memory) -> Batch {
    let mut batch = Batch::default();
    for (number, op) in ops {
        match op {
            Op::Put(value) => {
                let value = value.to_be_bytes().repeat(usize::from(*value) % 400);
                batch.put(key(*number), value.into());
            }
            Op::Delete => batch.delete(key(*number)),
            Op::ExpectNone => batch.expect(key(*number), None),
            Op::ExpectCurrent => {
                batch.expect(key(*number), model.get(key(*number)).await.unwrap());
            }
        }
    }
    batch
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn redb_does_what_the_model_does(steps in steps()) {
        let (model, engine) = (Memory::new(), on_redb());
        runtime().block_on(async {
            for step in steps {
                match step {
                    Step::Commit(ops) => {
                        let batch = batch_of(&ops, &model).await;
                        let expected = model.commit(batch.clone()).await.is_ok();
                        prop_assert_eq!(engine.commit(batch).await.is_ok(), expected);
                    }
                    Step::Get(number) => {
                        let expected = model.get(key(number)).await.unwrap();
                        prop_assert_eq!(engine.get(key(number)).await.unwrap(), expected);
                    }
                    Step::Scan { start, end, descending, limit } => {
                        let range = Range { start: key(start), end: end.map(key) };
                        let order = if descending { Order::Descending } else { Order::Ascending };
                        let expected = model.scan(range.clone(), order, limit).await.unwrap();
                        let found = engine.scan(range, order, limit).await.unwrap();
                        prop_assert_eq!(found, expected);
                    }
                }
            }
            Ok(())
        })?;
    }
}
