//! Devices: machines with a door into one room.

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::{DeviceId, RoomId, UserId};
use hearth_protocol::sealing::kdf::sha256;
use hearth_store::{Change, Device, Edit, Plain, Subject, devices};
use serde_json::json;

use crate::app::App;
use crate::audit::{self, AuditAction};
use crate::auth::DEVICE_TOKEN;
use crate::bundles::Setting;
use crate::clock::random;
use crate::error::ApiError;
use crate::membership::RoomState;

/// What makes a device.
pub struct NewDevice {
    /// Made by the client in sealed rooms, because its door key is derived from it.
    pub id: Option<DeviceId>,
    /// `[a-z0-9-]{1,32}`.
    pub name: String,
    /// Who adds it; `None`: the box's own shell, in the name of who made the room.
    pub by: Option<UserId>,
    /// The epoch with its door, in sealed rooms.
    pub bundle: Option<Vec<u8>>,
    /// What becomes of its posts in clear, in sealed rooms.
    pub plain: Plain,
}

/// In an open room there is nothing to seal.
fn check_plain(state: &RoomState, plain: Plain) -> Result<(), ApiError> {
    if plain == Plain::Seal && !state.is_sealed() {
        let message = "the room is open: the box keeps what devices post there as it is";
        return Err(ApiError::conflict("room_is_open", message));
    }
    Ok(())
}

impl App {
    /// Adds a device; the token is shown once and kept as a hash.
    pub async fn add_device(
        &self,
        state: &RoomState,
        new: NewDevice,
    ) -> Result<(Device, String), ApiError> {
        devices::check_name(&new.name, &self.limits)?;
        check_plain(state, new.plain)?;
        let now = self.clock.now_ms();
        let token = format!("{DEVICE_TOKEN}{}", b64u(&random::<32>()));
        let room = &state.room;
        let by = new.by.unwrap_or(room.created_by);
        let device = Device {
            id: new.id.unwrap_or_else(|| DeviceId::new(now, random())),
            room: room.id,
            name: new.name,
            token_hash: sha256(token.as_bytes()),
            created_at: now,
            created_by: by,
            door_epoch: if state.is_sealed() { room.epoch + 1 } else { 0 },
            last_post_at: 0,
            plain: new.plain,
        };
        let mut change = Change::of(vec![Edit::PutDevice(device.clone())], now);
        change.checks.push((room.id, room.version));
        let detail = json!({ "room": room.id, "name": device.name, "plain": device.plain });
        let subject = Subject::Device(device.id);
        audit::note(&mut change, new.by, AuditAction::DeviceAdd, subject, detail);
        if state.is_sealed() {
            let (Some(bundle), true) = (new.bundle, new.id.is_some()) else {
                return Err(ApiError::conflict(
                    "bundle_required",
                    "the room is sealed: a device comes with its id and an epoch that has its door",
                )
                .hint("add it in the web client, or `hearth login` and `hearth device add`"));
            };
            let mut setting = Setting::of(state);
            setting.devices.insert(device.id);
            self.add_bundle(&mut change, setting, by, &bundle).await?;
        }
        self.change_epoch(change).await?;
        Ok((device, token))
    }

    /// What becomes of a device's posts in clear from now on; `by` is an admin of its room.
    pub async fn change_device(
        &self,
        state: &RoomState,
        device: Device,
        plain: Plain,
        by: UserId,
    ) -> Result<Device, ApiError> {
        check_plain(state, plain)?;
        if device.plain == plain {
            return Ok(device);
        }
        let detail =
            json!({ "room": device.room, "name": device.name, "from": device.plain, "to": plain });
        let device = Device { plain, ..device };
        let edits = vec![Edit::UpdateDevice(device.clone())];
        let mut change = Change::of(edits, self.clock.now_ms());
        change.checks.push((state.room.id, state.room.version));
        let subject = Subject::Device(device.id);
        audit::note(&mut change, Some(by), AuditAction::DeviceChange, subject, detail);
        self.store.change(change).await?;
        Ok(device)
    }

    /// Ends a device: its token opens nothing from now on. `by`: an admin of its room, or (`None`)
    /// the box's own shell.
    pub async fn remove_device(
        &self,
        room: RoomId,
        device: DeviceId,
        by: Option<UserId>,
    ) -> Result<(), ApiError> {
        let mut change = Change::of(vec![Edit::RemoveDevice(device)], self.clock.now_ms());
        let detail = json!({ "room": room });
        audit::note(&mut change, by, AuditAction::DeviceRemove, Subject::Device(device), detail);
        self.store.change(change).await?;
        tracing::info!(%room, %device, "a device was removed");
        Ok(())
    }
}
