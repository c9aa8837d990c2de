//! Rooms: how they come to be and end; [`changes`] to them. Every door calls these.

mod changes;

use hearth_protocol::schema::B64u;
use std::collections::HashSet;
use std::sync::Arc;

use hearth_protocol::ids::{Position, RoomId, UserId};
use hearth_protocol::role::{HouseAction, RoomAction, RoomRole, RoomType, Sealing};
use hearth_protocol::sealing::bundle::Bundle as SealedBundle;
use hearth_protocol::topic::Topic;
use hearth_store::{Change, Edit, History, Room, StoreError, Subject};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

pub use self::changes::RoomChanges;
use crate::accounts::member;
use crate::app::App;
use crate::audit::{self, AuditAction};
use crate::bundles::Setting;
use crate::clock::random;
use crate::error::ApiError;
use crate::membership::RoomState;
use crate::names::check_title;

/// What makes a room: `POST /api/rooms`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({ "name": "Kitchen", "type": "public" }))]
pub struct NewRoom {
    /// Made by the client in sealed rooms, because the first bundle names it.
    pub id: Option<RoomId>,
    /// 1 to 100 characters; none in a direct room.
    pub name: Option<String>,
    /// Who finds it.
    #[serde(rename = "type")]
    pub kind: RoomType,
    /// As its type says unless it is given.
    pub sealing: Option<Sealing>,
    /// What it is about.
    #[serde(default)]
    pub description: String,
    /// The first epoch of a sealed room.
    #[serde(default, with = "hearth_protocol::bytes::option")]
    #[schema(value_type = Option<B64u>)]
    pub bundle: Option<Vec<u8>>,
    /// The other person of a direct room.
    pub user_id: Option<UserId>,
}

impl App {
    /// A room that is not stored yet.
    pub fn new_room(
        &self,
        id: RoomId,
        name: &str,
        kind: RoomType,
        by: UserId,
    ) -> Result<Room, ApiError> {
        let now = self.clock.now_ms();
        Ok(Room {
            id,
            name: check_title("a room's name", name, self.limits.room_name_chars_max)?,
            description: String::new(),
            kind,
            sealing: kind.default_sealing(),
            general: false,
            created_at: now,
            created_by: by,
            version: 0,
            epoch: 0,
            rotation_due: false,
            first_position: Position(1),
            last_message_at: now,
            direct: None,
            history: History::All,
            keep_days: 0,
            keep_bytes: 0,
            pins: vec![],
        })
    }

    /// Where a member's sight of a room's history begins.
    pub async fn sight(&self, state: &RoomState, user: UserId) -> Result<Position, ApiError> {
        match state.room.history {
            History::All => Ok(Position::START),
            History::SinceJoin => {
                let member = self.store.member(state.room.id, user).await?;
                Ok(member.ok_or_else(|| ApiError::not_found("room"))?.joined_position)
            }
        }
    }

    /// A room that somebody may see: one's own, or a public one, if one may find such.
    pub fn seen_room(&self, room: RoomId, user: UserId) -> Result<Arc<RoomState>, ApiError> {
        match self.membership.room(room) {
            Some(state)
                if state.room.kind == RoomType::Public
                    && self.roles.may(user, HouseAction::FindRooms) =>
            {
                Ok(state)
            }
            // A private room one is not in is not there.
            _ => Ok(self.membership.require(room, user, RoomAction::Read)?),
        }
    }

    /// Makes a room; a direct one with somebody is found where there is one already. Whether it is
    /// new.
    pub async fn make_room(
        &self,
        by: UserId,
        new: NewRoom,
    ) -> Result<(Arc<RoomState>, bool), ApiError> {
        if !self.roles.may(by, HouseAction::MakeRooms) {
            return Err(ApiError::forbidden("a guest makes no rooms").hint("ask somebody at home"));
        }
        let with = self.other_of(by, &new).await?;
        if let Some(other) = with
            && let Some(known) = self.direct_of(by, other).await?
        {
            return Ok((known, false));
        }
        let now = self.clock.now_ms();
        let id = new.id.unwrap_or_else(|| RoomId::new(now, random()));
        let name = match with {
            // Each of the two sees the other's name in its place.
            Some(_) => "Direct",
            None => new.name.as_deref().unwrap_or_default(),
        };
        let mut room = self.new_room(id, name, new.kind, by)?;
        room.sealing = new.sealing.unwrap_or(new.kind.default_sealing());
        room.description = self.check_description(&new.description)?;
        room.direct = with.map(|other| [by, other]);
        let mut change = Change::of(vec![Edit::PutRoom(room.clone())], now);
        let members: HashSet<_> = [Some(by), with].into_iter().flatten().collect();
        for user in &members {
            change.edits.push(Edit::PutMember(member(&room, *user, RoomRole::Owner, now)));
        }
        self.seal_first(&mut change, &room, members, by, new.id.and(new.bundle)).await?;
        match (self.store.change(change).await, with) {
            (Err(StoreError::IdTaken { what: "direct room" }), Some(other)) => {
                // The other one, or another device, was quicker.
                let known = self.direct_of(by, other).await?;
                return Ok((known.ok_or_else(|| ApiError::not_found("room"))?, false));
            }
            (made, _) => drop(made?),
        }
        let state = self.membership.room(id).ok_or_else(|| ApiError::not_found("room"))?;
        tracing::info!(room = %id, %by, kind = ?new.kind, "a room was made");
        Ok((state, true))
    }

    /// The other person of a direct room that is asked for.
    async fn other_of(&self, by: UserId, new: &NewRoom) -> Result<Option<UserId>, ApiError> {
        let other = match (new.kind, new.user_id) {
            (RoomType::Direct, Some(other)) => other,
            (RoomType::Direct, None) => {
                let message = "a direct room names its other person in `user_id`";
                return Err(ApiError::invalid("user_required", message));
            }
            (_, Some(_)) => {
                let message = "`user_id` is for direct rooms; others get their people one by one";
                return Err(ApiError::invalid("bad_type", message));
            }
            (_, None) => return Ok(None),
        };
        if other == by {
            let message = "a direct room is with somebody else";
            return Err(ApiError::invalid("not_possible", message));
        }
        self.store.user(other).await?.ok_or_else(|| ApiError::not_found("person"))?;
        self.may_reach(by, other)?;
        Ok(Some(other))
    }

    async fn direct_of(
        &self,
        one: UserId,
        other: UserId,
    ) -> Result<Option<Arc<RoomState>>, ApiError> {
        let known = self.store.direct(one, other).await?;
        Ok(known.and_then(|room| self.membership.room(room.id)))
    }

    /// The first epoch of a new room, if it is sealed.
    async fn seal_first(
        &self,
        change: &mut Change,
        room: &Room,
        members: HashSet<UserId>,
        by: UserId,
        bundle: Option<Vec<u8>>,
    ) -> Result<(), ApiError> {
        if room.sealing == Sealing::Open {
            return Ok(());
        }
        for user in members.iter().filter(|user| **user != by) {
            if self.store.cards(*user).await?.is_empty() {
                let message = "the other person has no keys yet";
                return Err(ApiError::conflict("no_card", message)
                    .hint("they get some when they first sign in to the web client"));
            }
        }
        let bundle = bundle.ok_or_else(|| {
            ApiError::conflict(
                "bundle_required",
                "a sealed room is made with its id and its first bundle",
            )
            .hint("make it in the web client, or say \"sealing\": \"open\"")
        })?;
        let header = SealedBundle::parse(&bundle)?.header;
        if let Some(user) = members.iter().find(|user| header.member(**user).is_none()) {
            let message = format!("{user} is a member; the first bundle does not list them");
            return Err(ApiError::conflict("drops_member", message));
        }
        let setting = Setting { room, members, devices: HashSet::new(), new_invite: None };
        self.add_bundle(change, setting, by, &bundle).await
    }

    /// What a room is about: a line, or nothing.
    fn check_description(&self, text: &str) -> Result<String, ApiError> {
        if text.trim().is_empty() {
            return Ok(String::new());
        }
        check_title("a description", text, self.limits.room_description_chars_max)
    }

    /// Ends a room: its devices, memberships and retained topics at once, the rest of it by and by.
    pub async fn remove_room(&self, room: RoomId, by: UserId) -> Result<(), ApiError> {
        let state = self.membership.require(room, by, RoomAction::DeleteRoom)?;
        let mut change = Change::of(vec![], self.clock.now_ms());
        self.end_room(&mut change, &state, by);
        let detail = json!({ "name": state.room.name });
        audit::note(&mut change, Some(by), AuditAction::RoomDelete, Subject::Room(room), detail);
        self.store.change(change).await?;
        // No line can tell it any more.
        let bell = json!({ "type": "room_deleted", "room": room, "by": by }).to_string();
        for user in state.members.keys() {
            self.broker.publish(&Topic::Inbox(*user), bell.clone().into(), false);
        }
        tracing::info!(%room, %by, "a room was deleted");
        Ok(())
    }

    /// Adds to a change what ends a room.
    pub fn end_room(&self, change: &mut Change, state: &RoomState, by: UserId) {
        change.checks.push((state.room.id, state.room.version));
        change.edits.extend(state.devices.iter().map(|device| Edit::RemoveDevice(*device)));
        change.edits.push(Edit::RemoveRoom { room: state.room.id, by });
    }

    /// Notes in a change that a sealed room needs a new epoch.
    pub fn mark_rotation_due(&self, change: &mut Change, room: RoomId) {
        if let Some(state) = self.membership.room(room).filter(|state| state.is_sealed()) {
            // What else the room is must not be set back to what it was.
            change.checks.push((room, state.room.version));
            change.edits.push(Edit::UpdateRoom(Room { rotation_due: true, ..state.room.clone() }));
        }
    }

    /// Makes a change that was checked against the room's version: when somebody was quicker, the
    /// client has to look again.
    pub async fn change_epoch(&self, change: Change) -> Result<(), ApiError> {
        match self.store.change(change).await {
            Err(StoreError::Stale { .. }) => {
                Err(ApiError::conflict("epoch_taken", "the room changed meanwhile")
                    .hint("fetch the bundles and the members and make it again"))
            }
            done => done.map(drop).map_err(ApiError::from),
        }
    }
}
