//! What people do with messages: the one place behind REST, WebSocket and MQTT.

use std::sync::Arc;

use hearth_protocol::event::{Line, Sender};
use hearth_protocol::ids::{EventId, RoomId, UserId};
use hearth_protocol::role::RoomAction;
use hearth_store::{Change, Edit, MessageView, Reacted, Right, StoredEvent, Subject, normal_emoji};
use serde_json::{Value, json};

use crate::app::App;
use crate::audit;
use crate::clock::random;
use crate::error::ApiError;
use crate::ingest::{Stored, Submission, room_is_sealed};
use crate::membership::RoomState;

impl App {
    /// An event and its room, if somebody may see it; else it is not there.
    pub async fn seen_event(
        &self,
        id: EventId,
        user: UserId,
    ) -> Result<(Arc<RoomState>, StoredEvent), ApiError> {
        let missing = || ApiError::not_found("message");
        // Nothing of a message is read for who may not see it: the time would tell of it.
        let (room, position) = self.store.place(id).await?.ok_or_else(missing)?;
        let state = self.membership.require(room, user, RoomAction::Read).map_err(|_| missing())?;
        let sight = self.sight(&state, user).await?.max(state.room.first_position);
        if position < sight {
            return Err(missing());
        }
        Ok((state, self.store.event_of(room, position).await?.ok_or_else(missing)?))
    }

    /// The same of a room that the box can read; in a sealed one clients do it.
    pub async fn seen_in_open_room(
        &self,
        id: EventId,
        user: UserId,
    ) -> Result<(Arc<RoomState>, StoredEvent), ApiError> {
        let (state, event) = self.seen_event(id, user).await?;
        if state.is_sealed() { Err(room_is_sealed()) } else { Ok((state, event)) }
    }

    /// Stores what somebody writes in an open room: the same bytes that `in` would get.
    pub async fn submit_open(
        &self,
        room: RoomId,
        user: UserId,
        event: Value,
    ) -> Result<Stored, ApiError> {
        self.submit(Submission {
            packet: None,
            room,
            sender: Sender::Person(user),
            payload: event.to_string().into(),
            can_be_refused: true,
        })
        .await
    }

    /// One message as it is now.
    pub async fn message_now(&self, id: EventId) -> Result<MessageView, ApiError> {
        self.store.message_view(id).await?.ok_or_else(|| ApiError::not_found("message"))
    }

    /// Gives one's own message another text, within the edit window; open rooms only.
    pub async fn edit_message(
        &self,
        user: UserId,
        id: EventId,
        content: &str,
    ) -> Result<MessageView, ApiError> {
        let (_, event) = self.seen_in_open_room(id, user).await?;
        let edit = json!({ "type": "edit", "target": id, "content": content });
        self.submit_open(event.room, user, edit).await?;
        self.message_now(id).await
    }

    /// Takes back one's own message, or erases anybody's as who moderates the room; in rooms of
    /// both kinds.
    pub async fn erase_message(
        &self,
        user: UserId,
        id: EventId,
        reason: Option<String>,
    ) -> Result<(), ApiError> {
        let (state, event) = self.seen_event(id, user).await?;
        if event.sender == Sender::Person(user) && !state.is_sealed() {
            let mut delete = json!({ "type": "delete", "target": id });
            if let Some(reason) = reason {
                delete["reason"] = json!(reason);
            }
            return self.submit_open(event.room, user, delete).await.map(drop);
        }
        self.erase(&state, &event, user, reason).await.map(drop)
    }

    /// Erases a message with a line of the box that says so. Who erases somebody else's stands in
    /// the audit log. Gives the line.
    pub async fn erase(
        &self,
        state: &RoomState,
        event: &StoredEvent,
        by: UserId,
        reason: Option<String>,
    ) -> Result<StoredEvent, ApiError> {
        let (room, target) = (event.room, event.id);
        let now = self.clock.now_ms();
        self.membership.require(room, by, RoomAction::Write)?;
        self.may_speak(state, by)?;
        let own = event.sender == Sender::Person(by);
        let right = match self.membership.require(room, by, RoomAction::EraseMessages) {
            _ if own => Right::Own,
            Ok(_) => Right::Moderator,
            Err(_) => Right::Own,
        };
        let mut change = Change::of(vec![Edit::Erase { room, target, by, right, reason }], now);
        change.line(room, Line::Erased { target, by }, EventId::new(now, random()));
        if !own {
            let detail = json!({ "room": room });
            audit::note(&mut change, Some(by), "message.erase", Subject::Event(target), detail);
        }
        let lines = self.store.change(change).await?;
        lines.into_iter().next().ok_or_else(|| ApiError::not_found("message"))
    }

    /// Puts a reaction on a message, or takes it off; open rooms only. Whether that changed
    /// anything.
    pub async fn react(
        &self,
        user: UserId,
        id: EventId,
        emoji: &str,
        on: bool,
    ) -> Result<bool, ApiError> {
        let (_, event) = self.seen_in_open_room(id, user).await?;
        let emoji = normal_emoji(emoji, self.limits.emoji_bytes_max)
            .map_err(hearth_store::StoreError::from)?;
        if self.store.has_reacted(&event, user, &emoji).await? == on {
            return Ok(false);
        }
        let react = json!({ "type": "react", "target": id, "emoji": emoji, "on": on });
        self.submit_open(event.room, user, react).await?;
        Ok(true)
    }

    /// Every reaction to a message, by emoji.
    pub async fn reactions(&self, user: UserId, id: EventId) -> Result<Vec<Reacted>, ApiError> {
        let (_, event) = self.seen_in_open_room(id, user).await?;
        Ok(self.store.reactions(&event).await?)
    }
}
