//! Bytes of bundles that one person makes in a day, over all their rooms: they are kept for ever.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hearth_protocol::ids::UserId;
use hearth_protocol::limits::days_ms;
use hearth_protocol::refusal::{Kind, Refusal};

/// Above so many people, those whose day is over are forgotten.
const PEOPLE_KEPT: usize = 1_000;

/// Somebody's day.
#[derive(Debug, Clone, Copy)]
struct Day {
    /// ms since 1970.
    began: u64,
    bytes: usize,
}

impl Day {
    fn is_over(&self, now_ms: u64) -> bool {
        self.began.saturating_add(days_ms(1)) <= now_ms
    }
}

/// What everyone made lately. A day begins with the first bundle after the last one.
#[derive(Debug, Default)]
pub struct Daily {
    days: Mutex<HashMap<UserId, Day>>,
}

impl Daily {
    /// Counts a bundle of so many bytes, of at most `max` in a day (0: as many as come), or says
    /// when the next one is taken.
    pub fn count(&self, by: UserId, bytes: usize, now_ms: u64, max: usize) -> Result<(), Refusal> {
        if max == 0 {
            return Ok(());
        }
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        if days.len() >= PEOPLE_KEPT {
            days.retain(|_, day| !day.is_over(now_ms));
        }
        let day = days.entry(by).or_insert(Day { began: now_ms, bytes: 0 });
        if day.is_over(now_ms) {
            *day = Day { began: now_ms, bytes: 0 };
        }
        let bytes = day.bytes.saturating_add(bytes);
        if bytes <= max {
            day.bytes = bytes;
            return Ok(());
        }
        let retry_after_ms = day.began.saturating_add(days_ms(1)).saturating_sub(now_ms);
        let message = format!("you made {max} bytes of epochs within a day, which is the most");
        Err(Refusal::new(Kind::TooMany { retry_after_ms }, "too_fast", message)
            .hint("wait; the current epoch goes on"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(number: u32) -> UserId {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        UserId::from_bytes(bytes)
    }

    #[test]
    fn a_day_has_so_many_bytes_for_each() {
        let (daily, anna, day) = (Daily::default(), person(1), days_ms(1));
        assert_eq!(daily.count(anna, 6, 0, 10), Ok(()));
        assert_eq!(daily.count(anna, 4, 1, 10), Ok(()));
        let refused = daily.count(anna, 1, 2, 10).unwrap_err();
        assert_eq!(refused.kind, Kind::TooMany { retry_after_ms: day - 2 });
        assert_eq!(daily.count(anna, 1, 2, 0), Ok(()), "no limit");
        assert_eq!(daily.count(person(2), 10, 2, 10), Ok(()));
        assert!(daily.count(anna, 1, day - 1, 10).is_err());
        assert_eq!(daily.count(anna, 10, day, 10), Ok(()));
        assert!(daily.count(anna, 1, day, 10).is_err());
        for number in 0..2_000 {
            daily.count(person(number), 1, 3 * day, 10).unwrap();
        }
        daily.count(anna, 1, 4 * day, 10).unwrap();
        assert_eq!(daily.days.lock().unwrap().len(), 1);
    }
}
