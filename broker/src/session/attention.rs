//! A connection that was just heard does not sleep yet.
//!
//! Waking a thread costs more than all the rest of a message's way (docs/decisions/0008): who sends
//! one message at a time is answered without it, for a bounded time of one core.

use std::task::Context;
use std::time::{Duration, Instant};

/// Since when nothing was heard. Real time, not the runtime's: it bounds work, not waiting.
pub(crate) struct Attention {
    lasts: Duration,
    heard: Option<Instant>,
}

impl Attention {
    /// Lasts so long after each time something is heard; 0: no attention.
    pub fn new(lasts_us: usize) -> Attention {
        let lasts = Duration::from_micros(u64::try_from(lasts_us).unwrap_or(u64::MAX));
        Attention { lasts, heard: None }
    }

    /// Something was heard.
    pub fn heard(&mut self) {
        self.heard = (!self.lasts.is_zero()).then(Instant::now);
    }

    /// Whether to look again instead of sleeping. If so, all others are looked at before: the
    /// runtime asks the sockets, without waiting, and comes back.
    pub fn looks_again(&mut self, cx: &mut Context<'_>) -> bool {
        let attentive = self.heard.is_some_and(|heard| heard.elapsed() < self.lasts);
        if !attentive {
            self.heard = None;
            return false;
        }
        let others_first = std::pin::pin!(tokio::task::yield_now());
        others_first.poll(cx).is_pending()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use super::*;

    /// How often a task looks until it sleeps.
    async fn looks(attention: &mut Attention) -> usize {
        let mut looks = 0;
        poll_fn(|cx| {
            looks += 1;
            if attention.looks_again(cx) { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        looks
    }

    #[tokio::test]
    async fn who_was_heard_is_looked_at_again_for_a_bounded_time() {
        let mut attention = Attention::new(2_000);
        assert_eq!(looks(&mut attention).await, 1, "nothing was heard yet");
        // However long this thread has to wait for its turn in between: it never sleeps too early.
        let begun = Instant::now();
        attention.heard();
        looks(&mut attention).await;
        assert!(begun.elapsed() >= Duration::from_micros(2_000));
        assert_eq!(looks(&mut attention).await, 1, "it sleeps until it hears again");
    }

    #[tokio::test]
    async fn others_are_served_meanwhile() {
        let mut attention = Attention::new(60_000_000);
        attention.heard();
        let attentive = tokio::spawn(async move { looks(&mut attention).await });
        // On the one thread of this runtime.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(!attentive.is_finished());
        attentive.abort();
        assert!(attentive.await.unwrap_err().is_cancelled());
    }

    #[tokio::test]
    async fn nobody_is_looked_at_again_where_it_is_switched_off() {
        let mut attention = Attention::new(0);
        attention.heard();
        assert_eq!(looks(&mut attention).await, 1);
    }
}
