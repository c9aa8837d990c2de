//! Messages as they are now: with their last edit, reactions, answers and who read them. Only open
//! rooms have more to show than their events: what a sealed one says about its messages the box
//! cannot read.

use std::collections::BTreeMap;

use hearth_protocol::ids::{EventId, Position, RoomId};

use super::damage::Span;
use super::history::{Page, PageQuery};
use super::{About, StoredEvent};
use crate::engine::{EngineError, Order, Range, Row};
use crate::error::StoreError;
use crate::reactions::{self, Reacted};
use crate::store::Store;
use crate::{keys, record};

/// A message, post or line as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageView {
    /// As it was sent, or what is left of it.
    pub event: StoredEvent,
    /// What is known beside it.
    pub about: About,
    /// Its last edit, whose text is the message's.
    pub edit: Option<StoredEvent>,
    /// The reactions, in the order in which each emoji came first.
    pub reactions: Vec<Reacted>,
}

/// A page of views, in ascending positions. Edits, reactions and erasures are seen in what they
/// did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ViewPage {
    /// What reads.
    pub views: Vec<MessageView>,
    /// What does not.
    pub damaged: Vec<Span>,
    /// The positions that the page speaks for: the next page begins beside them.
    pub covered: Option<Span>,
}

impl Store {
    /// A page of messages as they are now: one scan for the events, one for what is beside them,
    /// one for the reactions, and a read per edited message.
    pub async fn views(&self, room: RoomId, query: PageQuery) -> Result<ViewPage, StoreError> {
        let mut found = Page::default();
        let mut next = query;
        for _ in 0..self.shared().limits.page_reads_max {
            let page = self.page(room, next).await?;
            let Some(covered) = page.covered else { break };
            let full = page.events.len() + page.damaged.len() >= next.limit;
            let shown = page.events.iter().filter(|event| !event.kind.is_effect()).count();
            next.limit = next.limit.saturating_sub(shown + page.damaged.len());
            found = if query.after.is_some() {
                next.after = Some(covered.to);
                found.join(page)
            } else {
                next.before = Some(covered.from);
                page.join(found)
            };
            if !full || next.limit == 0 {
                break;
            }
        }
        self.views_of(room, found).await
    }

    /// The messages around a position as they are now.
    pub async fn views_around(
        &self,
        room: RoomId,
        at: Position,
        since: Position,
        limit: usize,
    ) -> Result<ViewPage, StoreError> {
        let page = self.page_around(room, at, since, limit).await?;
        self.views_of(room, page).await
    }

    /// One message as it is now.
    pub async fn message_view(&self, id: EventId) -> Result<Option<MessageView>, StoreError> {
        let Some(event) = self.event(id).await? else { return Ok(None) };
        let at = Span { from: event.position, to: event.position };
        let room = event.room;
        let page = Page { events: vec![event], damaged: vec![], covered: Some(at) };
        Ok(self.views_of(room, page).await?.views.pop())
    }

    /// The edits of a message, the oldest first; none of one that was erased.
    pub async fn edits(&self, message: &StoredEvent) -> Result<Vec<StoredEvent>, StoreError> {
        let mut edits = vec![];
        let range = keys::edits_to(message.room, message.position);
        for (key, _) in self.scan_all(range).await? {
            edits.extend(self.event_at(message.room, record::last_position(&key)?).await?);
        }
        Ok(edits)
    }

    /// The answers to a message that come after a position, the oldest first.
    pub async fn replies(
        &self,
        room: RoomId,
        parent: Position,
        after: Position,
        limit: usize,
    ) -> Result<Vec<MessageView>, StoreError> {
        let range = keys::replies(room, parent, after);
        let mut views = vec![];
        for (key, _) in self.engine().scan(range, Order::Ascending, limit).await? {
            let at = record::last_position(&key)?;
            let page = self.page(room, PageQuery::after(at.previous(), 1)).await?;
            views.extend(self.views_of(room, page).await?.views);
        }
        Ok(views)
    }

    async fn views_of(&self, room: RoomId, page: Page) -> Result<ViewPage, StoreError> {
        let Page { events, damaged, covered } = page;
        let shown: Vec<_> = events.into_iter().filter(|event| !event.kind.is_effect()).collect();
        let (Some(first), Some(last)) = (shown.first(), shown.last()) else {
            return Ok(ViewPage { views: vec![], damaged, covered });
        };
        let (from, until) = (first.position, last.position.next());
        let mut abouts = BTreeMap::<Position, About>::new();
        for (key, value) in self.beside(keys::abouts(room, from, until)).await? {
            abouts.insert(record::last_position(&key)?, record::decode("about", &value)?);
        }
        let rows = self.beside(keys::reactions(room, from, until)).await?;
        let mut reactions = reactions::group(rows)?;
        let mut views = Vec::with_capacity(shown.len());
        for event in shown {
            let about = abouts.remove(&event.position).unwrap_or_default();
            let edit = match about.edited {
                Some(edited) => self.event_at(room, edited.position).await?,
                None => None,
            };
            let reactions = reactions.remove(&event.position).unwrap_or_default();
            views.push(MessageView { event, about, edit, reactions });
        }
        Ok(ViewPage { views, damaged, covered })
    }

    /// Rows beside events. Where they do not read, messages are shown as they were sent.
    async fn beside(&self, range: Range) -> Result<Vec<Row>, StoreError> {
        match self.scan_all(range).await {
            Err(StoreError::Engine(error @ EngineError::Damaged { .. })) => {
                tracing::error!(%error, "edits or reactions of a page do not read");
                Ok(vec![])
            }
            rows => rows,
        }
    }

    async fn event_at(
        &self,
        room: RoomId,
        position: Position,
    ) -> Result<Option<StoredEvent>, StoreError> {
        let page = self.page(room, PageQuery::after(position.previous(), 1)).await?;
        Ok(page.events.into_iter().find(|event| event.position == position))
    }
}
