//! Fixed public bytes that stand as base64url inside JSON: hashes, fingerprints, key ids.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::bytes;

macro_rules! fixed {
    ($($(#[$doc:meta])+ $name:ident = $length:literal;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $length]);

        impl $name {
            /// Of these bytes.
            pub const fn from_bytes(bytes: [u8; $length]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; $length] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&bytes::b64u(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                bytes::array::deserialize(from).map(Self)
            }
        }
    )+};
}

fixed! {
    /// SHA-256 of a card's or an epoch header's JSON bytes.
    Hash = 32;
    /// Who somebody is: SHA-256 over user, Ed25519 key and age key (sealing.md §1).
    Fingerprint = 32;
    /// The name of an epoch's key, derived from its secret (sealing.md §3).
    Kid = 16;
}

impl Hash {
    /// What epoch 1 has for a predecessor.
    pub const ZERO: Hash = Hash([0; 32]);

    /// SHA-256 of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(super::kdf::sha256(bytes))
    }
}
