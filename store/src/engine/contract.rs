//! What every engine owes the seam: one suite for all, and random operations compared ([`random`]).
//!
//! A further engine is one more line of `contract!`, with a function that makes its [`Home`].

use std::sync::Arc;

use bytes::Bytes;

use super::memory::Memory;
use super::redb::Redb;
use super::{Batch, Engine, EngineError, Order, Range};
use crate::master_key::DataKey;
use crate::sim_disk::SimDisk;
use crate::testing::block_on;

mod random;

/// Where an engine keeps its rows: opened again, they are there.
struct Home(Box<dyn Fn() -> Arc<dyn Engine>>);

impl Home {
    /// The engine. One that was opened before is dropped first.
    fn open(&self) -> Arc<dyn Engine> {
        (self.0)()
    }
}

fn memory() -> Home {
    let engine = Arc::new(Memory::new());
    Home(Box::new(move || engine.clone()))
}

fn redb() -> Home {
    let disk = Arc::new(SimDisk::new());
    let key = DataKey::from_bytes([7; 32]);
    Home(Box::new(move || Arc::new(Redb::open(disk.clone(), &key, 1 << 20).unwrap())))
}

macro_rules! contract {
    ($($engine:ident)+) => {
        $(mod $engine {
            contract!(@tests $engine:
                what_was_put_is_there_and_what_was_deleted_is_not
                a_scan_keeps_to_its_range_order_and_limit
                an_expectation_that_fails_fails_its_whole_batch_and_no_other
                a_batch_that_fails_late_leaves_the_rows_as_they_were
                a_hosted_work_commits_and_reads_beside_others
                of_two_batches_for_one_key_the_first_wins
                values_of_many_pages_are_kept
                what_was_committed_is_there_when_it_is_opened_again
            );
        })+

        /// Each engine's home, empty.
        fn homes() -> Vec<Home> {
            vec![$($engine()),+]
        }
    };
    (@tests $engine:ident: $($test:ident)+) => {
        $(#[test]
        fn $test() {
            super::$test(&super::$engine());
        })+
    };
}

contract!(memory redb);

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

fn what_was_put_is_there_and_what_was_deleted_is_not(home: &Home) {
    let engine = home.open();
    block_on(async {
        assert_eq!(engine.get(bytes("a")).await.unwrap(), None);
        engine.commit(puts(&[("a", "1"), ("b", ""), ("", "empty")])).await.unwrap();
        assert_eq!(engine.get(bytes("a")).await.unwrap(), Some(bytes("1")));
        assert_eq!(engine.get(bytes("b")).await.unwrap(), Some(bytes("")));
        assert_eq!(engine.get(bytes("")).await.unwrap(), Some(bytes("empty")));
        let mut batch = puts(&[("a", "2"), ("a", "3")]);
        batch.delete(bytes("b"));
        batch.delete(bytes("never there"));
        engine.commit(batch).await.unwrap();
        assert_eq!(engine.get(bytes("a")).await.unwrap(), Some(bytes("3")));
        assert_eq!(engine.get(bytes("b")).await.unwrap(), None);
    });
}

fn a_scan_keeps_to_its_range_order_and_limit(home: &Home) {
    let engine = home.open();
    block_on(async {
        engine.commit(puts(&[("a", ""), ("ab", ""), ("b", ""), ("c", "")])).await.unwrap();
        let engine = &*engine;
        let range =
            |start: &str, end: Option<&str>| Range { start: bytes(start), end: end.map(bytes) };
        let up = Order::Ascending;
        assert_eq!(keys(engine, range("", None), up, 9).await, ["a", "ab", "b", "c"]);
        assert_eq!(keys(engine, range("a", Some("b")), up, 9).await, ["a", "ab"]);
        assert_eq!(keys(engine, Range::prefix("a"), up, 1).await, ["a"]);
        let down = Order::Descending;
        assert_eq!(keys(engine, range("ab", None), down, 2).await, ["c", "b"]);
        assert!(keys(engine, range("b", Some("a")), up, 9).await.is_empty());
        assert!(keys(engine, range("a", None), up, 0).await.is_empty());
    });
}

fn an_expectation_that_fails_fails_its_whole_batch_and_no_other(home: &Home) {
    let engine = home.open();
    block_on(async {
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
        assert!(matches!(stale, Err(EngineError::Conflict)));
        assert!(matches!(taken, Err(EngineError::Conflict)));
        good.unwrap();
        let all = Range { start: Bytes::new(), end: None };
        assert_eq!(keys(&*engine, all, Order::Ascending, 9).await, ["a", "d"]);
    });
}

fn a_batch_that_fails_late_leaves_the_rows_as_they_were(home: &Home) {
    let engine = home.open();
    block_on(async {
        engine.commit(puts(&[("a", "1"), ("b", "1"), ("z", "1")])).await.unwrap();
        let mut late = puts(&[("b", "2"), ("b", "3"), ("c", "1")]);
        late.delete(bytes("a"));
        late.put(bytes("z"), bytes("2"));
        late.expect(bytes("c"), None);
        late.expect(bytes("z"), None);
        let mut gone = Batch::default();
        gone.delete(bytes("z"));
        gone.put(bytes("z"), bytes("3"));
        gone.expect(bytes("z"), None);
        let good = puts(&[("d", "1")]);
        let (late, gone, good) =
            tokio::join!(engine.commit(late), engine.commit(gone), engine.commit(good));
        assert!(matches!(late, Err(EngineError::Conflict)));
        assert!(matches!(gone, Err(EngineError::Conflict)));
        good.unwrap();
        let all = engine.scan(Range::from(""), Order::Ascending, 9).await.unwrap();
        let expected = [("a", "1"), ("b", "1"), ("d", "1"), ("z", "1")];
        assert_eq!(all, expected.map(|(key, value)| (bytes(key), bytes(value))));
    });
}

fn a_hosted_work_commits_and_reads_beside_others(home: &Home) {
    let engine: Arc<dyn Engine> = home.open();
    block_on(async {
        let (done, ended) = tokio::sync::oneshot::channel();
        let hosted = engine.clone();
        let work = async move {
            for number in 0..20_u8 {
                let mut batch = puts(&[("hosted", "")]);
                batch.put(vec![b'h', number].into(), bytes("1"));
                batch.expect(vec![b'h', number].into(), None);
                hosted.commit(batch).await.unwrap();
                let found = hosted.get(vec![b'h', number].into()).await.unwrap();
                assert_eq!(found, Some(bytes("1")));
            }
            drop(hosted);
            done.send(()).unwrap();
        };
        engine.host(Box::pin(work)).unwrap();
        for number in 0..20_u8 {
            let mut batch = Batch::default();
            batch.put(vec![b'o', number].into(), bytes("1"));
            batch.expect(vec![b'o', number].into(), None);
            engine.commit(batch).await.unwrap();
        }
        ended.await.unwrap();
        let all = engine.scan(Range::from(""), Order::Ascending, 99).await.unwrap();
        assert_eq!(all.len(), 41);
    });
    let nowhere = engine.host(Box::pin(async {}));
    assert!(nowhere.is_err(), "there is no runtime");
}

fn of_two_batches_for_one_key_the_first_wins(home: &Home) {
    let engine = home.open();
    block_on(async {
        let mut one = puts(&[("k", "1")]);
        one.expect(bytes("k"), None);
        let mut two = puts(&[("k", "2")]);
        two.expect(bytes("k"), None);
        let (one, two) = tokio::join!(engine.commit(one), engine.commit(two));
        assert!(one.is_ok() && matches!(two, Err(EngineError::Conflict)));
        assert_eq!(engine.get(bytes("k")).await.unwrap(), Some(bytes("1")));
    });
}

fn values_of_many_pages_are_kept(home: &Home) {
    let engine = home.open();
    block_on(async {
        let large: Bytes = (0..300_000_u32).map(|byte| byte.to_be_bytes()[3]).collect();
        let mut batch = Batch::default();
        batch.put(bytes("large"), large.clone());
        engine.commit(batch).await.unwrap();
        assert_eq!(engine.get(bytes("large")).await.unwrap(), Some(large));
    });
}

fn what_was_committed_is_there_when_it_is_opened_again(home: &Home) {
    block_on(async {
        home.open().commit(puts(&[("a", "1"), ("b", "2")])).await.unwrap();
        let mut batch = puts(&[("a", "3")]);
        batch.delete(bytes("b"));
        home.open().commit(batch).await.unwrap();
        let engine = home.open();
        assert_eq!(engine.get(bytes("a")).await.unwrap(), Some(bytes("3")));
        assert_eq!(engine.get(bytes("b")).await.unwrap(), None);
    });
}
