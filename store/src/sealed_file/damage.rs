//! Pages that do not read, and what redb gets in their place.
//!
//! After an error of its file redb refuses everything, so one bad sector would close the house. It
//! gets a page instead that leads nowhere: whoever looks something up in it gets
//! `StorageError::Corrupted` from redb, and whoever would copy its entries panics. Nobody gets
//! data out of it, and nothing else stops.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io;

use super::{BadBlock, PAGE};
use crate::engine::Cause;

/// Blocks that are remembered; of more, those that were met last.
const REMEMBERED: usize = 64;

thread_local! {
    /// This thread got a page that leads nowhere since it began.
    static FILLED: Cell<bool> = const { Cell::new(false) };
}

/// What this thread does next has nothing to do with pages that it could not read before.
pub fn begin() {
    FILLED.set(false);
}

/// Whether this thread got a page that leads nowhere since it began. A page that does not read
/// once may have read before: redb, half-way through it, can copy what it got then into the tree.
/// So what follows must not become durable.
pub(super) fn was_met() -> bool {
    FILLED.get()
}

/// Blocks that did not read.
#[derive(Debug, Default)]
pub(super) struct Damage {
    blocks: VecDeque<u64>,
    newest: Option<Found>,
}

/// What did not read, in words, and why.
#[derive(Debug, Clone)]
pub struct Found {
    /// Which block.
    pub what: String,
    /// What the disk or the cipher said.
    pub cause: Cause,
}

impl Damage {
    pub fn note(&mut self, block: u64, error: io::Error) {
        if !self.blocks.contains(&block) {
            tracing::error!(block, %error, "a page of the database does not read");
            if self.blocks.len() == REMEMBERED {
                self.blocks.pop_front();
            }
            self.blocks.push_back(block);
        }
        let what = match error.get_ref() {
            Some(inner) if inner.is::<BadBlock>() => inner.to_string(),
            _ => format!("block {block} does not read"),
        };
        self.newest = Some(Found { what, cause: Cause::new(error) });
    }

    pub fn newest(&self) -> Option<Found> {
        self.newest.clone()
    }

    /// A block to try again: each in its turn.
    pub fn next(&mut self) -> Option<u64> {
        self.blocks.rotate_left(1.min(self.blocks.len()));
        self.blocks.back().copied()
    }

    /// What was written or reads again is damaged no more.
    pub fn forget(&mut self, is_forgotten: impl Fn(u64) -> bool) {
        self.blocks.retain(|block| !is_forgotten(*block));
    }
}

/// Fills a read of whole pages with the page that leads nowhere.
///
/// As a branch of redb's tree (type 2, keys u16, 4 unused, checksums, children, ends of keys) it
/// has two keys. The second is empty, so a search ends at a child, of which none exists: order 31
/// is refused before anything is read. The first ends before it begins, so that copying the keys
/// (as a merge with a neighbour does) panics. Taken for a leaf (no type is asked of neighbours in
/// a merge), its first entry ends beyond the page, which panics too.
pub(super) fn fill(out: &mut [u8]) {
    FILLED.set(true);
    const BRANCH: u8 = 2;
    const KEYS: u8 = 2;
    const CHECKSUM: usize = 16;
    const CHILD: usize = 8;
    const KEY_ENDS: usize = 8 + 3 * (CHECKSUM + CHILD);
    out.fill(u8::MAX);
    out[..4].copy_from_slice(&[BRANCH, 0, KEYS, 0]);
    out[KEY_ENDS..KEY_ENDS + 8].fill(0);
}

/// Whether a read is of whole pages, so that it can be filled.
pub(super) fn is_of_pages(offset: u64, len: usize) -> bool {
    len > 0
        && offset >= PAGE as u64
        && offset.is_multiple_of(PAGE as u64)
        && len.is_multiple_of(PAGE)
}
