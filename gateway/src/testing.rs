//! A house in memory for unit tests: its people, rooms and clock, and every door of
//! [`http::routes`](crate::http::routes) without a socket.

pub mod sealed;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hearth_protocol::ids::{DeviceId, RoomId, SessionId, UserId};
use hearth_protocol::limits::Limits;
use hearth_protocol::presence::PresenceChoice;
use hearth_protocol::role::{HouseRole, RoomRole, RoomType, Sealing};
use hearth_protocol::sealing::password::Cost;
use hearth_store::{Change, Device, Edit, Engine, Login, Memory, Plain, Room, User};
use serde_json::Value;
use warp::filters::BoxedFilter;
use warp::http::HeaderMap;
use warp::reply::Response;

use crate::accounts::member;
use crate::app::App;
use crate::clock::{Clock, random};

/// A clock that stands until it is moved.
pub struct Stopped(AtomicU64);

impl Clock for Stopped {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// When the house begins: ms since 1970.
pub const BEGINS_MS: u64 = 1_800_000_000_000;

/// The house.
pub struct House {
    pub app: Arc<App>,
    pub routes: BoxedFilter<(Response,)>,
    clock: Arc<Stopped>,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: UserId,
    pub session: SessionId,
    pub token: String,
}

/// What came back.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
    /// `Null` when the body is no JSON.
    pub body: Value,
}

impl Answered {
    /// The code of a refusal; the status where there is none.
    pub fn code(&self) -> String {
        self.body["code"].as_str().map_or_else(|| self.status.to_string(), str::to_string)
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub fn is(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        self.body
    }
}

impl House {
    /// With the default limits, nobody in it.
    pub async fn new() -> House {
        House::with(Limits::default()).await
    }

    /// With other limits.
    pub async fn with(limits: Limits) -> House {
        House::upon(Arc::new(Memory::new()), limits).await
    }

    /// Upon an engine.
    pub async fn upon(engine: Arc<dyn Engine>, limits: Limits) -> House {
        let clock = Arc::new(Stopped(AtomicU64::new(BEGINS_MS)));
        let app = App::open(engine, Arc::new(limits), clock.clone()).await.unwrap();
        let routes = crate::http::routes(&app);
        House { app, routes, clock }
    }

    /// The house's time goes on.
    pub fn later(&self, ms: u64) {
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
    }

    /// An account with a login; `name` is the display name too.
    pub async fn person(&self, name: &str, role: HouseRole) -> Person {
        let now = self.clock.now_ms();
        let user = User {
            id: UserId::new(now, random()),
            name: name.to_string(),
            display_name: name.to_string(),
            avatar: None,
            status_text: String::new(),
            presence: PresenceChoice::Online,
            blocked: false,
            guest_until: None,
            role,
            created_at: now,
            last_seen: 0,
            login: Login { salt: [0; 16], cost: Cost::default(), verifier: [0; 32] },
        };
        let made = self.app.auth.new_session(user.id, "test");
        let (id, session) = (user.id, made.session.id);
        let edits = vec![Edit::PutUser(user.clone()), Edit::PutSession(made.session.clone())];
        self.change(edits).await;
        let reply = serde_json::to_value(self.app.auth.reply(made, user).unwrap()).unwrap();
        Person { id, session, token: reply["token"].as_str().unwrap().to_string() }
    }

    /// The same person through a new login: a token lives for a day.
    pub async fn again(&self, who: &Person) -> Person {
        let user = self.app.store.user(who.id).await.unwrap().unwrap();
        let made = self.app.auth.new_session(user.id, "again");
        let (id, session) = (user.id, made.session.id);
        self.change(vec![Edit::PutSession(made.session.clone())]).await;
        let reply = serde_json::to_value(self.app.auth.reply(made, user).unwrap()).unwrap();
        Person { id, session, token: reply["token"].as_str().unwrap().to_string() }
    }

    /// A room whose first member owns it; an open one takes text at once.
    pub async fn room(&self, kind: RoomType, sealing: Sealing, members: &[&Person]) -> RoomId {
        let (now, by) = (self.clock.now_ms(), members[0].id);
        let room = self.app.new_room(RoomId::new(now, random()), "Kitchen", kind, by).unwrap();
        let room = Room { sealing, ..room };
        let mut edits = vec![Edit::PutRoom(room.clone())];
        for (place, person) in members.iter().enumerate() {
            let role = if place == 0 { RoomRole::Owner } else { RoomRole::Member };
            edits.push(Edit::PutMember(member(&room, person.id, role, now)));
        }
        self.change(edits).await;
        room.id
    }

    /// Sets it up, as the first account of a real one does.
    pub async fn named(&self) {
        let house = hearth_store::House { name: "Home".into(), created_at: BEGINS_MS };
        self.change(vec![Edit::SetHouse(house)]).await;
    }

    /// A change that passes no rule of the gateway.
    pub async fn change(&self, edits: Vec<Edit>) {
        self.app.store.change(Change::of(edits, self.clock.now_ms())).await.unwrap();
    }

    /// A request with a JSON body, or with none (`Null`), from somebody or nobody.
    pub async fn call(
        &self,
        method: &str,
        path: &str,
        who: Option<&Person>,
        body: Value,
    ) -> Answered {
        let mut request = warp::test::request().method(method).path(path);
        if let Some(person) = who {
            request = request.header("authorization", format!("Bearer {}", person.token));
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        answered(request.reply(&self.routes).await)
    }

    /// A request by somebody with headers and any body, whose length is said.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        who: &Person,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answered {
        let token = format!("Bearer {}", who.token);
        let mut request =
            warp::test::request().method(method).path(path).header("authorization", token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answered(request.body(body).reply(&self.routes).await)
    }

    /// `GET` by somebody.
    pub async fn get(&self, path: &str, who: &Person) -> Answered {
        self.call("GET", path, Some(who), Value::Null).await
    }

    /// `POST` by somebody.
    pub async fn post(&self, path: &str, who: &Person, body: Value) -> Answered {
        self.call("POST", path, Some(who), body).await
    }
}

fn answered(response: warp::http::Response<bytes::Bytes>) -> Answered {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.body().to_vec();
    let body = serde_json::from_slice(&bytes).unwrap_or_default();
    Answered { status, headers, bytes, body }
}

/// A device, the `washer` of an open room.
pub fn washer(id: DeviceId, room: RoomId, by: UserId) -> Device {
    Device {
        id,
        room,
        name: "washer".to_string(),
        token_hash: [9; 32],
        created_at: 1,
        created_by: by,
        door_epoch: 0,
        last_post_at: 0,
        plain: Plain::Refuse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn a_message_is_posted_and_read_and_strangers_are_told_nothing() {
        let house = House::new().await;
        let anna = house.person("anna", HouseRole::Owner).await;
        let ben = house.person("ben", HouseRole::Member).await;
        let room = house.room(RoomType::Private, Sealing::Open, &[&anna]).await;
        let path = format!("/api/rooms/{room}/messages");
        house.post(&path, &anna, json!({ "content": "hello" })).await.is(201);
        let answered = house.get(&path, &anna).await;
        assert_eq!(answered.headers["cache-control"], "no-store");
        assert_eq!(answered.is(200)["messages"][0]["content"], "hello");
        assert_eq!(house.get(&path, &ben).await.code(), "not_found");
        assert_eq!(house.call("GET", &path, None, Value::Null).await.code(), "sign_in");
        house.later(24 * 3_600_000 - 1);
        house.get(&path, &anna).await.is(200);
        house.later(1);
        assert_eq!(house.get(&path, &anna).await.status, 401, "a token lives for 24 hours");
        house.change(vec![Edit::RemoveSession(ben.session)]).await;
    }
}
