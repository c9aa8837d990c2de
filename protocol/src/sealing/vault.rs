//! What a person keeps on the box, sealed: root, pins, heads; and the recovery file
//! (sealing.md §2).
//!
//! Vault = 0x01 ‖ lp(root under the password's vault key) ‖ data under a key of root. The first
//! part changes with the password only, the second with every version.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use super::password::{Cost, SALT, Stretched, stretch};

use super::hash::{Fingerprint, Hash};
use super::{AgeIdentity, Random, Recipient, SealingError, Secret, agefile, kdf};
use crate::bytes;
use crate::ids::{Epoch, RoomId, UserId};

const WHAT: &str = "the vault";
const ROOT: &str = "the vault's root";
const RECOVERY: &str = "the recovery file";
const FORMAT: u8 = 0x01;
/// Bytes of a vault, as `Limits::vault_bytes_max` has by default.
pub const BYTES_MAX: usize = 256 * 1024;

/// Where recovery files are sealed to: the printed sheet's public half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// The sheet's recipient.
    pub recipient: Recipient,
    /// When the sheet was made, ms since 1970: the newer wins.
    pub at: u64,
}

/// What is known about somebody's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PinState {
    /// Seen, vouched for by nobody.
    Unverified,
    /// Vouched for by somebody already pinned.
    Vouched,
    /// Compared in person.
    Verified,
    /// Another fingerprint than before, not yet accepted.
    Changed,
}

/// A remembered fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The keys.
    pub fingerprint: Fingerprint,
    /// How well they are known.
    pub state: PinState,
    /// Since when, ms since 1970.
    pub at: u64,
    /// Who vouched.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<UserId>,
}

/// What the vault holds beside root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Data {
    /// Where recovery files are sealed to.
    pub recovery: Recovery,
    /// Whose keys are known.
    pub pins: BTreeMap<UserId, Pin>,
    /// The newest epoch seen of each room, with its header's hash.
    pub heads: BTreeMap<RoomId, (Epoch, Hash)>,
}

impl Data {
    /// An empty vault that can be recovered with this sheet.
    pub fn new(recipient: Recipient, at: u64) -> Self {
        let recovery = Recovery { recipient, at };
        Self { recovery, pins: BTreeMap::new(), heads: BTreeMap::new() }
    }

    /// What two devices wrote, as one: "changed" beats, then the newer pin; the higher head; the
    /// newer recovery sheet.
    #[must_use]
    pub fn merge(mut self, other: Data) -> Data {
        if other.recovery.at > self.recovery.at {
            self.recovery = other.recovery;
        }
        for (user, theirs) in other.pins {
            let beats = |mine: &Pin| {
                let changed = |pin: &Pin| pin.state == PinState::Changed;
                (changed(&theirs), theirs.at) > (changed(mine), mine.at)
            };
            if self.pins.get(&user).is_none_or(beats) {
                self.pins.insert(user, theirs);
            }
        }
        for (room, theirs) in other.heads {
            if self.heads.get(&room).is_none_or(|mine| theirs.0 > mine.0) {
                self.heads.insert(room, theirs);
            }
        }
        self
    }
}

fn root_aad(user: UserId) -> Vec<u8> {
    kdf::ctx("hearth/v1/vault-root", &[user.as_bytes()])
}

fn data_aad(user: UserId, version: u64) -> Vec<u8> {
    kdf::ctx("hearth/v1/vault", &[user.as_bytes(), &version.to_be_bytes()])
}

fn data_key(root: &Secret) -> Secret {
    kdf::hkdf(root.as_bytes(), b"", b"hearth/v1/vault-data")
}

/// Seals a whole vault.
pub fn seal(
    user: UserId,
    version: u64,
    vault_key: &Secret,
    root: &Secret,
    data: &Data,
    random: &mut Random<'_>,
) -> Result<Vec<u8>, SealingError> {
    let first = kdf::seal(ROOT, vault_key, root.as_bytes(), &root_aad(user), random)?;
    compose(user, version, &first, root, data, random)
}

/// Seals new data under the first part of an older vault, without the password at hand.
pub fn reseal(
    user: UserId,
    version: u64,
    older: &[u8],
    root: &Secret,
    data: &Data,
    random: &mut Random<'_>,
) -> Result<Vec<u8>, SealingError> {
    let (first, _) = split(older)?;
    compose(user, version, first, root, data, random)
}

fn compose(
    user: UserId,
    version: u64,
    first: &[u8],
    root: &Secret,
    data: &Data,
    random: &mut Random<'_>,
) -> Result<Vec<u8>, SealingError> {
    let json = Zeroizing::new(kdf::to_json(WHAT, data)?);
    let second = kdf::seal(WHAT, &data_key(root), &json, &data_aad(user, version), random)?;
    let mut out = vec![FORMAT];
    kdf::lp(&mut out, first);
    out.extend_from_slice(&second);
    within(WHAT, out.len())?;
    Ok(out)
}

fn within(what: &'static str, bytes: usize) -> Result<(), SealingError> {
    let max = BYTES_MAX;
    if bytes > max { Err(SealingError::TooLarge { what, bytes, max }) } else { Ok(()) }
}

/// The two sealed parts.
fn split(vault: &[u8]) -> Result<(&[u8], &[u8]), SealingError> {
    within(WHAT, vault.len())?;
    let mut reader = kdf::Reader::new(WHAT, vault);
    let [format] = reader.take()?;
    if format != FORMAT {
        return Err(SealingError::Version { what: WHAT, byte: format });
    }
    Ok((reader.part()?, reader.rest()))
}

/// Opens root and data with the password's half.
pub fn open(
    vault: &[u8],
    user: UserId,
    version: u64,
    vault_key: &Secret,
) -> Result<(Secret, Data), SealingError> {
    let (first, _) = split(vault)?;
    let root = Zeroizing::new(kdf::open(ROOT, vault_key, first, &root_aad(user))?);
    let root = Secret::from_slice(ROOT, &root)?;
    let data = open_data(vault, user, version, &root)?;
    Ok((root, data))
}

/// Opens the data of a later version with root.
pub fn open_data(
    vault: &[u8],
    user: UserId,
    version: u64,
    root: &Secret,
) -> Result<Data, SealingError> {
    let (_, second) = split(vault)?;
    let json = Zeroizing::new(kdf::open(WHAT, &data_key(root), second, &data_aad(user, version))?);
    kdf::from_json(WHAT, &json)
}

/// The recovery file's plaintext: the vault's data, and whose root.
#[derive(Serialize, Deserialize)]
struct RecoveryJson {
    user: UserId,
    #[serde(with = "bytes")]
    root: Vec<u8>,
    #[serde(flatten)]
    data: Data,
}

/// The age file to the sheet; stock `age -d` opens it.
pub fn seal_recovery(user: UserId, root: &Secret, data: &Data) -> Result<Vec<u8>, SealingError> {
    let json = RecoveryJson { user, root: root.as_bytes().to_vec(), data: data.clone() };
    let plaintext = Zeroizing::new(kdf::to_json(RECOVERY, &json)?);
    agefile::seal(RECOVERY, &[data.recovery.recipient], &plaintext)
}

/// Opens a recovery file with the sheet's identity.
pub fn open_recovery(
    file: &[u8],
    user: UserId,
    sheet: &AgeIdentity,
) -> Result<(Secret, Data), SealingError> {
    within(RECOVERY, file.len())?;
    let json = agefile::open(RECOVERY, sheet, file, BYTES_MAX)?;
    let opened: RecoveryJson = kdf::from_json(RECOVERY, &json)?;
    let root = Zeroizing::new(opened.root);
    if opened.user != user {
        let problem = "it is another person's".to_string();
        return Err(SealingError::Json { what: RECOVERY, problem });
    }
    Ok((Secret::from_slice(RECOVERY, &root)?, opened.data))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sheet(byte: u8) -> AgeIdentity {
        AgeIdentity::from_scalar(&Secret::from_bytes([byte; 32])).unwrap()
    }

    fn user(byte: u8) -> UserId {
        UserId::new(1, [byte; 10])
    }

    fn sample() -> Data {
        let mut data = Data::new(sheet(9).recipient(), 5);
        let pin = pin(PinState::Vouched, 3);
        data.pins.insert(user(2), Pin { by: Some(user(3)), ..pin });
        data.heads.insert(RoomId::new(1, [4; 10]), (3, Hash::from_bytes([5; 32])));
        data
    }

    fn pin(state: PinState, at: u64) -> Pin {
        Pin { fingerprint: Fingerprint::from_bytes([at as u8; 32]), state, at, by: None }
    }

    fn secret(byte: u8) -> Secret {
        Secret::from_bytes([byte; 32])
    }

    fn sealed() -> Vec<u8> {
        seal(user(1), 4, &secret(1), &secret(2), &sample(), &mut |out| out.fill(6)).unwrap()
    }

    #[test]
    fn a_vault_opens_for_its_owner_at_its_version_only() {
        let vault = sealed();
        assert_eq!(open(&vault, user(1), 4, &secret(1)).unwrap(), (secret(2), sample()));
        assert_eq!(open_data(&vault, user(1), 4, &secret(2)).unwrap(), sample());
        assert_eq!(open(&vault, user(1), 4, &secret(3)), Err(SealingError::Closed { what: ROOT }));
        assert_eq!(open(&vault, user(2), 4, &secret(1)), Err(SealingError::Closed { what: ROOT }));
        assert_eq!(open(&vault, user(1), 5, &secret(1)), Err(SealingError::Closed { what: WHAT }));
    }

    #[test]
    fn a_client_without_the_password_rewrites_the_second_part() {
        let mut data = sample();
        data.pins.clear();
        let vault =
            reseal(user(1), 5, &sealed(), &secret(2), &data, &mut |out| out.fill(7)).unwrap();
        assert_eq!(open(&vault, user(1), 5, &secret(1)).unwrap(), (secret(2), data));
    }

    #[test]
    fn the_recovery_file_gives_root_back_to_the_sheet() {
        let file = seal_recovery(user(1), &secret(2), &sample()).unwrap();
        let opened = open_recovery(&file, user(1), &sheet(9)).unwrap();
        assert_eq!(opened, (secret(2), sample()));
        assert!(matches!(open_recovery(&file, user(1), &sheet(8)), Err(SealingError::Age { .. })));
        assert!(open_recovery(&file, user(2), &sheet(9)).is_err());
    }

    #[test]
    fn merging_keeps_what_was_noticed() {
        let mine = Data { pins: [(user(1), pin(PinState::Verified, 9))].into(), ..sample() };
        let changed = Data { pins: [(user(1), pin(PinState::Changed, 2))].into(), ..sample() };
        let newer = Data { pins: [(user(1), pin(PinState::Vouched, 10))].into(), ..sample() };
        let state = |data: Data| data.pins[&user(1)].state;
        assert_eq!(state(mine.clone().merge(changed.clone())), PinState::Changed);
        assert_eq!(state(changed.clone().merge(mine.clone())), PinState::Changed);
        assert_eq!(state(mine.clone().merge(newer.clone())), PinState::Vouched);
        assert_eq!(state(newer.merge(mine)), PinState::Vouched);
        let room = RoomId::new(1, [4; 10]);
        let mut ahead = sample();
        ahead.heads.insert(room, (4, Hash::ZERO));
        ahead.recovery.at = 6;
        assert_eq!(sample().merge(ahead.clone()).heads[&room].0, 4);
        assert_eq!(ahead.merge(sample()).recovery.at, 6);
    }

    proptest! {
        #[test]
        fn a_changed_bit_is_refused(bit: prop::sample::Index) {
            let mut vault = sealed();
            let at = bit.index(vault.len() * 8);
            vault[at / 8] ^= 1 << (at % 8);
            prop_assert!(open(&vault, user(1), 4, &secret(1)).is_err());
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            prop_assert!(open(&bytes, user(1), 4, &secret(1)).is_err());
            prop_assert!(open_recovery(&bytes, user(1), &sheet(9)).is_err());
        }
    }
}
