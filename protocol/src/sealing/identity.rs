//! A person's root secret, the keys it gives, fingerprints and safety numbers (sealing.md §1).

use std::fmt::Write;

pub use super::card::Card;
use super::hash::Fingerprint;
use super::{AgeIdentity, PublicKey, Recipient, SealingError, Secret, SigningKey, kdf};
use crate::ids::UserId;

/// Everything that follows from a root.
#[derive(Debug, Clone)]
pub struct Identity {
    root: Secret,
    /// What opens files sealed to this person.
    pub age: AgeIdentity,
    /// What signs as this person.
    pub sign: SigningKey,
}

impl Identity {
    /// The keys of a root.
    pub fn from_root(root: Secret) -> Result<Self, SealingError> {
        let derive = |info: &str| kdf::hkdf(root.as_bytes(), b"", info.as_bytes());
        let age = AgeIdentity::from_scalar(&derive("hearth/v1/identity-age"))?;
        let sign = SigningKey::from_seed(&derive("hearth/v1/identity-sign"));
        Ok(Self { root, age, sign })
    }

    /// The root itself: it goes into the vault and the recovery file, nowhere else.
    pub const fn root(&self) -> &Secret {
        &self.root
    }

    /// The fingerprint of this identity as that user.
    pub fn fingerprint(&self, user: UserId) -> Fingerprint {
        fingerprint(user, &self.sign.public(), &self.age.recipient())
    }
}

/// SHA-256(ctx("hearth/v1/fingerprint", user, ed25519, age public key)).
pub fn fingerprint(user: UserId, sign: &PublicKey, age: &Recipient) -> Fingerprint {
    let parts: [&[u8]; 3] = [user.as_bytes(), sign.as_bytes(), age.as_bytes()];
    Fingerprint::from_bytes(kdf::sha256(&kdf::ctx("hearth/v1/fingerprint", &parts)))
}

/// The 60 digits two people compare: the same whoever is named first.
pub fn safety_number(a: &Fingerprint, b: &Fingerprint) -> String {
    let mut digits = String::with_capacity(60);
    for fingerprint in [a.min(b), a.max(b)] {
        for group in fingerprint.as_bytes()[..30].chunks_exact(5) {
            let number = group.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
            // Writing to a String cannot fail.
            if write!(digits, "{:05}", number % 100_000).is_err() {
                break;
            }
        }
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_safety_number_has_60_digits_and_no_order() {
        let (a, b) = (Fingerprint::from_bytes([0xff; 32]), Fingerprint::from_bytes([1; 32]));
        let number = safety_number(&a, &b);
        assert_eq!(number, safety_number(&b, &a));
        // 0x0101010101 = 4_311_810_305, 0xffffffffff = 1_099_511_627_775
        assert_eq!(number, format!("{}{}", "10305".repeat(6), "27775".repeat(6)));
    }

    #[test]
    fn one_root_gives_two_independent_keys() {
        let identity = Identity::from_root(Secret::from_bytes([1; 32])).unwrap();
        let again = Identity::from_root(Secret::from_bytes([1; 32])).unwrap();
        let other = Identity::from_root(Secret::from_bytes([2; 32])).unwrap();
        let user = UserId::new(1, [1; 10]);
        assert_eq!(identity.fingerprint(user), again.fingerprint(user));
        assert_ne!(identity.fingerprint(user), other.fingerprint(user));
        assert_ne!(identity.fingerprint(user), identity.fingerprint(UserId::new(2, [1; 10])));
        assert_ne!(identity.sign.public().as_bytes(), identity.age.recipient().as_bytes());
    }
}
