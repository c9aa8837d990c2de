//! Which bundle may follow which: what a client believes about a room (sealing.md §3).
//!
//! A listed member vouches for whatever the next epoch says. Somebody who is not listed may add
//! himself by the proof of an invite, and change nothing else. Secrets are not looked at here:
//! [`Bundle::open`] checks that the key id fits, [`step_back`] finds where the way back leads.

use std::collections::{BTreeMap, HashSet};

use super::SealingError;
use super::bundle::Bundle;
use super::card::Card;
use super::epoch::{EpochKeys, Header, Invited};
use super::hash::Hash;
use super::invite::Joining;
use crate::ids::{Epoch, InviteCode, UserId};

/// How an epoch came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A member of the epoch before made it.
    Vouched,
    /// A newcomer listed himself by the proof of an invite.
    Joined,
}

fn rule(holds: bool, broken: &'static str) -> Result<(), SealingError> {
    if holds { Ok(()) } else { Err(SealingError::Chain(broken)) }
}

/// Checks a room's first epoch: its creator's word.
pub fn check_first(bundle: &Bundle, signer: &Card) -> Result<(), SealingError> {
    rule(bundle.header.epoch == 1, "it is not the room's first epoch")?;
    check_signer(&bundle.header, bundle, signer)
}

/// Checks that `next` may follow the epoch of `previous`, whose header's hash is `previous_hash`.
/// `listed_before` tells whom any older epoch has listed: nobody comes back by a proof.
pub fn check_next(
    previous: &Header,
    previous_hash: Hash,
    next: &Bundle,
    signer: &Card,
    listed_before: impl Fn(UserId) -> bool,
) -> Result<Origin, SealingError> {
    let header = &next.header;
    rule(header.room == previous.room, "it is of another room")?;
    rule(Some(header.epoch) == previous.epoch.checked_add(1), "its number is not the next")?;
    rule(header.prev == previous_hash, "it follows another header")?;
    rule(header.kid != previous.kid, "it has the key of the epoch before")?;
    let origin = if previous.member(header.by).is_some() {
        check_signer(previous, next, signer)?;
        Origin::Vouched
    } else {
        rule(!listed_before(header.by), "its maker was listed before and is no more")?;
        check_signer(header, next, signer)?;
        check_join_alone(previous, header)?;
        Origin::Joined
    };
    check_joins(previous, header)?;
    check_invites(previous, header)?;
    Ok(origin)
}

/// The signature, by the key that `listing` lists for the maker.
fn check_signer(listing: &Header, bundle: &Bundle, signer: &Card) -> Result<(), SealingError> {
    let by = bundle.header.by;
    if signer.user() != by {
        return Err(SealingError::Card("it is not the maker's of the epoch"));
    }
    if listing.member(by) != Some(signer.fingerprint()) {
        return Err(SealingError::Card("its keys are not those that the epoch lists"));
    }
    bundle.verify_signature(signer.sign_key())
}

/// A newcomer changes nothing but himself and one use of his invite.
fn check_join_alone(previous: &Header, next: &Header) -> Result<(), SealingError> {
    let [join] = next.joins.as_slice() else {
        return rule(false, "its maker is not listed in the epoch before and brings no proof");
    };
    rule(join.user == next.by, "its maker brings another one's proof")?;
    rule(next.rules == previous.rules, "a newcomer changes the rules")?;
    rule(same(&next.doors, &previous.doors), "a newcomer changes the devices")?;
    let others = next.members.iter().filter(|(user, _)| *user != next.by);
    rule(
        others.collect::<HashSet<_>>() == previous.members.iter().collect::<HashSet<_>>(),
        "a newcomer changes other members",
    )?;
    let expected: Vec<Invited> =
        previous.invites.iter().filter_map(|invite| used_once(invite, join.code)).collect();
    let found = next.invites.len() == expected.len()
        && next.invites.iter().all(|invite| expected.contains(invite));
    rule(found, "a newcomer changes the invites")
}

/// The invite after one use of `code`; none once it is used up.
fn used_once(invite: &Invited, code: InviteCode) -> Option<Invited> {
    let mut invite = invite.clone();
    if invite.code == code {
        invite.uses = invite.uses.saturating_sub(1);
    }
    (invite.uses > 0).then_some(invite)
}

fn same<T: Eq + std::hash::Hash>(a: &[T], b: &[T]) -> bool {
    a.iter().collect::<HashSet<_>>() == b.iter().collect::<HashSet<_>>()
}

/// How often each invite is used by the joins of an epoch.
fn uses(header: &Header) -> BTreeMap<InviteCode, u32> {
    header.joins.iter().fold(BTreeMap::new(), |mut uses, join| {
        let count = uses.entry(join.code).or_insert(0u32);
        *count = count.saturating_add(1);
        uses
    })
}

/// Every proof is of somebody new and verifies under the invites of the epoch before.
fn check_joins(previous: &Header, next: &Header) -> Result<(), SealingError> {
    for join in &next.joins {
        let invite = previous.invite(join.code);
        let invite = invite.ok_or(SealingError::Chain("a proof is of an unknown invite"))?;
        rule(next.at <= invite.expires, "a proof is of an expired invite")?;
        rule(previous.member(join.user).is_none(), "a proof is of somebody listed already")?;
        let listed = next.member(join.user);
        let fingerprint =
            listed.ok_or(SealingError::Chain("a proof is of somebody who is not listed"))?;
        let (code, room, user) = (join.code, next.room, join.user);
        let joining = Joining { code, room, user, fingerprint };
        joining.verify(&invite.sign_public, &join.proof)?;
    }
    Ok(())
}

/// An invite that stays is the same, and its uses fall by those who came.
fn check_invites(previous: &Header, next: &Header) -> Result<(), SealingError> {
    let came = uses(next);
    for invite in &previous.invites {
        let came = came.get(&invite.code).copied().unwrap_or(0);
        let left = invite.uses.checked_sub(came);
        let left =
            left.ok_or(SealingError::Chain("an invite is used more often than it allows"))?;
        let Some(after) = next.invite(invite.code) else { continue };
        rule(after.uses <= left, "an invite's uses do not fall")?;
        let as_before = Invited { uses: invite.uses, ..after.clone() } == *invite;
        rule(as_before, "an invite is not what it was")?;
    }
    Ok(())
}

/// Where the way back of `bundle`, whose keys are `keys`, leads: the newest of the `older` epochs
/// (epoch 1 first) whose key id its secret has, and its keys. `None`: the room hides what was
/// before, or the way leads nowhere, which is no error (decision 0051).
pub fn step_back(
    bundle: &Bundle,
    keys: &EpochKeys,
    older: &[Bundle],
) -> Option<(Epoch, EpochKeys)> {
    let Header { epoch, back, .. } = &bundle.header;
    let secret = keys.open_back(*epoch, back.as_deref()?).ok()?;
    let before = EpochKeys::new(keys.room, secret);
    let whose = older.iter().rev().find(|one| one.header.kid == before.kid)?;
    Some((whose.header.epoch, before))
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
