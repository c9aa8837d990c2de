//! What a device's door takes: an age file in a sealed room, text in an open one.

use bytes::Bytes;
use hearth_protocol::event::{Class, Event, EventError};
use hearth_protocol::sealing::kdf::sha256;
use hearth_store::{EventKind, Once};
use serde_json::{Map, Value, json};

use super::{Fit, SAME_POST_MS, bad, bad_event};
use crate::app::App;
use crate::error::ApiError;

impl App {
    pub(super) fn sealed_post(&self, payload: &Bytes) -> Result<Fit, ApiError> {
        self.check_size(payload)?;
        let looks_like_age = payload.starts_with(b"age-encryption.org/v1\n")
            || payload.trim_ascii_start().starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----");
        if !looks_like_age {
            return Err(bad("not_sealed", "this room is sealed: the post must be an age file")
                .hint("pipe it through `age -r age1…` as the device's page shows"));
        }
        let once = Once::Hash { sha256: sha256(payload), within_ms: SAME_POST_MS };
        Ok(Fit::of(None, Class::Door, EventKind::Post, payload.clone(), once))
    }

    pub(super) fn open_post(&self, payload: &Bytes) -> Result<Fit, ApiError> {
        self.check_size(payload)?;
        let text = std::str::from_utf8(payload).map_err(|_| bad_event(EventError::NotText))?;
        let mut map = Map::from_iter([("type".to_string(), json!("post"))]);
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
        let body = Value::Object(map).to_string().into();
        Ok(Fit::of(None, Class::Door, EventKind::Post, body, Once::Never))
    }

    fn check_size(&self, payload: &Bytes) -> Result<(), ApiError> {
        let (bytes, max) = (payload.len(), self.limits.event_bytes_max);
        if bytes > max { Err(bad_event(EventError::TooLarge { bytes, max })) } else { Ok(()) }
    }
}
