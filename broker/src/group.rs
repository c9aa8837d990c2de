//! Sessions that share a subscription: each message goes to one of them (MQTT 5 §4.8.2).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytestring::ByteString;
use hearth_protocol::principal::{Account, Principal};

use crate::mailbox::Pushed;
use crate::message::{Delivery, Message};
use crate::routes::{Route, join};
use crate::shelf::writer::Shelving;

/// The sessions of one account with the same `$share/NAME/FILTER`. Accounts that happen to use the
/// same NAME do not share: they would take each other's messages.
#[derive(Debug)]
pub(crate) struct Group {
    account: Account,
    /// `$share/NAME/FILTER`.
    filter: ByteString,
    /// Each session at most once.
    members: Vec<Route>,
    /// Counts messages: each begins its search one member further.
    turn: AtomicUsize,
}

/// Which members are tried for a message, the best first. Whoever is connected and may not
/// receive it is never tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Connected, and may receive it.
    Ready,
    /// Away, and may receive it: it waits in the session.
    Away,
    /// Away, and may not: its connection asks again when it comes back, and hands it on.
    Barred,
}

impl Standing {
    const IN_TURN: [Standing; 3] = [Standing::Ready, Standing::Away, Standing::Barred];

    fn of(member: &Route, may: &dyn Fn(&Principal) -> bool) -> Option<Standing> {
        let reader = member.mailbox.reader();
        // Of nobody it is not known yet.
        let allowed = reader.who.is_none_or(|who| may(&who));
        match (reader.online, allowed) {
            (true, true) => Some(Standing::Ready),
            (true, false) => None,
            (false, true) => Some(Standing::Away),
            (false, false) => Some(Standing::Barred),
        }
    }
}

impl Group {
    /// Adds a session to a group among those of one FILTER, or replaces its subscription.
    pub fn join(groups: &mut Vec<Group>, account: &Account, filter: &str, route: Route) {
        match groups.iter_mut().find(|group| group.is(account, filter)) {
            Some(group) => join(&mut group.members, route),
            None => groups.push(Group {
                account: account.clone(),
                filter: filter.into(),
                members: vec![route],
                turn: AtomicUsize::new(0),
            }),
        }
    }

    /// Takes a session out of a group; an empty one is no more.
    pub fn leave(groups: &mut Vec<Group>, account: &Account, filter: &str, number: u64) {
        groups.retain_mut(|group| {
            if group.is(account, filter) {
                group.members.retain(|member| member.mailbox.number != number);
            }
            !group.members.is_empty()
        });
    }

    /// How many sessions share it.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether this is an account's group of a `$share/NAME/FILTER`.
    pub fn is(&self, account: &Account, filter: &str) -> bool {
        self.account == *account && self.filter == filter
    }

    /// Gives a message to one member, but not to the session of the number `but`.
    pub fn give(
        &self,
        message: &Arc<Message>,
        but: Option<u64>,
        may: &dyn Fn(&Principal) -> bool,
        shelving: &Shelving,
    ) -> Pushed {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.members.len().max(1);
        let (later, first) = self.members.split_at(turn);
        let mut best = Pushed::Absent;
        for standing in Standing::IN_TURN {
            let members = first.iter().chain(later);
            for member in members.filter(|member| Some(member.mailbox.number) != but) {
                if Standing::of(member, may) != Some(standing) {
                    continue;
                }
                match member.mailbox.push(self.delivery(member, message), shelving) {
                    waits @ Pushed::Waits(_) => return waits,
                    Pushed::Absent => {}
                    full @ Pushed::Dropped => best = full,
                }
            }
        }
        best
    }

    fn delivery(&self, member: &Route, message: &Arc<Message>) -> Delivery {
        let retain = message.retain && member.retain_as_published;
        let ids = member.id.into_iter().collect();
        let (shared, qos) = (Some(self.filter.clone()), member.qos.min(message.qos));
        Delivery { shared, ..Delivery::new(Arc::clone(message), qos, retain, ids) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Qos;
    use crate::load::Load;
    use crate::mailbox::Mailbox;
    use crate::message::APPLIANCE;
    use crate::shelf::writer::NOTHING;
    use bytes::Bytes;
    use hearth_protocol::limits::Limits;

    const WAITS: Pushed = Pushed::Waits(NOTHING);

    /// A member of a name, connected or gone again.
    fn member(groups: &mut Vec<Group>, name: &str, online: bool) -> Arc<Mailbox> {
        let number = name.bytes().map(u64::from).sum();
        let mailbox = Arc::new(Mailbox::new(number, &Limits::default(), Load::free()));
        let who = Principal::Local(name.to_string());
        mailbox.arrive(&who.clone().into());
        if !online {
            mailbox.depart();
        }
        let (no_local, retain_as_published, qos) = (false, false, Qos::AtLeastOnce);
        let route =
            Route { mailbox: Arc::clone(&mailbox), qos, no_local, retain_as_published, id: None };
        Group::join(groups, &Principal::Local("all".to_string()).account(), "$share/g/t", route);
        mailbox
    }

    #[test]
    fn the_connected_come_before_the_others_and_the_barred_last_or_never() {
        let message = Arc::new(Message {
            topic: "t".into(),
            payload: Bytes::new(),
            qos: Qos::AtLeastOnce,
            retain: false,
            properties: Default::default(),
            expires: None,
            from: APPLIANCE,
        });
        let may = |who: &Principal| !matches!(who, Principal::Local(name) if name.contains("bar"));
        let mut groups = vec![];
        let barred_here = member(&mut groups, "bar here", true);
        let nowhere = Shelving::new(Arc::default());
        let give = |groups: &[Group]| groups[0].give(&message, None, &may, &nowhere);
        assert_eq!(give(&groups), Pushed::Absent);
        let barred_away = member(&mut groups, "bar away", false);
        assert_eq!(give(&groups), WAITS);
        let away = member(&mut groups, "away", false);
        assert_eq!([give(&groups), give(&groups)], [WAITS; 2]);
        let here = member(&mut groups, "here", true);
        assert_eq!([give(&groups), give(&groups), give(&groups)], [WAITS; 3]);
        let got = [&barred_here, &barred_away, &away, &here].map(|one| one.take_all().len());
        assert_eq!((got, groups.len()), ([0, 1, 2, 3], 1));
    }
}
