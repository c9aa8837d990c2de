//! A message on its way through the broker.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use tokio::time::Instant;

use crate::gate::{Properties, Qos};
use crate::load::Weight;
use crate::shelf::writer::{NOTHING, Ticket};

/// Who publishes when it is not a session: no-local never holds it back.
pub(crate) const APPLIANCE: u64 = 0;

/// A publish, shared by all who get it.
#[derive(Debug)]
pub(crate) struct Message {
    pub topic: ByteString,
    pub payload: Bytes,
    pub qos: Qos,
    pub retain: bool,
    pub properties: Properties,
    /// When it is of no use any more (MQTT 5 §3.3.2.3.3).
    pub expires: Option<Instant>,
    /// The number of the session that published it.
    pub from: u64,
}

impl Message {
    /// Bytes it holds, roughly: what queues are bounded by.
    pub fn size(&self) -> usize {
        self.topic.len() + self.payload.len() + size(&self.properties) + 16
    }

    /// The message expiry that is left, in whole seconds rounded up; `Err` when it is over.
    pub fn expiry_left(&self, now: Instant) -> Result<Option<u32>, Expired> {
        let Some(at) = self.expires else { return Ok(None) };
        let left = at.checked_duration_since(now).filter(|left| !left.is_zero()).ok_or(Expired)?;
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        Ok(Some(u32::try_from(seconds).unwrap_or(u32::MAX)))
    }
}

/// The message expiry interval has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expired;

/// When a message with this expiry interval expires.
pub(crate) fn expires(properties: &Properties, now: Instant) -> Option<Instant> {
    now.checked_add(Duration::from_secs(u64::from(properties.expiry_s?)))
}

/// Copies a topic and a payload out of the buffer they were read into, in one piece, so that a
/// message that waits does not hold a whole read buffer.
pub(crate) fn detach(topic: &ByteString, payload: &Bytes) -> (ByteString, Bytes) {
    let mut both = BytesMut::with_capacity(topic.len() + payload.len());
    both.extend_from_slice(topic.as_bytes());
    both.extend_from_slice(payload);
    let mut name = both.freeze();
    let payload = name.split_off(topic.len());
    // The same bytes were UTF-8 a line ago; a copy of the topic would do as well.
    (ByteString::try_from(name).unwrap_or_else(|_| topic.clone()), payload)
}

/// Bytes that properties hold. A pair of empty texts is small on the wire and not in memory.
fn size(properties: &Properties) -> usize {
    let text = |text: &Option<ByteString>| text.as_ref().map_or(0, |text| text.len());
    let pair = |(key, value): &(ByteString, ByteString)| {
        key.len() + value.len() + size_of::<(ByteString, ByteString)>()
    };
    text(&properties.content_type)
        + text(&properties.response_topic)
        + properties.correlation.as_ref().map_or(0, Bytes::len)
        + properties.user.iter().map(pair).sum::<usize>()
}

/// Copies properties out of the buffer they were read into, as [`detach`] does.
pub(crate) fn detach_properties(properties: Properties) -> Properties {
    Properties {
        content_type: properties.content_type.as_ref().map(copy),
        response_topic: properties.response_topic.as_ref().map(copy),
        correlation: properties.correlation.map(|data| Bytes::copy_from_slice(&data)),
        user: properties.user.iter().map(|(key, value)| (copy(key), copy(value))).collect(),
        ..properties
    }
}

/// A text of its own: one that is kept must not keep what it came with.
pub(crate) fn copy(text: &ByteString) -> ByteString {
    ByteString::from(&**text)
}

/// A message for one session.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub message: Arc<Message>,
    /// The lower of the publish's and the subscription's QoS.
    pub qos: Qos,
    /// The RETAIN flag it is sent with.
    pub retain: bool,
    /// The subscription identifiers that matched.
    pub ids: Vec<u32>,
    /// The `$share/NAME/FILTER` it came by: if this session cannot deliver it, another may.
    pub shared: Option<ByteString>,
    /// Its place on the shelf, if it lies there.
    pub place: Option<u64>,
    /// The shelf's batch that it waits for: what was sent and then lost with a crash would leave
    /// its packet id to another message.
    pub ticket: Ticket,
    /// It may have been sent before the broker was restarted.
    pub again: bool,
    /// What it counts for on its way.
    pub weight: Weight,
}

impl Delivery {
    /// A delivery that lies on no shelf yet.
    pub fn new(message: Arc<Message>, qos: Qos, retain: bool, ids: Vec<u32>) -> Delivery {
        let (shared, place, weight) = (None, None, Weight::default());
        Delivery { message, qos, retain, ids, shared, place, ticket: NOTHING, again: false, weight }
    }

    /// Whether another session may get it instead of this one, which did not send it on this
    /// connection: not what may have arrived once at QoS 2 (MQTT 5 §4.8.2).
    pub fn may_go_elsewhere(&self) -> bool {
        !(self.again && self.qos == Qos::ExactlyOnce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_detached_keeps_nothing_of_the_buffer_it_came_from() {
        let buffer = Bytes::from(b"text".repeat(1_000));
        let piece = |at: usize| ByteString::try_from(buffer.slice(at..at + 4)).unwrap();
        let properties = Properties {
            expiry_s: Some(1),
            utf8: true,
            content_type: Some(piece(0)),
            response_topic: Some(piece(4)),
            correlation: Some(buffer.slice(8..12)),
            user: vec![(piece(12), piece(16))],
        };
        let kept = detach_properties(properties.clone());
        assert_eq!(kept, properties);
        assert_eq!(size(&kept), 20 + size_of::<(ByteString, ByteString)>());
        let (topic, payload) = detach(&piece(0), &buffer.slice(4..8));
        drop(properties);
        assert!(buffer.is_unique(), "something still holds it");
        assert_eq!((&*topic, &*payload), ("text", &b"text"[..]));
    }

    #[tokio::test(start_paused = true)]
    async fn expiry_counts_down_in_seconds_rounded_up() {
        let properties = Properties { expiry_s: Some(10), ..Properties::default() };
        let start = Instant::now();
        let message = Message {
            topic: "a".into(),
            payload: Bytes::new(),
            qos: Qos::AtMostOnce,
            retain: false,
            expires: expires(&properties, start),
            properties,
            from: APPLIANCE,
        };
        let after = |ms| message.expiry_left(start + Duration::from_millis(ms));
        assert_eq!(after(0), Ok(Some(10)));
        assert_eq!(after(1), Ok(Some(10)));
        assert_eq!(after(9_001), Ok(Some(1)));
        assert_eq!(after(10_000), Err(Expired));
    }
}
