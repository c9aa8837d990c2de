//! The one path of every message: from REST or MQTT to the disk (design §3, steps 5 to 7).
//!
//! member? → well formed? → the room's rules → not too fast? → stored. What follows a commit
//! (broker, mirrors) is in `aftermath`.

mod posts;
#[cfg(test)]
mod tests;

pub use posts::looks_like_age;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hearth_broker::OnceKey;
use hearth_protocol::event::{Body, Class, Event, EventError, Incoming, SEALED, Sender};
use hearth_protocol::ids::{EventId, RoomId, UserId};
use hearth_protocol::refusal::{Kind, Refusal};
use hearth_protocol::role::RoomAction;
use hearth_protocol::sealing::Recipient;
use hearth_protocol::sealing::event::{Kind as WireKind, WireHeader};
use hearth_store::{
    Appended, Effect, EventKind, NewEvent, Once, Right, StoreError, StoredEvent, Touch,
};

use crate::app::App;
use crate::attachments::named;
use crate::clock::random;
use crate::error::ApiError;
use crate::membership::RoomState;
use crate::moderation::{Act, Pace, Patience, too_fast};

/// A sealed door post that comes again within this time is the same one (design §3).
pub const SAME_POST_MS: u64 = 10 * 60_000;
/// How often a message is checked again when the room changed under it, before it is refused.
const CHECKS_MAX: usize = 16;

/// What somebody wants to store, before any rule was asked.
pub struct Submission {
    /// Where.
    pub room: RoomId,
    /// Who: from the login, never from the payload.
    pub sender: Sender,
    /// The bytes of `in` or of the door.
    pub payload: Bytes,
    /// The packet it came in, if that may come again after a restart. A post that came
    /// sealed is not kept under it: the store keeps one key per event, and the post's is its bytes,
    /// for [`SAME_POST_MS`]; a packet that comes again later than that is another post.
    pub packet: Option<OnceKey>,
    /// The sender's protocol can carry a refusal (all but MQTT 3.1.1).
    pub can_be_refused: bool,
}

/// What became of it.
pub struct Stored {
    /// The event as it is on disk.
    pub event: StoredEvent,
    /// It was there already.
    pub duplicate: bool,
}

/// An event that fits its room, ready to be stored.
struct Fit {
    id: Option<EventId>,
    class: Class,
    body: Bytes,
    once: Once,
    kind: EventKind,
    parent: Option<EventId>,
    effect: Effect,
    /// The body is in clear yet, and stored only sealed to this one.
    seal_to: Option<Recipient>,
}

impl Fit {
    /// An event of this kind that answers and changes nothing.
    fn of(id: Option<EventId>, class: Class, kind: EventKind, body: Bytes, once: Once) -> Self {
        let (parent, effect, seal_to) = (None, Effect::None, None);
        Self { id, class, body, once, kind, parent, effect, seal_to }
    }
}

impl App {
    /// Stores a message or post, or says why not. When it returns Ok the event is on disk and on
    /// its way to everyone who may have it.
    pub async fn submit(&self, submission: Submission) -> Result<Stored, ApiError> {
        let mut paced = false;
        for _ in 0..CHECKS_MAX {
            let state = self.writable(&submission)?;
            let fit = match self.fit(&state, &submission) {
                Ok(fit) => fit,
                Err(no) => return self.known_or(&submission, no).await,
            };
            if let Some(line) = self.erased_by_moderator(&state, &submission, &fit).await? {
                return Ok(Stored { event: line, duplicate: false });
            }
            let id = fit.id;
            let fit = match self.with_attachments(&submission, fit).await {
                Ok(fit) => fit,
                Err(no) => return self.known_id_or(&submission, id, no).await,
            };
            if !paced {
                self.pace(&submission, &fit).await?;
                paced = true;
            }
            let fit = fit.sealed()?;
            let now = self.clock.now_ms();
            if let Sender::Person(user) = submission.sender
                && let Err(no) = self.may_speak(&state, user)
            {
                return self.known_id_or(&submission, fit.id, no).await;
            }
            let (class, kind, body) = (fit.class, fit.kind, fit.body.clone());
            let once = match (fit.once, &submission.packet) {
                (Once::Never, Some(OnceKey { session, packet_id })) => {
                    Once::Qos2 { session: session.to_string(), packet_id: *packet_id }
                }
                (once, _) => once,
            };
            let event = NewEvent {
                room: submission.room,
                id: fit.id,
                sender: submission.sender,
                class: fit.class,
                kind: fit.kind,
                parent: fit.parent,
                effect: fit.effect,
                body: fit.body,
                at_ms: now,
                once,
                checked: state.room.version,
                fresh_id: EventId::new(now, random()),
            };
            match self.store.append(event).await {
                Err(StoreError::Stale { .. }) => tokio::task::yield_now().await,
                answer => {
                    if let Sender::Device(device) = submission.sender {
                        self.store.touch(Touch::Device(device), now);
                    }
                    return self.stored(&submission, answer?, class, kind, body).await;
                }
            }
        }
        Err(ApiError::new(Kind::Unavailable, "busy", "the room changes too fast; try again"))
    }

    /// Somebody else's message in an open room is erased with the box's word for it, as by
    /// `DELETE /api/messages/{id}`.
    async fn erased_by_moderator(
        &self,
        state: &RoomState,
        submission: &Submission,
        fit: &Fit,
    ) -> Result<Option<StoredEvent>, ApiError> {
        let (Effect::Erase { target, right: Right::Moderator, reason }, Sender::Person(by)) =
            (&fit.effect, submission.sender)
        else {
            return Ok(None);
        };
        match self.store.event(*target).await? {
            Some(event) if event.room == submission.room && event.sender != submission.sender => {
                self.erase(state, &event, by, reason.clone()).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn stored(
        &self,
        submission: &Submission,
        appended: Appended,
        class: Class,
        kind: EventKind,
        body: Bytes,
    ) -> Result<Stored, ApiError> {
        if appended.duplicate
            && let Some(event) = self.store.event(appended.id).await?
        {
            return Ok(Stored { event, duplicate: true });
        }
        let Appended { position, received_at, id, duplicate } = appended;
        let (room, sender) = (submission.room, submission.sender);
        let event = StoredEvent { room, position, received_at, id, sender, class, kind, body };
        Ok(Stored { event, duplicate })
    }

    /// The room, if the sender may write there.
    fn writable(&self, submission: &Submission) -> Result<Arc<RoomState>, ApiError> {
        match submission.sender {
            Sender::Person(user) => {
                Ok(self.membership.require(submission.room, user, RoomAction::Write)?)
            }
            Sender::Device(device) => match self.membership.room(submission.room) {
                Some(state) if state.devices.contains(&device) => Ok(state),
                _ => Err(ApiError::forbidden("this device has no door in this room")
                    .hint("add the device again")),
            },
            Sender::Box => Err(ApiError::forbidden("the box writes its lines itself")),
        }
    }

    fn fit(&self, state: &RoomState, submission: &Submission) -> Result<Fit, ApiError> {
        match submission.sender {
            Sender::Device(device) if state.is_sealed() => {
                self.sealed_post(state, device, &submission.payload)
            }
            Sender::Device(_) => self.open_post(&submission.payload),
            Sender::Box => Err(ApiError::forbidden("the box writes its lines itself")),
            // What is wrong with words in clear would be told with some of them.
            Sender::Person(_)
                if state.is_sealed() && !submission.payload.starts_with(&[SEALED]) =>
            {
                Err(room_is_sealed())
            }
            Sender::Person(user) => {
                let incoming = Incoming::parse(&submission.payload, &self.limits);
                match (incoming.map_err(bad_event)?, state.is_sealed()) {
                    (Incoming::Sealed(wire), true) => self.sealed_event(state, user, wire),
                    (Incoming::Open(event), false) => self.open_event(state, user, event),
                    (Incoming::Sealed(_), false) => Err(ApiError::conflict(
                        "room_is_open",
                        "the room is open: it takes text, not sealed events",
                    )),
                    (Incoming::Open(_), true) => Err(room_is_sealed()),
                }
            }
        }
    }

    /// The rules that a box which cannot read still keeps (sealing.md §3, §4).
    fn sealed_event(&self, state: &RoomState, user: UserId, wire: &[u8]) -> Result<Fit, ApiError> {
        let header = WireHeader::parse(wire)?;
        if header.sender != user {
            return Err(bad("bad_event", "the event names another sender than the login"));
        }
        let epoch = state.room.epoch;
        let no = |code, message: String, hint| Err(ApiError::conflict(code, message).hint(hint));
        if epoch == 0 {
            return no("no_epoch", "the room has no epoch yet".into(), "make bundle 1");
        }
        if header.epoch > epoch {
            let message = format!("epoch {} is unknown; the current one is {epoch}", header.epoch);
            return no("unknown_epoch", message, "fetch the bundles");
        }
        if header.epoch < epoch {
            let message = format!("epoch {} is over; the current one is {epoch}", header.epoch);
            return no("stale_epoch", message, "fetch the bundles and seal again");
        }
        if !state.listed.contains(&user) {
            let message = "the current epoch does not list you yet".into();
            return no("not_listed", message, "wait for a key from someone at home");
        }
        if state.rotates_first(self.clock.now_ms()) {
            let message = "who can read here changed: a new epoch comes first".into();
            return no("rotate_first", message, "make the next bundle");
        }
        let (id, body) = (Some(header.id), Bytes::copy_from_slice(wire));
        let sealed = |kind| Fit::of(id, Class::Event, kind, body, Once::Id);
        match header.kind {
            WireKind::Content => Ok(sealed(EventKind::Sealed)),
            WireKind::Hinted(_) if state.hints => Ok(sealed(EventKind::Sealed)),
            WireKind::Hinted(_) => {
                let message = "this room's rules have no hints".into();
                no("hints_off", message, "seal it as kind 1")
            }
            // Of whom moderates clients believe no wire: `DELETE` leaves the box's own line.
            WireKind::Tombstone(target) => {
                let effect = Effect::Erase { target, right: Right::Own, reason: None };
                Ok(Fit { effect, ..sealed(EventKind::Delete) })
            }
            WireKind::Live => Err(bad("bad_event", "live events are not stored")
                .hint("publish it to the room's live topic")),
        }
    }

    /// An event in clear: what it does to another one is decided by the store.
    fn open_event(
        &self,
        state: &RoomState,
        user: UserId,
        mut event: Event,
    ) -> Result<Fit, ApiError> {
        let mut parent = None;
        let (kind, effect) = match &event.body {
            Body::Message { parent_id, attachments, mentions, .. } => {
                self.check_mentions(mentions)?;
                parent = *parent_id;
                let attachments = named(attachments, &self.limits)?;
                let shows = !attachments.is_empty();
                (EventKind::Text, if shows { Effect::Show { attachments } } else { Effect::None })
            }
            Body::Edit { target, .. } => (EventKind::Edit, Effect::Edit { target: *target }),
            Body::React { target, emoji, on } => {
                let (target, emoji, on) = (*target, emoji.clone(), *on);
                (EventKind::React, Effect::React { target, emoji, on })
            }
            Body::Delete { target, reason } => {
                let right =
                    match self.membership.require(state.room.id, user, RoomAction::EraseMessages) {
                        Ok(_) => Right::Moderator,
                        Err(_) => Right::Own,
                    };
                let (target, reason) = (*target, reason.clone());
                (EventKind::Delete, Effect::Erase { target, right, reason })
            }
            Body::Room { .. } => {
                return Err(bad("bad_event", "the box keeps an open room's name itself"));
            }
        };
        let id = event.id.take();
        let body = serde_json::to_vec(&event)
            .map_err(|error| bad("bad_event", format!("the event cannot be written: {error}")))?;
        let once = if id.is_some() { Once::Id } else { Once::Never };
        Ok(Fit { parent, effect, ..Fit::of(id, Class::Event, kind, body.into(), once) })
    }

    /// A known id is answered before epoch, mute or rate are looked at (design §3).
    async fn known_or(&self, submission: &Submission, no: ApiError) -> Result<Stored, ApiError> {
        let id = WireHeader::parse(&submission.payload).ok().map(|header| header.id);
        self.known_id_or(submission, id, no).await
    }

    async fn known_id_or(
        &self,
        submission: &Submission,
        id: Option<EventId>,
        no: ApiError,
    ) -> Result<Stored, ApiError> {
        match id {
            Some(id) => self.known(submission, id).await?.ok_or(no),
            None => Err(no),
        }
    }

    /// A message with what the box knows of the attachments that it shows.
    async fn with_attachments(&self, submission: &Submission, fit: Fit) -> Result<Fit, ApiError> {
        let Effect::Show { attachments } = &fit.effect else { return Ok(fit) };
        let (room, sender) = (submission.room, submission.sender);
        let told = self.tell_attachments(room, sender, attachments, &fit.body).await?;
        let (kind, body) = told;
        Ok(Fit { kind, body, ..fit })
    }

    async fn known(
        &self,
        submission: &Submission,
        id: EventId,
    ) -> Result<Option<Stored>, ApiError> {
        let own = |event: &StoredEvent| {
            (event.room, event.sender) == (submission.room, submission.sender)
        };
        let event = self.store.event(id).await?.filter(own);
        Ok(event.map(|event| Stored { event, duplicate: true }))
    }

    /// Holds the message back, or refuses it, when its sender writes too fast.
    async fn pace(&self, submission: &Submission, fit: &Fit) -> Result<(), ApiError> {
        if fit.kind == EventKind::Delete {
            return Ok(());
        }
        let now = self.clock.now_ms();
        let act = Act::Write(submission.sender);
        if !submission.can_be_refused {
            return self.rates.in_turn(act, &*self.clock, &self.limits).await;
        }
        match self.rates.count(act, now, Patience::Short, &self.limits) {
            Pace::Go => Ok(()),
            Pace::Wait(wait) => {
                tokio::time::sleep(Duration::from_millis(wait)).await;
                Ok(())
            }
            Pace::TooFast(wait) => match fit.id {
                Some(id) if self.known(submission, id).await?.is_some() => Ok(()),
                _ => Err(too_fast(act, wait).into()),
            },
        }
    }
}

fn bad(code: &'static str, message: impl Into<String>) -> ApiError {
    ApiError::invalid(code, message)
}

fn bad_event(error: EventError) -> ApiError {
    let kind = match error {
        EventError::TooLarge { .. } => Kind::TooLarge,
        _ => Kind::Invalid,
    };
    ApiError::new(kind, "bad_event", error.to_string())
}

/// The answer to text for a room whose text the box must not see.
pub fn room_is_sealed() -> ApiError {
    Refusal::new(Kind::Conflict, "room_is_sealed", "the room is sealed: the box takes no text here")
        .hint("use the web client or `hearth send`, which seal it first")
        .into()
}
