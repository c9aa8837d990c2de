//! Pages of a room's history: by position both ways, around a place, since a time. What does not
//! read is told as damaged, and everything around it is there.

use hearth_protocol::ids::{Position, RoomId};
use hearth_protocol::limits::wide;

pub use super::damage::Span;

use super::StoredEvent;
use super::damage::{Around, Item, decode};
use crate::engine::{EngineError, Order, Row};
use crate::error::StoreError;
use crate::store::Store;
use crate::{keys, record};

/// Rows of one scan: with the largest events some MiB.
const ROWS_AT_A_TIME: usize = 64;

/// Which events of a room. With neither bound: the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageQuery {
    /// The newest ones below this position.
    pub before: Option<Position>,
    /// The oldest ones above this position.
    pub after: Option<Position>,
    /// Nothing below this position: where a member's sight begins.
    pub since: Position,
    /// How many at most.
    pub limit: usize,
}

impl PageQuery {
    /// The newest.
    pub fn newest(limit: usize) -> Self {
        Self { before: None, after: None, since: Position::START, limit }
    }

    /// The oldest ones above a position.
    pub fn after(position: Position, limit: usize) -> Self {
        Self { after: Some(position), ..Self::newest(limit) }
    }

    /// The newest ones below a position.
    pub fn before(position: Position, limit: usize) -> Self {
        Self { before: Some(position), ..Self::newest(limit) }
    }
}

/// A page, in ascending positions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// What reads.
    pub events: Vec<StoredEvent>,
    /// What does not.
    pub damaged: Vec<Span>,
    /// The positions that the page speaks for, events or not; `None` if there are none.
    pub covered: Option<Span>,
}

impl Page {
    /// Items in ascending positions.
    fn of(items: Vec<Item>, covered: Span) -> Self {
        let mut page = Self { covered: Some(covered), ..Self::default() };
        for item in items {
            match item {
                Item::Event(event) => page.events.push(event),
                Item::Damaged(span) => page.damaged.push(span),
            }
        }
        page
    }

    /// This page and one that follows it at once.
    pub(super) fn join(mut self, next: Page) -> Page {
        self.events.extend(next.events);
        for span in next.damaged {
            match self.damaged.last_mut() {
                Some(last) if last.to.next() == span.from => last.to = span.to,
                _ => self.damaged.push(span),
            }
        }
        self.covered = match (self.covered, next.covered) {
            (Some(one), Some(other)) => Some(Span { from: one.from, to: other.to }),
            (one, other) => one.or(other),
        };
        self
    }

    fn len(&self) -> usize {
        self.events.len() + self.damaged.len()
    }

    fn bytes(&self) -> usize {
        self.events.iter().map(|event| event.body.len()).sum()
    }
}

impl Store {
    /// A page of a room's history. A damaged stretch counts as one event.
    pub async fn page(&self, room: RoomId, query: PageQuery) -> Result<Page, StoreError> {
        let head = self.heads().get(room).ok_or(StoreError::NotFound { what: "room" })?;
        let after =
            query.after.map_or(Position::START, |after| Position(after.0.saturating_add(1)));
        let from = after.max(query.since).max(head.first);
        let end = head.tally.position.next();
        let until = query.before.map_or(end, |before| before.min(end));
        if from >= until || query.limit == 0 {
            return Ok(Page::default());
        }
        let order = if query.after.is_some() { Order::Ascending } else { Order::Descending };
        let known = self.shared().damage.next(room, from).is_some_and(|span| span.from < until);
        let all = Span { from, to: until.previous() };
        if !known {
            match self.rows_of(room, all, order, query.limit).await {
                Ok((mut rows, whole)) => {
                    if order == Order::Descending {
                        rows.reverse();
                    }
                    let mut items = vec![];
                    decode(rows, &mut items)?;
                    let covered = if whole { all } else { clip(&items, all, order) };
                    return Ok(Page::of(items, covered));
                }
                Err(StoreError::Engine(EngineError::Damaged { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        self.page_around_damage(room, all, order, query.limit).await
    }

    /// The rows of a stretch in an order: at most `limit`, and `page_bytes_max` if that is more
    /// than one row. Whether these are all there are, and fewer than the limit.
    async fn rows_of(
        &self,
        room: RoomId,
        all: Span,
        order: Order,
        limit: usize,
    ) -> Result<(Vec<Row>, bool), StoreError> {
        let bytes_max = self.shared().limits.page_bytes_max;
        let (mut left, mut rows, mut bytes) = (all, Vec::new(), 0);
        loop {
            let count = (limit - rows.len()).min(ROWS_AT_A_TIME);
            let range = keys::events(room, left.from, Some(left.to.next()));
            let found = self.engine().scan(range, order, count).await?;
            let last_scan = found.len() < count;
            for row in found {
                bytes += row.1.len();
                if bytes > bytes_max && !rows.is_empty() {
                    return Ok((rows, false));
                }
                rows.push(row);
            }
            if last_scan || rows.len() >= limit {
                let whole = rows.len() < limit;
                return Ok((rows, whole));
            }
            let Some((key, _)) = rows.last() else { return Ok((rows, true)) };
            let at = record::last_position(key)?;
            match order {
                Order::Ascending => left.from = at.next(),
                Order::Descending => left.to = at.previous(),
            }
            if left.from > left.to {
                return Ok((rows, true));
            }
        }
    }

    /// As many positions at a time as there may be events, until the page is full: by number, and
    /// roughly by bytes.
    async fn page_around_damage(
        &self,
        room: RoomId,
        all: Span,
        order: Order,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let shared = self.shared();
        let probes = shared.limits.damage_probes_max;
        let mut around = Around { engine: self.engine(), damage: &shared.damage, room, probes };
        let step = wide(limit.min(ROWS_AT_A_TIME));
        let bytes_max = shared.limits.page_bytes_max;
        let mut left = all;
        let mut page = Page::default();
        while page.len() < limit && page.bytes() <= bytes_max && left.from <= left.to {
            let count = step.min(left.to.0 - left.from.0 + 1);
            let edge = match order {
                Order::Ascending => Position(left.from.0 + count - 1),
                Order::Descending => Position(left.to.0 + 1 - count),
            };
            // A known stretch at the edge comes as a whole.
            let known = shared.damage.next(room, edge).filter(|span| span.from <= edge);
            let window = match order {
                Order::Ascending => {
                    let to = known.map_or(edge, |span| span.to.min(left.to));
                    Span { from: left.from, to }
                }
                Order::Descending => {
                    let from = known.map_or(edge, |span| span.from.max(left.from));
                    Span { from, to: left.to }
                }
            };
            let mut items = around.read(window.from, window.to.next()).await?;
            let missing = limit - page.len();
            let full = items.len() > missing;
            match order {
                Order::Ascending => items.truncate(missing),
                Order::Descending => drop(items.drain(..items.len().saturating_sub(missing))),
            }
            let covered = if full { clip(&items, window, order) } else { window };
            let more = Page::of(items, covered);
            (page, left) = match order {
                Order::Ascending => (page.join(more), Span { from: covered.to.next(), ..left }),
                Order::Descending => {
                    (more.join(page), Span { to: covered.from.previous(), ..left })
                }
            };
        }
        Ok(page)
    }

    /// The events around a position: half of them below it, the rest from it on; where one side
    /// ends, the other fills the page.
    pub async fn page_around(
        &self,
        room: RoomId,
        at: Position,
        since: Position,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let before = |limit| PageQuery { since, ..PageQuery::before(at, limit) };
        let mut below = self.page(room, before(limit / 2)).await?;
        let after = PageQuery::after(at.previous(), limit - below.len());
        let above = self.page(room, PageQuery { since, ..after }).await?;
        let missing = limit - below.len() - above.len();
        if missing > 0 && below.len() == limit / 2 {
            below = self.page(room, before(limit - above.len())).await?;
        }
        Ok(below.join(above))
    }

    /// The first position whose event came at a time (ms since 1970) or later; the one after the
    /// newest if none did. Reads a number of events that grows with the logarithm of the history.
    pub async fn position_at(&self, room: RoomId, at_ms: u64) -> Result<Position, StoreError> {
        let head = self.heads().get(room).ok_or(StoreError::NotFound { what: "room" })?;
        // Everything below `early` came before, everything from `late` on came not before.
        let (mut early, mut late) = (head.first, head.tally.position.next());
        while early < late {
            let middle = Position(early.0 + (late.0 - early.0) / 2);
            // The next that reads: one damaged stretch may come before it.
            let query = PageQuery::after(middle.previous(), 2);
            let page = self.page(room, PageQuery { before: Some(late), ..query }).await?;
            match page.events.first() {
                Some(event) if event.received_at < at_ms => early = event.position.next(),
                _ => late = middle,
            }
        }
        Ok(early)
    }

    /// The newest event of a room that reads.
    pub async fn newest(&self, room: RoomId) -> Result<Option<StoredEvent>, StoreError> {
        Ok(self.page(room, PageQuery::newest(1)).await?.events.pop())
    }

    /// The time of the newest event of all rooms, ms since 1970; 0 if there is none.
    pub fn newest_ms(&self) -> u64 {
        self.heads().newest_ms()
    }
}

/// What a full page speaks for: from the end where it began as far as it came.
fn clip(items: &[Item], all: Span, order: Order) -> Span {
    match order {
        Order::Ascending => Span { to: items.last().map_or(all.to, |last| last.span().to), ..all },
        Order::Descending => {
            Span { from: items.first().map_or(all.from, |first| first.span().from), ..all }
        }
    }
}
