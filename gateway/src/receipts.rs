//! How far everybody is in each room: delivered and read, two positions that only rise (design §5).
//!
//! What was read comes by [`App::mark_read`]; what was delivered is noted where it happens, at
//! acknowledgements and pages, and looked at later. `receipts` of a room is published when
//! something moved, at most once a second.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hearth_protocol::ids::{Position, RoomId, UserId};
use hearth_protocol::role::RoomAction;
use hearth_protocol::topic::Topic;
use hearth_store::{Receipt, StoreError};
use serde_json::{Map, Value, json};
use tokio::sync::{Notify, watch};

use crate::app::App;
use crate::error::ApiError;
use crate::place::Place;

/// Between two looks at what moved.
const EVERY: Duration = Duration::from_secs(1);

/// What moved since the last look.
#[derive(Debug, Default)]
pub struct Receipts {
    noted: Mutex<Noted>,
    bell: Notify,
}

#[derive(Debug, Default)]
struct Noted {
    /// One entry per member and room at most.
    delivered: HashMap<(RoomId, UserId), Position>,
    moved: BTreeSet<RoomId>,
    /// What each room's topic holds; the bytes are those that the broker retains.
    published: HashMap<RoomId, Bytes>,
}

impl Receipts {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something of a person's got this far. Waits for nothing.
    pub fn delivered(&self, room: RoomId, user: UserId, position: Position) {
        {
            let mut noted = self.noted();
            let known = noted.delivered.entry((room, user)).or_default();
            *known = position.max(*known);
        }
        self.bell.notify_one();
    }

    /// A room's receipts are not what they were.
    pub fn moved(&self, room: RoomId) {
        self.noted().moved.insert(room);
        self.bell.notify_one();
    }
}

impl App {
    /// Somebody has read a room up to a place; gives where that leaves them. Durable within about
    /// a second.
    pub async fn mark_read(
        &self,
        room: RoomId,
        user: UserId,
        place: Place,
    ) -> Result<Receipt, ApiError> {
        self.membership.require(room, user, RoomAction::Read)?;
        let position = self.position_of(room, place).await?;
        let read = Receipt::read(user, position, self.clock.now_ms());
        let receipt = self.store.note_receipt(room, read).await?;
        self.receipts.moved(room);
        Ok(receipt)
    }

    /// Looks at what moved: notes what was delivered, and publishes the rooms that changed.
    pub async fn publish_receipts(&self) -> Result<(), StoreError> {
        let delivered = std::mem::take(&mut self.receipts.noted().delivered);
        for ((room, user), position) in delivered {
            match self.store.note_receipt(room, Receipt::delivered(user, position)).await {
                // Gone from the room meanwhile.
                Err(StoreError::NotFound { .. }) => continue,
                noted => drop(noted?),
            }
            self.receipts.noted().moved.insert(room);
        }
        let moved = std::mem::take(&mut self.receipts.noted().moved);
        for room in moved {
            self.publish_receipts_of(room).await?;
        }
        Ok(())
    }

    async fn publish_receipts_of(&self, room: RoomId) -> Result<(), StoreError> {
        let payload = match self.membership.room(room) {
            Some(state) => {
                let receipts = self.store.receipts(room).await?;
                let there = receipts.iter().filter(|one| state.members.contains_key(&one.user));
                let positions = |one: &Receipt| json!([one.delivered, one.read]);
                let map: Map<_, _> =
                    there.map(|one| (one.user.to_string(), positions(one))).collect();
                Bytes::from(Value::Object(map).to_string())
            }
            None => Bytes::new(),
        };
        let before = if payload.is_empty() {
            self.receipts.noted().published.remove(&room)
        } else {
            self.receipts.noted().published.insert(room, payload.clone())
        };
        let nothing = payload.is_empty() || payload == "{}";
        if before.as_ref() != Some(&payload) && !(before.is_none() && nothing) {
            self.broker.publish(&Topic::Receipts(room), payload, true);
        }
        Ok(())
    }
}

/// Publishes until `stop` turns true. The broker's memory begins empty: each room has its turn.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    for state in app.membership.rooms() {
        app.receipts.moved(state.room.id);
    }
    loop {
        tokio::select! {
            () = app.receipts.bell.notified() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        if let Err(error) = app.publish_receipts().await {
            tracing::warn!(%error, "receipts are not published");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use hearth_protocol::role::{HouseRole, RoomType, Sealing};
    use tokio::time::Instant;

    use super::*;
    use crate::testing::House;

    /// Time goes on by itself where everybody waits.
    #[tokio::test(start_paused = true)]
    async fn a_rooms_receipts_are_published_when_they_move_and_once_a_second_at_most() {
        let house = House::new().await;
        let anna = house.person("anna", HouseRole::Owner).await;
        let room = house.room(RoomType::Private, Sealing::Open, &[&anna]).await;
        for text in ["1", "2", "3", "4"] {
            let event = json!({ "content": text });
            house.app.submit_open(room, anna.id, event).await.unwrap();
        }
        let mut link = house.app.broker.link(&["hearth/rooms/+/receipts"], 16).unwrap();
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(run(house.app.clone(), stopped));
        let read = async |position| {
            let place = Place::At(Position(position));
            house.app.mark_read(room, anna.id, place).await.unwrap();
        };
        let mut heard = async || {
            let payload = link.recv().await.unwrap().payload;
            serde_json::from_slice::<Value>(&payload).unwrap()[anna.id.to_string()].take()
        };
        read(1).await;
        assert_eq!(heard().await, json!([1, 1]));
        let first = Instant::now();
        for position in [2, 3, 4, 1] {
            read(position).await;
        }
        assert_eq!(heard().await, json!([4, 4]), "what moved meanwhile comes in one");
        assert!(first.elapsed() >= EVERY, "{:?}", first.elapsed());
        stop.send_replace(true);
        task.await.unwrap();
    }
}
