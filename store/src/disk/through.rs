//! A disk of a test over another one: it passes on whatever it has nothing of its own to say to.

use std::{fmt, io};

use super::Disk;

/// What the disk below is, and what is done in place of its reads and syncs.
pub trait Through: Send + Sync + fmt::Debug + 'static {
    /// The disk below.
    fn below(&self) -> &dyn Disk;

    /// A read.
    fn read_through(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.below().read_at(offset, out)
    }

    /// A sync.
    fn sync_through(&self) -> io::Result<()> {
        self.below().sync()
    }
}

impl<T: Through> Disk for T {
    fn len(&self) -> io::Result<u64> {
        self.below().len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.read_through(offset, out)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.below().write_at(offset, data)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.below().set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_through()
    }
}
