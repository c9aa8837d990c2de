//! redb's file, encrypted page by page (sealing.md §8).
//!
//! ```text
//! 0       superblock: magic, version, file id, key check
//! 4,096   header copy A: block 0 with its counter
//! 16,384  header copy B
//! 28,672  block 1, block 2, … in slots of nonce24 ‖ page 4,096 ‖ tag16
//! ```
//!
//! Block 0 is the only page that redb rewrites in place. The copy that the last successful sync
//! made durable is never overwritten, so that one of the two is whole after any power cut. After a
//! failed write or sync [`SealedFile::recover`] goes back to that copy. A page that does not read
//! is no error to redb, which would refuse all others too (`damage.rs`).

use std::fmt;
use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use redb::{BackendError, StorageBackend};

use crate::disk::Disk;
use crate::engine::Cause;
use crate::master_key::DataKey;

mod cipher;
pub(crate) mod damage;
mod header;
mod superblock;
#[cfg(test)]
mod tests;

use cipher::{Cipher, NONCE, PAGE, SLOT};
use damage::{Damage, Found};
use header::Header;

/// Where block 1 begins.
const DATA: u64 = 28_672;

/// Why a file could not be opened as a database.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpenError {
    /// It was made by something else.
    #[error("the file is not a Hearth database; move it away, or use another data folder")]
    Foreign,
    /// It was made by a newer Hearth.
    #[error("the database has format {0}, newer than this program; install a newer Hearth")]
    Newer(u16),
    /// The key does not fit.
    #[error(
        "the key does not open this database; use the key file it was made with, \
         or restore a backup"
    )]
    WrongKey,
    /// Parts of it are missing or are not what was written.
    #[error("the database is damaged: {what}; restore a backup")]
    Damaged {
        /// What is wrong.
        what: String,
    },
    /// The disk did not do it.
    #[error("the database cannot be read; check the disk and the log of the system")]
    Io(#[source] Cause),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                OpenError::Damaged { what: error.to_string() }
            }
            _ => OpenError::Io(Cause::new(error)),
        }
    }
}

/// A page that is not what was written there.
#[derive(Debug, thiserror::Error)]
#[error("block {0} is not what was written there")]
pub struct BadBlock(pub u64);

/// An operation of a hold that [`SealedFile::recover`] ended.
#[derive(Debug, thiserror::Error)]
#[error("the database was reopened after an error")]
pub struct Ended;

/// One user's hold of the file; [`SealedFile::recover`] ends those before it.
pub struct SealedFile {
    inner: Arc<Inner>,
    generation: u64,
}

struct Inner {
    disk: Arc<dyn Disk>,
    cipher: Cipher,
    header: Mutex<Header>,
    /// The length that redb sees, in bytes of clear pages.
    len: Mutex<u64>,
    /// Whose writes are let through. Held while one is under way.
    generation: RwLock<u64>,
    damage: Mutex<Damage>,
}

impl SealedFile {
    /// Opens the file on a disk, or makes it where the disk is empty.
    pub fn open(disk: Arc<dyn Disk>, key: &DataKey) -> Result<Self, OpenError> {
        let (cipher, header) = if superblock::is_unfinished(&*disk)? {
            create(&*disk, key)?
        } else {
            let cipher = superblock::read(&*disk, key)?;
            // What a killed process wrote and did not sync is read back like the rest: it must be
            // durable before the older copy is overwritten.
            disk.sync()?;
            let header = Header::read(&*disk, &cipher)?;
            (cipher, header)
        };
        let len = if header.is_blank() {
            // redb never finished its first header: what follows is of no use to anybody.
            disk.set_len(DATA)?;
            0
        } else {
            let blocks = disk.len()?.saturating_sub(DATA) / SLOT as u64;
            (blocks + 1) * PAGE as u64
        };
        let inner = Inner {
            disk,
            cipher,
            header: Mutex::new(header),
            len: Mutex::new(len),
            generation: RwLock::new(0),
            damage: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner), generation: 0 })
    }

    /// After a failed write or sync: ends all earlier holds, goes back to the last durable header
    /// and makes it the newest again. When it returns, the file is as the last successful sync
    /// left it.
    pub fn recover(&self) -> io::Result<SealedFile> {
        let inner = self.inner.clone();
        let mut generation = inner.generation.write().unwrap_or_else(PoisonError::into_inner);
        inner.header().roll_back(&*inner.disk, &inner.cipher)?;
        *generation += 1;
        drop(generation);
        let generation = *inner.generation.read().unwrap_or_else(PoisonError::into_inner);
        Ok(SealedFile { inner, generation })
    }

    /// Another handle of the same hold.
    pub fn handle(&self) -> SealedFile {
        SealedFile { inner: self.inner.clone(), generation: self.generation }
    }

    /// A commit is complete: its header gets a second copy. Without it the header is durable too.
    pub fn mirror_header(&self) {
        if let Ok(_held) = self.hold() {
            self.inner.header().mirror(&*self.inner.disk);
        }
    }

    /// How many headers were made durable: a two-phase commit makes two.
    pub fn durable_headers(&self) -> u64 {
        self.inner.header().durable_count
    }

    /// How many bytes of the disk's space it takes. redb lets a file grow in large steps, of which
    /// nothing but the length is there at first.
    pub fn disk_bytes(&self) -> io::Result<u64> {
        self.inner.disk.occupied()
    }

    /// What of the file was found not to read, last.
    pub fn damage(&self) -> Option<Found> {
        self.inner.damage().newest()
    }

    /// Tries one of the blocks that did not read again. If it does, all is forgotten: who keeps
    /// what it got in their place should forget that too.
    pub fn has_healed(&self) -> bool {
        let Some(block) = self.inner.damage().next() else { return false };
        let healed = self.inner.read_blocks(block * PAGE as u64, &mut [0; PAGE]).is_ok();
        if healed {
            self.inner.damage().forget(|_| true);
        }
        healed
    }

    /// Keeps `recover` out while an operation is under way; refuses ended holds.
    fn hold(&self) -> io::Result<RwLockReadGuard<'_, u64>> {
        let generation = self.inner.generation.read().unwrap_or_else(PoisonError::into_inner);
        if *generation == self.generation { Ok(generation) } else { Err(io::Error::other(Ended)) }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let header = self.header.get_mut().unwrap_or_else(PoisonError::into_inner);
        header.mirror(&*self.disk);
    }
}

impl Inner {
    fn header(&self) -> MutexGuard<'_, Header> {
        self.header.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn damage(&self) -> MutexGuard<'_, Damage> {
        self.damage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn len(&self) -> MutexGuard<'_, u64> {
        self.len.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads clear bytes of blocks from 1 on; of a damaged page, the page that leads nowhere.
    fn read_or_fill(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match self.read_blocks(offset, out) {
            Err((block, error)) if damage::is_of_pages(offset, out.len()) => {
                self.damage().note(block, error);
                damage::fill(out);
                Ok(())
            }
            result => result.map_err(|(_, error)| error),
        }
    }

    /// Reads clear bytes of blocks from 1 on, or says which block does not read.
    fn read_blocks(&self, offset: u64, out: &mut [u8]) -> Result<(), (u64, io::Error)> {
        let (page, slot) = (PAGE as u64, SLOT as u64);
        let first = offset / page;
        let end = (offset + out.len() as u64).div_ceil(page);
        let at = |error| (first, error);
        let mut raw = vec![0; usize_of((end - first) * slot).map_err(at)?];
        self.disk.read_at(DATA + (first - 1) * slot, &mut raw).map_err(at)?;
        let mut skip = usize_of(offset % page).map_err(at)?;
        let mut rest = out;
        for (number, slot) in (first..end).zip(raw.chunks_exact_mut(SLOT)) {
            let page = self.cipher.open(number, slot).map_err(|error| (number, error))?;
            let (now, later) = rest.split_at_mut(rest.len().min(PAGE - skip));
            now.copy_from_slice(&page[skip..skip + now.len()]);
            (rest, skip) = (later, 0);
        }
        Ok(())
    }

    /// Writes whole blocks from 1 on.
    fn write_blocks(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let page = PAGE as u64;
        if !offset.is_multiple_of(page) || !data.len().is_multiple_of(PAGE) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "half a page"));
        }
        let first = offset / page;
        let mut raw = vec![0; data.len() / PAGE * SLOT];
        let slots = raw.chunks_exact_mut(SLOT).zip(data.chunks_exact(PAGE));
        for (number, (slot, page)) in (first..).zip(slots) {
            slot[NONCE..NONCE + PAGE].copy_from_slice(page);
            self.cipher.seal(number, slot)?;
        }
        self.disk.write_at(DATA + (first - 1) * SLOT as u64, &raw)?;
        let end = first + (data.len() / PAGE) as u64;
        self.damage().forget(|block| (first..end).contains(&block));
        Ok(())
    }
}

/// Whether a file says that the key is not its key. Does not disturb who has it open: what is read
/// was written once.
pub(crate) fn refuses(file: &mut impl io::Read, key: &DataKey) -> bool {
    superblock::refuses(file, key)
}

/// Makes a file: its superblock is written last, when a header copy is durable.
fn create(disk: &dyn Disk, key: &DataKey) -> Result<(Cipher, Header), OpenError> {
    let (superblock, cipher) = superblock::make(key)?;
    disk.set_len(DATA)?;
    let header = Header::create(disk, &cipher)?;
    superblock::write(disk, &superblock)?;
    disk.sync()?;
    Ok((cipher, header))
}

fn usize_of(number: u64) -> io::Result<usize> {
    usize::try_from(number).map_err(io::Error::other)
}

impl fmt::Debug for SealedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedFile").field("generation", &self.generation).finish_non_exhaustive()
    }
}

impl StorageBackend for SealedFile {
    fn len(&self) -> io::Result<u64> {
        let _held = self.hold()?;
        Ok(*self.inner.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let _held = self.hold()?;
        let end = offset.checked_add(out.len() as u64);
        if end.is_none_or(|end| end > *self.inner.len()) {
            let why = "the file ends before what was written";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
        }
        let of_header = usize_of((PAGE as u64).saturating_sub(offset))?.min(out.len());
        let (head, rest) = out.split_at_mut(of_header);
        if !head.is_empty() {
            let from = usize_of(offset)?;
            head.copy_from_slice(&self.inner.header().page()[from..from + of_header]);
        }
        if rest.is_empty() {
            return Ok(());
        }
        self.inner.read_or_fill(offset + of_header as u64, rest)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let _held = self.hold()?;
        let (page, slot) = (PAGE as u64, SLOT as u64);
        if !len.is_multiple_of(page) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "half a page"));
        }
        let mut current = self.inner.len();
        self.inner.disk.set_len(DATA + (len / page).saturating_sub(1) * slot)?;
        *current = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let _held = self.hold()?;
        let mut header = self.inner.header();
        self.inner.disk.sync()?;
        header.synced();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let _held = self.hold()?;
        let of_header = usize_of((PAGE as u64).saturating_sub(offset))?.min(data.len());
        let (head, rest) = data.split_at(of_header);
        if !head.is_empty() {
            let inner = &self.inner;
            if damage::was_met() {
                let why = "a page that is needed does not read";
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
            inner.header().write(&*inner.disk, &inner.cipher, usize_of(offset)?, head)?;
        }
        if rest.is_empty() {
            return Ok(());
        }
        self.inner.write_blocks(offset + of_header as u64, rest)
    }

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        // The disk is locked as a whole by whoever opened it.
        Err(BackendError::Unsupported)
    }
}
