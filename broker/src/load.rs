//! Bytes that are on their way to one account, over all its sessions: what waits in mailboxes, and
//! what was sent and is not acknowledged, also while nobody is connected.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use hearth_protocol::principal::Account;

/// What is on its way to each account.
#[derive(Debug)]
pub(crate) struct Loads {
    max: usize,
    accounts: Mutex<HashMap<Account, Weak<AtomicUsize>>>,
}

/// What is on its way to one session, and with it to its account.
#[derive(Debug)]
pub(crate) struct Load {
    max: usize,
    own: AtomicUsize,
    account: Arc<AtomicUsize>,
}

/// One thing on its way, until this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Weight(Option<(Arc<Load>, usize)>);

impl Loads {
    /// So many bytes to one account.
    pub fn new(max: usize) -> Loads {
        Loads { max, accounts: Mutex::default() }
    }

    /// For a new session of an account.
    pub fn of(&self, account: &Account) -> Arc<Load> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let known = accounts.get(account).and_then(Weak::upgrade);
        let sum = known.unwrap_or_else(|| {
            accounts.retain(|_, sum| sum.strong_count() > 0);
            let sum = Arc::default();
            accounts.insert(account.clone(), Arc::downgrade(&sum));
            sum
        });
        Arc::new(Load { max: self.max, own: AtomicUsize::new(0), account: sum })
    }
}

impl Load {
    /// Of nobody's account: bounded by its mailbox alone.
    pub fn free() -> Arc<Load> {
        Arc::new(Load { max: usize::MAX, own: AtomicUsize::new(0), account: Arc::default() })
    }

    /// Room for so many bytes more; `None` where the account has too many. A session that has
    /// nothing on its way gets one thing always: those that do not read starve no other.
    pub fn begin(self: &Arc<Self>, bytes: usize) -> Option<Weight> {
        let weight = self.put(bytes);
        let own = self.own.load(Ordering::Relaxed);
        let fits = own == bytes || self.account.load(Ordering::Relaxed) <= self.max;
        fits.then_some(weight)
    }

    /// So many bytes more, whether or not there is room.
    pub fn put(self: &Arc<Self>, bytes: usize) -> Weight {
        self.own.fetch_add(bytes, Ordering::Relaxed);
        self.account.fetch_add(bytes, Ordering::Relaxed);
        Weight(Some((Arc::clone(self), bytes)))
    }

    /// Whether the account has as much on its way as it may.
    pub fn is_full(&self) -> bool {
        self.account.load(Ordering::Relaxed) >= self.max
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        if let Some((load, bytes)) = self.0.take() {
            load.own.fetch_sub(bytes, Ordering::Relaxed);
            load.account.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use hearth_protocol::ids::UserId;

    use super::*;

    #[test]
    fn an_account_has_so_many_bytes_and_each_session_one_thing_always() {
        let loads = Loads::new(10);
        let [anna, ben] = [1, 2].map(|id| Account::User(UserId::from_bytes([id; 16])));
        let (first, second, other) = (loads.of(&anna), loads.of(&anna), loads.of(&ben));
        let six = first.begin(6).unwrap();
        let four = first.begin(4).unwrap();
        assert!(first.is_full() && second.is_full() && !other.is_full());
        assert!(first.begin(1).is_none(), "what was refused counts no more");
        let large = second.begin(20).unwrap();
        assert!(second.begin(1).is_none());
        assert!(other.begin(10).is_some());
        drop((six, large));
        drop(first.begin(6).unwrap());
        let back = second.put(7);
        assert!(first.begin(0).is_none() && first.is_full());
        drop((back, four));
        assert!(!first.is_full() && first.begin(10).is_some());
    }

    #[test]
    fn accounts_without_sessions_are_forgotten() {
        let loads = Loads::new(10);
        let account = |id| Account::User(UserId::from_bytes([id; 16]));
        let stays = loads.of(&account(0));
        for id in 1..100 {
            drop(loads.of(&account(id)));
        }
        assert_eq!(loads.accounts.lock().unwrap().len(), 2);
        drop(stays);
    }
}
