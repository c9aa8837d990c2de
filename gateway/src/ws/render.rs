//! A stored event as clients of `/api/ws` hear it, live and when they read on.

use hearth_protocol::event::Event as RoomEvent;
use hearth_protocol::event::{Body, Class, Line, Sender};
use hearth_protocol::ids::{EventId, Position, UserId};
use hearth_protocol::role::Sealing;
use hearth_protocol::sealing::event::{Kind as WireKind, WireHeader};
use hearth_store::{EngineError, EventKind, StoreError, StoredEvent};

use super::event::{Reaction, Says};
use crate::api::users::UserView;
use crate::app::App;
use crate::error::ApiError;
use crate::history;

/// What somebody is sent of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The text of the frame.
    pub text: String,
    /// The place of an older message whose text it shows: not for those who see history from
    /// after it.
    pub shows: Option<Position>,
}

/// What an event is told as: nothing when what it changed is gone meanwhile.
pub async fn render(app: &App, event: &StoredEvent) -> Result<Vec<Rendered>, ApiError> {
    let said = match say(app, event).await {
        // What does not read on the disk is skipped; `GET messages` shows the gap.
        Err(StoreError::Engine(EngineError::Damaged { .. })) => None,
        said => said?,
    };
    let Some((says, shows)) = said else { return Ok(vec![]) };
    Ok(vec![Rendered { text: says.text()?, shows }])
}

async fn say(
    app: &App,
    event: &StoredEvent,
) -> Result<Option<(Says, Option<Position>)>, StoreError> {
    let (room_id, position) = (event.room, event.position);
    // A room is in the mirror before its first event; one that is gone has no listeners.
    let sealing = app.membership.room(room_id).map_or(Sealing::Sealed, |room| room.room.sealing);
    let deleted = |message_id| Says::MessageDeleted { room_id, message_id, position };
    if event.kind == EventKind::Erased {
        return Ok(Some((deleted(erased(event)), None)));
    }
    if event.class == Class::Line
        && let Some(says) = line(app, event).await?
    {
        return Ok(Some((says, None)));
    }
    if let (Class::Event, Sender::Person(by)) = (event.class, event.sender) {
        // By what it is, not by what the room is now: an open room can have become sealed.
        match WireHeader::parse(&event.body) {
            Ok(WireHeader { kind: WireKind::Tombstone(target), .. }) => {
                return Ok(Some((deleted(target), None)));
            }
            Err(_) if event.kind.is_effect() => return effect(app, event, by).await,
            _ => {}
        }
    }
    let message = history::message(event, sealing);
    Ok(Some((Says::MessageCreated { room_id, message }, None)))
}

/// What is left of an erased message names it; in a sealed room it keeps its own id.
fn erased(event: &StoredEvent) -> EventId {
    match serde_json::from_slice(&event.body) {
        Ok(Line::Erased { target, .. }) => target,
        _ => event.id,
    }
}

/// Who came and went; all other lines are messages of the box.
async fn line(app: &App, event: &StoredEvent) -> Result<Option<Says>, StoreError> {
    let (room_id, position) = (event.room, event.position);
    Ok(match serde_json::from_slice(&event.body) {
        Ok(Line::Joined { user, .. }) => {
            person(app, user).await?.map(|user| Says::UserJoined { room_id, user, position })
        }
        Ok(Line::Left { user, .. }) => {
            Some(Says::UserLeft { room_id, user_id: user, position: Some(position) })
        }
        Ok(Line::Erased { target, .. }) => {
            Some(Says::MessageDeleted { room_id, message_id: target, position })
        }
        _ => None,
    })
}

/// What an event of an open room did to a message.
async fn effect(
    app: &App,
    event: &StoredEvent,
    by: UserId,
) -> Result<Option<(Says, Option<Position>)>, StoreError> {
    let (room_id, position) = (event.room, event.position);
    let body = serde_json::from_slice(&event.body).map(|event: RoomEvent| event.body);
    match body {
        Ok(Body::Edit { target, .. }) => {
            let view = app.store.message_view(target).await?;
            // One that was erased meanwhile is told of at the erasure's own place.
            Ok(view.filter(|view| view.about.deleted.is_none()).map(|view| {
                let message = history::view(&view, None, &app.limits);
                let says = Says::MessageUpdated { room_id, message, position };
                (says, Some(view.event.position))
            }))
        }
        Ok(Body::React { target, emoji, on }) => {
            let Some(user) = person(app, by).await? else { return Ok(None) };
            let reaction = Reaction { room_id, message_id: target, user, emoji, position };
            let says =
                if on { Says::ReactionAdded(reaction) } else { Says::ReactionRemoved(reaction) };
            Ok(Some((says, None)))
        }
        Ok(Body::Delete { target, .. }) => {
            Ok(Some((Says::MessageDeleted { room_id, message_id: target, position }, None)))
        }
        // Everything stored as an effect was read as one when it came.
        _ => Ok(None),
    }
}

/// One frame is for all, and two of them may block each other: who somebody is, and how they are by
/// `presence_updated` and `GET /api/users/{id}`.
async fn person(app: &App, user: UserId) -> Result<Option<UserView>, StoreError> {
    Ok(app.store.user(user).await?.map(UserView::who))
}
