//! What the broker counts, for `/health` and `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};

/// The numbers at one moment; totals count since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Admitted connections now.
    pub connections: u64,
    /// Sessions now, connected or not.
    pub sessions: u64,
    /// Retained messages now.
    pub retained: u64,
    /// Publishes received from clients, in total.
    pub received: u64,
    /// Publishes refused by the gate or a bound, in total.
    pub refused: u64,
    /// Room events published, in total.
    pub events: u64,
    /// Publishes sent to clients, in total.
    pub delivered: u64,
    /// Messages dropped because a session's queue was full or the packet too large, in total.
    pub dropped: u64,
    /// Stretches read back from history because the bus skipped or a session was away, in total.
    pub backlogs: u64,
    /// Times the bus was started again, in total.
    pub bus_restarts: u64,
}

/// The totals as they are counted.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub received: AtomicU64,
    pub refused: AtomicU64,
    pub events: AtomicU64,
    pub delivered: AtomicU64,
    pub dropped: AtomicU64,
    pub backlogs: AtomicU64,
}

/// Adds to a total.
pub(crate) fn add(total: &AtomicU64, more: u64) {
    total.fetch_add(more, Ordering::Relaxed);
}

/// Reads a total.
pub(crate) fn read(total: &AtomicU64) -> u64 {
    total.load(Ordering::Relaxed)
}
