//! All sessions, by account and client id: who has which, and how one is handed over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hearth_protocol::principal::{Account, Principal};
use tokio::sync::oneshot;

use crate::mailbox::Mailbox;
use crate::reason::Reason;
use crate::session::packet::Will;
use crate::session::state::State;

/// Two accounts may use the same client id and never meet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub account: Account,
    pub client_id: Arc<str>,
}

/// What waits while nobody is connected.
#[derive(Debug)]
pub(crate) struct Resting {
    pub state: Box<State>,
    /// A will whose delay is running.
    pub will: Option<Box<Will>>,
}

/// A session that is a connection's now.
#[derive(Debug)]
pub(crate) struct Yours {
    pub mailbox: Arc<Mailbox>,
    /// Its connections have growing numbers, so that orders and timers find the one they are
    /// meant for, even if the session ended and another has its key.
    pub visit: u64,
    /// None: a fresh session.
    pub state: Option<Box<State>>,
    /// An old session that this one's clean start ended, with its mailbox.
    pub ended: Option<(Resting, Arc<Mailbox>)>,
}

#[derive(Debug)]
struct Waiter {
    clean: bool,
    who: Arc<Principal>,
    fresh: Arc<Mailbox>,
    hand: oneshot::Sender<Yours>,
}

#[derive(Debug)]
enum Status {
    Resting(Resting),
    Connected(Option<Waiter>),
}

#[derive(Debug)]
struct Entry {
    mailbox: Arc<Mailbox>,
    who: Arc<Principal>,
    status: Status,
    visit: u64,
}

#[derive(Debug, Default)]
struct Inside {
    accounts: HashMap<Account, HashMap<Arc<str>, Entry>>,
    sessions: usize,
    connections: usize,
    next: u64,
}

/// The table of sessions.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    inside: Mutex<Inside>,
}

/// What a CONNECT found.
pub(crate) enum Entered {
    /// The session is this connection's now.
    Yours(Box<Yours>),
    /// Another connection has it and was told to go.
    Wait(oneshot::Receiver<Yours>),
    /// The account has too many connections or sessions.
    Full,
}

/// What becomes of a session whose connection ended.
pub(crate) enum Left {
    /// It is over; its subscriptions are to be removed.
    Over(Box<State>, Option<Box<Will>>),
    /// It was handed to the next connection.
    Handed,
    /// It waits; the visit tells a timer whether it still does.
    Rests { visit: u64 },
}

/// The bounds of one account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AccountBounds {
    pub connections_max: usize,
    pub sessions_max: usize,
}

impl Registry {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sessions and connections now.
    pub fn len(&self) -> (usize, usize) {
        let inside = self.inside();
        (inside.sessions, inside.connections)
    }

    /// A new number for a session; 0 is the appliance's.
    pub fn number(&self) -> u64 {
        self.inside().number()
    }

    /// Numbers given from now on are above this one.
    pub fn number_from(&self, number: u64) {
        let mut inside = self.inside();
        inside.next = inside.next.max(number);
    }

    /// Whether there is a session of this name.
    pub fn has(&self, key: &Key) -> bool {
        self.inside().entry(key).is_some()
    }

    /// Puts a session back that rested before the broker was restarted; its visit.
    pub fn restore(
        &self,
        key: &Key,
        who: Arc<Principal>,
        mailbox: Arc<Mailbox>,
        resting: Resting,
    ) -> u64 {
        let mut inside = self.inside();
        let visit = inside.number();
        let account = inside.accounts.entry(key.account.clone()).or_default();
        let status = Status::Resting(resting);
        account.insert(Arc::clone(&key.client_id), Entry { mailbox, who, status, visit });
        inside.sessions += 1;
        visit
    }

    /// Gives a client id's session to a connection; `fresh` is for a session that is new.
    pub fn enter(
        &self,
        key: &Key,
        who: &Arc<Principal>,
        fresh: &Arc<Mailbox>,
        clean: bool,
        bounds: AccountBounds,
    ) -> Entered {
        let mut inside = self.inside();
        let visit = inside.number();
        let account = inside.accounts.entry(key.account.clone()).or_default();
        let connected =
            account.values().filter(|e| matches!(e.status, Status::Connected(_))).count();
        let sessions = account.len();
        let Some(entry) = account.get_mut(&key.client_id) else {
            if connected >= bounds.connections_max || sessions >= bounds.sessions_max {
                if account.is_empty() {
                    inside.accounts.remove(&key.account);
                }
                return Entered::Full;
            }
            let status = Status::Connected(None);
            let (mailbox, who) = (Arc::clone(fresh), Arc::clone(who));
            account.insert(Arc::clone(&key.client_id), Entry { mailbox, who, status, visit });
            inside.sessions += 1;
            inside.connections += 1;
            let mailbox = Arc::clone(fresh);
            return Entered::Yours(Box::new(Yours { mailbox, visit, state: None, ended: None }));
        };
        if let Status::Connected(waiter) = &mut entry.status {
            let (hand, handed) = oneshot::channel();
            let (fresh, who) = (Arc::clone(fresh), Arc::clone(who));
            *waiter = Some(Waiter { clean, who, fresh, hand });
            let visit = entry.visit;
            entry.mailbox.order(|orders| orders.bye = Some((visit, Reason::TakenOver)));
            return Entered::Wait(handed);
        }
        if connected >= bounds.connections_max {
            return Entered::Full;
        }
        let yours = entry.wake(who, fresh, clean, visit);
        inside.connections += 1;
        Entered::Yours(Box::new(yours))
    }

    /// A connection ended and gives its session back.
    pub fn leave(
        &self,
        key: &Key,
        visit: u64,
        mut state: Box<State>,
        will: Option<Box<Will>>,
    ) -> Left {
        let mut inside = self.inside();
        let next = inside.number();
        let Some(entry) = inside.entry(key).filter(|entry| entry.visit == visit) else {
            return Left::Over(state, will);
        };
        if let Status::Connected(waiter) = &mut entry.status
            && let Some(waiter) = waiter.take()
        {
            let over = waiter.clean || state.expiry_s == 0;
            let (handed, kept) = if over { (None, Some(state)) } else { (Some(state), None) };
            let mailbox = if over { waiter.fresh } else { Arc::clone(&entry.mailbox) };
            let own = Arc::clone(&mailbox);
            let yours = Yours { mailbox: own, visit: next, state: handed, ended: None };
            match waiter.hand.send(yours) {
                Ok(()) => {
                    entry.visit = next;
                    entry.mailbox = mailbox;
                    entry.who = waiter.who;
                    return kept.map_or(Left::Handed, |state| Left::Over(state, will));
                }
                // Whoever waited went away: as if nobody had come.
                Err(returned) => match kept.or(returned.state) {
                    Some(back) => state = back,
                    None => return Left::Handed,
                },
            }
        }
        if state.expiry_s == 0 {
            inside.remove(key);
            inside.connections -= 1;
            return Left::Over(state, will);
        }
        entry.status = Status::Resting(Resting { state, will });
        let visit = entry.visit;
        inside.connections -= 1;
        Left::Rests { visit }
    }

    /// Removes a session whose connection broke without giving it back (a panic).
    pub fn vacate(&self, key: &Key, visit: u64) {
        let mut inside = self.inside();
        if inside.entry(key).is_some_and(|entry| entry.visit == visit) {
            inside.remove(key);
            inside.connections -= 1;
        }
    }

    /// Whether a session still rests since a visit.
    pub fn rests(&self, key: &Key, visit: u64) -> bool {
        self.inside()
            .entry(key)
            .is_some_and(|entry| entry.visit == visit && matches!(entry.status, Status::Resting(_)))
    }

    /// Takes the will of a session that still rests since a visit.
    pub fn take_will(&self, key: &Key, visit: u64) -> Option<(Box<Will>, Arc<Principal>, u64)> {
        let mut inside = self.inside();
        let entry = inside.entry(key).filter(|entry| entry.visit == visit)?;
        match &mut entry.status {
            Status::Resting(resting) => {
                let will = resting.will.take()?;
                Some((will, Arc::clone(&entry.who), entry.mailbox.number))
            }
            Status::Connected(_) => None,
        }
    }

    /// Ends a session that still rests since a visit.
    pub fn expire(&self, key: &Key, visit: u64) -> Option<(Resting, Arc<Principal>, Arc<Mailbox>)> {
        let mut inside = self.inside();
        let entry = inside.entry(key).filter(|entry| entry.visit == visit)?;
        if !matches!(entry.status, Status::Resting(_)) {
            return None;
        }
        let entry = inside.remove(key)?;
        match entry.status {
            Status::Resting(resting) => Some((resting, entry.who, entry.mailbox)),
            Status::Connected(_) => None,
        }
    }

    /// Shows every connection whose principal answers the description: its mailbox and visit.
    pub fn each_connected(&self, whom: impl Fn(&Principal) -> bool, show: impl Fn(&Mailbox, u64)) {
        for entry in self.inside().accounts.values().flat_map(HashMap::values) {
            if matches!(entry.status, Status::Connected(_)) && whom(&entry.who) {
                show(&entry.mailbox, entry.visit);
            }
        }
    }
}

impl Entry {
    /// A resting session becomes somebody's again; a clean start ends it and begins another.
    fn wake(
        &mut self,
        who: &Arc<Principal>,
        fresh: &Arc<Mailbox>,
        clean: bool,
        visit: u64,
    ) -> Yours {
        self.visit = visit;
        self.who = Arc::clone(who);
        let old = Arc::clone(&self.mailbox);
        if clean {
            self.mailbox = Arc::clone(fresh);
        }
        let mut yours =
            Yours { mailbox: Arc::clone(&self.mailbox), visit, state: None, ended: None };
        match std::mem::replace(&mut self.status, Status::Connected(None)) {
            Status::Resting(resting) if clean => yours.ended = Some((resting, old)),
            Status::Resting(resting) => yours.state = Some(resting.state),
            Status::Connected(_) => {}
        }
        yours
    }
}

impl Inside {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn entry(&mut self, key: &Key) -> Option<&mut Entry> {
        self.accounts.get_mut(&key.account)?.get_mut(&key.client_id)
    }

    fn remove(&mut self, key: &Key) -> Option<Entry> {
        let account = self.accounts.get_mut(&key.account)?;
        let entry = account.remove(&key.client_id)?;
        if account.is_empty() {
            self.accounts.remove(&key.account);
        }
        self.sessions -= 1;
        Some(entry)
    }
}
