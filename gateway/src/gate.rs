//! What MQTT clients may do: the table of design §4, asked by the broker.

#[cfg(test)]
pub(crate) mod tests;

use std::sync::{Arc, Weak};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt, ready};
use hearth_broker::{
    Backlog, Gate, Login, OnceKey, PresenceChange, Publish, Qos, Verdict, Version,
};
use hearth_protocol::event::Sender;
use hearth_protocol::ids::{Position, RoomId, UserId};
use hearth_protocol::principal::{Account, Principal};
use hearth_protocol::refusal::{Kind, Refusal};
use hearth_protocol::role::{HouseAction, RoomAction};
use hearth_protocol::topic::{PREFIX, SYS_PREFIX, Topic};

use crate::app::App;
use crate::error::ApiError;
use crate::history::{self, Stretch};
use crate::ingest::Submission;
use crate::moderation::Act;
use crate::place::Place;
use crate::scopes::out_of_scope;

/// The gate of a house. The appliance's state holds the broker, and the broker this: it does not
/// hold the state, which would never end.
pub struct HouseGate {
    app: Weak<App>,
}

impl HouseGate {
    /// The gate over the appliance's state.
    pub fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::downgrade(app) }
    }

    /// The state, while there is one.
    fn app(&self) -> Result<Arc<App>, Refusal> {
        self.app.upgrade().ok_or_else(|| {
            Refusal::new(Kind::Unavailable, "stopping", "the box is stopping")
                .hint("connect again when it runs")
        })
    }
}

impl Gate for HouseGate {
    fn admit(&self, login: Login) -> BoxFuture<'_, Result<Principal, Refusal>> {
        async move { admit(&*self.app()?, login).await }.boxed()
    }

    fn may_subscribe(&self, who: &Principal, filter: &str) -> Result<(), Refusal> {
        let allowed = may_subscribe(&*self.app()?, who, filter);
        if allowed { Ok(()) } else { Err(no_topic("subscribe to", filter)) }
    }

    fn may_receive(&self, who: &Principal, topic: &str) -> bool {
        self.app
            .upgrade()
            .is_some_and(|app| app.auth.live.holds(who) && may_receive(&app, who, topic))
    }

    fn accept(
        &self,
        who: Arc<Principal>,
        publish: Publish,
    ) -> BoxFuture<'static, Result<Verdict, Refusal>> {
        let app = match self.app() {
            Ok(app) => app,
            Err(stopping) => return ready(Err(stopping)).boxed(),
        };
        if !app.in_scope(&who, Topic::parse(&publish.topic), true) {
            return ready(Err(out_of_scope())).boxed();
        }
        if !publish.topic.starts_with(PREFIX) {
            return ready(accept_plain(&app, &who, &publish.topic)).boxed();
        }
        async move { Ok(accept(&app, &who, publish).await?) }.boxed()
    }

    fn release(&self, once: OnceKey) -> BoxFuture<'static, Result<(), Refusal>> {
        let app = self.app();
        async move {
            let released = app?.store.release_packet(&once.session, once.packet_id).await;
            Ok(released.map_err(ApiError::from)?)
        }
        .boxed()
    }

    fn backlog<'a>(
        &'a self,
        who: &'a Principal,
        room: RoomId,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'a, Result<Backlog, Refusal>> {
        async move { Ok(backlog(&*self.app()?, who, room, after, limit).await?) }.boxed()
    }

    fn presence(&self, who: &Account, change: PresenceChange) {
        tracing::debug!(account = %who, ?change, "mqtt");
        if let (Account::User(user), Some(app)) = (who, self.app.upgrade()) {
            app.person_changed(*user, change);
        }
    }

    fn acknowledged(&self, who: &Principal, room: RoomId, position: Position) {
        if let (Some(user), Some(app)) = (who.user(), self.app.upgrade()) {
            app.receipts.delivered(room, user, position);
        }
    }

    fn refused(&self, who: &Principal, topic: &str, refusal: &Refusal) {
        if let Some(app) = self.app.upgrade() {
            app.publish_refused(who, topic, refusal);
        }
    }
}

fn may_subscribe(app: &App, who: &Principal, filter: &str) -> bool {
    match who {
        // A device reads the house's status and its own room's key, and nothing else.
        Principal::Device { room, .. } => match Topic::parse(filter) {
            Some(Topic::Status) => true,
            Some(Topic::Key(of)) => of == *room,
            Some(_) => false,
            None => app.grants.may_subscribe(&who.account(), filter),
        },
        Principal::Person { user, .. } | Principal::App { user, .. } => {
            match Topic::parse(filter) {
                Some(_) => may_receive(app, who, filter),
                // What a wildcard finds is decided at each delivery.
                None if filter.starts_with(PREFIX) => filter.contains(['+', '#']),
                None if filter.starts_with(SYS_PREFIX) => {
                    app.roles.may(*user, HouseAction::SeeCounts)
                }
                None => app.grants.may_subscribe(&who.account(), filter),
            }
        }
        Principal::Local(_) => false,
    }
}

async fn admit(app: &App, login: Login) -> Result<Principal, Refusal> {
    let no = |message: &str| {
        Refusal::new(Kind::Unauthenticated, "wrong_token", message)
            .hint("the MQTT password is a token: an app token, a device's token or a JWT")
    };
    app.addresses.admit(login.peer.ip())?;
    let password = login.password.ok_or_else(|| no("a password is needed"))?;
    let token = std::str::from_utf8(&password).map_err(|_| no("the password is no token"))?;
    let who = app.auth.principal(token).await?;
    if let Principal::Device { device, .. } = who {
        // A line pasted for another device fails here, not at its first post.
        if login.username.is_some_and(|name| name != device.to_string()) {
            return Err(no("the user name is not this device's id"));
        }
    }
    Ok(who)
}

fn may_receive(app: &App, who: &Principal, topic: &str) -> bool {
    match Topic::parse(topic) {
        Some(topic) => may_have(app, who, topic),
        None => app.in_scope(who, None, false) && app.grants.may_receive(&who.account(), topic),
    }
}

/// Whether somebody may have what is on a topic of Hearth now: asked by every door at delivery.
pub fn may_have(app: &App, who: &Principal, topic: Topic) -> bool {
    if !app.in_scope(who, Some(topic), false) {
        return false;
    }
    match (who, topic) {
        (_, Topic::Status) => true,
        (who, Topic::Sys(_)) => {
            who.user().is_some_and(|user| app.roles.may(user, HouseAction::SeeCounts))
        }
        (Principal::Device { room, .. }, Topic::Key(of)) => of == *room,
        (Principal::Device { .. } | Principal::Local(_), _) => false,
        (Principal::Person { user, .. } | Principal::App { user, .. }, topic) => match topic {
            Topic::Live(room, of) => {
                app.membership.is_member(room, *user) && !app.blocks.apart(of, *user)
            }
            Topic::RoomOut(room) | Topic::Receipts(room) | Topic::Key(room) => {
                app.membership.is_member(room, *user)
            }
            Topic::Presence(of) if of == *user => true,
            Topic::Presence(of) => {
                app.membership.share_a_room(of, *user) && !app.blocks.apart(of, *user)
            }
            Topic::Inbox(of) | Topic::Signal(of, _) => of == *user,
            Topic::RoomIn(_) | Topic::Door(..) | Topic::Read(..) => false,
            Topic::Status | Topic::Sys(_) => false,
        },
    }
}

fn no_topic(verb: &str, topic: &str) -> Refusal {
    let topic: String = topic.chars().take(200).collect();
    Refusal::new(Kind::Forbidden, "not_authorised", format!("you may not {verb} `{topic}`"))
        .hint("docs/protocol.md lists the topics of Hearth")
}

/// Outside Hearth's topics: routed as by any broker where it is granted. Waits for nothing.
fn accept_plain(app: &App, who: &Principal, topic: &str) -> Result<Verdict, Refusal> {
    require_live(app, who)?;
    if app.grants.may_publish(&who.account(), topic) {
        return Ok(Verdict::Route);
    }
    Err(no_topic("publish to", topic).hint("the owner of the house can grant plain topics"))
}

fn require_live(app: &App, who: &Principal) -> Result<(), Refusal> {
    if app.auth.live.holds(who) {
        return Ok(());
    }
    Err(Refusal::new(Kind::Unauthenticated, "session_ended", "this login has ended")
        .hint("sign in again"))
}

async fn accept(app: &Arc<App>, who: &Principal, publish: Publish) -> Result<Verdict, ApiError> {
    require_live(app, who)?;
    let (sender, room) = match (who, Topic::parse(&publish.topic)) {
        (Principal::Person { user, .. } | Principal::App { user, .. }, Some(topic)) => {
            app.was_active(*user);
            match topic {
                Topic::RoomIn(room) => (Sender::Person(*user), room),
                Topic::Live(room, of) if of == *user => {
                    let state = app.membership.require(room, *user, RoomAction::Write)?;
                    app.may_speak(&state, *user)?;
                    return live(app, *user, &publish);
                }
                Topic::Read(room, of) if of == *user => {
                    app.mark_read(room, *user, read_place(&publish.payload)?).await?;
                    return Ok(Verdict::Handled);
                }
                _ => return Err(no_topic("publish to", &publish.topic).into()),
            }
        }
        (Principal::Device { device, room }, Some(Topic::Door(of, door)))
            if (of, door) == (*room, *device) =>
        {
            (Sender::Device(*device), of)
        }
        _ => return Err(no_topic("publish to", &publish.topic).into()),
    };
    refuse_person_over_v3(app, room, sender, publish.version)?;
    let payload = publish.payload;
    let can_be_refused = publish.version == Version::V5;
    let packet = publish.once;
    app.submit(Submission { room, sender, payload, packet, can_be_refused }).await?;
    Ok(Verdict::Handled)
}

/// The payload of `read`: a message's id, or a position in digits.
fn read_place(payload: &[u8]) -> Result<Place, ApiError> {
    let text = std::str::from_utf8(payload)
        .map_err(|_| ApiError::invalid("bad_place", "the payload is no text"))?;
    text.parse()
}

/// Typing and calls: passed on, never kept.
fn live(app: &App, user: UserId, publish: &Publish) -> Result<Verdict, ApiError> {
    if publish.retain || publish.qos != Qos::AtMostOnce {
        let message = "a live topic takes QoS 0 without retain";
        return Err(ApiError::invalid("not_live", message));
    }
    let (bytes, max) = (publish.payload.len(), app.limits.live_bytes_max);
    if bytes > max {
        let message = format!("a live topic takes {max} bytes; these are {bytes}");
        return Err(ApiError::new(Kind::TooLarge, "too_large", message));
    }
    app.not_too_often(Act::Live(user))?;
    Ok(Verdict::Route)
}

/// Sealed rooms need refusals that MQTT 3.1.1 cannot carry (design §3).
fn refuse_person_over_v3(
    app: &App,
    room: RoomId,
    sender: Sender,
    version: Version,
) -> Result<(), ApiError> {
    let sealed = app.membership.room(room).is_some_and(|state| state.is_sealed());
    if sealed && version == Version::V3 && matches!(sender, Sender::Person(_)) {
        let message = "a sealed room takes people's events over MQTT 5 only";
        return Err(ApiError::conflict("use_mqtt_5", message).hint("use MQTT 5"));
    }
    Ok(())
}

async fn backlog(
    app: &App,
    who: &Principal,
    room: RoomId,
    after: Position,
    limit: usize,
) -> Result<Backlog, ApiError> {
    let user = who.user().ok_or_else(|| ApiError::not_found("room"))?;
    app.require_scope(who, Topic::RoomOut(room), false)?;
    let state = app.membership.require(room, user, RoomAction::Read)?;
    let since = app.sight(&state, user).await?;
    let Stretch { events, up_to, .. } = history::stretch(app, &state, since, after, limit).await?;
    let events: Vec<(Position, Bytes)> = events
        .iter()
        .map(|event| (event.position, history::payload(event, state.room.sealing)))
        .collect();
    Ok(Backlog { events, up_to })
}
