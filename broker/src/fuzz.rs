//! What the fuzz targets in `tests/fuzz` need of the broker's inside; built with the feature
//! `fuzz` only, which is no part of the broker's interface.

use std::sync::Arc;

use bytes::BytesMut;
use hearth_protocol::limits::Limits;

use crate::broker::Broker;
use crate::bus::Bus;
use crate::bus::ring::Ring;
use crate::gate::Version;
use crate::hub::Hub;
use crate::session::wire::{Opening, Wire, opening};

/// Bytes of the largest packet: small, so that the bound is met.
const PACKET_BYTES_MAX: usize = 1_024;

/// Events that the bus of such a broker remembers.
const RING_EVENTS: usize = 8;

/// A broker whose bus is no thread of its own: a script plays alike each time, and thousands of
/// brokers in a row leave nothing behind.
pub fn broker(limits: Arc<Limits>) -> Broker {
    let start = || Ok(Arc::new(Ring::new(RING_EVENTS)) as Arc<dyn Bus>);
    Broker::over(Hub::with_bus(limits, Box::new(start)))
}

/// The packets that a client's bytes are, as text, and how the reading ended. The bytes come in
/// pieces of `cut`.
pub fn decode(version: Version, bytes: &[u8], cut: usize) -> (Vec<String>, String) {
    let (mut wire, mut packets) = (Wire::new(version, PACKET_BYTES_MAX), Vec::new());
    let mut input = BytesMut::new();
    for piece in bytes.chunks(cut) {
        input.extend_from_slice(piece);
        loop {
            match wire.decode(&mut input) {
                Ok(Some(packet)) => packets.push(format!("{packet:?}")),
                Ok(None) => break,
                Err(reason) => return (packets, format!("{reason:?}")),
            }
        }
    }
    (packets, "open".to_string())
}

/// What the first bytes of a connection are, as text.
pub fn first(bytes: &[u8]) -> String {
    let found: Opening = opening(&mut BytesMut::from(bytes));
    format!("{found:?}")
}
