//! Building blocks: `lp`, `ctx`, HKDF, XChaCha20-Poly1305, and composites read to their last byte.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::SealingError;

/// A source of random bytes: fills the whole slice.
pub type Random<'a> = dyn FnMut(&mut [u8]) + 'a;

/// 32 secret bytes: wiped when dropped, never shown, compared in constant time.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl Secret {
    /// The secret of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A fresh one.
    pub fn random(random: &mut Random<'_>) -> Self {
        let mut bytes = [0; 32];
        random(&mut bytes);
        Self(bytes)
    }

    /// The secret in a slice of exactly 32 bytes.
    pub fn from_slice(what: &'static str, bytes: &[u8]) -> Result<Self, SealingError> {
        let problem = SealingError::Key { what, problem: "not 32 bytes" };
        bytes.try_into().map(Self).map_err(|_| problem)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Appends u32 big-endian length ‖ bytes.
///
/// What is sealed or signed here is bounded far below 4 GiB; a longer input could not be told
/// apart by its length and is cut off from the format by a length of `u32::MAX`.
pub fn lp(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

/// lp(tag) ‖ lp(part) ‖ …
pub fn ctx(tag: &str, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| 4 + part.len()).sum::<usize>() + 4 + tag.len();
    let mut out = Vec::with_capacity(length);
    lp(&mut out, tag.as_bytes());
    for part in parts {
        lp(&mut out, part);
    }
    out
}

/// HKDF-SHA-256 (RFC 5869) to 32 bytes.
pub fn hkdf(ikm: &[u8], salt: &[u8], info: &[u8]) -> Secret {
    let mut out = [0; 32];
    // RFC 5869 §2.3: expand refuses more than 255 × 32 bytes; this is 32.
    #[expect(clippy::expect_used, reason = "32 bytes are within 255 × 32")]
    Hkdf::<Sha256>::new(Some(salt), ikm).expand(info, &mut out).expect("32 bytes");
    Secret(out)
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Bytes of an XChaCha20-Poly1305 nonce.
pub const NONCE: usize = 24;
/// Bytes of a Poly1305 tag.
pub const TAG: usize = 16;

/// nonce24 ‖ XChaCha20-Poly1305 ciphertext ‖ tag16.
pub fn seal(
    what: &'static str,
    key: &Secret,
    message: &[u8],
    aad: &[u8],
    random: &mut Random<'_>,
) -> Result<Vec<u8>, SealingError> {
    let mut nonce = [0; NONCE];
    random(&mut nonce);
    let sealed = XChaCha20Poly1305::new(key.as_bytes().into())
        .encrypt(&XNonce::from(nonce), Payload { msg: message, aad })
        .map_err(|_| SealingError::Unsealable { what })?;
    Ok([&nonce[..], &sealed].concat())
}

/// Opens what [`seal`] made.
pub fn open(
    what: &'static str,
    key: &Secret,
    sealed: &[u8],
    aad: &[u8],
) -> Result<Vec<u8>, SealingError> {
    let (nonce, sealed) =
        sealed.split_first_chunk::<NONCE>().ok_or(SealingError::Truncated { what })?;
    XChaCha20Poly1305::new(key.as_bytes().into())
        .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad })
        .map_err(|_| SealingError::Closed { what })
}

/// Reads a composite part by part.
pub(super) struct Reader<'a> {
    what: &'static str,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { what, rest: bytes }
    }

    /// The next N bytes.
    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], SealingError> {
        let (taken, rest) =
            self.rest.split_first_chunk().ok_or(SealingError::Truncated { what: self.what })?;
        self.rest = rest;
        Ok(*taken)
    }

    /// The bytes of the next lp(…).
    pub(super) fn part(&mut self) -> Result<&'a [u8], SealingError> {
        let truncated = SealingError::Truncated { what: self.what };
        let Ok(length) = usize::try_from(u32::from_be_bytes(self.take()?)) else {
            return Err(truncated);
        };
        let (part, rest) = self.rest.split_at_checked(length).ok_or(truncated)?;
        self.rest = rest;
        Ok(part)
    }

    /// What is left, to its end.
    pub(super) fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// Nothing may be left.
    pub(super) fn end(self) -> Result<(), SealingError> {
        if self.rest.is_empty() { Ok(()) } else { Err(SealingError::Leftover { what: self.what }) }
    }
}

/// The value in JSON bytes.
pub(super) fn from_json<T: serde::de::DeserializeOwned>(
    what: &'static str,
    bytes: &[u8],
) -> Result<T, SealingError> {
    serde_json::from_slice(bytes)
        .map_err(|error| SealingError::Json { what, problem: error.to_string() })
}

/// A value as JSON bytes.
pub(super) fn to_json<T: serde::Serialize>(
    what: &'static str,
    value: &T,
) -> Result<Vec<u8>, SealingError> {
    serde_json::to_vec(value)
        .map_err(|error| SealingError::Json { what, problem: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 5869 A.1 cut to 32 bytes (the first block and a part are the same whatever the length).
    #[test]
    fn hkdf_is_the_rfcs() {
        let ikm = [0x0b; 22];
        let salt: Vec<u8> = (0..=0x0c).collect();
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        assert_eq!(
            hex::encode(hkdf(&ikm, &salt, &info).as_bytes()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
        );
    }

    #[test]
    fn contexts_that_differ_in_their_cuts_differ() {
        assert_eq!(hex::encode(ctx("a", &[b"bc", b""])), "000000016100000002626300000000");
        assert_ne!(ctx("a", &[b"b", b"c"]), ctx("a", &[b"bc"]));
        assert_ne!(ctx("ab", &[b"c"]), ctx("a", &[b"bc"]));
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_and_a_changed_bit_does_not(
            key: [u8; 32],
            message: Vec<u8>,
            aad: Vec<u8>,
            nonce: [u8; 24],
            bit: prop::sample::Index,
        ) {
            let key = Secret::from_bytes(key);
            let mut sealed =
                seal("it", &key, &message, &aad, &mut |out| out.copy_from_slice(&nonce)).unwrap();
            prop_assert_eq!(open("it", &key, &sealed, &aad).unwrap(), message);
            let at = bit.index(sealed.len() * 8);
            sealed[at / 8] ^= 1 << (at % 8);
            let closed = Err(SealingError::Closed { what: "it" });
            prop_assert_eq!(open("it", &key, &sealed, &aad), closed);
        }

        #[test]
        fn parts_read_back_to_the_last_byte(parts: Vec<Vec<u8>>) {
            let mut bytes = vec![];
            for part in &parts {
                lp(&mut bytes, part);
            }
            let mut reader = Reader::new("it", &bytes);
            for part in &parts {
                prop_assert_eq!(reader.part().unwrap(), &part[..]);
            }
            prop_assert_eq!(reader.end(), Ok(()));
        }
    }
}
