//! One listener's place at the feed: the rooms it follows and a bounded queue.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hearth_protocol::ids::{RoomId, UserId};
use hearth_protocol::limits::Limits;
use hearth_protocol::principal::Principal;
use tokio::sync::{Notify, watch};

use super::{Item, Told};

/// What a listener is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// Its rooms, everybody's presence, its own inbox.
    Everything,
    /// Its own inbox.
    Inbox,
}

/// Why a listener has to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Its login, or its app token, has ended.
    SignedOut,
    /// Whoever runs the house ended everything that person has open.
    Disconnected,
    /// It did not take what it was told.
    TooSlow,
    /// The box stops.
    Stopping,
}

/// What a listener does next.
#[derive(Debug)]
pub enum Next {
    /// Tells this.
    Item(Item),
    /// Reads this room from the store, from where it is.
    Behind(RoomId),
}

/// How a room is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follows {
    /// Its events come into the queue.
    Live,
    /// Its events are read from the store; none comes into the queue.
    Behind,
}

#[derive(Debug, Default)]
struct Inside {
    rooms: HashMap<RoomId, Follows>,
    items: VecDeque<Item>,
    /// What the items hold.
    bytes: usize,
    /// Rooms to be read from the store, each once.
    behind: VecDeque<RoomId>,
}

/// A place at the feed.
#[derive(Debug)]
pub struct Seat {
    /// Who listens.
    pub who: Principal,
    wants: Wants,
    items_max: usize,
    bytes_max: usize,
    inside: Mutex<Inside>,
    bell: Notify,
    end: watch::Sender<Option<End>>,
}

impl Seat {
    pub(super) fn new(who: Principal, wants: Wants, limits: &Limits) -> Self {
        let (items_max, bytes_max) = (limits.listener_items_max, limits.listener_bytes_max);
        let (inside, bell, end) = (Mutex::default(), Notify::new(), watch::Sender::new(None));
        Self { who, wants, items_max, bytes_max, inside, bell, end }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Events of this room come from now on.
    pub fn follow(&self, room: RoomId) {
        self.inside().rooms.insert(room, Follows::Live);
    }

    /// The room is to be read from the store before its events come: from now on it is behind,
    /// until [`Seat::caught_up`].
    pub fn fall_behind(&self, room: RoomId) {
        let mut inside = self.inside();
        inside.rooms.insert(room, Follows::Behind);
        if !inside.behind.contains(&room) {
            inside.behind.push_back(room);
        }
        drop(inside);
        self.bell.notify_one();
    }

    /// The room's events come again. What was stored before came to nobody, so the store has to be
    /// read up to its end after this.
    pub fn caught_up(&self, room: RoomId) {
        if let Some(follows) = self.inside().rooms.get_mut(&room) {
            *follows = Follows::Live;
        }
    }

    /// Nothing of this room comes any more.
    pub fn leave(&self, room: RoomId) {
        let mut inside = self.inside();
        inside.rooms.remove(&room);
        inside.behind.retain(|behind| *behind != room);
    }

    /// What comes next, once there is something. May be dropped: nothing is lost.
    pub async fn next(&self) -> Next {
        loop {
            if let Some(next) = self.try_next() {
                return next;
            }
            self.bell.notified().await;
        }
    }

    /// What comes next, if there is something. What waits goes before what is to be read.
    pub fn try_next(&self) -> Option<Next> {
        let mut inside = self.inside();
        if let Some(item) = inside.items.pop_front() {
            inside.bytes -= item.bytes().min(inside.bytes);
            return Some(Next::Item(item));
        }
        inside.behind.pop_front().map(Next::Behind)
    }

    /// Waits until the listener has to go.
    pub async fn ended(&self) -> End {
        let mut end = self.end.subscribe();
        match end.wait_for(Option::is_some).await.map(|end| *end) {
            Ok(Some(end)) => end,
            // The sender lives in this seat, and what was waited for is there.
            _ => End::Stopping,
        }
    }

    /// Tells it to go. The first reason stands.
    pub(super) fn end(&self, why: End) {
        self.end.send_if_modified(|end| {
            let first = end.is_none();
            if first {
                *end = Some(why);
            }
            first
        });
    }

    /// An event of a room: queued where the room is followed. One that does not fit is read from
    /// the store later, with all that come after it.
    pub(super) fn event(&self, told: &Arc<Told>) {
        let room = told.event.room;
        let mut inside = self.inside();
        if inside.rooms.get(&room) != Some(&Follows::Live) {
            return;
        }
        if !self.take(&mut inside, Item::Event(told.clone())) {
            inside.rooms.insert(room, Follows::Behind);
            inside.behind.push_back(room);
        }
        drop(inside);
        self.bell.notify_one();
    }

    /// Something in a room, for those who follow it.
    pub(super) fn of_room(&self, room: RoomId, item: Item) {
        if self.inside().rooms.contains_key(&room) {
            self.push(item);
        }
    }

    /// Something that concerns the house.
    pub(super) fn of_house(&self, item: Item) {
        if self.wants == Wants::Everything {
            self.push(item);
        }
    }

    /// Something for one person.
    pub(super) fn of_person(&self, user: UserId, item: Item) {
        if self.who.user() == Some(user) {
            self.push(item);
        }
    }

    /// Queues what is kept nowhere: who does not take it in time has to come back and look. What
    /// anyone in a room may say as fast as they like is left out instead.
    fn push(&self, item: Item) {
        let matters = !matches!(item, Item::Typing { .. } | Item::Live { .. });
        if self.take(&mut self.inside(), item) {
            self.bell.notify_one();
        } else if matters {
            self.end(End::TooSlow);
        }
    }

    /// Queues something if it fits.
    fn take(&self, inside: &mut Inside, item: Item) -> bool {
        let bytes = inside.bytes.saturating_add(item.bytes());
        let fits = inside.items.len() < self.items_max && bytes <= self.bytes_max;
        if fits {
            inside.bytes = bytes;
            inside.items.push_back(item);
        }
        fits
    }
}
