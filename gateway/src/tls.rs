//! The appliance's end of TLS: with the certificate it was given, or one of the house's own.

use std::fmt;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, WantsServerCert};
use rustls::sign::CertifiedKey;

use crate::authority::{self, Authority, AuthorityError, BORN_MS, Leaf};
use crate::clock::Clock;
use crate::config::Certificate;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file of a certificate or key.
    #[error("cannot read {file} ({flag}): {cause}; give a file that this user may read")]
    Read {
        /// Which.
        file: PathBuf,
        /// The flag that names it.
        flag: &'static str,
        /// Why not.
        cause: io::Error,
    },
    /// A file that does not hold what its flag says.
    #[error("{file} ({flag}) holds no {what} in PEM; it begins with -----BEGIN")]
    Nothing {
        /// Which.
        file: PathBuf,
        /// The flag that names it.
        flag: &'static str,
        /// What it should hold.
        what: &'static str,
    },
    /// A file that is damaged.
    #[error(
        "{file} ({flag}) does not read as PEM: {cause}; copy it again, whole, as it was issued"
    )]
    Damaged {
        /// Which.
        file: PathBuf,
        /// The flag that names it.
        flag: &'static str,
        /// Why not.
        cause: pem::Error,
    },
    /// They do not belong together, or cannot be used.
    #[error(
        "cannot use {certificate} with {key}: {cause}; give the certificate (first in its file, \
         then what vouches for it) and the key it was made for"
    )]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why not.
        cause: rustls::Error,
    },
    /// The house's own certificates.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

impl From<rustls::Error> for TlsError {
    fn from(cause: rustls::Error) -> Self {
        Self::Authority(cause.into())
    }
}

fn builder() -> Result<rustls::ConfigBuilder<ServerConfig, WantsServerCert>, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    Ok(builder.with_safe_default_protocol_versions()?.with_no_client_auth())
}

/// With a certificate that was given.
pub fn given(files: &Certificate) -> Result<ServerConfig, TlsError> {
    let Certificate { certificate, key } = files;
    let (cert_flag, key_flag) = ("--tls-cert", "--tls-key");
    let chain = blocks::<CertificateDer<'_>>(certificate, cert_flag, "certificate")?;
    let private = blocks::<PrivateKeyDer<'_>>(key, key_flag, "private key")?.swap_remove(0);
    builder()?.with_single_cert(chain, private).map_err(|cause| TlsError::Pair {
        certificate: certificate.clone(),
        key: key.clone(),
        cause,
    })
}

/// What a file holds of a kind in PEM, at least one; other blocks may stand between.
fn blocks<T: PemObject>(
    file: &Path,
    flag: &'static str,
    what: &'static str,
) -> Result<Vec<T>, TlsError> {
    let text = fs::read(file).map_err(|cause| TlsError::Read { file: file.into(), flag, cause })?;
    let blocks: Vec<T> = T::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|cause| TlsError::Damaged { file: file.into(), flag, cause })?;
    if blocks.is_empty() {
        return Err(TlsError::Nothing { file: file.into(), flag, what });
    }
    Ok(blocks)
}

/// With certificates that the house issues for itself.
pub fn own(
    authority: Arc<Authority>,
    listened: SocketAddr,
    clock: Arc<dyn Clock>,
) -> Result<ServerConfig, TlsError> {
    let mut names = wanted(listened.ip());
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
    let current = authority.issue(names.clone(), clock.now_ms())?.try_into()?;
    let issued = Issued { authority, names, clock, current: Mutex::new(current) };
    Ok(builder()?.with_cert_resolver(Arc::new(issued)))
}

/// What clients may call this box: its names, and the addresses they can reach.
fn wanted(listened: IpAddr) -> Vec<String> {
    let mut names = authority::names(authority::host_name().as_deref());
    let mut addresses = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    if listened.is_unspecified() {
        addresses.extend(host_addresses());
    } else {
        addresses.push(listened);
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

/// Certificates of the house, renewed when one is needed: a box may run for years, or have begun
/// with a clock that stood wrong.
struct Issued {
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
    fn a_damaged_block_of_a_given_file_is_said_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let pem = authority().pem().to_string();
        let (good, rest) = (pem.as_str(), "-----BEGIN CERTIFICATE-----\n");
        for damaged in [
            format!("{good}{rest}not base64!\n-----END CERTIFICATE-----\n"),
            format!("{good}{rest}MIIB\n"),
            format!("{good}-----BEGIN CERTI\n"),
        ] {
            let file = folder.path().join("chain.pem");
            fs::write(&file, &damaged).unwrap();
            let error = given(&Certificate { certificate: file.clone(), key: file }).unwrap_err();
            assert!(matches!(error, TlsError::Damaged { .. }), "{damaged}: {error}");
            let said = error.to_string();
            assert!(said.contains("chain.pem (--tls-cert)") && said.contains("copy it again"));
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
