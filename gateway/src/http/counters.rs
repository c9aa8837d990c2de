//! What the HTTP doors count.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use warp::http::StatusCode;

/// Counts since the box started.
#[derive(Debug, Default)]
pub struct Counters {
    answers: [AtomicU64; 5],
    turned_away: AtomicU64,
    clear: AtomicU64,
    tls: AtomicU64,
}

/// A connection that is counted while it lasts.
pub struct Connected {
    counters: Arc<Counters>,
    tls: bool,
}

impl Counters {
    /// A connection begins.
    pub fn connected(self: &Arc<Self>, tls: bool) -> Connected {
        self.connections(tls).fetch_add(1, Ordering::Relaxed);
        Connected { counters: self.clone(), tls }
    }

    fn connections(&self, tls: bool) -> &AtomicU64 {
        if tls { &self.tls } else { &self.clear }
    }

    /// A connection was over the bounds.
    pub fn turned_away(&self) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    /// A request was answered.
    pub fn answered(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(count) = self.answers.get(class) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Answers by the first digit of their status, from 1.
    pub fn answers(&self) -> [u64; 5] {
        self.answers.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// Connections now, in clear and over TLS, and those turned away so far.
    pub fn connections_now(&self) -> [u64; 3] {
        [&self.clear, &self.tls, &self.turned_away].map(|count| count.load(Ordering::Relaxed))
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.counters.connections(self.tls).fetch_sub(1, Ordering::Relaxed);
    }
}
