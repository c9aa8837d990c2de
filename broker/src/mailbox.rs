//! What others leave for a session: a bounded queue of messages, and orders for its connection.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use hearth_protocol::limits::Limits;

use crate::gate::Qos;
use crate::message::Delivery;
use crate::reason::Reason;

/// What a connection is told to do, beside delivering.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    /// The connection of this visit is to end, for this reason.
    pub bye: Option<(u64, Reason)>,
    /// The bus skipped: compare every cursor with the heads.
    pub check_rooms: bool,
    /// Rights were gained: what was withheld may be readable now.
    pub gained: bool,
}

#[derive(Debug, Default)]
struct Inside {
    queue: VecDeque<Delivery>,
    bytes: usize,
    online: bool,
    orders: Orders,
}

/// Lives as long as its session, across connections.
#[derive(Debug)]
pub(crate) struct Mailbox {
    /// The session's number: what no-local compares, what subscriptions are found by.
    pub number: u64,
    messages_max: usize,
    bytes_max: usize,
    inside: Mutex<Inside>,
    filled: AtomicBool,
    ordered: AtomicBool,
    waker: AtomicWaker,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dropped {
    /// It waits in the queue.
    No,
    /// The queue is full, or nobody is there for a QoS 0 message.
    Yes,
}

impl Mailbox {
    pub fn new(number: u64, limits: &Limits) -> Mailbox {
        Mailbox {
            number,
            messages_max: limits.queued_messages_max,
            bytes_max: limits.queued_bytes_max,
            inside: Mutex::default(),
            filled: AtomicBool::new(false),
            ordered: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        }
    }

    fn inside(&self) -> std::sync::MutexGuard<'_, Inside> {
        // Nothing below panics while it holds the lock, so a poisoned one is as good as new.
        self.inside.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Leaves a message. Nobody is told about QoS 0 messages that come while nobody is there:
    /// MQTT does not promise them.
    pub fn push(&self, delivery: Delivery) -> Dropped {
        {
            let mut inside = self.inside();
            if !inside.online && delivery.qos == Qos::AtMostOnce {
                return Dropped::No;
            }
            let bytes = inside.bytes + delivery.message.size();
            if inside.queue.len() >= self.messages_max || bytes > self.bytes_max {
                return Dropped::Yes;
            }
            inside.bytes = bytes;
            inside.queue.push_back(delivery);
        }
        if !self.filled.swap(true, Ordering::AcqRel) {
            self.waker.wake();
        }
        Dropped::No
    }

    /// Takes up to so many messages in order.
    pub fn take(&self, count: usize, into: &mut VecDeque<Delivery>) {
        let mut inside = self.inside();
        let count = count.min(inside.queue.len());
        for delivery in inside.queue.drain(..count) {
            into.push_back(delivery);
        }
        let taken: usize = into.iter().rev().take(count).map(|d| d.message.size()).sum();
        inside.bytes -= taken.min(inside.bytes);
    }

    /// Puts back what was taken and not sent.
    pub fn put_back(&self, mut deliveries: VecDeque<Delivery>) {
        let mut inside = self.inside();
        while let Some(delivery) = deliveries.pop_back() {
            inside.bytes += delivery.message.size();
            inside.queue.push_front(delivery);
        }
    }

    /// A connection is there now.
    pub fn arrive(&self) {
        self.inside().online = true;
    }

    /// The connection is gone: QoS 0 messages go with it.
    pub fn depart(&self) {
        let mut inside = self.inside();
        inside.online = false;
        inside.queue.retain(|delivery| delivery.qos != Qos::AtMostOnce);
        inside.bytes = inside.queue.iter().map(|delivery| delivery.message.size()).sum();
    }

    /// Tells the connection to do something.
    pub fn order(&self, give: impl FnOnce(&mut Orders)) {
        give(&mut self.inside().orders);
        self.ordered.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// The orders given since the last time.
    pub fn orders(&self) -> Orders {
        std::mem::take(&mut self.inside().orders)
    }

    /// Ready when there are orders, or messages for a connection that is `hungry`.
    pub fn poll_bell(&self, cx: &mut Context<'_>, hungry: bool) -> Poll<Bell> {
        self.waker.register(cx.waker());
        let ordered = self.ordered.swap(false, Ordering::AcqRel);
        let filled = hungry && self.filled.swap(false, Ordering::AcqRel);
        if ordered || filled { Poll::Ready(Bell { ordered }) } else { Poll::Pending }
    }
}

/// Why the bell rang.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bell {
    /// There are orders.
    pub ordered: bool,
}
