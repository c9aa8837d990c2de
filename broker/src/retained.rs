//! Retained messages: the last value of a topic (MQTT 5 §3.3.1.3).

use std::collections::HashMap;
use std::sync::Arc;

use bytestring::ByteString;
use hearth_protocol::topic::{PREFIX, SYS_PREFIX, matches};
use tokio::time::Instant;

use crate::message::Message;

/// All retained messages, bounded outside Hearth's own topics, which the appliance writes.
#[derive(Debug)]
pub(crate) struct Retained {
    messages: HashMap<ByteString, Arc<Message>>,
    /// How many of them are not Hearth's.
    plain: usize,
    plain_max: usize,
}

/// There is no room for one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// Whether a topic is not Hearth's own.
pub(crate) fn is_plain(topic: &str) -> bool {
    !topic.starts_with(PREFIX) && !topic.starts_with(SYS_PREFIX)
}

impl Retained {
    pub fn new(plain_max: usize) -> Retained {
        Retained { messages: HashMap::new(), plain: 0, plain_max }
    }

    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Keeps a message; an empty one clears its topic. Whether anything is another than before.
    pub fn set(&mut self, message: &Arc<Message>, now: Instant) -> Result<bool, Full> {
        let plain = usize::from(is_plain(&message.topic));
        if message.payload.is_empty() {
            let cleared = self.messages.remove(&message.topic).is_some();
            if cleared {
                self.plain -= plain;
            }
            return Ok(cleared);
        }
        let fresh = !self.messages.contains_key(&message.topic);
        if fresh && plain == 1 && self.plain >= self.plain_max {
            self.forget_expired(now);
            if self.plain >= self.plain_max {
                return Err(Full);
            }
        }
        if fresh {
            self.plain += plain;
        }
        self.messages.insert(message.topic.clone(), Arc::clone(message));
        Ok(true)
    }

    fn forget_expired(&mut self, now: Instant) {
        self.messages.retain(|_, message| message.expiry_left(now).is_ok());
        self.plain = self.messages.keys().filter(|topic| is_plain(topic)).count();
    }

    /// The retained messages under a filter.
    pub fn matching(&self, filter: &str) -> Vec<Arc<Message>> {
        if !filter.contains(['+', '#']) {
            return self.messages.get(filter).cloned().into_iter().collect();
        }
        let under = |message: &&Arc<Message>| matches(filter, &message.topic);
        self.messages.values().filter(under).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{Properties, Qos};
    use crate::message::{APPLIANCE, expires};
    use std::time::Duration;

    fn message(topic: &str, payload: &str, expiry_s: Option<u32>, now: Instant) -> Arc<Message> {
        let properties = Properties { expiry_s, ..Properties::default() };
        Arc::new(Message {
            topic: topic.into(),
            payload: payload.to_string().into(),
            qos: Qos::AtMostOnce,
            retain: true,
            expires: expires(&properties, now),
            properties,
            from: APPLIANCE,
        })
    }

    #[tokio::test(start_paused = true)]
    async fn plain_topics_are_bounded_and_hearths_are_not() {
        let now = Instant::now();
        let mut retained = Retained::new(1);
        assert_eq!(retained.set(&message("a", "1", Some(5), now), now), Ok(true));
        assert_eq!(retained.set(&message("a", "2", Some(5), now), now), Ok(true));
        assert_eq!(retained.set(&message("b", "1", None, now), now), Err(Full));
        assert_eq!(retained.set(&message("hearth/status", "1", None, now), now), Ok(true));
        let later = now + Duration::from_secs(5);
        assert_eq!(retained.set(&message("b", "1", None, later), later), Ok(true));
        assert_eq!(retained.set(&message("b", "", None, later), later), Ok(true));
        assert_eq!(retained.set(&message("c", "1", None, later), later), Ok(true));
        assert_eq!(retained.len(), 2);
        assert_eq!(retained.matching("+").len(), 1);
        assert_eq!(retained.matching("hearth/#").len(), 1);
    }
}
