//! What the box's owner sees of accounts, rooms, devices and grants, a line each.

use hearth_protocol::ids::{DeviceId, RoomId};
use hearth_protocol::role::{HouseRole, RoomType, Sealing};
use hearth_store::{Grant, History};
use serde::{Deserialize, Serialize};

use crate::refusals::LastRefused;

/// An account.
#[derive(Debug, Serialize, Deserialize)]
pub struct UserLine {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is in the house.
    pub role: HouseRole,
    /// Whether it has keys of its own.
    pub vault: bool,
}

/// A room.
#[derive(Debug, Serialize, Deserialize)]
pub struct RoomLine {
    /// Its id.
    pub id: RoomId,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: RoomType,
    /// Whether the box can read it.
    pub sealing: Sealing,
    /// How many are in it.
    pub members: usize,
    /// What a newcomer sees of its history.
    pub history: History,
    /// Days that an event is kept; 0: as the house's settings say.
    pub keep_days: usize,
    /// Bytes of events that are kept; 0: as the house's settings say.
    pub keep_bytes: u64,
}

/// A device.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeviceLine {
    /// Its id, also its MQTT user name.
    pub id: DeviceId,
    /// Its name.
    pub name: String,
    /// Its room.
    pub room: RoomId,
    /// That room's name.
    pub room_name: String,
    /// What it was refused last, if anything since the box started.
    pub last_refused: Option<LastRefused>,
}

/// A grant.
#[derive(Debug, Serialize, Deserialize)]
pub struct GrantLine {
    /// What is granted.
    #[serde(flatten)]
    pub grant: Grant,
    /// The name of the user or device that has it.
    pub name: String,
}
