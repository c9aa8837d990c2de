//! Who is subscribed to what: plain subscriptions, and groups that share one (MQTT 5 §4.8).

use std::collections::HashMap;
use std::ops::{Add, Sub};
use std::sync::Arc;

use hearth_protocol::principal::Account;
use hearth_protocol::topic::{PREFIX, shared};

use crate::gate::Qos;
use crate::group::Group;
use crate::mailbox::Mailbox;
use crate::message::{Delivery, Message};
use crate::tree::Tree;

/// A subscription as seen by a publisher.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub mailbox: Arc<Mailbox>,
    pub qos: Qos,
    pub no_local: bool,
    pub retain_as_published: bool,
    pub id: Option<u32>,
}

impl Add for Holding {
    type Output = Holding;

    fn add(self, more: Holding) -> Holding {
        let subscriptions = self.subscriptions + more.subscriptions;
        Holding { subscriptions, groups: self.groups + more.groups }
    }
}

impl Sub for Holding {
    type Output = Holding;

    /// Of what is there already: never below nothing.
    fn sub(self, less: Holding) -> Holding {
        let subscriptions = self.subscriptions.saturating_sub(less.subscriptions);
        Holding { subscriptions, groups: self.groups.saturating_sub(less.groups) }
    }
}

/// What these groups are and have.
fn held(groups: &[Group]) -> Holding {
    let subscriptions = groups.iter().map(Group::len).sum();
    Holding { subscriptions, groups: groups.len() }
}

/// Adds a subscription to a list that holds a session at most once.
pub(crate) fn join(list: &mut Vec<Route>, route: Route) {
    match list.iter_mut().find(|other| other.mailbox.number == route.mailbox.number) {
        Some(other) => *other = route,
        None => list.push(route),
    }
}

/// All subscriptions to plain topics.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    plain: Tree<Route>,
    /// By what they share, the FILTER of `$share/NAME/FILTER`.
    groups: Tree<Group>,
    /// What each account has, over all its sessions.
    holdings: HashMap<Account, Holding>,
}

/// What an account has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Holding {
    /// Subscriptions, of each session its own.
    pub subscriptions: usize,
    /// Groups that its sessions share.
    pub groups: usize,
}

impl Routes {
    /// Adds a subscription, or replaces the same session's to the same filter.
    pub fn insert(&mut self, account: &Account, filter: &str, route: Route) {
        let mut more = Holding::default();
        match shared(filter) {
            None => self.plain.change(filter, |list| {
                let before = list.len();
                join(list, route);
                more.subscriptions = list.len() - before;
            }),
            Some(shared) => self.groups.change(shared.filter, |groups| {
                let before = held(groups);
                Group::join(groups, account, filter, route);
                more = held(groups) - before;
            }),
        }
        if more != Holding::default() {
            let holding = self.holdings.entry(account.clone()).or_default();
            *holding = *holding + more;
        }
    }

    /// What an account has now.
    pub fn holding(&self, account: &Account) -> Holding {
        self.holdings.get(account).copied().unwrap_or_default()
    }

    /// Whether an account may join a group: one that is there, or one more.
    pub fn may_share(&self, account: &Account, filter: &str, groups_max: usize) -> bool {
        self.holding(account).groups < groups_max || self.group(account, filter).is_some()
    }

    /// Removes a session's subscription.
    pub fn remove(&mut self, account: &Account, filter: &str, number: u64) {
        let mut less = Holding::default();
        match shared(filter) {
            None => self.plain.change(filter, |list| {
                let before = list.len();
                list.retain(|route| route.mailbox.number != number);
                less.subscriptions = before - list.len();
            }),
            Some(shared) => self.groups.change(shared.filter, |groups| {
                let before = held(groups);
                Group::leave(groups, account, filter, number);
                less = before - held(groups);
            }),
        }
        if let Some(holding) = self.holdings.get_mut(account) {
            *holding = *holding - less;
            if *holding == Holding::default() {
                self.holdings.remove(account);
            }
        }
    }

    /// Hands each session that gets a message its delivery: once, however many of its filters
    /// match, with all their identifiers (MQTT 5 §3.3.4).
    pub fn deliver(&self, message: &Arc<Message>, mut hand: impl FnMut(&Mailbox, Delivery)) {
        let (mut found, mut lists) = (vec![], 0);
        self.plain.find(&message.topic, |list| {
            lists += 1;
            found.extend(list);
        });
        if lists > 1 {
            found.sort_by_key(|route| route.mailbox.number);
        }
        let same = |a: &&Route, b: &&Route| a.mailbox.number == b.mailbox.number;
        for routes in found.chunk_by(same) {
            let mailbox = &routes[0].mailbox;
            let heard = |route: &&&Route| !(route.no_local && message.from == mailbox.number);
            let Some(qos) = routes.iter().filter(heard).map(|route| route.qos).max() else {
                continue;
            };
            let published = message.retain
                && routes.iter().filter(heard).any(|route| route.retain_as_published);
            let ids = routes.iter().filter(heard).filter_map(|route| route.id).collect();
            let qos = qos.min(message.qos);
            let message = Arc::clone(message);
            hand(mailbox, Delivery::new(message, qos, published, ids));
        }
    }

    /// Shows the groups that share a message, each of which gives it to one of its own. Nothing
    /// of Hearth's own topics is shared.
    pub fn share(&self, message: &Message, mut show: impl FnMut(&Group)) {
        if !self.groups.is_empty() && !message.topic.starts_with(PREFIX) {
            self.groups.find(&message.topic, |groups| groups.iter().for_each(&mut show));
        }
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.groups.is_empty() && self.holdings.is_empty()
    }

    /// An account's group of a `$share/NAME/FILTER`.
    pub fn group(&self, account: &Account, filter: &str) -> Option<&Group> {
        let groups = self.groups.get(shared(filter)?.filter);
        groups.iter().find(|group| group.is(account, filter))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::load::Load;
    use crate::mailbox::Pushed;
    use crate::message::APPLIANCE;
    use crate::shelf::writer::{NOTHING, Shelving};
    use bytes::Bytes;
    use hearth_protocol::limits::Limits;
    use hearth_protocol::principal::Principal;
    use hearth_protocol::topic::matches;
    use proptest::prelude::*;

    fn route(number: u64, id: Option<u32>) -> Route {
        let mailbox = Arc::new(Mailbox::new(number, &Limits::default(), Load::free()));
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

    fn account(name: &str) -> Account {
        Principal::Local(name.to_string()).account()
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
        let (one, a) = (route(1, Some(7)), account("a"));
        routes.insert(&a, "a/#", one.clone());
        routes.insert(&a, "a/+", Route { id: Some(8), ..one.clone() });
        routes.insert(&a, "a/b", Route { id: None, no_local: true, ..one });
        routes.insert(&a, "a/b", route(2, None));
        let mut got = receivers(&routes, "a/b", APPLIANCE);
        got[0].1.sort_unstable();
        assert_eq!(got, [(1, vec![7, 8]), (2, vec![])]);
        routes.remove(&a, "a/#", 1);
        routes.remove(&a, "a/+", 1);
        assert_eq!(receivers(&routes, "a/b", 1), [(2, vec![])]);
        routes.remove(&a, "a/b", 1);
        routes.remove(&a, "a/b", 2);
        assert!(routes.plain.is_empty());
    }

    #[test]
    fn a_group_is_an_accounts_and_ends_with_its_last_member() {
        let mut routes = Routes::default();
        let joined = [("a", 1), ("a", 2), ("b", 3)];
        for (name, number) in joined {
            routes.insert(&account(name), "$share/g/x/+", route(number, None));
            routes.insert(&account(name), "$share/h/x/+", route(number, None));
        }
        let groups = |routes: &Routes| routes.groups.get("x/+").len();
        assert_eq!((groups(&routes), routes.plain.is_empty()), (4, true));
        routes.remove(&account("b"), "$share/g/x/+", 2);
        for (name, number) in joined {
            routes.remove(&account(name), "$share/g/x/+", number);
        }
        assert_eq!(groups(&routes), 2);
        for (name, number) in joined {
            routes.remove(&account(name), "$share/h/x/+", number);
        }
        assert!(routes.groups.is_empty());
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
                routes.insert(&account("a"), filter, route(number, None));
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

        #[test]
        fn each_group_gives_a_message_to_exactly_one_of_its_members(
            joined in proptest::collection::vec(("[gh]", "[a+#](/[b+])?", 0usize..5), 1..20),
            left in proptest::collection::vec(proptest::bool::ANY, 20),
            messages in 1usize..4,
        ) {
            let mut routes = Routes::default();
            let members: Vec<Route> = (1..=5).map(|number| route(number, None)).collect();
            let mut wanted = BTreeSet::new();
            for (name, filter, member) in &joined {
                let filter = format!("$share/{name}/{filter}");
                if hearth_protocol::topic::check_filter(&filter).is_ok() {
                    routes.insert(&account("a"), &filter, members[*member].clone());
                    wanted.insert((filter, *member));
                }
            }
            for ((name, filter, member), _) in joined.iter().zip(&left).filter(|(_, left)| **left) {
                let filter = format!("$share/{name}/{filter}");
                routes.remove(&account("a"), &filter, members[*member].mailbox.number);
                wanted.remove(&(filter, *member));
            }
            for _ in 0..messages {
                let message = message("a/b", APPLIANCE);
                let nowhere = Shelving::new(Arc::default());
                routes.share(&message, |group| {
                    let given = group.give(&message, None, &|_| true, &nowhere);
                    assert_eq!(given, Pushed::Waits(NOTHING));
                });
            }
            let mut got: BTreeMap<String, usize> = BTreeMap::new();
            for (at, member) in members.iter().enumerate() {
                for delivery in member.mailbox.take_all() {
                    let filter = delivery.shared.unwrap().to_string();
                    prop_assert!(wanted.contains(&(filter.clone(), at)));
                    *got.entry(filter).or_default() += 1;
                }
            }
            let groups: BTreeMap<String, usize> = wanted
                .iter()
                .filter(|(filter, _)| matches(shared(filter).unwrap().filter, "a/b"))
                .map(|(filter, _)| (filter.clone(), messages))
                .collect();
            prop_assert_eq!(got, groups);
        }
    }
}
