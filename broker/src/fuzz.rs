//! What the fuzz targets in `tests/fuzz` need of the broker's inside; built with the feature
//! `fuzz` only, which is no part of the broker's interface.

use bytes::BytesMut;

use crate::gate::Version;
use crate::session::wire::{Opening, Wire, opening};

/// Bytes of the largest packet: small, so that the bound is met.
const PACKET_BYTES_MAX: usize = 1_024;

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
