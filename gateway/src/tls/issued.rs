//! Certificates of the house, renewed when one is needed: a box may run for years, or have begun
//! with a clock that stood wrong.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::crypto::ring::default_provider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::TlsError;
use crate::authority::{self, Authority, BORN_MS, Leaf};
use crate::clock::Clock;

/// What the house's own certificates are made from.
pub struct Own<'a> {
    /// Vouches for them.
    pub authority: Arc<Authority>,
    /// Where TLS listens.
    pub listened: &'a [SocketAddr],
    /// What the box is called beside its host's name.
    pub name: Option<&'a str>,
    /// When they are to be renewed.
    pub clock: Arc<dyn Clock>,
}

impl Own<'_> {
    /// The first certificate, for every name and address that the authority may vouch for.
    pub(super) fn issued(self) -> Result<Issued, TlsError> {
        let Self { authority, listened, name, clock } = self;
        let mut names = wanted(listened, name);
        names.retain(|name| {
            let good = authority.vouches_for(name);
            if !good {
                tracing::warn!(
                    name,
                    "clients that connect by this name or address will not trust the box: its \
                     certificates are for the house; use hearth.local, or give a certificate with \
                     --tls-cert"
                );
            }
            good
        });
        let current = Mutex::new(authority.issue(names.clone(), clock.now_ms())?.try_into()?);
        Ok(Issued { authority, names, clock, current })
    }
}

/// What clients may call this box: its names, and the addresses they can reach.
fn wanted(listened: &[SocketAddr], name: Option<&str>) -> Vec<String> {
    let mut names = authority::all_names(name);
    let mut addresses = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    for listened in listened.iter().map(SocketAddr::ip) {
        if listened.is_unspecified() {
            addresses.extend(host_addresses());
        } else {
            addresses.push(listened);
        }
    }
    names.extend(addresses.iter().map(ToString::to_string));
    names.sort_unstable();
    names.dedup();
    names
}

/// The host's addresses at home. Public ones change and are nobody's name for a house.
fn host_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "the host's addresses are unknown: certificates lack them");
        vec![]
    });
    let at_home = |address: &IpAddr| match address {
        IpAddr::V4(address) => address.is_private(),
        IpAddr::V6(address) => address.is_unique_local(),
    };
    interfaces.iter().map(if_addrs::Interface::ip).filter(at_home).collect()
}

/// A certificate in use.
struct Current {
    key: Arc<CertifiedKey>,
    from_ms: u64,
    renew_ms: u64,
}

impl TryFrom<Leaf> for Current {
    type Error = rustls::Error;

    fn try_from(leaf: Leaf) -> Result<Self, rustls::Error> {
        let Leaf { certificate, key, from_ms, renew_ms } = leaf;
        let key = CertifiedKey::from_der(vec![certificate], key, &default_provider())?;
        Ok(Self { key: Arc::new(key), from_ms, renew_ms })
    }
}

/// What is shown.
pub(super) struct Issued {
    authority: Arc<Authority>,
    names: Vec<String>,
    clock: Arc<dyn Clock>,
    current: Mutex<Current>,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Issued {
    /// What clients may call the box.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    fn now(&self) -> Arc<CertifiedKey> {
        let now_ms = self.clock.now_ms().max(BORN_MS);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if now_ms < current.from_ms || now_ms >= current.renew_ms {
            let issued = self.authority.issue(self.names.clone(), now_ms);
            match issued.and_then(|leaf| Ok(Current::try_from(leaf)?)) {
                Ok(renewed) => *current = renewed,
                Err(error) => tracing::error!(%error, "the box's certificate was not renewed"),
            }
        }
        Arc::clone(&current.key)
    }
}

impl ResolvesServerCert for Issued {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.now())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use hearth_protocol::limits::days_ms;

    use super::*;
    use crate::authority::tests::authority;

    /// A clock that stands where it is put.
    #[derive(Default)]
    struct Set(AtomicU64);

    impl Clock for Set {
        fn now_ms(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn a_certificate_is_renewed_in_its_last_30_days_and_when_the_clock_was_put_right() {
        let (clock, authority) = (Arc::new(Set::default()), Arc::new(authority()));
        let names = vec!["hearth.local".to_string()];
        let current = Mutex::new(authority.issue(names.clone(), 0).unwrap().try_into().unwrap());
        let issued = Issued { authority, names, clock: clock.clone(), current };
        let shown = |day: usize| {
            clock.0.store(days_ms(day), Ordering::Relaxed);
            issued.now().cert[0].clone()
        };
        let today = 21_000;
        let first = shown(0);
        assert_eq!(shown(1), first);
        let second = shown(today);
        assert_ne!(first, second, "the clock stood at 1970");
        assert_eq!(shown(today + 364), second);
        let third = shown(today + 365);
        assert_ne!(third, second, "30 days are left");
        assert_eq!(shown(today + 366), third);
        assert_ne!(shown(today), third, "the clock went back a year");
    }
}
