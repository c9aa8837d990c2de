//! How many connections there may be, in all and from one address.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use hearth_protocol::network::counted_as;

use crate::reason::Reason;

/// Connections over the bound that are told so at a time; more are closed without a word.
const TURNED_AWAY_MAX: usize = 64;

#[derive(Debug, Default)]
struct Counted {
    all: usize,
    addresses: HashMap<IpAddr, usize>,
    turned_away: usize,
}

/// Counts who is inside.
#[derive(Debug)]
pub struct Bounds {
    all_max: usize,
    address_max: usize,
    counted: Mutex<Counted>,
}

/// A place inside, given back on drop.
#[derive(Debug)]
pub struct Place {
    bounds: Arc<Bounds>,
    address: IpAddr,
    /// Why it is none: the connection is only told so.
    pub refused: Option<Reason>,
}

impl Bounds {
    /// So many in all, and so many from one address.
    pub fn new(all_max: usize, address_max: usize) -> Bounds {
        Bounds { all_max, address_max, counted: Mutex::default() }
    }

    /// Takes a place. `None`: close at once.
    pub fn enter(self: &Arc<Self>, peer: SocketAddr) -> Option<Place> {
        let address = counted_as(peer.ip());
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let here = counted.addresses.get(&address).copied().unwrap_or(0);
        let refused = if counted.all >= self.all_max {
            Some(Reason::ServerBusy)
        } else if here >= self.address_max {
            Some(Reason::QuotaExceeded)
        } else {
            None
        };
        match refused {
            None => {
                counted.all += 1;
                *counted.addresses.entry(address).or_default() += 1;
            }
            Some(_) if counted.turned_away >= TURNED_AWAY_MAX => return None,
            Some(_) => counted.turned_away += 1,
        }
        Some(Place { bounds: Arc::clone(self), address, refused })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counted = self.bounds.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if self.refused.is_some() {
            counted.turned_away -= 1;
            return;
        }
        counted.all -= 1;
        if let Some(here) = counted.addresses.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                counted.addresses.remove(&self.address);
            }
        }
    }
}
