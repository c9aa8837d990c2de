//! Sessions that rest: when their will is due and when they expire (MQTT 5 §3.1.2.5, §4.1).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::hub::Hub;
use crate::registry::Key;

/// What is due for a resting session, unless somebody came back since its visit.
#[derive(Debug, Clone)]
enum Due {
    Will(Key, u64),
    End(Key, u64),
}

#[derive(Debug, Default)]
struct Inside {
    dues: BTreeMap<(Instant, u64), Due>,
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
            let mut inside = this.inside.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(at) = will_at {
                inside.add(at, Due::Will(key.clone(), visit));
            }
            inside.add(end_at, Due::End(key.clone(), visit));
            !std::mem::replace(&mut inside.running, true)
        };
        this.changed.notify_one();
        if start {
            let hub = Arc::clone(hub);
            hub.tasks.clone().spawn(async move {
                let closing = hub.closing.clone();
                closing.run_until_cancelled(run(&hub)).await;
            });
        }
    }

    fn first(&self) -> Option<Instant> {
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.dues.first_key_value().map(|((at, _), _)| *at)
    }

    fn take_due(&self, now: Instant) -> Option<Due> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let first = inside.dues.first_entry()?;
        if first.key().0 > now { None } else { Some(first.remove()) }
    }
}

impl Inside {
    fn add(&mut self, at: Instant, due: Due) {
        self.next += 1;
        self.dues.insert((at, self.next), due);
    }
}

async fn run(hub: &Arc<Hub>) {
    loop {
        while let Some(due) = hub.departures.take_due(Instant::now()) {
            fall_due(hub, due);
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
fn fall_due(hub: &Arc<Hub>, due: Due) {
    let (key, will) = match due {
        Due::Will(key, visit) => {
            let will = hub.registry.take_will(&key, visit);
            (key, will)
        }
        Due::End(key, visit) => {
            let Some((resting, who, number)) = hub.registry.expire(&key, visit) else { return };
            hub.forget(&resting.state, number);
            tracing::debug!(account = %key.account, client_id = %key.client_id, "session expired");
            (key, resting.will.map(|will| (will, who, number)))
        }
    };
    if let Some((will, who, number)) = will {
        let hub = Arc::clone(hub);
        hub.tasks.clone().spawn(async move {
            hub.publish_will(&key, who, will, number).await;
        });
    }
}
