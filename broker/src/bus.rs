//! The bus of room events: rumqttd's router behind a narrow seam.
//!
//! A bus may skip events (a link that lags behind its ring) and may die; it never reorders or
//! invents. Sessions heal what it skips from history. Inside the router there are only topics of
//! our own making, one per room, ASCII, QoS 0, and one filter for all: whatever a client sends as
//! a topic or filter can hurt it (it dies of a non-ASCII topic), and it never frees a filter.

#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod ring;

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hearth_protocol::ids::{Position, RoomId};
use rumqttd::local::{LinkBuilder, LinkError, LinkRx, LinkTx};
use rumqttd::protocol::{Disconnect, DisconnectReasonCode, Packet};
use rumqttd::{Notification, RouterConfig};
use tokio::sync::oneshot;
use tokio::time::sleep;
use tokio_util::sync::ReusableBoxFuture;

/// A stored event on its way to `hearth/rooms/{room}/out`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoomEvent {
    pub room: RoomId,
    pub position: Position,
    pub payload: Bytes,
}

/// Why a bus did not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BusError {
    /// Its entrance is full; links may not hear of this event until the next one.
    #[error("the bus is behind: its links must compare their cursors with the heads")]
    Behind,
    /// It is dead: a new one is needed.
    #[error("the bus is gone and must be started again: {0}")]
    Gone(String),
}

/// Carries events from the appender to every link, in order, without waiting for any.
pub(crate) trait Bus: Send + Sync {
    /// Never waits.
    fn publish(&self, event: &RoomEvent) -> Result<(), BusError>;

    /// A link that gets every event published after it is there, unless it lags.
    fn link(&self) -> BoxFuture<'static, Result<Box<dyn Link>, BusError>>;
}

/// One end of a bus.
pub(crate) trait Link: Send {
    /// The next event; an error is final.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<RoomEvent, BusError>>;
}

/// The only filter in the router; events go to `r/{room}`.
const FILTER: &str = "r/+";
/// What an event's topic begins with.
const TOPIC: &str = "r/";
/// Segments of the ring: when it is full the oldest is forgotten.
const SEGMENTS: usize = 4;
/// The smallest segment the router takes, in bytes.
const SEGMENT_BYTES_MIN: usize = 1_024;
/// How often a link that is being built looks whether the router still lives.
const KNOCK: Duration = Duration::from_millis(50);
/// Notifications the router hands a link before it waits for it.
const NOTIFICATIONS_MAX: u64 = 200;

type Connect = dyn Fn(&str) -> Result<(LinkTx, LinkRx), BusError> + Send + Sync;

/// rumqttd's router, in a thread of its own.
pub(crate) struct Router {
    connect: Arc<Connect>,
    entrance: Arc<Mutex<LinkTx>>,
    /// Keeps the entrance's other half: the router frees a link whose half is gone.
    _entrance_rx: LinkRx,
    names: Arc<Names>,
}

impl Router {
    /// Starts a router whose ring holds so many bytes, for so many links at once.
    pub fn start(ring_bytes: usize, links_max: usize) -> Result<Router, BusError> {
        let config = RouterConfig {
            max_connections: links_max.saturating_add(1),
            max_outgoing_packet_count: NOTIFICATIONS_MAX,
            max_segment_size: (ring_bytes / SEGMENTS).max(SEGMENT_BYTES_MIN),
            max_segment_count: SEGMENTS,
            ..RouterConfig::default()
        };
        let events = rumqttd::Router::new(0, config).spawn();
        let connect: Arc<Connect> = Arc::new(move |name: &str| {
            let (tx, rx, _) = LinkBuilder::new(name, events.clone()).build().map_err(gone)?;
            Ok((tx, rx))
        });
        let (entrance, entrance_rx) = connect("entrance")?;
        let entrance = Arc::new(Mutex::new(entrance));
        Ok(Router { connect, entrance, _entrance_rx: entrance_rx, names: Arc::default() })
    }
}

fn gone(cause: LinkError) -> BusError {
    BusError::Gone(cause.to_string())
}

/// Why a try at the entrance failed. A full channel has taken the packet all the same; only the
/// knock did not fit. The error's type cannot be named, so its text is asked.
fn refused(cause: LinkError) -> BusError {
    match &cause {
        LinkError::TrySend(full) if full.to_string().contains("full") => BusError::Behind,
        _ => gone(cause),
    }
}

impl Bus for Router {
    fn publish(&self, event: &RoomEvent) -> Result<(), BusError> {
        let topic = format!("{TOPIC}{}", event.room);
        let mut payload = BytesMut::with_capacity(8 + event.payload.len());
        payload.put_u64(event.position.0);
        payload.extend_from_slice(&event.payload);
        let mut entrance = self.entrance.lock().unwrap_or_else(PoisonError::into_inner);
        entrance.try_publish(topic, payload.freeze()).map(|_| ()).map_err(refused)
    }

    fn link(&self) -> BoxFuture<'static, Result<Box<dyn Link>, BusError>> {
        let (connect, names) = (Arc::clone(&self.connect), Arc::clone(&self.names));
        let entrance = Arc::clone(&self.entrance);
        async move {
            let (hand, mut handed) = oneshot::channel();
            // A thread of its own, which nobody waits for: building a link waits for the router,
            // and for ever if that dies with the request in its channel.
            std::thread::Builder::new()
                .name("bus-link".to_string())
                .spawn(move || drop(hand.send(RouterLink::build(&connect, names))))
                .map_err(|cause| BusError::Gone(cause.to_string()))?;
            loop {
                tokio::select! {
                    built = &mut handed => {
                        let link = built.map_err(|cause| BusError::Gone(cause.to_string()))??;
                        return Ok(Box::new(link) as Box<dyn Link>);
                    }
                    () = sleep(KNOCK) => knock(&entrance)?,
                }
            }
        }
        .boxed()
    }
}

/// Whether the router's thread is alive: asks for the shadow of a filter that nobody has, which
/// is never answered and fails only when nobody listens.
fn knock(entrance: &Mutex<LinkTx>) -> Result<(), BusError> {
    let asked = entrance.lock().unwrap_or_else(PoisonError::into_inner).shadow("-");
    match asked.map_err(refused) {
        Err(BusError::Gone(cause)) => Err(BusError::Gone(cause)),
        Err(BusError::Behind) | Ok(()) => Ok(()),
    }
}

type Next = (LinkRx, Result<RoomEvent, BusError>);

struct RouterLink {
    tx: LinkTx,
    next: ReusableBoxFuture<'static, Next>,
    /// Given back after the fields above, when the router knows that the link is gone.
    _name: Name,
}

impl RouterLink {
    /// Waits for the router.
    fn build(connect: &Arc<Connect>, names: Arc<Names>) -> Result<RouterLink, BusError> {
        let name = Name::take(names);
        let (mut tx, rx) = connect(&name.text())?;
        tx.subscribe(FILTER).map_err(gone)?;
        Ok(RouterLink { tx, next: ReusableBoxFuture::new(next(rx)), _name: name })
    }
}

/// Waits for one event. After `Unschedule` the router is silent until it is woken.
async fn next(mut rx: LinkRx) -> Next {
    loop {
        match rx.next().await {
            Ok(Some(Notification::Forward(forward))) => {
                let publish = forward.publish;
                if let Some(event) = parse(&publish.topic, publish.payload) {
                    return (rx, Ok(event));
                }
            }
            Ok(Some(Notification::Unschedule)) => {
                if let Err(cause) = rx.wake().await {
                    return (rx, Err(gone(cause)));
                }
            }
            Ok(_) => {}
            Err(cause) => return (rx, Err(gone(cause))),
        }
    }
}

fn parse(topic: &[u8], mut payload: Bytes) -> Option<RoomEvent> {
    let room = std::str::from_utf8(topic).ok()?.strip_prefix(TOPIC)?.parse().ok()?;
    let position = Position(payload.try_get_u64().ok()?);
    Some(RoomEvent { room, position, payload })
}

impl Link for RouterLink {
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<RoomEvent, BusError>> {
        self.next.poll(cx).map(|(rx, event)| {
            self.next.set(next(rx));
            event
        })
    }
}

/// The router frees a link's slot only when it is told.
impl Drop for RouterLink {
    fn drop(&mut self) {
        let reason_code = DisconnectReasonCode::NormalDisconnection;
        let bye = Packet::Disconnect(Disconnect { reason_code }, None);
        // The send never yields: it waits for a place in a channel that the router's thread
        // empties without waiting for anyone, and fails at once when that thread is dead.
        if let Some(Err(cause)) = self.tx.send(bye).now_or_never() {
            tracing::debug!(%cause, "the bus died before its link");
        }
    }
}

/// Link names, used again because the router remembers each for ever.
#[derive(Debug, Default)]
struct Names {
    free: Mutex<(Vec<u32>, u32)>,
}

#[derive(Debug)]
struct Name {
    names: Arc<Names>,
    number: u32,
}

impl Name {
    fn take(names: Arc<Names>) -> Name {
        let number = {
            let mut free = names.free.lock().unwrap_or_else(PoisonError::into_inner);
            free.0.pop().unwrap_or_else(|| {
                free.1 = free.1.wrapping_add(1);
                free.1
            })
        };
        Name { names, number }
    }

    fn text(&self) -> String {
        format!("link{}", self.number)
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        self.names.free.lock().unwrap_or_else(PoisonError::into_inner).0.push(self.number);
    }
}

#[cfg(test)]
pub(crate) mod tests;
