//! What a power cut leaves of what was not synced: two kinds of disk.

use std::collections::BTreeSet;

use super::{CARD_SECTOR, Dice, Done, SECTOR, SimDisk, State};

impl SimDisk {
    /// What the disk holds after a power cut now: all that was synced, and of the rest any
    /// sectors in any order. Lengths are kept in order, all or the first few, as a journal does.
    pub fn after_power_cut(&self, dice: &mut Dice) -> Vec<u8> {
        self.state().cut(dice)
    }

    /// A cheap card after a power cut now: as [`SimDisk::after_power_cut`], and of the sectors
    /// that were not synced up to `broken_max`, one at least, do not read any more.
    pub fn card_after_power_cut(&self, dice: &mut Dice, broken_max: usize) -> SimDisk {
        let state = self.state();
        let image = state.cut(dice);
        let mut at_work: Vec<usize> = state
            .pending
            .iter()
            .flat_map(|done| done.sectors(CARD_SECTOR))
            .map(|(offset, _)| offset / CARD_SECTOR)
            .filter(|sector| sector * CARD_SECTOR < image.len())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let mut broken: BTreeSet<usize> = state.broken.clone();
        for _ in 0..=dice.place(broken_max) {
            if !at_work.is_empty() {
                let one = dice.place(at_work.len());
                broken.insert(at_work.swap_remove(one));
            }
        }
        let card = SimDisk::holding(image);
        card.state().broken = broken;
        card
    }
}

impl State {
    fn cut(&self, dice: &mut Dice) -> Vec<u8> {
        let mut image = self.durable.clone();
        let lengths: Vec<usize> = self.pending.iter().filter_map(Done::length).collect();
        let kept = dice.roll(lengths.len() as u64 + 1);
        for (len, _) in lengths.iter().zip(0..kept) {
            image.resize(*len, 0);
        }
        let percent = [50, 95, 5, 99, 100, 0][dice.place(6)];
        let mut sectors: Vec<_> =
            self.pending.iter().flat_map(|done| done.sectors(SECTOR)).collect();
        sectors.retain(|_| dice.roll(100) < percent);
        if dice.roll(2) == 0 {
            for last in (1..sectors.len()).rev() {
                sectors.swap(last, dice.place(last + 1));
            }
        }
        for (offset, bytes) in sectors {
            if let Some(place) = image.get_mut(offset..offset + bytes.len()) {
                place.copy_from_slice(bytes);
            }
        }
        image
    }
}

impl Done {
    fn length(&self) -> Option<usize> {
        match self {
            Done::SetLen(len) => Some(*len),
            Done::Write(..) => None,
        }
    }

    /// A write as the sectors of a size that it touches.
    fn sectors(&self, size: usize) -> Vec<(usize, &[u8])> {
        let Done::Write(offset, bytes) = self else { return vec![] };
        let mut sectors = vec![];
        let (mut offset, mut rest) = (*offset, &bytes[..]);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(size - offset % size));
            sectors.push((offset, now));
            (offset, rest) = (offset + now.len(), later);
        }
        sectors
    }
}
