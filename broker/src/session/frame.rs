//! PUBLISH to a client, written by hand: the packet that a broker writes most.

use std::collections::HashMap;

use bytes::{BufMut, Bytes, BytesMut};
use bytestring::ByteString;

use crate::gate::{Properties, Qos, Version};
use crate::message::copy;

/// A PUBLISH about to be sent.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub topic: &'a ByteString,
    pub payload: &'a Bytes,
    pub qos: Qos,
    pub retain: bool,
    pub dup: bool,
    /// Needed above QoS 0.
    pub id: Option<u16>,
    pub properties: &'a Properties,
    /// The message expiry that is left.
    pub expiry_s: Option<u32>,
    pub ids: &'a [u32],
}

/// A packet is larger than the client takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// Writes frames as one client takes them.
#[derive(Debug)]
pub(crate) struct Framer {
    version: Version,
    packet_max: usize,
    alias_max: u16,
    aliases: HashMap<ByteString, u16>,
}

/// The most that a variable byte integer can say (MQTT 5 §1.5.5).
const REMAINING_MAX: usize = 268_435_455;

impl Framer {
    pub fn new(version: Version, packet_max: Option<u32>, alias_max: u16) -> Framer {
        let packet_max =
            packet_max.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX));
        Framer { version, packet_max, alias_max, aliases: HashMap::new() }
    }

    /// Appends a PUBLISH.
    pub fn write(&mut self, frame: &Frame<'_>, out: &mut BytesMut) -> Result<(), TooLarge> {
        let known = self.aliases.get(frame.topic).copied();
        let fresh = match known {
            None if self.aliases.len() < usize::from(self.alias_max) => {
                // Fewer aliases than a u16 holds: the conversion cannot fail.
                u16::try_from(self.aliases.len() + 1).ok()
            }
            _ => None,
        };
        let alias = known.or(fresh);
        let topic = if known.is_some() { "" } else { &**frame.topic };
        let properties = match self.version {
            Version::V3 => None,
            Version::V5 => Some(properties_len(frame, alias)),
        };
        let id_len = if frame.id.is_some() { 2 } else { 0 };
        let properties_len = properties.map_or(0, |len| varint_len(len) + len);
        let remaining = 2 + topic.len() + id_len + properties_len + frame.payload.len();
        if remaining > REMAINING_MAX || 1 + varint_len(remaining) + remaining > self.packet_max {
            return Err(TooLarge);
        }
        if let Some(alias) = fresh {
            self.aliases.insert(copy(frame.topic), alias);
        }
        out.reserve(5 + remaining);
        let qos = match frame.qos {
            Qos::AtMostOnce => 0,
            Qos::AtLeastOnce => 0b010,
            Qos::ExactlyOnce => 0b100,
        };
        out.put_u8(0x30 | u8::from(frame.dup) << 3 | qos | u8::from(frame.retain));
        put_varint(out, remaining);
        put_text(out, topic.as_bytes());
        if let Some(id) = frame.id {
            out.put_u16(id);
        }
        if let Some(len) = properties {
            put_varint(out, len);
            put_properties(out, frame, alias);
        }
        out.put_slice(frame.payload);
        Ok(())
    }
}

fn properties_len(frame: &Frame<'_>, alias: Option<u16>) -> usize {
    let text = |text: &Option<ByteString>| text.as_ref().map_or(0, |text| 3 + text.len());
    let properties = frame.properties;
    let pair = |(key, value): &(ByteString, ByteString)| 5 + key.len() + value.len();
    alias.map_or(0, |_| 3)
        + frame.expiry_s.map_or(0, |_| 5)
        + if properties.utf8 { 2 } else { 0 }
        + text(&properties.content_type)
        + text(&properties.response_topic)
        + properties.correlation.as_ref().map_or(0, |data| 3 + data.len())
        + frame.ids.iter().map(|id| 1 + varint_len(wide(*id))).sum::<usize>()
        + properties.user.iter().map(pair).sum::<usize>()
}

fn put_properties(out: &mut BytesMut, frame: &Frame<'_>, alias: Option<u16>) {
    let properties = frame.properties;
    if properties.utf8 {
        out.put_slice(&[0x01, 1]);
    }
    if let Some(expiry_s) = frame.expiry_s {
        out.put_u8(0x02);
        out.put_u32(expiry_s);
    }
    if let Some(text) = &properties.content_type {
        out.put_u8(0x03);
        put_text(out, text.as_bytes());
    }
    if let Some(text) = &properties.response_topic {
        out.put_u8(0x08);
        put_text(out, text.as_bytes());
    }
    if let Some(data) = &properties.correlation {
        out.put_u8(0x09);
        put_text(out, data);
    }
    for id in frame.ids {
        out.put_u8(0x0B);
        put_varint(out, wide(*id));
    }
    if let Some(alias) = alias {
        out.put_u8(0x23);
        out.put_u16(alias);
    }
    for (key, value) in &properties.user {
        out.put_u8(0x26);
        put_text(out, key.as_bytes());
        put_text(out, value.as_bytes());
    }
}

fn wide(id: u32) -> usize {
    usize::try_from(id).unwrap_or(REMAINING_MAX)
}

const fn varint_len(value: usize) -> usize {
    match value {
        0..=127 => 1,
        128..=16_383 => 2,
        16_384..=2_097_151 => 3,
        _ => 4,
    }
}

fn put_varint(out: &mut BytesMut, mut value: usize) {
    loop {
        // Seven bits always fit a byte.
        let byte = u8::try_from(value & 0x7F).unwrap_or_default();
        value >>= 7;
        if value == 0 {
            return out.put_u8(byte);
        }
        out.put_u8(byte | 0x80);
    }
}

/// Texts came in with a length of two bytes, so they fit one.
fn put_text(out: &mut BytesMut, text: &[u8]) {
    out.put_u16(u16::try_from(text.len()).unwrap_or(u16::MAX));
    out.put_slice(text);
}
