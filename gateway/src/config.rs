//! What `serve` was told: flags become this once, and mean something from then on.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hearth_protocol::limits::Limits;
use hearth_store::{Keys, Way};

use crate::attachments::scanner::Scanner;
use crate::thief::CREDENTIAL;

/// Where the house lies on disk.
#[derive(Debug, Clone)]
pub struct Place {
    /// The data folder.
    pub data: PathBuf,
    /// Its keys. The key file lies beside the data folder by default and not in it: whoever copies
    /// the folder has not copied the key.
    pub keys: Keys,
    /// Where the passphrase is read from, if the command line says it; `-` is standard input.
    pub passphrase_file: Option<PathBuf>,
}

impl Place {
    /// The data folder with its key file, `DIR.key` unless another is named.
    pub fn new(data: &Path, key_file: Option<PathBuf>) -> Self {
        let beside = || {
            let mut name = data.file_name().unwrap_or_default().to_os_string();
            name.push(".key");
            data.with_file_name(name)
        };
        let keys = Keys {
            data: data.to_path_buf(),
            only: key_file.as_ref().map(|_named| Way::KeyFile),
            key_file: key_file.unwrap_or_else(beside),
            credential: None,
        };
        Self { data: data.to_path_buf(), keys, passphrase_file: None }
    }

    /// With what systemd handed over, in the folder that it named.
    pub fn with_credentials(mut self, folder: Option<PathBuf>) -> Self {
        let file = folder.map(|folder| folder.join(CREDENTIAL));
        self.keys.credential = file.filter(|file| file.exists());
        self
    }

    /// With a file of the passphrase. If that is all the command line names, nothing else opens.
    pub fn with_passphrase_file(mut self, file: Option<PathBuf>) -> Self {
        if file.is_some() {
            self.keys.only = match self.keys.only {
                None => Some(Way::Passphrase),
                Some(_both) => None,
            };
        }
        self.passphrase_file = file;
        self
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
    /// HTTP in clear: on loopback all of it, beyond it how to trust the house.
    pub http: Vec<SocketAddr>,
    /// HTTP over TLS, if at all.
    pub https: Option<SocketAddr>,
    /// What the box is called beside its host's name.
    pub name: Option<String>,
    /// MQTT over TCP.
    pub mqtt: SocketAddr,
    /// MQTT over TLS, if at all.
    pub mqtts: Option<SocketAddr>,
    /// The certificate that TLS shows; without it the house issues its own.
    pub certificate: Option<Certificate>,
    /// Who looks for viruses in uploads, if anybody.
    pub clamd: Option<Scanner>,
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
         read along; use 127.0.0.1, with --https and --mqtts for others, or say --insecure"
    )]
    Clear(SocketAddr),
}

impl Config {
    /// Refuses what would let others read along (design §10).
    pub fn check(&self) -> Result<(), ConfigError> {
        let http = self.http.iter().filter(|_| self.https.is_none());
        let beyond = |address: &&SocketAddr| !address.ip().is_loopback() && !self.insecure;
        match http.chain([&self.mqtt]).find(beyond) {
            Some(address) => Err(ConfigError::Clear(*address)),
            None => Ok(()),
        }
    }

    /// Whether all of HTTP is served in clear at an address.
    pub fn serves_all_at(&self, address: SocketAddr) -> bool {
        self.insecure || address.ip().is_loopback()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_lies_beside_the_data_folder() {
        let place = Place::new(Path::new("/var/lib/hearth"), None);
        assert_eq!(place.keys.key_file, Path::new("/var/lib/hearth.key"));
        let place = Place::new(Path::new("data/"), Some("/k".into()));
        assert_eq!(place.keys.key_file, Path::new("/k"));
    }

    #[test]
    fn what_the_command_line_names_is_the_way_that_is_taken() {
        let only = |key: Option<&str>, passphrase: Option<&str>| {
            let place = Place::new(Path::new("d"), key.map(Into::into));
            place.with_passphrase_file(passphrase.map(Into::into)).keys.only
        };
        assert_eq!(only(None, None), None);
        assert_eq!(only(Some("/k"), None), Some(Way::KeyFile));
        assert_eq!(only(None, Some("/p")), Some(Way::Passphrase));
        assert_eq!(only(Some("/k"), Some("/p")), None, "both may");
    }

    #[test]
    fn nothing_is_served_in_clear_beyond_loopback_unasked() {
        let mut config = Config {
            place: Place::new(Path::new("d"), None),
            http: vec![([127, 0, 0, 1], 8080).into()],
            https: None,
            name: None,
            mqtt: ([192, 168, 1, 2], 1883).into(),
            mqtts: Some(([192, 168, 1, 2], 8883).into()),
            certificate: None,
            clamd: None,
            insecure: false,
            limits: Arc::default(),
        };
        assert_eq!(config.check(), Err(ConfigError::Clear(config.mqtt)));
        config.mqtt = ([127, 0, 0, 1], 1883).into();
        assert_eq!(config.check(), Ok(()), "TLS is not in clear");
        let lan = ([192, 168, 1, 2], 80).into();
        config.http.push(lan);
        assert_eq!(config.check(), Err(ConfigError::Clear(lan)));
        config.https = Some(([192, 168, 1, 2], 443).into());
        assert_eq!(config.check(), Ok(()), "it says how to trust the house");
        assert!(config.serves_all_at(config.http[0]) && !config.serves_all_at(lan));
        (config.mqtt, config.https) = (([192, 168, 1, 2], 1883).into(), None);
        config.insecure = true;
        assert_eq!(config.check(), Ok(()));
    }
}
