//! Rooms: `/api/rooms`.

use std::collections::HashSet;
use std::sync::Arc;

use hearth_protocol::ids::{Epoch, Position, RoomId, UserId};
use hearth_protocol::role::{RoomAction, RoomRole, RoomType, Sealing};
use hearth_protocol::schema::B64u;
use hearth_store::{Change, Edit, History, Pin};
use serde::{Deserialize, Serialize};
use utoipa::OpenApi;
use utoipa::ToSchema;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use crate::accounts::member;
use crate::app::App;
use crate::bundles::Setting;
use crate::clock::random;
use crate::error::ApiError;
use crate::membership::RoomState;
use crate::names::check_title;

/// A room as one of its members sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoomView {
    id: RoomId,
    name: String,
    description: String,
    #[serde(rename = "type")]
    kind: RoomType,
    sealing: Sealing,
    general: bool,
    /// ms since 1970.
    created_at: u64,
    created_by: UserId,
    /// ms since 1970.
    last_message_at: u64,
    head_position: Position,
    first_position: Position,
    my_role: Option<RoomRole>,
    epoch: Epoch,
    rotation_due: bool,
    version: u64,
    history: History,
    /// Days that an event is kept; 0: as the house's settings say.
    keep_days: usize,
    /// Bytes of events that are kept; 0: as the house's settings say.
    keep_bytes: u64,
    pins: Vec<Pin>,
}

impl RoomView {
    /// The room for `user`, who may not be in it (public rooms).
    pub async fn new(app: &App, state: &RoomState, user: UserId) -> Result<Self, ApiError> {
        let room = state.room.clone();
        let head_position = app.store.head(room.id).await?;
        let stored = app.store.room(room.id).await?.ok_or_else(|| ApiError::not_found("room"))?;
        Ok(Self {
            head_position,
            last_message_at: stored.last_message_at,
            my_role: state.members.get(&user).copied(),
            id: room.id,
            name: room.name,
            description: room.description,
            kind: room.kind,
            sealing: room.sealing,
            general: room.general,
            created_at: room.created_at,
            created_by: room.created_by,
            first_position: room.first_position,
            epoch: room.epoch,
            rotation_due: room.rotation_due,
            version: room.version,
            history: room.history,
            keep_days: room.keep_days,
            keep_bytes: room.keep_bytes,
            pins: room.pins,
        })
    }
}

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(mine, make, public, one, join, leave))]
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
        .then(public)
        .map(answer);
    let one = path!("api" / "rooms" / RoomId)
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(one)
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
    lists.or(join).unify().or(leave).unify().boxed()
}

/// Rooms, the one with the latest message first.
#[derive(Serialize, ToSchema)]
struct RoomList {
    rooms: Vec<RoomView>,
}

async fn views(app: &App, states: Vec<Arc<RoomState>>, user: UserId) -> Result<Answer, ApiError> {
    let mut rooms = Vec::with_capacity(states.len());
    for state in states {
        rooms.push(RoomView::new(app, &state, user).await?);
    }
    rooms.sort_by_key(|room| std::cmp::Reverse((room.last_message_at, room.id)));
    Answer::ok(&RoomList { rooms })
}

/// Lists the rooms one is in.
#[utoipa::path(get, path = "/api/rooms", responses((status = 200, body = RoomList)))]
async fn mine(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    views(&app, app.membership.rooms_of(caller.user), caller.user).await
}

/// Lists the public rooms of the house.
#[utoipa::path(get, path = "/api/rooms/public", responses((status = 200, body = RoomList)))]
async fn public(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let mut states = app.membership.rooms();
    states.retain(|state| state.room.kind == RoomType::Public);
    views(&app, states, caller.user).await
}

/// Shows a room.
#[utoipa::path(get, path = "/api/rooms/{room}", responses((status = 200, body = RoomView)))]
async fn one(id: RoomId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let state = match app.membership.room(id) {
        Some(state) if state.room.kind == RoomType::Public => state,
        _ => app.membership.require(id, caller.user, RoomAction::Read)?,
    };
    Answer::ok(&RoomView::new(&app, &state, caller.user).await?)
}

/// A room to be made; a sealed one brings `id` and `bundle`.
#[derive(Deserialize, ToSchema)]
struct NewRoom {
    id: Option<RoomId>,
    name: String,
    #[serde(rename = "type")]
    kind: RoomType,
    sealing: Option<Sealing>,
    #[serde(default)]
    description: String,
    #[serde(default, with = "hearth_protocol::bytes::option")]
    #[schema(value_type = Option<B64u>)]
    bundle: Option<Vec<u8>>,
}

/// Makes a room.
#[utoipa::path(post, path = "/api/rooms", request_body = NewRoom,
    responses((status = 201, body = RoomView)))]
async fn make(app: Arc<App>, caller: Caller, new: NewRoom) -> Result<Answer, ApiError> {
    if new.kind == RoomType::Direct {
        return Err(ApiError::invalid("bad_type", "a room made by name is public or private"));
    }
    let now = app.clock.now_ms();
    let sealing = new.sealing.unwrap_or(new.kind.default_sealing());
    let id = new.id.unwrap_or_else(|| RoomId::new(now, random()));
    let mut room = app.new_room(id, &new.name, new.kind, caller.user)?;
    room.sealing = sealing;
    room.description = check_description(&app, &new.description)?;
    let mut change = Change::of(vec![Edit::PutRoom(room.clone())], now);
    change.edits.push(Edit::PutMember(member(&room, caller.user, RoomRole::Owner, now)));
    match (sealing, new.bundle) {
        (Sealing::Open, _) => {}
        (Sealing::Sealed, Some(bundle)) if new.id.is_some() => {
            let setting = Setting {
                room: &room,
                members: HashSet::from([caller.user]),
                devices: HashSet::new(),
                new_invite: None,
            };
            app.add_bundle(&mut change, setting, caller.user, &bundle).await?;
        }
        (Sealing::Sealed, _) => {
            return Err(ApiError::conflict(
                "bundle_required",
                "a sealed room is made with its id and its first bundle",
            )
            .hint("make it in the web client, or say \"sealing\": \"open\""));
        }
    }
    app.store.change(change).await?;
    let state = app.membership.room(id).ok_or_else(|| ApiError::not_found("room"))?;
    Answer::created(&RoomView::new(&app, &state, caller.user).await?)
}

fn check_description(app: &App, text: &str) -> Result<String, ApiError> {
    if text.trim().is_empty() {
        return Ok(String::new());
    }
    check_title("a description", text, app.limits.room_description_chars_max)
}

/// Enters a public room.
#[utoipa::path(post, path = "/api/rooms/{room}/join", responses((status = 200, body = RoomView)))]
async fn join(id: RoomId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let state = match app.membership.room(id) {
        Some(state) if state.room.kind == RoomType::Public => state,
        // A private room one is not in is not there.
        _ => app.membership.require(id, caller.user, RoomAction::Read)?,
    };
    if !state.members.contains_key(&caller.user) {
        let mut change = Change::of(vec![], app.clock.now_ms());
        app.enter(&mut change, &state.room, caller.user);
        app.store.change(change).await?;
    }
    let state = app.membership.require(id, caller.user, RoomAction::Read)?;
    Answer::ok(&RoomView::new(&app, &state, caller.user).await?)
}

/// Leaves a room.
#[utoipa::path(post, path = "/api/rooms/{room}/leave", responses((status = 204)))]
async fn leave(id: RoomId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let state = app.membership.require(id, caller.user, RoomAction::Read)?;
    if state.room.general {
        return Err(ApiError::conflict("general_is_everyones", "nobody leaves the general room"));
    }
    let owners = state.members.values().filter(|role| **role == RoomRole::Owner).count();
    let is_owner = state.members.get(&caller.user) == Some(&RoomRole::Owner);
    if is_owner && owners == 1 && state.members.len() > 1 {
        return Err(ApiError::conflict("last_owner", "a room keeps an owner")
            .hint("hand the room over first"));
    }
    app.remove_member(&state, caller.user, None).await?;
    Answer::nothing()
}
