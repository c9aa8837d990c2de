//! A room as somebody sees it: its fields, what is unread there, its last message.

use hearth_protocol::event::Sender;
use hearth_protocol::ids::{DeviceId, Epoch, EventId, Position, RoomId, UserId};
use hearth_protocol::limits::wide;
use hearth_protocol::role::{RoomRole, RoomType, Sealing};
use hearth_store::{EventKind, History, Member, Notify, Page, PageQuery, Pin, StoredEvent};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::error::ApiError;
use crate::history;
use crate::membership::RoomState;

/// Events that are looked at for the last message where nothing is unread.
const LAST_AMONG: usize = 10;

/// A room as somebody sees it, who may not be in it (public rooms).
#[derive(Debug, Serialize, ToSchema)]
pub struct RoomView {
    id: RoomId,
    /// In a direct room the other person's display name.
    name: String,
    description: String,
    #[serde(rename = "type")]
    kind: RoomType,
    sealing: Sealing,
    general: bool,
    created_at: u64,
    created_by: UserId,
    /// When the newest event came, or the room was made; ms since 1970.
    last_message_at: u64,
    head_position: Position,
    first_position: Position,
    my_role: Option<RoomRole>,
    epoch: Epoch,
    rotation_due: bool,
    version: u64,
    history: History,
    /// Days that an event is kept; 0: as the house's settings say.
    keep_days: usize,
    /// Bytes of events that are kept; 0: as the house's settings say.
    keep_bytes: u64,
    pins: Vec<Pin>,
    /// How many people are in it.
    member_count: usize,
    /// The other person of a direct room.
    direct_with: Option<UserId>,
    /// What only a member is told.
    #[serde(flatten)]
    mine: Option<Mine>,
}

/// How a room is for one of its members.
#[derive(Debug, Serialize, ToSchema)]
struct Mine {
    /// Of which messages they are told.
    notify: Notify,
    /// How far they have read.
    read_position: Position,
    /// Messages and posts of others after that, or after their joining. An upper bound: in a sealed
    /// room edits and reactions count too, and beyond the newest events every one does.
    unread: u64,
    /// How many of these name them; open rooms only, among the newest events.
    unread_mentions: usize,
    /// The newest message or post, if it is among the newest events.
    last_message: Option<LastMessage>,
}

/// The newest message of a room; of a sealed one, that there is one.
#[derive(Debug, Serialize, ToSchema)]
struct LastMessage {
    id: EventId,
    position: Position,
    received_at: u64,
    sender: Option<UserId>,
    device: Option<DeviceId>,
    /// `sealed`: the box cannot read it.
    kind: EventKind,
    /// The beginning of its text as it is now; `None` where the box cannot read it.
    content: Option<String>,
}

impl RoomView {
    /// The room for `user`.
    pub async fn new(app: &App, state: &RoomState, user: UserId) -> Result<Self, ApiError> {
        let mut left = app.limits.unread_events_max;
        Self::within(app, state, user, &mut left).await
    }

    /// The same, looking at so many events at most where more than a few are unread; fewer are left
    /// then.
    pub async fn within(
        app: &App,
        state: &RoomState,
        user: UserId,
        left: &mut usize,
    ) -> Result<Self, ApiError> {
        let room = state.room.clone();
        let head_position = app.store.head(room.id).await?;
        let stored = app.store.room(room.id).await?.ok_or_else(|| ApiError::not_found("room"))?;
        let direct_with = room.direct.map(|[one, other]| if one == user { other } else { one });
        let name = match direct_with {
            Some(other) => {
                let other = app.store.user(other).await?;
                other.map_or(room.name, |other| other.display_name)
            }
            None => room.name,
        };
        let mine = match app.store.member(room.id, user).await? {
            Some(member) => Some(Mine::new(app, state, &member, head_position, left).await?),
            None => None,
        };
        Ok(Self {
            head_position,
            last_message_at: stored.last_message_at,
            my_role: state.members.get(&user).copied(),
            id: room.id,
            name,
            description: room.description,
            kind: room.kind,
            sealing: room.sealing,
            general: room.general,
            created_at: room.created_at,
            created_by: room.created_by,
            first_position: stored.first_position,
            epoch: room.epoch,
            rotation_due: state.rotates_first(app.clock.now_ms()),
            version: room.version,
            history: room.history,
            keep_days: room.keep_days,
            keep_bytes: room.keep_bytes,
            pins: room.pins,
            member_count: state.members.len(),
            direct_with,
            mine,
        })
    }
}

impl Mine {
    async fn new(
        app: &App,
        state: &RoomState,
        member: &Member,
        head: Position,
        left: &mut usize,
    ) -> Result<Mine, ApiError> {
        let room = state.room.id;
        let read = app.store.receipt(room, member.user).await?.read;
        let known = read.max(member.joined_position);
        let behind = usize::try_from(head.0.saturating_sub(known.0)).unwrap_or(usize::MAX);
        let look = behind.min(app.limits.unread_events_max).min(*left).max(LAST_AMONG);
        *left = left.saturating_sub(look);
        let since = app.sight(state, member.user).await?;
        let query = PageQuery { since, ..PageQuery::newest(look) };
        let page = app.store.page(room, query).await?;
        let of_others = |event: &&StoredEvent| {
            event.position > known
                && event.kind.is_message()
                && event.sender != Sender::Person(member.user)
        };
        let counted: Vec<_> = page.events.iter().filter(of_others).collect();
        let unread = wide(counted.len()).saturating_add(beyond(&page, known));
        let unread_mentions = match state.is_sealed() {
            true => 0,
            false => counted.iter().filter(|event| history::names(event, member.user)).count(),
        };
        let last = page.events.iter().rev().find(|event| shown(event.kind));
        let last_message = match last {
            Some(event) => Some(LastMessage::new(app, state, event).await?),
            None => None,
        };
        let (notify, read_position) = (member.notify, read);
        Ok(Mine { notify, read_position, unread, unread_mentions, last_message })
    }
}

/// Unread positions that a page does not speak for.
fn beyond(page: &Page, known: Position) -> u64 {
    page.covered.map_or(0, |covered| covered.from.0.saturating_sub(known.next().0))
}

/// Whether it stands in the list of rooms: a message, or what is left of one.
fn shown(kind: EventKind) -> bool {
    kind.is_message() || kind == EventKind::Erased
}

impl LastMessage {
    async fn new(
        app: &App,
        state: &RoomState,
        event: &StoredEvent,
    ) -> Result<LastMessage, ApiError> {
        let content = match state.is_sealed() {
            true => None,
            false => {
                let view = app.message_now(event.id).await?;
                let text = history::text(&view);
                Some(text.chars().take(app.limits.preview_chars_max).collect())
            }
        };
        let (sender, device) = match event.sender {
            Sender::Person(user) => (Some(user), None),
            Sender::Device(device) => (None, Some(device)),
            Sender::Box => (None, None),
        };
        let (id, position, received_at) = (event.id, event.position, event.received_at);
        Ok(LastMessage { id, position, received_at, sender, device, kind: event.kind, content })
    }
}
