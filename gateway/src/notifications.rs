//! Notifications: what a person is alerted to (seed 004 @Notification). Made after the commit of
//! what they tell of, from the history itself (docs/decisions/0019): the commit only marks the
//! room, a worker reads what is new there, and each is made under an id that follows from its event
//! and its recipient. So ingest waits for nothing, nothing overflows, and what a crash kept from
//! being made is made at the next start, once.
//!
//! - [`alerts`]: who is alerted to an event, and of which kind
//! - [`inbox`]: what a person has, and what of it they read

pub mod alerts;
pub mod inbox;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hearth_protocol::event::Class;
use hearth_protocol::ids::{Position, RoomId};
use hearth_store::{Change, Edit, Notification, PageQuery, StoreError, StoredEvent};
use serde_json::json;
use tokio::sync::{Notify, watch};

use crate::app::App;
use crate::error::ApiError;

/// How far before a room's newest event a start looks again, in ms: what came last before a crash.
const LOOK_BACK_MS: u64 = 60_000;
/// Notifications in one commit.
const BATCH: usize = 100;

/// Where in each room nobody was alerted yet: one entry per room, however much came.
#[derive(Debug, Default)]
pub struct Unnoticed {
    from: Mutex<BTreeMap<RoomId, Position>>,
    bell: Notify,
}

impl Unnoticed {
    fn from(&self) -> MutexGuard<'_, BTreeMap<RoomId, Position>> {
        self.from.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes events that may be somebody's to hear of. Waits for nothing.
    pub fn mark(&self, events: &[StoredEvent]) {
        let mut marked = false;
        let mut from = self.from();
        for event in events {
            if event.kind.is_message() || event.class == Class::Line {
                from.entry(event.room).or_insert(event.position);
                marked = true;
            }
        }
        if marked {
            self.bell.notify_one();
        }
    }

    fn mark_from(&self, room: RoomId, position: Position) {
        self.keep(room, position);
        self.bell.notify_one();
    }

    /// Marks without ringing.
    fn keep(&self, room: RoomId, position: Position) {
        let mut from = self.from();
        let place = from.entry(room).or_insert(position);
        *place = position.min(*place);
    }

    fn take(&self) -> Option<(RoomId, Position)> {
        self.from().pop_first()
    }

    /// What came meanwhile and was looked at already is not looked at twice.
    fn passed(&self, room: RoomId, up_to: Position) {
        if let Some(place) = self.from().get_mut(&room) {
            *place = up_to.next().max(*place);
        }
    }
}

/// Alerts people until `stop` turns true, and to what is left then.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    if let Err(error) = app.look_back().await {
        tracing::warn!(error = %error.0, "what came last before the start is not looked at again");
    }
    loop {
        let ended = tokio::select! {
            () = app.unnoticed.bell.notified() => false,
            _ = stop.wait_for(|stop| *stop) => true,
        };
        if let Err(error) = app.alert().await {
            let error = error.0;
            tracing::warn!(%error, "people are not alerted yet; the next event tries again");
        }
        if ended {
            return;
        }
    }
}

impl App {
    /// Marks what came last in each room: a crash may have come between an event and its
    /// notifications. One that does not read keeps no other from its turn.
    pub async fn look_back(&self) -> Result<(), ApiError> {
        let mut done = Ok(());
        for state in self.membership.rooms() {
            let room = state.room.id;
            match self.lately(room).await {
                Ok(from) => from.into_iter().for_each(|from| self.unnoticed.mark_from(room, from)),
                Err(error) => done = Err(error),
            }
        }
        done
    }

    /// Where the last minute of a room begins; `None`: nothing ever came.
    async fn lately(&self, room: RoomId) -> Result<Option<Position>, ApiError> {
        let Some(newest) = self.store.newest(room).await? else { return Ok(None) };
        let since_ms = newest.received_at.saturating_sub(LOOK_BACK_MS);
        Ok(Some(self.store.position_at(room, since_ms).await?))
    }

    /// Alerts people to everything that was marked. What could not be stored stays marked, and
    /// keeps no other room from its turn; the error is of the last such room.
    pub async fn alert(&self) -> Result<(), ApiError> {
        let mut left = vec![];
        let mut done = Ok(());
        while let Some((room, from)) = self.unnoticed.take() {
            match self.alert_room(room, from).await {
                Ok(None) => {}
                Ok(Some(next)) => self.unnoticed.mark_from(room, next),
                // Gone, and all that was to be heard of it.
                Err(_) if self.membership.room(room).is_none() => {}
                Err(error) => {
                    left.push((room, from));
                    done = Err(error);
                }
            }
        }
        for (room, from) in left {
            self.unnoticed.keep(room, from);
        }
        done
    }

    /// One page of a room; where the next one begins, if there may be more.
    async fn alert_room(&self, room: RoomId, from: Position) -> Result<Option<Position>, ApiError> {
        let limit = self.limits.backlog_events_max;
        let page = self.store.page(room, PageQuery::after(from.previous(), limit)).await?;
        let Some(covered) = page.covered else { return Ok(None) };
        let more = covered.to < self.store.head(room).await?;
        let mut made = vec![];
        for event in &page.events {
            match self.alerts(event).await {
                Ok(alerts) => made.extend(alerts),
                // A row that does not read: the events after it are not kept waiting.
                Err(ApiError(error)) => {
                    tracing::error!(%error, %room, id = %event.id, "nobody is alerted to an event");
                }
            }
            if made.len() >= BATCH {
                self.notify(std::mem::take(&mut made)).await?;
            }
        }
        self.notify(made).await?;
        self.unnoticed.passed(room, covered.to);
        Ok(more.then_some(covered.to.next()))
    }

    /// Stores notifications, those that are there already left out, and rings for the others.
    async fn notify(&self, made: Vec<Notification>) -> Result<(), ApiError> {
        if made.is_empty() {
            return Ok(());
        }
        let edits = made.iter().cloned().map(Edit::PutNotification).collect();
        match self.store.change(Change::of(edits, self.clock.now_ms())).await {
            Ok(_) => {
                for notification in made {
                    self.ring_for(notification).await?;
                }
                Ok(())
            }
            // One of them is there, or its recipient is not: the others come one by one.
            Err(StoreError::IdTaken { .. } | StoreError::NotFound { .. }) if made.len() > 1 => {
                for notification in made {
                    Box::pin(self.notify(vec![notification])).await?;
                }
                Ok(())
            }
            Err(StoreError::IdTaken { .. } | StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The doorbell of a notification: what `GET /api/notifications` lists of it.
    async fn ring_for(&self, notification: Notification) -> Result<(), ApiError> {
        let recipient = notification.recipient;
        let view = self.notification_view(notification).await?;
        self.ring(recipient, &json!({ "type": "notification", "notification": view }));
        Ok(())
    }
}
