//! Epochs of a room: `/api/rooms/{id}/bundles` (sealing.md §3).

use std::sync::Arc;

use hearth_protocol::ids::{Epoch, RoomId};
use hearth_protocol::role::RoomAction;
use hearth_store::Change;
use serde::{Deserialize, Serialize};
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
    /// How many at most.
    limit: Option<usize>,
}

async fn list(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    query: After,
) -> Result<Answer, ApiError> {
    let state = app.membership.require(room, caller.user, RoomAction::Read)?;
    let max = app.limits.page_bundles_max;
    let limit = query.limit.unwrap_or(max);
    if !(1..=max).contains(&limit) {
        return Err(ApiError::invalid("bad_limit", format!("limit is 1 to {max}")));
    }
    let mut room_left = app.limits.page_bundles_mib.saturating_mul(1024 * 1024);
    let mut bundles = vec![];
    let mut after = query.after;
    while bundles.len() < limit {
        let Some(bundle) = app.store.bundles_page(room, after, 1).await?.pop() else { break };
        let bytes = bundle.bytes.len();
        if bytes > room_left && !bundles.is_empty() {
            break;
        }
        room_left = room_left.saturating_sub(bytes);
        after = bundle.epoch;
        bundles.push(BundleView { epoch: bundle.epoch, bundle: bundle.bytes });
    }
    let more = after < state.room.epoch && !bundles.is_empty();
    Answer::ok(&BundlePage { bundles, more })
}

/// Epochs of a room, ascending.
#[derive(Debug, Serialize)]
struct BundlePage {
    bundles: Vec<BundleView>,
    /// There are more: ask after the last one.
    more: bool,
}

/// An epoch of a room.
#[derive(Debug, Serialize)]
struct BundleView {
    epoch: Epoch,
    #[serde(with = "hearth_protocol::bytes")]
    bundle: Vec<u8>,
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

#[cfg(test)]
mod tests;
