//! How many entries of a page of history are sent: no more bytes than one answer may have, and at
//! least one entry. What is left out belongs to the next page.

use hearth_protocol::ids::Position;
use hearth_store::Span;
use serde_json::value::RawValue;

/// An entry with the positions that it speaks for.
pub struct Entry {
    /// From where to where.
    pub span: Span,
    /// Its JSON.
    pub json: Box<RawValue>,
}

/// Which end of a page stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The oldest entries.
    First,
    /// The newest.
    Last,
    /// Those around a place.
    Around(Position),
}

/// Leaves out what does not fit into so many bytes, of entries in ascending positions; what the
/// rest speaks for.
pub fn fit(
    mut entries: Vec<Entry>,
    covered: Option<Span>,
    keep: Keep,
    bytes_max: usize,
) -> (Vec<Box<RawValue>>, Option<Span>) {
    let (low, high) = window(&entries, keep, bytes_max);
    let covered = covered.map(|all| Span {
        from: if low > 0 { entries[low].span.from } else { all.from },
        to: if high < entries.len() { entries[high - 1].span.to } else { all.to },
    });
    entries.truncate(high);
    (entries.into_iter().skip(low).map(|entry| entry.json).collect(), covered)
}

/// The entries that stay: from the first of these places up to, not including, the second.
fn window(entries: &[Entry], keep: Keep, bytes_max: usize) -> (usize, usize) {
    let size = |at: usize| entries[at].json.get().len();
    let count = entries.len();
    let begin = match keep {
        Keep::First => 0,
        Keep::Last => count.saturating_sub(1),
        Keep::Around(at) => {
            entries.partition_point(|entry| entry.span.to < at).min(count.saturating_sub(1))
        }
    };
    if count == 0 {
        return (0, 0);
    }
    let (mut low, mut high, mut bytes) = (begin, begin + 1, size(begin));
    loop {
        let above = (high < count).then(|| size(high)).filter(|more| bytes + more <= bytes_max);
        if let Some(more) = above {
            (high, bytes) = (high + 1, bytes + more);
        }
        let below = low.checked_sub(1).map(size).filter(|more| bytes + more <= bytes_max);
        if let Some(more) = below {
            (low, bytes) = (low - 1, bytes + more);
        }
        if above.is_none() && below.is_none() {
            return (low, high);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::to_raw_value;

    use super::*;

    /// Entries of these sizes at 1, 2, 3 …; those that stay, and what they speak for of 0 to 99.
    fn kept(sizes: &[usize], keep: Keep, bytes_max: usize) -> (Vec<usize>, (u64, u64)) {
        let entry = |(at, size): (usize, &usize)| {
            let at = Position(u64::try_from(at).unwrap() + 1);
            let json = to_raw_value(&"x".repeat(size - 2)).unwrap();
            Entry { span: Span { from: at, to: at }, json }
        };
        let entries = sizes.iter().enumerate().map(entry).collect();
        let all = Span { from: Position(0), to: Position(99) };
        let (kept, covered) = fit(entries, Some(all), keep, bytes_max);
        let covered = covered.unwrap();
        (kept.iter().map(|json| json.get().len()).collect(), (covered.from.0, covered.to.0))
    }

    #[test]
    fn what_does_not_fit_is_left_to_the_next_page_and_one_entry_always_goes() {
        let sizes = [10, 20, 30, 40];
        assert_eq!(kept(&sizes, Keep::First, 100), (sizes.to_vec(), (0, 99)));
        assert_eq!(kept(&sizes, Keep::Last, 100), (sizes.to_vec(), (0, 99)));
        assert_eq!(kept(&sizes, Keep::First, 99), (vec![10, 20, 30], (0, 3)));
        assert_eq!(kept(&sizes, Keep::Last, 99), (vec![20, 30, 40], (2, 99)));
        assert_eq!(kept(&sizes, Keep::First, 5), (vec![10], (0, 1)));
        assert_eq!(kept(&sizes, Keep::Last, 5), (vec![40], (4, 99)));
        assert_eq!(kept(&sizes, Keep::Around(Position(2)), 60), (vec![10, 20, 30], (0, 3)));
        assert_eq!(kept(&sizes, Keep::Around(Position(3)), 5), (vec![30], (3, 3)));
        assert_eq!(kept(&sizes, Keep::Around(Position(9)), 70), (vec![30, 40], (3, 99)));
        assert_eq!(fit(vec![], None, Keep::Last, 9).1, None);
    }
}
