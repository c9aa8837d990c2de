//! Epochs of a room: `/api/rooms/{id}/bundles` (sealing.md §3).

use std::sync::Arc;

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::{Epoch, RoomId};
use hearth_protocol::role::RoomAction;
use hearth_store::Change;
use serde::Deserialize;
use serde_json::json;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::bundles::Setting;
use crate::error::ApiError;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let list = path!("api" / "rooms" / RoomId / "bundles")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .and(warp::query())
        .then(list)
        .map(answer);
    let post = path!("api" / "rooms" / RoomId / "bundles")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(post)
        .map(answer);
    list.or(post).unify().boxed()
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: Epoch,
}

async fn list(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    query: After,
) -> Result<Answer, ApiError> {
    app.membership.require(room, caller.user, RoomAction::Read)?;
    let bundles = app.store.bundles(room, query.after).await?;
    let bundles: Vec<_> = bundles
        .iter()
        .map(|bundle| json!({ "epoch": bundle.epoch, "bundle": b64u(&bundle.bytes) }))
        .collect();
    Answer::ok(&json!({ "bundles": bundles }))
}

#[derive(Deserialize)]
struct BundleRequest {
    #[serde(with = "hearth_protocol::bytes")]
    bundle: Vec<u8>,
}

async fn post(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    request: BundleRequest,
) -> Result<Answer, ApiError> {
    let state = app.membership.require(room, caller.user, RoomAction::Rotate)?;
    if !state.is_sealed() {
        return Err(ApiError::conflict("room_is_open", "an open room has no epochs"));
    }
    let mut change = Change::of(vec![], app.clock.now_ms());
    change.checks.push((room, state.room.version));
    let setting = Setting::of(&state);
    app.add_bundle(&mut change, setting, caller.user, &request.bundle).await?;
    app.change_epoch(change).await?;
    Answer::created(&json!({ "epoch": state.room.epoch + 1 }))
}
