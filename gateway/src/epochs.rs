//! Which bundles the box takes (sealing.md §3): it opens none, but keeps epochs in one line.

use std::collections::HashSet;

use hearth_protocol::event::Line;
use hearth_protocol::ids::{DeviceId, EventId, InviteCode, UserId};
use hearth_protocol::sealing::Hash;
use hearth_protocol::sealing::bundle::Bundle as SealedBundle;
use hearth_protocol::sealing::card::Card;
use hearth_protocol::sealing::epoch::Header;
use hearth_store::{Bundle, Change, Edit, Room};

use crate::app::App;
use crate::clock::random;
use crate::error::ApiError;
use crate::membership::RoomState;

/// What a bundle may refer to: the room as it will be when the change it comes with is made.
pub struct Setting<'a> {
    /// The room.
    pub room: &'a Room,
    /// Its members after the change.
    pub members: HashSet<UserId>,
    /// Its devices after the change.
    pub devices: HashSet<DeviceId>,
    /// Whom the current epoch lists.
    pub listed: &'a HashSet<UserId>,
    /// An invite that is made by the same change.
    pub new_invite: Option<InviteCode>,
}

impl<'a> Setting<'a> {
    /// The room as it is.
    pub fn of(state: &'a RoomState) -> Self {
        Self {
            room: &state.room,
            members: state.members.keys().copied().collect(),
            devices: state.devices.clone(),
            listed: &state.listed,
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
        let bundle = SealedBundle::parse(bytes)?;
        let header = &bundle.header;
        let room = setting.room;
        if header.by != by {
            return Err(bad("the bundle is signed by someone else than the login"));
        }
        self.check_signature(change, &bundle).await?;
        if header.room != room.id || header.rules.kind != room.kind {
            return Err(bad("the bundle is for another room or another kind of room"));
        }
        self.check_chain(room, header).await?;
        check_members(&setting, header)?;
        self.check_signer(&setting, by).await?;
        self.check_doors_and_invites(&setting, header).await?;
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

    /// The signature under the newest card of the signer, also one that comes with this change.
    async fn check_signature(
        &self,
        change: &Change,
        bundle: &SealedBundle,
    ) -> Result<(), ApiError> {
        let by = bundle.header.by;
        let brought = change.edits.iter().rev().find_map(|edit| match edit {
            Edit::PutCard { user, card } if *user == by => Some(card.clone()),
            _ => None,
        });
        let card = match brought {
            Some(card) => card,
            None => self.store.cards(by).await?.pop().ok_or_else(|| {
                ApiError::conflict("no_card", "the signer has no card")
                    .hint("PUT /api/users/me/card")
            })?,
        };
        let card = Card::parse_and_verify(&card)?;
        Ok(bundle.verify_signature(card.sign_key())?)
    }

    async fn check_chain(&self, room: &Room, header: &Header) -> Result<(), ApiError> {
        if header.epoch != room.epoch.saturating_add(1) {
            let message =
                format!("the room is in epoch {}, the bundle makes {}", room.epoch, header.epoch);
            return Err(ApiError::conflict("epoch_taken", message)
                .hint("fetch the bundles and make the next one"));
        }
        let prev = match self.store.bundle(room.id, room.epoch).await? {
            Some(current) => Hash::from_bytes(current.header_hash),
            None => Hash::ZERO,
        };
        if header.prev == prev {
            Ok(())
        } else {
            Err(ApiError::conflict("epoch_taken", "the bundle follows another header")
                .hint("fetch the bundles and make the next one"))
        }
    }

    /// Who signs is listed already, comes with a proof, or makes the first epoch.
    async fn check_signer(&self, setting: &Setting<'_>, by: UserId) -> Result<(), ApiError> {
        let room = setting.room;
        if room.epoch == 0 || setting.listed.contains(&by) {
            return Ok(());
        }
        if self.store.proofs(room.id).await?.iter().any(|proof| proof.user == by) {
            return Ok(());
        }
        Err(ApiError::conflict("not_listed", "the current epoch does not list you")
            .hint("wait for a key from someone at home"))
    }

    async fn check_doors_and_invites(
        &self,
        setting: &Setting<'_>,
        header: &Header,
    ) -> Result<(), ApiError> {
        for (device, ..) in &header.doors {
            if !setting.devices.contains(device) {
                return Err(ApiError::conflict("unknown_device", "a door of no device here"));
            }
        }
        for entry in &header.invites {
            if setting.new_invite == Some(entry.code) {
                continue;
            }
            let known = self.store.invite(entry.code).await?;
            if !known.is_some_and(|invite| invite.rooms.contains(&setting.room.id)) {
                return Err(ApiError::conflict("unknown_invite", "an invite the box has not"));
            }
        }
        Ok(())
    }
}

/// A bundle lists only members, and keeps everyone listed who still is one.
fn check_members(setting: &Setting<'_>, header: &Header) -> Result<(), ApiError> {
    let now: HashSet<UserId> = header.members.iter().map(|(user, _)| *user).collect();
    if let Some(stranger) = now.difference(&setting.members).next() {
        let message = format!("{stranger} is not a member of the room");
        return Err(ApiError::conflict("lists_stranger", message)
            .hint("read the members again; somebody may have left"));
    }
    let kept = |user: &&UserId| setting.members.contains(user) && !now.contains(user);
    match setting.listed.iter().find(kept) {
        Some(dropped) => {
            let message = format!("{dropped} is a member and was listed; the bundle drops them");
            Err(ApiError::conflict("drops_member", message))
        }
        None => Ok(()),
    }
}

fn bad(message: impl Into<String>) -> ApiError {
    ApiError::invalid("bad_bundle", message)
}
