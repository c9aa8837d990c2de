//! Pairing: a signed-in device hands a new one root and a login, through the box's relay
//! (sealing.md §2).

use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::kdf::{self, Random, Secret};
use super::{Hash, SealingError};
use crate::bytes::{self, b64u, from_b64u};

const WHAT: &str = "the pairing";
/// Bytes of a channel's name.
pub const CHANNEL: usize = 16;
/// How much of the key's hash the typed form carries, bytes.
const PRINT: usize = 10;
/// Letters of the typed form.
const TYPED: usize = 42;

/// What a new device shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The relay's channel, random.
    pub channel: [u8; CHANNEL],
    /// The new device's X25519 public key.
    pub key: [u8; 32],
}

impl Offer {
    /// `ORIGIN/pair#` b64u(channel ‖ key), as the QR code has it.
    pub fn link(&self, origin: &str) -> String {
        format!("{origin}/pair#{}", b64u(&[&self.channel[..], &self.key].concat()))
    }

    /// base32 of channel ‖ the first 10 bytes of SHA-256(key): 42 letters and digits.
    pub fn typed(&self) -> String {
        BASE32_NOPAD.encode(&[&self.channel[..], &print_of(&self.key)].concat())
    }
}

fn print_of(key: &[u8; 32]) -> [u8; PRINT] {
    let mut print = [0; PRINT];
    print.copy_from_slice(&Hash::of(key).as_bytes()[..PRINT]);
    print
}

/// What a person carries from the new device's screen to the signed-in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A link: the whole offer.
    Link(Offer),
    /// The typed form.
    Typed(Typed),
}

/// A typed form: the key itself is read from the channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Typed {
    /// The relay's channel.
    pub channel: [u8; CHANNEL],
    print: [u8; PRINT],
}

impl Typed {
    /// The first bytes of the key's SHA-256.
    pub fn print(&self) -> &[u8] {
        &self.print
    }
}

impl Code {
    /// The relay's channel.
    pub const fn channel(&self) -> &[u8; CHANNEL] {
        match self {
            Code::Link(offer) => &offer.channel,
            Code::Typed(typed) => &typed.channel,
        }
    }

    /// The offer, with the key that lies in the channel; refused when that is another one.
    pub fn offer(&self, in_channel: &[u8]) -> Result<Offer, SealingError> {
        let refuse = |problem| SealingError::Key { what: "the new device's key", problem };
        let key = in_channel.try_into().map_err(|_| refuse("it has not 32 bytes"))?;
        let (offer, fits) = match self {
            Code::Link(offer) => (*offer, offer.key == key),
            Code::Typed(typed) => {
                (Offer { channel: typed.channel, key }, print_of(&key) == typed.print)
            }
        };
        if fits { Ok(offer) } else { Err(refuse("it is not the one that was shown")) }
    }
}

impl FromStr for Typed {
    type Err = SealingError;

    /// Small letters, spaces and hyphens do not count.
    fn from_str(text: &str) -> Result<Self, SealingError> {
        let mistyped = || SealingError::Link("42 letters and digits 2 to 7 stand for a pairing");
        let kept = |one: &char| !one.is_whitespace() && *one != '-';
        let letters: String = text.chars().filter(kept).collect::<String>().to_ascii_uppercase();
        if letters.len() != TYPED {
            return Err(mistyped());
        }
        let bytes = BASE32_NOPAD.decode(letters.as_bytes()).map_err(|_| mistyped())?;
        let (channel, print) = bytes.split_first_chunk().ok_or_else(mistyped)?;
        let print = print.try_into().map_err(|_| mistyped())?;
        Ok(Typed { channel: *channel, print })
    }
}

impl FromStr for Code {
    type Err = SealingError;

    /// A link, its fragment alone, or the typed form.
    fn from_str(text: &str) -> Result<Self, SealingError> {
        let text = text.trim();
        let fragment = text.rsplit_once('#').map_or(text, |(_, fragment)| fragment);
        let bytes = from_b64u(fragment).filter(|bytes| bytes.len() == CHANNEL + 32);
        let parts = bytes.as_deref().and_then(|bytes| {
            let (channel, key) = bytes.split_first_chunk()?;
            Some(Offer { channel: *channel, key: key.try_into().ok()? })
        });
        match parts {
            Some(offer) => Ok(Code::Link(offer)),
            None => text.parse().map(Code::Typed),
        }
    }
}

/// A side's ephemeral secret: used once.
pub struct Ephemeral(StaticSecret);

impl Ephemeral {
    /// A fresh one.
    pub fn random(random: &mut Random<'_>) -> Self {
        Self::from_secret(&Secret::random(random))
    }

    /// The X25519 secret of these bytes.
    pub fn from_secret(secret: &Secret) -> Self {
        Self(StaticSecret::from(*secret.as_bytes()))
    }

    /// Its public key.
    pub fn public(&self) -> [u8; 32] {
        PublicKey::from(&self.0).to_bytes()
    }

    /// The key that both sides have; `theirs` is the other side's public key. A shared secret of
    /// zeros is refused.
    pub fn agree(
        self,
        theirs: &[u8; 32],
        offer: &Offer,
        key_old: &[u8; 32],
    ) -> Result<PairKey, SealingError> {
        let shared = self.0.diffie_hellman(&PublicKey::from(*theirs));
        if !shared.was_contributory() {
            let problem = "it is of small order";
            return Err(SealingError::Key { what: "the other side's key", problem });
        }
        let salt = kdf::sha256(&[&offer.channel[..], &offer.key, key_old].concat());
        let key = kdf::hkdf(shared.as_bytes(), &salt, b"hearth/v1/pair");
        Ok(PairKey { key, channel: offer.channel })
    }
}

/// What both sides of one pairing share.
#[derive(Debug)]
pub struct PairKey {
    key: Secret,
    channel: [u8; CHANNEL],
}

/// What is handed over: whoever has it is the person.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Handed {
    #[serde(with = "bytes")]
    root: Vec<u8>,
    /// The refresh secret of a login of the new device's own.
    pub refresh: String,
}

impl Handed {
    /// Root and a login.
    pub fn new(root: &Secret, refresh: &str) -> Self {
        Self { root: root.as_bytes().to_vec(), refresh: refresh.to_string() }
    }

    /// The person's root.
    pub fn root(&self) -> Result<Secret, SealingError> {
        Secret::from_slice("the root that was handed over", &self.root)
    }
}

impl PairKey {
    /// The key of these bytes, for a channel.
    pub const fn from_secret(key: Secret, channel: [u8; CHANNEL]) -> Self {
        Self { key, channel }
    }

    /// The key itself.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// The six digits that both sides show.
    pub fn digits(&self) -> String {
        let whole = kdf::hkdf(self.key.as_bytes(), b"", b"hearth/v1/pair-sas");
        let mut first = [0; 8];
        first.copy_from_slice(&whole.as_bytes()[..8]);
        format!("{:06}", u64::from_be_bytes(first) % 1_000_000)
    }

    fn aad(&self) -> Vec<u8> {
        kdf::ctx("hearth/v1/pair", &[&self.channel])
    }

    /// Seals what is handed over.
    pub fn seal(&self, given: &Handed, random: &mut Random<'_>) -> Result<Vec<u8>, SealingError> {
        let json = serde_json::to_vec(given).map(Zeroizing::new);
        let json = json.map_err(|_| SealingError::Unsealable { what: WHAT })?;
        kdf::seal(WHAT, &self.key, &json, &self.aad(), random)
    }

    /// Opens what was handed over.
    pub fn open(&self, sealed: &[u8]) -> Result<Handed, SealingError> {
        let json = Zeroizing::new(kdf::open(WHAT, &self.key, sealed, &self.aad())?);
        // serde's sentence may quote what it read, which is secret.
        let no = || SealingError::Json { what: WHAT, problem: "it has no root and refresh".into() };
        // serde would take a list of the two as well.
        if json.trim_ascii_start().first() != Some(&b'{') {
            return Err(no());
        }
        let given: Handed = serde_json::from_slice(&json).map_err(|_| no())?;
        given.root()?;
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ephemeral(byte: u8) -> Ephemeral {
        Ephemeral::from_secret(&Secret::from_bytes([byte; 32]))
    }

    fn offer() -> Offer {
        Offer { channel: [7; CHANNEL], key: ephemeral(1).public() }
    }

    #[test]
    fn both_sides_come_to_the_same_digits_and_one_in_the_middle_to_others() {
        let (offer, old) = (offer(), ephemeral(2).public());
        let new = ephemeral(1).agree(&old, &offer, &old).unwrap();
        let signed_in = ephemeral(2).agree(&offer.key, &offer, &old).unwrap();
        assert_eq!((new.digits(), new.as_bytes()), (signed_in.digits(), signed_in.as_bytes()));
        assert!(new.digits().len() == 6 && new.digits().bytes().all(|one| one.is_ascii_digit()));
        let given = Handed::new(&Secret::from_bytes([9; 32]), "refresh");
        let sealed = signed_in.seal(&given, &mut |out| out.fill(3)).unwrap();
        let taken = new.open(&sealed).unwrap();
        assert_eq!(
            (taken.root().unwrap(), &*taken.refresh),
            (Secret::from_bytes([9; 32]), "refresh")
        );
        // Mallory answers the new device, and offers a key of hers to the one that is signed in.
        let hers = ephemeral(3).public();
        let fooled = ephemeral(1).agree(&hers, &offer, &hers).unwrap();
        let swapped = Offer { key: hers, ..offer };
        let asked = ephemeral(2).agree(&hers, &swapped, &old).unwrap();
        assert_ne!(fooled.digits(), asked.digits());
        assert!(fooled.open(&sealed).is_err());
        // A channel of another name is another pairing.
        let other = Offer { channel: [8; CHANNEL], ..offer };
        assert!(ephemeral(1).agree(&old, &other, &old).unwrap().open(&sealed).is_err());
    }

    #[test]
    fn a_code_reads_back_in_every_spelling_and_takes_the_shown_key_only() {
        let offer = offer();
        let link = offer.link("http://127.0.0.1:8080");
        assert_eq!(link.parse(), Ok(Code::Link(offer)));
        let (_, fragment) = link.split_once('#').unwrap();
        assert_eq!(fragment.parse(), Ok(Code::Link(offer)));
        let typed = offer.typed();
        assert_eq!(typed.len(), TYPED);
        let spaced = format!(" {}-{} \n", typed[..20].to_lowercase(), &typed[20..]);
        for text in [typed.as_str(), &spaced] {
            let code: Code = text.parse().unwrap();
            assert_eq!(code.channel(), &offer.channel);
            assert_eq!(code.offer(&offer.key), Ok(offer));
            assert!(code.offer(&ephemeral(3).public()).is_err() && code.offer(&[1; 31]).is_err());
        }
        assert!(Code::Link(offer).offer(&ephemeral(3).public()).is_err());
        for bad in ["", "hello", &typed[1..], &typed.replace(&typed[..1], "1"), &fragment[1..]] {
            assert!(bad.parse::<Code>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_of_small_order_agrees_with_nobody() {
        let mut one = [0; 32];
        one[0] = 1;
        for key in [[0; 32], one] {
            assert!(ephemeral(1).agree(&key, &offer(), &key).is_err());
        }
    }
}
