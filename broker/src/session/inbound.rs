//! What a client sends: publishes to the gate and back, acknowledgements, the rest.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytestring::ByteString;
use futures_util::FutureExt;
use futures_util::stream::FuturesOrdered;
use hearth_protocol::limits::Limits;
use hearth_protocol::refusal::{Kind, Refusal};
use hearth_protocol::topic::check_name;
use tokio::time::Instant;

use super::accepting::{About, Accepted, Accepting};
use super::flight::Held;
use super::pacing::too_fast;
use super::packet::{Incoming, Outgoing, Publication};
use super::state::Keeper;
use super::{Connection, End};
use crate::counts::add;
use crate::gate::{Publish, Qos, Verdict, Version};
use crate::hub::once_key;
use crate::message::{Message, detach, detach_properties, expires};
use crate::reason::Reason;
use crate::refusals::{Answer, Same};
use crate::shelf::record::{QueuedRow, queued_key, received_key};
use crate::shelf::writer::{NOTHING, Ticket};

/// Publishes between their arrival and their acknowledgement.
pub(super) struct Inbound {
    /// In order of arrival, so acknowledgements are too (MQTT 5 §4.6).
    pub pending: FuturesOrdered<Accepting>,
    /// QoS 2 packet ids among them.
    receiving: HashSet<u16>,
    /// How many of them are above QoS 0.
    unanswered: usize,
    aliases: HashMap<u16, ByteString>,
    pending_max: usize,
    alias_max: u16,
}

impl Inbound {
    pub fn new(limits: &Limits) -> Inbound {
        Inbound {
            pending: FuturesOrdered::new(),
            receiving: HashSet::new(),
            unanswered: 0,
            aliases: HashMap::new(),
            // One more than the receive maximum, so that a client that exceeds it is told.
            pending_max: limits.receive_max.saturating_add(1),
            alias_max: u16::try_from(limits.topic_alias_max).unwrap_or(u16::MAX),
        }
    }

    /// Whether one more publish may come, beside answers that are held back.
    pub fn has_room(&self, held: usize) -> bool {
        self.pending.len() + held < self.pending_max
    }
}

impl Connection {
    /// One packet.
    pub(super) fn handle(&mut self, packet: Incoming) -> Result<(), End> {
        match packet {
            Incoming::Publish(publication) => return self.publish(*publication),
            Incoming::PubAck(id) | Incoming::PubRec(id, false) => self.acknowledged(id),
            Incoming::PubRec(id, true) => self.arrived(id),
            Incoming::PubComp(id) => {
                let place = self.state.flight.completed(id).and_then(|held| held.place());
                self.take_off(place);
            }
            Incoming::PubRel(id) => self.release(id),
            Incoming::Subscribe(subscribe) => return self.subscribe(*subscribe),
            Incoming::Unsubscribe { id, filters } => self.unsubscribe(id, &filters),
            Incoming::Ping => self.send(Outgoing::Pong),
            Incoming::Disconnect { with_will, expiry_s } => {
                if let Some(expiry_s) = expiry_s {
                    // §3.14.2.2.2: what was 0 at CONNECT stays 0.
                    if self.state.expiry_s == 0 && expiry_s > 0 {
                        return Err(End::Bye(Reason::ProtocolError));
                    }
                    let max = u32::try_from(self.hub.limits.session_expiry_s_max);
                    self.state.expiry_s = expiry_s.min(max.unwrap_or(u32::MAX));
                }
                return Err(End::Client { with_will });
            }
            Incoming::Connect(_) | Incoming::Unexpected => {
                return Err(End::Bye(Reason::ProtocolError));
            }
        }
        Ok(())
    }

    /// Queues a packet for the client.
    pub(super) fn send(&mut self, packet: Outgoing) {
        self.wire.encode(packet, &mut self.transport.output);
    }

    /// PUBACK, or a PUBREC that refuses.
    pub(super) fn acknowledged(&mut self, id: u16) {
        match self.state.flight.acknowledged(id) {
            Some(Held::Event(event)) => {
                self.state.cursors.touch();
                self.gate.acknowledged(&self.who, event.room, event.position);
            }
            Some(held) => self.take_off(held.place()),
            None => {}
        }
    }

    /// PUBREC: after a restart the message must not be sent again.
    pub(super) fn arrived(&mut self, id: u16) {
        let known = self.state.flight.received(id);
        let reason = if known.is_some() { Reason::Success } else { Reason::PacketIdNotFound };
        let ticket = match known.flatten().filter(|_| self.is_kept()) {
            Some(place) => {
                let row = QueuedRow::Release { packet_id: id };
                self.hub.shelving.put(queued_key(self.mailbox.number, place), &row)
            }
            None => NOTHING,
        };
        self.send_once_saved(ticket, Outgoing::PubRel(id, reason));
    }

    /// PUBREL: from PUBCOMP on the same packet id is another message, also after a restart.
    fn release(&mut self, id: u16) {
        let keeper = self.state.received.remove(id);
        let reason = if keeper.is_some() { Reason::Success } else { Reason::PacketIdNotFound };
        match (keeper, self.is_kept()) {
            (Some(Keeper::Session), true) => {
                let row = received_key(self.mailbox.number, id);
                let ticket = self.hub.shelving.remove(row);
                self.state.released = ticket;
                self.send_once_saved(ticket, Outgoing::PubComp(id, reason));
            }
            // After a restart only the gate knows what it had taken.
            (Some(Keeper::Gate) | None, true) => {
                let released = self.gate.release(once_key(self.mailbox.number, id));
                let future = async move { released.await.map(|()| Verdict::Handled) }.boxed();
                let about = Some(About::Release(id, reason));
                self.inbound.pending.push_back(Accepting { future, about, _waits: None });
            }
            (_, false) => self.send(Outgoing::PubComp(id, reason)),
        }
    }

    fn publish(&mut self, mut publication: Publication) -> Result<(), End> {
        add(&self.hub.totals.received, 1);
        self.check_publish(&mut publication)?;
        if let (Qos::ExactlyOnce, Some(id)) = (publication.qos, publication.id) {
            if let Some(ticket) = self.state.received.ticket(id) {
                self.send_once_saved(ticket, Outgoing::PubRec(id, Reason::Success, None));
                return Ok(());
            }
            if self.inbound.receiving.contains(&id) {
                return Ok(());
            }
        }
        // Nothing tells 3.1.1 that it is too fast: it is only slowed down.
        let patient = publication.id.is_some() && self.wire.version() == Version::V3;
        if !self.pacing.take(patient) {
            return self.reject(&publication, Reason::QuotaExceeded, &too_fast());
        }
        let limits = &self.hub.limits;
        if publication.topic.split('/').count() > limits.topic_levels_max
            || publication.topic.len() > limits.topic_bytes_max
        {
            let text = "the topic is too long or too deep";
            let refusal = Refusal::new(Kind::Invalid, "bad_topic", text);
            return self.reject(&publication, Reason::BadTopic, &refusal);
        }
        if let Some(id) = publication.id {
            // MQTT 5 §3.3.4: more than the receive maximum is the client's error; 3.1.1 knows
            // no such number, and is only read more slowly.
            let under_way = self.inbound.unanswered + self.state.received.len();
            if under_way >= limits.receive_max && self.wire.version() == Version::V5 {
                return Err(End::Bye(Reason::ReceiveMaxExceeded));
            }
            self.inbound.unanswered += 1;
            if publication.qos == Qos::ExactlyOnce {
                self.inbound.receiving.insert(id);
            }
        }
        self.ask(publication)
    }

    /// What makes a PUBLISH an error of the protocol; puts the topic in place of an alias.
    fn check_publish(&mut self, publication: &mut Publication) -> Result<(), End> {
        if let Some(alias) = publication.alias {
            if alias == 0 || alias > self.inbound.alias_max {
                return Err(End::Bye(Reason::BadAlias));
            }
            if publication.topic.is_empty() {
                let known = self.inbound.aliases.get(&alias).cloned();
                publication.topic = known.ok_or(End::Bye(Reason::BadAlias))?;
            } else {
                let topic = ByteString::from(&*publication.topic);
                self.inbound.aliases.insert(alias, topic);
            }
        }
        if check_name(&publication.topic).is_err() {
            return Err(End::Bye(Reason::BadTopic));
        }
        if publication.dup && publication.qos == Qos::AtMostOnce {
            return Err(End::Bye(Reason::Malformed));
        }
        let response = publication.properties.response_topic.as_ref();
        if publication.has_subscription_id
            || response.is_some_and(|topic| check_name(topic).is_err())
        {
            return Err(End::Bye(Reason::ProtocolError));
        }
        Ok(())
    }

    /// Refuses before anyone is asked.
    fn reject(
        &mut self,
        publication: &Publication,
        reason: Reason,
        refusal: &Refusal,
    ) -> Result<(), End> {
        add(&self.hub.totals.refused, 1);
        self.gate.refused(&self.who, &publication.topic, refusal);
        let Some(id) = publication.id else { return Ok(()) };
        let Publication { topic, payload, retain, .. } = publication;
        let publish = Same { topic, payload, retain: *retain };
        let told = self.tell_refused(publish, reason, refusal)?;
        let which = (id, publication.qos);
        if self.inbound.pending.is_empty() {
            self.acknowledge(which, told, Keeper::Session, NOTHING);
        } else {
            // Its turn comes after those that the gate has not ruled on (§4.6).
            let future = std::future::ready(Ok(Verdict::Handled)).boxed();
            let about = Some(About::Rejected(which, told));
            self.inbound.pending.push_back(Accepting { future, about, _waits: None });
        }
        Ok(())
    }

    /// How a refusal is told: by its reason, or in 3.1.1 by the rule of `refusals`.
    fn tell_refused(
        &self,
        publish: Same<'_>,
        reason: Reason,
        refusal: &Refusal,
    ) -> Result<(Reason, Option<String>), End> {
        if self.wire.version() == Version::V5 {
            return Ok((reason, Some(refusal.to_string())));
        }
        match self.hub.refusals.note(&self.key, publish, refusal.kind) {
            Answer::Close => Err(End::Bye(reason)),
            Answer::Acknowledge => {
                tracing::warn!(account = %self.key.account, client_id = %self.key.client_id,
                    code = refusal.code, "refused again over 3.1.1: acknowledged, not kept");
                Ok((Reason::Success, None))
            }
        }
    }

    fn acknowledge(
        &mut self,
        (id, qos): (u16, Qos),
        (reason, text): (Reason, Option<String>),
        keeper: Keeper,
        ticket: Ticket,
    ) {
        if qos == Qos::ExactlyOnce {
            if !reason.is_failure() {
                self.state.received.insert(id, keeper, ticket);
            }
            self.send_once_saved(ticket, Outgoing::PubRec(id, reason, text));
        } else {
            self.send_once_saved(ticket, Outgoing::PubAck(id, reason, text));
        }
    }

    /// Asks the gate. A publish that it answers at once, with none before it, takes no queue.
    fn ask(&mut self, publication: Publication) -> Result<(), End> {
        let Publication { qos, retain, id, properties, topic, payload, .. } = publication;
        let (topic, payload) = detach(&topic, &payload);
        let properties = detach_properties(properties);
        let publish = Publish {
            topic: topic.clone(),
            payload: payload.clone(),
            qos,
            retain,
            properties: properties.clone(),
            version: self.wire.version(),
            once: id
                .filter(|_| qos == Qos::ExactlyOnce && self.is_kept())
                .map(|id| once_key(self.mailbox.number, id)),
        };
        let expires = properties.expiry_s.and_then(|_| expires(&properties, Instant::now()));
        let from = self.mailbox.number;
        let message = Message { topic, payload, qos, retain, properties, expires, from };
        let message = Arc::new(message);
        let mut future = self.gate.accept(Arc::clone(&self.who), publish);
        // The first poll is here, so that the gate meets publishes in order of arrival.
        let mut cx = Context::from_waker(std::task::Waker::noop());
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(ruled) if self.inbound.pending.is_empty() => {
                self.settle_one(Accepted { about: About::Publish(message, id), ruled })
            }
            Poll::Ready(ruled) => self.wait(Box::pin(std::future::ready(ruled)), message, id),
            Poll::Pending => self.wait(future, message, id),
        }
    }

    /// The gate has ruled.
    pub(super) fn settle_one(&mut self, accepted: Accepted) -> Result<(), End> {
        match accepted.about {
            About::Publish(message, id) => self.answer(message, id, accepted.ruled),
            About::Rejected(which, told) => {
                self.acknowledge(which, told, Keeper::Session, NOTHING);
                Ok(())
            }
            About::Release(id, reason) => match accepted.ruled {
                Ok(_) => {
                    // It may be asked again before the first release is on disk.
                    let ticket = self.state.released;
                    self.send_once_saved(ticket, Outgoing::PubComp(id, reason));
                    Ok(())
                }
                // Without PUBCOMP the client asks again, in its next connection.
                Err(refusal) => Err(End::Bye(Reason::of(&refusal))),
            },
        }
    }

    /// Routes what the gate let pass, and acknowledges.
    fn answer(
        &mut self,
        message: Arc<Message>,
        id: Option<u16>,
        ruled: Result<Verdict, Refusal>,
    ) -> Result<(), End> {
        let keeper = match ruled {
            Ok(Verdict::Handled) => Keeper::Gate,
            _ => Keeper::Session,
        };
        let ruled = match ruled {
            Ok(Verdict::Route) => self.route(&message, id),
            Ok(Verdict::Handled) => Ok(NOTHING),
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = &ruled {
            add(&self.hub.totals.refused, 1);
            self.gate.refused(&self.who, &message.topic, refusal);
            tracing::info!(account = %self.key.account, code = refusal.code, "publish refused");
        }
        let Some(id) = id else { return Ok(()) };
        self.inbound.unanswered -= 1;
        self.inbound.receiving.remove(&id);
        let publish = Same::from(&*message);
        let told = match &ruled {
            Ok(_) => {
                if self.wire.version() == Version::V3 {
                    self.hub.refusals.accepted(&self.key, publish);
                }
                (Reason::Success, None)
            }
            Err(refusal) => self.tell_refused(publish, Reason::of(refusal), refusal)?,
        };
        let ticket = ruled.unwrap_or(NOTHING);
        self.acknowledge((id, message.qos), told, keeper, ticket);
        Ok(())
    }

    /// Routes a message; what a kept session received at QoS 2 is remembered in the same batch.
    fn route(&self, message: &Arc<Message>, id: Option<u16>) -> Result<Ticket, Refusal> {
        let route = || self.hub.route(message, Some(&self.key.account), Instant::now());
        match id.filter(|_| message.qos == Qos::ExactlyOnce && self.is_kept()) {
            Some(id) => {
                let _whole = self.hub.shelving.together();
                let routed = route()?;
                let row = received_key(self.mailbox.number, id);
                Ok(routed.max(self.hub.shelving.put(row, &())))
            }
            None => route(),
        }
    }
}
