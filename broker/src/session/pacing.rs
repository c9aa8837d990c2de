//! A connection's part in its account's rate: it is not read while it waits for tokens.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hearth_protocol::refusal::{Kind, Refusal};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::pace::{Bucket, Pace};

/// What a publish over the rate is told.
pub(super) fn too_fast() -> Refusal {
    let text = "this account publishes more than publishes_per_s_max";
    Refusal::new(Kind::TooMany { retry_after_ms: 1_000 }, "too_fast", text)
        .hint("publish less often, or over fewer connections")
}

/// What slows a connection down.
pub(super) struct Pacing {
    bucket: Option<Arc<Bucket>>,
    /// Publishes that have their tokens already.
    credit: u64,
    /// Made at the first wait, and used again.
    timer: Option<Pin<Box<Sleep>>>,
    waits: bool,
}

impl Pacing {
    pub fn new(bucket: Option<Arc<Bucket>>) -> Pacing {
        Pacing { bucket, credit: 0, timer: None, waits: false }
    }

    /// Whether nothing is to be read now.
    pub fn waits(&self) -> bool {
        self.waits
    }

    /// Counts a publish; whether it is taken.
    pub fn take(&mut self, patient: bool) -> bool {
        let Some(bucket) = &self.bucket else { return true };
        if let Some(left) = self.credit.checked_sub(1) {
            self.credit = left;
            return true;
        }
        let now = Instant::now();
        let pace = bucket.take(now, patient);
        let taken = !matches!(pace, Pace::TooFast(_));
        if taken {
            self.credit = bucket.batch() - 1;
        }
        match pace {
            Pace::Go => {}
            Pace::Wait(time) | Pace::TooFast(time) => self.wait(now, time),
        }
        taken
    }

    fn wait(&mut self, now: Instant, time: Duration) {
        let until = now + time;
        match &mut self.timer {
            Some(timer) => timer.as_mut().reset(until),
            None => self.timer = Some(Box::pin(sleep_until(until))),
        }
        self.waits = true;
    }

    /// Whether a wait ended just now.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        let ended = self.waits
            && self.timer.as_mut().is_none_or(|timer| timer.as_mut().poll(cx) == Poll::Ready(()));
        self.waits &= !ended;
        ended
    }
}
