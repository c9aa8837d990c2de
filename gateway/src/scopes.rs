//! What an app token with a scope opens: less than its person may do, decided before anything else
//! is asked, and the same over REST and MQTT. What is in no list here is closed.

use hearth_protocol::ids::RoomId;
use hearth_protocol::principal::Principal;
use hearth_protocol::refusal::{Kind, Refusal};
use hearth_protocol::topic::Topic;
use hearth_store::Scope;
use warp::http::Method;

use crate::app::App;

/// Whether a request is within a scope. To read is GET; a token for some rooms opens
/// `/api/rooms/{room}` and what lies below it.
pub fn covers_request(scope: &Scope, method: &Method, path: &str) -> bool {
    let reads = [Method::GET, Method::HEAD].contains(method);
    let access = if reads { scope.access.reads() } else { scope.access.writes() };
    let Some(rooms) = &scope.rooms else { return access };
    let mut parts = path.split('/').skip(1);
    let room = match (parts.next(), parts.next(), parts.next()) {
        (Some("api"), Some("rooms"), Some(room)) => room.parse::<RoomId>().ok(),
        _ => None,
    };
    access && room.is_some_and(|room| rooms.contains(&room))
}

/// Whether a topic is within a scope; `None` is a plain one.
fn covers_topic(scope: &Scope, topic: Option<Topic>, write: bool) -> bool {
    let access = if write { scope.access.writes() } else { scope.access.reads() };
    let Some(rooms) = &scope.rooms else { return access };
    let room = match topic {
        Some(Topic::Status) => return access,
        Some(
            Topic::RoomIn(room)
            | Topic::RoomOut(room)
            | Topic::Live(room, _)
            | Topic::Read(room, _)
            | Topic::Receipts(room)
            | Topic::Key(room),
        ) => room,
        _ => return false,
    };
    access && rooms.contains(&room)
}

/// The refusal of what is outside of one.
pub fn out_of_scope() -> Refusal {
    let message = "this app token is for less than that";
    Refusal::new(Kind::Forbidden, "out_of_scope", message).hint("make a token with a wider scope")
}

impl App {
    /// Whether a topic is within what somebody's token is for.
    pub fn in_scope(&self, who: &Principal, topic: &str, write: bool) -> bool {
        let scope = self.auth.live.scope(who);
        scope.is_none_or(|scope| covers_topic(&scope, Topic::parse(topic), write))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearth_protocol::grant::Access;
    use hearth_protocol::ids::UserId;

    const ROOM: RoomId = RoomId::from_bytes([1, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1]);
    const OTHER: RoomId =
        RoomId::from_bytes([2, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 2]);

    fn scope(access: Access, rooms: Option<Vec<RoomId>>) -> Scope {
        Scope { access, rooms }
    }

    #[test]
    fn to_read_is_get_and_to_write_is_the_rest() {
        let (read, write) = (scope(Access::Read, None), scope(Access::Write, None));
        for (method, reads) in
            [(Method::GET, true), (Method::HEAD, true), (Method::POST, false), (Method::PUT, false)]
        {
            assert_eq!(covers_request(&read, &method, "/api/notifications"), reads, "{method}");
            assert_eq!(covers_request(&write, &method, "/api/messages/1"), !reads, "{method}");
        }
    }

    #[test]
    fn a_token_for_a_room_opens_what_lies_below_it_and_nothing_else() {
        let only = scope(Access::Both, Some(vec![ROOM]));
        for (path, expected) in [
            (format!("/api/rooms/{ROOM}"), true),
            (format!("/api/rooms/{ROOM}/messages"), true),
            (format!("/api/rooms/{OTHER}/messages"), false),
            (format!("//api/rooms/{ROOM}"), false),
            ("/api/rooms".to_string(), false),
            ("/api/auth/me".to_string(), false),
            ("/api/messages/1".to_string(), false),
        ] {
            assert_eq!(covers_request(&only, &Method::GET, &path), expected, "{path}");
        }
        let user = UserId::from_bytes([3; 16]);
        for (topic, expected) in [
            (Some(Topic::RoomOut(ROOM)), true),
            (Some(Topic::Key(ROOM)), true),
            (Some(Topic::RoomIn(OTHER)), false),
            (Some(Topic::Inbox(user)), false),
            (Some(Topic::Presence(user)), false),
            (Some(Topic::Status), true),
            (None, false),
        ] {
            assert_eq!(covers_topic(&only, topic, false), expected);
        }
        let reader = scope(Access::Read, Some(vec![ROOM]));
        assert!(!covers_topic(&reader, Some(Topic::RoomIn(ROOM)), true));
        assert!(covers_topic(&scope(Access::Write, None), None, true));
    }
}
