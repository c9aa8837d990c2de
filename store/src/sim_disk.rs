//! A disk for tests: what was not synced may be lost, torn or reordered by a power cut, which
//! comes after as many operations as one likes; and any operation can be made to fail.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::disk::Disk;

/// Bytes that a disk writes as a whole or not at all.
const SECTOR: usize = 512;

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
    /// Writes, cuts and syncs so far.
    operations: u64,
    /// The power is cut before the operation after this many.
    cut_after: Option<u64>,
    /// Operations that fail, by number, from 1.
    fails: Vec<(u64, Fault)>,
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
    /// The disk says no, and nothing was done.
    Error,
    /// There is no space left.
    Full,
}

/// Where a power cut's choices come from: a small generator, so that a round can be repeated.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall the same for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `below` (0 for 0), by xorshift64.
    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % below.max(1)
    }
}

impl SimDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// A disk that holds an image, all of it durable.
    pub fn holding(image: Vec<u8>) -> Self {
        let state = State { durable: image.clone(), view: image, ..State::default() };
        Self { state: Mutex::new(state) }
    }

    /// Lets `operations` more writes, cuts or syncs through; then the power is gone.
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

    /// Writes, cuts and syncs so far.
    pub fn operations(&self) -> u64 {
        self.state().operations
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

    /// What the disk holds after a power cut now: all that was synced, and of the rest any
    /// sectors in any order. Lengths are kept in order, all or the first few, as a journal does.
    pub fn after_power_cut(&self, dice: &mut Dice) -> Vec<u8> {
        let state = self.state();
        let mut image = state.durable.clone();
        let lengths: Vec<usize> = state.pending.iter().filter_map(Done::length).collect();
        let kept = dice.roll(lengths.len() as u64 + 1);
        for (len, _) in lengths.iter().zip(0..kept) {
            image.resize(*len, 0);
        }
        let percent = [50, 95, 5, 99, 100, 0][usize::try_from(dice.roll(6)).unwrap_or(0)];
        let mut sectors: Vec<_> = state.pending.iter().flat_map(Done::sectors).collect();
        sectors.retain(|_| dice.roll(100) < percent);
        if dice.roll(2) == 0 {
            for last in (1..sectors.len()).rev() {
                let other = usize::try_from(dice.roll(last as u64 + 1)).unwrap_or(0);
                sectors.swap(last, other);
            }
        }
        for (offset, bytes) in sectors {
            if let Some(place) = image.get_mut(offset..offset + bytes.len()) {
                place.copy_from_slice(bytes);
            }
        }
        image
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an operation, and fails it if that was asked for.
    fn operate(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        if state.cut_after.is_some_and(|last| state.operations >= last) {
            return Err(io::Error::other("the power is cut"));
        }
        state.operations += 1;
        let number = state.operations;
        match state.fails.iter().find(|(at, _)| *at == number) {
            Some((_, Fault::Error)) => Err(io::Error::other("the disk says no")),
            Some((_, Fault::Full)) => Err(io::ErrorKind::StorageFull.into()),
            None => Ok(state),
        }
    }
}

impl Done {
    fn length(&self) -> Option<usize> {
        match self {
            Done::SetLen(len) => Some(*len),
            Done::Write(..) => None,
        }
    }

    /// A write as the sectors it touches.
    fn sectors(&self) -> Vec<(usize, &[u8])> {
        let Done::Write(offset, bytes) = self else { return vec![] };
        let mut sectors = vec![];
        let (mut offset, mut rest) = (*offset, &bytes[..]);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(SECTOR - offset % SECTOR));
            sectors.push((offset, now));
            (offset, rest) = (offset + now.len(), later);
        }
        sectors
    }
}

fn place(offset: u64, len: usize) -> io::Result<std::ops::Range<usize>> {
    let start = usize::try_from(offset).map_err(io::Error::other)?;
    Ok(start..start + len)
}

impl Disk for SimDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().view.len() as u64)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        let found = state.view.get(place(offset, out.len())?);
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.operate()?;
        let place = place(offset, data.len())?;
        if state.view.len() < place.end {
            state.view.resize(place.end, 0);
        }
        state.view[place.clone()].copy_from_slice(data);
        state.pending.push(Done::Write(place.start, data.to_vec()));
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.operate()?;
        let len = place(len, 0)?.start;
        state.view.resize(len, 0);
        state.pending.push(Done::SetLen(len));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.operate()?;
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
        state.syncs += 1;
        Ok(())
    }
}
