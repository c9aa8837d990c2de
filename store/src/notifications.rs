//! Notifications: what a person is alerted to. An id tells its time, so that they sort by it. A
//! person keeps so many, the oldest go first; none is answered after 30 days, swept or not. How
//! many there are and how many are unread is counted as they come and go. None quotes its message:
//! a client reads that where it lies, so nothing of it is left here when it is erased.

use hearth_protocol::ids::{EventId, NotificationId, Position, RoomId, UserId};
use hearth_protocol::limits::{Limits, days_ms};
use serde::{Deserialize, Serialize};

use crate::change::Edit;
use crate::engine::{Order, Range, Row};
use crate::error::StoreError;
use crate::stage::Stage;
use crate::store::Store;
use crate::{keys, record, users};

/// Something a person is alerted to (seed 004 @Notification).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Its id; carries `created_at`.
    pub id: NotificationId,
    /// Whose.
    pub recipient: UserId,
    /// Of which kind.
    pub kind: NotificationKind,
    /// About which room.
    pub room: RoomId,
    /// About which message.
    pub event: Option<EventId>,
    /// Where that message lies.
    pub position: Option<Position>,
    /// By whom; `None`: by a device or the box.
    pub by: Option<UserId>,
    /// ms since 1970.
    pub created_at: u64,
    /// Seen by its recipient.
    pub read: bool,
}

/// What kinds there are (seed 004 @Notification).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// Somebody named them.
    Mention,
    /// Somebody answered them.
    Reply,
    /// They may come into a room.
    RoomInvite,
    /// Somebody wrote to them alone.
    DirectMessage,
}

/// How many notifications somebody has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tally {
    kept: usize,
    unread: usize,
}

impl Store {
    /// A page of a person's notifications, the newest first, before one of them.
    pub async fn notifications(
        &self,
        user: UserId,
        before: Option<NotificationId>,
        limit: usize,
        at_ms: u64,
    ) -> Result<Vec<Notification>, StoreError> {
        let mut range = self.unexpired(user, at_ms);
        if let Some(before) = before {
            range = keys::before(range, keys::notification(user, before));
        }
        let limit = limit.min(self.limits().page_entries_max);
        let rows = self.engine().scan(range, Order::Descending, limit).await?;
        rows.iter().map(|(_, value)| record::decode("notification", value)).collect()
    }

    /// The oldest of a person's notifications that came after one of them, the newest first.
    pub async fn notifications_after(
        &self,
        user: UserId,
        after: NotificationId,
        limit: usize,
        at_ms: u64,
    ) -> Result<Vec<Notification>, StoreError> {
        let unexpired = self.unexpired(user, at_ms);
        let later = keys::after(keys::notifications(user), &keys::notification(user, after));
        let range = Range { start: later.start.max(unexpired.start.clone()), ..unexpired };
        let limit = limit.min(self.limits().page_entries_max);
        let rows = self.engine().scan(range, Order::Ascending, limit).await?;
        rows.iter().rev().map(|(_, value)| record::decode("notification", value)).collect()
    }

    /// How many of a person's notifications are unread. Reads the count and those that wait for
    /// the sweep, nothing else.
    pub async fn unread_notifications(
        &self,
        user: UserId,
        at_ms: u64,
    ) -> Result<usize, StoreError> {
        let tally: Option<Tally> = self.load("tally", keys::notification_tally(user)).await?;
        let Some(tally) = tally else { return Ok(0) };
        let expired = keys::before(keys::notifications(user), self.unexpired(user, at_ms).start);
        let rows = self.engine().scan(expired, Order::Ascending, tally.kept).await?;
        let mut unread = tally.unread;
        for (_, value) in rows {
            let notification: Notification = record::decode("notification", &value)?;
            unread = unread.saturating_sub(usize::from(!notification.read));
        }
        Ok(unread)
    }

    fn unexpired(&self, user: UserId, at_ms: u64) -> Range {
        let start = keys::notification(user, first_kept(at_ms, self.limits()));
        Range { start, ..keys::notifications(user) }
    }
}

/// Sorts before all notifications whose time is not over.
fn first_kept(at_ms: u64, limits: &Limits) -> NotificationId {
    let over = at_ms.checked_sub(days_ms(limits.notification_days));
    NotificationId::lowest(over.map_or(0, |over| over.saturating_add(1)))
}

/// Where those lie whose time is over.
pub(crate) fn over(at_ms: u64, limits: &Limits) -> Range {
    let first_kept = keys::notification_time(first_kept(at_ms, limits));
    keys::before(keys::notification_times(), first_kept)
}

/// The ends of the notifications that these rows of times lead to.
pub(crate) fn ends(rows: &[Row]) -> Result<Vec<Edit>, StoreError> {
    let edits = rows.iter().map(|(key, value)| {
        Ok(Edit::RemoveNotification {
            recipient: UserId::from_bytes(record::id16("notification's user", value)?),
            id: NotificationId::from_bytes(record::id16("notification", key)?),
        })
    });
    edits.collect()
}

/// A new notification; the oldest ones of its recipient make room.
pub(crate) async fn put(
    stage: &mut Stage<'_>,
    notification: &Notification,
    limits: &Limits,
) -> Result<(), StoreError> {
    let Notification { id, recipient, created_at, .. } = *notification;
    if id.unix_ms() != created_at {
        return Err(StoreError::Invalid { what: "the notification", why: "its id tells its time" });
    }
    users::require(stage, recipient).await?;
    if stage.get(keys::notification_time(id)).await?.is_some() {
        return Err(StoreError::IdTaken { what: "notification" });
    }
    while tally(stage, recipient).await?.kept >= limits.notifications_per_user_max.max(1) {
        let oldest = stage.scan(keys::notifications(recipient), Order::Ascending, 1).await?.pop();
        let Some((key, _)) = oldest else { break };
        let oldest = NotificationId::from_bytes(record::id16("notification", &key)?);
        remove(stage, recipient, oldest).await?;
    }
    let Tally { kept, unread } = tally(stage, recipient).await?;
    let unread = unread + usize::from(!notification.read);
    save_tally(stage, recipient, Tally { kept: kept + 1, unread })?;
    stage.put(keys::notification_time(id), recipient.as_bytes().to_vec().into());
    stage.save("notification", keys::notification(recipient, id), notification)
}

/// Marks one as read.
pub(crate) async fn read(
    stage: &mut Stage<'_>,
    recipient: UserId,
    id: NotificationId,
) -> Result<(), StoreError> {
    let key = keys::notification(recipient, id);
    let found: Option<Notification> = stage.load("notification", key.clone()).await?;
    let notification = found.ok_or(StoreError::NotFound { what: "notification" })?;
    if notification.read {
        return Ok(());
    }
    let Tally { kept, unread } = tally(stage, recipient).await?;
    save_tally(stage, recipient, Tally { kept, unread: unread.saturating_sub(1) })?;
    stage.save("notification", key, &Notification { read: true, ..notification })
}

/// Marks all of a person's as read: as many as one keeps.
pub(crate) async fn read_all(stage: &mut Stage<'_>, recipient: UserId) -> Result<(), StoreError> {
    let Tally { kept, unread } = tally(stage, recipient).await?;
    if unread == 0 {
        return Ok(());
    }
    for (key, value) in stage.scan(keys::notifications(recipient), Order::Ascending, kept).await? {
        let notification: Notification = record::decode("notification", &value)?;
        if !notification.read {
            stage.save("notification", key, &Notification { read: true, ..notification })?;
        }
    }
    save_tally(stage, recipient, Tally { kept, unread: 0 })
}

/// Removes one; nothing if it is gone.
pub(crate) async fn remove(
    stage: &mut Stage<'_>,
    recipient: UserId,
    id: NotificationId,
) -> Result<(), StoreError> {
    let time = keys::notification_time(id);
    if stage.get(time.clone()).await?.is_none_or(|whose| whose != recipient.as_bytes()[..]) {
        return Ok(());
    }
    stage.delete(time);
    let key = keys::notification(recipient, id);
    let found: Option<Notification> = stage.load("notification", key.clone()).await?;
    let Some(notification) = found else { return Ok(()) };
    let Tally { kept, unread } = tally(stage, recipient).await?;
    let unread = unread.saturating_sub(usize::from(!notification.read));
    save_tally(stage, recipient, Tally { kept: kept.saturating_sub(1), unread })?;
    stage.delete(key);
    Ok(())
}

async fn tally(stage: &Stage<'_>, user: UserId) -> Result<Tally, StoreError> {
    Ok(stage.load("tally", keys::notification_tally(user)).await?.unwrap_or_default())
}

fn save_tally(stage: &mut Stage<'_>, user: UserId, tally: Tally) -> Result<(), StoreError> {
    let key = keys::notification_tally(user);
    if tally == Tally::default() {
        stage.delete(key);
        return Ok(());
    }
    stage.save("tally", key, &tally)
}

#[cfg(test)]
mod tests;
