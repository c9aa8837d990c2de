//! A room's epochs as this person believes them (sealing.md §3): from the newest epoch that is
//! known on, each next one is judged; older headers by the chain of hashes.

use std::collections::{BTreeMap, HashSet};

use hearth_protocol::bytes::from_b64u;
use hearth_protocol::ids::{DeviceId, Epoch, RoomId, UserId};
use hearth_protocol::sealing::bundle::Bundle;
use hearth_protocol::sealing::chain;
use hearth_protocol::sealing::door;
use hearth_protocol::sealing::epoch::{EpochKeys, Header};
use hearth_protocol::sealing::{AgeIdentity, Fingerprint, Hash, Recipient};
use serde::Deserialize;

use super::{Member, MemberError};

/// A room's bundles and the keys that open.
#[derive(Debug, Clone)]
pub struct RoomKeys {
    /// Epoch 1 first.
    bundles: Vec<Bundle>,
    keys: BTreeMap<Epoch, EpochKeys>,
}

#[derive(Deserialize)]
struct Served {
    bundles: Vec<ServedBundle>,
    #[serde(default)]
    more: bool,
}

#[derive(Deserialize)]
struct ServedBundle {
    bundle: String,
}

impl RoomKeys {
    /// The current epoch's header.
    pub fn current(&self) -> Result<&Bundle, MemberError> {
        self.bundles.last().ok_or_else(|| MemberError::distrust("the room has no epoch yet"))
    }

    /// The current epoch's keys, if it lists whoever opened it.
    pub fn current_keys(&self) -> Result<&EpochKeys, MemberError> {
        self.keys.get(&self.current()?.header.epoch).ok_or(MemberError::NotListed)
    }

    /// The keys of the newest epoch that opens.
    pub fn newest_keys(&self) -> Option<&EpochKeys> {
        self.keys.last_key_value().map(|(_, keys)| keys)
    }

    /// Whether the current epoch lists somebody with these keys and all the same does not open.
    pub fn is_closed_to(&self, user: UserId, print: Fingerprint) -> Result<bool, MemberError> {
        let header = &self.current()?.header;
        Ok(header.member(user) == Some(print) && !self.keys.contains_key(&header.epoch))
    }

    /// An epoch's keys, if they open.
    pub fn keys(&self, epoch: Epoch) -> Option<&EpochKeys> {
        self.keys.get(&epoch)
    }

    /// An epoch's header.
    pub fn header(&self, epoch: Epoch) -> Option<&Header> {
        let at = usize::try_from(epoch.checked_sub(1)?).ok()?;
        self.bundles.get(at).map(|bundle| &bundle.header)
    }

    /// Whom a device seals to now; none where its door is known to be another than the secret of
    /// its epoch gives: what comes by such a one, no member opens.
    pub fn door(&self, device: DeviceId) -> Option<Recipient> {
        let (recipient, made) = self.bundles.last()?.header.door(device)?;
        let Some(keys) = self.keys(made) else { return Some(recipient) };
        let own = door::identity(keys, device).ok()?.recipient();
        (own == recipient).then_some(recipient)
    }

    /// All headers, epoch 1 first.
    pub fn headers(&self) -> impl DoubleEndedIterator<Item = &Header> {
        self.bundles.iter().map(|bundle| &bundle.header)
    }

    /// Everybody who was ever listed.
    pub fn ever_listed(&self) -> HashSet<UserId> {
        listed(&self.bundles)
    }

    /// Opens what this identity opens: what is sealed to it, and whereto ways back lead from there.
    /// What does not open stays closed, and is no error (decision 0051).
    fn open(&mut self, identity: &AgeIdentity) {
        for (at, bundle) in self.bundles.iter().enumerate().rev() {
            let epoch = bundle.header.epoch;
            let known = self.keys.get(&epoch).cloned();
            let Some(keys) = known.or_else(|| bundle.open(identity).ok()) else { continue };
            if let Some((before, keys)) = chain::step_back(bundle, &keys, &self.bundles[..at]) {
                self.keys.entry(before).or_insert(keys);
            }
            self.keys.insert(epoch, keys);
        }
    }
}

fn listed(bundles: &[Bundle]) -> HashSet<UserId> {
    bundles.iter().flat_map(|bundle| bundle.header.members.iter().map(|(user, _)| *user)).collect()
}

/// Reads what the box serves next: of this room, each following the other by its hash.
fn read(room: RoomId, served: &Served, bundles: &mut Vec<Bundle>) -> Result<(), MemberError> {
    for one in &served.bundles {
        let bytes = from_b64u(&one.bundle)
            .ok_or_else(|| MemberError::distrust("a bundle is no base64url"))?;
        let bundle = Bundle::parse(&bytes)?;
        let (epoch, prev) = match bundles.last() {
            Some(before) => (before.header.epoch.saturating_add(1), before.header_hash()),
            None => (1, Hash::ZERO),
        };
        let fits = bundle.header.room == room && bundle.header.epoch == epoch;
        if !fits || bundle.header.prev != prev {
            let problem = format!("epoch {epoch} does not follow the one before");
            return Err(MemberError::distrust(problem));
        }
        bundles.push(bundle);
    }
    Ok(())
}

impl Member {
    /// A room's keys as they are now, believed and opened.
    pub fn room_keys(&mut self, room: RoomId) -> Result<RoomKeys, MemberError> {
        let identity = self.identity.age.clone();
        self.room_keys_with(room, &identity, None)
    }

    /// The same with another identity (an invite's), which may know a first header's hash.
    pub(super) fn room_keys_with(
        &mut self,
        room: RoomId,
        identity: &AgeIdentity,
        told: Option<(Epoch, Hash)>,
    ) -> Result<RoomKeys, MemberError> {
        let mut bundles = vec![];
        loop {
            let after = bundles.len();
            let path = format!("/api/rooms/{room}/bundles?after={after}");
            let served: Served = self.rest.get(&path)?;
            read(room, &served, &mut bundles)?;
            if !served.more || bundles.len() == after {
                break;
            }
        }
        let known = self.profile.room(room)?.head.or(told);
        self.believe(&bundles, known)?;
        let mut keys = RoomKeys { bundles, keys: BTreeMap::new() };
        keys.open(identity);
        if let Some(last) = keys.bundles.last() {
            let head = (last.header.epoch, last.header_hash());
            self.profile.update(room, |memory| {
                if memory.head.is_none_or(|(epoch, _)| epoch < head.0) {
                    memory.head = Some(head);
                }
            })?;
        }
        Ok(keys)
    }

    /// Judges a chain from the newest epoch that is known; without one, from the newest that lists
    /// this person, else the newest of all.
    fn believe(
        &mut self,
        bundles: &[Bundle],
        known: Option<(Epoch, Hash)>,
    ) -> Result<(), MemberError> {
        let me = self.user();
        let start = match known {
            Some((epoch, hash)) => {
                let at = bundles.iter().position(|bundle| bundle.header.epoch == epoch);
                let at = at.ok_or_else(|| {
                    MemberError::distrust(format!("the box hides epoch {epoch}, which was there"))
                })?;
                if bundles[at].header_hash() != hash {
                    let problem = format!("the room is split: epoch {epoch} is another one now");
                    return Err(MemberError::distrust(problem));
                }
                at
            }
            None => {
                let mine = bundles.iter().rposition(|one| one.header.member(me).is_some());
                let Some(at) = mine.or(bundles.len().checked_sub(1)) else { return Ok(()) };
                self.check_own_word(&bundles[at])?;
                at
            }
        };
        for at in start + 1..bundles.len() {
            self.check_next(&bundles[..at], &bundles[at])?;
        }
        Ok(())
    }

    /// The first bundle one sees: at least its signature is that of the keys it lists itself.
    fn check_own_word(&mut self, bundle: &Bundle) -> Result<(), MemberError> {
        let by = bundle.header.by;
        for card in self.all_cards(by)? {
            if bundle.verify_signature(card.sign_key()).is_ok() {
                return Ok(());
            }
        }
        Err(MemberError::NoCard { user: by })
    }

    fn check_next(&mut self, before: &[Bundle], next: &Bundle) -> Result<(), MemberError> {
        let Some(previous) = before.last() else { return Ok(()) };
        let by = next.header.by;
        let print = previous.header.member(by).or(next.header.member(by));
        let print = print.ok_or(MemberError::NoCard { user: by })?;
        let card = self.card(by, print)?;
        let ever = listed(before);
        let hash = previous.header_hash();
        chain::check_next(&previous.header, hash, next, &card, |user| ever.contains(&user))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
