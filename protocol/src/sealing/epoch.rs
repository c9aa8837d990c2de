//! A room's epoch: its secret, the keys it gives, and its header (sealing.md §3).
//!
//! The header is signed and hashed as the bytes that travelled; [`super::bundle`] keeps those.

use std::collections::HashSet;
use std::hash;

use serde::{Deserialize, Serialize};

pub use super::bundle::Bundle;
use super::hash::{Fingerprint, Hash, Kid};
use super::{PublicKey, Random, Recipient, SealingError, Secret, kdf};
use crate::bytes;
use crate::ids::{DeviceId, Epoch, InviteCode, RoomId, UserId};
use crate::role::RoomType;

/// What an epoch's secret gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochKeys {
    /// The room.
    pub room: RoomId,
    /// S itself.
    pub secret: Secret,
    /// K: seals events.
    pub key: Secret,
    /// K's name.
    pub kid: Kid,
}

impl EpochKeys {
    /// The keys of a secret in a room.
    pub fn new(room: RoomId, secret: Secret) -> Self {
        let derive = |info: &[u8]| kdf::hkdf(secret.as_bytes(), room.as_bytes(), info);
        let key = derive(b"hearth/v1/epoch-aead");
        let id = derive(b"hearth/v1/epoch-id");
        let mut kid = [0; 16];
        kid.copy_from_slice(&id.as_bytes()[..16]);
        Self { room, key, kid: Kid::from_bytes(kid), secret }
    }

    fn back_key(&self) -> Secret {
        kdf::hkdf(self.secret.as_bytes(), self.room.as_bytes(), b"hearth/v1/back")
    }

    /// Seals the secret of the epoch before this one, whose number is `epoch`.
    pub fn seal_back(
        &self,
        epoch: Epoch,
        before: &Secret,
        random: &mut Random<'_>,
    ) -> Result<Vec<u8>, SealingError> {
        let aad = back_aad(self.room, epoch);
        kdf::seal(BACK, &self.back_key(), before.as_bytes(), &aad, random)
    }

    /// Opens the secret of the epoch before this one, whose number is `epoch`.
    pub fn open_back(&self, epoch: Epoch, back: &[u8]) -> Result<Secret, SealingError> {
        let aad = back_aad(self.room, epoch);
        let before = zeroize::Zeroizing::new(kdf::open(BACK, &self.back_key(), back, &aad)?);
        Secret::from_slice(BACK, &before)
    }
}

const BACK: &str = "the secret of the epoch before";

fn back_aad(room: RoomId, epoch: Epoch) -> Vec<u8> {
    kdf::ctx("hearth/v1/back", &[room.as_bytes(), &epoch.to_be_bytes()])
}

/// Whether joiners see what was before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum History {
    /// Everything.
    All,
    /// From their joining on.
    SinceJoin,
}

/// The room's rules, which its members vouch for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rules {
    /// What kind of room it is.
    #[serde(rename = "type")]
    pub kind: RoomType,
    /// Whether joiners see what was before.
    pub history: History,
    /// Whether events may tell the box whom to notify.
    pub hints: bool,
}

impl Rules {
    /// The rules of a new room of this kind.
    pub const fn new(kind: RoomType) -> Self {
        Self { kind, history: History::All, hints: false }
    }
}

/// Somebody who is new in this very epoch, with the proof of an invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// Who.
    pub user: UserId,
    /// By which invite.
    pub code: InviteCode,
    /// Ed25519 by the invite's key.
    #[serde(with = "crate::bytes::array")]
    pub proof: [u8; 64],
}

/// An invite that stands in this epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    /// Its code.
    pub code: InviteCode,
    /// Who made it.
    pub by: UserId,
    /// What verifies join proofs.
    pub sign_public: PublicKey,
    /// Whom to seal the epoch to.
    pub recipient: Recipient,
    /// When it ends, ms since 1970.
    pub expires: u64,
    /// How many may still join by it.
    pub uses: u32,
}

/// ms after which a new epoch is made although nothing changed: 30 days.
pub const EPOCH_MS_MAX: u64 = 30 * 24 * 3_600_000;

/// ms by which a maker's clock is believed to be ahead: a day. What is further ahead would never
/// grow old.
pub const AHEAD_MS_MAX: u64 = 24 * 3_600_000;

/// Why epochs are made: the known words of `reason`.
pub mod reason {
    /// The room's first epoch.
    pub const CREATED: &str = "created";
    /// A member listed somebody.
    pub const ADDED: &str = "added";
    /// Somebody listed himself by a proof.
    pub const JOINED: &str = "joined";
    /// Somebody left.
    pub const LEFT: &str = "left";
    /// Somebody was removed.
    pub const REMOVED: &str = "removed";
    /// A changed card.
    pub const CARD: &str = "card";
    /// A device added, removed or renewed.
    pub const DEVICE: &str = "device";
    /// An invite made or ended.
    pub const INVITE: &str = "invite";
    /// Changed rules.
    pub const RULES: &str = "rules";
    /// Thirty days have passed.
    pub const DUE: &str = "due";
}

/// What an epoch says about the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The room.
    pub room: RoomId,
    /// Its number, from 1.
    pub epoch: Epoch,
    /// The name of its key.
    pub kid: Kid,
    /// SHA-256 of the previous header; zero in epoch 1.
    pub prev: Hash,
    /// The room's rules.
    pub rules: Rules,
    /// Who can read, each with the keys that were sealed to.
    pub members: Vec<(UserId, Fingerprint)>,
    /// The proofs of those who are new in this epoch.
    pub joins: Vec<Join>,
    /// The devices, each with its recipient and the epoch whose secret made it.
    pub doors: Vec<(DeviceId, Recipient, Epoch)>,
    /// The invites that stand.
    pub invites: Vec<Invited>,
    /// The secret of the epoch before, sealed under this one's.
    #[serde(skip_serializing_if = "Option::is_none", default, with = "bytes::option")]
    pub back: Option<Vec<u8>>,
    /// Who made it.
    pub by: UserId,
    /// When, by the maker's clock, ms since 1970.
    pub at: u64,
    /// Why: one of [`reason`].
    pub reason: String,
}

impl Header {
    /// Whether the next epoch is due by itself: this one is old or of a time that is far ahead, or
    /// an invite of it has expired.
    pub fn is_due(&self, now_ms: u64) -> bool {
        let old = self.at.saturating_add(EPOCH_MS_MAX) <= now_ms;
        let over = self.invites.iter().any(|invite| invite.expires <= now_ms);
        old || over || self.is_far_ahead(now_ms)
    }

    /// When the epoch that follows says to be made. A clock that was set back does not make it
    /// older than this one, unless this one's is far ahead.
    pub fn next_at(&self, now_ms: u64) -> u64 {
        if self.is_far_ahead(now_ms) { now_ms } else { self.at.max(now_ms) }
    }

    fn is_far_ahead(&self, now_ms: u64) -> bool {
        self.at > now_ms.saturating_add(AHEAD_MS_MAX)
    }

    /// The fingerprint listed for a person.
    pub fn member(&self, user: UserId) -> Option<Fingerprint> {
        self.members.iter().find(|(listed, _)| *listed == user).map(|(_, print)| *print)
    }

    /// The recipient of a device and the epoch that made it.
    pub fn door(&self, device: DeviceId) -> Option<(Recipient, Epoch)> {
        let door = self.doors.iter().find(|(listed, ..)| *listed == device);
        door.map(|(_, recipient, epoch)| (*recipient, *epoch))
    }

    /// An invite that stands.
    pub fn invite(&self, code: InviteCode) -> Option<&Invited> {
        self.invites.iter().find(|invite| invite.code == code)
    }

    /// Whether it contradicts itself (what every header must hold, whoever made it).
    pub(super) fn check(&self) -> Result<(), SealingError> {
        let rule =
            |holds: bool, broken| if holds { Ok(()) } else { Err(SealingError::Epoch(broken)) };
        let first = self.epoch == 1;
        rule(self.epoch > 0, "epochs are counted from 1")?;
        rule(self.member(self.by).is_some(), "its maker is not among its members")?;
        rule(unique(self.members.iter().map(|(user, _)| user)), "a member is listed twice")?;
        rule(unique(self.doors.iter().map(|(device, ..)| device)), "a device is listed twice")?;
        rule(unique(self.invites.iter().map(|invite| invite.code)), "an invite is listed twice")?;
        rule(unique(self.joins.iter().map(|join| join.user)), "somebody joins twice")?;
        let made = |x: Epoch| (1..=self.epoch).contains(&x);
        rule(self.doors.iter().all(|(.., x)| made(*x)), "a door is of an epoch that is not yet")?;
        rule(self.invites.iter().all(|invite| invite.uses > 0), "a used up invite is listed")?;
        rule(is_word(&self.reason), "its reason is not a word of a-z and _")?;
        rule(!first || self.prev == Hash::ZERO, "epoch 1 has no predecessor")?;
        rule(!first || self.joins.is_empty(), "nobody joins in epoch 1")?;
        let back = !first && self.rules.history == History::All;
        rule(self.back.is_some() == back, "its way back is not what its rules say")
    }
}

fn unique<T: Eq + hash::Hash>(mut things: impl Iterator<Item = T>) -> bool {
    let mut seen = HashSet::new();
    things.all(|thing| seen.insert(thing))
}

fn is_word(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_'))
}
