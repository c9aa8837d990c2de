//! A disk for tests: what was not synced may be lost, torn or reordered by a power cut, which
//! comes after as many operations as one likes; any operation can be made to fail; and for tests
//! of the tests there is one that lies about its syncs.
//!
//! - `cut`: what a power cut leaves, of a good disk and of a cheap card
//! - [`Dice`]: the choices of a round, repeatable

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::disk::Disk;

mod cut;
mod dice;
#[cfg(test)]
mod tests;

pub use dice::Dice;

/// Bytes that a disk writes as a whole or not at all.
const SECTOR: usize = 512;
/// Bytes that a cheap card rewrites together; and what a file system allots at a time.
const CARD_SECTOR: usize = 4096;

/// A simulated disk. Share it as `Arc<SimDisk>`, which is an `Arc<dyn Disk>`.
#[derive(Debug, Default)]
pub struct SimDisk {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What a power cut leaves for certain.
    durable: Vec<u8>,
    /// What reads see.
    view: Vec<u8>,
    /// What was done since the last sync.
    pending: Vec<Done>,
    /// Writes, new lengths and syncs so far.
    operations: u64,
    reads: u64,
    /// The power is cut before the operation after this many.
    cut_after: Option<u64>,
    /// Operations that fail, by number, from 1.
    fails: Vec<(u64, Fault)>,
    /// Reads that fail, by number, from 1.
    failing_reads: Vec<u64>,
    /// The syncs from now on that fail, the next one being 1.
    failing_sync: Option<u64>,
    /// What fails from that operation on.
    failing_from: Option<(u64, Fault)>,
    /// Blocks that hold something: a full disk still takes writes to them.
    allotted: BTreeSet<usize>,
    /// Card sectors that do not read until they are written as a whole.
    broken: BTreeSet<usize>,
    /// Syncs are answered and not done.
    lies: bool,
    syncs: u64,
}

#[derive(Debug)]
enum Done {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The disk says no. Of a write the first half was done, in whole sectors.
    Error,
    /// There is no space left.
    Full,
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Error => io::Error::other("the disk says no"),
            Fault::Full => io::ErrorKind::StorageFull.into(),
        }
    }
}

impl SimDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// A disk that holds an image, all of it durable.
    pub fn holding(image: Vec<u8>) -> Self {
        let allotted = (0..image.len().div_ceil(CARD_SECTOR)).collect();
        let state = State { durable: image.clone(), view: image, allotted, ..State::default() };
        Self { state: Mutex::new(state) }
    }

    /// From now on it answers syncs without making anything durable.
    pub fn lie(&self) {
        self.state().lies = true;
    }

    /// Lets `operations` more writes, new lengths or syncs through; then the power is gone.
    pub fn cut_power_after(&self, operations: u64) {
        let mut state = self.state();
        state.cut_after = Some(state.operations + operations);
    }

    /// Makes the `nth` operation from now (1 is the next) fail once.
    pub fn fail_nth(&self, nth: u64, fault: Fault) {
        let mut state = self.state();
        let number = state.operations + nth;
        state.fails.push((number, fault));
    }

    /// Makes the `nth` sync from now fail once.
    pub fn fail_sync(&self, nth: u64) {
        self.state().failing_sync = Some(nth);
    }

    /// Makes the `nth` read from now fail once.
    pub fn fail_read(&self, nth: u64) {
        let mut state = self.state();
        let number = state.reads + nth;
        state.failing_reads.push(number);
    }

    /// From the `nth` operation on nothing is done until [`SimDisk::mend`]; a full disk still does
    /// what needs no new space.
    pub fn fail_from(&self, nth: u64, fault: Fault) {
        let mut state = self.state();
        state.failing_from = Some((state.operations + nth, fault));
    }

    /// Nothing fails any more.
    pub fn mend(&self) {
        let mut state = self.state();
        state.fails.clear();
        state.failing_reads.clear();
        (state.failing_sync, state.failing_from) = (None, None);
    }

    /// Whether the power is gone.
    pub fn is_cut(&self) -> bool {
        self.state().is_cut()
    }

    /// Writes, new lengths and syncs so far.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Reads so far.
    pub fn reads(&self) -> u64 {
        self.state().reads
    }

    /// Successful syncs so far.
    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// What reads see now: the image that a copy of the running file would be.
    pub fn image(&self) -> Vec<u8> {
        self.state().view.clone()
    }

    /// Changes bytes behind everybody's back.
    pub fn tamper(&self, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        change(&mut state.view);
        state.durable = state.view.clone();
        state.pending.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an operation, and fails it if that was asked for. It needs these blocks.
    fn operate(&self, blocks: Range<usize>) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        if state.is_cut() {
            return Err(io::Error::other("the power is cut"));
        }
        state.operations += 1;
        let number = state.operations;
        if let Some((_, fault)) = state.fails.iter().find(|(at, _)| *at == number) {
            return Err((*fault).into());
        }
        match state.failing_from {
            Some((from, Fault::Error)) if number >= from => Err(Fault::Error.into()),
            Some((from, Fault::Full))
                if number >= from && blocks.clone().any(|block| !state.has(block)) =>
            {
                Err(Fault::Full.into())
            }
            _ => Ok(state),
        }
    }
}

impl State {
    fn is_cut(&self) -> bool {
        self.cut_after.is_some_and(|last| self.operations >= last)
    }

    fn has(&self, block: usize) -> bool {
        self.allotted.contains(&block)
    }

    fn write(&mut self, place: Range<usize>, data: &[u8]) -> io::Result<()> {
        self.rewrite(&place)?;
        self.allotted.extend(blocks(&place));
        if self.view.len() < place.end {
            self.view.resize(place.end, 0);
        }
        self.view[place.clone()].copy_from_slice(data);
        self.pending.push(Done::Write(place.start, data.to_vec()));
        Ok(())
    }

    /// Sectors that are written as a whole read again; a part needs the rest to be read first.
    fn rewrite(&mut self, place: &Range<usize>) -> io::Result<()> {
        let touched = blocks(place);
        let whole = |sector: &usize| {
            let start = sector * CARD_SECTOR;
            place.start <= start && start + CARD_SECTOR <= place.end
        };
        let hit: Vec<usize> = self.broken.range(touched).copied().collect();
        if !hit.iter().all(whole) {
            return Err(io::Error::other("a sector that is rewritten in part does not read"));
        }
        for sector in hit {
            self.broken.remove(&sector);
        }
        Ok(())
    }
}

/// The blocks, or card sectors, that bytes lie in.
fn blocks(place: &Range<usize>) -> Range<usize> {
    place.start / CARD_SECTOR..place.end.div_ceil(CARD_SECTOR)
}

fn place(offset: u64, len: usize) -> io::Result<Range<usize>> {
    let start = usize::try_from(offset).map_err(io::Error::other)?;
    Ok(start..start + len)
}

impl Disk for SimDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().view.len() as u64)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.state();
        state.reads += 1;
        if state.failing_reads.contains(&state.reads) {
            return Err(Fault::Error.into());
        }
        let place = place(offset, out.len())?;
        if state.broken.range(blocks(&place)).next().is_some() {
            return Err(io::Error::other("a sector does not read"));
        }
        let found = state.view.get(place);
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let place = place(offset, data.len())?;
        match self.operate(blocks(&place)) {
            Ok(mut state) => state.write(place, data),
            Err(error) => {
                let middle = (place.start + data.len() / 2) / SECTOR * SECTOR;
                let half = middle.saturating_sub(place.start);
                let mut state = self.state();
                if !state.is_cut() && state.view.len() >= place.end {
                    state.write(place.start..place.start + half, &data[..half])?;
                }
                Err(error)
            }
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.operate(0..0)?;
        let len = place(len, 0)?.start;
        state.view.resize(len, 0);
        let end = len.div_ceil(CARD_SECTOR);
        state.allotted.retain(|block| *block < end);
        state.broken.retain(|sector| *sector < end);
        state.pending.push(Done::SetLen(len));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.operate(0..0)?;
        state.failing_sync = state.failing_sync.and_then(|nth| nth.checked_sub(1));
        if state.failing_sync == Some(0) {
            state.failing_sync = None;
            return Err(Fault::Error.into());
        }
        state.syncs += 1;
        if state.lies {
            return Ok(());
        }
        let State { durable, pending, .. } = &mut *state;
        for done in pending.drain(..) {
            match done {
                Done::SetLen(len) => durable.resize(len, 0),
                Done::Write(at, bytes) => {
                    let end = at + bytes.len();
                    durable.resize(durable.len().max(end), 0);
                    durable[at..end].copy_from_slice(&bytes);
                }
            }
        }
        Ok(())
    }
}
