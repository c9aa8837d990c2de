//! Epochs of a room: `/api/rooms/{id}/bundles` (sealing.md §3).

use std::sync::Arc;

use hearth_protocol::ids::{Epoch, RoomId};
use hearth_protocol::role::RoomAction;
use hearth_protocol::schema::B64u;
use hearth_store::Change;
use serde::{Deserialize, Serialize};
use utoipa::OpenApi;
use utoipa::{IntoParams, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::entries::limit_within;
use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::bundles::Setting;
use crate::error::ApiError;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(list, post))]
pub struct Doc;

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

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct After {
    /// Only later epochs.
    #[serde(default)]
    after: Epoch,
    /// How many at most.
    limit: Option<usize>,
}

/// An epoch with its keys, sealed to the members.
#[derive(Serialize, ToSchema)]
struct BundleView {
    epoch: Epoch,
    #[serde(with = "hearth_protocol::bytes")]
    #[schema(value_type = B64u)]
    bundle: Vec<u8>,
}

/// The epochs of a room, the oldest first.
#[derive(Serialize, ToSchema)]
struct BundleList {
    bundles: Vec<BundleView>,
    /// There are more: ask after the last one.
    more: bool,
}

/// Lists the epochs of a sealed room.
#[utoipa::path(get, path = "/api/rooms/{room}/bundles", params(After),
    responses((status = 200, body = BundleList)))]
async fn list(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    query: After,
) -> Result<Answer, ApiError> {
    let state = app.membership.require(room, caller.user, RoomAction::Read)?;
    let max = app.limits.page_bundles_max;
    let limit = limit_within(query.limit, max, max)?;
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
    Answer::ok(&BundleList { bundles, more })
}

/// The next epoch of a room.
#[derive(Deserialize, ToSchema)]
struct NewBundle {
    /// The bundle (sealing.md §3).
    #[serde(with = "hearth_protocol::bytes")]
    #[schema(value_type = B64u)]
    bundle: Vec<u8>,
}

/// The epoch that began.
#[derive(Serialize, ToSchema)]
struct EpochMade {
    epoch: Epoch,
}

/// Begins the next epoch of a sealed room.
#[utoipa::path(post, path = "/api/rooms/{room}/bundles", request_body = NewBundle,
    responses((status = 201, body = EpochMade)))]
async fn post(
    room: RoomId,
    app: Arc<App>,
    caller: Caller,
    request: NewBundle,
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
    Answer::created(&EpochMade { epoch: state.room.epoch + 1 })
}

#[cfg(test)]
mod tests;
