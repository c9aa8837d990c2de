//! What a device's door takes: an age file in a sealed room, text in an open one.

use bytes::Bytes;
use hearth_protocol::event::{Class, Event, EventError};
use hearth_protocol::ids::DeviceId;
use hearth_protocol::sealing::kdf::sha256;
use hearth_protocol::sealing::{SealingError, door};
use hearth_store::{EventKind, Once};
use serde_json::{Map, Value, json};

use super::{Fit, SAME_POST_MS, bad, bad_event};
use crate::app::App;
use crate::error::ApiError;
use crate::membership::RoomState;

impl Fit {
    /// As it is stored. Sealing is work, so only what is not too fast comes to it.
    pub(super) fn sealed(self) -> Result<Self, ApiError> {
        let Some(door) = self.seal_to else { return Ok(self) };
        let sealed = door::seal(&self.body, door).map_err(|error| match error {
            SealingError::TooLarge { bytes, max, .. } => {
                bad_event(EventError::TooLarge { bytes, max })
            }
            error => error.into(),
        })?;
        Ok(Self { body: sealed.into(), seal_to: None, ..self })
    }
}

impl App {
    /// An age file as it is; in clear what the box may seal for a device that cannot.
    pub(super) fn sealed_post(
        &self,
        state: &RoomState,
        device: DeviceId,
        payload: &Bytes,
    ) -> Result<Fit, ApiError> {
        self.check_size(payload)?;
        let looks_like_age = looks_like_age(payload);
        if !looks_like_age && state.plain.contains(&device) {
            return self.post_to_seal(state, device, payload);
        }
        if !looks_like_age {
            return Err(bad("not_sealed", "this room is sealed: the post must be an age file")
                .hint("pipe it through `age -r age1…` as the device's page shows"));
        }
        if !door::has_short_header(payload) {
            let message = format!(
                "the age file's header has more than {} bytes, or no end",
                door::HEADER_MAX
            );
            return Err(bad("bad_event", message).hint("seal it to the device's recipient alone"));
        }
        let once = Once::Hash { sha256: sha256(payload), within_ms: SAME_POST_MS };
        Ok(Fit::of(None, Class::Door, EventKind::Post, payload.clone(), once))
    }

    /// To be sealed to the device's door before it is stored; `box` in it says that the box saw it
    /// (sealing.md §5).
    fn post_to_seal(
        &self,
        state: &RoomState,
        device: DeviceId,
        payload: &Bytes,
    ) -> Result<Fit, ApiError> {
        let door = state.doors.get(&device).ok_or_else(|| {
            ApiError::conflict("no_door", "the device has no door in the room's current epoch yet")
                .hint("it has one once a member's client has made the room's next epoch")
        })?;
        let mut post = self.post_in_clear(payload)?;
        post.extend([("text".into(), post["content"].clone()), ("box".into(), json!(true))]);
        post.remove("content");
        let post = Value::Object(post).to_string().into();
        let seal_to = Some(*door);
        Ok(Fit { seal_to, ..Fit::of(None, Class::Door, EventKind::Post, post, Once::Never) })
    }

    pub(super) fn open_post(&self, payload: &Bytes) -> Result<Fit, ApiError> {
        self.check_size(payload)?;
        let mut post = self.post_in_clear(payload)?;
        post.insert("type".into(), json!("post"));
        let body = Value::Object(post).to_string().into();
        Ok(Fit::of(None, Class::Door, EventKind::Post, body, Once::Never))
    }

    /// The fields of a post that the box can read; its text is the `content`.
    fn post_in_clear(&self, payload: &Bytes) -> Result<Map<String, Value>, ApiError> {
        let text = std::str::from_utf8(payload).map_err(|_| bad_event(EventError::NotText))?;
        let mut map = Map::new();
        match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(given)) if given.get("text").is_some_and(Value::is_string) => {
                let limits = &self.limits;
                for (key, chars_max, or_number) in [
                    ("title", limits.post_title_chars_max, false),
                    ("icon", limits.post_icon_chars_max, false),
                    ("priority", limits.post_icon_chars_max, true),
                    ("at", limits.post_icon_chars_max, true),
                ] {
                    let Some(value) = given.get(key).filter(|value| !value.is_null()) else {
                        continue;
                    };
                    let short = value.as_str().map(|text| text.chars().count() <= chars_max);
                    if !short.unwrap_or(or_number && value.is_number()) {
                        return Err(bad(
                            "bad_event",
                            format!("a post's `{key}` is a text of at most {chars_max} characters"),
                        ));
                    }
                    map.insert(key.into(), value.clone());
                }
                map.insert("content".into(), given["text"].clone());
            }
            _ => drop(map.insert("content".into(), json!(text.trim_end_matches('\n')))),
        }
        let content = map["content"].as_str().unwrap_or_default();
        Event::message(content).check(&self.limits).map_err(bad_event)?;
        Ok(map)
    }

    fn check_size(&self, payload: &Bytes) -> Result<(), ApiError> {
        let (bytes, max) = (payload.len(), self.limits.event_bytes_max);
        if bytes > max { Err(bad_event(EventError::TooLarge { bytes, max })) } else { Ok(()) }
    }
}

/// Whether bytes begin like an age file, raw or armored.
pub fn looks_like_age(bytes: &[u8]) -> bool {
    bytes.starts_with(b"age-encryption.org/v1\n")
        || bytes.trim_ascii_start().starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----")
}

#[cfg(test)]
mod tests {
    use hearth_protocol::ids::DeviceId;
    use hearth_protocol::limits::Limits;
    use hearth_protocol::role::HouseRole;

    use super::*;
    use crate::testing::sealed::Keyed;
    use crate::testing::{House, Person};

    /// A device of anna's sealed room for which the box seals, and its door's identity.
    async fn boiler(
        house: &House,
        anna: &Keyed,
    ) -> (Person, hearth_protocol::sealing::AgeIdentity) {
        let (room, first) = house.sealed_room(anna).await;
        let device = DeviceId::from_bytes([4; 16]);
        let door = door::identity(&first.keys, device).unwrap();
        // Whatever epoch it says that made it: the box knows recipients only.
        let doors = vec![(device, door.recipient(), 2)];
        let next = first.changed(&[anna], |header| header.doors = doors);
        let new = json!({ "id": device, "name": "boiler", "bundle": next.b64u(), "plain": "seal" });
        let path = format!("/api/rooms/{room}/devices");
        let made = house.post(&path, &anna.person, new).await.is(201);
        let token = made["token"].as_str().unwrap().to_string();
        (Person { token, ..anna.person.clone() }, door)
    }

    #[tokio::test]
    async fn a_post_in_clear_is_sealed_with_the_word_that_the_box_saw_it_once_its_turn_came() {
        let limits = Limits { posts_per_60_s: 1, message_chars_max: 20_000, ..Limits::default() };
        let house = House::with(limits).await;
        let anna = house.keyed("anna", HouseRole::Owner).await;
        let (boiler, door) = boiler(&house, &anna).await;
        let post = |body: Vec<u8>| {
            let (house, boiler) = (&house, &boiler);
            async move { house.send("POST", "/api/door", boiler, &[], &body).await }
        };
        let said = json!({ "text": "61 \u{b0}C", "title": "Boiler", "box": false, "more": 1 });
        let id = post(said.to_string().into()).await.is(201)["id"].as_str().unwrap().to_string();
        let event = house.app.store.event(id.parse().unwrap()).await.unwrap().unwrap();
        let opened = door::open(&event.body, &door).unwrap();
        let told = json!({ "text": "61 \u{b0}C", "title": "Boiler", "box": true });
        assert_eq!(serde_json::from_slice::<Value>(&opened).unwrap(), told);
        // What does not fit once it is sealed: nobody tried while it was too fast.
        let large = vec![2; 20_000];
        assert_eq!(post(large.clone()).await.code(), "too_fast");
        house.later(60_000);
        let refused = post(large).await;
        assert_eq!((refused.status, &*refused.code()), (413, "bad_event"));
    }

    #[tokio::test]
    async fn an_age_file_that_names_many_is_refused() {
        let house = House::new().await;
        let anna = house.keyed("anna", HouseRole::Owner).await;
        let (boiler, door) = boiler(&house, &anna).await;
        let send = |body: Vec<u8>| {
            let (house, boiler) = (&house, &boiler);
            async move { house.send("POST", "/api/door", boiler, &[], &body).await }
        };
        let file = door::seal(b"61 \xc2\xb0C", door.recipient()).unwrap();
        send(file).await.is(201);
        let header = |stanzas: usize| {
            let stanzas = "-> a\n\n".repeat(stanzas);
            format!("age-encryption.org/v1\n{stanzas}--- mac\n").into_bytes()
        };
        send(header(100)).await.is(201);
        for long in [header(200), header(10_000), b"age-encryption.org/v1\n-> a\n".to_vec()] {
            assert_eq!(send(long).await.code(), "bad_event");
        }
    }
}
