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
    floor: usize,
    accounts: Mutex<HashMap<Account, Weak<AtomicUsize>>>,
}

/// What is on its way to one session, and with it to its account.
#[derive(Debug)]
pub(crate) struct Load {
    max: usize,
    floor: usize,
    own: AtomicUsize,
    account: Arc<AtomicUsize>,
}

/// One thing on its way, until this is dropped or released.
#[derive(Debug, Default)]
pub(crate) struct Weight(Option<(Arc<Load>, AtomicUsize)>);

impl Loads {
    /// So many bytes to one account; each of so many sessions has its part of as many again for
    /// itself, so that those that do not read starve no other.
    pub fn new(max: usize, sessions_max: usize) -> Loads {
        Loads { max, floor: max / sessions_max.max(1), accounts: Mutex::default() }
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
        let (max, floor) = (self.max, self.floor);
        Arc::new(Load { max, floor, own: AtomicUsize::new(0), account: sum })
    }
}

impl Load {
    /// Of nobody's account: bounded by its mailbox alone.
    pub fn free() -> Arc<Load> {
        let max = usize::MAX;
        Arc::new(Load { max, floor: max, own: AtomicUsize::new(0), account: Arc::default() })
    }

    /// Room for so many bytes more; `None` where the account has too many and the session its own
    /// part. A session that has nothing on its way gets one thing always.
    pub fn begin(self: &Arc<Self>, bytes: usize) -> Option<Weight> {
        let weight = self.put(bytes);
        let own = self.own.load(Ordering::Relaxed);
        let fits = own == bytes || own <= self.floor;
        (fits || self.account.load(Ordering::Relaxed) <= self.max).then_some(weight)
    }

    /// So many bytes more, whether or not there is room.
    pub fn put(self: &Arc<Self>, bytes: usize) -> Weight {
        self.own.fetch_add(bytes, Ordering::Relaxed);
        self.account.fetch_add(bytes, Ordering::Relaxed);
        Weight(Some((Arc::clone(self), AtomicUsize::new(bytes))))
    }

    /// Whether the account has as much on its way as it may, and the session its own part.
    pub fn is_full(&self) -> bool {
        let own = self.own.load(Ordering::Relaxed);
        own >= self.floor && self.account.load(Ordering::Relaxed) >= self.max
    }
}

impl Weight {
    /// It is not on its way here any more.
    pub fn release(&self) {
        if let Some((load, bytes)) = &self.0 {
            let bytes = bytes.swap(0, Ordering::Relaxed);
            load.own.fetch_sub(bytes, Ordering::Relaxed);
            load.account.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use hearth_protocol::ids::UserId;

    use super::*;

    #[test]
    fn an_account_has_so_many_bytes_and_each_session_one_thing_always() {
        let loads = Loads::new(10, 10);
        let [anna, ben] = [1, 2].map(|id| Account::User(UserId::from_bytes([id; 16])));
        let (first, second, other) = (loads.of(&anna), loads.of(&anna), loads.of(&ben));
        let six = first.begin(6).unwrap();
        let four = first.begin(4).unwrap();
        assert!(first.is_full() && !second.is_full() && !other.is_full());
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
    fn a_session_has_a_part_for_itself_and_what_goes_elsewhere_is_released_first() {
        let loads = Loads::new(100, 10);
        let anna = Account::User(UserId::from_bytes([1; 16]));
        let (away, reads) = (loads.of(&anna), loads.of(&anna));
        let waits = away.begin(100).unwrap();
        let few: Vec<_> = (0..3).map_while(|_| reads.begin(4)).collect();
        assert_eq!(few.len(), 2, "8 of its 10 bytes");
        waits.release();
        let taken = reads.begin(80).unwrap();
        drop((waits, few, taken));
        assert_eq!(loads.of(&anna).account.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn accounts_without_sessions_are_forgotten() {
        let loads = Loads::new(10, 10);
        let account = |id| Account::User(UserId::from_bytes([id; 16]));
        let stays = loads.of(&account(0));
        for id in 1..100 {
            drop(loads.of(&account(id)));
        }
        assert_eq!(loads.accounts.lock().unwrap().len(), 2);
        drop(stays);
    }
}
