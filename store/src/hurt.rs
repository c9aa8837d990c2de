//! An engine of tests, of this crate and others: rows of it do not read, or its disk is full.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use bytes::Bytes;
use hearth_protocol::ids::{Position, RoomId};

use crate::engine::{Batch, BoxFuture, Cause, Engine, EngineError, Order, Range, Row, Snapshot};
use crate::{Memory, keys};

/// An engine in memory of which some rows do not read; it counts what is read.
#[derive(Default)]
pub struct Hurt {
    pub memory: Memory,
    pub rows: Mutex<BTreeSet<Bytes>>,
    pub failed: AtomicUsize,
    pub reads: AtomicUsize,
    /// It is the disk that refuses.
    pub refuses: AtomicBool,
    /// Nothing more can be written.
    pub is_full: AtomicBool,
}

impl Hurt {
    /// These positions of a room do not read from now on.
    pub fn hurt(&self, room: RoomId, positions: impl IntoIterator<Item = u64>) {
        let keys = positions.into_iter().map(|at| keys::event(room, Position(at)));
        self.rows.lock().unwrap().extend(keys);
    }

    /// The rows that hold these words do not read from now on; how many they are.
    pub async fn hurt_words(&self, words: &[&str]) -> Result<usize, EngineError> {
        let holds = |value: &[u8], word: &str| {
            value.windows(word.len()).any(|part| part == word.as_bytes())
        };
        let all = Range::from(Bytes::new());
        let rows = self.memory.scan(all, Order::Ascending, usize::MAX).await?;
        let hurt = rows.into_iter().filter(|(_, row)| words.iter().any(|word| holds(row, word)));
        let mut rows = self.rows.lock().unwrap();
        rows.extend(hurt.map(|(key, _)| key));
        Ok(rows.len())
    }

    fn check(&self, touches: impl Fn(&Bytes) -> bool) -> Result<(), EngineError> {
        self.reads.fetch_add(1, SeqCst);
        if !self.rows.lock().unwrap().iter().any(touches) {
            return Ok(());
        }
        self.failed.fetch_add(1, SeqCst);
        let refused = || Cause::new(io::Error::other("the disk says no"));
        let cause = self.refuses.load(SeqCst).then(refused);
        Err(EngineError::Damaged { what: "a test's row".into(), cause })
    }
}

impl Engine for Arc<Hurt> {
    fn get(&self, key: Bytes) -> BoxFuture<'_, Result<Option<Bytes>, EngineError>> {
        Box::pin(async move {
            self.check(|hurt| *hurt == key)?;
            self.memory.get(key).await
        })
    }

    fn scan(
        &self,
        range: Range,
        order: Order,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Row>, EngineError>> {
        Box::pin(async move {
            self.check(|hurt| range.contains(hurt))?;
            self.memory.scan(range, order, limit).await
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), EngineError>> {
        Box::pin(async move {
            if self.is_full.load(SeqCst) {
                return Err(io::Error::from(io::ErrorKind::StorageFull).into());
            }
            self.check(|hurt| batch.ops.iter().any(|op| op.key() == hurt))?;
            self.memory.commit(batch).await
        })
    }

    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, EngineError>> {
        self.memory.snapshot()
    }
}
