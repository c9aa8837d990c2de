//! Who is there: an account is online from its first connection until a grace after its last, so
//! that a phone that changes its network was never away (design §5).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hearth_protocol::principal::Account;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

use crate::gate::PresenceChange;
use crate::hub::Hub;

/// An account that is online.
#[derive(Debug, Default)]
struct Online {
    connections: usize,
    /// When it counts as gone, if no connection comes before.
    gone_at: Option<Instant>,
    /// A task waits for that: never more than one of an account.
    watched: bool,
}

/// The accounts that are online; those that are gone leave nothing behind.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    online: Mutex<HashMap<Account, Online>>,
}

/// A connection that counts until it is dropped.
pub struct Present {
    hub: Arc<Hub>,
    account: Account,
}

impl Presence {
    fn online(&self) -> MutexGuard<'_, HashMap<Account, Online>> {
        self.online.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Accounts that are remembered.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.online().len()
    }
}

impl Present {
    /// A connection of this account begins.
    pub(crate) fn enter(hub: &Arc<Hub>, account: &Account) -> Present {
        let mut online = hub.presence.online();
        match online.entry(account.clone()) {
            Entry::Occupied(mut known) => known.get_mut().connections += 1,
            Entry::Vacant(free) => {
                free.insert(Online { connections: 1, ..Online::default() });
                tell(hub, account, PresenceChange::Online);
            }
        }
        Present { hub: Arc::clone(hub), account: account.clone() }
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        let mut online = self.hub.presence.online();
        let Some(known) = online.get_mut(&self.account) else { return };
        known.connections -= 1;
        if known.connections > 0 {
            return;
        }
        let grace_s = u64::try_from(self.hub.limits.presence_grace_s).unwrap_or(u64::MAX);
        let now = Instant::now();
        known.gone_at = now.checked_add(Duration::from_secs(grace_s));
        // Without a runtime the whole program ends, and nobody is left to be told.
        if !known.watched && Handle::try_current().is_ok() {
            known.watched = true;
            let (hub, account) = (Arc::clone(&self.hub), self.account.clone());
            self.hub.tasks.spawn(async move { watch(&hub, &account).await });
        }
    }
}

/// Waits until an account is gone, or back. At shutdown nobody has a grace.
async fn watch(hub: &Hub, account: &Account) {
    while let Some(until) = look(hub, account) {
        tokio::select! {
            () = sleep_until(until) => {}
            () = hub.closing.cancelled() => {}
        }
    }
}

/// How long to wait for an account; `None` if it is gone or back.
fn look(hub: &Hub, account: &Account) -> Option<Instant> {
    let mut online = hub.presence.online();
    let known = online.get_mut(account)?;
    if known.connections > 0 {
        known.watched = false;
        return None;
    }
    let due = known.gone_at.filter(|at| *at > Instant::now() && !hub.closing.is_cancelled());
    if due.is_none() {
        online.remove(account);
        tell(hub, account, PresenceChange::Offline);
    }
    due
}

/// Called under the lock, so that changes are told in their order.
fn tell(hub: &Hub, account: &Account, change: PresenceChange) {
    if let Some(gate) = hub.gate.get() {
        gate.presence(account, change);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearth_protocol::limits::Limits;
    use tokio::time::sleep;

    #[tokio::test(start_paused = true)]
    async fn nothing_is_left_of_accounts_that_are_gone() {
        let hub = Arc::new(Hub::new(Arc::new(Limits::default())));
        for number in 0..1_000 {
            drop(Present::enter(&hub, &Account::Local(number.to_string())));
        }
        assert_eq!((hub.presence.len(), hub.tasks.len()), (1_000, 1_000));
        sleep(Duration::from_secs(31)).await;
        assert_eq!((hub.presence.len(), hub.tasks.len()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn somebody_who_comes_and_goes_all_the_time_costs_one_task() {
        let hub = Arc::new(Hub::new(Arc::new(Limits::default())));
        let account = Account::Local("a".to_string());
        for _ in 0..1_000 {
            drop(Present::enter(&hub, &account));
            sleep(Duration::from_secs(1)).await;
            assert_eq!((hub.presence.len(), hub.tasks.len()), (1, 1));
        }
        let stays = Present::enter(&hub, &account);
        sleep(Duration::from_secs(60)).await;
        assert_eq!((hub.presence.len(), hub.tasks.len()), (1, 0));
        drop(stays);
        sleep(Duration::from_secs(31)).await;
        assert_eq!((hub.presence.len(), hub.tasks.len()), (0, 0));
    }
}
