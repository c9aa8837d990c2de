//! Who is subscribed to what: a tree of topic levels (MQTT 5 §4.7).

use std::collections::HashMap;
use std::sync::Arc;

use crate::gate::Qos;
use crate::mailbox::Mailbox;
use crate::message::{Delivery, Message};

/// A subscription as seen by a publisher.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub mailbox: Arc<Mailbox>,
    pub qos: Qos,
    pub no_local: bool,
    pub retain_as_published: bool,
    pub id: Option<u32>,
}

#[derive(Debug, Default)]
struct Node {
    children: HashMap<Box<str>, Node>,
    /// Below `+`.
    plus: Option<Box<Node>>,
    /// Filters that end here.
    here: Vec<Route>,
    /// Filters that end in `#` here.
    hash: Vec<Route>,
}

impl Node {
    fn is_empty(&self) -> bool {
        self.children.is_empty()
            && self.plus.is_none()
            && self.here.is_empty()
            && self.hash.is_empty()
    }

    fn insert(&mut self, levels: &mut std::str::Split<'_, char>, route: Route) {
        let list = match levels.next() {
            None => &mut self.here,
            Some("#") => &mut self.hash,
            Some("+") => return self.plus.get_or_insert_default().insert(levels, route),
            Some(level) => {
                return self.children.entry(level.into()).or_default().insert(levels, route);
            }
        };
        match list.iter_mut().find(|other| other.mailbox.number == route.mailbox.number) {
            Some(other) => *other = route,
            None => list.push(route),
        }
    }

    fn remove(&mut self, levels: &mut std::str::Split<'_, char>, number: u64) {
        match levels.next() {
            None => self.here.retain(|route| route.mailbox.number != number),
            Some("#") => self.hash.retain(|route| route.mailbox.number != number),
            Some("+") => {
                if let Some(plus) = &mut self.plus {
                    plus.remove(levels, number);
                    if plus.is_empty() {
                        self.plus = None;
                    }
                }
            }
            Some(level) => {
                if let Some(child) = self.children.get_mut(level) {
                    child.remove(levels, number);
                    if child.is_empty() {
                        self.children.remove(level);
                    }
                }
            }
        }
    }

    fn find<'a>(&'a self, rest: Option<&str>, wild: bool, found: &mut Found<'a>) {
        if wild {
            found.add(&self.hash);
        }
        let Some(rest) = rest else {
            return found.add(&self.here);
        };
        let (level, rest) = match rest.split_once('/') {
            Some((level, rest)) => (level, Some(rest)),
            None => (rest, None),
        };
        if let Some(child) = self.children.get(level) {
            child.find(rest, true, found);
        }
        if wild && let Some(plus) = &self.plus {
            plus.find(rest, true, found);
        }
    }
}

/// The subscriptions that match a topic; each list holds a session at most once.
#[derive(Default)]
struct Found<'a> {
    routes: Vec<&'a Route>,
    lists: usize,
}

impl<'a> Found<'a> {
    fn add(&mut self, list: &'a [Route]) {
        if !list.is_empty() {
            self.lists += 1;
            self.routes.extend(list);
        }
    }
}

/// All subscriptions to plain topics.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    root: Node,
}

impl Routes {
    /// Adds a subscription, or replaces the same session's to the same filter.
    pub fn insert(&mut self, filter: &str, route: Route) {
        self.root.insert(&mut filter.split('/'), route);
    }

    /// Removes a session's subscription.
    pub fn remove(&mut self, filter: &str, number: u64) {
        self.root.remove(&mut filter.split('/'), number);
    }

    /// Hands each session that gets a message its delivery: once, however many of its filters
    /// match, with all their identifiers (MQTT 5 §3.3.4).
    pub fn deliver(&self, message: &Arc<Message>, mut hand: impl FnMut(&Mailbox, Delivery)) {
        let mut found = Found::default();
        // §4.7.2: wildcards in the first level do not match `$`.
        let wild = !message.topic.starts_with('$');
        self.root.find(Some(&message.topic), wild, &mut found);
        if found.lists > 1 {
            found.routes.sort_by_key(|route| route.mailbox.number);
        }
        let same = |a: &&Route, b: &&Route| a.mailbox.number == b.mailbox.number;
        for group in found.routes.chunk_by(same) {
            let mailbox = &group[0].mailbox;
            let heard = |route: &&&Route| !(route.no_local && message.from == mailbox.number);
            let Some(qos) = group.iter().filter(heard).map(|route| route.qos).max() else {
                continue;
            };
            let published =
                message.retain && group.iter().filter(heard).any(|route| route.retain_as_published);
            let ids = group.iter().filter(heard).filter_map(|route| route.id).collect();
            let qos = qos.min(message.qos);
            let message = Arc::clone(message);
            let delivery = Delivery::new(message, qos, published, ids);
            hand(mailbox, delivery);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::APPLIANCE;
    use bytes::Bytes;
    use hearth_protocol::limits::Limits;
    use hearth_protocol::topic::matches;
    use proptest::prelude::*;

    fn route(number: u64, id: Option<u32>) -> Route {
        let mailbox = Arc::new(Mailbox::new(number, &Limits::default()));
        Route { mailbox, qos: Qos::AtLeastOnce, no_local: false, retain_as_published: false, id }
    }

    fn message(topic: &str, from: u64) -> Arc<Message> {
        Arc::new(Message {
            topic: topic.into(),
            payload: Bytes::new(),
            qos: Qos::ExactlyOnce,
            retain: false,
            properties: Default::default(),
            expires: None,
            from,
        })
    }

    fn receivers(routes: &Routes, topic: &str, from: u64) -> Vec<(u64, Vec<u32>)> {
        let mut got = vec![];
        routes.deliver(&message(topic, from), |mailbox, delivery| {
            got.push((mailbox.number, delivery.ids));
        });
        got
    }

    #[test]
    fn a_session_gets_a_message_once_with_all_identifiers() {
        let mut routes = Routes::default();
        let one = route(1, Some(7));
        routes.insert("a/#", one.clone());
        routes.insert("a/+", Route { id: Some(8), ..one.clone() });
        routes.insert("a/b", Route { id: None, no_local: true, ..one });
        routes.insert("a/b", route(2, None));
        let mut got = receivers(&routes, "a/b", APPLIANCE);
        got[0].1.sort_unstable();
        assert_eq!(got, [(1, vec![7, 8]), (2, vec![])]);
        routes.remove("a/#", 1);
        routes.remove("a/+", 1);
        assert_eq!(receivers(&routes, "a/b", 1), [(2, vec![])]);
        routes.remove("a/b", 1);
        routes.remove("a/b", 2);
        assert!(routes.root.is_empty());
    }

    proptest! {
        #[test]
        fn the_tree_matches_as_the_protocol_does(
            filters in proptest::collection::vec("(\\$)?[ab+]?(/[ab+]?){0,3}(/#)?", 1..20),
            topic in "(\\$)?[ab]?(/[ab]?){0,4}",
        ) {
            let mut routes = Routes::default();
            let good = |f: &&String| hearth_protocol::topic::check_filter(f).is_ok();
            for (number, filter) in (1u64..).zip(filters.iter().filter(good)) {
                routes.insert(filter, route(number, None));
            }
            let mut got: Vec<u64> =
                receivers(&routes, &topic, APPLIANCE).into_iter().map(|(n, _)| n).collect();
            got.sort_unstable();
            let wanted: Vec<u64> = (1u64..)
                .zip(filters.iter().filter(good))
                .filter(|(_, filter)| matches(filter, &topic))
                .map(|(number, _)| number)
                .collect();
            prop_assert_eq!(got, wanted);
        }
    }
}
