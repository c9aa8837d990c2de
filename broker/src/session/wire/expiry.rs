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

/// If a whole packet is a PUBLISH that expires at once: makes it 1 s for the codec.
pub(super) fn patch(packet: &mut [u8]) -> bool {
    let zero = find(packet).and_then(|at| packet.get_mut(at..at + 4)).filter(|z| **z == [0; 4]);
    zero.map(|bytes| bytes[3] = 1).is_some()
}

/// Where a PUBLISH has its message expiry interval.
fn find(packet: &[u8]) -> Option<usize> {
    let flags = packet.first().filter(|first| *first >> 4 == 3)?;
    let text = |at: usize| {
        let len = packet.get(at..at + 2)?.try_into().ok()?;
        Some(2 + usize::from(u16::from_be_bytes(len)))
    };
    let topic = 1 + varint(packet, 1)?.1;
    let id_len = if flags & 0b110 == 0 { 0 } else { 2 };
    let properties = topic + text(topic)? + id_len;
    let (len, len_len) = varint(packet, properties)?;
    let mut at = properties + len_len;
    let end = at + len;
    while at < end {
        let (kind, value) = (packet.get(at)?, at + 1);
        at = value
            + match kind {
                0x01 => 1,
                0x02 => return Some(value),
                0x03 | 0x08 | 0x09 => text(value)?,
                0x0B => varint(packet, value)?.1,
                0x23 => 2,
                0x26 => text(value)? + text(value + text(value)?)?,
                _ => return None,
            };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(packet_len(b"\x30\x80\x80\x80\x80\x01"), None);
        assert_eq!(packet_len(b"\x30"), None);
    }
}
