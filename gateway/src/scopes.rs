//! What an app token with a scope opens: less than its person may do, decided before anything else
//! is asked, and the same over REST and MQTT. What is in no list here is closed.

use hearth_protocol::ids::RoomId;
use hearth_protocol::principal::Principal;
use hearth_protocol::refusal::{Kind, Refusal};
use hearth_protocol::topic::Topic;
use hearth_store::Scope;

use crate::app::App;

/// Whether a request is within a scope. To read is GET; a token for some rooms opens
/// `/api/rooms/{room}` and what lies below it.
pub fn covers_request(scope: &Scope, method: &str, path: &str) -> bool {
    let reads = matches!(method, "GET" | "HEAD");
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
    use std::sync::Arc;

    use bytes::Bytes;
    use hearth_broker::{Gate, Publish, Qos, Verdict, Version};
    use hearth_protocol::grant::Access;
    use hearth_protocol::ids::{Position, UserId};
    use hearth_protocol::role::{HouseRole, RoomType, Sealing};

    use super::*;
    use crate::gate::HouseGate;
    use crate::testing::House;

    const ROOM: RoomId = RoomId::from_bytes([1, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1]);
    const OTHER: RoomId =
        RoomId::from_bytes([2, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 2]);

    fn scope(access: Access, rooms: Option<Vec<RoomId>>) -> Scope {
        Scope { access, rooms }
    }

    #[test]
    fn to_read_is_get_and_to_write_is_the_rest() {
        let (read, write) = (scope(Access::Read, None), scope(Access::Write, None));
        for (method, reads) in [("GET", true), ("HEAD", true), ("POST", false), ("PUT", false)] {
            assert_eq!(covers_request(&read, method, "/api/notifications"), reads, "{method}");
            assert_eq!(covers_request(&write, method, "/api/messages/1"), !reads, "{method}");
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
            assert_eq!(covers_request(&only, "GET", &path), expected, "{path}");
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

    #[tokio::test]
    async fn over_mqtt_a_token_publishes_and_receives_what_its_scope_says() {
        let house = House::new().await;
        let anna = house.person("anna", HouseRole::Owner).await;
        let mut rooms = vec![];
        for _ in 0..2 {
            rooms.push(house.room(RoomType::Private, Sealing::Open, &[&anna]).await);
        }
        let gate = HouseGate::new(&house.app);
        let token = async |scope: Option<Scope>| {
            let made = house.app.auth.make_app_token(anna.id, "x", scope).await.unwrap();
            Arc::new(Principal::App { user: anna.id, token: made.0.id })
        };
        let all = token(None).await;
        let reader = token(Some(scope(Access::Read, Some(vec![rooms[0]])))).await;
        let writer = token(Some(scope(Access::Write, None))).await;
        let topics = [
            Topic::RoomOut(rooms[0]),
            Topic::RoomOut(rooms[1]),
            Topic::Inbox(anna.id),
            Topic::Status,
        ]
        .map(|topic| topic.to_string());
        let receives =
            |who: &Principal| topics.each_ref().map(|topic| gate.may_receive(who, topic));
        assert_eq!(receives(&all), [true; 4]);
        assert_eq!(receives(&reader), [true, false, false, true]);
        assert_eq!(receives(&writer), [false; 4]);
        let posts = async |who: &Arc<Principal>, room: RoomId| {
            let publish = Publish {
                topic: Topic::RoomIn(room).to_string().into(),
                payload: Bytes::from_static(b"hello"),
                qos: Qos::AtLeastOnce,
                retain: false,
                properties: Default::default(),
                version: Version::V5,
                once: None,
            };
            gate.accept(who.clone(), publish).await.map_err(|refusal| refusal.code)
        };
        assert_eq!(posts(&all, rooms[1]).await, Ok(Verdict::Handled));
        assert_eq!(posts(&writer, rooms[1]).await, Ok(Verdict::Handled));
        assert_eq!(posts(&reader, rooms[0]).await, Err("out_of_scope"));
        let backlog = async |who: &Principal, room: RoomId| {
            let page = gate.backlog(who, room, Position::START, 9).await;
            page.map(|page| page.events.len()).map_err(|refusal| refusal.code)
        };
        assert_eq!(backlog(&all, rooms[1]).await, Ok(2));
        assert_eq!(backlog(&reader, rooms[0]).await, Ok(0));
        assert_eq!(backlog(&reader, rooms[1]).await, Err("out_of_scope"));
        assert_eq!(backlog(&writer, rooms[1]).await, Err("out_of_scope"));
    }
}
