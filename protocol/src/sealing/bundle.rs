//! An epoch as it travels: header ‖ age file ‖ signature, and the `key` topic's shorter form
//! (sealing.md §3).
//!
//! lp(header JSON) ‖ lp(age file) ‖ sig64, the signature by the header's `by` over
//! ctx("hearth/v1/epoch", header bytes, SHA-256(age file)); on `key` SHA-256(age file) stands in
//! the age file's place.

use serde::{Deserialize, Serialize};

use super::epoch::{EpochKeys, Header};
use super::hash::Hash;
use super::{
    AgeIdentity, PublicKey, Recipient, SealingError, Secret, Signature, SigningKey, agefile, exact,
    kdf,
};
use crate::bytes;

const WHAT: &str = "a bundle";
const KEY: &str = "a room's key announcement";
/// Bytes of a bundle, as `Limits::bundle_bytes_max` has by default.
pub const BYTES_MAX: usize = 256 * 1024;
/// Bytes of the JSON in its age file.
const SECRET_JSON_MAX: usize = 1024;

/// An epoch with its sealed secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// What it says; consistent in itself.
    pub header: Header,
    header_json: Vec<u8>,
    age_file: Vec<u8>,
    signature: Signature,
}

#[derive(Serialize, Deserialize)]
struct SecretJson {
    #[serde(rename = "S", with = "bytes")]
    secret: Vec<u8>,
}

fn signed(header_json: &[u8], age_file_hash: &Hash) -> Vec<u8> {
    kdf::ctx("hearth/v1/epoch", &[header_json, age_file_hash.as_bytes()])
}

fn parse_header(what: &'static str, json: &[u8]) -> Result<Header, SealingError> {
    let header: Header = exact::read(what, json)?;
    header.check()?;
    Ok(header)
}

impl Bundle {
    /// Seals an epoch's secret to its members and invites and signs it.
    pub fn make(
        header: Header,
        secret: &Secret,
        recipients: &[Recipient],
        signer: &SigningKey,
    ) -> Result<Bundle, SealingError> {
        header.check()?;
        if EpochKeys::new(header.room, secret.clone()).kid != header.kid {
            return Err(SealingError::Epoch("its key id is not its secret's"));
        }
        let secret = SecretJson { secret: secret.as_bytes().to_vec() };
        let plaintext = zeroize::Zeroizing::new(kdf::to_json(WHAT, &secret)?);
        let age_file = agefile::seal(WHAT, recipients, &plaintext)?;
        let header_json = kdf::to_json(WHAT, &header)?;
        let signature = signer.sign(&signed(&header_json, &Hash::of(&age_file)));
        let bundle = Bundle { header, header_json, age_file, signature };
        within(WHAT, bundle.encode().len())?;
        Ok(bundle)
    }

    /// Reads a bundle; its header is consistent in itself, its signature not yet verified.
    pub fn parse(bytes: &[u8]) -> Result<Bundle, SealingError> {
        within(WHAT, bytes.len())?;
        let mut reader = kdf::Reader::new(WHAT, bytes);
        let header_json = reader.part()?.to_vec();
        let age_file = reader.part()?.to_vec();
        let signature = reader.take()?;
        reader.end()?;
        let header = parse_header(WHAT, &header_json)?;
        Ok(Bundle { header, header_json, age_file, signature })
    }

    /// The bytes as they travel.
    pub fn encode(&self) -> Vec<u8> {
        composite(&self.header_json, &self.age_file, &self.signature)
    }

    /// Whether its header says nothing but what this program knows of.
    pub fn is_whole(&self) -> bool {
        exact::is_whole(&self.header, &self.header_json)
    }

    /// SHA-256 of the header's bytes.
    pub fn header_hash(&self) -> Hash {
        Hash::of(&self.header_json)
    }

    /// The age file that holds the secret.
    pub fn age_file(&self) -> &[u8] {
        &self.age_file
    }

    /// Verifies that the owner of this key made it.
    pub fn verify_signature(&self, key: &PublicKey) -> Result<(), SealingError> {
        let message = signed(&self.header_json, &Hash::of(&self.age_file));
        key.verify(WHAT, &message, &self.signature)
    }

    /// Opens the secret; its kid is the header's.
    pub fn open(&self, identity: &AgeIdentity) -> Result<EpochKeys, SealingError> {
        let json = agefile::open(WHAT, identity, &self.age_file, SECRET_JSON_MAX)?;
        let opened: SecretJson = kdf::from_json(WHAT, &json)?;
        let secret = zeroize::Zeroizing::new(opened.secret);
        self.with_secret(Secret::from_slice("an epoch's secret", &secret)?)
    }

    /// The keys of a secret that is said to be this epoch's; its kid must be the header's.
    pub fn with_secret(&self, secret: Secret) -> Result<EpochKeys, SealingError> {
        let keys = EpochKeys::new(self.header.room, secret);
        if keys.kid == self.header.kid {
            Ok(keys)
        } else {
            Err(SealingError::Epoch("its key id is not its secret's"))
        }
    }

    /// What stands retained on the room's `key` topic.
    pub fn announcement(&self) -> Vec<u8> {
        let file_hash = Hash::of(&self.age_file);
        composite(&self.header_json, file_hash.as_bytes(), &self.signature)
    }
}

fn composite(header_json: &[u8], second: &[u8], signature: &Signature) -> Vec<u8> {
    let mut out = Vec::with_capacity(header_json.len() + second.len() + 72);
    kdf::lp(&mut out, header_json);
    kdf::lp(&mut out, second);
    out.extend_from_slice(signature);
    out
}

fn within(what: &'static str, bytes: usize) -> Result<(), SealingError> {
    let max = BYTES_MAX;
    if bytes > max { Err(SealingError::TooLarge { what, bytes, max }) } else { Ok(()) }
}

/// What stands on a room's `key` topic: all of a bundle but its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// What it says; consistent in itself.
    pub header: Header,
    header_json: Vec<u8>,
    age_file_hash: Hash,
    signature: Signature,
}

impl Announcement {
    /// Reads one; its signature is not yet verified.
    pub fn parse(bytes: &[u8]) -> Result<Announcement, SealingError> {
        within(KEY, bytes.len())?;
        let mut reader = kdf::Reader::new(KEY, bytes);
        let header_json = reader.part()?.to_vec();
        let mut hash = kdf::Reader::new(KEY, reader.part()?);
        let age_file_hash = Hash::from_bytes(hash.take()?);
        hash.end()?;
        let signature = reader.take()?;
        reader.end()?;
        let header = parse_header(KEY, &header_json)?;
        Ok(Announcement { header, header_json, age_file_hash, signature })
    }

    /// SHA-256 of the header's bytes.
    pub fn header_hash(&self) -> Hash {
        Hash::of(&self.header_json)
    }

    /// Verifies that the owner of this key made it.
    pub fn verify_signature(&self, key: &PublicKey) -> Result<(), SealingError> {
        key.verify(KEY, &signed(&self.header_json, &self.age_file_hash), &self.signature)
    }
}
