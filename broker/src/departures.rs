//! Sessions that rest: when their will is due and when they expire (MQTT 5 §3.1.2.5, §4.1).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::hub::Hub;
use crate::registry::Key;

/// What is next for a session that rests since a visit.
#[derive(Debug)]
struct Due {
    key: Key,
    visit: u64,
    /// The will comes first; this is the end after it.
    will_then: Option<Instant>,
}

/// What fell due, unless somebody came back since its visit.
#[derive(Debug, PartialEq, Eq)]
enum Fallen {
    Will(Key, u64),
    End(Key, u64),
}

/// A session has at most one due: there are never more of them than sessions.
#[derive(Debug, Default)]
struct Inside {
    dues: BTreeMap<(Instant, u64), Due>,
    /// Where the due of a session is.
    spots: HashMap<Key, (Instant, u64)>,
    next: u64,
    running: bool,
}

/// The calendar of resting sessions.
#[derive(Debug, Default)]
pub(crate) struct Departures {
    inside: Mutex<Inside>,
    changed: Notify,
}

impl Departures {
    /// Enters a session that rests from now on; starts the calendar's task if none runs.
    pub fn enter(hub: &Arc<Hub>, key: &Key, visit: u64, will_at: Option<Instant>, end_at: Instant) {
        let this = &hub.departures;
        let start = {
            let mut inside = this.inside();
            inside.enter(key, visit, will_at, end_at);
            !std::mem::replace(&mut inside.running, true)
        };
        // Whoever came back in between found nothing to call off.
        if !hub.registry.rests(key, visit) {
            this.call_off(key, visit);
        }
        this.changed.notify_one();
        if start {
            let hub = Arc::clone(hub);
            hub.tasks.clone().spawn(async move {
                let closing = hub.closing.clone();
                closing.run_until_cancelled(run(&hub)).await;
            });
        }
    }

    /// A session came back, at this visit: what was due for an earlier one is not any more.
    pub fn call_off(&self, key: &Key, visit: u64) {
        self.inside().call_off(key, visit);
    }

    /// Sessions with something due.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        let inside = self.inside();
        assert_eq!(inside.dues.len(), inside.spots.len());
        inside.dues.len()
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn first(&self) -> Option<Instant> {
        self.inside().dues.first_key_value().map(|((at, _), _)| *at)
    }
}

impl Inside {
    /// Two visits may leave in either order; the later one stays.
    fn enter(&mut self, key: &Key, visit: u64, will_at: Option<Instant>, end_at: Instant) {
        if self.visit(key).is_some_and(|other| other > visit) {
            return;
        }
        self.call_off(key, visit);
        let (at, will_then) = match will_at {
            Some(will_at) => (will_at, Some(end_at)),
            None => (end_at, None),
        };
        self.add(at, Due { key: key.clone(), visit, will_then });
    }

    fn visit(&self, key: &Key) -> Option<u64> {
        self.dues.get(self.spots.get(key)?).map(|due| due.visit)
    }

    fn call_off(&mut self, key: &Key, visit: u64) {
        if self.visit(key).is_some_and(|other| other <= visit)
            && let Some(spot) = self.spots.remove(key)
        {
            self.dues.remove(&spot);
        }
    }

    fn add(&mut self, at: Instant, due: Due) {
        self.next += 1;
        let spot = (at, self.next);
        self.spots.insert(due.key.clone(), spot);
        self.dues.insert(spot, due);
    }

    /// The first that is due now; after a will, the end of its session is next.
    fn take_due(&mut self, now: Instant) -> Option<Fallen> {
        let first = self.dues.first_entry().filter(|first| first.key().0 <= now)?;
        let Due { key, visit, will_then } = first.remove();
        let Some(end_at) = will_then else {
            self.spots.remove(&key);
            return Some(Fallen::End(key, visit));
        };
        self.add(end_at, Due { key: key.clone(), visit, will_then: None });
        Some(Fallen::Will(key, visit))
    }
}

async fn run(hub: &Arc<Hub>) {
    loop {
        // The lock is let go before the session is looked for.
        loop {
            let fallen = hub.departures.inside().take_due(Instant::now());
            let Some(fallen) = fallen else { break };
            fall_due(hub, fallen);
        }
        let changed = hub.departures.changed.notified();
        match hub.departures.first() {
            Some(at) => tokio::select! {
                () = sleep_until(at) => {}
                () = changed => {}
            },
            None => changed.await,
        }
    }
}

/// A will may wait for the gate, so it gets a task of its own.
fn fall_due(hub: &Arc<Hub>, fallen: Fallen) {
    let (key, will) = match fallen {
        Fallen::Will(key, visit) => {
            let will = hub.registry.take_will(&key, visit);
            (key, will)
        }
        Fallen::End(key, visit) => {
            let Some((resting, who, mailbox)) = hub.registry.expire(&key, visit) else { return };
            hub.forget(&key.account, &resting.state, &mailbox);
            tracing::debug!(account = %key.account, client_id = %key.client_id, "session expired");
            (key, resting.will.map(|will| (will, who, mailbox.number)))
        }
    };
    if let Some((will, who, number)) = will {
        let hub = Arc::clone(hub);
        hub.tasks.clone().spawn(async move {
            hub.publish_will(&key, who, will, number).await;
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hearth_protocol::principal::Principal;

    use super::*;

    fn key(client_id: &str) -> Key {
        Key { account: Principal::Local("a".to_string()).account(), client_id: client_id.into() }
    }

    #[test]
    fn a_session_has_one_due_its_will_before_its_end() {
        let now = Instant::now();
        let (soon, late) = (now + Duration::from_secs(1), now + Duration::from_secs(2));
        let mut inside = Inside::default();
        inside.enter(&key("a"), 1, Some(soon), late);
        inside.enter(&key("b"), 2, None, late);
        assert_eq!(inside.dues.len(), 2);
        assert_eq!(inside.take_due(now), None);
        assert_eq!(inside.take_due(late), Some(Fallen::Will(key("a"), 1)));
        assert_eq!(inside.dues.len(), 2);
        assert_eq!(inside.take_due(soon), None);
        assert_eq!(inside.take_due(late), Some(Fallen::End(key("b"), 2)));
        assert_eq!(inside.take_due(late), Some(Fallen::End(key("a"), 1)));
        assert_eq!((inside.dues.len(), inside.spots.len()), (0, 0));
    }

    #[test]
    fn a_later_visit_replaces_and_calls_off_an_earlier_one_and_never_the_other_way() {
        let now = Instant::now();
        let mut inside = Inside::default();
        inside.enter(&key("a"), 2, None, now);
        inside.enter(&key("a"), 1, None, now);
        inside.call_off(&key("a"), 1);
        assert_eq!((inside.dues.len(), inside.visit(&key("a"))), (1, Some(2)));
        inside.enter(&key("a"), 3, None, now);
        assert_eq!((inside.dues.len(), inside.visit(&key("a"))), (1, Some(3)));
        inside.call_off(&key("a"), 4);
        assert_eq!((inside.dues.len(), inside.spots.len()), (0, 0));
    }
}
