//! A person's card: which keys are whose, signed by themselves (sealing.md §1).
//!
//! Bytes: lp(JSON) ‖ sig64, and ‖ sig64 of the previous key where that still exists; both over
//! ctx("hearth/v1/card", JSON bytes). A `Card` exists only if its own signature verifies.

use serde::{Deserialize, Serialize};

use super::hash::{Fingerprint, Hash};
use super::identity::{self, Identity};
use super::{PublicKey, Recipient, SealingError, Signature, SigningKey, exact, kdf};
use crate::ids::UserId;

const WHAT: &str = "a card";
/// Bytes of a card: its JSON is about 250.
const BYTES_MAX: usize = 4 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Fields {
    user: UserId,
    age: Recipient,
    ed25519: PublicKey,
    created: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    prev_card_hash: Option<Hash>,
}

/// A card whose own signature verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    fields: Fields,
    json: Vec<u8>,
    signature: Signature,
    by_previous: Option<Signature>,
}

fn signed(json: &[u8]) -> Vec<u8> {
    kdf::ctx("hearth/v1/card", &[json])
}

impl Card {
    /// Makes a person's first card. `created` in ms since 1970.
    pub fn first(identity: &Identity, user: UserId, created: u64) -> Result<Card, SealingError> {
        Self::make(identity, user, created, None, None)
    }

    /// Makes the card after `previous`, signed by the previous key too where it still exists.
    pub fn next(
        identity: &Identity,
        created: u64,
        previous: &Card,
        previous_key: Option<&SigningKey>,
    ) -> Result<Card, SealingError> {
        Self::make(identity, previous.user(), created, Some(previous.hash()), previous_key)
    }

    fn make(
        identity: &Identity,
        user: UserId,
        created: u64,
        prev_card_hash: Option<Hash>,
        previous_key: Option<&SigningKey>,
    ) -> Result<Card, SealingError> {
        let (age, ed25519) = (identity.age.recipient(), identity.sign.public());
        let fields = Fields { user, age, ed25519, created, prev_card_hash };
        let json = kdf::to_json(WHAT, &fields)?;
        let signature = identity.sign.sign(&signed(&json));
        let by_previous = previous_key.map(|key| key.sign(&signed(&json)));
        Ok(Card { fields, json, signature, by_previous })
    }

    /// Reads a card and verifies its own signature.
    pub fn parse_and_verify(bytes: &[u8]) -> Result<Card, SealingError> {
        if bytes.len() > BYTES_MAX {
            let (bytes, max) = (bytes.len(), BYTES_MAX);
            return Err(SealingError::TooLarge { what: WHAT, bytes, max });
        }
        let mut reader = kdf::Reader::new(WHAT, bytes);
        let json = reader.part()?.to_vec();
        let signature = reader.take()?;
        let by_previous = match reader.rest() {
            [] => None,
            rest => {
                let mut reader = kdf::Reader::new(WHAT, rest);
                let signature = reader.take()?;
                reader.end()?;
                Some(signature)
            }
        };
        let fields: Fields = exact::read(WHAT, &json)?;
        fields.ed25519.verify(WHAT, &signed(&json), &signature)?;
        Ok(Card { fields, json, signature, by_previous })
    }

    /// The bytes as they travel.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.json.len() + 132);
        kdf::lp(&mut out, &self.json);
        out.extend_from_slice(&self.signature);
        out.extend(self.by_previous.iter().flatten());
        out
    }

    /// Whether this card may follow that one, and whether the previous key says so too.
    pub fn follows(&self, previous: &Card) -> Result<bool, SealingError> {
        if self.user() != previous.user() {
            return Err(SealingError::Card("it is another person's than the previous one"));
        }
        if self.fields.prev_card_hash != Some(previous.hash()) {
            return Err(SealingError::Card("it names another previous card"));
        }
        let Some(signature) = &self.by_previous else { return Ok(false) };
        let what = "the card by the previous key";
        previous.sign_key().verify(what, &signed(&self.json), signature)?;
        Ok(true)
    }

    /// Whether it says nothing but what this program knows of.
    pub fn is_whole(&self) -> bool {
        exact::is_whole(&self.fields, &self.json)
    }

    /// Whose it says to be.
    pub const fn user(&self) -> UserId {
        self.fields.user
    }

    /// Where to seal to.
    pub const fn recipient(&self) -> Recipient {
        self.fields.age
    }

    /// What verifies.
    pub const fn sign_key(&self) -> &PublicKey {
        &self.fields.ed25519
    }

    /// When it was made, by its owner's clock, in ms since 1970.
    pub const fn created(&self) -> u64 {
        self.fields.created
    }

    /// The card it follows.
    pub const fn previous_hash(&self) -> Option<Hash> {
        self.fields.prev_card_hash
    }

    /// SHA-256 of its JSON bytes.
    pub fn hash(&self) -> Hash {
        Hash::of(&self.json)
    }

    /// The fingerprint of its keys.
    pub fn fingerprint(&self) -> Fingerprint {
        identity::fingerprint(self.user(), self.sign_key(), &self.recipient())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Secret;
    use super::*;
    use proptest::prelude::*;

    fn identity(byte: u8) -> Identity {
        Identity::from_root(Secret::from_bytes([byte; 32])).unwrap()
    }

    fn user() -> UserId {
        UserId::new(1, [1; 10])
    }

    #[test]
    fn a_card_reads_back_and_carries_the_fingerprint() {
        let card = Card::first(&identity(1), user(), 7).unwrap();
        assert_eq!(Card::parse_and_verify(&card.encode()), Ok(card.clone()));
        assert_eq!(card.fingerprint(), identity(1).fingerprint(user()));
    }

    #[test]
    fn a_following_card_says_whether_the_old_key_agrees() {
        let first = Card::first(&identity(1), user(), 7).unwrap();
        let agreed = Card::next(&identity(2), 8, &first, Some(&identity(1).sign)).unwrap();
        let alone = Card::next(&identity(2), 8, &first, None).unwrap();
        let forged = Card::next(&identity(2), 8, &first, Some(&identity(3).sign)).unwrap();
        let read = |card: &Card| Card::parse_and_verify(&card.encode()).unwrap();
        assert_eq!(read(&agreed).follows(&first), Ok(true));
        assert_eq!(read(&alone).follows(&first), Ok(false));
        assert!(matches!(forged.follows(&first), Err(SealingError::Signature { .. })));
        assert!(matches!(first.follows(&agreed), Err(SealingError::Card(_))));
        let stranger = Card::first(&identity(1), UserId::new(2, [2; 10]), 7).unwrap();
        assert!(matches!(agreed.follows(&stranger), Err(SealingError::Card(_))));
    }

    proptest! {
        #[test]
        fn a_changed_bit_or_a_cut_is_refused(bit: prop::sample::Index, cut: prop::sample::Index) {
            let bytes = Card::first(&identity(1), user(), 7).unwrap().encode();
            let mut changed = bytes.clone();
            let at = bit.index(bytes.len() * 8);
            changed[at / 8] ^= 1 << (at % 8);
            prop_assert!(Card::parse_and_verify(&changed).is_err());
            prop_assert!(Card::parse_and_verify(&bytes[..cut.index(bytes.len())]).is_err());
            prop_assert!(Card::parse_and_verify(&[&bytes[..], &[0]].concat()).is_err());
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            prop_assert!(Card::parse_and_verify(&bytes).is_err());
        }
    }
}
