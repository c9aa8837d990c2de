//! A message on its way through the broker.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use tokio::time::Instant;

use crate::gate::{Properties, Qos};
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
    /// Bytes it holds, roughly as on the wire.
    pub fn size(&self) -> usize {
        self.topic.len() + self.payload.len() + 16
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

/// A message for one session.
#[derive(Debug, Clone)]
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
}

impl Delivery {
    /// A delivery that lies on no shelf yet.
    pub fn new(message: Arc<Message>, qos: Qos, retain: bool, ids: Vec<u32>) -> Delivery {
        let (shared, place) = (None, None);
        Delivery { message, qos, retain, ids, shared, place, ticket: NOTHING, again: false }
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
