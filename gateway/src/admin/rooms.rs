//! What the box's owner does with rooms: makes open ones, says what they keep, lets guests in.

use hearth_protocol::ids::{InviteCode, RoomId, UserId};
use hearth_protocol::limits::days_ms;
use hearth_protocol::role::{HouseRole, RoomRole, RoomType, Sealing};
use hearth_store::{Change, Edit, History, Subject};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::finding::find_room;
use super::{Reply, room_line};
use crate::accounts::member;
use crate::app::App;
use crate::audit::{self, AuditAction};
use crate::clock::random;
use crate::error::ApiError;
use crate::invites::Terms;
use crate::membership::RoomState;

/// How a room's history is kept; what is not there stays.
#[derive(Serialize, Deserialize)]
pub struct RoomKeeps {
    /// Days, 0 as the house's settings say.
    pub keep_days: Option<usize>,
    /// Bytes, 0 as the house's settings say.
    pub keep_bytes: Option<u64>,
    /// What a newcomer sees.
    pub history: Option<History>,
}

/// A link by which anybody comes in as a guest.
#[derive(Debug, Serialize, Deserialize)]
pub struct GuestLink {
    /// Of the invite.
    pub code: InviteCode,
    /// The room's name.
    pub room: String,
    /// Below the house's address.
    pub path: String,
    /// How often it is used.
    pub uses: u32,
    /// Until when it opens and its guests stay, ms since 1970.
    pub until: u64,
}

/// Makes an open room, owned by the house's owner.
pub(super) async fn add(app: &App, name: &str, kind: RoomType) -> Result<Reply, ApiError> {
    let users = app.store.users().await?;
    let owner = users.iter().find(|user| user.role == HouseRole::Owner).ok_or_else(|| {
        ApiError::conflict("no_owner", "nobody lives here yet").hint("set the house up first")
    })?;
    let now = app.clock.now_ms();
    let mut room = app.new_room(RoomId::new(now, random()), name, kind, owner.id)?;
    room.sealing = Sealing::Open;
    let mut change = Change::of(vec![Edit::PutRoom(room.clone())], now);
    change.edits.push(Edit::PutMember(member(&room, owner.id, RoomRole::Owner, now)));
    let detail = json!({ "name": room.name });
    audit::note(&mut change, None, AuditAction::RoomAdd, Subject::Room(room.id), detail);
    app.store.change(change).await?;
    Ok(Reply::Rooms(vec![room_line(&*find_room(app, &room.id.to_string())?)]))
}

/// Says how a room's history is kept.
pub(super) async fn set(app: &App, room: &str, keeps: RoomKeeps) -> Result<Reply, ApiError> {
    let old = find_room(app, room)?.room.clone();
    let RoomKeeps { keep_days, keep_bytes, history } = keeps;
    let edit = Edit::SetHistory {
        room: old.id,
        history: history.unwrap_or(old.history),
        keep_days: keep_days.unwrap_or(old.keep_days),
        keep_bytes: keep_bytes.unwrap_or(old.keep_bytes),
    };
    let mut change = Change::of(vec![edit], app.clock.now_ms());
    let detail = json!({ "history": history, "keep_days": keep_days, "keep_bytes": keep_bytes });
    audit::note(&mut change, None, AuditAction::RoomUpdate, Subject::Room(old.id), detail);
    app.store.change(change).await?;
    Ok(Reply::Rooms(vec![room_line(&*find_room(app, &old.id.to_string())?)]))
}

/// Lets anybody who has the link into an open room, as a guest for so many days.
pub(super) async fn let_guests_in(
    app: &App,
    room: &str,
    days: usize,
    uses: u32,
) -> Result<Reply, ApiError> {
    let state = find_room(app, room)?;
    let maker = owner_of(app, &state).await?;
    let until = app.clock.now_ms().saturating_add(days_ms(days));
    let terms = Terms { expires_at: Some(until), uses, guest_until: Some(until) };
    let invite = app.invite_openly(&state, maker, None, terms).await?;
    let (code, room) = (invite.code, state.room.name.clone());
    Ok(Reply::Guests(GuestLink { code, room, path: invite_path(code), uses, until }))
}

/// Where a link without a secret of its own leads, below the house's address.
pub fn invite_path(code: InviteCode) -> String {
    format!("/i/{code}")
}

/// In whose name the box's shell lets people in: an owner of the room who can sign in.
async fn owner_of(app: &App, state: &RoomState) -> Result<UserId, ApiError> {
    let now = app.clock.now_ms();
    let owners = state.members.iter().filter(|(_, role)| **role == RoomRole::Owner);
    let mut owners: Vec<UserId> = owners.map(|(user, _)| *user).collect();
    owners.sort_unstable();
    for owner in owners {
        if app.person(owner).await?.may_sign_in(now).is_ok() {
            return Ok(owner);
        }
    }
    Err(ApiError::conflict("no_owner", "no owner of this room can sign in")
        .hint("make somebody else its owner"))
}
