//! How many events one client may send: a window of 10 s, and an end for who floods.

use std::time::Duration;

use hearth_protocol::refusal::Kind;
use tokio::time::Instant;

use super::socket::Bye;
use crate::error::ApiError;

/// The window in which a client's events are counted.
const WINDOW: Duration = Duration::from_secs(10);

/// A client's count.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    max: usize,
    since: Instant,
    count: usize,
}

impl Pace {
    /// At most so many in each window; 0: no limit.
    pub fn new(max: usize, now: Instant) -> Self {
        Self { max, since: now, count: 0 }
    }

    /// Counts an event: too many are refused, twice as many end the connection.
    pub fn count(&mut self, now: Instant) -> Result<Option<ApiError>, Bye> {
        if now.saturating_duration_since(self.since) >= WINDOW {
            (self.since, self.count) = (now, 0);
        }
        self.count += 1;
        if self.max == 0 || self.count <= self.max {
            return Ok(None);
        }
        if self.count > self.max.saturating_mul(2) {
            return Err(Bye::FLOOD);
        }
        let left = (self.since + WINDOW).saturating_duration_since(now);
        let retry_after_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        let message = format!("at most {} events in 10 s are taken of one connection", self.max);
        Ok(Some(ApiError::new(Kind::TooMany { retry_after_ms }, "too_fast", message)))
    }
}
