//! How many accounts are made without an invite of their own: so many in any hour, whoever makes
//! them.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use hearth_protocol::limits::hours_ms;
use hearth_protocol::refusal::{Kind, Refusal};

/// When the last ones were made, ms since 1970.
#[derive(Debug, Default)]
pub struct Hourly {
    times: Mutex<VecDeque<u64>>,
}

impl Hourly {
    /// Counts one more of at most `max`, or says when the next one is taken.
    pub fn count(&self, now_ms: u64, max: usize) -> Result<(), Refusal> {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        while times.front().is_some_and(|first| first + hours_ms(1) <= now_ms) {
            times.pop_front();
        }
        if times.len() < max {
            times.push_back(now_ms);
            return Ok(());
        }
        let free_at = times.front().map_or(now_ms, |first| first + hours_ms(1));
        let kind = Kind::TooMany { retry_after_ms: free_at.saturating_sub(now_ms).max(1_000) };
        let message = format!("the house makes at most {max} such accounts in an hour");
        Err(Refusal::new(kind, "too_many_accounts", message).hint("come back later"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_too_many_waits_until_the_first_is_an_hour_old() {
        let (made, hour) = (Hourly::default(), hours_ms(1));
        assert_eq!((made.count(0, 2), made.count(1_000, 2)), (Ok(()), Ok(())));
        let refused = made.count(2_000, 2).unwrap_err();
        assert_eq!(refused.kind, Kind::TooMany { retry_after_ms: hour - 2_000 });
        assert!(made.count(hour - 1, 2).is_err());
        assert_eq!(made.count(hour, 2), Ok(()));
        assert!(made.count(hour, 2).is_err());
        assert!(made.count(9 * hour, 0).is_err(), "0: none");
        assert_eq!(made.times.lock().unwrap().len(), 0);
    }
}
