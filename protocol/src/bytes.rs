//! Bytes inside JSON and links: base64url without padding; base64 for what other programs read.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serializer};

/// Bytes as base64url without padding.
pub fn b64u(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a base64url text without padding; `None` if it is none.
pub fn from_b64u(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Bytes as base64 with padding, as `base64 -d` reads it.
pub fn b64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// For `#[serde(with = "hearth_protocol::bytes")]` on a `Vec<u8>`.
pub fn serialize<S: Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&b64u(bytes))
}

/// For `#[serde(with = "hearth_protocol::bytes")]` on a `Vec<u8>`.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
    from_b64u(&text).ok_or_else(|| serde::de::Error::custom("not base64url without padding"))
}

/// For `#[serde(with = "hearth_protocol::bytes::array")]` on a `[u8; N]`.
pub mod array {
    use super::{Deserializer, Serializer};

    /// Writes the array as base64url.
    pub fn serialize<S: Serializer, const N: usize>(
        bytes: &[u8; N],
        out: S,
    ) -> Result<S::Ok, S::Error> {
        super::serialize(bytes, out)
    }

    /// Reads exactly N bytes.
    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        from: D,
    ) -> Result<[u8; N], D::Error> {
        super::deserialize(from)?
            .try_into()
            .map_err(|_| serde::de::Error::custom(format!("not {N} bytes")))
    }
}

/// For `#[serde(default, with = "hearth_protocol::bytes::option")]` on an `Option<Vec<u8>>`:
/// absent and null are both `None`.
pub mod option {
    use super::{Deserializer, Serializer};

    /// Writes base64url or null.
    pub fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, out: S) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => super::serialize(bytes, out),
            None => out.serialize_none(),
        }
    }

    /// Reads base64url or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
        let text = <Option<std::borrow::Cow<'de, str>> as serde::Deserialize>::deserialize(from)?;
        let wrong = || serde::de::Error::custom("not base64url without padding");
        text.map(|text| super::from_b64u(&text).ok_or_else(wrong)).transpose()
    }
}
