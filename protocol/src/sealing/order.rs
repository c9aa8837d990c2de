//! The order of each writer's events (sealing.md §4): what is missing, comes again, or was sent
//! twice.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use serde::Serialize;

use crate::ids::{EventId, UserId};

/// Ids that are remembered; an older one that comes again has a number that gives it away.
const IDS_MAX: usize = 10_000;
/// Writers that are followed.
const WRITERS_MAX: usize = 10_000;
/// The highest numbers of a writer that are told apart from each other.
const NUMBERS_MAX: usize = 1_000;

/// What does not fit about an event's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strange {
    /// Another event had it: the writer's keys are in two places.
    CopiedWriter,
    /// A higher one of the same writer came before: an old event at a new place.
    OutOfTurn,
}

/// How an event fits to what was read before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fit {
    /// Events of its writer before it that are not there, though all around them is.
    pub missing: u64,
    /// What is strange about it.
    pub strange: Option<Strange>,
}

#[derive(Debug)]
struct Writer {
    seq: u64,
    /// The run in which its highest number was.
    run: u64,
    numbers: BTreeSet<u64>,
}

/// Follows the writers of one room.
#[derive(Debug)]
pub struct Order {
    begins: bool,
    run: u64,
    ids: HashSet<EventId>,
    by_age: VecDeque<EventId>,
    writers: BTreeMap<(UserId, u32), Writer>,
}

impl Order {
    /// `begins`: what is taken first begins with the room's first event.
    pub fn new(begins: bool) -> Self {
        let (ids, by_age) = (HashSet::new(), VecDeque::new());
        Self { begins, run: 0, ids, by_age, writers: BTreeMap::new() }
    }

    /// What follows is not beside what came before: something between them was not read.
    pub fn skip(&mut self) {
        self.run = self.run.saturating_add(1);
    }

    /// Takes the next event of ascending positions. `None`: its id is known, it is to be dropped.
    pub fn take(&mut self, id: EventId, (sender, writer): (UserId, u32), seq: u64) -> Option<Fit> {
        if !self.is_new(id) {
            return None;
        }
        let (begins, run) = (self.begins && self.run == 0, self.run);
        let Some(known) = self.writers.get_mut(&(sender, writer)) else {
            if self.writers.len() >= WRITERS_MAX {
                self.writers.pop_first();
                // Whoever was dropped is no newcomer when they write again.
                self.begins = false;
            }
            let numbers = BTreeSet::from([seq]);
            self.writers.insert((sender, writer), Writer { seq, run, numbers });
            let missing = if begins { seq.saturating_sub(1) } else { 0 };
            return Some(Fit { missing, strange: None });
        };
        let (copied, late) = (!known.numbers.insert(seq), seq < known.seq);
        if known.numbers.len() > NUMBERS_MAX {
            known.numbers.pop_first();
        }
        let between = seq.saturating_sub(known.seq).saturating_sub(1);
        let missing = if known.run == run { between } else { 0 };
        if !late {
            (known.seq, known.run) = (seq, run);
        }
        let strange = match (copied, late) {
            (true, _) => Some(Strange::CopiedWriter),
            (false, true) => Some(Strange::OutOfTurn),
            (false, false) => None,
        };
        Some(Fit { missing, strange })
    }

    fn is_new(&mut self, id: EventId) -> bool {
        if !self.ids.insert(id) {
            return false;
        }
        self.by_age.push_back(id);
        if self.by_age.len() > IDS_MAX
            && let Some(oldest) = self.by_age.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(number: u64) -> EventId {
        EventId::new(number, [1; 10])
    }

    fn ada() -> (UserId, u32) {
        (UserId::new(1, [1; 10]), 7)
    }

    /// Reads numbers of one writer, of the room from its beginning; each event's id is its number.
    fn read(numbers: &[u64]) -> Vec<Option<Fit>> {
        let mut order = Order::new(true);
        numbers.iter().map(|number| order.take(id(*number), ada(), *number)).collect()
    }

    fn is_told(fits: &[Option<Fit>]) -> bool {
        fits.iter().flatten().any(|fit| fit.missing > 0 || fit.strange.is_some())
    }

    #[test]
    fn what_is_forgotten_gives_itself_away_by_its_number() {
        let many = u64::try_from(IDS_MAX.max(NUMBERS_MAX)).unwrap() + 10;
        let mut order = Order::new(true);
        for number in 1..=many {
            let fit = order.take(id(number), ada(), number);
            assert_eq!(fit, Some(Fit { missing: 0, strange: None }));
        }
        let again = order.take(id(1), ada(), 1).unwrap();
        assert_eq!(again.strange, Some(Strange::OutOfTurn));
        assert_eq!((order.ids.len(), order.by_age.len()), (IDS_MAX, IDS_MAX));
        assert_eq!(order.writers[&ada()].numbers.len(), NUMBERS_MAX);
        for writer in 0..u32::try_from(WRITERS_MAX).unwrap() {
            order.take(id(many + 1 + u64::from(writer)), (ada().0, 100 + writer), 1);
        }
        assert_eq!(order.writers.len(), WRITERS_MAX);
    }

    proptest! {
        /// The box gives one sender's events, some of them away, again or elsewhere.
        #[test]
        fn whatever_order_they_come_in_it_is_told_or_is_as_written_up_to_some_end(
            length in 1u64..12,
            places in prop::collection::vec(any::<prop::sample::Index>(), 0..16),
            keep in 0usize..12,
        ) {
            let honest: Vec<u64> = (1..=length).collect();
            prop_assert!(!is_told(&read(&honest)));
            let cut = keep.min(honest.len());
            let mut served = honest[..cut].to_vec();
            served.extend(places.iter().map(|place| honest[place.index(honest.len())]));
            let fits = read(&served);
            if !is_told(&fits) {
                let shown = served.iter().zip(&fits).filter(|(_, fit)| fit.is_some());
                let shown: Vec<u64> = shown.map(|(number, _)| *number).collect();
                prop_assert_eq!(&shown[..], &honest[..shown.len()]);
            }
        }
    }
}
