//! What a client is sent: plain messages from its mailbox, room events from its feed.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use hearth_protocol::ids::{Position, RoomId};
use hearth_protocol::topic::Topic;
use tokio::time::Instant;

use super::Connection;
use super::cursor::Step;
use super::flight::{EventDelivery, Held};
use super::frame::Frame;
use super::packet::Outgoing;
use crate::counts::add;
use crate::gate::{Properties, Qos};
use crate::message::{Delivery, Message};
use crate::reason::Reason;

/// Bytes gathered before they are written.
pub(super) const OUTPUT_BYTES: usize = 64 * 1024;
/// Messages taken from the mailbox at a time, and events sent before messages have their turn.
const BATCH: usize = 64;

/// How one room's events reach this session.
#[derive(Debug)]
pub(super) struct View {
    room: RoomId,
    pub topic: ByteString,
    qos: Qos,
    ids: Vec<u32>,
}

impl View {
    /// QoS 0: what was missed is missed.
    pub fn is_live_only(&self) -> bool {
        self.qos == Qos::AtMostOnce
    }
}

/// What is on its way to the client.
pub(super) struct Outbound {
    /// Taken from the mailbox.
    ready: VecDeque<Delivery>,
    /// There was more than fits the output.
    pub more: bool,
    views: HashMap<RoomId, Option<Arc<View>>>,
    /// Packets above QoS 0 the client takes at a time.
    window: usize,
}

impl Outbound {
    pub fn new(window: usize) -> Outbound {
        Outbound { ready: VecDeque::new(), more: false, views: HashMap::new(), window }
    }

    /// Subscriptions changed.
    pub fn forget_views(&mut self) {
        self.views.clear();
    }

    /// Whether a message was taken and not sent.
    pub fn holds(&self, message: &Arc<Message>) -> bool {
        self.ready.iter().any(|delivery| Arc::ptr_eq(&delivery.message, message))
    }

    /// What was taken and not sent.
    pub fn take_ready(&mut self) -> VecDeque<Delivery> {
        std::mem::take(&mut self.ready)
    }
}

impl Connection {
    /// Writes what there is to send, as much as fits.
    pub(super) fn fill(&mut self) {
        self.outbound.more = false;
        self.resend();
        self.ask_history();
        loop {
            if self.transport.output.len() >= OUTPUT_BYTES {
                self.outbound.more = true;
                return;
            }
            let messages = self.send_messages();
            let events = self.send_events();
            if !messages && !events {
                break;
            }
        }
        self.ask_history();
    }

    fn has_window(&self) -> bool {
        !self.state.flight.has_unsent() && self.state.flight.len() < self.outbound.window
    }

    /// Room events wait in history where the account has too much on its way; while something of
    /// this session's own is under way, its acknowledgement comes back to them.
    fn takes_events(&self) -> bool {
        self.has_window() && (self.state.flight.len() == 0 || !self.mailbox.load.is_full())
    }

    /// What an earlier connection left unacknowledged goes first, marked as a duplicate.
    fn resend(&mut self) {
        let now = Instant::now();
        while self.state.flight.len() < self.outbound.window {
            let Some((id, held)) = self.state.flight.resend() else { return };
            let none = Properties::default();
            let (topic, payload, qos, retain, properties, expiry_s, ids) = match held {
                Held::Release { .. } => {
                    let release = Outgoing::PubRel(id, Reason::Success);
                    self.wire.encode(release, &mut self.transport.output);
                    continue;
                }
                Held::Event(event) => {
                    let qos = Qos::AtLeastOnce;
                    (&event.topic, &event.payload, qos, false, &none, None, &event.ids)
                }
                Held::Plain(delivery) => {
                    let message = &*delivery.message;
                    // Begun deliveries are completed, expired or not (§3.3.2.3.3).
                    let left = message.expiry_left(now).unwrap_or(Some(1));
                    let properties = &message.properties;
                    let (topic, payload) = (&message.topic, &message.payload);
                    (topic, payload, delivery.qos, delivery.retain, properties, left, &delivery.ids)
                }
            };
            let allowed = self.gate.may_receive(&self.who, topic);
            let (dup, again) = (true, Some(id));
            let frame =
                Frame { topic, payload, qos, retain, dup, id: again, properties, expiry_s, ids };
            if !allowed || self.framer.write(&frame, &mut self.transport.output).is_err() {
                self.give_up(id, allowed);
            }
        }
    }

    /// What may not be read any more, or is too large for this client now (§3.1.2.11.4), makes
    /// room as if it had arrived. What was shared goes to another of its group.
    fn give_up(&mut self, id: u16, allowed: bool) {
        add(&self.hub.totals.dropped, 1);
        if self.state.flight.qos(id) == Some(Qos::ExactlyOnce) {
            // The client may hold it and its packet id: it is told that the id is free.
            return self.arrived(id);
        }
        match self.state.flight.acknowledged(id) {
            Some(Held::Plain(delivery)) => {
                if !allowed && delivery.shared.is_some() {
                    return self.hand_on(&delivery);
                }
                if !allowed && delivery.retain {
                    self.withhold(&delivery.message.topic);
                }
                self.take_off(delivery.place);
            }
            Some(Held::Event(_)) => self.state.cursors.touch(),
            Some(Held::Release { .. }) | None => {}
        }
    }

    /// Sends a batch of plain messages; whether there were any.
    fn send_messages(&mut self) -> bool {
        if self.outbound.ready.is_empty() {
            self.mailbox.take(BATCH, &mut self.outbound.ready);
        }
        let mut any = false;
        while let Some(delivery) = self.outbound.ready.front() {
            let waits = || !self.has_window() || !self.state.flight.is_free(delivery.place);
            if delivery.qos != Qos::AtMostOnce && waits() {
                break;
            }
            if delivery.place.is_some() && self.hub.shelving.wait(delivery.ticket, &self.mailbox) {
                break;
            }
            let Some(delivery) = self.outbound.ready.pop_front() else { break };
            any = true;
            self.send_message(delivery);
        }
        any
    }

    fn send_message(&mut self, delivery: Delivery) {
        let message = Arc::clone(&delivery.message);
        let expiry = match message.expires {
            None => Ok(None),
            Some(_) => message.expiry_left(Instant::now()),
        };
        let Ok(expiry_s) = expiry else { return self.let_go(delivery) };
        if !self.gate.may_receive(&self.who, &message.topic) {
            if delivery.shared.is_some() {
                return self.hand_on(&delivery);
            }
            if message.retain {
                self.withhold(&message.topic);
            }
            return self.let_go(delivery);
        }
        if message.retain && !self.state.withheld.is_empty() {
            self.state.withheld.remove(&message.topic);
        }
        let (qos, retain, ids) = (delivery.qos, delivery.retain, delivery.ids.clone());
        let (place, again) = (delivery.place, delivery.again);
        let id = (qos != Qos::AtMostOnce).then(|| self.state.flight.start(Held::Plain(delivery)));
        let frame = Frame {
            topic: &message.topic,
            payload: &message.payload,
            qos,
            retain,
            dup: again && id.is_some(),
            id,
            properties: &message.properties,
            expiry_s,
            ids: &ids,
        };
        match self.framer.write(&frame, &mut self.transport.output) {
            Ok(()) => add(&self.hub.totals.delivered, 1),
            // §3.1.2.11.4: as if it had been sent.
            Err(_) => {
                add(&self.hub.totals.dropped, 1);
                if let Some(id) = id {
                    self.state.flight.abandon(id);
                }
                self.take_off(place);
            }
        }
    }

    /// A message is not sent after all. If it may have been before a restart, the client may hold
    /// its packet id at QoS 2: it is told that the id is free.
    fn let_go(&mut self, delivery: Delivery) {
        if delivery.again && delivery.qos == Qos::ExactlyOnce {
            let id = self.state.flight.start(Held::Plain(delivery));
            self.arrived(id);
        } else {
            self.take_off(delivery.place);
        }
    }

    /// A shared message goes to another of the group.
    fn hand_on(&mut self, delivery: &Delivery) {
        let hub = Arc::clone(&self.hub);
        // In one batch, so that a crash leaves it with one of them.
        let _whole = hub.shelving.together();
        hub.hand_on(&self.key.account, delivery, self.mailbox.number);
        self.take_off(delivery.place);
    }

    /// Sends a batch of room events: history in its turn, then what the bus brought.
    fn send_events(&mut self) -> bool {
        let mut any = false;
        for _ in 0..BATCH {
            if !self.takes_events() {
                break;
            }
            if let Some(page) = &mut self.feed.page {
                let room = page.room;
                any = true;
                match page.events.pop_front() {
                    Some((position, payload)) => self.replay(room, position, payload),
                    None => self.turn_page(),
                }
            } else if let Some(event) = self.feed.live.pop_front() {
                any = true;
                self.go_live(event.room, event.position, event.payload);
            } else {
                break;
            }
        }
        any
    }

    fn replay(&mut self, room: RoomId, position: Position, payload: Bytes) {
        match self.view(room) {
            Some(view) if self.gate.may_receive(&self.who, &view.topic) => {
                if self.state.cursors.replayed(room, position) == Step::Deliver {
                    self.send_event(&view, position, payload);
                }
            }
            _ => self.state.cursors.pass(room, position),
        }
    }

    fn go_live(&mut self, room: RoomId, position: Position, payload: Bytes) {
        let Some(view) = self.view(room) else { return };
        if !self.state.cursors.knows(room)
            && let Some(head) = self.hub.rooms.head(room)
        {
            // A room whose first event since the start came after this subscription.
            self.state.cursors.start(room, head.base);
        }
        if !self.gate.may_receive(&self.who, &view.topic) {
            // Not a member: whoever joins starts where the room is then.
            self.state.cursors.pass(room, position);
        } else if self.state.cursors.live(room, position) == Step::Deliver {
            self.send_event(&view, position, payload);
        }
    }

    fn send_event(&mut self, view: &View, position: Position, payload: Bytes) {
        let id = (view.qos != Qos::AtMostOnce).then(|| {
            self.state.flight.start(Held::Event(EventDelivery {
                room: view.room,
                position,
                topic: view.topic.clone(),
                payload: payload.clone(),
                ids: view.ids.clone(),
                _weight: self.mailbox.load.put(view.topic.len() + payload.len()),
            }))
        });
        let frame = Frame {
            topic: &view.topic,
            payload: &payload,
            qos: view.qos,
            retain: false,
            dup: false,
            id,
            properties: &Properties::default(),
            expiry_s: None,
            ids: &view.ids,
        };
        match self.framer.write(&frame, &mut self.transport.output) {
            Ok(()) => add(&self.hub.totals.delivered, 1),
            Err(_) => {
                add(&self.hub.totals.dropped, 1);
                if let Some(id) = id {
                    self.state.flight.abandon(id);
                }
            }
        }
    }

    /// How a room's events reach this session; `None` if no subscription covers them.
    pub(super) fn view(&mut self, room: RoomId) -> Option<Arc<View>> {
        let subscriptions = &self.state.subscriptions;
        let look = || {
            let covering = || subscriptions.values().filter(|s| s.reach.covers(room));
            // Events are published at QoS 1.
            let qos = covering().map(|s| s.qos).max()?.min(Qos::AtLeastOnce);
            let ids = covering().filter_map(|s| s.id).collect();
            let topic = Topic::RoomOut(room).to_string().into();
            Some(Arc::new(View { room, topic, qos, ids }))
        };
        self.outbound.views.entry(room).or_insert_with(look).clone()
    }
}
