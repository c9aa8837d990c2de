//! A subscriber in the process: what the gateway hears of plain and Hearth topics.
//!
//! The gateway uses it to pass typing, calls, presence and receipts on to browsers that have no
//! MQTT (`/api/ws`). Room events it has at first hand, from its appender: they never come by a
//! link. A link asks no gate: its owner decides who gets to see what it hears.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use hearth_protocol::limits::Limits;
use hearth_protocol::principal::{Account, Principal};
use hearth_protocol::topic::{check_filter, shared};
use tokio::time::Instant;

use crate::counts::add;
use crate::gate::Qos;
use crate::hub::Hub;
use crate::load::Load;
use crate::mailbox::{Mailbox, Pushed};
use crate::message::Delivery;
use crate::routes::Route;

/// Messages taken from the mailbox at a time.
const BATCH: usize = 64;

/// A message that a link heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Where it was published.
    pub topic: ByteString,
    /// The bytes.
    pub payload: Bytes,
    /// It was kept from before the link was made, and was not published just now.
    pub retained: bool,
    /// As it was published.
    pub qos: Qos,
}

/// Why there is no link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// A filter that MQTT does not allow (MQTT 5 §4.7), or one that is shared.
    #[error("`{0}` is not a topic filter: `#` stands last and alone, `+` alone between slashes")]
    Filter(String),
}

/// Hears everything under its filters, each message once, until it is dropped.
pub struct Link {
    hub: Arc<Hub>,
    account: Account,
    filters: Vec<String>,
    mailbox: Arc<Mailbox>,
    ready: VecDeque<Delivery>,
}

impl Link {
    /// Subscribes; what is retained under the filters is heard first. Of more than `capacity`
    /// messages that wait, the newest are dropped and counted.
    pub(crate) fn new(hub: Arc<Hub>, filters: &[&str], capacity: usize) -> Result<Link, LinkError> {
        if let Some(bad) =
            filters.iter().find(|filter| check_filter(filter).is_err() || shared(filter).is_some())
        {
            return Err(LinkError::Filter((*bad).to_string()));
        }
        let limits = Limits { queued_messages_max: capacity, ..(*hub.limits).clone() };
        let mailbox = Arc::new(Mailbox::new(hub.registry.number(), &limits, Load::free()));
        let appliance = Arc::new(Principal::Local("appliance".to_string()));
        mailbox.arrive(&appliance);
        let filters: Vec<String> = filters.iter().map(ToString::to_string).collect();
        // From here on a link that goes away takes back what it subscribed to.
        let account = appliance.account();
        let link = Link { hub, account, filters, mailbox, ready: VecDeque::new() };
        for (at, filter) in link.filters.iter().enumerate() {
            link.hub.subscribe(&link.account, filter, link.route());
            let other = |topic: &str| {
                let before = &link.filters[..at];
                before.iter().any(|filter| hearth_protocol::topic::matches(filter, topic))
            };
            for message in link.hub.retained(filter) {
                if !other(&message.topic) {
                    let qos = message.qos;
                    link.leave(Delivery::new(message, qos, true, Vec::new()));
                }
            }
        }
        Ok(link)
    }

    fn route(&self) -> Route {
        Route {
            mailbox: Arc::clone(&self.mailbox),
            qos: Qos::ExactlyOnce,
            no_local: false,
            retain_as_published: false,
            id: None,
        }
    }

    fn leave(&self, delivery: Delivery) {
        if self.mailbox.push(delivery, &self.hub.shelving) == Pushed::Dropped {
            add(&self.hub.totals.dropped, 1);
        }
    }

    /// The next message, in order of arrival; `None` at [`crate::Broker::shutdown`]. May be
    /// dropped before it is ready: nothing is lost.
    pub async fn recv(&mut self) -> Option<Heard> {
        let closing = self.hub.closing.clone();
        closing.run_until_cancelled(self.next()).await
    }

    async fn next(&mut self) -> Heard {
        loop {
            if let Some(heard) = self.take() {
                return heard;
            }
            std::future::poll_fn(|cx| self.mailbox.poll_bell(cx, true)).await;
        }
    }

    /// The next message that has not expired meanwhile, if one waits.
    fn take(&mut self) -> Option<Heard> {
        loop {
            if self.ready.is_empty() {
                self.mailbox.take(BATCH, &mut self.ready);
            }
            let Delivery { message, qos, retain, .. } = self.ready.pop_front()?;
            if message.expires.is_none() || message.expiry_left(Instant::now()).is_ok() {
                let (topic, payload) = (message.topic.clone(), message.payload.clone());
                return Some(Heard { topic, payload, retained: retain, qos });
            }
        }
    }

    /// How many messages did not fit, in total.
    pub fn dropped(&self) -> u64 {
        self.mailbox.dropped()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        for filter in &self.filters {
            self.hub.unsubscribe(&self.account, filter, self.mailbox.number);
        }
    }
}
