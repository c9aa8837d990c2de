//! A small bus in the process, to hold the seam to its word: a ring, and an own place in it for
//! each link.

use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::ReusableBoxFuture;

use super::{Bus, BusError, Link, RoomEvent};

/// Remembers the newest events, as many as it was made for.
pub(crate) struct Ring {
    events: broadcast::Sender<RoomEvent>,
}

impl Ring {
    /// A ring of so many events.
    pub fn new(events: usize) -> Ring {
        Ring { events: broadcast::Sender::new(events.max(1)) }
    }
}

impl Bus for Ring {
    fn publish(&self, event: &RoomEvent) -> Result<(), BusError> {
        if self.events.receiver_count() > 0 && self.events.send(event.clone()).is_err() {
            tracing::trace!("the last link left just now");
        }
        Ok(())
    }

    fn link(&self) -> BoxFuture<'static, Result<Box<dyn Link>, BusError>> {
        let next = ReusableBoxFuture::new(next(self.events.subscribe()));
        async move { Ok(Box::new(RingLink { next }) as Box<dyn Link>) }.boxed()
    }
}

type Receiver = broadcast::Receiver<RoomEvent>;

struct RingLink {
    next: ReusableBoxFuture<'static, (Receiver, Option<RoomEvent>)>,
}

async fn next(mut events: Receiver) -> (Receiver, Option<RoomEvent>) {
    loop {
        match events.recv().await {
            Ok(event) => return (events, Some(event)),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return (events, None),
        }
    }
}

impl Link for RingLink {
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<RoomEvent, BusError>> {
        self.next.poll(cx).map(|(events, event)| {
            self.next.set(next(events));
            event.ok_or_else(|| BusError::Gone("the ring was dropped".to_string()))
        })
    }
}
