//! What others leave for a session: a bounded queue of messages, and orders for its connection.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytestring::ByteString;
use futures_util::task::AtomicWaker;
use hearth_protocol::limits::Limits;
use hearth_protocol::principal::Principal;

use crate::gate::Qos;
use crate::load::{Load, Weight};
use crate::message::{APPLIANCE, Delivery, Message};
use crate::reason::Reason;
use crate::shelf::record::{Now, QueuedRow, queued_key};
use crate::shelf::writer::{NOTHING, Shelving, Ticket};

/// What a connection is told to do, beside delivering.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    /// The connection of this visit is to end, for this reason.
    pub bye: Option<(u64, Reason)>,
    /// The bus skipped: compare every cursor with the heads.
    pub check_rooms: bool,
    /// Rights were gained: what was withheld may be readable now.
    pub gained: bool,
    /// A batch of the shelf is on disk: what waited for it can be answered.
    pub saved: bool,
}

#[derive(Debug, Default)]
struct Inside {
    queue: VecDeque<Delivery>,
    bytes: usize,
    online: bool,
    who: Option<Arc<Principal>>,
    /// What waits here above QoS 0 lies on the shelf too.
    kept: bool,
    /// Retained topics of the appliance's that changed while nobody was connected.
    missed: HashSet<ByteString>,
    /// The next one's place there.
    next_place: u64,
    orders: Orders,
}

impl Inside {
    fn miss(&mut self, delivery: &Delivery, max: usize) {
        if self.missed.len() < max {
            self.missed.insert(delivery.message.topic.clone());
        }
    }
}

/// Lives as long as its session, across connections.
#[derive(Debug)]
pub(crate) struct Mailbox {
    /// The session's number: what no-local compares, what subscriptions are found by.
    pub number: u64,
    messages_max: usize,
    bytes_max: usize,
    /// What of its account is on its way here.
    pub load: Arc<Load>,
    inside: Mutex<Inside>,
    filled: AtomicBool,
    ordered: AtomicBool,
    waker: AtomicWaker,
    /// Messages that did not fit.
    dropped: AtomicU64,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It waits in the queue, for good once the batch is on disk.
    Waits(Ticket),
    /// Nobody is there for a QoS 0 message: MQTT does not promise it.
    Absent,
    /// The queue is full.
    Dropped,
}

/// Who reads a mailbox.
#[derive(Debug)]
pub(crate) struct Reader {
    /// Whose connection is there, or was there last.
    pub who: Option<Arc<Principal>>,
    /// It is there now.
    pub online: bool,
}

impl Mailbox {
    pub fn new(number: u64, limits: &Limits, load: Arc<Load>) -> Mailbox {
        Mailbox {
            number,
            load,
            messages_max: limits.queued_messages_max,
            bytes_max: limits.queued_bytes_max,
            inside: Mutex::default(),
            filled: AtomicBool::new(false),
            ordered: AtomicBool::new(false),
            waker: AtomicWaker::new(),
            dropped: AtomicU64::new(0),
        }
    }

    fn inside(&self) -> std::sync::MutexGuard<'_, Inside> {
        // Nothing below panics while it holds the lock, so a poisoned one is as good as new.
        self.inside.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Leaves a message.
    pub fn push(&self, mut delivery: Delivery, shelving: &Shelving) -> Pushed {
        let mut ticket = NOTHING;
        {
            let mut inside = self.inside();
            if !inside.online && delivery.qos == Qos::AtMostOnce {
                return Pushed::Absent;
            }
            // Of a state of the appliance's only the last one is of use: it is sent at the return.
            let state = delivery.message.from == APPLIANCE && delivery.message.retain;
            if state && !inside.online {
                inside.miss(&delivery, self.messages_max);
                return Pushed::Waits(NOTHING);
            }
            let size = delivery.message.size();
            let bytes = inside.bytes + size;
            let fits = inside.queue.len() < self.messages_max && bytes <= self.bytes_max;
            let Some(weight) = fits.then(|| self.load.begin(size)).flatten() else {
                if state {
                    inside.miss(&delivery, self.messages_max);
                }
                self.dropped.fetch_add(1, Ordering::Relaxed);
                return Pushed::Dropped;
            };
            delivery.weight = weight;
            inside.bytes = bytes;
            if inside.kept && delivery.qos != Qos::AtMostOnce {
                let place = inside.next_place;
                inside.next_place += 1;
                delivery.place = Some(place);
                let row = QueuedRow::of(&delivery, Now::get());
                ticket = shelving.put(queued_key(self.number, place), &row);
                delivery.ticket = ticket;
            }
            inside.queue.push_back(delivery);
        }
        if !self.filled.swap(true, Ordering::AcqRel) {
            self.waker.wake();
        }
        Pushed::Waits(ticket)
    }

    /// Whether a message waits here.
    pub fn holds(&self, message: &Arc<Message>) -> bool {
        self.inside().queue.iter().any(|delivery| Arc::ptr_eq(&delivery.message, message))
    }

    /// Takes the retained topics that changed while nobody was connected.
    pub fn take_missed(&self) -> HashSet<ByteString> {
        std::mem::take(&mut self.inside().missed)
    }

    /// Whether what waits here lies on the shelf too, from now on.
    pub fn keep(&self, kept: bool) {
        self.inside().kept = kept;
    }

    /// Puts what the shelf had into an empty mailbox.
    pub fn restore(&self, who: &Arc<Principal>, mut queue: VecDeque<Delivery>, next_place: u64) {
        let mut inside = self.inside();
        for delivery in &mut queue {
            delivery.weight = self.load.put(delivery.message.size());
        }
        inside.who = Some(Arc::clone(who));
        inside.bytes = queue.iter().map(|delivery| delivery.message.size()).sum();
        (inside.queue, inside.kept, inside.next_place) = (queue, true, next_place);
        self.filled.store(true, Ordering::Release);
    }

    /// How many messages did not fit, in total.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
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

    /// Takes all of a session that is over: it is on its way nowhere until another gets it.
    pub fn take_all(&self) -> VecDeque<Delivery> {
        let mut inside = self.inside();
        inside.bytes = 0;
        let mut queue = std::mem::take(&mut inside.queue);
        for delivery in &mut queue {
            delivery.weight = Weight::default();
        }
        queue
    }

    /// A connection is there now.
    pub fn arrive(&self, who: &Arc<Principal>) {
        let mut inside = self.inside();
        inside.online = true;
        inside.who = Some(Arc::clone(who));
    }

    /// Who is there.
    pub fn reader(&self) -> Reader {
        let inside = self.inside();
        Reader { who: inside.who.clone(), online: inside.online }
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
