//! A device's door by HTTP, for machines with curl and no MQTT client: `/api/door`.

use std::sync::Arc;

use bytes::Bytes;
use hearth_protocol::event::Sender;
use hearth_protocol::ids::EventId;
use hearth_protocol::principal::Principal;
use hearth_protocol::topic::Topic;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Door, post_of_device, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::error::ApiError;
use crate::ingest::Submission;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(post))]
pub struct Doc;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    path!("api" / "door")
        .and(warp::post())
        .and(with(app))
        .and(post_of_device(app))
        .then(post)
        .map(answer)
        .boxed()
}

/// A post that is on disk. Where in the room it stands is not for a device.
#[derive(Serialize, ToSchema)]
struct Posted {
    id: EventId,
    /// ms since 1970.
    received_at: u64,
}

/// Posts to the room of the device whose token it is: text, JSON with a `text`, or in a sealed room
/// an age file; 200 if the same file came within 10 minutes.
#[utoipa::path(post, path = "/api/door",
    request_body(content = String, content_type = "text/plain"),
    responses((status = 200, body = Posted), (status = 201, body = Posted)))]
async fn post(app: Arc<App>, door: Door, payload: Bytes) -> Result<Answer, ApiError> {
    let Door { device, room } = door;
    let sender = Sender::Device(device);
    let submission = Submission { packet: None, room, sender, payload, can_be_refused: true };
    let stored = match app.submit(submission).await {
        Ok(stored) => stored,
        Err(no) => {
            let who = Principal::Device { device, room };
            app.publish_refused(&who, &Topic::Door(room, device).to_string(), &no.0);
            return Err(no);
        }
    };
    let posted = Posted { id: stored.event.id, received_at: stored.event.received_at };
    if stored.duplicate { Answer::ok(&posted) } else { Answer::created(&posted) }
}

#[cfg(test)]
mod tests {
    use hearth_protocol::ids::RoomId;
    use hearth_protocol::limits::Limits;
    use hearth_protocol::role::{HouseRole, RoomType, Sealing};
    use hearth_store::{Edit, Plain, Room};
    use serde_json::{Value, json};

    use crate::devices::NewDevice;
    use crate::testing::{Answered, House, Person};

    /// A room with a person and a device.
    struct Laundry {
        house: House,
        anna: Person,
        room: RoomId,
        /// The device, as somebody with a token.
        washer: Person,
        id: String,
    }

    impl Laundry {
        async fn new(sealing: Sealing, limits: Limits) -> Laundry {
            let house = House::with(limits).await;
            let anna = house.person("anna", HouseRole::Owner).await;
            let room = house.room(RoomType::Private, Sealing::Open, &[&anna]).await;
            let state = house.app.membership.room(room).unwrap();
            let new = NewDevice {
                id: None,
                name: "washer".into(),
                by: None,
                bundle: None,
                plain: Plain::Refuse,
            };
            let (device, token) = house.app.add_device(&state, new).await.unwrap();
            let open = house.app.membership.room(room).unwrap().room.clone();
            house.change(vec![Edit::UpdateRoom(Room { sealing, ..open })]).await;
            let washer = Person { token, ..anna.clone() };
            Laundry { house, anna, room, washer, id: device.id.to_string() }
        }

        async fn post(&self, body: &[u8]) -> Answered {
            self.house.send("POST", "/api/door", &self.washer, &[], body).await
        }

        async fn messages(&self) -> Vec<Value> {
            let path = format!("/api/rooms/{}/messages?raw=1", self.room);
            let page = self.house.get(&path, &self.anna).await.is(200);
            page["messages"].as_array().unwrap().clone()
        }

        async fn last_refused(&self) -> Value {
            let path = format!("/api/rooms/{}/devices", self.room);
            self.house.get(&path, &self.anna).await.is(200)["devices"][0]["last_refused"].clone()
        }
    }

    #[tokio::test]
    async fn a_device_posts_by_http_as_it_does_over_mqtt() {
        let laundry = Laundry::new(Sealing::Open, Limits::default()).await;
        let stored = laundry.post(b"Washing done\n").await.is(201);
        assert!(stored["position"].is_null(), "{stored}");
        laundry.post(br#"{"text": "Done", "title": "Washer"}"#).await.is(201);
        let messages = laundry.messages().await;
        assert_eq!(messages[0]["id"], stored["id"]);
        for (message, text) in messages.iter().zip(["Washing done", "Done"]) {
            assert_eq!((&message["type"], &message["content"]), (&json!("post"), &json!(text)));
            assert_eq!(message["device"], json!(laundry.id), "never a person's");
            assert!(message["sender"].is_null());
        }
        assert_eq!(messages[1]["title"], "Washer");
        assert!(laundry.last_refused().await.is_null());
    }

    #[tokio::test]
    async fn a_sealed_room_takes_an_age_file_once_and_no_text() {
        let laundry = Laundry::new(Sealing::Sealed, Limits::default()).await;
        let file = b"age-encryption.org/v1\n-> X25519 abc\nnoise\n--- mac\n";
        let stored = laundry.post(file).await.is(201);
        assert_eq!(laundry.post(file).await.is(200)["id"], stored["id"]);
        assert_eq!(laundry.post(b"Washing done").await.code(), "not_sealed");
        let refused = laundry.last_refused().await;
        assert_eq!((&refused["code"], &refused["count"]), (&json!("not_sealed"), &json!(1)));
        assert_eq!(laundry.messages().await.len(), 1);
    }

    #[tokio::test]
    async fn the_box_seals_only_to_a_door_and_where_it_was_asked_to() {
        let laundry = Laundry::new(Sealing::Sealed, Limits::default()).await;
        let path = format!("/api/devices/{}", laundry.id);
        let house = &laundry.house;
        let ben = house.person("ben", HouseRole::Member).await;
        house.call("PATCH", &path, Some(&ben), json!({ "plain": "seal" })).await.is(404);
        for wrong in [json!({}), json!({ "plain": "maybe" })] {
            house.call("PATCH", &path, Some(&laundry.anna), wrong).await.is(400);
        }
        let plain = json!({ "plain": "seal" });
        for _ in 0..2 {
            let plain = plain.clone();
            let changed = house.call("PATCH", &path, Some(&laundry.anna), plain).await.is(200);
            assert_eq!(changed["plain"], "seal");
        }
        let log = house.get("/api/audit?limit=10", &laundry.anna).await.is(200);
        let entries = log["entries"].as_array().unwrap();
        let changes: Vec<_> =
            entries.iter().filter(|entry| entry["action"] == "device.change").collect();
        assert_eq!(changes.len(), 1, "the second one changed nothing");
        assert_eq!(changes[0]["detail"]["to"], "seal");
        // This room has no epoch, so the device has no door to seal to: nothing is stored in clear.
        assert_eq!(laundry.post(b"Washing done").await.code(), "no_door");
        assert!(laundry.messages().await.is_empty());
    }

    #[tokio::test]
    async fn in_an_open_room_there_is_nothing_that_the_box_could_seal() {
        let laundry = Laundry::new(Sealing::Open, Limits::default()).await;
        let path = format!("/api/devices/{}", laundry.id);
        let (house, plain) = (&laundry.house, json!({ "plain": "seal" }));
        let refused = house.call("PATCH", &path, Some(&laundry.anna), plain).await;
        assert_eq!((refused.status, &*refused.code()), (409, "room_is_open"));
        let path = format!("/api/rooms/{}/devices", laundry.room);
        let add = json!({ "name": "dryer", "plain": "seal" });
        assert_eq!(house.post(&path, &laundry.anna, add).await.code(), "room_is_open");
    }

    #[tokio::test]
    async fn a_post_by_http_has_the_same_limits() {
        let limits = Limits { event_bytes_max: 40, posts_per_60_s: 2, ..Limits::default() };
        let laundry = Laundry::new(Sealing::Open, limits).await;
        assert_eq!(laundry.post(&[b'x'; 41]).await.code(), "too_large");
        laundry.post(&[b'x'; 40]).await.is(201);
        assert_eq!(laundry.post(b"\xff").await.code(), "bad_event");
        laundry.post(b"y").await.is(201);
        let refused = laundry.post(b"z").await;
        assert_eq!((refused.status, refused.code().as_str()), (429, "too_fast"));
        assert!(refused.headers.contains_key("retry-after"));
    }

    #[tokio::test]
    async fn a_door_opens_to_its_device_alone_and_a_device_opens_nothing_else() {
        let laundry = Laundry::new(Sealing::Open, Limits::default()).await;
        let house = &laundry.house;
        let by_anna = house.send("POST", "/api/door", &laundry.anna, &[], b"x").await;
        assert_eq!(by_anna.code(), "forbidden");
        assert_eq!(house.call("POST", "/api/door", None, json!({})).await.code(), "sign_in");
        let messages = format!("/api/rooms/{}/messages", laundry.room);
        for (method, path) in [("GET", &*messages), ("POST", &*messages), ("GET", "/api/auth/me")] {
            let body = if method == "GET" { Value::Null } else { json!({ "content": "x" }) };
            let tried = house.call(method, path, Some(&laundry.washer), body).await;
            assert_eq!(tried.code(), "forbidden", "{method} {path}");
        }
        let id = laundry.id.parse().unwrap();
        house.app.remove_device(laundry.room, id, Some(laundry.anna.id)).await.unwrap();
        assert_eq!(laundry.post(b"x").await.code(), "wrong_token");
        assert!(laundry.messages().await.is_empty());
    }
}
