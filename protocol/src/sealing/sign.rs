//! Ed25519, strict: RFC 8032 canonical S, canonical and strong keys only.

use ed25519_dalek::Signer;
use zeroize::Zeroizing;

use super::{SealingError, kdf::Secret};
use crate::bytes;

/// The 64 bytes of a signature.
pub type Signature = [u8; 64];

/// A key to verify with: canonical and not of small order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(ed25519_dalek::VerifyingKey);

impl PublicKey {
    /// The key of these 32 bytes.
    pub fn from_bytes(key: &[u8; 32]) -> Result<Self, SealingError> {
        let refuse = |problem| SealingError::Key { what: "an Ed25519 key", problem };
        if !is_canonical(key) {
            return Err(refuse("its encoding is not canonical"));
        }
        let key = ed25519_dalek::VerifyingKey::from_bytes(key)
            .map_err(|_| refuse("it is no point of the curve"))?;
        if key.is_weak() { Err(refuse("it is of small order")) } else { Ok(Self(key)) }
    }

    /// Its 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Verifies strictly.
    pub fn verify(
        &self,
        what: &'static str,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SealingError> {
        self.0
            .verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature))
            .map_err(|_| SealingError::Signature { what })
    }
}

/// RFC 8032 §5.1.3: y below 2^255 − 19 (and −0 is no x).
fn is_canonical(key: &[u8; 32]) -> bool {
    let high = key[31] & 0x7f == 0x7f && key[1..31].iter().all(|byte| *byte == 0xff);
    let minus_zero = key[31] & 0x80 != 0 && {
        let mut y = *key;
        y[31] &= 0x7f;
        let one = y[0] == 1 && y[1..].iter().all(|byte| *byte == 0);
        let minus_one = y[0] == 0xec && high;
        one || minus_one
    };
    let beyond = high && key[0] >= 0xed;
    !(beyond || minus_zero)
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({})", bytes::b64u(self.as_bytes()))
    }
}

impl serde::Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        bytes::serialize(self.as_bytes(), out)
    }
}

impl<'de> serde::Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let key: [u8; 32] = bytes::array::deserialize(from)?;
        PublicKey::from_bytes(&key).map_err(serde::de::Error::custom)
    }
}

/// A key to sign with; wiped when dropped.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key of an RFC 8032 seed.
    pub fn from_seed(seed: &Secret) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(&Zeroizing::new(*seed.as_bytes())))
    }

    /// The key that verifies.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The signature over a message.
    pub fn sign(&self, message: &[u8]) -> Signature {
        self.0.sign(message).to_bytes()
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(seed: [u8; 32]) -> SigningKey {
        SigningKey::from_seed(&Secret::from_bytes(seed))
    }

    #[test]
    fn the_rfcs_first_vector() {
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let key = key(hex::decode(seed).unwrap().try_into().unwrap());
        assert_eq!(
            hex::encode(key.public().as_bytes()),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
        assert!(hex::encode(key.sign(b"")).starts_with("e5564300c360ac729086e2cc806e828a"));
    }

    #[test]
    fn weak_and_non_canonical_keys_are_refused() {
        let mut one = [0; 32];
        one[0] = 1;
        let mut minus_zero = one;
        minus_zero[31] = 0x80;
        let mut beyond = [0xff; 32];
        (beyond[0], beyond[31]) = (0xee, 0x7f);
        for bytes in [[0; 32], one, minus_zero, beyond, [0xff; 32]] {
            assert!(PublicKey::from_bytes(&bytes).is_err(), "{}", hex::encode(bytes));
        }
    }

    proptest! {
        #[test]
        fn only_the_very_signature_verifies(seed: [u8; 32], message: Vec<u8>, bit in 0usize..512) {
            let key = key(seed);
            let mut signature = key.sign(&message);
            prop_assert_eq!(key.public().verify("it", &message, &signature), Ok(()));
            signature[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(key.public().verify("it", &message, &signature).is_err());
        }

        #[test]
        fn any_32_bytes_are_an_answer(bytes: [u8; 32]) {
            if let Ok(key) = PublicKey::from_bytes(&bytes) {
                prop_assert_eq!(key.as_bytes(), &bytes);
            }
        }
    }
}
