//! What opens without a person: the key file, and what systemd hands the service.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use age::secrecy::ExposeSecret;
use age::x25519::Identity;
use hearth_protocol::limits::Limits;
use zeroize::Zeroizing;

use super::files::{io_error, read};
use super::{KeyError, Passphrase};

/// Reads a key file: an age identity that only its owner can read.
pub(super) fn read_key_file(path: &Path, limits: &Limits) -> Result<Identity, KeyError> {
    let meta = match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(KeyError::KeyFileMissing(path.to_path_buf()));
        }
        meta => meta.map_err(|cause| io_error(path, "read", cause))?,
    };
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(KeyError::Permissions(path.to_path_buf()));
    }
    let bytes = read(path, limits.key_file_bytes_max)?;
    let found = identity_in(&bytes).flatten();
    found.ok_or_else(|| KeyError::NotAKeyFile(path.to_path_buf()))
}

/// The identity in a text: `None` if there is none, `Some(None)` if it is not a valid one.
fn identity_in(bytes: &[u8]) -> Option<Option<Identity>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let line = text.lines().map(str::trim).find(|line| line.starts_with("AGE-SECRET-KEY-1"))?;
    Some(line.parse().ok())
}

/// The text of a new key file.
pub(super) fn new_key_file() -> Zeroizing<Vec<u8>> {
    let identity = Identity::generate();
    let secret = identity.to_string();
    let text = format!(
        "# Opens the data of a Hearth. Keep a copy in a safe place, away from the box.\n\
         # public key: {}\n{}\n",
        identity.to_public(),
        secret.expose_secret(),
    );
    Zeroizing::new(text.into_bytes())
}

/// What systemd hands the service as `$CREDENTIALS_DIRECTORY/hearth.key`.
pub enum Credential {
    /// An age identity, as `age-keygen` and Hearth's key files have it.
    Identity(Identity),
    /// Any other line of text.
    Secret(Passphrase),
}

impl Credential {
    /// Reads one. systemd sees to who may read it.
    pub fn read(path: &Path, limits: &Limits) -> Result<Self, KeyError> {
        Self::parse(&read(path, limits.key_file_bytes_max)?, path, limits)
    }

    /// One from its bytes; `path` says where they are from.
    pub fn parse(bytes: &[u8], path: &Path, limits: &Limits) -> Result<Self, KeyError> {
        let not_one = || KeyError::NotASecret(path.to_path_buf(), limits.passphrase_chars_min);
        match identity_in(bytes) {
            Some(identity) => identity.map(Self::Identity).ok_or_else(not_one),
            None => {
                let text = std::str::from_utf8(bytes).map_err(|_binary| not_one())?;
                let secret = Passphrase::new(Zeroizing::new(text.trim().to_string()));
                secret.check_new(limits).map_err(|_length| not_one())?;
                Ok(Self::Secret(secret))
            }
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}
