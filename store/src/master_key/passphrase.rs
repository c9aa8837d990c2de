//! A passphrase: what somebody types to open the data.

use std::fmt;

use age::secrecy::SecretString;
use hearth_protocol::limits::Limits;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::KeyError;

/// A passphrase, wiped when dropped and never shown.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// A passphrase as it was typed.
    pub fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// Refuses what is too easily guessed, or no passphrase.
    pub fn check_new(&self, limits: &Limits) -> Result<(), KeyError> {
        let (chars_min, bytes_max) = (limits.passphrase_chars_min, limits.passphrase_bytes_max);
        let chars = self.0.trim().chars().count();
        if chars < chars_min.max(1) || self.0.len() > bytes_max {
            return Err(KeyError::PassphraseLength { chars_min, bytes_max });
        }
        Ok(())
    }

    pub(super) fn secret(&self) -> SecretString {
        SecretString::from(self.0.as_str())
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

impl PartialEq for Passphrase {
    /// Of what one person typed twice: no secret is compared with a guess.
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Serialize for Passphrase {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Passphrase {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}
