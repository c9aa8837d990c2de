//! The rooms a connection follows: how far each was told, and reading on from the store.
//!
//! A room is told in order of positions, each once. What comes by the feed is told where it is the
//! very next one; anything else is read from the store, so that neither a queue that was full nor
//! a client that was away leaves a gap.

use std::collections::HashMap;

use hearth_protocol::ids::{Position, RoomId, UserId};
use hearth_protocol::role::RoomAction;

use super::event::Says;
use super::render::{Rendered, render};
use crate::app::App;
use crate::error::ApiError;
use crate::feed::Told;
use crate::feed::seat::Seat;
use crate::history::{self, stretch};

/// Events read from the store at a time: sealed ones may have 64 KiB each.
const PAGE: usize = 32;

/// How far a room was told.
#[derive(Debug, Clone, Copy)]
struct Cursor {
    /// All up to here.
    told: Position,
    /// Where the member's sight of history begins, this place included.
    since: Position,
}

impl Cursor {
    fn may_see(&self, rendered: &Rendered) -> bool {
        rendered.shows.is_none_or(|at| at >= self.since)
    }
}

/// The rooms of one connection.
#[derive(Debug, Default)]
pub struct Rooms(HashMap<RoomId, Cursor>);

impl Rooms {
    /// Follows a room from now on, or from a place that is known, and gives its newest position.
    pub async fn join(
        &mut self,
        app: &App,
        seat: &Seat,
        user: UserId,
        room: RoomId,
        after: Option<Position>,
    ) -> Result<Position, ApiError> {
        let state = app.membership.require(room, user, RoomAction::Read)?;
        let max = app.limits.ws_rooms_max;
        if !self.0.contains_key(&room) && self.0.len() >= max {
            let message = format!("one connection follows at most {max} rooms");
            return Err(ApiError::conflict("limit_reached", message).hint("leave another first"));
        }
        let since = app.sight(&state, user).await?;
        let follows = self.0.get(&room).copied();
        if follows.is_none() {
            // Before the head is read: what comes after it is in the queue.
            seat.follow(room);
        }
        let head = match app.store.head(room).await {
            Ok(head) if after.is_none_or(|after| after <= head) => head,
            answer => {
                if follows.is_none() {
                    seat.leave(room);
                }
                let head = answer?;
                let message = format!("the room has come to position {head} only");
                return Err(ApiError::invalid("bad_place", message).hint("join without `after`"));
            }
        };
        match (after, follows) {
            (Some(after), _) => {
                self.0.insert(room, Cursor { told: after.max(since.previous()), since });
                seat.fall_behind(room);
            }
            (None, None) => drop(self.0.insert(room, Cursor { told: head, since })),
            // It goes on where it is.
            (None, Some(_)) => {}
        }
        Ok(head)
    }

    /// Follows it no more.
    pub fn leave(&mut self, seat: &Seat, room: RoomId) {
        self.0.remove(&room);
        seat.leave(room);
    }

    /// Whether it is followed.
    pub fn follows(&self, room: RoomId) -> bool {
        self.0.contains_key(&room)
    }

    /// An event came by the feed.
    pub async fn event(
        &mut self,
        app: &App,
        seat: &Seat,
        told: &Told,
        out: &mut Vec<String>,
    ) -> Result<(), ApiError> {
        let room = told.event.room;
        let Some(cursor) = self.0.get_mut(&room) else { return Ok(()) };
        if told.event.position <= cursor.told {
            return Ok(());
        }
        if told.event.position > cursor.told.next() {
            seat.fall_behind(room);
            return Ok(());
        }
        let frames = told.frames.get_or_try_init(|| render(app, &told.event)).await?;
        let frames = frames.iter().filter(|rendered| cursor.may_see(rendered));
        out.extend(frames.map(|rendered| rendered.text.clone()));
        cursor.told = told.event.position;
        Ok(())
    }

    /// Reads a page of a room that is behind; there may be more afterwards.
    pub async fn read_on(
        &mut self,
        app: &App,
        seat: &Seat,
        user: UserId,
        room: RoomId,
        out: &mut Vec<String>,
    ) -> Result<(), ApiError> {
        let Some(cursor) = self.0.get_mut(&room) else { return Ok(()) };
        let Ok(state) = app.membership.require(room, user, RoomAction::Read) else {
            return self.lose(seat, user, room, out);
        };
        let limit = app.limits.backlog_events_max.min(PAGE);
        // Before the head is read: what is stored after it comes into the queue.
        seat.caught_up(room);
        let head = app.store.head(room).await?;
        let stretch = stretch(app, &state, cursor.since, cursor.told, limit).await?;
        let mut all = vec![];
        for event in &stretch.events {
            let frames = render(app, event).await?;
            let seen = frames.into_iter().filter(|rendered| cursor.may_see(rendered));
            all.extend(seen.map(|rendered| (event.position, rendered.text)));
        }
        for span in &stretch.damaged {
            let message = history::damaged(span);
            all.push((span.from, Says::MessageCreated { room_id: room, message }.text()?));
        }
        all.sort_by_key(|(position, _)| *position);
        out.extend(all.into_iter().map(|(_, text)| text));
        cursor.told = cursor.told.max(stretch.up_to);
        if cursor.told < head {
            seat.fall_behind(room);
        }
        Ok(())
    }

    /// Somebody is no member any more: they are told that they left, and nothing else.
    pub fn lose(
        &mut self,
        seat: &Seat,
        user: UserId,
        room: RoomId,
        out: &mut Vec<String>,
    ) -> Result<(), ApiError> {
        if self.follows(room) {
            self.leave(seat, room);
            out.push(Says::UserLeft { room_id: room, user_id: user, position: None }.text()?);
        }
        Ok(())
    }
}
