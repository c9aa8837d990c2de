//! How far each room's events were sent to one session (design §3, "History is the queue").

use std::collections::{HashMap, VecDeque};

use hearth_protocol::ids::{Position, RoomId};
use hearth_protocol::topic::{Topic, matches};

/// Which rooms' `out` lies under a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// None.
    None,
    /// One room's.
    Room(RoomId),
    /// Every room's.
    All,
}

impl Reach {
    /// The reach of a well-formed filter.
    pub fn of(filter: &str) -> Reach {
        let room = match filter.split('/').nth(2) {
            Some("+" | "#") | None => None,
            Some(level) => match level.parse() {
                Ok(room) => Some(room),
                Err(_) => return Reach::None,
            },
        };
        // Any room stands for all: no filter tells one from another but by this level.
        let stand_in = RoomId::from_bytes([1; 16]);
        let out = Topic::RoomOut(room.unwrap_or(stand_in)).to_string();
        match (matches(filter, &out), room) {
            (false, _) => Reach::None,
            (true, Some(room)) => Reach::Room(room),
            (true, None) => Reach::All,
        }
    }

    /// Whether a room's events lie under the filter.
    pub fn covers(self, room: RoomId) -> bool {
        self == Reach::All || self == Reach::Room(room)
    }
}

/// What to do with an event that the bus brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is the next one.
    Deliver,
    /// It was sent, or history will bring it in its turn.
    Skip,
}

#[derive(Debug, Clone, Copy, Default)]
struct Cursor {
    sent: Position,
    /// Something was skipped: history has to be asked.
    behind: bool,
}

/// One session's cursors.
#[derive(Debug, Default)]
pub(crate) struct Cursors {
    rooms: HashMap<RoomId, Cursor>,
    /// The rooms that are behind, in the order in which they fell behind.
    behind: VecDeque<RoomId>,
    /// Something moved since it was last asked.
    moved: bool,
}

impl Cursors {
    /// Starts at a position, unless the room is known.
    pub fn start(&mut self, room: RoomId, at: Position) {
        self.rooms.entry(room).or_insert_with(|| {
            self.moved = true;
            Cursor { sent: at, behind: false }
        });
    }

    /// How far each room was sent.
    pub fn sent(&self) -> impl Iterator<Item = (RoomId, Position)> {
        self.rooms.iter().map(|(room, cursor)| (*room, cursor.sent))
    }

    /// Something was acknowledged or moved otherwise.
    pub fn touch(&mut self) {
        self.moved = true;
    }

    /// Whether something moved since this was last asked.
    pub fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.moved)
    }

    /// Whether something moved since it was taken.
    pub fn has_moved(&self) -> bool {
        self.moved
    }

    /// Goes to a position the client names, and asks history from there.
    pub fn seek(&mut self, room: RoomId, at: Position) {
        let cursor = self.rooms.entry(room).or_default();
        cursor.sent = at;
        self.moved = true;
        self.fall_behind(room);
    }

    /// Whether a room has a cursor.
    pub fn knows(&self, room: RoomId) -> bool {
        self.rooms.contains_key(&room)
    }

    /// Compares with a head: a room that is not there yet falls behind.
    pub fn compare(&mut self, room: RoomId, head: Position) {
        if self.rooms.get(&room).is_some_and(|cursor| cursor.sent < head) {
            self.fall_behind(room);
        }
    }

    fn fall_behind(&mut self, room: RoomId) {
        if let Some(cursor) = self.rooms.get_mut(&room)
            && !cursor.behind
        {
            cursor.behind = true;
            self.behind.push_back(room);
        }
    }

    /// An event came by the bus and may be read.
    pub fn live(&mut self, room: RoomId, position: Position) -> Step {
        let Some(cursor) = self.rooms.get_mut(&room) else { return Step::Skip };
        if cursor.behind || position <= cursor.sent {
            return Step::Skip;
        }
        if position == cursor.sent.next() {
            cursor.sent = position;
            self.moved = true;
            return Step::Deliver;
        }
        self.fall_behind(room);
        Step::Skip
    }

    /// An event came from history; whether it is still to be sent.
    pub fn replayed(&mut self, room: RoomId, position: Position) -> Step {
        match self.rooms.get_mut(&room) {
            Some(cursor) if position > cursor.sent => {
                cursor.sent = position;
                self.moved = true;
                Step::Deliver
            }
            _ => Step::Skip,
        }
    }

    /// Everything up to a position is dealt with, or not for this reader.
    pub fn pass(&mut self, room: RoomId, position: Position) {
        if let Some(cursor) = self.rooms.get_mut(&room) {
            cursor.sent = cursor.sent.max(position);
            self.moved = true;
        }
    }

    /// The room whose history is to be read next, and from where.
    pub fn next_behind(&self) -> Option<(RoomId, Position)> {
        let room = self.behind.front()?;
        Some((*room, self.rooms.get(room)?.sent))
    }

    /// The first room behind has caught up; if it has not after all it goes on waiting, last.
    pub fn caught_up(&mut self, room: RoomId, head: Option<Position>) {
        self.behind.retain(|other| *other != room);
        if let Some(cursor) = self.rooms.get_mut(&room) {
            cursor.behind = false;
        }
        if let Some(head) = head {
            self.compare(room, head);
        }
    }

    /// A room behind read a stretch and goes on later: other rooms have their turn first.
    pub fn go_on(&mut self, room: RoomId) {
        self.behind.retain(|other| *other != room);
        if self.rooms.get(&room).is_some_and(|cursor| cursor.behind) {
            self.behind.push_back(room);
        }
    }

    /// Forgets rooms that no subscription reaches any more.
    pub fn keep(&mut self, mut wanted: impl FnMut(RoomId) -> bool) {
        let before = self.rooms.len();
        self.rooms.retain(|room, _| wanted(*room));
        self.moved |= self.rooms.len() < before;
        let rooms = &self.rooms;
        self.behind.retain(|room| rooms.contains_key(room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(n: u8) -> RoomId {
        RoomId::new(1, [n; 10])
    }

    #[test]
    fn a_filter_reaches_one_room_or_all_or_none() {
        let id = room(1);
        let cases = [
            (format!("hearth/rooms/{id}/out"), Reach::Room(id)),
            (format!("hearth/rooms/{id}/#"), Reach::Room(id)),
            (format!("+/+/{id}/+"), Reach::Room(id)),
            ("hearth/rooms/+/out".into(), Reach::All),
            ("hearth/rooms/#".into(), Reach::All),
            ("hearth/#".into(), Reach::All),
            ("#".into(), Reach::All),
            ("+/+/+/+".into(), Reach::All),
            (format!("hearth/rooms/{id}/in"), Reach::None),
            (format!("hearth/rooms/{id}/out/x"), Reach::None),
            (format!("hearth/rooms/{}/out", room(0xab).to_string().to_uppercase()), Reach::None),
            ("hearth/rooms/x/out".into(), Reach::None),
            ("hearth/users/+/inbox".into(), Reach::None),
            ("hearth/rooms".into(), Reach::None),
            ("$SYS/#".into(), Reach::None),
        ];
        for (filter, reach) in cases {
            assert_eq!(Reach::of(&filter), reach, "{filter}");
        }
    }

    #[test]
    fn a_gap_is_read_from_history_before_anything_newer() {
        let (mut cursors, r) = (Cursors::default(), room(1));
        assert_eq!(cursors.live(r, Position(1)), Step::Skip);
        cursors.start(r, Position(4));
        assert_eq!(cursors.live(r, Position(4)), Step::Skip);
        assert_eq!(cursors.live(r, Position(5)), Step::Deliver);
        assert_eq!(cursors.live(r, Position(8)), Step::Skip);
        assert_eq!(cursors.live(r, Position(9)), Step::Skip);
        assert_eq!(cursors.next_behind(), Some((r, Position(5))));
        for position in 6..=8 {
            assert_eq!(cursors.replayed(r, Position(position)), Step::Deliver);
        }
        cursors.pass(r, Position(8));
        cursors.caught_up(r, Some(Position(9)));
        assert_eq!(cursors.next_behind(), Some((r, Position(8))));
        assert_eq!(cursors.replayed(r, Position(8)), Step::Skip);
        assert_eq!(cursors.replayed(r, Position(9)), Step::Deliver);
        cursors.caught_up(r, Some(Position(9)));
        assert_eq!(cursors.next_behind(), None);
        assert_eq!(cursors.live(r, Position(10)), Step::Deliver);
    }

    #[test]
    fn rooms_behind_take_turns() {
        let mut cursors = Cursors::default();
        for n in [1, 2] {
            cursors.start(room(n), Position(0));
            cursors.compare(room(n), Position(3));
        }
        cursors.pass(room(1), Position(2));
        cursors.caught_up(room(1), Some(Position(3)));
        assert_eq!(cursors.next_behind(), Some((room(2), Position(0))));
        cursors.keep(|r| r == room(1));
        assert_eq!(cursors.next_behind(), Some((room(1), Position(2))));
    }
}
