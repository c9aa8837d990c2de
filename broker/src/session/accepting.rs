//! What waits for the gate's ruling, in order.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use hearth_protocol::refusal::Refusal;

use super::{Connection, End};
use crate::gate::{Qos, Verdict};
use crate::message::Message;
use crate::reason::Reason;
use crate::waiting::Waits;

/// A publish or a release at the gate.
pub(super) struct Accepting {
    pub future: BoxFuture<'static, Result<Verdict, Refusal>>,
    pub about: Option<About>,
    /// What it takes of its account's bytes while it waits.
    pub _waits: Option<Waits>,
}

/// What it is about.
pub(super) enum About {
    /// A publish with its packet id.
    Publish(Arc<Message>, Option<u16>),
    /// A publish that nobody had to be asked about, and how it is answered.
    Rejected((u16, Qos), (Reason, Option<String>)),
    /// A PUBREL's packet id, and how it is answered.
    Release(u16, Reason),
}

/// What the gate said.
pub(super) struct Accepted {
    pub about: About,
    pub ruled: Result<Verdict, Refusal>,
}

impl Future for Accepting {
    type Output = Accepted;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Accepted> {
        let ruled = std::task::ready!(self.future.as_mut().poll(cx));
        match self.about.take() {
            Some(about) => Poll::Ready(Accepted { about, ruled }),
            // A future is not polled after it was ready.
            None => Poll::Pending,
        }
    }
}

impl Connection {
    /// Puts a publish with its packet id behind those that wait, while its account has room.
    pub(super) fn wait(
        &mut self,
        future: BoxFuture<'static, Result<Verdict, Refusal>>,
        message: Arc<Message>,
        id: Option<u16>,
    ) -> Result<(), End> {
        let Some(waits) = self.hub.waiting.begin(&self.key.account, message.size()) else {
            tracing::info!(account = %self.key.account, "too many bytes wait for their ruling");
            return Err(End::Bye(Reason::QuotaExceeded));
        };
        let about = Some(About::Publish(message, id));
        self.inbound.pending.push_back(Accepting { future, about, _waits: Some(waits) });
        Ok(())
    }
}
