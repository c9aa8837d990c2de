//! What happens in the house, for whoever listens outside MQTT: `/api/ws` and the stream of
//! notifications.
//!
//! One feed per appliance. Stored events come from the aftermath, in commit order; typing,
//! receipts, presence and doorbells by links to the broker, so that whoever publishes there
//! reaches everyone. Each listener has a [`Seat`] with a bounded queue; who is slow holds nobody
//! and no memory: of a room that does not fit the listener reads on from the store, and of
//! anything else it is told to come back. A seat decides nothing: what somebody may have is asked
//! by its owner at delivery ([`crate::gate::may_have`]).

pub mod seat;
#[cfg(test)]
mod tests;
mod typing;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use hearth_broker::{Broker, Heard, Link};
use hearth_protocol::ids::{RoomId, UserId};
use hearth_protocol::limits::{Limits, seconds_ms};
use hearth_protocol::principal::Principal;
use hearth_protocol::refusal::Kind;
use hearth_protocol::topic::Topic;
use hearth_store::{Change, Edit, StoredEvent};
use tokio::sync::{OnceCell, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::app::App;
use crate::error::ApiError;
use seat::{End, Seat, Wants};
use typing::Typing;

pub use typing::payload as typing_payload;

/// What the link hears that has to arrive.
const TOPICS: [&str; 3] =
    ["hearth/rooms/+/receipts", "hearth/users/+/presence", "hearth/users/+/inbox"];
/// What anyone may publish as fast as they like: by a link of its own, whose queue it fills alone.
const LIVE: &str = "hearth/rooms/+/live/+";
/// How long listeners may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// A stored event on its way to many: what each of them is sent is made once.
#[derive(Debug)]
pub struct Told {
    /// As it is on disk.
    pub event: StoredEvent,
    /// What `/api/ws` makes of it.
    pub frames: OnceCell<Vec<crate::ws::render::Rendered>>,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Item {
    /// An event of a room.
    Event(Arc<Told>),
    /// Somebody writes, or does so no more.
    Typing {
        /// Where.
        room: RoomId,
        /// Who.
        user: UserId,
        /// Whether they do.
        on: bool,
    },
    /// What somebody says now in a sealed room.
    Live {
        /// Where.
        room: RoomId,
        /// Who.
        user: UserId,
        /// Sealed: whether it is that they write, the box cannot tell.
        wire: Bytes,
    },
    /// How far the members of a room are: JSON.
    Receipts(RoomId, Bytes),
    /// How somebody is shown: JSON.
    Presence(UserId, Bytes),
    /// A doorbell of the listener's own: JSON.
    Inbox(Bytes),
    /// A room is gone.
    Gone(RoomId),
}

impl Item {
    /// Bytes it holds, roughly: what queues are bounded by.
    fn bytes(&self) -> usize {
        match self {
            Item::Event(told) => told.event.body.len(),
            Item::Receipts(_, payload) | Item::Presence(_, payload) | Item::Inbox(payload) => {
                payload.len()
            }
            Item::Live { wire, .. } => wire.len(),
            Item::Typing { .. } | Item::Gone(_) => 0,
        }
    }
}

/// The feed.
pub struct Feed {
    limits: Arc<Limits>,
    seats: RwLock<HashMap<u64, Arc<Seat>>>,
    numbers: AtomicU64,
    /// How many sit here; [`Feed::close`] waits for none.
    sitting: watch::Sender<usize>,
    closed: watch::Sender<bool>,
    links: Mutex<Option<JoinHandle<()>>>,
}

impl Feed {
    /// A feed that hears what the broker passes on. Needs a tokio runtime, until the broker shuts
    /// down.
    pub fn over(broker: &Broker, limits: Arc<Limits>) -> Result<Arc<Self>, ApiError> {
        let link = |topics: &[&str]| {
            let link = broker.link(topics, limits.queued_messages_max);
            link.map_err(|error| ApiError::new(Kind::Unavailable, "no_link", error.to_string()))
        };
        let (link, live) = (link(&TOPICS)?, link(&[LIVE])?);
        let feed = Arc::new(Self {
            limits,
            seats: RwLock::default(),
            numbers: AtomicU64::new(0),
            sitting: watch::Sender::new(0),
            closed: watch::Sender::new(false),
            links: Mutex::new(None),
        });
        let task = tokio::spawn(follow(feed.clone(), link, live));
        *feed.links.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        Ok(feed)
    }

    /// A place for somebody who listens; refused when there are too many.
    pub fn sit(self: &Arc<Self>, who: Principal, wants: Wants) -> Result<Listener, ApiError> {
        let busy = |message: String| {
            let kind = Kind::TooMany { retry_after_ms: 10_000 };
            Err(ApiError::new(kind, "too_many_connections", message)
                .hint("close one, or try again later"))
        };
        let account = who.account();
        let (max, max_own) = (self.limits.listeners_max, self.limits.listeners_per_identity_max);
        let mut seats = self.seats.write().unwrap_or_else(PoisonError::into_inner);
        if *self.closed.borrow() {
            return Err(ApiError::new(Kind::Unavailable, "stopping", "the box is stopping")
                .hint("try again in some seconds"));
        }
        if seats.len() >= max {
            return busy(format!("the box has {max} listeners, and takes no more"));
        }
        if seats.values().filter(|seat| seat.who.account() == account).count() >= max_own {
            return busy(format!("you have {max_own} connections that listen, and get no more"));
        }
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let seat = Arc::new(Seat::new(who, wants, &self.limits));
        seats.insert(number, seat.clone());
        self.sitting.send_replace(seats.len());
        Ok(Listener { feed: self.clone(), number, seat })
    }

    /// How many listen.
    pub fn listeners(&self) -> usize {
        *self.sitting.borrow()
    }

    fn each(&self, tell: impl Fn(&Seat)) {
        let seats = self.seats.read().unwrap_or_else(PoisonError::into_inner);
        seats.values().for_each(|seat| tell(seat));
    }

    /// Events are on disk; called in commit order, never waits.
    pub fn stored(&self, events: &[StoredEvent]) {
        let seats = self.seats.read().unwrap_or_else(PoisonError::into_inner);
        if seats.is_empty() {
            return;
        }
        for event in events {
            let told = Arc::new(Told { event: event.clone(), frames: OnceCell::new() });
            seats.values().for_each(|seat| seat.event(&told));
        }
    }

    /// Follows a change that is on disk: logins end, rooms go.
    pub fn changed(&self, change: &Change) {
        for edit in &change.edits {
            match edit {
                Edit::RemoveSession(ended) => self.end(
                    |who| matches!(who, Principal::Person { session, .. } if session == ended),
                    End::SignedOut,
                ),
                Edit::RemoveToken(ended) => self.end(
                    |who| matches!(who, Principal::App { token, .. } if token == ended),
                    End::SignedOut,
                ),
                Edit::RemoveRoom { room, .. } => {
                    self.each(|seat| seat.of_room(*room, Item::Gone(*room)));
                }
                _ => {}
            }
        }
    }

    /// Ends the listening of everybody who answers the description.
    pub fn end(&self, whom: impl Fn(&Principal) -> bool, why: End) {
        self.each(|seat| {
            if whom(&seat.who) {
                seat.end(why);
            }
        });
    }

    /// Something came by a link.
    fn heard(&self, heard: &Heard, typing: &mut Typing) {
        match Topic::parse(&heard.topic) {
            Some(Topic::Live(room, user)) => {
                if typing::is_sealed(&heard.payload, user) {
                    let wire = heard.payload.clone();
                    return self.each(|seat| {
                        seat.of_room(room, Item::Live { room, user, wire: wire.clone() })
                    });
                }
                let Some(on) = typing::read(&heard.payload) else { return };
                if typing.note(room, user, on, Instant::now(), self.typing_life()) {
                    self.each(|seat| seat.of_room(room, Item::Typing { room, user, on }));
                }
            }
            Some(Topic::Receipts(room)) => {
                self.each(|seat| seat.of_room(room, Item::Receipts(room, heard.payload.clone())));
            }
            Some(Topic::Presence(user)) => {
                self.each(|seat| seat.of_house(Item::Presence(user, heard.payload.clone())));
            }
            Some(Topic::Inbox(user)) => {
                self.each(|seat| seat.of_person(user, Item::Inbox(heard.payload.clone())));
            }
            _ => {}
        }
    }

    fn typing_life(&self) -> Duration {
        Duration::from_millis(seconds_ms(self.limits.typing_s))
    }

    /// Tells everyone to come back later, waits a moment until they have gone, and lets nobody in
    /// any more.
    pub async fn close(&self) {
        {
            // Under the lock, so that nobody sits down in between.
            let seats = self.seats.write().unwrap_or_else(PoisonError::into_inner);
            self.closed.send_replace(true);
            seats.values().for_each(|seat| seat.end(End::Stopping));
        }
        let mut sitting = self.sitting.subscribe();
        if tokio::time::timeout(GOODBYE, sitting.wait_for(|count| *count == 0)).await.is_err() {
            tracing::warn!(listeners = self.listeners(), "some did not say goodbye in time");
        }
    }

    /// Waits for the links, which end when the broker shuts down.
    pub async fn ended(&self) {
        let task = self.links.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the feed broke");
        }
    }
}

/// Passes on what the links hear, and that somebody's typing is over.
async fn follow(feed: Arc<Feed>, mut link: Link, mut live: Link) {
    let (mut typing, mut dropped) = (Typing::default(), 0);
    loop {
        let over = typing.next_over();
        let heard = tokio::select! {
            // What has to arrive goes first, and no flood of what need not holds up what is over.
            biased;
            heard = link.recv() => heard,
            () = tokio::time::sleep_until(over.unwrap_or_else(Instant::now)), if over.is_some() => {
                for (room, user) in typing.over(Instant::now()) {
                    let item = Item::Typing { room, user, on: false };
                    feed.each(|seat| seat.of_room(room, item.clone()));
                }
                continue;
            }
            heard = live.recv() => heard,
        };
        let Some(heard) = heard else { return };
        feed.heard(&heard, &mut typing);
        if link.dropped() > dropped {
            dropped = link.dropped();
            tracing::warn!(dropped, "the feed was too slow for the broker");
        }
    }
}

/// Says goodbye to listeners as soon as `stop` turns true, before requests are waited for.
pub async fn end_at(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    // A sender that is gone is a stop too.
    if stop.wait_for(|stop| *stop).await.is_err() {
        tracing::debug!("nobody is left who could stop the box");
    }
    app.feed.close().await;
}

/// A seat that is given up when this is dropped.
pub struct Listener {
    feed: Arc<Feed>,
    number: u64,
    seat: Arc<Seat>,
}

impl std::ops::Deref for Listener {
    type Target = Seat;

    fn deref(&self) -> &Seat {
        &self.seat
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut seats = self.feed.seats.write().unwrap_or_else(PoisonError::into_inner);
        seats.remove(&self.number);
        self.feed.sitting.send_replace(seats.len());
    }
}
