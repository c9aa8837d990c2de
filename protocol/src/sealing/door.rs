//! A device's door: the keys its posts are sealed to, derived from an epoch's secret, so that every
//! member can open them (sealing.md §5).

use zeroize::Zeroizing;

use super::epoch::EpochKeys;
use super::{AgeIdentity, Recipient, SealingError, agefile, kdf};
use crate::ids::DeviceId;

const WHAT: &str = "a door post";
/// Bytes of a post, sealed or opened, as `Limits::event_bytes_max` has by default.
pub const POST_MAX: usize = 64 * 1024;
/// Bytes of a post's header: the door and a few more to whom it is sealed (decision 0061).
pub const HEADER_MAX: usize = 1_024;

/// The door of a device in the epoch that made it: HKDF(S, room, ctx("hearth/v1/door", device)).
pub fn identity(keys: &EpochKeys, device: DeviceId) -> Result<AgeIdentity, SealingError> {
    let info = kdf::ctx("hearth/v1/door", &[device.as_bytes()]);
    let scalar = kdf::hkdf(keys.secret.as_bytes(), keys.room.as_bytes(), &info);
    AgeIdentity::from_scalar(&scalar)
}

/// Whether a post, raw or armored, names few to whom it is sealed: each of them costs every reader
/// an agreement of keys, for each door that the device ever had.
pub fn has_short_header(post: &[u8]) -> bool {
    agefile::header_ends_within(post, HEADER_MAX)
}

/// Opens a post, raw or armored.
pub fn open(post: &[u8], door: &AgeIdentity) -> Result<Zeroizing<Vec<u8>>, SealingError> {
    within(post.len())?;
    if !has_short_header(post) {
        return Err(SealingError::Age { what: WHAT, problem: "its header is too long".into() });
    }
    agefile::open(WHAT, door, post, POST_MAX)
}

/// Seals a post as a device does with `age -r`.
pub fn seal(plaintext: &[u8], door: Recipient) -> Result<Vec<u8>, SealingError> {
    let post = agefile::seal(WHAT, &[door], plaintext)?;
    within(post.len())?;
    Ok(post)
}

fn within(bytes: usize) -> Result<(), SealingError> {
    let max = POST_MAX;
    if bytes > max { Err(SealingError::TooLarge { what: WHAT, bytes, max }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::Secret;
    use super::*;
    use crate::ids::RoomId;

    fn keys(room: u8, secret: u8) -> EpochKeys {
        EpochKeys::new(RoomId::new(1, [room; 10]), Secret::from_bytes([secret; 32]))
    }

    #[test]
    fn a_door_is_of_one_device_in_one_room_and_epoch() {
        let device = |byte| DeviceId::new(1, [byte; 10]);
        let door = identity(&keys(1, 1), device(1)).unwrap();
        let post = seal(b"Washing done\n", door.recipient()).unwrap();
        let again = identity(&keys(1, 1), device(1)).unwrap();
        assert_eq!(open(&post, &again).unwrap().as_slice(), b"Washing done\n");
        for (keys, device) in
            [(keys(2, 1), device(1)), (keys(1, 2), device(1)), (keys(1, 1), device(2))]
        {
            let other = identity(&keys, device).unwrap();
            assert!(matches!(open(&post, &other), Err(SealingError::Age { .. })));
        }
    }

    #[test]
    fn a_post_that_names_many_is_not_tried() {
        let door = identity(&keys(1, 1), DeviceId::new(1, [1; 10])).unwrap();
        let others =
            |count: u8| (0..count).map(|n| identity(&keys(2, n), DeviceId::new(1, [1; 10])));
        let post = |count: u8| {
            let others = others(count).map(|one| one.unwrap().recipient());
            let to: Vec<_> = std::iter::once(door.recipient()).chain(others).collect();
            let file = agefile::seal(WHAT, &to, b"Washing done\n").unwrap();
            let mut armored = vec![];
            let format = age::armor::Format::AsciiArmor;
            let mut armor = age::armor::ArmoredWriter::wrap_output(&mut armored, format).unwrap();
            std::io::Write::write_all(&mut armor, &file).unwrap();
            armor.finish().unwrap();
            [file, armored]
        };
        // The age library adds a stanza of its own, of up to 210 bytes.
        for good in post(0).into_iter().chain(post(6)) {
            assert_eq!(open(&good, &door).unwrap().as_slice(), b"Washing done\n");
        }
        for bad in post(10).into_iter().chain(post(200)) {
            assert!(!has_short_header(&bad));
            assert!(matches!(open(&bad, &door), Err(SealingError::Age { .. })));
        }
        let mut edge =
            [b"age-encryption.org/v1\n", &[b'a'; HEADER_MAX - 26][..], b"\n---"].concat();
        assert_eq!((edge.len(), has_short_header(&edge)), (HEADER_MAX, true));
        edge.insert(30, b'a');
        assert!(!has_short_header(&edge));
        assert!(!has_short_header(b"") && !has_short_header(b"-----BEGIN AGE ENCRYPTED FILE-----"));
    }

    #[test]
    fn a_post_beyond_64_kib_is_neither_made_nor_opened() {
        let door = identity(&keys(1, 1), DeviceId::new(1, [1; 10])).unwrap();
        let long = [b'a'; POST_MAX];
        assert!(matches!(seal(&long, door.recipient()), Err(SealingError::TooLarge { .. })));
        assert!(matches!(open(&[b'a'; POST_MAX + 1], &door), Err(SealingError::TooLarge { .. })));
    }
}
