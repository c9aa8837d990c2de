//! The appliance's end of TLS, for HTTPS and MQTTS alike: with the certificate it was given, or one
//! of the house's own.
//!
//! - [`given`]: a certificate in files, read again when they change
//! - [`issued`]: the house's own, renewed when one is needed

mod given;
mod issued;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem;
use rustls::server::ResolvesServerCert;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::authority::AuthorityError;
use crate::config::Certificate;
use given::Given;

pub use issued::Own;
pub use tokio_rustls::server::TlsStream;

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

/// What the box shows of itself, on every TLS port.
pub struct Identity {
    resolver: Arc<dyn ResolvesServerCert>,
    given: Option<Arc<Given>>,
    /// What clients may call it: of the house's own certificates.
    pub names: Vec<String>,
    /// Of the certificate with which the house vouches for itself, where it does.
    pub fingerprint: Option<String>,
}

impl Identity {
    /// With a certificate that was given.
    pub fn given(files: &Certificate) -> Result<Self, TlsError> {
        let given = Arc::new(Given::read(files)?);
        Ok(Self { resolver: given.clone(), given: Some(given), names: vec![], fingerprint: None })
    }

    /// With certificates that the house issues for itself.
    pub fn own(own: Own<'_>) -> Result<Self, TlsError> {
        let fingerprint = Some(own.authority.fingerprint());
        let issued = own.issued()?;
        let names = issued.names().to_vec();
        Ok(Self { resolver: Arc::new(issued), given: None, names, fingerprint })
    }

    fn config(&self) -> Result<ServerConfig, TlsError> {
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
        Ok(builder.with_cert_resolver(self.resolver.clone()))
    }

    /// For MQTT over TLS.
    pub fn mqtts(&self) -> Result<Arc<ServerConfig>, TlsError> {
        Ok(Arc::new(self.config()?))
    }

    /// For HTTP over TLS: 2, else 1.1 (RFC 7301).
    pub fn https(&self) -> Result<Acceptor, TlsError> {
        let mut config = self.config()?;
        config.alpn_protocols = vec![H2.to_vec(), b"http/1.1".to_vec()];
        Ok(Acceptor(Arc::new(config).into()))
    }

    /// Reads files that were given again when they change, until `stop` turns true.
    pub async fn keep_fresh(self: Arc<Self>, stop: watch::Receiver<bool>) {
        if let Some(given) = &self.given {
            given.clone().follow(stop).await;
        }
    }
}

const H2: &[u8] = b"h2";

/// Makes TLS connections of plain ones.
#[derive(Clone)]
pub struct Acceptor(TlsAcceptor);

impl Acceptor {
    /// The handshake; whether both sides then speak HTTP/2.
    pub async fn accept<S>(&self, stream: S) -> io::Result<(TlsStream<S>, bool)>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let stream = self.0.accept(stream).await?;
        let is_h2 = stream.get_ref().1.alpn_protocol() == Some(H2);
        Ok((stream, is_h2))
    }
}
