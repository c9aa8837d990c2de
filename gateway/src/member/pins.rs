//! Whose keys this person knows, by the pins of their vault: the box cannot put others in their
//! place without a word (sealing.md §1, §2).

use std::collections::BTreeMap;

use hearth_protocol::ids::UserId;
use hearth_protocol::sealing::card::Card;
use hearth_protocol::sealing::epoch::Header;
use hearth_protocol::sealing::vault::{self, Pin, PinState};
use hearth_protocol::sealing::{Fingerprint, Secret};
use serde::{Deserialize, Serialize};

use super::account::ServedVault;
use super::{Member, MemberError};

/// The pins of the newest vault that was read, as the profile keeps them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pins {
    /// The vault's version; 0: none was read yet.
    version: u64,
    of: BTreeMap<UserId, Pin>,
}

impl Pins {
    /// Those of the vault that the box serves, if it is newer than what these are of. One that
    /// this root does not open, or an older one, teaches nothing: what was known stays known.
    fn renewed(&self, served: &ServedVault, user: UserId, root: &Secret) -> Option<Pins> {
        let version = served.version;
        let data = vault::open_data(&served.vault, user, version, root).ok()?;
        (version > self.version).then_some(Pins { version, of: data.pins })
    }

    /// The keys that are somebody's as far as this person knows; none where they were told of
    /// others and have not accepted them.
    fn accepted(&self, user: UserId) -> Option<Fingerprint> {
        let pin = self.of.get(&user).filter(|pin| pin.state != PinState::Changed);
        pin.map(|pin| pin.fingerprint)
    }
}

impl Member {
    /// The pins as they are now: the vault is asked for once in a command.
    fn pins(&mut self) -> Result<&Pins, MemberError> {
        if self.people.pins.is_none() {
            let kept = self.profile.pins()?;
            let served = match self.rest.get::<ServedVault>("/api/vault") {
                Ok(served) => Some(served),
                // A box that hides the vault takes nothing away from what was read before.
                Err(MemberError::Refused { .. }) => None,
                Err(error) => return Err(error),
            };
            let (user, root) = (self.user(), self.identity.root());
            let renewed = served.and_then(|served| kept.renewed(&served, user, root));
            if let Some(renewed) = &renewed {
                self.profile.keep_pins(renewed)?;
            }
            self.people.pins = Some(renewed.unwrap_or(kept));
        }
        Ok(self.people.pins.get_or_insert_default())
    }

    /// The card to list somebody with, who is in the epoch before with the keys `listed`, or new.
    /// None: the box has none that is believed.
    pub(super) fn card_for(
        &mut self,
        user: UserId,
        listed: Option<Fingerprint>,
    ) -> Result<Option<Card>, MemberError> {
        let pins = self.pins()?;
        let (known, accepted) = (pins.of.contains_key(&user), pins.accepted(user));
        match accepted.or(listed) {
            Some(print) => self.current_card(user, print),
            None if known => Ok(None),
            None => self.newest_card(user),
        }
    }

    /// Notes whose keys changed, once in a command: what is sent can be read with them.
    pub(super) fn warn_of_changed(&mut self, header: &Header) -> Result<(), MemberError> {
        for user in self.listed_otherwise(header)? {
            let name = self.name_of(user);
            let warning = format!(
                "the keys of {name} are others than you knew: ask them, and accept the change in \
                 the web client (what you send can be read with the new keys)"
            );
            if !self.people.warnings.contains(&warning) {
                self.people.warnings.push(warning);
            }
        }
        Ok(())
    }

    /// What the person should know, noted since it was last asked for.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.people.warnings)
    }

    /// Who of an epoch is listed with keys that are not those this person knows of them.
    pub fn listed_otherwise(&mut self, header: &Header) -> Result<Vec<UserId>, MemberError> {
        let me = self.user();
        let pins = self.pins()?.clone();
        let mut changed = vec![];
        for (user, listed) in header.members.iter().filter(|(user, _)| *user != me) {
            let Some(pin) = pins.of.get(user) else { continue };
            let is_known = pin.state != PinState::Changed
                && (pin.fingerprint == *listed || self.leads(*user, pin.fingerprint, *listed)?);
            if !is_known {
                changed.push(*user);
            }
        }
        Ok(changed)
    }
}

#[cfg(test)]
mod tests;
