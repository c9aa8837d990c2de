//! How fast one account may publish, over all its connections: a bucket of tokens each.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hearth_protocol::limits::Limits;
use hearth_protocol::principal::Account;
use tokio::time::Instant;

const NANOS_PER_S: u64 = 1_000_000_000;
/// Accounts that are kept without a look at who is idle.
const ACCOUNTS_KEPT: usize = 64;
/// A connection takes tokens for a few publishes at a time, so that most look at no clock: such a
/// part of a burst,
const BATCH_PART: u64 = 256;
/// and at most so many.
const BATCH_MAX: u64 = 64;

/// What becomes of a batch of publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// It is within the rate.
    Go,
    /// It is taken, and its connection is not read for so long.
    Wait(Duration),
    /// It is not taken: the account's connections wait the longest time already. Its own
    /// connection is not read for so long.
    TooFast(Duration),
}

/// The rate that all accounts have.
#[derive(Debug, Clone, Copy)]
struct Rate {
    start: Instant,
    /// Publishes in a batch.
    batch: u64,
    /// What a batch costs, in ns.
    interval: u64,
    /// What may be saved up, in ns.
    burst: u64,
    /// What may be owed, in ns.
    owed_max: u64,
}

impl Rate {
    /// In ns, from a moment at which every bucket was full.
    fn clock(&self, now: Instant) -> u64 {
        let ns = now.saturating_duration_since(self.start).as_nanos();
        u64::try_from(ns).unwrap_or(u64::MAX).saturating_add(self.burst)
    }
}

/// One account's tokens.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: Rate,
    /// When everything taken so far is earned, in ns of the rate's clock: before now there are
    /// tokens, after it there is a debt.
    earned_at: AtomicU64,
}

impl Bucket {
    /// How many publishes one [`Bucket::take`] is for.
    pub fn batch(&self) -> u64 {
        self.rate.batch
    }

    /// Takes the tokens of a batch. `patient`: a publish cannot be refused (MQTT 3.1.1), so its
    /// connection waits the longest time instead.
    pub fn take(&self, now: Instant, patient: bool) -> Pace {
        let Rate { interval, burst, owed_max, .. } = self.rate;
        let now = self.rate.clock(now);
        let next = |earned_at: u64| earned_at.max(now - burst).saturating_add(interval);
        let limit = now.saturating_add(owed_max);
        let taken =
            self.earned_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |earned_at| {
                let next = next(earned_at);
                if next <= limit { Some(next) } else { patient.then_some(limit) }
            });
        match taken {
            Ok(before) => match next(before).min(limit).saturating_sub(now) {
                0 => Pace::Go,
                owed => Pace::Wait(Duration::from_nanos(owed)),
            },
            Err(_) => Pace::TooFast(Duration::from_nanos(owed_max)),
        }
    }

    fn is_full(&self, now: Instant) -> bool {
        self.earned_at.load(Ordering::Relaxed) <= self.rate.clock(now) - self.rate.burst
    }
}

#[derive(Debug, Default)]
struct Inside {
    buckets: HashMap<Account, Arc<Bucket>>,
    /// At how many of them the idle ones are looked for.
    sweep_at: usize,
}

/// The buckets of all accounts.
#[derive(Debug)]
pub(crate) struct Paces {
    /// None: publishes are not counted.
    rate: Option<Rate>,
    inside: Mutex<Inside>,
}

impl Paces {
    pub fn new(limits: &Limits, now: Instant) -> Paces {
        let wide = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let rate = (limits.publishes_per_s_max > 0).then(|| {
            let each = (NANOS_PER_S / wide(limits.publishes_per_s_max)).max(1);
            let burst = wide(limits.publishes_burst_max).max(1);
            let batch = (burst / BATCH_PART).clamp(1, BATCH_MAX);
            Rate {
                start: now,
                batch,
                interval: each.saturating_mul(batch),
                burst: each.saturating_mul(burst),
                owed_max: wide(limits.rate_delay_ms_max).saturating_mul(1_000_000),
            }
        });
        Paces { rate, inside: Mutex::default() }
    }

    /// An account's bucket; none if nothing is counted.
    pub fn bucket(&self, account: &Account, now: Instant) -> Option<Arc<Bucket>> {
        let rate = self.rate?;
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = inside.buckets.get(account) {
            return Some(Arc::clone(bucket));
        }
        if inside.buckets.len() >= inside.sweep_at.max(ACCOUNTS_KEPT) {
            // One that nobody holds and that is full is as good as a new one.
            inside.buckets.retain(|_, b| Arc::strong_count(b) > 1 || !b.is_full(now));
            inside.sweep_at = inside.buckets.len().saturating_mul(2);
        }
        let bucket = Arc::new(Bucket { rate, earned_at: AtomicU64::new(0) });
        inside.buckets.insert(account.clone(), Arc::clone(&bucket));
        Some(bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: impl ToString) -> Account {
        Account::Local(name.to_string())
    }

    fn paces(per_s: usize, burst: usize) -> Paces {
        let limits = Limits {
            publishes_per_s_max: per_s,
            publishes_burst_max: burst,
            rate_delay_ms_max: 2_000,
            ..Limits::default()
        };
        Paces::new(&limits, Instant::now())
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_then_each_waits_for_its_token_then_none_is_taken() {
        let (paces, now) = (paces(10, 3), Instant::now());
        let bucket = paces.bucket(&account("a"), now).unwrap();
        let same = paces.bucket(&account("a"), now).unwrap();
        for _ in 0..3 {
            assert_eq!(bucket.take(now, false), Pace::Go);
        }
        for n in 1..=20 {
            assert_eq!(same.take(now, false), Pace::Wait(Duration::from_millis(n * 100)));
        }
        assert_eq!(bucket.take(now, false), Pace::TooFast(Duration::from_secs(2)));
        assert_eq!(bucket.take(now, true), Pace::Wait(Duration::from_secs(2)));
        let other = paces.bucket(&account("b"), now).unwrap();
        assert_eq!(other.take(now, false), Pace::Go);
        let later = now + Duration::from_millis(2_100);
        assert_eq!(bucket.take(later, false), Pace::Go);
        assert_eq!(bucket.take(later, false), Pace::Wait(Duration::from_millis(100)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_saved_up_is_at_most_the_burst() {
        let (paces, now) = (paces(10, 3), Instant::now());
        let bucket = paces.bucket(&account("a"), now).unwrap();
        for hours in [0, 1, 10_000] {
            let then = now + Duration::from_secs(hours * 3_600);
            let taken = (0..10).filter(|_| bucket.take(then, false) == Pace::Go).count();
            assert_eq!(taken, 3);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_burst_is_taken_in_batches_and_is_no_larger_for_that() {
        let (paces, now) = (paces(1_000, 2_560), Instant::now());
        let bucket = paces.bucket(&account("a"), now).unwrap();
        assert_eq!(bucket.batch(), 10);
        for _ in 0..256 {
            assert_eq!(bucket.take(now, false), Pace::Go);
        }
        assert_eq!(bucket.take(now, false), Pace::Wait(Duration::from_millis(10)));
    }

    #[tokio::test(start_paused = true)]
    async fn zero_counts_nothing_and_idle_accounts_are_forgotten() {
        let now = Instant::now();
        assert!(paces(0, 3).bucket(&account("a"), now).is_none());
        let paces = paces(10, 3);
        let held = paces.bucket(&account("held"), now).unwrap();
        for n in 0..10_000u64 {
            let then = now + Duration::from_secs(n);
            paces.bucket(&account(n), then).unwrap().take(then, false);
            let count = paces.inside.lock().unwrap().buckets.len();
            assert!(count <= ACCOUNTS_KEPT + 1, "{count}");
        }
        assert!(Arc::ptr_eq(&held, &paces.bucket(&account("held"), now).unwrap()));
    }
}
