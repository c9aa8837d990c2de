//! The formats `hearth/v1` (sealing.md), as pure functions: no I/O, no clock; random bytes come in
//! as arguments (only the `age` crate draws its own).
//!
//! Read in this order:
//!
//! - [`kdf`]: `lp`, `ctx`, HKDF, XChaCha, and composites read to their last byte; [`exact`]: JSON
//!   that says the same to every reader
//! - [`hash`]: fingerprints, hashes and key ids, base64url inside JSON
//! - [`sign`]: strict Ed25519
//! - [`agefile`]: age recipients, identities and files
//! - [`identity`]: root, its keys, fingerprints, safety numbers; [`card`]: who somebody says to be
//! - [`password`]: Argon2id; [`vault`]: what a person keeps on the box; the recovery file
//! - [`epoch`]: a room's secret and its header; [`bundle`]: an epoch as it travels;
//!   [`chain`]: which bundle may follow which
//! - [`event`] and [`padding`]: what a person writes; [`order`]: in which order, and what of it is
//!   missing
//! - [`door`]: what a device posts
//! - [`invite`]: a link, its blob, and proofs of joining
//! - [`attachment`]: files of sealed rooms
//! - [`pairing`]: a new device gets root from one that is signed in
//!
//! The box holds no keys: it uses [`card::Card::parse_and_verify`], [`bundle::Bundle::parse`] with
//! [`bundle::Bundle::verify_signature`], and [`event::WireHeader::parse`].
//!
//! Where sealing.md leaves a choice, it is written down in `tests/vectors/README.md`.

pub mod agefile;
pub mod attachment;
pub mod bundle;
pub mod card;
pub mod chain;
pub mod door;
pub mod epoch;
pub mod event;
pub mod exact;
pub mod hash;
pub mod identity;
pub mod invite;
pub mod kdf;
pub mod order;
pub mod padding;
pub mod pairing;
pub mod password;
pub mod sign;
pub mod vault;

pub use agefile::{AgeIdentity, Recipient};
pub use attachment::AttachmentSeal;
pub use hash::{Fingerprint, Hash, Kid};
pub use kdf::{Random, Secret};
pub use sign::{PublicKey, Signature, SigningKey};

/// Why something sealed was not taken or could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealingError {
    /// It ends before its end.
    #[error("{what} ends too early")]
    Truncated {
        /// What was being read.
        what: &'static str,
    },
    /// Bytes after its end.
    #[error("{what} has bytes after its end")]
    Leftover {
        /// What was being read.
        what: &'static str,
    },
    /// Too many bytes.
    #[error("{what} has {bytes} bytes, at most {max} are taken")]
    TooLarge {
        /// What it is.
        what: &'static str,
        /// Bytes given.
        bytes: usize,
        /// Bytes taken.
        max: usize,
    },
    /// Not the format this program knows.
    #[error("{what} begins with {byte:#04x}, a format this version does not know")]
    Version {
        /// What was being read.
        what: &'static str,
        /// Its first byte.
        byte: u8,
    },
    /// JSON that does not say what it should.
    #[error("{what} is not the JSON it should be: {problem}")]
    Json {
        /// What was being read.
        what: &'static str,
        /// What serde says.
        problem: String,
    },
    /// A public key, recipient or identity that is none, or a weak one.
    #[error("{what} is not a usable key: {problem}")]
    Key {
        /// Which key.
        what: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
    /// A signature that does not verify.
    #[error("the signature of {what} does not verify")]
    Signature {
        /// What was signed.
        what: &'static str,
    },
    /// A ciphertext that does not open: another key, or altered.
    #[error("{what} does not open: it was sealed with another key or altered")]
    Closed {
        /// What was being opened.
        what: &'static str,
    },
    /// A message the cipher cannot take (beyond its size).
    #[error("{what} could not be sealed")]
    Unsealable {
        /// What was being sealed.
        what: &'static str,
    },
    /// An age file that is none or not for this identity.
    #[error("{what} is no age file for this key: {problem}")]
    Age {
        /// What was being opened.
        what: &'static str,
        /// What the age library says.
        problem: String,
    },
    /// An age file sealed to a passphrase, where only keys are taken.
    #[error("{what} is sealed to a passphrase: only files for a key are taken")]
    Passphrase {
        /// What was being opened.
        what: &'static str,
    },
    /// The header of an event contradicts itself.
    #[error("the event is malformed: {0}")]
    Event(&'static str),
    /// The header of an epoch contradicts itself.
    #[error("the epoch is malformed: {0}")]
    Epoch(&'static str),
    /// A password hash that asks for absurdly little or much work.
    #[error("the cost {memory_kib} KiB, {passes} passes, {lanes} lanes is refused")]
    Cost {
        /// Memory asked for, KiB.
        memory_kib: u32,
        /// Passes asked for.
        passes: u32,
        /// Lanes asked for.
        lanes: u32,
    },
    /// A bundle that may not follow the one before.
    #[error("the bundle may not follow: {0}")]
    Chain(&'static str),
    /// A link that is no invite.
    #[error("the invite link is malformed: {0}")]
    Link(&'static str),
    /// The signer's card is another person's, or not the key that the epoch lists.
    #[error("the card does not fit: {0}")]
    Card(&'static str),
}
