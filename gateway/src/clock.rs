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
