//! What an open room takes, and what becomes of it for those who read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hearth_protocol::ids::{EventId, Position, RoomId, UserId};
use hearth_protocol::limits::Limits;
use hearth_protocol::presence::PresenceChoice;
use hearth_protocol::role::{HouseRole, RoomRole, RoomType, Sealing};
use hearth_protocol::sealing::password::Cost;
use hearth_store::{Change, Edit, Login, Memory, PageQuery, Room, Sentence, User};
use serde_json::{Value, json};

use super::*;
use crate::accounts::member;
use crate::clock::Clock;
use crate::history;

/// A clock that stands until it is moved.
struct Stopped(AtomicU64);

impl Clock for Stopped {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

const ROOM: RoomId = RoomId::from_bytes([3; 16]);
const OWNER: UserId = UserId::from_bytes([1; 16]);
const MEMBER: UserId = UserId::from_bytes([2; 16]);

fn id(number: u8) -> EventId {
    EventId::from_bytes([number; 16])
}

struct House {
    app: Arc<App>,
    clock: Arc<Stopped>,
}

impl House {
    /// An open room with an owner and a member.
    async fn new() -> House {
        let clock = Arc::new(Stopped(AtomicU64::new(1_000_000)));
        let limits = Arc::new(Limits { messages_per_10_s: 0, ..Limits::default() });
        let app = App::open(Arc::new(Memory::new()), limits, clock.clone()).await.unwrap();
        let mut change = Change::of(vec![], 1);
        for (user, name) in [(OWNER, "anna"), (MEMBER, "bob")] {
            change.edits.push(Edit::PutUser(User {
                id: user,
                name: name.to_string(),
                display_name: name.to_string(),
                avatar: None,
                status_text: String::new(),
                presence: PresenceChoice::Online,
                blocked: false,
                guest_until: None,
                role: HouseRole::Member,
                created_at: 1,
                last_seen: 0,
                login: Login { salt: [0; 16], cost: Cost::default(), verifier: [0; 32] },
            }));
        }
        let room = app.new_room(ROOM, "Kitchen", RoomType::Private, OWNER).unwrap();
        let room = Room { sealing: Sealing::Open, ..room };
        change.edits.push(Edit::PutRoom(room.clone()));
        change.edits.push(Edit::PutMember(member(&room, OWNER, RoomRole::Owner, 1)));
        app.store.change(change).await.unwrap();
        let house = House { app, clock };
        house.change(Edit::PutMember(member(&room, MEMBER, RoomRole::Member, 1))).await;
        house
    }

    async fn change(&self, edit: Edit) {
        let change = Change::of(vec![edit], self.clock.now_ms());
        self.app.store.change(change).await.unwrap();
    }

    async fn send(&self, user: UserId, event: Value) -> Result<Stored, ApiError> {
        let submission = Submission {
            room: ROOM,
            sender: Sender::Person(user),
            payload: event.to_string().into(),
            packet: None,
            can_be_refused: true,
        };
        self.app.submit(submission).await
    }

    /// The code that a refusal has.
    async fn refused(&self, user: UserId, event: Value) -> &'static str {
        self.send(user, event).await.err().map_or("taken", |ApiError(no)| no.code)
    }

    /// The room as `GET messages` shows it.
    async fn shown(&self) -> Vec<Value> {
        let page = self.app.store.views(ROOM, PageQuery::newest(50)).await.unwrap();
        page.views.iter().map(|view| history::view(view, Some(OWNER), &self.app.limits)).collect()
    }
}

fn say(number: u8, text: &str) -> Value {
    json!({ "type": "message", "id": id(number), "content": text })
}

#[tokio::test]
async fn edits_and_reactions_are_seen_in_their_message() {
    let house = House::new().await;
    house.send(MEMBER, say(10, "helo")).await.unwrap();
    let edit = json!({ "type": "edit", "target": id(10), "content": "hello" });
    house.send(MEMBER, edit.clone()).await.unwrap();
    assert_eq!(house.refused(OWNER, edit).await, "forbidden");
    let react = |on| json!({ "type": "react", "target": id(10), "emoji": "👍", "on": on });
    house.send(OWNER, react(true)).await.unwrap();
    house.send(MEMBER, react(true)).await.unwrap();
    house.send(MEMBER, react(false)).await.unwrap();
    let shown = house.shown().await;
    assert_eq!(shown.len(), 1, "{shown:?}");
    let message = &shown[0];
    assert_eq!((&message["content"], &message["kind"]), (&json!("hello"), &json!("text")));
    assert_eq!(message["edited_at"], json!(1_000_000));
    let reactions = json!([{ "emoji": "👍", "count": 1, "users": [OWNER], "mine": true }]);
    assert_eq!(message["reactions"], reactions);
    house.clock.0.fetch_add(15 * 60_000 + 1, Ordering::SeqCst);
    let late = json!({ "type": "edit", "target": id(10), "content": "hey" });
    assert_eq!(house.refused(MEMBER, late).await, "edit_window_over");
    let bad = json!({ "type": "react", "target": id(10), "emoji": "a b", "on": true });
    assert_eq!(house.refused(MEMBER, bad).await, "bad_emoji");
    let title = json!({ "type": "room", "title": "Cellar" });
    assert_eq!(house.refused(OWNER, title).await, "bad_event");
}

#[tokio::test]
async fn a_message_is_erased_by_its_sender_or_an_owner_of_the_room() {
    let house = House::new().await;
    house.send(OWNER, say(10, "from the owner")).await.unwrap();
    house.send(MEMBER, say(11, "from the member")).await.unwrap();
    let delete = |number| json!({ "type": "delete", "target": id(number), "reason": "oops" });
    assert_eq!(house.refused(MEMBER, delete(10)).await, "forbidden");
    assert_eq!(house.refused(MEMBER, delete(99)).await, "no_such_message");
    house.send(OWNER, delete(11)).await.unwrap();
    assert_eq!(house.refused(MEMBER, delete(11)).await, "message_erased");
    let shown = house.shown().await;
    assert_eq!(shown[0]["content"], "from the owner");
    assert_eq!((&shown[1]["type"], &shown[1]["content"]), (&json!("message"), &json!("[deleted]")));
    let deleted = json!({ "by": OWNER, "at": 1_000_000, "reason": "oops" });
    assert_eq!((&shown[1]["deleted"], &shown[1]["sender"]), (&deleted, &json!(MEMBER)));
    // On `out` and with `raw=1` the stub is a line of the box.
    let stub = house.app.store.event(id(11)).await.unwrap().unwrap();
    let stub = history::item(&stub, Sealing::Open);
    assert_eq!((&stub["type"], &stub["by"]), (&json!("erased"), &json!(OWNER)));
    assert_eq!((&stub["target"], &stub["sender"]), (&json!(id(11)), &Value::Null));
}

#[tokio::test]
async fn who_is_muted_writes_nothing_until_it_is_over() {
    let house = House::new().await;
    house.send(MEMBER, say(10, "before")).await.unwrap();
    let (by, reason, until) = (OWNER, "noise".to_string(), Some(1_000_500));
    let sentence = Some(Sentence { by, at: 1_000_000, reason, until });
    house.change(Edit::Mute { room: ROOM, user: MEMBER, sentence }).await;
    assert_eq!(house.refused(MEMBER, say(11, "now")).await, "muted");
    let react = json!({ "type": "react", "target": id(10), "emoji": "👍", "on": true });
    assert_eq!(house.refused(MEMBER, react).await, "muted");
    assert!(house.send(MEMBER, say(10, "before")).await.unwrap().duplicate, "known is known");
    house.send(OWNER, say(12, "hush")).await.unwrap();
    house.clock.0.store(1_000_500, Ordering::SeqCst);
    house.send(MEMBER, say(11, "now")).await.unwrap();
}

#[tokio::test]
async fn who_is_banned_cannot_join_and_a_removed_room_is_not_there() {
    let house = House::new().await;
    let remove = Edit::RemoveMember { room: ROOM, user: MEMBER };
    let sentence = Some(Sentence { by: OWNER, at: 1, reason: String::new(), until: None });
    let ban = Edit::Ban { room: ROOM, user: MEMBER, sentence };
    house.app.store.change(Change::of(vec![remove, ban], 1)).await.unwrap();
    let room = house.app.membership.room(ROOM).unwrap().room.clone();
    let join = Edit::PutMember(member(&room, MEMBER, RoomRole::Member, 2));
    let join = house.app.store.change(Change::of(vec![join], 2)).await.map_err(ApiError::from);
    assert_eq!(join.unwrap_err().0.code, "banned");
    house.change(Edit::RemoveRoom { room: ROOM, by: OWNER }).await;
    assert!(house.app.membership.room(ROOM).is_none());
    assert!(!house.app.membership.is_member(ROOM, OWNER));
    assert_eq!(house.refused(OWNER, say(10, "echo")).await, "not_found");
}

#[tokio::test]
async fn who_sees_history_since_joining_sees_from_the_own_line_on() {
    let house = House::new().await;
    house.send(OWNER, say(10, "before")).await.unwrap();
    let (keep_days, keep_bytes) = (0, 0);
    let history = hearth_store::History::SinceJoin;
    house.change(Edit::SetHistory { room: ROOM, history, keep_days, keep_bytes }).await;
    house.change(Edit::RemoveMember { room: ROOM, user: MEMBER }).await;
    let room = house.app.membership.room(ROOM).unwrap().room.clone();
    house.change(Edit::PutMember(member(&room, MEMBER, RoomRole::Member, 2))).await;
    house.send(OWNER, say(11, "after")).await.unwrap();
    let state = house.app.membership.room(ROOM).unwrap();
    assert_eq!(house.app.sight(&state, OWNER).await.unwrap(), Position::START);
    assert_eq!(house.app.sight(&state, MEMBER).await.unwrap(), Position(1), "at the head then");
}

#[tokio::test]
async fn what_a_post_says_beside_its_text_is_short() {
    let house = House::new().await;
    let post = |key: &str, value: Value| {
        let body = json!({ "text": "Done", key: value }).to_string();
        house.app.open_post(&body.into()).map(|fit| fit.body).map_err(|no| no.0.code)
    };
    for (key, fits, not) in [
        ("title", json!("ü".repeat(200)), json!("ü".repeat(201))),
        ("icon", json!("i".repeat(64)), json!("i".repeat(65))),
        ("priority", json!("p".repeat(64)), json!("p".repeat(65))),
        ("priority", json!(5), json!([[]])),
        ("at", json!(1_800_000_000_000_u64), json!({})),
        ("title", Value::Null, json!(1)),
    ] {
        let body: Value = serde_json::from_slice(&post(key, fits.clone()).unwrap()).unwrap();
        assert_eq!(body[key], fits);
        assert_eq!(post(key, not).unwrap_err(), "bad_event", "{key}");
    }
}

#[tokio::test]
async fn what_somebody_writes_in_clear_into_a_sealed_room_is_not_told_again() {
    let house = crate::testing::House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let room = house.room(RoomType::Private, Sealing::Sealed, &[&anna]).await;
    for payload in [r#"{"type":"canary"}"#, r#"{"content":{"canary":1}}"#, "canary"] {
        let submission = Submission {
            room,
            sender: Sender::Person(anna.id),
            payload: payload.into(),
            packet: None,
            can_be_refused: true,
        };
        let refused = house.app.submit(submission).await.map(drop).unwrap_err();
        assert_eq!(refused.0.code, "room_is_sealed");
        assert!(!refused.0.to_string().contains("canary"), "{}", refused.0);
    }
}
