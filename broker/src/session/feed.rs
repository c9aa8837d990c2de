//! Room events for one connection: live from the bus, or read back from history.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hearth_protocol::ids::{Position, RoomId};
use hearth_protocol::limits::Limits;
use hearth_protocol::refusal::{Kind, Refusal};
use tokio::time::{Sleep, sleep};

use super::Connection;
use super::cursor::Reach;
use crate::bus::{BusError, Link, RoomEvent};
use crate::counts::add;
use crate::gate::Backlog;
use crate::hub::Hub;
use crate::waiting::Waits;

/// Events taken from the bus ahead of their sending.
const LIVE_MAX: usize = 64;
/// Events of the first page of history; later pages follow the size of what was read.
const FIRST_PAGE: usize = 64;
/// How long to wait before history or the bus are asked again after they failed.
const RETRY: Duration = Duration::from_secs(1);

enum LinkState {
    /// No subscription reaches a room.
    Off,
    Making(BoxFuture<'static, Result<Box<dyn Link>, BusError>>),
    On(Box<dyn Link>),
    Broken(Pin<Box<Sleep>>),
}

/// A stretch of history being sent.
pub(super) struct Page {
    pub room: RoomId,
    pub events: VecDeque<(Position, Bytes)>,
    up_to: Position,
    empty: bool,
}

type Reading = BoxFuture<'static, (RoomId, Position, Result<Backlog, Refusal>)>;

/// Where a connection's room events come from.
pub(super) struct Feed {
    link: LinkState,
    /// From the bus, not sent yet.
    pub live: VecDeque<RoomEvent>,
    /// From history, not sent yet.
    pub page: Option<Page>,
    reading: Option<Reading>,
    answer: Option<(RoomId, Position, Result<Backlog, Refusal>)>,
    /// What is read or being read takes of its account's bytes.
    waits: Option<Waits>,
    pause: Option<Pin<Box<Sleep>>>,
    /// The link is new: whatever happened before it has to be compared.
    pub linked: bool,
    page_events: usize,
    page_events_max: usize,
    page_bytes_max: usize,
}

impl Feed {
    pub fn new(limits: &Limits) -> Feed {
        let page_events_max = limits.backlog_events_max.max(1);
        Feed {
            link: LinkState::Off,
            live: VecDeque::new(),
            page: None,
            reading: None,
            answer: None,
            waits: None,
            pause: None,
            linked: false,
            page_events: FIRST_PAGE.min(page_events_max),
            page_events_max,
            page_bytes_max: limits.queued_bytes_max,
        }
    }

    /// Takes whatever is there; whether anything was.
    pub fn poll(&mut self, cx: &mut Context<'_>, hub: &Arc<Hub>, hungry: bool) -> bool {
        let mut happened = self.poll_link(cx, hub, hungry);
        if let Some(reading) = &mut self.reading
            && let Poll::Ready(answer) = reading.poll_unpin(cx)
        {
            self.reading = None;
            self.answer = Some(answer);
            happened = true;
        }
        if let Some(pause) = &mut self.pause
            && pause.as_mut().poll(cx).is_ready()
        {
            self.pause = None;
            happened = true;
        }
        happened
    }

    fn poll_link(&mut self, cx: &mut Context<'_>, hub: &Arc<Hub>, hungry: bool) -> bool {
        match &mut self.link {
            LinkState::Off => false,
            LinkState::Making(making) => match making.poll_unpin(cx) {
                Poll::Pending => false,
                Poll::Ready(Ok(link)) => {
                    self.link = LinkState::On(link);
                    self.linked = true;
                    true
                }
                Poll::Ready(Err(cause)) => {
                    tracing::error!(%cause, "no link to the bus");
                    self.link = LinkState::Broken(Box::pin(sleep(RETRY)));
                    true
                }
            },
            LinkState::Broken(wait) => {
                if wait.as_mut().poll(cx).is_pending() {
                    return false;
                }
                self.connect(hub);
                true
            }
            LinkState::On(link) => {
                let mut happened = false;
                // What is not taken here stays in the ring, or is read from history later.
                while hungry && self.live.len() < LIVE_MAX {
                    match link.poll_event(cx) {
                        Poll::Ready(Ok(event)) => self.live.push_back(event),
                        Poll::Ready(Err(cause)) => {
                            tracing::debug!(%cause, "the link broke");
                            self.connect(hub);
                            return true;
                        }
                        Poll::Pending => break,
                    }
                    happened = true;
                }
                happened
            }
        }
    }

    fn connect(&mut self, hub: &Arc<Hub>) {
        let hub = Arc::clone(hub);
        self.link = LinkState::Making(async move { hub.rooms.link().await }.boxed());
    }
}

impl Connection {
    /// Links to the bus if a subscription reaches a room, and lets go if none does.
    pub(super) fn tune(&mut self) {
        let wanted = self.state.subscriptions.values().any(|s| s.reach != Reach::None);
        match (&self.feed.link, wanted) {
            (LinkState::Off, true) => self.feed.connect(&self.hub),
            (LinkState::Off, false) | (_, true) => {}
            (_, false) => {
                self.feed.link = LinkState::Off;
                self.feed.live.clear();
            }
        }
    }

    /// Compares every cursor with its room's head: what the bus skipped is read from history.
    pub(super) fn compare_rooms(&mut self) {
        for (room, head) in self.hub.rooms.heads() {
            if self.state.subscriptions.values().any(|s| s.reach.covers(room)) {
                self.state.cursors.start(room, head.base);
                self.state.cursors.compare(room, head.head);
            }
        }
    }

    /// Reads the next stretch of history if one is wanted and none is on its way.
    pub(super) fn ask_history(&mut self) {
        if std::mem::take(&mut self.feed.linked) {
            self.compare_rooms();
        }
        if let Some((room, after, answer)) = self.feed.answer.take() {
            self.open_page(room, after, answer);
        }
        let feed = &mut self.feed;
        if feed.page.is_some() || feed.reading.is_some() || feed.pause.is_some() {
            return;
        }
        let Some((room, after)) = self.state.cursors.next_behind() else { return };
        // A page has no more than that, as far as the last one tells.
        feed.waits = self.hub.pages.begin(&self.key.account, feed.page_bytes_max / 2);
        if feed.waits.is_none() {
            // Others of the account read first.
            feed.pause = Some(Box::pin(sleep(RETRY)));
            return;
        }
        let (gate, who, limit) = (Arc::clone(&self.gate), Arc::clone(&self.who), feed.page_events);
        add(&self.hub.totals.backlogs, 1);
        feed.reading = Some(
            async move {
                let answer = gate.backlog(&who, room, after, limit).await;
                (room, after, answer)
            }
            .boxed(),
        );
    }

    fn open_page(&mut self, room: RoomId, after: Position, answer: Result<Backlog, Refusal>) {
        match answer {
            Ok(backlog) => {
                let bytes: usize = backlog.events.iter().map(|(_, payload)| payload.len()).sum();
                let each = (bytes / backlog.events.len().max(1)).max(1);
                let fitting = self.feed.page_bytes_max / 2 / each;
                self.feed.page_events = fitting.clamp(1, self.feed.page_events_max);
                if let Some(waits) = &mut self.feed.waits {
                    waits.shrink(bytes);
                }
                self.feed.page = Some(Page {
                    room,
                    empty: backlog.events.is_empty() && backlog.up_to <= after,
                    events: backlog.events.into(),
                    up_to: backlog.up_to,
                });
            }
            Err(refusal) => {
                self.feed.waits = None;
                self.miss_page(room, &refusal);
            }
        }
    }

    /// Nothing could be read.
    fn miss_page(&mut self, room: RoomId, refusal: &Refusal) {
        match refusal.kind {
            Kind::Unavailable | Kind::TooMany { .. } => {
                tracing::warn!(%room, %refusal, "history cannot be read now");
                self.feed.pause = Some(Box::pin(sleep(RETRY)));
            }
            // Not for this reader: whoever joins starts where the room is then.
            _ => {
                if let Some(head) = self.hub.rooms.head(room) {
                    self.state.cursors.pass(room, head.head);
                }
                self.state.cursors.caught_up(room, None);
            }
        }
    }

    /// A page is sent: the cursor goes to its end, and on if the room went on meanwhile.
    pub(super) fn turn_page(&mut self) {
        let Some(page) = self.feed.page.take() else { return };
        self.feed.waits = None;
        self.state.cursors.pass(page.room, page.up_to);
        let head = self.hub.rooms.head(page.room).map(|head| head.head);
        let late = page.empty && head.is_some_and(|head| head > page.up_to);
        if late {
            // The head is beyond what history shows: it is asked again soon.
            self.feed.pause = Some(Box::pin(sleep(RETRY)));
        }
        if late || !(page.empty || head.is_some_and(|head| head <= page.up_to)) {
            self.state.cursors.go_on(page.room);
        } else {
            self.state.cursors.caught_up(page.room, head);
        }
    }
}
