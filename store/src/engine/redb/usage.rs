//! How much of the database's file is in use, and whether a compaction pays.

use std::sync::atomic::Ordering::SeqCst;

use hearth_protocol::limits::Limits;
use redb::ReadableDatabase;

use super::failure::guarded;
use super::{Open, ROWS, closed};
use crate::engine::EngineError;

/// What a packed file has besides keys and values, in percent of them: the tree, ends of pages
/// that no row fits into, nonces and tags.
const OVERHEAD_PERCENT: u64 = 20;

/// How much of the database's file is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of space that the file takes.
    pub file_bytes: u64,
    /// Bytes of the keys and values that are stored.
    pub stored_bytes: u64,
}

impl Usage {
    /// About how many bytes a compaction gives back.
    pub fn free_bytes(&self) -> u64 {
        let packed = self.stored_bytes.saturating_mul(100 + OVERHEAD_PERCENT) / 100;
        self.file_bytes.saturating_sub(packed)
    }

    /// Whether that is worth copying what is stored.
    pub fn compaction_pays(&self, limits: &Limits) -> bool {
        let number = |limit| u64::try_from(limit).unwrap_or(u64::MAX);
        let percent = number(limits.compaction_free_percent);
        let least = number(limits.compaction_free_bytes)
            .max(self.file_bytes.saturating_mul(percent).div_ceil(100));
        self.free_bytes() >= least
    }
}

impl Open {
    /// Reads every row.
    pub(super) fn usage(&self) -> Result<Usage, EngineError> {
        let file_bytes = self.state().file.disk_bytes()?;
        let (table, held) = self
            .with(|database, held| Ok((database.begin_read()?.open_table(ROWS)?, held.clone())))?;
        let mut stored_bytes = 0;
        let file = self.state().file;
        let counted = guarded(|| {
            for row in table.range::<&[u8]>(..)? {
                let (key, value) = row?;
                stored_bytes += (key.value().len() + value.value().len()) as u64;
                if self.closing.load(SeqCst) {
                    break;
                }
            }
            Ok(())
        });
        drop(held);
        counted.map_err(|failure| failure.explained(&file))?;
        if self.closing.load(SeqCst) {
            return Err(closed());
        }
        Ok(Usage { file_bytes, stored_bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compaction_pays_where_enough_of_the_file_is_free() {
        const MIB: u64 = 1024 * 1024;
        let pays = |file_bytes, stored_bytes| {
            Usage { file_bytes, stored_bytes }.compaction_pays(&Limits::default())
        };
        // 10 MiB take 12: 16 MiB of 28 are free.
        assert!(pays(28 * MIB, 10 * MIB));
        assert!(!pays(28 * MIB - 1, 10 * MIB), "too little is free");
        assert!(pays(16 * MIB, 0));
        assert!(!pays(16 * MIB - 1, 0));
        // 70 MiB take 84: 30 % of 120 are free.
        assert!(pays(120 * MIB, 70 * MIB));
        assert!(!pays(120 * MIB - 1, 70 * MIB), "too small a share is free");
        assert!(!pays(100 * MIB, 100 * MIB));
    }
}
