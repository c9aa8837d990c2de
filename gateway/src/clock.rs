//! The edge where time and randomness come in; everything below gets them as arguments.

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

/// N bytes from the kernel's generator.
#[expect(clippy::expect_used, reason = "a kernel without randomness can keep no secret: stop")]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Linux ≥ 3.17 answers getrandom(2) always once it is seeded, which boot waits for.
    getrandom::fill(&mut bytes).expect("the kernel gives random bytes");
    bytes
}
