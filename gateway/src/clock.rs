//! The edge where time and randomness come in; everything below gets them as arguments.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where "now" comes from: the system in the appliance, a value in tests.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// Whether what is old may be judged by the clock (design §5): found out by the sweeps, or vouched
/// for by the box's owner. Until somebody doubts it, it is trusted.
#[derive(Debug, Default)]
pub struct Trust(Mutex<Found>);

#[derive(Debug, Default)]
struct Found {
    is_doubted: bool,
    vouched_ms: Option<u64>,
}

impl Trust {
    fn found(&self) -> MutexGuard<'_, Found> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing old may be ended or removed.
    pub fn is_doubted(&self) -> bool {
        self.found().is_doubted
    }

    /// What the sweeps found.
    pub fn find(&self, is_trusted: bool) {
        self.found().is_doubted = !is_trusted;
    }

    /// The box's owner says that the clock is right: it shows this, ms since 1970.
    pub fn vouch(&self, now_ms: u64) {
        *self.found() = Found { is_doubted: false, vouched_ms: Some(now_ms) };
    }

    /// What was vouched for since it was last asked.
    pub fn take_vouched(&self) -> Option<u64> {
        self.found().vouched_ms.take()
    }
}

/// N bytes from the kernel's generator.
#[expect(clippy::expect_used, reason = "a kernel without randomness can keep no secret: stop")]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Linux ≥ 3.17 answers getrandom(2) always once it is seeded, which boot waits for.
    getrandom::fill(&mut bytes).expect("the kernel gives random bytes");
    bytes
}

/// A time, ms since 1970, as people read it: `2027-01-15 08:00 UTC`.
pub fn utc(at_ms: u64) -> String {
    let minutes = at_ms / 60_000;
    let (days, minutes) = (minutes / 1_440, minutes % 1_440);
    // Years of the Gregorian calendar that begin with March, in eras of 400.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + next;
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn a_time_reads_as_a_date() {
        let day = 86_400_000;
        for (at_ms, text) in [
            (0, "1970-01-01 00:00 UTC"),
            (58 * day, "1970-02-28 00:00 UTC"),
            (59 * day - 1, "1970-02-28 23:59 UTC"),
            (951_782_400_000, "2000-02-29 00:00 UTC"),
            (1_735_689_599_999, "2024-12-31 23:59 UTC"),
            (1_800_000_000_000, "2027-01-15 08:00 UTC"),
            (4_107_542_400_000, "2100-03-01 00:00 UTC"),
        ] {
            assert_eq!(utc(at_ms), text);
        }
        assert!(utc(u64::MAX).ends_with("UTC"));
    }
}
