//! Runs one operation of the vectors (tests/vectors/README.md) on its JSON input.

#[path = "ops_basic.rs"]
mod basic;
#[path = "ops_order.rs"]
mod order;
#[path = "ops_pairing.rs"]
mod pairing;
#[path = "ops_people.rs"]
mod people;
#[path = "ops_rooms.rs"]
mod rooms;

use std::str::FromStr;

use hearth_protocol::sealing::card::Card;
use hearth_protocol::sealing::{PublicKey, Recipient, SealingError, Secret};
use serde_json::Value;

/// Why an operation gave nothing.
#[derive(Debug)]
#[allow(dead_code, reason = "the reason is for the one who reads a failure")]
pub enum Refused {
    /// No such operation.
    Unknown,
    /// The implementation said no.
    By(String),
}

impl From<SealingError> for Refused {
    fn from(error: SealingError) -> Self {
        Refused::By(error.to_string())
    }
}

/// What an operation gives.
pub type Answer = Result<Value, Refused>;

/// Runs an operation.
pub fn run(op: &str, input: &Value) -> Answer {
    let input = Input(input);
    basic::run(op, &input)
        .or_else(|| people::run(op, &input))
        .or_else(|| rooms::run(op, &input))
        .or_else(|| pairing::run(op, &input))
        .or_else(|| order::run(op, &input))
        .unwrap_or(Err(Refused::Unknown))
}

/// The input of a case; what is missing or of another type is the vector's fault and fails loudly.
pub struct Input<'a>(&'a Value);

impl Input<'_> {
    fn value(&self, key: &str) -> &Value {
        self.0.get(key).unwrap_or_else(|| panic!("the vector has no {key}: {}", self.0))
    }

    /// A text.
    pub fn text(&self, key: &str) -> &str {
        self.value(key).as_str().unwrap_or_else(|| panic!("{key} is no text"))
    }

    /// Bytes.
    pub fn bytes(&self, key: &str) -> Vec<u8> {
        hex::decode(self.text(key)).unwrap_or_else(|_| panic!("{key} is no hex"))
    }

    /// Whether it is not null.
    pub fn has(&self, key: &str) -> bool {
        !self.value(key).is_null()
    }

    /// Yes or no.
    pub fn flag(&self, key: &str) -> bool {
        self.value(key).as_bool().unwrap_or_else(|| panic!("{key} is neither yes nor no"))
    }

    /// N bytes; another number of them is refused.
    pub fn array<const N: usize>(&self, key: &str) -> Result<[u8; N], Refused> {
        let refused = |_| Refused::By(format!("{key} has not {N} bytes"));
        self.bytes(key).try_into().map_err(refused)
    }

    /// A secret.
    pub fn secret(&self, key: &str) -> Result<Secret, Refused> {
        self.array(key).map(Secret::from_bytes)
    }

    /// A number; one that does not fit is refused.
    pub fn number<T: TryFrom<u64>>(&self, key: &str) -> Result<T, Refused> {
        assert!(self.value(key).is_number(), "{key} is no number");
        let number = self.value(key).as_u64();
        let number = number.ok_or_else(|| Refused::By(format!("{key} is below zero")))?;
        T::try_from(number).map_err(|_| Refused::By(format!("{key} is too large")))
    }

    /// An id, code or key that is spelled as text; a misspelled one is refused.
    pub fn parsed<T: FromStr>(&self, key: &str) -> Result<T, Refused>
    where
        T::Err: std::fmt::Display,
    {
        if !self.has(key) {
            return Err(Refused::By(format!("there is no {key}")));
        }
        self.text(key).parse().map_err(|error: T::Err| Refused::By(error.to_string()))
    }

    /// A list.
    pub fn list(&self, key: &str) -> &[Value] {
        self.value(key).as_array().unwrap_or_else(|| panic!("{key} is no list"))
    }

    /// An Ed25519 key.
    pub fn public(&self, key: &str) -> Result<PublicKey, Refused> {
        Ok(PublicKey::from_bytes(&self.array(key)?)?)
    }

    /// A card.
    pub fn card(&self, key: &str) -> Result<Card, Refused> {
        Ok(Card::parse_and_verify(&self.bytes(key))?)
    }

    /// Raw bytes of an age public key.
    pub fn age_public(&self, key: &str) -> Result<Recipient, Refused> {
        Ok(Recipient::from_bytes(self.array(key)?)?)
    }

    /// Part of the input.
    pub fn part(&self, key: &str) -> Input<'_> {
        Input(self.value(key))
    }
}
