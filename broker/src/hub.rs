//! What all connections share, and the way of a message from one to the others.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use bytes::Bytes;
use bytestring::ByteString;
use hearth_protocol::ids::{Position, RoomId};
use hearth_protocol::limits::Limits;
use hearth_protocol::principal::{Account, Principal};
use hearth_protocol::refusal::{Kind, Refusal};
use hearth_protocol::topic::{Topic, shared};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bounds::Bounds;
use crate::bus::{Bus, RoomEvent, Router};
use crate::counts::{Counts, Totals, add, read};
use crate::departures::Departures;
use crate::gate::{Gate, OnceKey, Properties, Publish, Qos, Verdict, Version};
use crate::group::Group;
use crate::load::Loads;
use crate::mailbox::{Mailbox, Pushed};
use crate::message::{APPLIANCE, Delivery, Message, expires};
use crate::pace::Paces;
use crate::presence::Presence;
use crate::refusals::Refusals;
use crate::registry::{Key, Registry};
use crate::retained::{Retained, is_plain};
use crate::rooms::{Carried, Rooms, Start};
use crate::routes::{Route, Routes};
use crate::session::packet::Will;
use crate::session::state::State;
use crate::shelf::record::{MessageRow, Now, RetainedRow, retained_key};
use crate::shelf::writer::{NOTHING, Shelving, Ticket};
use crate::waiting::Waiting;

/// The tables of a broker.
pub(crate) struct Hub {
    pub limits: Arc<Limits>,
    pub gate: OnceLock<Arc<dyn Gate>>,
    pub registry: Registry,
    pub rooms: Rooms,
    pub refusals: Refusals,
    pub totals: Totals,
    pub bounds: Arc<Bounds>,
    pub paces: Paces,
    /// What waits for the gate.
    pub waiting: Arc<Waiting>,
    /// What was read of history and is not sent yet.
    pub pages: Arc<Waiting>,
    /// What is on its way to each account.
    pub loads: Loads,
    pub departures: Departures,
    pub presence: Presence,
    pub shelving: Arc<Shelving>,
    /// Writes to the shelf.
    pub shelf_task: Mutex<Option<JoinHandle<()>>>,
    /// Fires at shutdown.
    pub closing: CancellationToken,
    /// Every connection, and what is left of it.
    pub tasks: TaskTracker,
    routes: RwLock<Routes>,
    retained: Mutex<Retained>,
}

impl Hub {
    /// Tables with rumqttd's router as the bus.
    pub fn new(limits: Arc<Limits>) -> Hub {
        let (ring_bytes, links_max) = (limits.bus_ring_bytes, limits.connections_max);
        let start = move || {
            let router = Router::start(ring_bytes, links_max)?;
            Ok(Arc::new(router) as Arc<dyn Bus>)
        };
        Hub::with_bus(limits, Box::new(start))
    }

    /// Tables with another bus.
    pub fn with_bus(limits: Arc<Limits>, start: Start) -> Hub {
        Hub {
            gate: OnceLock::new(),
            registry: Registry::default(),
            rooms: Rooms::new(start),
            refusals: Refusals::new(limits.refusals_remembered_max),
            totals: Totals::default(),
            bounds: Arc::new(Bounds::new(
                limits.connections_max,
                limits.connections_per_address_max,
            )),
            paces: Paces::new(&limits, Instant::now()),
            waiting: Arc::new(Waiting::new(limits.pending_bytes_per_identity_max)),
            pages: Arc::new(Waiting::new(limits.history_bytes_per_identity_max)),
            loads: Loads::new(
                limits.queued_bytes_per_identity_max,
                limits.sessions_per_identity_max,
            ),
            departures: Departures::default(),
            presence: Presence::default(),
            shelving: Arc::new(Shelving::new(Arc::clone(&limits))),
            shelf_task: Mutex::default(),
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
            routes: RwLock::default(),
            retained: Mutex::new(Retained::new(&limits)),
            limits,
        }
    }

    /// Delivers a message to everyone who is subscribed, and keeps it if it is to be retained: in
    /// its account's name, or in nobody's if it is the appliance's. It is safe once the ticket's
    /// batch is on disk.
    pub fn route(
        &self,
        message: &Arc<Message>,
        from: Option<&Account>,
        now: Instant,
    ) -> Result<Ticket, Refusal> {
        // What the appliance publishes is published once only.
        if from.is_some() && self.shelving.is_behind() {
            let text = "the disk does not keep up with what sessions are to be kept";
            return Err(Refusal::new(Kind::Unavailable, "disk_slow", text).hint("try again"));
        }
        let mut ticket = if message.retain { self.retain(message, from, now)? } else { NOTHING };
        let mut dropped = 0;
        let mut count = |pushed| match pushed {
            Pushed::Waits(place) => ticket = ticket.max(place),
            Pushed::Dropped => dropped += 1,
            Pushed::Absent => {}
        };
        {
            let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
            routes.deliver(message, |mailbox, delivery| {
                count(mailbox.push(delivery, &self.shelving));
            });
            routes.share(message, |group| count(self.give(group, message, None)));
        }
        if dropped > 0 {
            add(&self.totals.dropped, dropped);
        }
        Ok(ticket)
    }

    fn retain(
        &self,
        message: &Arc<Message>,
        from: Option<&Account>,
        now: Instant,
    ) -> Result<Ticket, Refusal> {
        let mut retained = self.retained.lock().unwrap_or_else(PoisonError::into_inner);
        for topic in retained.forget_expired(now) {
            self.shelving.remove(retained_key(&topic));
        }
        let changed = retained.set(message, from)?;
        // Hearth's own are published again at each start. The lock keeps rows in order.
        Ok(if !changed || !is_plain(&message.topic) {
            NOTHING
        } else if message.payload.is_empty() {
            self.shelving.remove(retained_key(&message.topic))
        } else {
            let message = MessageRow::of(message, Now::get());
            let row = RetainedRow { message, owner: from.cloned() };
            self.shelving.put(retained_key(&row.message.topic), &row)
        })
    }

    /// Puts a retained message back that the shelf had.
    pub fn restore_retained(&self, message: Message, owner: Option<&Account>, now: Instant) {
        let message = Arc::new(message);
        let mut retained = self.retained.lock().unwrap_or_else(PoisonError::into_inner);
        let keeps = message.expiry_left(now).is_ok() && retained.set(&message, owner).is_ok();
        if !keeps {
            self.shelving.remove(retained_key(&message.topic));
        }
    }

    fn give(&self, group: &Group, message: &Arc<Message>, but: Option<u64>) -> Pushed {
        let gate = self.gate.get();
        let may = |who: &Principal| gate.is_some_and(|gate| gate.may_receive(who, &message.topic));
        group.give(message, but, &may, &self.shelving)
    }

    /// Hands on to another of its group what the session of a number does not deliver.
    pub fn hand_on(&self, account: &Account, delivery: &Delivery, from: u64) {
        let Some(filter) = delivery.shared.as_ref().filter(|_| delivery.may_go_elsewhere()) else {
            return;
        };
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let Some(group) = routes.group(account, filter) else { return };
        // It is on its way to one of them only.
        delivery.weight.release();
        if self.give(group, &delivery.message, Some(from)) == Pushed::Dropped {
            add(&self.totals.dropped, 1);
        }
    }

    /// Publishes as the appliance.
    pub fn publish(&self, topic: &Topic, payload: Bytes, retain: bool) {
        let message = Message {
            topic: topic.to_string().into(),
            payload,
            qos: qos_of(topic),
            retain,
            properties: Properties::default(),
            expires: None,
            from: APPLIANCE,
        };
        if let Err(refusal) = self.route(&Arc::new(message), None, Instant::now()) {
            tracing::warn!(%topic, %refusal, "not published");
        }
    }

    /// Hands a stored event to the bus; if the bus may skip it, everyone looks by themselves.
    pub fn publish_event(&self, room: RoomId, position: Position, payload: Bytes) {
        add(&self.totals.events, 1);
        if self.rooms.publish(&RoomEvent { room, position, payload }) == Carried::Perhaps {
            self.registry.each_connected(
                |_| true,
                |mailbox, _| {
                    mailbox.order(|orders| orders.check_rooms = true);
                },
            );
        }
    }

    /// Adds a subscription to plain topics.
    pub fn subscribe(&self, account: &Account, filter: &str, route: Route) {
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes.insert(account, filter, route);
    }

    #[cfg(test)]
    pub fn has_no_routes(&self) -> bool {
        self.routes.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Whether an account may have one subscription more, over all its sessions.
    pub fn may_add(&self, account: &Account, filter: &str) -> bool {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let (limits, has) = (&self.limits, routes.holding(account).subscriptions);
        has < limits.subscriptions_per_identity_max
            && (shared(filter).is_none()
                || routes.may_share(account, filter, limits.shared_groups_max))
    }

    /// Removes one.
    pub fn unsubscribe(&self, account: &Account, filter: &str, number: u64) {
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes.remove(account, filter, number);
    }

    /// Removes what is left of a session that is over. What it shared and did not deliver goes to
    /// others (MQTT 5 §4.8.2).
    pub fn forget(&self, account: &Account, state: &State, mailbox: &Mailbox) {
        let number = mailbox.number;
        // In one batch, so that a crash leaves each message with one of them.
        let _whole = self.shelving.together();
        {
            let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
            for filter in state.subscriptions.keys() {
                routes.remove(account, filter, number);
            }
        }
        // Nobody leaves anything there any more.
        let waiting = mailbox.take_all();
        for delivery in state.flight.repeatable().chain(&waiting) {
            self.hand_on(account, delivery, number);
        }
        if state.kept {
            self.shelving.end(number);
            self.release_all(state, number);
        }
    }

    /// A session is over: the gate need not know its QoS 2 publishes any more.
    fn release_all(&self, state: &State, number: u64) {
        let Some(gate) = self.gate.get() else { return };
        for packet_id in state.received.at_gate() {
            let released = gate.release(once_key(number, packet_id));
            self.tasks.spawn(async move {
                if let Err(refusal) = released.await {
                    tracing::warn!(%refusal, "a packet id is not released");
                }
            });
        }
    }

    /// The retained messages under a filter.
    pub fn retained(&self, filter: &str) -> Vec<Arc<Message>> {
        self.retained.lock().unwrap_or_else(PoisonError::into_inner).matching(filter)
    }

    /// Publishes a will as the one who left it.
    pub async fn publish_will(&self, key: &Key, who: Arc<Principal>, will: Box<Will>, number: u64) {
        let Some(gate) = self.gate.get() else { return };
        let now = Instant::now();
        let publish = Publish {
            topic: will.topic.clone(),
            payload: will.payload.clone(),
            qos: will.qos,
            retain: will.retain,
            properties: will.properties.clone(),
            version: Version::V5,
            once: None,
        };
        let message = Arc::new(Message {
            topic: will.topic,
            payload: will.payload,
            qos: will.qos,
            retain: will.retain,
            expires: expires(&will.properties, now),
            properties: will.properties,
            from: number,
        });
        let ruled = match gate.accept(Arc::clone(&who), publish).await {
            Ok(Verdict::Route) => self.route(&message, Some(&key.account), now).map(drop),
            Ok(Verdict::Handled) => Ok(()),
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = ruled {
            add(&self.totals.refused, 1);
            gate.refused(&who, &message.topic, &refusal);
            tracing::info!(account = %key.account, code = refusal.code, "a will was refused");
        }
    }

    /// The numbers at this moment.
    pub fn counts(&self) -> Counts {
        let (sessions, connections) = self.registry.len();
        let retained = self.retained.lock().unwrap_or_else(PoisonError::into_inner).len();
        let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Counts {
            connections: wide(connections),
            sessions: wide(sessions),
            retained: wide(retained),
            received: read(&self.totals.received),
            refused: read(&self.totals.refused),
            events: read(&self.totals.events),
            delivered: read(&self.totals.delivered),
            dropped: read(&self.totals.dropped),
            backlogs: read(&self.totals.backlogs),
            bus_restarts: self.rooms.restarts(),
        }
    }
}

/// Names a QoS 2 publish of a session for the gate.
pub(crate) fn once_key(number: u64, packet_id: u16) -> OnceKey {
    OnceKey { session: format!("{number:x}").into(), packet_id }
}

/// How hard the appliance's own messages try: what rings, or is soon replaced, waits for nobody.
const fn qos_of(topic: &Topic) -> Qos {
    match topic {
        Topic::Inbox(_) | Topic::Signal(..) | Topic::Live(..) | Topic::Sys(_) => Qos::AtMostOnce,
        _ => Qos::AtLeastOnce,
    }
}

/// A client id that the broker makes up.
pub(crate) fn assigned_id(random: [u8; 16]) -> ByteString {
    let mut text = String::from("hearth-");
    for byte in random {
        text.push_str(&format!("{byte:02x}"));
    }
    text.into()
}

/// A mailbox for a fresh session of an account.
pub(crate) fn mailbox(hub: &Hub, account: &Account) -> Arc<Mailbox> {
    let load = hub.loads.of(account);
    Arc::new(Mailbox::new(hub.registry.number(), &hub.limits, load))
}
