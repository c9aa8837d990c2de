//! A person who signed in on this machine: what `hearth login`, `send`, `tail`, `seal`, `open`,
//! `invite`, `pair` and `device add` act as (design §8), and a client for tests.
//!
//! Read in this order:
//!
//! - [`profile`]: what is kept in the profile folder · [`account`]: how one signs in
//! - [`rest`]: the box's REST as this client uses it · [`mqtt`]: its MQTT
//! - [`trust`]: whom it believes over TLS · `tunnel`: MQTT over TLS
//! - [`people`]: cards and names · [`pins`]: whose keys are known
//! - [`rooms`]: rooms and who is in them
//! - [`epochs`]: a room's bundles, believed step by step · [`rotation`]: making the next one
//! - [`sending`]: one message out · [`reading`]: messages in, with [`order`]: what of them is
//!   missing, [`spelling`]: their text · [`opening`]: one that was carried here by hand
//! - [`export`]: all of one's own, as plain lines
//! - [`invites`], [`devices`]: links and doors · [`pairing`]: a new device without a password
//!
//! Everything blocks: it is made for a command line, not for the appliance.

pub mod account;
pub mod devices;
pub mod epochs;
pub mod error;
pub mod export;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod hostile;
pub mod invites;
pub mod mqtt;
pub mod opening;
mod order;
pub mod pairing;
pub mod people;
pub mod pins;
mod posts;
pub mod profile;
pub mod reading;
pub mod rest;
pub mod rooms;
pub mod rotation;
pub mod sending;
mod spelling;
pub mod trust;
mod tunnel;

use std::path::Path;

use hearth_protocol::ids::UserId;
use hearth_protocol::sealing::identity::Identity;

pub use error::MemberError;

use crate::clock::{Clock, SystemClock};
use people::People;
use profile::Profile;
use rest::Rest;

/// A signed-in person with keys at hand.
pub struct Member {
    rest: Rest,
    profile: Profile,
    identity: Identity,
    people: People,
}

impl Member {
    /// The person of a profile folder, with a fresh token.
    pub fn open(folder: &Path) -> Result<Member, MemberError> {
        let mut profile = Profile::load(folder)?;
        let identity = profile.identity()?;
        let account = profile.account();
        let mut rest = Rest::new(&account.url, account.trust.clone())?;
        profile.renew(|refresh| rest.refresh(refresh))?;
        Ok(Member { rest, profile, identity, people: People::default() })
    }

    /// Whose profile it is.
    pub fn user(&self) -> UserId {
        self.profile.account().user
    }

    /// The user name.
    pub fn name(&self) -> &str {
        &self.profile.account().name
    }

    /// The address of the box.
    pub fn url(&self) -> &str {
        &self.profile.account().url
    }

    /// The box's REST, signed in.
    pub fn rest(&self) -> &Rest {
        &self.rest
    }

    /// The keys.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }
}

/// Now, in ms since 1970: the outermost edge of this client.
fn now_ms() -> u64 {
    SystemClock.now_ms()
}

/// The system's randomness in the shape the sealing takes.
fn random_fill(out: &mut [u8]) {
    for part in out.chunks_mut(32) {
        let bytes: [u8; 32] = crate::clock::random();
        part.copy_from_slice(&bytes[..part.len()]);
    }
}
