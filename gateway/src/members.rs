//! Who is in a room: how people come in, change and go. Every door calls these.

use std::sync::Arc;

use hearth_protocol::event::Line;
use hearth_protocol::ids::{EventId, RoomId, UserId};
use hearth_protocol::role::{RoomAction, RoomRole, RoomType};
use hearth_protocol::sealing::bundle::Bundle as SealedBundle;
use hearth_store::{Change, Edit, Notify, Room, StoreError, Subject};
use serde_json::json;

use crate::accounts::member;
use crate::app::App;
use crate::audit;
use crate::bundles::Setting;
use crate::clock::random;
use crate::error::ApiError;
use crate::membership::RoomState;
use crate::moderation::Act;

/// How often somebody tries to join while others change the room.
const JOINS_MAX: usize = 16;

impl App {
    /// Makes somebody a member, with the line that says so.
    pub fn enter(&self, change: &mut Change, room: &Room, user: UserId) {
        self.seat(change, room, user, None);
    }

    fn seat(&self, change: &mut Change, room: &Room, user: UserId, by: Option<UserId>) {
        let at = change.at_ms;
        change.edits.push(Edit::PutMember(member(room, user, RoomRole::Member, at)));
        change.line(room.id, Line::Joined { user, by }, EventId::new(at, random()));
    }

    /// Joins a public room; nothing if one is in it.
    pub async fn join_room(&self, room: RoomId, user: UserId) -> Result<Arc<RoomState>, ApiError> {
        for round in 0..JOINS_MAX {
            let state = self.seen_room(room, user)?;
            if state.members.contains_key(&user) {
                return Ok(state);
            }
            if round == 0 {
                self.not_too_often(Act::Line(user))?;
            }
            let mut change = Change::of(vec![], self.clock.now_ms());
            // Somebody may make it private meanwhile.
            change.checks.push((room, state.room.version));
            self.enter(&mut change, &state.room, user);
            match self.store.change(change).await {
                Err(StoreError::Stale { .. }) => tokio::task::yield_now().await,
                made => drop(made?),
            }
        }
        Err(StoreError::Stale { what: "room" }.into())
    }

    /// An admin lets somebody of the house into a room. A sealed one's next epoch may come along;
    /// without it they wait until somebody lists them. Whether they were not in it before.
    pub async fn add_member(
        &self,
        room: RoomId,
        by: UserId,
        user: UserId,
        bundle: Option<&[u8]>,
    ) -> Result<bool, ApiError> {
        let state = self.membership.require(room, by, RoomAction::Invite)?;
        self.store.user(user).await?.ok_or_else(|| ApiError::not_found("person"))?;
        self.may_reach(by, user)?;
        if !self.may_see(by, user) {
            return Err(ApiError::not_found("person"));
        }
        if state.members.contains_key(&user) {
            return Ok(false);
        }
        self.not_too_often(Act::Invite(by))?;
        let mut change = Change::of(vec![], self.clock.now_ms());
        change.checks.push((room, state.room.version));
        self.seat(&mut change, &state.room, user, Some(by));
        if let Some(bytes) = bundle {
            if !state.is_sealed() {
                return Err(ApiError::conflict("room_is_open", "an open room has no epochs"));
            }
            if SealedBundle::parse(bytes)?.header.member(user).is_none() {
                let message = "the bundle does not list whom it lets in";
                return Err(ApiError::invalid("bad_bundle", message));
            }
            let mut setting = Setting::of(&state);
            setting.members.insert(user);
            self.add_bundle(&mut change, setting, by, bytes).await?;
        }
        let detail = json!({ "user": user });
        audit::note(&mut change, Some(by), "member.add", Subject::Room(room), detail);
        self.change_epoch(change).await?;
        Ok(true)
    }

    /// Leaves a room. The last one out ends it: nobody could come into it any more.
    pub async fn leave_room(&self, room: RoomId, user: UserId) -> Result<(), ApiError> {
        let state = self.membership.require(room, user, RoomAction::Read)?;
        if state.room.general {
            let message = "nobody leaves the general room";
            return Err(ApiError::conflict("general_is_everyones", message));
        }
        if state.room.kind == RoomType::Direct {
            let message = "a direct room is its two people's as long as it is there";
            return Err(ApiError::conflict("direct_room", message)
                .hint("mute it, block the person, or delete the room for both"));
        }
        if state.members.len() == 1 {
            let mut change = Change::of(vec![], self.clock.now_ms());
            self.end_room(&mut change, &state, user);
            self.store.change(change).await?;
            return Ok(());
        }
        let owners = state.members.values().filter(|role| **role == RoomRole::Owner).count();
        if owners == 1 && state.members.get(&user) == Some(&RoomRole::Owner) {
            return Err(ApiError::conflict("last_owner", "a room keeps an owner")
                .hint("hand the room over first: PATCH …/members/{user}/role"));
        }
        self.not_too_often(Act::Line(user))?;
        self.remove_member(&state, user, None).await
    }

    /// Ends a membership; a sealed room needs a new epoch before it takes anything more.
    pub async fn remove_member(
        &self,
        state: &RoomState,
        user: UserId,
        by: Option<UserId>,
    ) -> Result<(), ApiError> {
        let mut change = Change::of(vec![], self.clock.now_ms());
        self.put_out(&mut change, state, user, by);
        self.store.change(change).await?;
        self.receipts.moved(state.room.id);
        Ok(())
    }

    /// Adds to a change what ends a membership: by oneself, or by `by`.
    pub fn put_out(
        &self,
        change: &mut Change,
        state: &RoomState,
        user: UserId,
        by: Option<UserId>,
    ) {
        let room = state.room.id;
        change.edits.push(Edit::RemoveMember { room, user });
        self.mark_rotation_due(change, room);
        change.line(room, Line::Left { user, by }, EventId::new(change.at_ms, random()));
    }

    /// An owner gives somebody another role. Who is made an owner is one beside them; with
    /// `transfer` the room is handed over, and whoever did it is an admin from then on. Only they
    /// themselves make less of an owner.
    pub async fn set_role(
        &self,
        room: RoomId,
        by: UserId,
        user: UserId,
        role: RoomRole,
        transfer: bool,
    ) -> Result<(), ApiError> {
        let state = self.membership.require(room, by, RoomAction::ChangeRole)?;
        let old = *state.members.get(&user).ok_or_else(|| ApiError::not_found("member"))?;
        if transfer && (role != RoomRole::Owner || user == by) {
            let message = "`transfer` hands the room to somebody else, as its owner";
            return Err(ApiError::invalid("bad_transfer", message));
        }
        if old == RoomRole::Owner && role != RoomRole::Owner && user != by {
            return Err(ApiError::forbidden("an owner steps down by themselves"));
        }
        let mut change = Change::of(vec![], self.clock.now_ms());
        change.checks.push((room, state.room.version));
        let mut roles = vec![];
        if old != role {
            roles.push((user, role));
        }
        if transfer {
            roles.push((by, RoomRole::Admin));
        }
        for (user, role) in &roles {
            let (user, role) = (*user, *role);
            let other = member(&state.room, user, role, change.at_ms);
            change.edits.push(Edit::UpdateMember(other));
            let line = Line::Role { user, by, role };
            change.line(room, line, EventId::new(change.at_ms, random()));
            let detail = json!({ "user": user, "role": role });
            audit::note(&mut change, Some(by), "member.role", Subject::Room(room), detail);
        }
        if !roles.is_empty() {
            self.not_too_often(Act::Line(by))?;
            self.store.change(change).await?;
        }
        Ok(())
    }

    /// Of which messages of a room somebody wants to be told.
    pub async fn set_notify(
        &self,
        room: RoomId,
        user: UserId,
        notify: Notify,
    ) -> Result<(), ApiError> {
        self.membership.require(room, user, RoomAction::Read)?;
        let edit = Edit::SetNotify { room, user, notify };
        self.store.change(Change::of(vec![edit], self.clock.now_ms())).await?;
        Ok(())
    }

    /// Pins a message (`on`), or takes its pin off.
    pub async fn pin(
        &self,
        room: RoomId,
        by: UserId,
        message: EventId,
        on: bool,
    ) -> Result<Arc<RoomState>, ApiError> {
        let state = self.membership.require(room, by, RoomAction::Pin)?;
        self.may_speak(&state, by)?;
        if on && state.room.pins.iter().any(|pin| pin.message == message) {
            return Ok(state);
        }
        self.not_too_often(Act::Line(by))?;
        let mut change = Change::of(vec![], self.clock.now_ms());
        change.edits.push(match on {
            true => Edit::PutPin { room, message, by },
            false => Edit::RemovePin { room, message },
        });
        let (pinned, unpinned) = if on { (Some(message), None) } else { (None, Some(message)) };
        let line = Line::Room { by, title: None, topic: None, pinned, unpinned };
        change.line(room, line, EventId::new(change.at_ms, random()));
        let action = if on { "message.pin" } else { "message.unpin" };
        let detail = json!({ "room": room });
        audit::note(&mut change, Some(by), action, Subject::Event(message), detail);
        self.store.change(change).await?;
        self.membership.room(room).ok_or_else(|| ApiError::not_found("room"))
    }
}
