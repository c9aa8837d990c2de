//! Retention: a room's oldest events go when they are older than its days, or while all of them
//! are larger than its bytes; what a room leaves open, the house's settings say. They go in small
//! commits, with everything that hangs on them. The positions they had are not given again. A
//! stretch that does not read goes with what came after it: what lies there on disk cannot be
//! removed, and is not found any more.

use hearth_protocol::ids::Position;
use hearth_protocol::limits::{Limits, days_ms, wide};

use crate::engine::Order;
use crate::error::StoreError;
use crate::heads::Head;
use crate::messages::damage::{Around, Item};
use crate::messages::{StoredEvent, effects};
use crate::rooms;
use crate::stage::Stage;
use crate::sweeps::{Part, Swept};
use crate::{keys, record, settings};

#[cfg(test)]
mod tests;

/// Removes a part of what a room does not keep; gives the head that is left.
pub(crate) async fn trim(
    stage: &mut Stage<'_>,
    mut around: Around<'_>,
    mut head: Head,
    at_ms: u64,
    limits: &Limits,
) -> Result<(Head, Part), StoreError> {
    let mut room = rooms::require(stage, around.room).await?;
    let (days, bytes) = settings::current(stage).await?.retention(&room);
    if days == 0 && bytes == 0 {
        return Ok((head, Part::default()));
    }
    let step = wide(limits.sweep_rows_max.max(1));
    if bytes > 0 && head.tally.counted_from > head.first {
        count_back(&mut around, &mut head, step).await?;
        let next = Some(keys::event(room.id, head.first));
        return Ok((head, Swept { rows: 0, next }.into()));
    }
    let oldest_ms = if days > 0 { at_ms.saturating_sub(days_ms(days)) } else { 0 };
    let end = head.tally.position.next();
    let mut until = Position(head.first.0.saturating_add(step)).min(end);
    let mut items = around.read(head.first, until).await?;
    // What is damaged goes with the first event after it, however far that is.
    while until < end && !items.iter().any(|item| matches!(item, Item::Event(_))) {
        let next = Position(until.0.saturating_add(step)).min(end);
        items = around.read(until, next).await?;
        until = next;
    }
    let (mut rows, mut first) = (0, head.first);
    for item in items {
        let Item::Event(event) = item else { continue };
        let event = as_staged(stage, event)?;
        let too_large = bytes > 0 && head.tally.bytes > bytes;
        if event.received_at >= oldest_ms && !too_large {
            break;
        }
        rows += remove(stage, &event).await?;
        head.tally.resize(event.position, record::event_bytes(&event), 0);
        first = event.position.next();
        if rows >= limits.sweep_rows_max {
            break;
        }
    }
    if first == head.first {
        return Ok((head, Part::default()));
    }
    head.first = first;
    room.first_position = first;
    room.pins.retain(|pin| pin.position >= first);
    rooms::save(stage, &room)?;
    let next = (first < end).then(|| keys::event(room.id, first));
    Ok((head, Part { swept: Swept { rows, next }, edits: vec![], room: Some(room) }))
}

/// Counts some of the events that were stored before rooms had tallies.
async fn count_back(around: &mut Around<'_>, head: &mut Head, step: u64) -> Result<(), StoreError> {
    let until = head.tally.counted_from;
    let from = Position(until.0.saturating_sub(step)).max(head.first);
    for item in around.read(from, until).await? {
        if let Item::Event(event) = item {
            head.tally.bytes = head.tally.bytes.saturating_add(record::event_bytes(&event));
        }
    }
    head.tally.counted_from = from;
    Ok(())
}

/// An event as an erasure in the same batch left it.
fn as_staged(stage: &Stage<'_>, event: StoredEvent) -> Result<StoredEvent, StoreError> {
    let key = keys::event(event.room, event.position);
    match stage.written(&key) {
        Some(value) => record::decode_event(&key, value.clone()),
        None => Ok(event),
    }
}

/// Removes an event with all that hangs on it; gives how many rows that was.
async fn remove(stage: &mut Stage<'_>, event: &StoredEvent) -> Result<usize, StoreError> {
    let StoredEvent { room, position, id, .. } = *event;
    let mut rows = vec![keys::event(room, position), keys::event_id(id)];
    if stage.get(keys::about(room, position)).await?.is_some() {
        let about = effects::about(stage, room, position).await?;
        rows.push(keys::about(room, position));
        rows.extend(about.parent.map(|parent| keys::reply(room, parent.position, position)));
        rows.extend(about.edit_of.map(|target| keys::edit(room, target, position)));
    }
    let reactions = keys::reactions_to(room, position);
    let reactions = stage.scan(reactions, Order::Ascending, usize::MAX).await?;
    rows.extend(reactions.into_iter().map(|(key, _)| key));
    let count = rows.len();
    for key in rows {
        stage.delete(key);
    }
    Ok(count)
}
