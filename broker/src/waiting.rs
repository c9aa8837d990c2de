//! Bytes that wait, of one account over all its connections: of publishes for the gate's ruling,
//! and of history for its readers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hearth_protocol::principal::Account;

/// What waits, by account.
#[derive(Debug)]
pub(crate) struct Waiting {
    max: usize,
    bytes: Mutex<HashMap<Account, usize>>,
}

/// What one thing takes, until this is dropped.
#[derive(Debug)]
pub(crate) struct Waits {
    waiting: Arc<Waiting>,
    account: Account,
    bytes: usize,
}

impl Waiting {
    /// So many bytes of one account.
    pub fn new(max: usize) -> Self {
        Self { max, bytes: Mutex::default() }
    }

    fn bytes(&self) -> MutexGuard<'_, HashMap<Account, usize>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for so many bytes more of an account; `None` where it has too many. One always fits.
    pub fn begin(self: &Arc<Self>, account: &Account, bytes: usize) -> Option<Waits> {
        let mut all = self.bytes();
        let own = all.get(account).copied().unwrap_or_default();
        if own > 0 && own.saturating_add(bytes) > self.max {
            return None;
        }
        all.insert(account.clone(), own.saturating_add(bytes));
        Some(Waits { waiting: Arc::clone(self), account: account.clone(), bytes })
    }

    fn give_back(&self, account: &Account, bytes: usize) {
        let mut all = self.bytes();
        if let Some(own) = all.get_mut(account) {
            *own = own.saturating_sub(bytes);
            if *own == 0 {
                all.remove(account);
            }
        }
    }
}

impl Waits {
    /// It is only so many bytes.
    pub fn shrink(&mut self, bytes: usize) {
        let less = self.bytes.saturating_sub(bytes);
        self.bytes -= less;
        self.waiting.give_back(&self.account, less);
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.waiting.give_back(&self.account, self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use hearth_protocol::ids::UserId;

    use super::*;

    #[test]
    fn an_account_has_so_many_bytes_and_gets_them_back() {
        let waiting = Arc::new(Waiting::new(10));
        let (anna, ben) = ([1; 16], [2; 16]);
        let [anna, ben] = [anna, ben].map(|id| Account::User(UserId::from_bytes(id)));
        let first = waiting.begin(&anna, 6).unwrap();
        let second = waiting.begin(&anna, 4).unwrap();
        assert!(waiting.begin(&anna, 1).is_none());
        let large = waiting.begin(&ben, 11).unwrap();
        assert!(waiting.begin(&ben, 1).is_none());
        drop(first);
        drop(waiting.begin(&anna, 6).unwrap());
        let mut third = waiting.begin(&anna, 6).unwrap();
        third.shrink(2);
        third.shrink(5);
        drop(waiting.begin(&anna, 4).unwrap());
        drop((second, large, third));
        assert!(waiting.bytes().is_empty());
    }
}
