//! What a person was alerted to, and what of it they read. What a message says is read where it
//! lies, so that of an erased one nothing is left here.

#[cfg(test)]
mod tests;

use hearth_protocol::ids::{EventId, NotificationId, Position, RoomId, UserId};
use hearth_store::{Change, Edit, Notification, NotificationKind};
use serde::Serialize;
use serde_json::json;

use crate::app::App;
use crate::error::ApiError;
use crate::history;

/// A notification as its recipient gets it, by REST and at the doorbell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotificationView {
    /// Sorts by time.
    pub id: NotificationId,
    /// `mention`, `reply`, `room_invite` or `direct_message`.
    #[serde(rename = "type")]
    pub kind: NotificationKind,
    /// In which room.
    pub room_id: RoomId,
    /// About which message; null for `room_invite`.
    pub message_id: Option<EventId>,
    /// Where that lies.
    pub position: Option<Position>,
    /// By whom; null: by a device.
    pub by: Option<UserId>,
    /// The beginning of the message as it is now, `[deleted]` when it was erased; the room's name
    /// for `room_invite`. Null in a sealed room, and where the recipient no longer sees it.
    pub content: Option<String>,
    /// ms since 1970.
    pub created_at: u64,
    /// Seen by its recipient.
    pub read: bool,
}

/// Which of a person's notifications.
#[derive(Debug, Clone, Copy, Default)]
pub struct InboxQuery {
    /// The newest before this one.
    pub before: Option<NotificationId>,
    /// The oldest after this one.
    pub after: Option<NotificationId>,
    /// Those alone that are not read.
    pub unread_only: bool,
    /// How many at most.
    pub limit: usize,
}

impl App {
    /// A page of a person's notifications, the newest first.
    pub async fn notifications(
        &self,
        user: UserId,
        query: InboxQuery,
    ) -> Result<Vec<NotificationView>, ApiError> {
        let now = self.clock.now_ms();
        let rows = self.limits.page_entries_max;
        let InboxQuery { mut before, mut after, unread_only, limit } = query;
        let mut found = vec![];
        // A person keeps a few pages of them, and no more.
        loop {
            let page = match after {
                Some(after) => self.store.notifications_after(user, after, rows, now).await?,
                None => self.store.notifications(user, before, rows, now).await?,
            };
            let full = page.len() == rows;
            let (newest, oldest) = (page.first().map(|note| note.id), page.last().map(|n| n.id));
            let wanted = page.into_iter().filter(|note| !(unread_only && note.read));
            match after.is_some() {
                true => {
                    found.splice(0..0, wanted);
                    after = newest;
                }
                false => {
                    found.extend(wanted);
                    before = oldest;
                }
            }
            if !full || found.len() >= limit {
                break;
            }
        }
        let drop_first = if after.is_some() { found.len().saturating_sub(limit) } else { 0 };
        let mut views = vec![];
        for notification in found.into_iter().skip(drop_first).take(limit) {
            views.push(self.notification_view(notification).await?);
        }
        Ok(views)
    }

    /// How many of a person's notifications are unread.
    pub async fn unread_notifications(&self, user: UserId) -> Result<usize, ApiError> {
        Ok(self.store.unread_notifications(user, self.clock.now_ms()).await?)
    }

    /// Marks one as read, or all; how many are unread then, which the person's clients are told.
    pub async fn read_notifications(
        &self,
        recipient: UserId,
        which: Option<NotificationId>,
    ) -> Result<usize, ApiError> {
        let edit = match which {
            Some(id) => Edit::ReadNotification { recipient, id },
            None => Edit::ReadNotifications(recipient),
        };
        self.store.change(Change::of(vec![edit], self.clock.now_ms())).await?;
        let unread = self.unread_notifications(recipient).await?;
        let bell = json!({ "type": "notifications_read", "id": which, "unread": unread });
        self.ring(recipient, &bell);
        Ok(unread)
    }

    /// A notification with what it is about as that is now.
    pub async fn notification_view(
        &self,
        notification: Notification,
    ) -> Result<NotificationView, ApiError> {
        let content = self.content(&notification).await?;
        let Notification { id, kind, room, event, position, by, created_at, read, .. } =
            notification;
        Ok(NotificationView {
            id,
            kind,
            room_id: room,
            message_id: event,
            position,
            by,
            content,
            created_at,
            read,
        })
    }

    async fn content(&self, notification: &Notification) -> Result<Option<String>, ApiError> {
        let Notification { recipient, room, event, .. } = *notification;
        let Some(state) = self.membership.room(room) else { return Ok(None) };
        if !state.members.contains_key(&recipient) {
            return Ok(None);
        }
        let Some(event) = event else { return Ok(Some(state.room.name.clone())) };
        if state.is_sealed() {
            return Ok(None);
        }
        let sight = self.sight(&state, recipient).await?;
        let view = self.store.message_view(event).await?;
        let Some(view) = view.filter(|view| view.event.position >= sight) else { return Ok(None) };
        let text = history::text(&view);
        Ok(Some(text.chars().take(self.limits.notification_chars_max).collect()))
    }
}
