//! A message expiry interval of 0 (MQTT 5 §3.3.2.3.3): legal, and an error to the codec.

/// A variable byte integer at a place, with its own length (§1.5.5).
fn varint(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut value = 0;
    for (place, byte) in bytes.get(at..)?.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((value, place + 1));
        }
    }
    None
}

/// How long the first packet is, fixed header included, if that much is there to tell.
pub(super) fn packet_len(input: &[u8]) -> Option<usize> {
    varint(input, 1).map(|(remaining, len)| 1 + len + remaining)
}

/// If a whole packet is a PUBLISH, or a CONNECT with a will, that expires at once: makes it 1 s
/// for the codec.
pub(super) fn patch(packet: &mut [u8]) -> bool {
    let zero = find(packet).and_then(|at| packet.get_mut(at..at + 4)).filter(|z| **z == [0; 4]);
    zero.map(|bytes| bytes[3] = 1).is_some()
}

/// Where a packet has its message expiry interval.
fn find(packet: &[u8]) -> Option<usize> {
    let first = packet.first()?;
    let start = 1 + varint(packet, 1)?.1;
    match first >> 4 {
        1 => expiry(packet, will_properties(packet, start)?),
        3 => {
            let id_len = if first & 0b110 == 0 { 0 } else { 2 };
            expiry(packet, start + text(packet, start)? + id_len)
        }
        _ => None,
    }
}

/// Where a CONNECT has the properties of its will, if it has one (§3.1.2, §3.1.3).
fn will_properties(packet: &[u8], start: usize) -> Option<usize> {
    let flags = start + text(packet, start)? + 1;
    packet.get(flags).filter(|flags| **flags & 0b100 != 0)?;
    let (len, len_len) = varint(packet, flags + 3)?;
    let client_id = flags + 3 + len_len + len;
    Some(client_id + text(packet, client_id)?)
}

/// Where properties that begin at a place have a message expiry interval.
fn expiry(packet: &[u8], properties: usize) -> Option<usize> {
    let (len, len_len) = varint(packet, properties)?;
    let mut at = properties + len_len;
    let end = at + len;
    while at < end {
        let (kind, value) = (packet.get(at)?, at + 1);
        at = value
            + match kind {
                0x01 => 1,
                0x02 => return Some(value),
                0x03 | 0x08 | 0x09 => text(packet, value)?,
                0x0B => varint(packet, value)?.1,
                0x18 => 4,
                0x23 => 2,
                0x26 => {
                    let name = text(packet, value)?;
                    name + text(packet, value + name)?
                }
                _ => return None,
            };
    }
    None
}

/// How long a text or binary data at a place is, its own length included.
fn text(packet: &[u8], at: usize) -> Option<usize> {
    let len = packet.get(at..at + 2)?.try_into().ok()?;
    Some(2 + usize::from(u16::from_be_bytes(len)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A CONNECT with these properties of its will, and the same without a will.
    #[track_caller]
    fn will(properties: &[u8], expected: bool) {
        let len = [u8::try_from(properties.len()).unwrap()];
        for flags in [0b110, 0b10] {
            let head = [&b"\0\x04MQTT\x05"[..], &[flags], b"\0\x3c\x05\x11\0\0\0\x0a\0\x02id"];
            let body = [&head.concat()[..], &len, properties, b"\0\x01t\0\x01w"].concat();
            let mut packet = vec![0x10, u8::try_from(body.len()).unwrap()];
            packet.extend(&body);
            assert_eq!(patch(&mut packet), expected && flags & 0b100 != 0);
        }
    }

    #[test]
    fn only_a_publish_that_expires_at_once_is_changed() {
        let before = b"\x01\x01\x03\x00\x01c\x26\x00\x01k\x00\x02vv\x0B\x80\x01\x23\x00\x01";
        for (interval, expected) in [(&b"\0\0\0\0"[..], true), (b"\0\0\0\x02", false)] {
            for (first, id) in [(0x30, &b""[..]), (0x32, b"\x00\x07")] {
                let properties = [&before[..], b"\x02", interval].concat();
                let len = [u8::try_from(properties.len()).unwrap()];
                let body = [b"\x00\x01t", id, &len, &properties, b"payload"].concat();
                let mut packet = vec![first, u8::try_from(body.len()).unwrap()];
                packet.extend(&body);
                let mut other = packet.clone();
                other[0] = 0x10;
                assert_eq!(packet_len(&packet), Some(packet.len()));
                assert_eq!(patch(&mut packet), expected);
                assert!(!patch(&mut other), "no PUBLISH");
                let at = packet.len() - b"payload".len() - 1;
                assert_eq!(packet[at], if expected { 1 } else { 2 });
                for cut in 0..at {
                    assert!(!patch(&mut packet[..cut].to_vec()), "cut at {cut}");
                }
            }
        }
        will(b"\x18\0\0\0\x09\x02\0\0\0\0", true);
        will(b"\x02\0\0\0\0", true);
        will(b"\x02\0\0\0\x05", false);
        will(b"\x18\0\0\0\0", false);
        assert_eq!(packet_len(b"\x30\x80\x80\x80\x80\x01"), None);
        assert_eq!(packet_len(b"\x30"), None);
    }
}
