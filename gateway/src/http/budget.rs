//! Bytes that requests and answers may take in memory: so many in all, and of those a share for one
//! address, so that nobody takes everybody's room.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hearth_protocol::network::counted_as;
use hearth_protocol::refusal::Kind;

use crate::error::ApiError;

/// The part of a budget that one address may have.
const SHARE: usize = 4;

/// So many bytes.
#[derive(Debug, Clone)]
pub struct Budget {
    max: usize,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    all: usize,
    of: HashMap<IpAddr, usize>,
}

impl Budget {
    /// All of it is free.
    pub fn new(max: usize) -> Self {
        Self { max, held: Arc::default() }
    }

    /// Room for something of an address; none of it is taken yet.
    pub fn room(&self, address: IpAddr) -> Room {
        Room { budget: self.clone(), address: counted_as(address), bytes: 0 }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one thing takes, until this is dropped.
#[derive(Debug)]
pub struct Room {
    budget: Budget,
    address: IpAddr,
    bytes: usize,
}

impl Room {
    /// So many bytes more: 503 `busy` where there is no room for them.
    pub fn take(&mut self, bytes: usize) -> Result<(), ApiError> {
        if bytes == 0 {
            return Ok(());
        }
        let max = self.budget.max;
        let mut held = self.budget.held();
        let own = held.of.get(&self.address).copied().unwrap_or_default().saturating_add(bytes);
        let all = held.all.saturating_add(bytes);
        if all > max || own > max / SHARE {
            let message = "the box has too much to carry right now";
            return Err(
                ApiError::new(Kind::Unavailable, "busy", message).hint("ask again in some seconds")
            );
        }
        held.all = all;
        held.of.insert(self.address, own);
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut held = self.budget.held();
        held.all = held.all.saturating_sub(self.bytes);
        if let Some(own) = held.of.get_mut(&self.address) {
            *own = own.saturating_sub(self.bytes);
            if *own == 0 {
                held.of.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(last: u8) -> IpAddr {
        [192, 168, 1, last].into()
    }

    #[test]
    fn an_address_has_a_share_all_have_the_whole_and_what_is_over_is_given_back() {
        let budget = Budget::new(40);
        let mut first = budget.room(at(0));
        first.take(4).unwrap();
        let mut second = budget.room(at(0));
        second.take(6).unwrap();
        let refused = second.take(1).unwrap_err().0;
        assert_eq!((refused.kind.status(), refused.code), (503, "busy"));
        drop(first);
        second.take(4).unwrap();
        let mut others: Vec<_> = (1..=3).map(|last| budget.room(at(last))).collect();
        others.iter_mut().for_each(|room| room.take(10).unwrap());
        let mut late = budget.room(at(4));
        late.take(0).unwrap();
        assert_eq!(late.take(1).unwrap_err().0.code, "busy");
        drop(others);
        late.take(10).unwrap();
        drop((second, late));
        let held = budget.held();
        assert_eq!((held.all, held.of.len()), (0, 0));
    }
}
