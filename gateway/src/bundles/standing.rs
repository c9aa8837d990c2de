//! What an epoch carries on from the one before: whoever does not manage a room's devices and
//! invites takes none away by making its next epoch (decision 0060).

use hearth_protocol::ids::Epoch;
use hearth_protocol::role::RoomAction;
use hearth_protocol::sealing::Recipient;
use hearth_protocol::sealing::bundle::Bundle as SealedBundle;
use hearth_protocol::sealing::epoch::{Header, Invited};

use super::Setting;
use crate::app::App;
use crate::error::ApiError;

impl App {
    /// Every door of a device that is there, and every invite that has not ended, stays: unless
    /// the maker of the epoch could end it.
    pub(super) async fn check_standing(
        &self,
        setting: &Setting<'_>,
        previous: Option<&SealedBundle>,
        header: &Header,
    ) -> Result<(), ApiError> {
        let Some(previous) = previous.map(|bundle| &bundle.header) else { return Ok(()) };
        let may = |action| self.membership.require(setting.room.id, header.by, action).is_ok();
        if !may(RoomAction::ManageDevices) {
            check_doors_stay(setting, previous, header)?;
        }
        if !may(RoomAction::Invite) {
            self.check_invites_stay(setting, previous, header).await?;
        }
        Ok(())
    }

    /// Its own invites somebody may end; of others as many uses go as people came by them.
    async fn check_invites_stay(
        &self,
        setting: &Setting<'_>,
        previous: &Header,
        header: &Header,
    ) -> Result<(), ApiError> {
        for invite in previous.invites.iter().filter(|invite| invite.by != header.by) {
            let came = header.joins.iter().filter(|join| join.code == invite.code).count();
            let left = usize::try_from(invite.uses).unwrap_or(usize::MAX).saturating_sub(came);
            let stays = header.invite(invite.code).map_or(0, |invite| invite.uses);
            let as_left = usize::try_from(stays).is_ok_and(|stays| stays == left);
            if !as_left && !self.has_ended(setting, invite, header.at).await? {
                let message = format!("the bundle takes uses of the invite {} away", invite.code);
                return Err(ApiError::conflict("drops_invite", message)
                    .hint("fetch the invites; its maker or an admin can take it back"));
            }
        }
        Ok(())
    }

    /// Whether an invite opens this room no more at a time of its members' clocks.
    async fn has_ended(
        &self,
        setting: &Setting<'_>,
        invite: &Invited,
        at: u64,
    ) -> Result<bool, ApiError> {
        let over = invite.expires <= at || !setting.members.contains(&invite.by);
        Ok(over || self.store.invite(invite.code).await?.is_none_or(|known| known.revoked))
    }
}

/// A door stays as it is, or is renewed by this very epoch.
fn check_doors_stay(
    setting: &Setting<'_>,
    previous: &Header,
    header: &Header,
) -> Result<(), ApiError> {
    let stays = |before: (Recipient, Epoch), now: Option<(Recipient, Epoch)>| {
        now.is_some_and(|now| now == before || now.1 == header.epoch)
    };
    let mut here = previous.doors.iter().filter(|(device, ..)| setting.devices.contains(device));
    let dropped =
        here.find(|(device, recipient, made)| !stays((*recipient, *made), header.door(*device)));
    match dropped {
        Some((device, ..)) => {
            let message = format!("the device {device} is there and the bundle drops its door");
            Err(ApiError::conflict("drops_door", message)
                .hint("fetch the devices; an admin of the room can remove one"))
        }
        None => Ok(()),
    }
}
