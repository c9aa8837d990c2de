//! A certificate in files, read again when they change: whoever renews it need not stop the box.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::TlsError;
use crate::config::Certificate;

/// Between two looks at the files.
const EVERY: Duration = Duration::from_secs(60);

/// The certificate in use, and the files it is from.
#[derive(Debug)]
pub(super) struct Given {
    files: Certificate,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    key: Arc<CertifiedKey>,
    changed: Changed,
}

/// When the certificate and its key were written.
type Changed = [Option<SystemTime>; 2];

impl Given {
    /// Reads it for the first time.
    pub(super) fn read(files: &Certificate) -> Result<Self, TlsError> {
        let changed = changed(files);
        let current = Mutex::new(Current { key: Arc::new(pair(files)?), changed });
        Ok(Self { files: files.clone(), current })
    }

    /// Looks at the files every minute until `stop` turns true.
    pub(super) async fn follow(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            let given = self.clone();
            match spawn_blocking(move || given.refresh()).await {
                Ok(Ok(false)) => {}
                Ok(Ok(true)) => tracing::info!("the certificate was read again"),
                Ok(Err(error)) => {
                    tracing::error!(%error, "the certificate stays the old one");
                }
                Err(error) => tracing::error!(%error, "reading the certificate broke"),
            }
        }
    }

    /// Reads the files if they changed; whether they did. What does not read is tried again: one
    /// of the two may not be written yet.
    fn refresh(&self) -> Result<bool, TlsError> {
        let changed = changed(&self.files);
        if self.current().changed == changed {
            return Ok(false);
        }
        let key = Arc::new(pair(&self.files)?);
        *self.current() = Current { key, changed };
        Ok(true)
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Given {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current().key.clone())
    }
}

fn changed(files: &Certificate) -> Changed {
    let at = |file: &Path| fs::metadata(file).and_then(|about| about.modified()).ok();
    [at(&files.certificate), at(&files.key)]
}

fn pair(files: &Certificate) -> Result<CertifiedKey, TlsError> {
    let Certificate { certificate, key } = files;
    let (cert_flag, key_flag) = ("--tls-cert", "--tls-key");
    let chain = blocks::<CertificateDer<'_>>(certificate, cert_flag, "certificate")?;
    let private = blocks::<PrivateKeyDer<'_>>(key, key_flag, "private key")?.swap_remove(0);
    CertifiedKey::from_der(chain, private, &default_provider()).map_err(|cause| TlsError::Pair {
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

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::authority::tests::authority;

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
            let error =
                Given::read(&Certificate { certificate: file.clone(), key: file }).unwrap_err();
            assert!(matches!(error, TlsError::Damaged { .. }), "{damaged}: {error}");
            let said = error.to_string();
            assert!(said.contains("chain.pem (--tls-cert)") && said.contains("copy it again"));
        }
    }

    fn made(folder: &Path, days: &str) -> Certificate {
        let file = |name: &str| folder.join(name);
        let (certificate, key) = (file("one.crt"), file("one.key"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
            .args(["-nodes", "-days", days, "-subj", "/CN=localhost"])
            .args([Path::new("-out"), &certificate, Path::new("-keyout"), &key])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        Certificate { certificate, key }
    }

    #[test]
    fn a_renewed_certificate_is_read_and_a_broken_one_leaves_the_old() {
        let folder = tempfile::tempdir().unwrap();
        let given = Given::read(&made(folder.path(), "2")).unwrap();
        let shown = || given.current().key.cert[0].clone();
        let first = shown();
        assert!(!given.refresh().unwrap());
        let touch = |file: &Path, s: u64| {
            let file = fs::File::options().append(true).open(file).unwrap();
            file.set_modified(SystemTime::now() + Duration::from_secs(s)).unwrap();
        };
        fs::write(&given.files.certificate, "half").unwrap();
        touch(&given.files.certificate, 10);
        assert!(given.refresh().is_err());
        assert_eq!(shown(), first);
        made(folder.path(), "3");
        touch(&given.files.certificate, 20);
        assert!(given.refresh().unwrap());
        assert_ne!(shown(), first);
        assert!(!given.refresh().unwrap());
    }
}
