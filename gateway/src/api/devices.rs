//! Devices of a room: `/api/rooms/{id}/devices`, `/api/devices/{id}` (sealing.md §5).

use std::sync::Arc;

use hearth_protocol::ids::{DeviceId, Epoch, RoomId, UserId};
use hearth_protocol::principal::Account;
use hearth_protocol::role::RoomAction;
use hearth_protocol::schema::B64u;
use hearth_store::{Device, Plain};
use serde::{Deserialize, Serialize};
use utoipa::OpenApi;
use utoipa::ToSchema;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::devices::NewDevice;
use crate::error::ApiError;
use crate::membership::RoomState;
use crate::refusals::LastRefused;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(list, add, change, remove))]
pub struct Doc;

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
    let change = path!("api" / "devices" / DeviceId)
        .and(warp::patch())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(change)
        .map(answer);
    let remove = path!("api" / "devices" / DeviceId)
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .then(remove)
        .map(answer);
    list.or(add).unify().or(change).unify().or(remove).unify().boxed()
}

/// A device as the members of its room see it.
#[derive(Serialize, ToSchema)]
struct DeviceView {
    id: DeviceId,
    room_id: RoomId,
    name: String,
    /// ms since 1970.
    created_at: u64,
    created_by: UserId,
    /// The epoch that made its door; 0 in an open room.
    door_epoch: Epoch,
    /// ms since 1970; 0: never.
    last_post_at: u64,
    #[schema(value_type = PlainSchema)]
    plain: Plain,
    last_refused: Option<LastRefused>,
}

impl DeviceView {
    fn new(app: &App, device: Device) -> Self {
        Self {
            last_refused: app.refusals.last(&Account::Device(device.id)),
            id: device.id,
            room_id: device.room,
            name: device.name,
            created_at: device.created_at,
            created_by: device.created_by,
            door_epoch: device.door_epoch,
            last_post_at: device.last_post_at,
            plain: device.plain,
        }
    }
}

/// The devices of a room.
#[derive(Serialize, ToSchema)]
struct DeviceList {
    devices: Vec<DeviceView>,
}

/// A new device with the token that nobody sees again.
#[derive(Serialize, ToSchema)]
struct DeviceMade {
    device: DeviceView,
    token: String,
}

/// Lists the devices of a room.
#[utoipa::path(get, path = "/api/rooms/{room}/devices",
    responses((status = 200, body = DeviceList)))]
async fn list(room: RoomId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    app.membership.require(room, caller.user, RoomAction::Read)?;
    let devices = app.store.devices(room).await?;
    let view = |device| DeviceView::new(&app, device);
    Answer::ok(&DeviceList { devices: devices.into_iter().map(view).collect() })
}

/// A machine that is to post to a room.
#[derive(Deserialize, ToSchema)]
struct AddDevice {
    id: Option<DeviceId>,
    name: String,
    #[serde(default, with = "hearth_protocol::bytes::option")]
    #[schema(value_type = Option<B64u>)]
    bundle: Option<Vec<u8>>,
    /// In a sealed room: whether the box seals what the device posts in clear.
    #[serde(default)]
    #[schema(value_type = Option<PlainSchema>)]
    plain: Plain,
}

/// The description's word for [`Plain`].
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "the description's word for what the store has")]
enum PlainSchema {
    Refuse,
    Seal,
}

/// Adds a device to a room; its token is told this once.
#[utoipa::path(post, path = "/api/rooms/{room}/devices", request_body = AddDevice,
    responses((status = 201, body = DeviceMade)))]
async fn add(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    request: AddDevice,
) -> Result<Answer, ApiError> {
    let state = app.membership.require(room, caller.user, RoomAction::ManageDevices)?;
    let AddDevice { id, name, bundle, plain } = request;
    let new = NewDevice { id, name, by: Some(caller.user), bundle, plain };
    let (device, token) = app.add_device(&state, new).await?;
    Answer::created(&DeviceMade { device: DeviceView::new(&app, device), token })
}

/// What is to be otherwise.
#[derive(Deserialize, ToSchema)]
struct ChangeDevice {
    #[schema(value_type = PlainSchema)]
    plain: Plain,
}

/// Says what becomes of a device's posts in clear in its sealed room.
#[utoipa::path(patch, path = "/api/devices/{device}", request_body = ChangeDevice,
    responses((status = 200, body = DeviceView)))]
async fn change(
    id: DeviceId,
    app: Arc<App>,
    caller: Caller,
    request: ChangeDevice,
) -> Result<Answer, ApiError> {
    let state = managed(&app, id, caller.user)?;
    let device = app.store.device(id).await?.ok_or_else(|| ApiError::not_found("device"))?;
    let device = app.change_device(&state, device, request.plain, caller.user).await?;
    Answer::ok(&DeviceView::new(&app, device))
}

/// The room of a device that somebody manages there.
fn managed(app: &App, id: DeviceId, user: UserId) -> Result<Arc<RoomState>, ApiError> {
    let missing = || ApiError::not_found("device");
    let room = app.membership.room_of(id).ok_or_else(missing)?;
    if !app.membership.is_member(room, user) {
        return Err(missing());
    }
    Ok(app.membership.require(room, user, RoomAction::ManageDevices)?)
}

/// Removes a device; its name is never used again.
#[utoipa::path(delete, path = "/api/devices/{device}",
    responses((status = 204)))]
async fn remove(id: DeviceId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let state = managed(&app, id, caller.user)?;
    app.remove_device(state.room.id, id, Some(caller.user)).await?;
    Answer::nothing()
}
