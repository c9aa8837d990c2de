//! One client of `/api/ws`: its events are done one after the other, and what happens meanwhile is
//! sent between them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use hearth_broker::Present;
use hearth_protocol::event::{Class, Line, Sender};
use hearth_protocol::ids::{EventId, Position, RoomId, UserId};
use hearth_protocol::limits::seconds_ms;
use hearth_protocol::refusal::Kind;
use hearth_protocol::role::RoomAction;
use hearth_protocol::topic::Topic;
use hearth_store::StoredEvent;
use serde_json::{Map, Value};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::event::{self, Asked, Says, Wish};
use super::pace::Pace;
use super::room::Rooms;
use super::socket::{Broken, Bye, Frame, Sent, Socket};
use crate::api::messages::{NewMessage, place};
use crate::app::App;
use crate::error::ApiError;
use crate::feed::seat::{End, Next, Seat};
use crate::feed::{Item, Listener};
use crate::gate::may_have;
use crate::history;
use crate::ingest::Submission;
use crate::place::Place;

/// Bytes told in one go, before what the client says is looked at again.
const BATCH_BYTES: usize = 64 * 1024;

/// How a client's event ended that had to wait for the disk.
type Done = (Value, Result<Option<Value>, ApiError>);

/// A client.
pub struct Connection {
    app: Arc<App>,
    seat: Listener,
    user: UserId,
    rooms: Rooms,
    /// The event that is being done; the next is read after it.
    doing: Option<BoxFuture<'static, Done>>,
    pace: Pace,
    heard_at: Instant,
    /// The person is there as long as this lives.
    _present: Present,
}

/// What a step of a connection leads to.
type Step = Result<Vec<String>, Bye>;

impl Connection {
    /// A client that was admitted.
    pub fn new(app: Arc<App>, seat: Listener) -> Option<Self> {
        let user = seat.who.user()?;
        let present = app.broker.attend(&seat.who.account());
        app.was_active(user);
        let (rooms, doing, heard_at) = (Rooms::default(), None, Instant::now());
        let pace = Pace::new(app.limits.ws_events_per_10_s, heard_at);
        Some(Self { app, seat, user, rooms, doing, pace, heard_at, _present: present })
    }

    /// Runs to its end.
    pub async fn run(mut self, mut socket: impl Socket) {
        let bye = self.serve(&mut socket).await;
        let Bye { code, reason } = bye;
        tracing::debug!(user = %self.user, code, reason, "a WebSocket ends");
        // Whoever does not read is not waited for.
        match tokio::time::timeout(Duration::from_secs(1), socket.close(bye)).await {
            Ok(Ok(())) => {}
            Ok(Err(Broken)) | Err(_) => tracing::debug!("it ended without a word"),
        }
    }

    async fn serve(&mut self, socket: &mut impl Socket) -> Bye {
        let every = Duration::from_millis(seconds_ms(self.app.limits.ws_ping_s.max(1)));
        let within = Duration::from_millis(seconds_ms(self.app.limits.listener_write_s_max));
        let mut pings = interval_at(Instant::now() + every, every);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let idle = self.doing.is_none();
            let step = tokio::select! {
                end = self.seat.ended() => return end.into(),
                frame = socket.read(), if idle => match frame {
                    None | Some(Ok(Frame::Close)) => return Bye::GONE,
                    Some(Err(Broken)) => return Bye::UNREADABLE,
                    Some(Ok(frame)) => self.frame(frame).await,
                },
                done = done(&mut self.doing), if !idle => {
                    self.doing = None;
                    answer(done).map(|text| vec![text])
                }
                next = self.seat.next() => self.tell(next).await,
                _ = pings.tick() => {
                    if self.heard_at.elapsed() > every * 2 {
                        return Bye::GONE;
                    }
                    if let Err(bye) = write(&self.seat, within, socket, vec![Sent::Ping]).await {
                        return bye;
                    }
                    Ok(vec![])
                }
            };
            let sent = match step {
                Ok(texts) => texts.into_iter().map(Sent::Text).collect(),
                Err(bye) => return bye,
            };
            if let Err(bye) = write(&self.seat, within, socket, sent).await {
                return bye;
            }
        }
    }

    /// Tells what happened and what else waits, as much as goes out at a time.
    async fn tell(&mut self, first: Next) -> Step {
        let (mut out, mut next) = (vec![], Some(first));
        while let Some(now) = next {
            if !self.app.auth.live.holds(&self.seat.who) {
                return Err(End::SignedOut.into());
            }
            let told = match now {
                Next::Item(item) => self.item(item, &mut out).await,
                Next::Behind(room) => {
                    self.rooms.read_on(&self.app, &self.seat, self.user, room, &mut out).await
                }
            };
            if let Err(ApiError(refusal)) = told {
                tracing::warn!(%refusal, "a WebSocket ends: what it is to be told does not read");
                return Err(Bye::FAILED);
            }
            let bytes: usize = out.iter().map(String::len).sum();
            next = if bytes < BATCH_BYTES { self.seat.try_next() } else { None };
        }
        Ok(out)
    }

    /// Tells one thing, if the client may have it now.
    async fn item(&mut self, item: Item, out: &mut Vec<String>) -> Result<(), ApiError> {
        let topic = match &item {
            Item::Event(told) => Topic::RoomOut(told.event.room),
            Item::Typing { room, user, .. } => Topic::Live(*room, *user),
            Item::Receipts(room, _) => Topic::Receipts(*room),
            Item::Presence(user, _) => Topic::Presence(*user),
            Item::Inbox(_) => Topic::Inbox(self.user),
            Item::Gone(room) => Topic::RoomOut(*room),
        };
        if !may_have(&self.app, &self.seat.who, topic) {
            return match item {
                Item::Event(told) => self.rooms.lose(&self.seat, self.user, told.event.room, out),
                Item::Gone(room) => self.rooms.lose(&self.seat, self.user, room, out),
                _ => Ok(()),
            };
        }
        let says = match item {
            Item::Event(told) => {
                self.rooms.event(&self.app, &self.seat, &told, out).await?;
                // A newcomer's presence may be had from now on.
                let there = newcomer(&told.event).and_then(|user| self.presence_of(user));
                out.extend(there.map(|says| says.text()).transpose()?);
                return Ok(());
            }
            Item::Typing { user, .. } if user == self.user => return Ok(()),
            Item::Typing { room, .. } | Item::Receipts(room, _) if !self.rooms.follows(room) => {
                return Ok(());
            }
            Item::Typing { room: room_id, user: user_id, on: true } => {
                Says::UserTyping { room_id, user_id }
            }
            Item::Typing { room: room_id, user: user_id, on: false } => {
                Says::UserStoppedTyping { room_id, user_id }
            }
            Item::Receipts(room_id, payload) => match serde_json::from_slice(&payload) {
                Ok(receipts) => Says::ReceiptsUpdated { room_id, receipts },
                Err(_) => return Ok(()),
            },
            Item::Presence(user_id, payload) => match serde_json::from_slice(&payload) {
                Ok(shown) => Says::PresenceUpdated { user_id, shown },
                Err(_) => return Ok(()),
            },
            Item::Inbox(payload) => match notification(&payload) {
                Some(notification) => Says::Notification { notification },
                None => return Ok(()),
            },
            Item::Gone(_) => return Ok(()),
        };
        out.push(says.text()?);
        Ok(())
    }

    /// A frame of the client.
    async fn frame(&mut self, frame: Frame) -> Step {
        self.heard_at = Instant::now();
        if !self.app.auth.live.holds(&self.seat.who) {
            return Err(End::SignedOut.into());
        }
        if frame == Frame::Pong {
            return Ok(vec![]);
        }
        if let Some(no) = self.pace.count(Instant::now())? {
            return refuse(Value::Null, no);
        }
        let max = self.app.limits.ws_frame_bytes_max;
        let text = match frame {
            Frame::Text(text) if text.len() <= max => text,
            Frame::Text(text) => {
                let message =
                    format!("the event has {} bytes, at most {max} are taken", text.len());
                return refuse(Value::Null, ApiError::new(Kind::TooLarge, "too_large", message));
            }
            Frame::Binary => {
                let message = "events come in text frames";
                return refuse(Value::Null, ApiError::invalid("not_text", message));
            }
            Frame::Ping | Frame::Pong | Frame::Close => return Ok(vec![]),
        };
        self.app.was_active(self.user);
        let Asked { reference, wish } = event::read(&text, &self.app.limits);
        let wish = match wish {
            Ok(wish) => wish,
            Err(no) => return refuse(reference, no),
        };
        match self.grant(reference.clone(), wish).await {
            Ok(says) => says.iter().map(|says| says.text().map_err(|_| Bye::FAILED)).collect(),
            Err(no) => refuse(reference, no),
        }
    }

    /// Does what the client wants, or begins to.
    async fn grant(&mut self, reference: Value, wish: Wish) -> Result<Vec<Says>, ApiError> {
        let mut position = None;
        let mut more = vec![];
        match wish {
            Wish::JoinRoom { room_id, after } => {
                position = Some(self.join(room_id, after, &mut more).await?);
            }
            Wish::LeaveRoom { room_id } => self.rooms.leave(&self.seat, room_id),
            Wish::TypingStart { room_id } => self.app.type_in(room_id, self.user, true)?,
            Wish::TypingStop { room_id } => self.app.type_in(room_id, self.user, false)?,
            Wish::SendMessage { room_id, message } => {
                self.doing = Some(self.send(reference, room_id, message)?);
                return Ok(vec![]);
            }
            Wish::ReadMessage { message_id } => {
                let (app, user) = (self.app.clone(), self.user);
                let reading = async move { (reference, read(&app, user, message_id).await) };
                self.doing = Some(reading.boxed());
                return Ok(vec![]);
            }
        }
        if !reference.is_null() {
            more.insert(0, Says::Ack { reference, message: None, position });
        }
        Ok(more)
    }

    /// Follows a room; who is there of its members is told at once.
    async fn join(
        &mut self,
        room: RoomId,
        after: Option<Value>,
        more: &mut Vec<Says>,
    ) -> Result<Position, ApiError> {
        let state = self.app.membership.require(room, self.user, RoomAction::Read)?;
        let after = match after {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => place(&self.app, room, Some(&text)).await?,
            Some(other) => place(&self.app, room, Some(&other.to_string())).await?,
        };
        let head = self.rooms.join(&self.app, &self.seat, self.user, room, after).await?;
        more.extend(state.members.keys().filter_map(|member| self.presence_of(*member)));
        Ok(head)
    }

    /// How somebody is shown, if they are there and the client may know.
    fn presence_of(&self, user_id: UserId) -> Option<Says> {
        let shown = self.app.presence.shown(user_id).filter(|shown| shown.is_there())?;
        let may = may_have(&self.app, &self.seat.who, Topic::Presence(user_id));
        match serde_json::to_value(shown) {
            Ok(Value::Object(shown)) if may => Some(Says::PresenceUpdated { user_id, shown }),
            _ => None,
        }
    }

    /// The same way as `POST /api/rooms/{id}/messages`.
    fn send(
        &self,
        reference: Value,
        room: RoomId,
        message: Map<String, Value>,
    ) -> Result<BoxFuture<'static, Done>, ApiError> {
        let (app, user) = (self.app.clone(), self.user);
        let state = app.membership.require(room, user, RoomAction::Write)?;
        let message: NewMessage = serde_json::from_value(Value::Object(message))
            .map_err(|error| ApiError::invalid("bad_event", error.to_string()))?;
        let payload = message.payload(&state)?;
        let sender = Sender::Person(user);
        Ok(async move {
            let submission =
                Submission { room, sender, payload, packet: None, can_be_refused: true };
            let stored = app.submit(submission).await;
            let sealing = state.room.sealing;
            (reference, stored.map(|stored| Some(history::message(&stored.event, sealing))))
        }
        .boxed())
    }
}

/// Sends, unless it takes too long or the client has to go.
async fn write(
    seat: &Seat,
    within: Duration,
    socket: &mut impl Socket,
    frames: Vec<Sent>,
) -> Result<(), Bye> {
    if frames.is_empty() {
        return Ok(());
    }
    tokio::select! {
        end = seat.ended() => Err(end.into()),
        sent = tokio::time::timeout(within, socket.write(frames)) => match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Broken)) => Err(Bye::GONE),
            Err(_) => Err(End::TooSlow.into()),
        },
    }
}

async fn done(doing: &mut Option<BoxFuture<'static, Done>>) -> Done {
    match doing {
        Some(doing) => doing.await,
        None => std::future::pending().await,
    }
}

/// The answer to an event that had to wait.
fn answer((reference, done): Done) -> Result<String, Bye> {
    let says = match done {
        Ok(message) => Says::Ack { reference, message, position: None },
        Err(no) => Says::no(reference, no),
    };
    says.text().map_err(|_unwritable| Bye::FAILED)
}

fn refuse(reference: Value, no: ApiError) -> Step {
    Says::no(reference, no).text().map(|text| vec![text]).map_err(|_unwritable| Bye::FAILED)
}

/// Who came, if the event says so.
fn newcomer(event: &StoredEvent) -> Option<UserId> {
    if event.class != Class::Line {
        return None;
    }
    match serde_json::from_slice(&event.body) {
        Ok(Line::Joined { user, .. }) => Some(user),
        _ => None,
    }
}

/// Notes that somebody has read up to a message.
async fn read(app: &App, user: UserId, message: EventId) -> Result<Option<Value>, ApiError> {
    let (_, event) = app.seen_event(message, user).await?;
    app.mark_read(event.room, user, Place::At(event.position)).await?;
    Ok(None)
}

/// The notification that a doorbell rings for; other doorbells are MQTT's.
pub fn notification(payload: &[u8]) -> Option<Value> {
    let mut doorbell: Map<String, Value> = serde_json::from_slice(payload).ok()?;
    if doorbell.get("type").and_then(Value::as_str) != Some("notification") {
        return None;
    }
    doorbell.remove("notification")
}
