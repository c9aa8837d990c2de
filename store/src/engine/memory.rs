//! The engine in memory: a `BTreeMap`. The model of the others, and what unit tests run on.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};

use bytes::Bytes;

use super::{Batch, BoxFuture, Engine, EngineError, Op, Order, Range, Row, Snapshot};

/// Rows that end with the process.
#[derive(Debug, Default)]
pub struct Memory {
    rows: RwLock<BTreeMap<Bytes, Bytes>>,
}

impl Memory {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    fn read<T>(&self, look: impl FnOnce(&BTreeMap<Bytes, Bytes>) -> T) -> T {
        look(&self.rows.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn apply(&self, batch: Batch) -> Result<(), EngineError> {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        for op in &batch.ops {
            if let Op::Expect(key, value) = op
                && rows.get(key) != value.as_ref()
            {
                return Err(EngineError::Conflict);
            }
        }
        for op in batch.ops {
            match op {
                Op::Expect(..) => {}
                Op::Put(key, value) => drop(rows.insert(key, value)),
                Op::Delete(key) => drop(rows.remove(&key)),
            }
        }
        Ok(())
    }
}

fn find(rows: &BTreeMap<Bytes, Bytes>, range: Range, order: Order, limit: usize) -> Vec<Row> {
    if range.is_empty() {
        return vec![];
    }
    let end = range.end.map_or(Bound::Unbounded, Bound::Excluded);
    let found = rows.range((Bound::Included(range.start), end));
    let row = |(key, value): (&Bytes, &Bytes)| (key.clone(), value.clone());
    match order {
        Order::Ascending => found.take(limit).map(row).collect(),
        Order::Descending => found.rev().take(limit).map(row).collect(),
    }
}

impl Engine for Memory {
    fn get(&self, key: Bytes) -> BoxFuture<'_, Result<Option<Bytes>, EngineError>> {
        Box::pin(async move { Ok(self.read(|rows| rows.get(&key).cloned())) })
    }

    fn scan(
        &self,
        range: Range,
        order: Order,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Row>, EngineError>> {
        Box::pin(async move { Ok(self.read(|rows| find(rows, range, order, limit))) })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), EngineError>> {
        Box::pin(async move { self.apply(batch) })
    }

    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, EngineError>> {
        Box::pin(async move {
            let copy = Copy { rows: self.read(Clone::clone) };
            Ok(Box::new(copy) as Box<dyn Snapshot>)
        })
    }
}

/// A snapshot: the rows share their bytes with the engine's.
struct Copy {
    rows: BTreeMap<Bytes, Bytes>,
}

impl Snapshot for Copy {
    fn rows(&mut self, range: Range, limit: usize) -> BoxFuture<'_, Result<Vec<Row>, EngineError>> {
        Box::pin(async move { Ok(find(&self.rows, range, Order::Ascending, limit)) })
    }
}
