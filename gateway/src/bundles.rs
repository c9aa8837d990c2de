//! Which bundles the box takes (sealing.md §3): it opens none, but keeps epochs in one line.

pub mod daily;
mod standing;

use std::collections::HashSet;

use hearth_protocol::event::Line;
use hearth_protocol::ids::{DeviceId, Epoch, EventId, UserId};
use hearth_protocol::limits::{days_ms, hours_ms};
use hearth_protocol::refusal::Kind;
use hearth_protocol::role::RoomAction;
use hearth_protocol::sealing::bundle::Bundle as SealedBundle;
use hearth_protocol::sealing::card::Card;
use hearth_protocol::sealing::chain;
use hearth_protocol::sealing::epoch::Header;
use hearth_protocol::sealing::hash::{Fingerprint, Hash};
use hearth_store::{Bundle, Change, Edit, Invite, Room};

use crate::app::App;
use crate::clock::random;
use crate::error::ApiError;
use crate::membership::RoomState;

/// The window of `epochs_per_10_min`.
const EPOCHS_WINDOW_MS: u64 = 10 * 60_000;

/// What a bundle may refer to: the room as it will be when the change it comes with is made.
pub struct Setting<'a> {
    /// The room.
    pub room: &'a Room,
    /// Its members after the change.
    pub members: HashSet<UserId>,
    /// Its devices after the change.
    pub devices: HashSet<DeviceId>,
    /// An invite that is made by the same change.
    pub new_invite: Option<&'a Invite>,
}

impl<'a> Setting<'a> {
    /// The room as it is.
    pub fn of(state: &'a RoomState) -> Self {
        Self {
            room: &state.room,
            members: state.members.keys().copied().collect(),
            devices: state.devices.clone(),
            new_invite: None,
        }
    }
}

impl App {
    /// Checks a bundle by `by` and adds to `change` what makes it the room's next epoch.
    pub async fn add_bundle(
        &self,
        change: &mut Change,
        setting: Setting<'_>,
        by: UserId,
        bytes: &[u8],
    ) -> Result<(), ApiError> {
        let max = self.limits.bundle_bytes_max;
        if bytes.len() > max {
            return Err(bad(format!("the bundle has {} bytes, at most {max}", bytes.len())));
        }
        self.check_pace(setting.room, change.at_ms).await?;
        let bundle = SealedBundle::parse(bytes)?;
        let header = &bundle.header;
        let room = setting.room;
        if header.by != by {
            return Err(bad("the bundle is signed by someone else than the login"));
        }
        if header.room != room.id || header.rules.kind != room.kind {
            return Err(bad("the bundle is for another room or another kind of room"));
        }
        if !bundle.is_whole() {
            return Err(bad("the bundle's header has a field that this box does not know"));
        }
        self.check_made(header.at, change.at_ms)?;
        let previous = self.previous(room, header).await?;
        self.check_rules(room, previous.as_ref(), header)?;
        let listed: Vec<UserId> = header.members.iter().map(|(user, _)| *user).collect();
        let cards = self.cards_of(change, &listed).await?;
        self.check_follows(room, previous.as_ref(), &bundle, &cards).await?;
        check_members(&setting, previous.as_ref(), header)?;
        check_fingerprints(previous.as_ref(), header, &cards)?;
        check_replaced(previous.as_ref(), header, &cards)?;
        check_doors(&setting, header)?;
        self.check_invites(&setting, header, change.at_ms).await?;
        self.check_standing(&setting, previous.as_ref(), header).await?;
        let max = self.limits.bundle_bytes_per_day;
        self.bundled.count(by, bytes.len(), change.at_ms, max)?;
        let header_hash = bundle.header_hash();
        change.edits.push(Edit::PutBundle(Bundle {
            room: room.id,
            epoch: header.epoch,
            bytes: bytes.to_vec(),
            header_hash: *header_hash.as_bytes(),
            by,
            at: change.at_ms,
        }));
        for proof in self.store.proofs(room.id).await? {
            if header.members.iter().any(|(user, _)| *user == proof.user) {
                change.edits.push(Edit::RemoveProof { room: room.id, user: proof.user });
            }
        }
        let line = Line::Epoch { epoch: header.epoch, by, header: header_hash };
        change.line(room.id, line, EventId::new(change.at_ms, random()));
        Ok(())
    }

    /// The rules are those of the epoch before, unless whoever manages the room changes them.
    fn check_rules(
        &self,
        room: &Room,
        previous: Option<&SealedBundle>,
        header: &Header,
    ) -> Result<(), ApiError> {
        if previous.is_some_and(|previous| previous.header.rules != header.rules) {
            self.membership.require(room.id, header.by, RoomAction::ManageRoom)?;
        }
        Ok(())
    }

    /// What is far ahead of the time would never grow old: no epoch would be due after it. A box
    /// whose own clock is doubted cannot tell.
    pub fn check_made(&self, made_ms: u64, now_ms: u64) -> Result<(), ApiError> {
        let hours = self.limits.made_ahead_hours_max;
        if made_ms <= now_ms.saturating_add(hours_ms(hours)) || self.trust.is_doubted() {
            return Ok(());
        }
        let message = format!("it says to be made more than {hours} hours from now");
        Err(ApiError::invalid("clock_ahead", message)
            .hint("set the clock of your device, or that of the box"))
    }

    /// Epochs are kept for ever: a room makes only so many at a time.
    async fn check_pace(&self, room: &Room, now_ms: u64) -> Result<(), ApiError> {
        let max = self.limits.epochs_per_10_min;
        let Ok(max) = Epoch::try_from(max) else { return Ok(()) };
        let back = (room.epoch + 1).checked_sub(max).filter(|back| max > 0 && *back > 0);
        let Some(back) = back else { return Ok(()) };
        let Some(earlier) = self.store.bundle(room.id, back).await? else { return Ok(()) };
        let free_at = earlier.at.saturating_add(EPOCHS_WINDOW_MS);
        if free_at <= now_ms {
            return Ok(());
        }
        let retry_after_ms = free_at - now_ms;
        let message = format!("the room had {max} epochs in 10 minutes, which is the most");
        Err(ApiError::new(Kind::TooMany { retry_after_ms }, "too_fast", message)
            .hint("wait; the current epoch goes on"))
    }

    /// The bundle that this one says it follows; none for a room's first.
    async fn previous(
        &self,
        room: &Room,
        header: &Header,
    ) -> Result<Option<SealedBundle>, ApiError> {
        let taken = |message: String| {
            ApiError::conflict("epoch_taken", message)
                .hint("fetch the bundles and make the next one")
        };
        if header.epoch != room.epoch.saturating_add(1) {
            let (is, makes) = (room.epoch, header.epoch);
            return Err(taken(format!("the room is in epoch {is}, the bundle makes {makes}")));
        }
        let current = match self.store.bundle(room.id, room.epoch).await? {
            Some(current) => Some(SealedBundle::parse(&current.bytes)?),
            None => None,
        };
        if header.prev == current.as_ref().map_or(Hash::ZERO, SealedBundle::header_hash) {
            Ok(current)
        } else {
            Err(taken("the bundle follows another header".to_string()))
        }
    }

    /// All cards of these people, those included that come with this change.
    pub async fn cards_of(
        &self,
        change: &Change,
        people: &[UserId],
    ) -> Result<Vec<Card>, ApiError> {
        let mut cards = vec![];
        for user in people {
            for bytes in self.store.cards(*user).await? {
                cards.push(Card::parse_and_verify(&bytes)?);
            }
        }
        for edit in &change.edits {
            if let Edit::PutCard { card, .. } = edit {
                cards.push(Card::parse_and_verify(card)?);
            }
        }
        Ok(cards)
    }

    /// What clients check too (sealing.md §3): a bundle that none of them believes would be the
    /// room's end.
    async fn check_follows(
        &self,
        room: &Room,
        previous: Option<&SealedBundle>,
        bundle: &SealedBundle,
        cards: &[Card],
    ) -> Result<(), ApiError> {
        let by = bundle.header.by;
        let Some(previous) = previous else {
            let signer = card_of(cards, by, bundle.header.member(by))?;
            return Ok(chain::check_first(bundle, signer)?);
        };
        let listed = previous.header.member(by);
        if listed.is_none() {
            let proofs = self.store.proofs(room.id).await?;
            if !proofs.iter().any(|proof| proof.user == by) || self.was_listed(room, by).await? {
                let message = "the current epoch does not list you";
                return Err(ApiError::conflict("not_listed", message)
                    .hint("wait for a key from someone at home"));
            }
        }
        let signer = card_of(cards, by, listed.or(bundle.header.member(by)))?;
        let hash = previous.header_hash();
        chain::check_next(&previous.header, hash, bundle, signer, |_| false)?;
        Ok(())
    }

    /// Every invite that the header keeps is one of the box's, as it was made, and not ended.
    async fn check_invites(
        &self,
        setting: &Setting<'_>,
        header: &Header,
        now_ms: u64,
    ) -> Result<(), ApiError> {
        for entry in &header.invites {
            let invite = match setting.new_invite {
                Some(new) if new.code == entry.code => new.clone(),
                _ => self.store.invite(entry.code).await?.ok_or_else(unknown_invite)?,
            };
            // A client's clock may be behind: an invite may stand a day longer than it opens.
            let over = invite.expires_at.saturating_add(days_ms(1)) < now_ms;
            let as_made = invite.rooms.contains(&setting.room.id)
                && (entry.by, entry.expires) == (invite.by, invite.expires_at);
            if invite.revoked || over || !as_made || !setting.members.contains(&invite.by) {
                return Err(unknown_invite());
            }
        }
        Ok(())
    }
}

fn unknown_invite() -> ApiError {
    ApiError::conflict("unknown_invite", "the bundle keeps an invite that is none or has ended")
        .hint("fetch the invites and leave it out")
}

/// The card with which somebody is listed.
fn card_of(cards: &[Card], user: UserId, listed: Option<Fingerprint>) -> Result<&Card, ApiError> {
    let fits = |card: &&Card| card.user() == user && Some(card.fingerprint()) == listed;
    cards.iter().find(fits).ok_or_else(|| {
        ApiError::conflict("no_card", "the signer has no card with the listed fingerprint")
            .hint("PUT /api/users/me/card")
    })
}

/// Whoever is listed is listed with the fingerprint of before or with that of an own card.
fn check_fingerprints(
    previous: Option<&SealedBundle>,
    header: &Header,
    cards: &[Card],
) -> Result<(), ApiError> {
    for (user, fingerprint) in &header.members {
        let before = previous.and_then(|bundle| bundle.header.member(*user));
        if before != Some(*fingerprint) {
            card_of(cards, *user, Some(*fingerprint))?;
        }
    }
    Ok(())
}

/// Whoever is listed already lists nobody with keys that signed newer ones: of a lost device, say.
fn check_replaced(
    previous: Option<&SealedBundle>,
    header: &Header,
    cards: &[Card],
) -> Result<(), ApiError> {
    // A newcomer may change nothing but himself.
    let listed = previous.is_some_and(|bundle| bundle.header.member(header.by).is_some());
    let over = |(user, fingerprint): &&(UserId, Fingerprint)| {
        let of: Vec<&Card> = cards.iter().filter(|card| card.user() == *user).collect();
        let mut pairs = of.windows(2).filter(|pair| pair[0].fingerprint() == *fingerprint);
        pairs.any(|pair| pair[1].follows(pair[0]) == Ok(true))
    };
    match header.members.iter().find(over).filter(|_| listed) {
        Some((user, _)) => {
            let message = format!("the keys listed for {user} have signed newer ones");
            Err(ApiError::conflict("old_card", message)
                .hint("fetch their cards and list the newest"))
        }
        None => Ok(()),
    }
}

fn check_doors(setting: &Setting<'_>, header: &Header) -> Result<(), ApiError> {
    match header.doors.iter().find(|(device, ..)| !setting.devices.contains(device)) {
        Some(_) => Err(ApiError::conflict("unknown_device", "a door of no device here")),
        None => Ok(()),
    }
}

/// A bundle lists only members, and keeps everyone listed who still is one.
fn check_members(
    setting: &Setting<'_>,
    previous: Option<&SealedBundle>,
    header: &Header,
) -> Result<(), ApiError> {
    let now: HashSet<UserId> = header.members.iter().map(|(user, _)| *user).collect();
    if let Some(stranger) = now.difference(&setting.members).next() {
        let message = format!("{stranger} is not a member of the room");
        return Err(ApiError::conflict("lists_stranger", message)
            .hint("read the members again; somebody may have left"));
    }
    let mut listed = previous.iter().flat_map(|bundle| &bundle.header.members);
    let dropped = listed.find(|(user, _)| setting.members.contains(user) && !now.contains(user));
    match dropped {
        Some((dropped, _)) => {
            let message = format!("{dropped} is a member and was listed; the bundle drops them");
            Err(ApiError::conflict("drops_member", message))
        }
        None => Ok(()),
    }
}

fn bad(message: impl Into<String>) -> ApiError {
    ApiError::invalid("bad_bundle", message)
}

#[cfg(test)]
mod tests;
