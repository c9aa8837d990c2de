//! Rows out of a table: of the newest commit, or of a snapshot.

use bytes::Bytes;
use redb::ReadableTable;

use super::Failure;
use crate::engine::{Order, Range, Row};

/// At most `limit` rows of a range, in the given order.
pub(super) fn scan(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
    range: &Range,
    order: Order,
    limit: usize,
) -> Result<Vec<Row>, Failure> {
    if range.is_empty() {
        return Ok(vec![]);
    }
    let start = &range.start[..];
    let mut found = match &range.end {
        Some(end) => table.range(start..&end[..])?,
        None => table.range(start..)?,
    };
    let mut rows = Vec::new();
    while rows.len() < limit {
        let next = match order {
            Order::Ascending => found.next(),
            Order::Descending => found.next_back(),
        };
        let Some(row) = next else { break };
        let (key, value) = row?;
        rows.push((Bytes::copy_from_slice(key.value()), Bytes::copy_from_slice(value.value())));
    }
    Ok(rows)
}
