//! Devices of a room: `/api/rooms/{id}/devices`, `/api/devices/{id}` (sealing.md §5).

use std::sync::Arc;

use hearth_protocol::ids::{DeviceId, RoomId};
use hearth_protocol::principal::Account;
use hearth_protocol::role::RoomAction;
use hearth_store::Device;
use serde::Deserialize;
use serde_json::{Value, json};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::devices::NewDevice;
use crate::error::ApiError;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let list = path!("api" / "rooms" / RoomId / "devices")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(list)
        .map(answer);
    let add = path!("api" / "rooms" / RoomId / "devices")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(add)
        .map(answer);
    let remove = path!("api" / "devices" / DeviceId)
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .then(remove)
        .map(answer);
    list.or(add).unify().or(remove).unify().boxed()
}

fn view(app: &App, device: &Device) -> Value {
    json!({ "id": device.id, "room_id": device.room, "name": device.name,
            "created_at": device.created_at, "created_by": device.created_by,
            "door_epoch": device.door_epoch, "last_post_at": device.last_post_at,
            "last_refused": app.refusals.last(&Account::Device(device.id)) })
}

async fn list(room: RoomId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    app.membership.require(room, caller.user, RoomAction::Read)?;
    let devices = app.store.devices(room).await?;
    Answer::ok(
        &json!({ "devices": devices.iter().map(|device| view(&app, device)).collect::<Vec<_>>() }),
    )
}

#[derive(Deserialize)]
struct AddRequest {
    id: Option<DeviceId>,
    name: String,
    #[serde(default, with = "hearth_protocol::bytes::option")]
    bundle: Option<Vec<u8>>,
}

async fn add(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    request: AddRequest,
) -> Result<Answer, ApiError> {
    let state = app.membership.require(room, caller.user, RoomAction::ManageDevices)?;
    let AddRequest { id, name, bundle } = request;
    let new = NewDevice { id, name, by: caller.user, bundle };
    let (device, token) = app.add_device(&state, new).await?;
    Answer::created(&json!({ "device": view(&app, &device), "token": token }))
}

async fn remove(id: DeviceId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let missing = || ApiError::not_found("device");
    let room = app.membership.room_of(id).ok_or_else(missing)?;
    if !app.membership.is_member(room, caller.user) {
        return Err(missing());
    }
    app.membership.require(room, caller.user, RoomAction::ManageDevices)?;
    app.remove_device(room, id, Some(caller.user)).await?;
    Answer::nothing()
}
