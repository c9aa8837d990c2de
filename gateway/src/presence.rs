//! Who is there, and whether the house is: retained topics that clients follow (design §4, §5).
//!
//! Somebody is there from their first connection (MQTT or `/api/ws`) until a grace after the last
//! one; the broker counts them. Who has done nothing for 5 minutes is away: connecting counts as
//! doing, and so do requests, events on `/api/ws` and publishes to Hearth's topics; receiving does
//! not, nor what an integration publishes to plain topics. What somebody chose to be shown as goes
//! before both ([`PresenceChoice`]).

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hearth_broker::{Broker, PresenceChange};
use hearth_protocol::ids::{RoomId, UserId};
use hearth_protocol::limits::{Limits, seconds_ms};
use hearth_protocol::presence::PresenceChoice;
use hearth_protocol::role::RoomAction;
use hearth_protocol::sealing::event::{Kind as WireKind, WireHeader};
use hearth_protocol::topic::Topic;
use hearth_store::{Change, Edit, Store, StoreError, Touch, User};
use serde::Serialize;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::app::App;
use crate::error::ApiError;
use crate::feed::typing_payload;

/// How often it is looked who is away by now.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often "last seen" is noted of somebody who does something all the time, in ms.
const TOUCH_MS: u64 = 60_000;

/// What somebody is shown as (seed 004 @User).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// There.
    Online,
    /// There, and doing nothing; or by choice.
    Away,
    /// By choice.
    Busy,
    /// Not there; or by choice.
    Offline,
}

/// What others see of somebody: the payload of the `presence` topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// As what.
    pub status: Status,
    /// When they last did something, ms since 1970; stands still while they choose not to be seen.
    pub last_seen: u64,
    /// What they say of themselves; may be empty.
    pub status_text: String,
}

impl Shown {
    /// Whether they are there at all.
    pub fn is_there(&self) -> bool {
        self.status != Status::Offline
    }
}

#[derive(Debug)]
struct Person {
    connected: bool,
    active_at: u64,
    choice: PresenceChoice,
    shown: Shown,
}

impl Person {
    fn of(user: &User) -> Self {
        let (last_seen, status_text) = (user.last_seen, user.status_text.clone());
        let shown = Shown { status: Status::Offline, last_seen, status_text };
        Self { connected: false, active_at: 0, choice: user.presence, shown }
    }

    fn status(&self, now: u64, away_ms: u64) -> Status {
        match self.choice {
            _ if !self.connected => Status::Offline,
            PresenceChoice::Offline => Status::Offline,
            PresenceChoice::Busy => Status::Busy,
            PresenceChoice::Away => Status::Away,
            PresenceChoice::Online if now.saturating_sub(self.active_at) >= away_ms => Status::Away,
            PresenceChoice::Online => Status::Online,
        }
    }

    /// They did something; whether it is to be noted in the store.
    fn act(&mut self, now: u64) -> bool {
        self.active_at = now;
        if self.choice == PresenceChoice::Offline {
            return false;
        }
        let due = now.saturating_sub(self.shown.last_seen) >= TOUCH_MS;
        if due {
            self.shown.last_seen = now;
        }
        due
    }
}

/// Everybody of the house.
pub struct Presences {
    broker: Broker,
    away_ms: u64,
    people: Mutex<HashMap<UserId, Person>>,
}

impl Presences {
    /// Nobody is there: retained topics begin empty at each start.
    pub async fn load(
        store: &Store,
        broker: Broker,
        limits: &Limits,
    ) -> Result<Arc<Self>, StoreError> {
        let away_ms = seconds_ms(limits.away_minutes.saturating_mul(60));
        let mut people = HashMap::new();
        for user in store.users().await? {
            let person = Person::of(&user);
            tell(&broker, user.id, &person.shown);
            people.insert(user.id, person);
        }
        Ok(Arc::new(Self { broker, away_ms, people: Mutex::new(people) }))
    }

    fn people(&self) -> MutexGuard<'_, HashMap<UserId, Person>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How somebody is shown.
    pub fn shown(&self, user: UserId) -> Option<Shown> {
        self.people().get(&user).map(|person| person.shown.clone())
    }

    /// Shows somebody as they are now, if that is new. Under the lock, so that it has one order.
    fn show(&self, user: UserId, person: &mut Person, now: u64) {
        let status = person.status(now, self.away_ms);
        if status != person.shown.status {
            person.shown.status = status;
            tell(&self.broker, user, &person.shown);
        }
    }

    /// Somebody came or went; whether it is to be noted in the store.
    fn connected(&self, user: UserId, connected: bool, now: u64) -> bool {
        let mut people = self.people();
        let Some(person) = people.get_mut(&user) else { return false };
        person.connected = connected;
        if connected {
            person.active_at = now;
        }
        let seen = person.choice != PresenceChoice::Offline;
        if seen {
            person.shown.last_seen = now;
        }
        self.show(user, person, now);
        seen
    }

    /// Somebody did something; whether it is to be noted in the store.
    fn active(&self, user: UserId, now: u64) -> bool {
        let mut people = self.people();
        let Some(person) = people.get_mut(&user) else { return false };
        let due = person.act(now);
        self.show(user, person, now);
        due
    }

    /// Shows those as away who have done nothing for so long.
    pub fn look(&self, now: u64) {
        for (user, person) in self.people().iter_mut() {
            self.show(*user, person, now);
        }
    }

    /// Follows a change that is on disk.
    pub fn apply(&self, change: &Change) {
        for edit in &change.edits {
            let (Edit::PutUser(user) | Edit::UpdateUser(user)) = edit else { continue };
            let mut people = self.people();
            let mut is_new = false;
            let person = people.entry(user.id).or_insert_with(|| {
                is_new = true;
                Person::of(user)
            });
            person.choice = user.presence;
            let status = person.status(change.at_ms, self.away_ms);
            if is_new
                || (status, &user.status_text) != (person.shown.status, &person.shown.status_text)
            {
                person.shown.status = status;
                person.shown.status_text = user.status_text.clone();
                tell(&self.broker, user.id, &person.shown);
            }
        }
    }
}

fn tell(broker: &Broker, user: UserId, shown: &Shown) {
    match serde_json::to_vec(shown) {
        Ok(payload) => broker.publish(&Topic::Presence(user), payload.into(), true),
        Err(error) => tracing::error!(%error, "somebody's presence cannot be written"),
    }
}

/// Looks who is away, until `stop` turns true.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => app.presence.look(app.clock.now_ms()),
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

impl App {
    /// A person came or went: seen by those who share a room with them.
    pub fn person_changed(&self, user: UserId, change: PresenceChange) {
        let now = self.clock.now_ms();
        if self.presence.connected(user, change == PresenceChange::Online, now) {
            self.store.touch(Touch::User(user), now);
        }
    }

    /// A person did something.
    pub fn was_active(&self, user: UserId) {
        let now = self.clock.now_ms();
        if self.presence.active(user, now) {
            self.store.touch(Touch::User(user), now);
        }
    }

    /// A person writes something in a room, or does so no more: heard on `live` by all doors. In a
    /// sealed room their client says it, sealed.
    pub fn type_in(
        &self,
        room: RoomId,
        user: UserId,
        on: bool,
        sealed: Option<Vec<u8>>,
    ) -> Result<(), ApiError> {
        let state = self.membership.require(room, user, RoomAction::Write)?;
        self.may_speak(&state, user)?;
        let payload = match (state.is_sealed(), sealed) {
            (false, None) => typing_payload(on),
            (true, Some(wire)) => {
                let header = WireHeader::parse(&wire)?;
                if header.kind != WireKind::Live || header.sender != user {
                    let message = "`sealed` is one's own wire of kind 3";
                    return Err(ApiError::invalid("bad_sealed", message));
                }
                wire.into()
            }
            (true, None) => {
                let message = "who writes in a sealed room is told sealed";
                return Err(ApiError::conflict("room_is_sealed", message)
                    .hint("send `sealed`: the notice as a wire of kind 3"));
            }
            (false, Some(_)) => {
                let message = "who writes in an open room is told in clear";
                return Err(ApiError::conflict("room_is_open", message).hint("leave `sealed` out"));
            }
        };
        self.broker.publish(&Topic::Live(room, user), payload, false);
        Ok(())
    }

    /// The house is there from now on.
    pub fn house_opened(&self) {
        let payload = json!({ "status": "online", "version": env!("CARGO_PKG_VERSION") });
        self.broker.publish(&Topic::Status, payload.to_string().into(), true);
    }

    /// The house ends; who is connected is told before.
    pub fn house_closes(&self) {
        let payload = json!({ "status": "offline" });
        self.broker.publish(&Topic::Status, payload.to_string().into(), true);
    }
}
