//! Where the box listens, as clients are told: those who print a line for a device, or look for the
//! port with TLS.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::authority::HOUSE;
use crate::config::Config;
use crate::http::trust::Https;
use crate::tls::Identity;

/// The addresses that the box took when it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listening {
    /// All of HTTP in clear, if anywhere.
    pub http: Option<SocketAddr>,
    /// MQTT in clear.
    pub mqtt: SocketAddr,
    /// What is reached over TLS, if anything.
    pub tls: Option<OverTls>,
}

/// What is reached over TLS, and what its certificate says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OverTls {
    /// What the box may be called there; the first is what it calls itself. Empty: the certificate
    /// was given, and no name was.
    pub names: Vec<String>,
    /// Whether the house vouches for itself: clients then need `/ca.crt`.
    pub own: bool,
    /// HTTPS, `ADDR:PORT`.
    #[schema(value_type = Option<String>)]
    pub https: Option<SocketAddr>,
    /// MQTT, `ADDR:PORT`.
    #[schema(value_type = Option<String>)]
    pub mqtts: Option<SocketAddr>,
}

impl OverTls {
    /// By the name the box was given first, then by the house's.
    pub fn new(
        config: &Config,
        identity: &Identity,
        https: Option<SocketAddr>,
        mqtts: Option<SocketAddr>,
    ) -> Self {
        let mut names = identity.names.clone();
        names.extend(config.name.clone());
        let first = config.name.as_deref().unwrap_or(HOUSE);
        names.sort_by_key(|name| name != first);
        names.dedup();
        Self { names, own: identity.fingerprint.is_some(), https, mqtts }
    }

    /// How HTTP is reached there, if at all.
    pub fn web(&self) -> Option<Https> {
        let port = self.https?.port();
        Some(Https { port, names: self.names.clone(), own: self.own })
    }
}
