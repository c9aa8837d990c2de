//! A client's subscriptions, and the retained messages they bring (MQTT 5 §3.8 to §3.11).

use std::sync::Arc;

use bytestring::ByteString;
use hearth_protocol::ids::{Position, RoomId};
use hearth_protocol::topic::{PREFIX, Topic, check_filter, shared};

use super::cursor::Reach;
use super::packet::{Granted, Handling, Options, Outgoing, Subscribe};
use super::state::Subscription;
use super::{Connection, End};
use crate::counts::add;
use crate::gate::Qos;
use crate::mailbox::Pushed;
use crate::message::{Delivery, Message, copy};
use crate::reason::Reason;
use crate::routes::Route;

/// The user property that sets a room's cursor: `after` = `{room}:{position}`.
const AFTER: &str = "after";

fn parse_after(value: &str) -> Option<(RoomId, Position)> {
    let (room, position) = value.split_once(':')?;
    let digits = position.bytes().all(|byte| byte.is_ascii_digit());
    let position = position.parse().ok().filter(|_| digits)?;
    Some((room.parse().ok()?, Position(position)))
}

impl Connection {
    /// SUBSCRIBE: each filter is answered for itself.
    pub(super) fn subscribe(&mut self, subscribe: Subscribe) -> Result<(), End> {
        // §3.8.3.1: whoever shares cannot leave out what they said themselves.
        if subscribe.filters.iter().any(|(filter, o)| o.no_local && shared(filter).is_some()) {
            return Err(End::Bye(Reason::ProtocolError));
        }
        let after = subscribe.user.iter().filter(|(key, _)| key == AFTER);
        let after: Option<Vec<_>> = after.map(|(_, value)| parse_after(value)).collect();
        let Subscribe { id, filters, subscription_id, .. } = subscribe;
        let Some(mut after) = after else {
            let answers = filters.iter().map(|_| Err(Reason::ImplementationSpecific)).collect();
            self.send(Outgoing::SubAck(id, answers));
            return Ok(());
        };
        // A cursor costs memory and asks history: only rooms that are read have one.
        after.retain(|(room, _)| {
            self.gate.may_receive(&self.who, &Topic::RoomOut(*room).to_string())
        });
        let mut answers: Vec<Granted> = Vec::with_capacity(filters.len());
        for (filter, options) in filters {
            // Each may find many retained messages: it counts as a publish does.
            self.pacing.take(true);
            let filter = ByteString::from(&*filter);
            let answer = if answers.len() < self.hub.limits.subscriptions_max {
                self.grant(&filter, options)
            } else {
                Err(Reason::QuotaExceeded)
            };
            if let Ok(qos) = answer {
                self.add(&filter, options, qos, subscription_id, &after);
            }
            answers.push(answer);
        }
        self.outbound.forget_views();
        self.tune();
        let ticket = self.save_session(None);
        self.send_once_saved(ticket, Outgoing::SubAck(id, answers));
        Ok(())
    }

    /// Whether a filter is granted, and at which QoS.
    fn grant(&self, filter: &ByteString, options: Options) -> Granted {
        let limits = &self.hub.limits;
        let group = shared(filter);
        let wanted = group.map_or(&**filter, |group| group.filter);
        if check_filter(filter).is_err()
            || filter.len() > limits.topic_bytes_max
            || wanted.split('/').count() > limits.topic_levels_max
        {
            return Err(Reason::BadFilter);
        }
        // What is Hearth's own is for each reader, and never shared.
        if group.is_some() && wanted.starts_with(PREFIX) {
            return Err(Reason::NotAuthorized);
        }
        let subscriptions = &self.state.subscriptions;
        if !subscriptions.contains_key(filter)
            && (subscriptions.len() >= limits.subscriptions_max
                || !self.hub.may_add(&self.key.account, filter))
        {
            return Err(Reason::QuotaExceeded);
        }
        if let Err(refusal) = self.gate.may_subscribe(&self.who, wanted) {
            tracing::info!(account = %self.key.account, code = refusal.code, "SUBSCRIBE refused");
            return Err(Reason::of(&refusal));
        }
        // Design §3: a subscription to `out` is granted at most QoS 1.
        let only_events = Reach::of(filter) != Reach::None && filter.ends_with("/out");
        Ok(if only_events { options.qos.min(Qos::AtLeastOnce) } else { options.qos })
    }

    fn add(
        &mut self,
        filter: &ByteString,
        options: Options,
        qos: Qos,
        id: Option<u32>,
        after: &[(RoomId, Position)],
    ) {
        let reach = Reach::of(filter);
        let Options { no_local, retain_as_published, .. } = options;
        let subscription = Subscription { qos, id, reach, no_local, retain_as_published };
        let fresh = self.state.subscriptions.insert(filter.clone(), subscription).is_none();
        self.hub.subscribe(
            &self.key.account,
            filter,
            Route { mailbox: Arc::clone(&self.mailbox), qos, no_local, retain_as_published, id },
        );
        if reach != Reach::None {
            for (room, head) in self.hub.rooms.heads() {
                if reach.covers(room) {
                    self.state.cursors.start(room, head.head);
                }
            }
            for (room, position) in after.iter().filter(|(room, _)| reach.covers(*room)) {
                self.state.cursors.seek(*room, *position);
            }
        }
        let wanted = match options.retained {
            // §3.8.3.1: none by a shared subscription.
            _ if shared(filter).is_some() => false,
            Handling::Always => true,
            Handling::IfNew => fresh,
            Handling::Never => false,
        };
        if wanted {
            for message in self.hub.retained(filter) {
                self.send_retained(message, qos, id.into_iter().collect());
            }
        }
    }

    fn send_retained(&mut self, message: Arc<Message>, granted: Qos, ids: Vec<u32>) {
        if !self.gate.may_receive(&self.who, &message.topic) {
            return self.withhold(&message.topic);
        }
        let qos = granted.min(message.qos);
        let delivery = Delivery::new(message, qos, true, ids);
        if self.mailbox.push(delivery, &self.hub.shelving) == Pushed::Dropped {
            add(&self.hub.totals.dropped, 1);
        }
    }

    /// Remembers a retained topic that is not readable, for when it becomes so.
    pub(super) fn withhold(&mut self, topic: &ByteString) {
        if self.state.withheld.len() < self.hub.limits.queued_messages_max {
            self.state.withheld.insert(copy(topic));
        }
    }

    /// Rights were gained: retained messages that were withheld are sent once.
    pub(super) fn send_withheld(&mut self) {
        for topic in std::mem::take(&mut self.state.withheld) {
            let covering: Vec<_> = self
                .state
                .subscriptions
                .iter()
                .filter(|(filter, _)| hearth_protocol::topic::matches(filter, &topic))
                .map(|(_, subscription)| (subscription.qos, subscription.id))
                .collect();
            let Some(granted) = covering.iter().map(|(qos, _)| *qos).max() else { continue };
            let ids: Vec<u32> = covering.iter().filter_map(|(_, id)| *id).collect();
            for message in self.hub.retained(&topic) {
                // It may be on its way already, as it was published.
                if !self.mailbox.holds(&message) && !self.outbound.holds(&message) {
                    self.send_retained(message, granted, ids.clone());
                }
            }
        }
    }

    /// UNSUBSCRIBE: unknown filters are answered too.
    pub(super) fn unsubscribe(&mut self, id: u16, filters: &[ByteString]) {
        let mut answers = Vec::with_capacity(filters.len());
        for filter in filters {
            answers.push(match self.state.subscriptions.remove(filter) {
                Some(_) => {
                    self.hub.unsubscribe(&self.key.account, filter, self.mailbox.number);
                    Reason::Success
                }
                None => Reason::NoSubscriptionExisted,
            });
        }
        let subscriptions = &self.state.subscriptions;
        self.state.cursors.keep(|room| subscriptions.values().any(|s| s.reach.covers(room)));
        self.outbound.forget_views();
        self.tune();
        let ticket = self.save_session(None);
        self.send_once_saved(ticket, Outgoing::UnsubAck(id, answers));
    }

    /// Takes up an old session: its events go on where they were, unless they are QoS 0.
    pub(super) fn resume(&mut self) {
        for (room, head) in self.hub.rooms.heads() {
            if self.view(room).is_some_and(|view| view.is_live_only()) {
                self.state.cursors.start(room, head.head);
                self.state.cursors.pass(room, head.head);
            }
        }
        self.tune();
        self.state.withheld.extend(self.mailbox.take_missed());
        self.send_withheld();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_is_a_room_and_a_position() {
        let room = RoomId::new(1, [1; 10]);
        assert_eq!(parse_after(&format!("{room}:7")), Some((room, Position(7))));
        for bad in [format!("{room}"), format!("{room}:"), format!("{room}:+1"), "x:1".into()] {
            assert_eq!(parse_after(&bad), None, "{bad}");
        }
    }
}
