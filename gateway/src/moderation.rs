//! How fast somebody may write: one window per person and per device over all doors together.
//!
//! Seed 004 @Validation (10 messages per 10 s), design §5: the acknowledgement is held back up to
//! 2 s, then the answer is "too fast" with when to come back.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use hearth_protocol::event::Sender;
use hearth_protocol::limits::{Limits, wide};
use hearth_protocol::refusal::{Kind, Refusal};

const PERSON_WINDOW_MS: u64 = 10_000;
const DEVICE_WINDOW_MS: u64 = 60_000;
/// Above so many senders, those whose window is over are forgotten.
const SENDERS_KEPT: usize = 1_000;

/// The recent messages of everyone who wrote lately.
#[derive(Debug, Default)]
pub struct Rates {
    recent: Mutex<HashMap<Sender, VecDeque<u64>>>,
}

/// What the window says to one more message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Now.
    Go,
    /// In so many ms; it is already counted.
    Wait(u64),
    /// Not now: come back in so many ms. Not counted.
    TooFast(u64),
}

impl Rates {
    /// Counts one message at `now_ms`, unless it is too fast. `patient`: the sender cannot be told
    /// no (MQTT 3.1.1) and waits however long it takes.
    pub fn count(&self, sender: Sender, now_ms: u64, patient: bool, limits: &Limits) -> Pace {
        let (max, window) = match sender {
            Sender::Person(_) => (limits.messages_per_10_s, PERSON_WINDOW_MS),
            Sender::Device(_) => (limits.posts_per_60_s, DEVICE_WINDOW_MS),
            Sender::Box => return Pace::Go,
        };
        if max == 0 {
            return Pace::Go;
        }
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() > SENDERS_KEPT {
            let longest = DEVICE_WINDOW_MS;
            recent.retain(|_, times| times.back().is_some_and(|last| last + longest > now_ms));
        }
        let times = recent.entry(sender).or_default();
        while times.front().is_some_and(|first| first + window <= now_ms) {
            times.pop_front();
        }
        // The slot frees when the message `max` places back leaves the window.
        let free_at = match times.len().checked_sub(max).and_then(|at| times.get(at)) {
            None => now_ms,
            Some(oldest) => oldest + window,
        };
        let wait = free_at.saturating_sub(now_ms);
        if wait == 0 {
            times.push_back(now_ms);
            Pace::Go
        } else if patient || wait <= wide(limits.rate_delay_ms_max) {
            times.push_back(free_at);
            Pace::Wait(wait)
        } else {
            Pace::TooFast(wait)
        }
    }
}

/// The refusal for a pace that is too fast.
pub fn too_fast(retry_after_ms: u64) -> Refusal {
    Refusal::new(
        Kind::TooMany { retry_after_ms },
        "too_fast",
        format!("too many messages; the next one is taken in {retry_after_ms} ms"),
    )
    .hint("wait that long; clients that queue send it by themselves")
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearth_protocol::ids::{DeviceId, UserId};

    const ANNA: Sender = Sender::Person(UserId::from_bytes([1; 16]));

    #[test]
    fn ten_in_ten_seconds_go_and_the_eleventh_waits_or_is_told_when() {
        let (rates, limits) = (Rates::default(), Limits::default());
        for at in 0..10 {
            assert_eq!(rates.count(ANNA, at * 100, false, &limits), Pace::Go);
        }
        assert_eq!(rates.count(ANNA, 1_000, false, &limits), Pace::TooFast(9_000));
        assert_eq!(rates.count(ANNA, 7_999, false, &limits), Pace::TooFast(2_001));
        assert_eq!(rates.count(ANNA, 8_000, false, &limits), Pace::Wait(2_000));
        // The next slot is that of the second message, at 10,100.
        assert_eq!(rates.count(ANNA, 8_100, false, &limits), Pace::Wait(2_000));
        assert_eq!(rates.count(ANNA, 8_100, false, &limits), Pace::TooFast(2_100));
        assert_eq!(rates.count(ANNA, 20_200, false, &limits), Pace::Go);
    }

    #[test]
    fn who_cannot_be_told_no_waits_in_line() {
        let (rates, limits) = (Rates::default(), Limits::default());
        let paces: Vec<_> = (0..12).map(|_| rates.count(ANNA, 0, true, &limits)).collect();
        assert_eq!(paces[9..], [Pace::Go, Pace::Wait(10_000), Pace::Wait(10_000)]);
        let more: Vec<_> = (0..10).map(|_| rates.count(ANNA, 0, true, &limits)).collect();
        assert_eq!(more[8..], [Pace::Wait(20_000), Pace::Wait(20_000)]);
    }

    #[test]
    fn a_device_has_its_own_window_and_zero_lifts_the_limit() {
        let (rates, mut limits) = (Rates::default(), Limits::default());
        let washer = Sender::Device(DeviceId::from_bytes([2; 16]));
        for _ in 0..60 {
            assert_eq!(rates.count(washer, 0, false, &limits), Pace::Go);
        }
        assert_eq!(rates.count(washer, 0, false, &limits), Pace::TooFast(60_000));
        limits.posts_per_60_s = 0;
        assert_eq!(rates.count(washer, 0, false, &limits), Pace::Go);
    }
}
