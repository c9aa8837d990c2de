//! An invite: a link whose fragment opens the door to a house, and proofs of joining by it
//! (sealing.md §6).

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::hash::{Fingerprint, Hash};
use super::{AgeIdentity, PublicKey, Random, SealingError, Secret, Signature, SigningKey, kdf};
use crate::bytes::{b64u, from_b64u};
use crate::ids::{Epoch, InviteCode, RoomId, UserId};

const WHAT: &str = "the invite";
const PROOF: &str = "a join proof";
/// Bytes of a blob, as `Limits::invite_blob_bytes_max` has by default.
pub const BLOB_MAX: usize = 4 * 1024;

/// What the secret in a link gives.
#[derive(Debug, Clone)]
pub struct InviteKeys {
    /// Shown to the box to get the blob; it keeps the SHA-256.
    pub auth: Secret,
    /// Opens the blob.
    pub wrap: Secret,
    /// Signs join proofs.
    pub sign: SigningKey,
    /// Opens the epochs that are sealed to the invite.
    pub age: AgeIdentity,
}

impl InviteKeys {
    /// The keys of the link's secret.
    pub fn new(k: &Secret) -> Result<Self, SealingError> {
        let derive = |info: &str| kdf::hkdf(k.as_bytes(), b"", info.as_bytes());
        Ok(Self {
            auth: derive("hearth/v1/invite-auth"),
            wrap: derive("hearth/v1/invite-wrap"),
            sign: SigningKey::from_seed(&derive("hearth/v1/invite-sign")),
            age: AgeIdentity::from_scalar(&derive("hearth/v1/invite-age"))?,
        })
    }

    /// What the box keeps.
    pub fn auth_hash(&self) -> [u8; 32] {
        kdf::sha256(self.auth.as_bytes())
    }
}

/// The link: `ORIGIN/i/CODE#K`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Scheme, host and port, without a slash at the end.
    pub origin: String,
    /// The invite's code.
    pub code: InviteCode,
    /// The secret; a browser never sends the fragment.
    pub k: Secret,
}

impl Link {
    /// As text, to hand on.
    pub fn to_text(&self) -> String {
        format!("{}/i/{}#{}", self.origin, self.code, b64u(self.k.as_bytes()))
    }
}

impl FromStr for Link {
    type Err = SealingError;

    fn from_str(text: &str) -> Result<Self, SealingError> {
        let refuse = SealingError::Link;
        let (address, k) = text.trim().split_once('#').ok_or(refuse("nothing follows a #"))?;
        let (origin, code) = address.rsplit_once("/i/").ok_or(refuse("it has no /i/ in it"))?;
        if !origin.starts_with("https://") && !origin.starts_with("http://") {
            return Err(refuse("it does not begin with https:// or http://"));
        }
        let code = code.parse().map_err(|_| refuse("its code has not ten letters and digits"))?;
        let k = from_b64u(k).ok_or(refuse("what follows the # is mistyped"))?;
        let k = Secret::from_slice("the link's secret", &k)?;
        Ok(Link { origin: origin.to_string(), code, k })
    }
}

/// A room an invite leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitedRoom {
    /// The room.
    pub room: RoomId,
    /// The epoch that named the invite.
    pub epoch: Epoch,
    /// SHA-256 of that epoch's header: what the newcomer believes first.
    pub header_hash: Hash,
}

/// What the inviter tells the newcomer, sealed under the link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// The sealed rooms it leads to.
    pub rooms: Vec<InvitedRoom>,
    /// Who invites.
    pub by: UserId,
    /// The inviter's keys: they become a verified pin.
    pub by_fingerprint: Fingerprint,
    /// SHA-256 of the house's own CA, if it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ca_fingerprint: Option<Hash>,
    /// When it ends, ms since 1970.
    pub expires: u64,
    /// How many may join by it.
    pub uses: u32,
}

fn blob_aad(code: InviteCode) -> Vec<u8> {
    kdf::ctx("hearth/v1/invite", &[code.as_str().as_bytes()])
}

impl Blob {
    /// Seals it under the link.
    pub fn seal(
        &self,
        keys: &InviteKeys,
        code: InviteCode,
        random: &mut Random<'_>,
    ) -> Result<Vec<u8>, SealingError> {
        let sealed =
            kdf::seal(WHAT, &keys.wrap, &kdf::to_json(WHAT, self)?, &blob_aad(code), random)?;
        within(sealed.len())?;
        Ok(sealed)
    }

    /// Opens it with the link.
    pub fn open(sealed: &[u8], keys: &InviteKeys, code: InviteCode) -> Result<Blob, SealingError> {
        within(sealed.len())?;
        kdf::from_json(WHAT, &kdf::open(WHAT, &keys.wrap, sealed, &blob_aad(code))?)
    }
}

fn within(bytes: usize) -> Result<(), SealingError> {
    let max = BLOB_MAX;
    if bytes > max { Err(SealingError::TooLarge { what: WHAT, bytes, max }) } else { Ok(()) }
}

/// Who wants to join what, by which invite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joining {
    /// The invite.
    pub code: InviteCode,
    /// The room.
    pub room: RoomId,
    /// The newcomer.
    pub user: UserId,
    /// The newcomer's keys.
    pub fingerprint: Fingerprint,
}

impl Joining {
    fn signed(&self) -> Vec<u8> {
        let parts: [&[u8]; 4] = [
            self.code.as_str().as_bytes(),
            self.room.as_bytes(),
            self.user.as_bytes(),
            self.fingerprint.as_bytes(),
        ];
        kdf::ctx("hearth/v1/join", &parts)
    }

    /// The proof that whoever joins holds the link.
    pub fn prove(&self, keys: &InviteKeys) -> Signature {
        keys.sign.sign(&self.signed())
    }

    /// Verifies a proof with the key that an epoch's header names for the invite.
    pub fn verify(&self, sign_public: &PublicKey, proof: &Signature) -> Result<(), SealingError> {
        sign_public.verify(PROOF, &self.signed(), proof)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(byte: u8) -> InviteCode {
        InviteCode::new([byte; 10])
    }

    fn keys(byte: u8) -> InviteKeys {
        InviteKeys::new(&Secret::from_bytes([byte; 32])).unwrap()
    }

    fn blob() -> Blob {
        let room = InvitedRoom {
            room: RoomId::new(1, [1; 10]),
            epoch: 3,
            header_hash: Hash::from_bytes([2; 32]),
        };
        Blob {
            rooms: vec![room],
            by: UserId::new(1, [3; 10]),
            by_fingerprint: Fingerprint::from_bytes([4; 32]),
            ca_fingerprint: None,
            expires: 9,
            uses: 1,
        }
    }

    #[test]
    fn a_blob_opens_with_its_link_and_code_only() {
        let sealed = blob().seal(&keys(1), code(1), &mut |out| out.fill(1)).unwrap();
        assert_eq!(Blob::open(&sealed, &keys(1), code(1)), Ok(blob()));
        let closed = Err(SealingError::Closed { what: WHAT });
        assert_eq!(Blob::open(&sealed, &keys(2), code(1)), closed);
        assert_eq!(Blob::open(&sealed, &keys(1), code(2)), closed);
    }

    #[test]
    fn a_proof_is_for_one_person_room_and_code() {
        let joining = Joining {
            code: code(1),
            room: RoomId::new(1, [1; 10]),
            user: UserId::new(1, [1; 10]),
            fingerprint: Fingerprint::from_bytes([1; 32]),
        };
        let proof = joining.prove(&keys(1));
        let public = keys(1).sign.public();
        assert_eq!(joining.verify(&public, &proof), Ok(()));
        for other in [
            Joining { code: code(2), ..joining },
            Joining { room: RoomId::new(2, [1; 10]), ..joining },
            Joining { user: UserId::new(2, [1; 10]), ..joining },
            Joining { fingerprint: Fingerprint::from_bytes([2; 32]), ..joining },
        ] {
            assert!(other.verify(&public, &proof).is_err(), "{other:?}");
        }
        assert!(joining.verify(&keys(2).sign.public(), &proof).is_err());
    }

    #[test]
    fn a_link_reads_back_and_a_mistyped_one_says_what_is_wrong() {
        let k = Secret::from_bytes([7; 32]);
        let link = Link { origin: "https://hearth.local:8443".into(), code: code(5), k };
        assert_eq!(link.to_text().parse::<Link>(), Ok(link.clone()));
        let text = link.to_text();
        for bad in [
            text.replace('#', ""),
            text.replace("/i/", "/j/"),
            text.replace("https", "ftp"),
            text.replace("5555", "555"),
            text[..text.len() - 1].to_string(),
            format!("{text}="),
        ] {
            assert!(bad.parse::<Link>().is_err(), "{bad}");
        }
    }
}
