//! Block 0 as two copies with a counter, of which one is durable at any moment.

use std::io;

use super::OpenError;
use super::cipher::{Cipher, NONCE, PAGE, TAG};
use crate::disk::Disk;

/// Bytes of a copy: nonce24 ‖ counter u64 ‖ page ‖ tag16.
const COPY: usize = NONCE + 8 + PAGE + TAG;
/// Bytes that are written of a copy: whole sectors, which a card can write without reading them.
const WRITTEN: usize = 2 * 4096;
/// The block number that both copies are sealed for.
const BLOCK: u64 = 0;

type Page = Box<[u8; PAGE]>;

/// One of the two copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WhichCopy {
    A,
    B,
}

impl WhichCopy {
    /// 16 KiB apart: no sector, however large, holds both.
    const fn offset(self) -> u64 {
        match self {
            WhichCopy::A => 4_096,
            WhichCopy::B => 16_384,
        }
    }

    const fn other(self) -> WhichCopy {
        match self {
            WhichCopy::A => WhichCopy::B,
            WhichCopy::B => WhichCopy::A,
        }
    }
}

/// Block 0.
pub(super) struct Header {
    /// As it was written last.
    page: Page,
    /// As the last successful sync left it.
    durable_page: Page,
    /// Where that is; never overwritten.
    durable: WhichCopy,
    /// The highest counter ever written.
    counter: u64,
    /// The other copy was written since.
    dirty: bool,
    /// The bytes of a copy that were written last.
    sealed: Vec<u8>,
    /// They are the durable copy, and the other one is older.
    is_alone: bool,
    /// How often a written copy became durable.
    pub durable_count: u64,
}

impl Header {
    fn new(page: Page, durable: WhichCopy, counter: u64) -> Self {
        let durable_page = page.clone();
        let (sealed, is_alone, durable_count) = (vec![], false, 0);
        Self { page, durable_page, durable, counter, dirty: false, sealed, is_alone, durable_count }
    }

    /// The first copy of a new file, durable on return.
    pub fn create(disk: &dyn Disk, cipher: &Cipher) -> io::Result<Self> {
        let mut header = Self::new(Box::new([0; PAGE]), WhichCopy::A, 1);
        header.put(disk, cipher, WhichCopy::A)?;
        disk.sync()?;
        Ok(header)
    }

    /// The newest copy that authenticates. There always is one: the superblock came after it.
    pub fn read(disk: &dyn Disk, cipher: &Cipher) -> Result<Self, OpenError> {
        let mut newest: Option<Header> = None;
        let mut unreadable = None;
        for copy in [WhichCopy::A, WhichCopy::B] {
            let mut raw = vec![0; COPY];
            // A cheap card that lost its power while it wrote a copy cannot read it any more.
            if let Err(error) = disk.read_at(copy.offset(), &mut raw) {
                unreadable = Some(error);
                continue;
            }
            let Ok(clear) = cipher.open(BLOCK, &mut raw) else { continue };
            let Some((counter, page)) = clear.split_first_chunk::<8>() else { continue };
            let counter = u64::from_be_bytes(*counter);
            let Ok(page) = <[u8; PAGE]>::try_from(page) else { continue };
            if newest.as_ref().is_none_or(|newest| newest.counter < counter) {
                newest = Some(Header::new(Box::new(page), copy, counter));
            }
        }
        match (newest, unreadable) {
            (Some(newest), _) => Ok(newest),
            (None, Some(error)) => Err(error.into()),
            (None, None) => {
                let what = "neither copy of its header is what was written".to_string();
                Err(OpenError::Damaged { what })
            }
        }
    }

    /// Whether redb has not finished its first header: its magic number comes last.
    pub fn is_blank(&self) -> bool {
        self.page[..8] == [0; 8]
    }

    pub fn page(&self) -> &[u8; PAGE] {
        &self.page
    }

    /// Writes a part of the page, into the copy that is not the durable one.
    pub fn write(
        &mut self,
        disk: &dyn Disk,
        cipher: &Cipher,
        from: usize,
        part: &[u8],
    ) -> io::Result<()> {
        self.page[from..from + part.len()].copy_from_slice(part);
        self.dirty = true;
        self.is_alone = false;
        self.counter += 1;
        self.put(disk, cipher, self.durable.other())
    }

    /// A sync succeeded: what was written is the durable copy from now on.
    pub fn synced(&mut self) {
        if !self.dirty {
            return;
        }
        self.durable = self.durable.other();
        self.durable_page.copy_from_slice(&*self.page);
        self.dirty = false;
        self.durable_count += 1;
        self.is_alone = true;
    }

    /// The other copy becomes the same as the durable one, so that later damage to either costs
    /// nothing; the next sync makes that durable. Who commits in two phases asks for it after the
    /// second: what the first one made durable is overwritten by it.
    pub fn mirror(&mut self, disk: &dyn Disk) {
        if !std::mem::take(&mut self.is_alone) {
            return;
        }
        if let Err(error) = disk.write_at(self.durable.other().offset(), &self.sealed) {
            tracing::warn!(%error, "the header has one copy only until the next commit");
        }
    }

    /// Makes the durable page the newest again. Until it has returned `Ok` nothing else may be
    /// written: a newer copy that a failed sync left behind could name pages that come next.
    pub fn roll_back(&mut self, disk: &dyn Disk, cipher: &Cipher) -> io::Result<()> {
        self.page.copy_from_slice(&*self.durable_page);
        if self.dirty {
            self.counter += 1;
            self.put(disk, cipher, self.durable.other())?;
            disk.sync()?;
            self.durable = self.durable.other();
            self.dirty = false;
        }
        Ok(())
    }

    /// Seals the page with its counter and writes it as one of the copies.
    fn put(&mut self, disk: &dyn Disk, cipher: &Cipher, copy: WhichCopy) -> io::Result<()> {
        self.sealed.resize(WRITTEN, 0);
        let raw = &mut self.sealed[..COPY];
        raw[NONCE..NONCE + 8].copy_from_slice(&self.counter.to_be_bytes());
        raw[NONCE + 8..NONCE + 8 + PAGE].copy_from_slice(&*self.page);
        cipher.seal(BLOCK, raw)?;
        disk.write_at(copy.offset(), &self.sealed)
    }
}
