//! Failed logins make the next try wait: per name and per address, doubling (design §7).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use hearth_protocol::limits::{Limits, days_ms, seconds_ms};
use hearth_protocol::network::counted_as;
use hearth_protocol::refusal::{Kind, Refusal};
use hearth_store::users;

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

/// Entries kept at most; when there are more, half of them go.
const KEPT_MAX: usize = 10_000;
/// A failure is forgotten after this long.
const FORGET_MS: u64 = days_ms(1);

impl Attempts {
    /// Counts a try as failed before it is made, so that a burst counts too, or says when to
    /// come back. [`Attempts::succeeded`] takes it back.
    pub fn begin(
        &self,
        name: &str,
        address: IpAddr,
        now_ms: u64,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = keys(name, address, limits)
            .filter_map(|key| failures.get(&key).copied())
            .map(|failed| (failed.last_ms + wait_ms(failed.count, limits)).saturating_sub(now_ms))
            .max()
            .unwrap_or(0);
        if wait > 0 {
            let message =
                format!("too many failed logins; try again in {} s", wait.div_ceil(1_000));
            let kind = Kind::TooMany { retry_after_ms: wait };
            return Err(Refusal::new(kind, "too_many_tries", message));
        }
        if failures.len() >= KEPT_MAX {
            forget(&mut failures, now_ms);
        }
        for key in keys(name, address, limits) {
            let failed = failures.entry(key).or_insert(Failures { count: 0, last_ms: now_ms });
            failed.count += 1;
            failed.last_ms = now_ms;
        }
        Ok(())
    }

    /// A try that succeeded: the name starts afresh; the address too.
    pub fn succeeded(&self, name: &str, address: IpAddr, limits: &Limits) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys(name, address, limits) {
            failures.remove(&key);
        }
    }
}

/// Drops what is old, then those with the fewest failures, of these the older ones: a flood of
/// names that are tried once lets no name be forgotten that was tried often.
fn forget(failures: &mut HashMap<Key, Failures>, now_ms: u64) {
    failures.retain(|_, failed| failed.last_ms + FORGET_MS > now_ms);
    let Some(spare) = failures.len().checked_sub(KEPT_MAX / 2) else { return };
    let rank = |(key, failed): (&Key, &Failures)| (failed.count, failed.last_ms, key.clone());
    let mut ranks: Vec<_> = failures.iter().map(rank).collect();
    ranks.sort_unstable_by_key(|(count, last_ms, _)| (*count, *last_ms));
    for (_, _, key) in ranks.into_iter().take(spare) {
        failures.remove(&key);
    }
}

/// A text that is nobody's name is not kept: it may be as long as a body.
fn keys(name: &str, address: IpAddr, limits: &Limits) -> impl Iterator<Item = Key> {
    let known = users::check_name(name, limits).is_ok();
    let name = known.then(|| Key::Name(name.to_ascii_lowercase()));
    name.into_iter().chain([Key::Address(counted_as(address))])
}

/// Nothing for the free tries, then 1 s, 2 s, 4 s … up to the limit.
fn wait_ms(count: usize, limits: &Limits) -> u64 {
    let Some(beyond) = count.checked_sub(limits.login_tries_free) else { return 0 };
    let longest = seconds_ms(limits.login_wait_s_max);
    let doublings = u32::try_from(beyond).unwrap_or(u32::MAX).min(40);
    (1_000_u64 << doublings).min(longest)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    /// So many tries in a row, each answered.
    fn tries(attempts: &Attempts, name: &str, home: IpAddr, at: u64, count: usize) {
        for _ in 0..count {
            assert_eq!(attempts.begin(name, home, at, &Limits::default()), Ok(()));
        }
    }

    #[test]
    fn after_five_failures_each_try_waits_twice_as_long() {
        let (attempts, limits) = (Attempts::default(), Limits::default());
        let home = IpAddr::from([127, 0, 0, 1]);
        tries(&attempts, "Anna", home, 0, 5);
        assert!(attempts.begin("ANNA", home, 999, &limits).is_err());
        tries(&attempts, "anna", home, 1_000, 1);
        let refused = attempts.begin("anna", home, 1_000, &limits).unwrap_err();
        assert_eq!(refused.kind, Kind::TooMany { retry_after_ms: 2_000 });
        let mut at = 3_000;
        for doubling in 2..12 {
            tries(&attempts, "anna", home, at, 1);
            let wait = (1_000 << doubling).min(900_000);
            assert!(attempts.begin("anna", home, at + wait - 1, &limits).is_err(), "{wait}");
            at += wait;
        }
    }

    #[test]
    fn one_address_cannot_try_many_names_and_a_success_forgives() {
        let (attempts, limits) = (Attempts::default(), Limits::default());
        let (home, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        for name in ["aaa", "bbb", "ccc", "ddd", "eee"] {
            tries(&attempts, name, home, 0, 1);
        }
        assert!(attempts.begin("ggg", home, 0, &limits).is_err());
        tries(&attempts, "ggg", other, 0, 1);
        attempts.succeeded("ggg", home, &Limits::default());
        tries(&attempts, "ggg", home, 0, 1);
    }

    #[test]
    fn a_network_counts_as_one_address_and_a_flood_lets_no_name_be_forgotten() {
        let (attempts, limits) = (Attempts::default(), Limits::default());
        let network = 0x2001_0db8_0000_0001_u128 << 64;
        let at = |number: u32| Ipv6Addr::from_bits(network | u128::from(number)).into();
        for number in 0..5 {
            attempts.begin(&format!("n{number}"), at(number), 0, &limits).unwrap();
        }
        assert!(attempts.begin("zoe", at(9), 0, &limits).is_err());
        let other = [192, 168, 1, 1].into();
        tries(&attempts, "anna", other, 0, 5);
        for number in 0..30_000_u32 {
            let junk = IpAddr::from(number.to_be_bytes());
            attempts.begin(&format!("n{number}"), junk, 1, &limits).unwrap();
        }
        let elsewhere = [192, 168, 1, 2].into();
        assert!(attempts.begin("anna", elsewhere, 999, &limits).is_err());
        tries(&attempts, "anna", elsewhere, 1_000, 1);
    }

    #[test]
    fn memory_is_bounded_whatever_names_are_tried() {
        let attempts = Attempts::default();
        let limits = Limits::default();
        for number in 0..30_000_u32 {
            let address = IpAddr::from(number.to_be_bytes());
            attempts.begin(&format!("n{number}"), address, u64::from(number), &limits).unwrap();
        }
        assert!(attempts.failures.lock().unwrap().len() <= KEPT_MAX + 2);
        attempts.begin(&"x".repeat(100_000), [1, 1, 1, 1].into(), 40_000, &limits).unwrap();
        let long = |key: &Key| matches!(key, Key::Name(name) if name.len() > 20);
        assert!(!attempts.failures.lock().unwrap().keys().any(long));
    }
}
