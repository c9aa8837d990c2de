//! The data key: random, made once, wrapped by age (sealing.md §8). Each [`Way`] to open the data
//! has a file under `keys/` in the data folder, which holds the same key:
//!
//! - `keyfile.age` opens with the key file, an age identity that lies outside the data folder
//! - `passphrase.age` opens with a passphrase, by scrypt
//! - `credential.age` opens with what systemd hands the service
//!
//! Invariants: a file has its name only when it is whole and durable; a way is removed only after
//! another one has opened the data; a key that is not the database's is never taken or wrapped.
//! Whoever changes these files holds the folder `keys/`.
//!
//! - [`ways`]: what may be done with them · [`identity`], [`passphrase`]: what opens
//! - [`wrapped`]: the age files · [`files`]: their changes, step by step

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use hearth_protocol::limits::Limits;

use crate::disk::DATABASE_FILE;
use crate::locked::LockedKey;
use crate::sealed_file;

mod error;
mod files;
mod identity;
mod passphrase;
mod ways;
mod wrapped;

#[cfg(test)]
mod cut_tests;
#[cfg(test)]
mod tests;

pub use error::KeyError;
pub use identity::Credential;
pub use passphrase::Passphrase;
pub use ways::NewWay;

use files::{hold, io_error, there};

/// The folder of the wrapped keys inside the data folder.
const FOLDER: &str = "keys";

/// The key that everything at rest derives from: kept out of swap, wiped when dropped, never shown.
pub struct DataKey(LockedKey);

impl DataKey {
    /// A key from its bytes.
    pub fn from_bytes(mut bytes: [u8; 32]) -> Self {
        Self::taking(&mut bytes)
    }

    /// A key from its bytes, which are wiped.
    fn taking(bytes: &mut [u8; 32]) -> Self {
        Self(LockedKey::taking(bytes))
    }

    fn random() -> io::Result<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        Ok(Self::taking(&mut bytes))
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

/// A way to open the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// What systemd hands the service.
    Credential,
    /// An age identity in a file.
    KeyFile,
    /// A passphrase that somebody types.
    Passphrase,
}

impl Way {
    /// In the order in which they are tried: what needs nobody first.
    pub const ALL: [Way; 3] = [Way::Credential, Way::KeyFile, Way::Passphrase];

    fn file_name(self) -> &'static str {
        match self {
            Way::Credential => "credential.age",
            Way::KeyFile => "keyfile.age",
            Way::Passphrase => "passphrase.age",
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Way::Credential => "a systemd credential",
            Way::KeyFile => "a key file",
            Way::Passphrase => "a passphrase",
        })
    }
}

/// The keys of a data folder: where they lie, and what there is to open them with.
#[derive(Debug, Clone)]
pub struct Keys {
    /// The data folder.
    pub data: PathBuf,
    /// The key file, there or not.
    pub key_file: PathBuf,
    /// What systemd handed over, if it did.
    pub credential: Option<PathBuf>,
    /// The one way to take, if the command line names it.
    pub only: Option<Way>,
}

/// An opened data key.
#[derive(Debug)]
pub struct Opened {
    /// The key.
    pub key: DataKey,
    /// What opened it.
    pub way: Way,
    /// Why the ways that were tried before did not.
    pub passed_over: Vec<KeyError>,
}

impl Keys {
    /// Where a way's wrapped key lies.
    pub fn wrapped(&self, way: Way) -> PathBuf {
        self.folder().join(way.file_name())
    }

    fn folder(&self) -> PathBuf {
        self.data.join(FOLDER)
    }

    /// The ways there are, in the order in which they are tried.
    pub fn ways(&self) -> Result<Vec<Way>, KeyError> {
        let mut ways = vec![];
        for way in Way::ALL {
            if there(&self.wrapped(way))? {
                ways.push(way);
            }
        }
        Ok(ways)
    }

    /// The data key, by the way that the command line names, else by the first that opens. On first
    /// use, when there is no way and no database, the key is made with the one that the command
    /// line names; else with the credential if there is one and no key file; else with a key file.
    pub fn open(
        &self,
        passphrase: Option<&Passphrase>,
        limits: &Limits,
    ) -> Result<Opened, KeyError> {
        if self.ways()?.is_empty() || self.is_unfinished()? {
            let _held = hold(&self.folder())?;
            self.sweep()?;
            if self.ways()?.is_empty() {
                self.create(passphrase, limits)?;
            }
        }
        self.open_with(&self.chosen()?, passphrase, limits)
    }

    /// The ways to try.
    fn chosen(&self) -> Result<Vec<Way>, KeyError> {
        let ways = self.ways()?;
        match self.only {
            Some(only) if !ways.contains(&only) => Err(KeyError::NoSuchWay(only)),
            Some(only) => Ok(vec![only]),
            None => Ok(ways),
        }
    }

    fn open_with(
        &self,
        ways: &[Way],
        passphrase: Option<&Passphrase>,
        limits: &Limits,
    ) -> Result<Opened, KeyError> {
        let (mut errors, mut locked) = (vec![], false);
        for &way in ways {
            if way == Way::Passphrase && passphrase.is_none() {
                locked = true;
                continue;
            }
            match self.open_by(way, passphrase, limits) {
                Ok(key) => return Ok(Opened { key, way, passed_over: errors }),
                Err(error) => errors.push(error),
            }
        }
        match errors.pop() {
            last if locked => {
                errors.extend(last);
                Err(KeyError::Locked { others: errors })
            }
            Some(error) if errors.is_empty() => Err(error),
            Some(error) => {
                errors.push(error);
                Err(KeyError::NoneOpens(errors))
            }
            None => Err(KeyError::WrappedMissing(self.folder())),
        }
    }

    /// The data key by one way, if it is the database's.
    fn open_by(
        &self,
        way: Way,
        passphrase: Option<&Passphrase>,
        limits: &Limits,
    ) -> Result<DataKey, KeyError> {
        let path = self.wrapped(way);
        let bytes = files::read(&path, limits.key_file_bytes_max)?;
        let key = match way {
            Way::KeyFile => {
                let identity = identity::read_key_file(&self.key_file, limits)?;
                let wrong = || KeyError::WrongKeyFile(self.key_file.clone());
                wrapped::open_x25519(&bytes, &identity, &path, wrong)
            }
            Way::Passphrase => {
                let passphrase = passphrase.ok_or_else(|| KeyError::Locked { others: vec![] })?;
                wrapped::open_scrypt(&bytes, passphrase, &path, limits, || {
                    KeyError::WrongPassphrase(path.clone())
                })
            }
            Way::Credential => {
                let file = self.credential.as_ref().ok_or(KeyError::CredentialMissing)?;
                let wrong = || KeyError::WrongCredential(file.clone());
                match Credential::read(file, limits)? {
                    Credential::Identity(own) => wrapped::open_x25519(&bytes, &own, &path, wrong),
                    Credential::Secret(secret) => {
                        wrapped::open_scrypt(&bytes, &secret, &path, limits, wrong)
                    }
                }
            }
        }?;
        if self.is_of_another(&key)? { Err(KeyError::OtherHouse(path)) } else { Ok(key) }
    }

    /// Whether the database says that the key is not its key.
    fn is_of_another(&self, key: &DataKey) -> Result<bool, KeyError> {
        let path = self.data.join(DATABASE_FILE);
        match File::open(&path) {
            Ok(mut file) => Ok(sealed_file::refuses(&mut file, key)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(cause) => Err(io_error(&path, "read", cause)),
        }
    }

    /// Makes the data key and its first way.
    fn create(&self, passphrase: Option<&Passphrase>, limits: &Limits) -> Result<(), KeyError> {
        if has_bytes(&self.data.join(DATABASE_FILE))? {
            return Err(KeyError::WrappedMissing(self.folder()));
        }
        let key = DataKey::random()
            .map_err(|cause| io_error(&self.folder(), "filled with randomness", cause))?;
        let credential;
        let new = match (self.only, passphrase, &self.credential) {
            (Some(Way::Passphrase), Some(passphrase), _) => NewWay::Passphrase(passphrase),
            (Some(Way::Passphrase), None, _) => return Err(KeyError::Locked { others: vec![] }),
            (None, _, Some(file)) if !there(&self.key_file)? => {
                credential = Credential::read(file, limits)?;
                NewWay::Credential(&credential)
            }
            _ => NewWay::KeyFile,
        };
        files::run(self.adding(new, &key, limits)?)
    }
}

/// An empty file is one that was locked before anything was made.
fn has_bytes(path: &Path) -> Result<bool, KeyError> {
    match std::fs::metadata(path) {
        Ok(meta) => Ok(meta.len() > 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(io_error(path, "looked for", cause)),
    }
}
