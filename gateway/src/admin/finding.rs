//! What the box's owner names: accounts, rooms and devices by name or id.

use std::sync::Arc;

use hearth_store::{Grantee, User};

use super::lines::DeviceLine;
use super::{GrantTo, devices};
use crate::app::App;
use crate::error::ApiError;
use crate::membership::RoomState;

/// Who is to be granted something.
pub(super) async fn find_grantee(app: &App, to: GrantTo) -> Result<Grantee, ApiError> {
    Ok(match to {
        GrantTo::User(name) => Grantee::User(find_user(app, &name).await?.id),
        GrantTo::Device(text) => Grantee::Device(find_device(devices(app).await?, &text)?.id),
    })
}

/// An account by its name.
pub(super) async fn find_user(app: &App, name: &str) -> Result<User, ApiError> {
    let missing = || ApiError::not_found(&format!("user `{name}`")).hint("see `hearth user list`");
    app.store.user_by_name(name).await?.ok_or_else(missing)
}

/// A room by its id, or by its name where only one has it.
pub(super) fn find_room(app: &App, text: &str) -> Result<Arc<RoomState>, ApiError> {
    let mut found = app.membership.rooms();
    found.retain(|state| state.room.id.to_string() == text || state.room.name == text);
    only(found, "room", text)
}

/// A device by its id, or by its name where only one has it.
pub(super) fn find_device(mut found: Vec<DeviceLine>, text: &str) -> Result<DeviceLine, ApiError> {
    found.retain(|device| device.id.to_string() == text || device.name == text);
    only(found, "device", text)
}

fn only<T>(mut found: Vec<T>, what: &str, text: &str) -> Result<T, ApiError> {
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (None, _) => Err(ApiError::not_found(&format!("{what} `{text}`"))),
        (Some(_), false) => {
            let message = format!("more than one {what} is called `{text}`");
            Err(ApiError::conflict("ambiguous", message).hint("give its id"))
        }
    }
}
