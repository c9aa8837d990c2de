//! Devices: machines with a door into one room. A name is used once in a room for ever, so that
//! history never tells of two devices by one name; one token opens one door.

use hearth_protocol::ids::{DeviceId, Epoch, RoomId, UserId};
use hearth_protocol::limits::Limits;
use serde::{Deserialize, Serialize};

use crate::engine::Order;
use crate::error::{Rule, StoreError};
use crate::grants::{self, Grantee};
use crate::stage::Stage;
use crate::store::Store;
use crate::{keys, record, rooms};

/// A machine that posts to one room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Never changes.
    pub id: DeviceId,
    /// Its only room.
    pub room: RoomId,
    /// What it is called; never reused in its room.
    pub name: String,
    /// SHA-256 of its token.
    #[serde(with = "hearth_protocol::bytes::array")]
    pub token_hash: [u8; 32],
    /// ms since 1970.
    pub created_at: u64,
    /// By whom.
    pub created_by: UserId,
    /// The epoch that made its door; 0 in open rooms.
    pub door_epoch: Epoch,
    /// Kept by the store: when its newest post came, ms since 1970; 0 = never.
    pub last_post_at: u64,
    /// What becomes of a post in clear in a sealed room.
    pub plain: Plain,
}

/// What becomes of what a device posts in clear in a sealed room (sealing.md §5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Plain {
    /// It is refused.
    #[default]
    Refuse,
    /// The box seals it to the device's door as it comes.
    Seal,
}

impl Store {
    /// A device.
    pub async fn device(&self, device: DeviceId) -> Result<Option<Device>, StoreError> {
        self.load("device", keys::device(device)).await
    }

    /// A room's devices, the oldest first.
    pub async fn devices(&self, room: RoomId) -> Result<Vec<Device>, StoreError> {
        let mut devices = vec![];
        for (key, _) in self.scan_all(keys::devices_of(room)).await? {
            let id = DeviceId::from_bytes(record::id16("device", &key)?);
            devices.extend(self.device(id).await?);
        }
        Ok(devices)
    }

    /// The device whose token has this SHA-256.
    pub async fn device_by_token(&self, hash: [u8; 32]) -> Result<Option<Device>, StoreError> {
        match self.engine().get(keys::device_token(hash)).await? {
            Some(id) => self.device(DeviceId::from_bytes(record::id16("device", &id)?)).await,
            None => Ok(None),
        }
    }
}

/// A new device.
pub(crate) async fn put(
    stage: &mut Stage<'_>,
    device: &Device,
    limits: &Limits,
) -> Result<(), StoreError> {
    check_name(&device.name, limits)?;
    rooms::require(stage, device.room).await?;
    if stage.get(keys::device(device.id)).await?.is_some() {
        return Err(StoreError::IdTaken { what: "device" });
    }
    let name = keys::device_name(device.room, &device.name);
    if stage.get(name.clone()).await?.is_some() {
        return Err(StoreError::NameTaken { name: device.name.clone() });
    }
    let max = limits.devices_per_room_max;
    let there = stage.scan(keys::devices_of(device.room), Order::Ascending, max).await?.len();
    if there >= max {
        return Err(StoreError::LimitReached { what: "devices of this room", max });
    }
    stage.put(name, id(device.id));
    stage.put(keys::device_of(device.room, device.id), bytes::Bytes::new());
    stage.put(keys::device_token(device.token_hash), id(device.id));
    stage.save("device", keys::device(device.id), device)?;
    stage.touch_room(device.room);
    Ok(())
}

/// What a device may be called: lower-case letters, digits and dashes (design §5).
pub fn check_name(name: &str, limits: &Limits) -> Result<(), StoreError> {
    let (min, max) = (1, limits.device_name_chars_max);
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (min..=max).contains(&name.len()) && name.bytes().all(good) {
        return Ok(());
    }
    let (what, of) = ("a device's name", "lower-case letters, digits or dashes");
    Err(Rule::BadName { what, min, max, of }.into())
}

/// Another token or door, or another word about its posts in clear.
pub(crate) async fn update(stage: &mut Stage<'_>, device: &Device) -> Result<(), StoreError> {
    let old = require(stage, device.id).await?;
    stage.delete(keys::device_token(old.token_hash));
    stage.put(keys::device_token(device.token_hash), id(device.id));
    let (door_epoch, plain) = (device.door_epoch, device.plain);
    let device = Device { token_hash: device.token_hash, door_epoch, plain, ..old };
    stage.save("device", keys::device(device.id), &device)?;
    stage.touch_room(device.room);
    Ok(())
}

/// Ends a device and its grants; its name stays used.
pub(crate) async fn remove(stage: &mut Stage<'_>, device: DeviceId) -> Result<(), StoreError> {
    let old = require(stage, device).await?;
    grants::remove_all(stage, Grantee::Device(device)).await?;
    stage.delete(keys::device_token(old.token_hash));
    stage.delete(keys::device_of(old.room, device));
    stage.delete(keys::device(device));
    stage.touch_room(old.room);
    Ok(())
}

/// The device, which must be there.
pub(crate) async fn require(stage: &Stage<'_>, device: DeviceId) -> Result<Device, StoreError> {
    let found = stage.load("device", keys::device(device)).await?;
    found.ok_or(StoreError::NotFound { what: "device" })
}

fn id(device: DeviceId) -> bytes::Bytes {
    bytes::Bytes::copy_from_slice(device.as_bytes())
}
