//! A disk to look at: what is written to it is seen by who wrote it, and never reaches the one
//! below. Opening a database writes, even if nobody means to.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::Disk;

/// Another disk, left as it is.
#[derive(Debug)]
pub struct Untouched {
    below: Arc<dyn Disk>,
    over: Mutex<Over>,
}

/// What was done here. Looking writes a page or two, so a list does.
#[derive(Debug)]
struct Over {
    len: u64,
    /// Below this the other disk's bytes still count.
    kept: u64,
    writes: Vec<(u64, Vec<u8>)>,
}

impl Untouched {
    /// A disk to look at, as `below` is.
    pub fn new(below: Arc<dyn Disk>) -> io::Result<Self> {
        let len = below.len()?;
        Ok(Self { below, over: Mutex::new(Over { len, kept: len, writes: vec![] }) })
    }

    fn over(&self) -> MutexGuard<'_, Over> {
        self.over.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of `out`, which begins at `offset`, from `start` up to `end`.
fn part(out: &mut [u8], offset: u64, start: u64, end: u64) -> io::Result<&mut [u8]> {
    let index = |at: u64| usize::try_from(at.saturating_sub(offset)).map_err(io::Error::other);
    let (start, end) = (index(start)?, index(end)?.min(out.len()));
    Ok(&mut out[start.min(end)..end])
}

impl Disk for Untouched {
    fn len(&self) -> io::Result<u64> {
        Ok(self.over().len)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let over = self.over();
        let end = offset.saturating_add(out.len() as u64);
        if end > over.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        out.fill(0);
        let below = part(out, offset, offset, over.kept)?;
        if !below.is_empty() {
            self.below.read_at(offset, below)?;
        }
        for (at, bytes) in &over.writes {
            let (first, last) = (offset.max(*at), end.min(at + bytes.len() as u64));
            if first < last {
                let from = usize::try_from(first - at).map_err(io::Error::other)?;
                let place = part(out, offset, first, last)?;
                place.copy_from_slice(&bytes[from..from + place.len()]);
            }
        }
        Ok(())
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut over = self.over();
        over.len = over.len.max(offset.saturating_add(data.len() as u64));
        over.writes.push((offset, data.to_vec()));
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut over = self.over();
        (over.len, over.kept) = (len, over.kept.min(len));
        for (at, bytes) in &mut over.writes {
            let left = usize::try_from(len.saturating_sub(*at)).unwrap_or(usize::MAX);
            bytes.truncate(left);
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim_disk::{Dice, SimDisk};

    #[test]
    fn it_behaves_as_a_disk_and_leaves_the_one_below_alone() {
        for seed in 1..200 {
            let mut dice = Dice::new(seed);
            let image: Vec<u8> = (0..dice.roll(300)).map(|_| dice.roll(256) as u8).collect();
            let below = Arc::new(SimDisk::holding(image.clone()));
            let (disk, model) =
                (Untouched::new(below.clone()).unwrap(), SimDisk::holding(image.clone()));
            for _ in 0..30 {
                if dice.roll(4) == 0 {
                    let len = dice.roll(400);
                    disk.set_len(len).unwrap();
                    model.set_len(len).unwrap();
                }
                let (at, bytes) = (dice.roll(300), vec![dice.roll(256) as u8; 20]);
                disk.write_at(at, &bytes).unwrap();
                model.write_at(at, &bytes).unwrap();
                let len = disk.len().unwrap();
                assert_eq!(len, model.len().unwrap(), "seed {seed}");
                let start = dice.roll(len);
                let mut out = vec![1; usize::try_from(dice.roll(len - start + 1)).unwrap()];
                disk.read_at(start, &mut out).unwrap();
                let start = usize::try_from(start).unwrap();
                assert_eq!(out, model.image()[start..start + out.len()], "seed {seed}");
                assert!(disk.read_at(len, &mut [0]).is_err());
            }
            disk.sync().unwrap();
            assert_eq!((below.image(), below.operations()), (image, 0), "seed {seed}");
        }
    }
}
