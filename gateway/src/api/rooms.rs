//! Rooms: `/api/rooms`.

use std::cmp::Reverse;
use std::sync::Arc;

use hearth_protocol::ids::{RoomId, UserId};
use hearth_protocol::refusal::Kind;
use hearth_protocol::role::{HouseAction, RoomType};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::entries::limit_within;
use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use super::room_view::RoomView;
use crate::app::App;
use crate::error::ApiError;
use crate::membership::RoomState;
use crate::rooms::{NewRoom, RoomChanges};

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(mine, make, public, one, change, remove, join, leave))]
pub struct Doc;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let mine = path!("api" / "rooms")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(mine)
        .map(answer);
    let make = path!("api" / "rooms")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(make)
        .map(answer);
    let public = path!("api" / "rooms" / "public")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .and(warp::query())
        .then(public)
        .map(answer);
    let one = path!("api" / "rooms" / RoomId)
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(one)
        .map(answer);
    let change = path!("api" / "rooms" / RoomId)
        .and(warp::put())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(change)
        .map(answer);
    let remove = path!("api" / "rooms" / RoomId)
        .and(warp::delete())
        .and(with(app))
        .and(caller(app))
        .then(remove)
        .map(answer);
    let join = path!("api" / "rooms" / RoomId / "join")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .then(join)
        .map(answer);
    let leave = path!("api" / "rooms" / RoomId / "leave")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .then(leave)
        .map(answer);
    let lists = mine.or(make).unify().or(public).unify().or(one).unify();
    let changes = change.or(remove).unify().or(join).unify().or(leave).unify();
    lists.or(changes).unify().boxed()
}

/// Rooms, the one with the latest message first.
#[derive(Serialize, ToSchema)]
pub struct RoomList {
    rooms: Vec<RoomView>,
}

impl RoomList {
    /// The rooms that somebody is in.
    pub async fn of(app: &App, user: UserId) -> Result<Self, ApiError> {
        let states = newest_first(app, app.membership.rooms_of(user)).await?;
        Ok(Self { rooms: views(app, &states, user).await? })
    }
}

/// Those with the latest message first; one that ended meanwhile is left out.
async fn newest_first(
    app: &App,
    states: Vec<Arc<RoomState>>,
) -> Result<Vec<Arc<RoomState>>, ApiError> {
    let mut keyed = Vec::with_capacity(states.len());
    for state in states {
        if let Some(stored) = app.store.room(state.room.id).await? {
            keyed.push((Reverse((stored.last_message_at, stored.id)), state));
        }
    }
    keyed.sort_by_key(|(key, _)| *key);
    Ok(keyed.into_iter().map(|(_, state)| state).collect())
}

async fn views(
    app: &App,
    states: &[Arc<RoomState>],
    user: UserId,
) -> Result<Vec<RoomView>, ApiError> {
    let (mut rooms, mut left) = (Vec::with_capacity(states.len()), app.limits.list_events_max);
    for state in states {
        match RoomView::within(app, state, user, &mut left).await {
            Err(error) if error.0.kind == Kind::NotFound => {}
            view => rooms.push(view?),
        }
    }
    Ok(rooms)
}

/// Lists the rooms one is in.
#[utoipa::path(get, path = "/api/rooms", responses((status = 200, body = RoomList)))]
async fn mine(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    Answer::ok(&RoomList::of(&app, caller.user).await?)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PublicRequest {
    /// How many at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// Those that stand after this one in the list.
    after: Option<RoomId>,
}

/// A page of rooms, the one with the latest message first.
#[derive(Serialize, ToSchema)]
struct RoomPage {
    rooms: Vec<RoomView>,
    /// After which the next page begins; `None`: this is the last one.
    next: Option<RoomId>,
}

/// Gives a page of the public rooms of the house.
#[utoipa::path(get, path = "/api/rooms/public", params(PublicRequest),
    responses((status = 200, body = RoomPage)))]
async fn public(app: Arc<App>, caller: Caller, request: PublicRequest) -> Result<Answer, ApiError> {
    let max = app.limits.page_entries_max;
    let limit = limit_within(request.limit, max, max)?;
    // Who may not find rooms sees those that they are in.
    let mut states = match app.roles.may(caller.user, HouseAction::FindRooms) {
        true => app.membership.rooms(),
        false => app.membership.rooms_of(caller.user),
    };
    states.retain(|state| state.room.kind == RoomType::Public);
    let states = newest_first(&app, states).await?;
    let from = match request.after {
        None => 0,
        Some(after) => {
            let at = states.iter().position(|state| state.room.id == after);
            at.ok_or_else(|| ApiError::not_found("room"))? + 1
        }
    };
    let to = states.len().min(from + limit);
    let next = states[from..to].last().map(|state| state.room.id).filter(|_| to < states.len());
    let rooms = views(&app, &states[from..to], caller.user).await?;
    Answer::ok(&RoomPage { rooms, next })
}

/// Shows a room.
#[utoipa::path(get, path = "/api/rooms/{room}", responses((status = 200, body = RoomView)))]
async fn one(id: RoomId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let state = app.seen_room(id, caller.user)?;
    Answer::ok(&RoomView::new(&app, &state, caller.user).await?)
}

/// Makes a room; 200 with the direct room that there is.
#[utoipa::path(post, path = "/api/rooms", request_body = NewRoom,
    responses((status = 200, body = RoomView), (status = 201, body = RoomView)))]
async fn make(app: Arc<App>, caller: Caller, new: NewRoom) -> Result<Answer, ApiError> {
    let (state, is_new) = app.make_room(caller.user, new).await?;
    let view = RoomView::new(&app, &state, caller.user).await?;
    if is_new { Answer::created(&view) } else { Answer::ok(&view) }
}

/// Changes a room.
#[utoipa::path(put, path = "/api/rooms/{room}", request_body = RoomChanges,
    responses((status = 200, body = RoomView)))]
async fn change(
    id: RoomId,
    app: Arc<App>,
    caller: Caller,
    changes: RoomChanges,
) -> Result<Answer, ApiError> {
    let state = app.update_room(id, caller.user, changes).await?;
    Answer::ok(&RoomView::new(&app, &state, caller.user).await?)
}

/// Ends a room.
#[utoipa::path(delete, path = "/api/rooms/{room}", responses((status = 204)))]
async fn remove(id: RoomId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    app.remove_room(id, caller.user).await?;
    Answer::nothing()
}

/// Enters a public room.
#[utoipa::path(post, path = "/api/rooms/{room}/join", responses((status = 200, body = RoomView)))]
async fn join(id: RoomId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let state = app.join_room(id, caller.user).await?;
    Answer::ok(&RoomView::new(&app, &state, caller.user).await?)
}

/// Leaves a room.
#[utoipa::path(post, path = "/api/rooms/{room}/leave", responses((status = 204)))]
async fn leave(id: RoomId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    app.leave_room(id, caller.user).await?;
    Answer::nothing()
}

#[cfg(test)]
mod tests;
