//! What an edit, a reaction or an erasure does to its message, and a message to its attachments,
//! decided in the appender: two that race have one order.
//!
//! - An edit is its sender's own, and comes within `edit_minutes` of the message.
//! - A reaction is there once per person, message and emoji.
//! - Of an erased message nothing stays but its place, its sender and who erased it: its text, its
//!   edits, its reactions and its pin go.

use bytes::Bytes;
use hearth_protocol::event::{Class, Line, Sender};
use hearth_protocol::ids::{EventId, Position, RoomId, UserId};
use hearth_protocol::limits::Limits;
use hearth_protocol::sealing::event::HEADER;

use super::{About, Deleted, Edited, Effect, EventKind, NewEvent, Parent, Right, StoredEvent};
use crate::engine::Order;
use crate::error::{Rule, StoreError};
use crate::stage::Stage;
use crate::{attachments, keys, measure, pins, reactions, record};

/// Does to other events what a new one asks, and notes what is known beside it.
pub(crate) async fn apply(
    stage: &mut Stage<'_>,
    event: &NewEvent,
    stored: &StoredEvent,
    limits: &Limits,
) -> Result<(), StoreError> {
    match &event.effect {
        Effect::None => {}
        Effect::Edit { target } => edit(stage, stored, *target, limits).await?,
        Effect::React { target, emoji, on } => {
            let Sender::Person(user) = stored.sender else { return Err(Rule::NotOwn.into()) };
            let target = message(stage, stored.room, *target).await?;
            reactions::put(stage, stored, target.position, user, emoji, *on, limits).await?;
        }
        Effect::Erase { target, right, reason } => {
            let Sender::Person(by) = stored.sender else { return Err(Rule::NotOwn.into()) };
            let text = reason.as_deref().unwrap_or_default();
            measure::chars("the reason", text, limits.reason_chars_max)?;
            let erasure = Erasure { target: *target, by, right: *right, reason: reason.clone() };
            erase(stage, stored.room, &erasure, stored.received_at).await?;
        }
        Effect::Show { attachments: ids } => attachments::show(stage, ids, stored, limits).await?,
    }
    match event.parent {
        Some(parent) => note_parent(stage, stored, parent).await,
        None => Ok(()),
    }
}

/// An event of a room by its id.
pub(crate) async fn find(
    stage: &Stage<'_>,
    room: RoomId,
    id: EventId,
) -> Result<Option<StoredEvent>, StoreError> {
    let Some(place) = stage.get(keys::event_id(id)).await? else { return Ok(None) };
    let (there, position) = record::place(&place)?;
    if there == room { load(stage, room, position).await } else { Ok(None) }
}

async fn load(
    stage: &Stage<'_>,
    room: RoomId,
    position: Position,
) -> Result<Option<StoredEvent>, StoreError> {
    let key = keys::event(room, position);
    let value = stage.get(key.clone()).await?;
    value.map(|value| record::decode_event(&key, value)).transpose()
}

/// A message of a room that was not erased.
pub(crate) async fn message(
    stage: &Stage<'_>,
    room: RoomId,
    id: EventId,
) -> Result<StoredEvent, StoreError> {
    let found = find(stage, room, id).await?.ok_or(Rule::NoMessage)?;
    match found.kind {
        EventKind::Erased => Err(Rule::Erased.into()),
        kind if kind.is_message() => Ok(found),
        _ => Err(Rule::NotAMessage.into()),
    }
}

/// What is known beside an event, as it will be.
pub(crate) async fn about(
    stage: &Stage<'_>,
    room: RoomId,
    position: Position,
) -> Result<About, StoreError> {
    Ok(stage.load("about", keys::about(room, position)).await?.unwrap_or_default())
}

fn save(
    stage: &mut Stage<'_>,
    room: RoomId,
    position: Position,
    about: &About,
) -> Result<(), StoreError> {
    stage.save("about", keys::about(room, position), about)
}

/// Notes what a message answers. A parent that is not there (any more) leaves no trace.
async fn note_parent(
    stage: &mut Stage<'_>,
    stored: &StoredEvent,
    parent: EventId,
) -> Result<(), StoreError> {
    let Some(found) = find(stage, stored.room, parent).await? else { return Ok(()) };
    let StoredEvent { room, position, .. } = *stored;
    let mut about = about(stage, room, position).await?;
    about.parent = Some(Parent { id: parent, position: found.position });
    save(stage, room, position, &about)?;
    stage.put(keys::reply(room, found.position, position), Bytes::new());
    Ok(())
}

async fn edit(
    stage: &mut Stage<'_>,
    stored: &StoredEvent,
    target: EventId,
    limits: &Limits,
) -> Result<(), StoreError> {
    let StoredEvent { room, position, received_at: at, .. } = *stored;
    let target = message(stage, room, target).await?;
    if target.sender != stored.sender {
        return Err(Rule::NotOwn.into());
    }
    let minutes = limits.edit_minutes;
    let window_ms = hearth_protocol::limits::seconds_ms(minutes.saturating_mul(60));
    if at.saturating_sub(target.received_at) > window_ms {
        return Err(Rule::EditWindowOver { minutes }.into());
    }
    let mut known = about(stage, room, target.position).await?;
    let max = limits.edits_per_message_max;
    if known.edits >= max {
        return Err(StoreError::LimitReached { what: "edits of this message", max });
    }
    known.edits += 1;
    known.edited = Some(Edited { position, at });
    save(stage, room, target.position, &known)?;
    stage.put(keys::edit(room, target.position, position), Bytes::new());
    let about = About { edit_of: Some(target.position), ..About::default() };
    save(stage, room, position, &about)
}

/// Which message is erased, by whom, by which right, why.
pub(crate) struct Erasure {
    pub target: EventId,
    pub by: UserId,
    pub right: Right,
    pub reason: Option<String>,
}

/// Erases a message with all that came of it.
pub(crate) async fn erase(
    stage: &mut Stage<'_>,
    room: RoomId,
    erasure: &Erasure,
    at: u64,
) -> Result<(), StoreError> {
    let Erasure { target, by, right, ref reason } = *erasure;
    let target = message(stage, room, target).await?;
    if right == Right::Own && target.sender != Sender::Person(by) {
        return Err(Rule::NotOwn.into());
    }
    let mut known = about(stage, room, target.position).await?;
    let edits = keys::edits_to(room, target.position);
    for (key, _) in stage.scan(edits, Order::Ascending, usize::MAX).await? {
        let position = record::last_position(&key)?;
        if let Some(edit) = load(stage, room, position).await? {
            stub(stage, &edit, target.id, by)?;
        }
        stage.delete(key);
    }
    let reactions = keys::reactions_to(room, target.position);
    for (key, _) in stage.scan(reactions, Order::Ascending, usize::MAX).await? {
        stage.delete(key);
    }
    (known.edited, known.edits) = (None, 0);
    known.deleted = Some(Deleted { by, at, reason: reason.clone() });
    save(stage, room, target.position, &known)?;
    stub(stage, &target, target.id, by)?;
    attachments::remove_of(stage, room, target.id).await?;
    pins::drop_erased(stage, room, target.id).await
}

/// Leaves of an event its place and sender. Of a sealed wire the header stays, which says no more
/// than who wrote it when (sealing.md §4); in place of all else stands the line that it is gone.
fn stub(
    stage: &mut Stage<'_>,
    event: &StoredEvent,
    target: EventId,
    by: UserId,
) -> Result<(), StoreError> {
    let mut left = event.clone();
    if event.kind == EventKind::Sealed {
        left.body = event.body.slice(..event.body.len().min(HEADER));
    } else {
        let line = serde_json::to_vec(&Line::Erased { target, by });
        left.body = line.map_err(|error| record::form("line", error.to_string()))?.into();
        left.class = Class::Line;
    }
    if event.kind.is_message() {
        left.kind = EventKind::Erased;
    }
    stage.resize(
        event.room,
        event.position,
        record::event_bytes(event),
        record::event_bytes(&left),
    );
    stage.put(keys::event(event.room, event.position), record::encode_event(&left));
    Ok(())
}
