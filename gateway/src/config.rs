//! What `serve` was told: flags become this once, and mean something from then on.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hearth_protocol::limits::Limits;

/// Where the house lies on disk.
#[derive(Debug, Clone)]
pub struct Place {
    /// The data folder.
    pub data: PathBuf,
    /// The key file, by default beside the data folder and not in it: whoever copies the folder
    /// has not copied the key.
    pub key_file: PathBuf,
}

impl Place {
    /// The data folder with its key file, `DIR.key` unless another is named.
    pub fn new(data: &Path, key_file: Option<PathBuf>) -> Self {
        let beside = || {
            let mut name = data.file_name().unwrap_or_default().to_os_string();
            name.push(".key");
            data.with_file_name(name)
        };
        Self { data: data.to_path_buf(), key_file: key_file.unwrap_or_else(beside) }
    }

    /// The store's file.
    pub fn store_file(&self) -> PathBuf {
        self.data.join(hearth_store::DATABASE_FILE)
    }

    /// The socket that box commands talk to while the appliance runs.
    pub fn admin_socket(&self) -> PathBuf {
        self.data.join("admin.sock")
    }
}

/// A certificate that was given, as files in PEM.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate, then what vouches for it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What the appliance runs with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the house lies.
    pub place: Place,
    /// HTTP, the web client and MQTT over WebSocket.
    pub http: SocketAddr,
    /// MQTT over TCP.
    pub mqtt: SocketAddr,
    /// MQTT over TLS, if at all.
    pub mqtts: Option<SocketAddr>,
    /// The certificate that TLS shows; without it the house issues its own.
    pub certificate: Option<Certificate>,
    /// Serve in clear beyond loopback.
    pub insecure: bool,
    /// The limits in force.
    pub limits: Arc<Limits>,
}

/// Why the appliance does not start with this configuration.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// Beyond loopback in clear.
    #[error(
        "{0} is not a loopback address and would be served in clear: anyone on the network could \
         read along; use 127.0.0.1 (and --mqtts for MQTT), or say --insecure"
    )]
    Clear(SocketAddr),
}

impl Config {
    /// Refuses what would let others read along (design §10).
    pub fn check(&self) -> Result<(), ConfigError> {
        for address in [self.http, self.mqtt] {
            if !address.ip().is_loopback() && !self.insecure {
                return Err(ConfigError::Clear(address));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_lies_beside_the_data_folder() {
        let place = Place::new(Path::new("/var/lib/hearth"), None);
        assert_eq!(place.key_file, Path::new("/var/lib/hearth.key"));
        let place = Place::new(Path::new("data/"), Some("/k".into()));
        assert_eq!(place.key_file, Path::new("/k"));
    }

    #[test]
    fn nothing_is_served_in_clear_beyond_loopback_unasked() {
        let mut config = Config {
            place: Place::new(Path::new("d"), None),
            http: ([127, 0, 0, 1], 8080).into(),
            mqtt: ([192, 168, 1, 2], 1883).into(),
            mqtts: Some(([192, 168, 1, 2], 8883).into()),
            certificate: None,
            insecure: false,
            limits: Arc::default(),
        };
        assert_eq!(config.check(), Err(ConfigError::Clear(config.mqtt)));
        config.mqtt = ([127, 0, 0, 1], 1883).into();
        assert_eq!(config.check(), Ok(()), "TLS is not in clear");
        config.mqtt = ([192, 168, 1, 2], 1883).into();
        config.insecure = true;
        assert_eq!(config.check(), Ok(()));
    }
}
