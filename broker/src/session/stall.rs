//! A client that takes nothing of what waits for it is given up.

use std::future::Future;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::keeping::Timer;

/// Watches whether anything is taken while something waits.
pub(super) struct Stall {
    patience: Duration,
    /// Bytes that were taken in all when it was looked at last, while something waits.
    taken: u64,
    timer: Timer,
}

impl Stall {
    pub fn new(patience_ms: usize) -> Stall {
        let patience = Duration::from_millis(u64::try_from(patience_ms).unwrap_or(u64::MAX));
        Stall { patience, taken: 0, timer: None }
    }

    /// Nothing waits any more.
    pub fn over(&mut self) {
        self.timer = None;
    }

    /// Ready when nothing was taken for too long, at most twice the patience. The timer is moved
    /// only when it fires.
    pub fn poll(&mut self, cx: &mut Context<'_>, taken: u64) -> Poll<()> {
        loop {
            let until = || sleep_until(Instant::now() + self.patience);
            let Some(timer) = &mut self.timer else {
                self.taken = taken;
                self.timer = Some(Box::pin(until()));
                continue;
            };
            std::task::ready!(timer.as_mut().poll(cx));
            if self.taken == taken {
                return Poll::Ready(());
            }
            self.timer = None;
        }
    }
}
