//! Failed logins make the next try wait: per name and per address, doubling (design §7).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use hearth_protocol::limits::Limits;
use hearth_protocol::refusal::{Kind, Refusal};

/// What failures are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Name(String),
    Address(IpAddr),
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: usize,
    last_ms: u64,
}

/// The failed logins of late. Names nobody has are counted like any other.
#[derive(Debug, Default)]
pub struct Attempts {
    failures: Mutex<HashMap<Key, Failures>>,
}

/// Entries kept at most; the oldest half goes when there are more.
const KEPT_MAX: usize = 10_000;
/// A failure is forgotten after this long.
const FORGET_MS: u64 = 24 * 3_600_000;

impl Attempts {
    /// Whether a try may be made now.
    pub fn check(
        &self,
        name: &str,
        address: IpAddr,
        now_ms: u64,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = keys(name, address)
            .iter()
            .filter_map(|key| failures.get(key))
            .map(|failed| (failed.last_ms + wait_ms(failed.count, limits)).saturating_sub(now_ms))
            .max()
            .unwrap_or(0);
        if wait == 0 {
            return Ok(());
        }
        Err(Refusal::new(
            Kind::TooMany { retry_after_ms: wait },
            "too_many_tries",
            format!("too many failed logins; try again in {} s", wait.div_ceil(1_000)),
        ))
    }

    /// A try that failed.
    pub fn failed(&self, name: &str, address: IpAddr, now_ms: u64) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= KEPT_MAX {
            failures.retain(|_, failed| failed.last_ms + FORGET_MS > now_ms);
            let mut times: Vec<_> = failures.values().map(|failed| failed.last_ms).collect();
            times.sort_unstable();
            if let Some(&middle) = times.get(KEPT_MAX / 2) {
                failures.retain(|_, failed| failed.last_ms >= middle);
            }
        }
        for key in keys(name, address) {
            let failed = failures.entry(key).or_insert(Failures { count: 0, last_ms: now_ms });
            failed.count += 1;
            failed.last_ms = now_ms;
        }
    }

    /// A try that succeeded: the name starts afresh; the address too.
    pub fn succeeded(&self, name: &str, address: IpAddr) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys(name, address) {
            failures.remove(&key);
        }
    }
}

fn keys(name: &str, address: IpAddr) -> [Key; 2] {
    [Key::Name(name.to_ascii_lowercase()), Key::Address(address)]
}

/// Nothing for the free tries, then 1 s, 2 s, 4 s … up to the limit.
fn wait_ms(count: usize, limits: &Limits) -> u64 {
    let Some(beyond) = count.checked_sub(limits.login_tries_free) else { return 0 };
    let longest = u64::try_from(limits.login_wait_s_max).unwrap_or(u64::MAX).saturating_mul(1_000);
    let doublings = u32::try_from(beyond).unwrap_or(u32::MAX).min(40);
    (1_000_u64 << doublings).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_five_failures_each_try_waits_twice_as_long() {
        let (attempts, limits) = (Attempts::default(), Limits::default());
        let home = IpAddr::from([127, 0, 0, 1]);
        for _ in 0..4 {
            attempts.failed("Anna", home, 0);
        }
        assert_eq!(attempts.check("anna", home, 0, &limits), Ok(()));
        attempts.failed("anna", home, 0);
        assert!(attempts.check("ANNA", home, 999, &limits).is_err());
        assert_eq!(attempts.check("anna", home, 1_000, &limits), Ok(()));
        attempts.failed("anna", home, 1_000);
        let refused = attempts.check("anna", home, 1_000, &limits).unwrap_err();
        assert_eq!(refused.kind, Kind::TooMany { retry_after_ms: 2_000 });
        for _ in 0..30 {
            attempts.failed("anna", home, 2_000);
        }
        assert!(attempts.check("anna", home, 2_000 + 899_999, &limits).is_err());
        assert_eq!(attempts.check("anna", home, 2_000 + 900_000, &limits), Ok(()));
    }

    #[test]
    fn one_address_cannot_try_many_names_and_a_success_forgives() {
        let (attempts, limits) = (Attempts::default(), Limits::default());
        let (home, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        for name in ["a", "b", "c", "d", "e", "f"] {
            attempts.failed(name, home, 0);
        }
        assert!(attempts.check("g", home, 0, &limits).is_err());
        assert_eq!(attempts.check("g", other, 0, &limits), Ok(()));
        attempts.succeeded("g", home);
        assert_eq!(attempts.check("g", home, 0, &limits), Ok(()));
    }

    #[test]
    fn memory_is_bounded_whatever_names_are_tried() {
        let attempts = Attempts::default();
        for number in 0..30_000_u32 {
            attempts.failed(
                &number.to_string(),
                IpAddr::from(number.to_be_bytes()),
                u64::from(number),
            );
        }
        assert!(attempts.failures.lock().unwrap().len() <= KEPT_MAX + 2);
    }
}
