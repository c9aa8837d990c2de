//! Whom this client believes over TLS: the house's own certificate, which its person named once at
//! `hearth login`, or whoever this machine believes.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use hearth_protocol::sealing::kdf::sha256;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde::{Deserialize, Serialize};

use super::MemberError;
use super::rest::Rest;

/// Where a machine's own certificates lie, one after the other (Debian's place; elsewhere
/// `SSL_CERT_FILE` names it, as for other programs).
const MACHINE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Certificates that vouch for the box, in PEM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Trust {
    pem: String,
}

impl Trust {
    /// Those of a file.
    pub fn file(path: &Path) -> Result<Self, MemberError> {
        let pem = fs::read_to_string(path)
            .map_err(|error| distrust(format!("{}: {error}", path.display())))?;
        Self::of(pem).map_err(|_none| distrust(format!("{} holds no certificate", path.display())))
    }

    /// Those of this machine.
    pub fn machine() -> Result<Self, MemberError> {
        let named = std::env::var_os("SSL_CERT_FILE").filter(|file| !file.is_empty());
        Self::file(named.as_deref().map_or(Path::new(MACHINE), Path::new))
    }

    /// The certificate that a box gives out, if it is the one with this fingerprint, as `hearth ca`
    /// prints it. Until then nothing that the box says is believed, and nothing is told to it.
    pub fn with_fingerprint(url: &str, fingerprint: &str) -> Result<Self, MemberError> {
        let pem = Rest::unproven(url)?.get_bytes("/ca.crt")?;
        let pem = String::from_utf8(pem).map_err(|error| distrust(error.to_string()))?;
        Self::of(pem)?.matching(fingerprint)
    }

    /// Only if it is the one certificate with this fingerprint: what lies beside it would be
    /// believed too.
    fn matching(self, fingerprint: &str) -> Result<Self, MemberError> {
        let hex = fingerprint.chars().filter(char::is_ascii_hexdigit);
        let wanted = hex.collect::<String>().to_ascii_uppercase();
        match self.certificates()?.as_slice() {
            [one] if sha256(one).map(|byte| format!("{byte:02X}")).concat() == wanted => Ok(self),
            _ => Err(distrust(
                "the certificate that it gives out has another fingerprint: this is not your box, \
                 or the line was copied wrong (`hearth ca` on the box prints it)"
                    .into(),
            )),
        }
    }

    fn of(pem: String) -> Result<Self, MemberError> {
        let trust = Self { pem };
        match trust.certificates()?.is_empty() {
            true => Err(distrust("there is no certificate in it".into())),
            false => Ok(trust),
        }
    }

    /// What vouches for the box.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, MemberError> {
        let read = CertificateDer::pem_slice_iter(self.pem.as_bytes());
        read.collect::<Result<_, _>>().map_err(|error| distrust(error.to_string()))
    }

    /// For a connection of one's own.
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, MemberError> {
        let mut roots = RootCertStore::empty();
        // A machine's list may hold some that this program cannot read.
        roots.add_parsable_certificates(self.certificates()?);
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| distrust(error.to_string()))?;
        Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
    }
}

/// What TLS computes with.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(default_provider())
}

fn distrust(problem: String) -> MemberError {
    MemberError::Unproven { problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_beside_the_certificate_that_was_meant_is_not_believed_with_it() {
        let pem = || rcgen::generate_simple_self_signed(vec![]).unwrap().cert.pem();
        let (house, other) = (pem(), pem());
        let print = |pem: &String| {
            let one = Trust::of(pem.clone()).unwrap().certificates().unwrap().remove(0);
            sha256(&one).map(|byte| format!("{byte:02x}")).join(":")
        };
        let trusted = |pem: String, print: &str| Trust::of(pem).unwrap().matching(print);
        assert_eq!(trusted(house.clone(), &print(&house)).unwrap().pem, house);
        for both in [format!("{house}{other}"), format!("{other}{house}"), other.clone()] {
            let said = trusted(both, &print(&house)).unwrap_err().to_string();
            assert!(said.contains("another fingerprint"), "{said}");
        }
    }

    #[test]
    fn a_file_without_a_certificate_is_said_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.crt");
        for text in ["", "hello", "-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n"] {
            fs::write(&file, text).unwrap();
            let said = Trust::file(&file).unwrap_err().to_string();
            assert!(said.contains("ca.crt holds no certificate"), "{said}");
        }
        let missing = Trust::file(&folder.path().join("none")).unwrap_err().to_string();
        assert!(missing.contains("none: No such file"), "{missing}");
    }
}
