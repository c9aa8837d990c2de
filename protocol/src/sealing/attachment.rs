//! Attachments of sealed rooms (sealing.md §7): an age file each, to an identity of its own, which
//! stands with the file's hash in the message that shows it.

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::{AgeIdentity, Hash, SealingError, agefile};

const WHAT: &str = "the attachment";

/// What a message says of one of its attachments, as far as it is needed to open it.
#[derive(Debug, Clone, Deserialize)]
pub struct AttachmentSeal {
    /// `AGE-SECRET-KEY-1…`, of this file alone.
    #[serde(deserialize_with = "identity")]
    pub identity: AgeIdentity,
    /// SHA-256 of the age file.
    pub sha256: Hash,
}

fn identity<'de, D: Deserializer<'de>>(from: D) -> Result<AgeIdentity, D::Error> {
    Zeroizing::new(String::deserialize(from)?).parse().map_err(serde::de::Error::custom)
}

impl AttachmentSeal {
    /// Opens the age file that the message names, and no other; at most `max` bytes come out.
    pub fn open(&self, file: &[u8], max: usize) -> Result<Zeroizing<Vec<u8>>, SealingError> {
        if Hash::of(file) != self.sha256 {
            let problem = "it is not the file that its message names".to_string();
            return Err(SealingError::Age { what: WHAT, problem });
        }
        agefile::open(WHAT, &self.identity, file, max)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Secret;
    use super::*;

    #[test]
    fn the_file_that_a_message_names_opens_and_no_other() {
        let one = AgeIdentity::from_scalar(&Secret::from_bytes([1; 32])).unwrap();
        let file = agefile::seal("it", &[one.recipient()], b"a cat").unwrap();
        let named = |file: &[u8]| {
            let value = json!({ "id": "x", "identity": *one.to_text(), "sha256": Hash::of(file) });
            serde_json::from_value::<AttachmentSeal>(value).unwrap()
        };
        let seal = named(&file);
        assert_eq!(seal.open(&file, 5).unwrap().as_slice(), b"a cat");
        assert!(matches!(seal.open(&file, 4), Err(SealingError::TooLarge { max: 4, .. })));
        let again = agefile::seal("it", &[one.recipient()], b"a cat").unwrap();
        assert!(matches!(seal.open(&again, 5), Err(SealingError::Age { .. })));
        let other = AgeIdentity::from_scalar(&Secret::from_bytes([2; 32])).unwrap();
        let foreign = agefile::seal("it", &[other.recipient()], b"a cat").unwrap();
        assert!(matches!(named(&foreign).open(&foreign, 5), Err(SealingError::Age { .. })));
        for bad in [json!({}), json!({ "identity": "x", "sha256": Hash::ZERO })] {
            assert!(serde_json::from_value::<AttachmentSeal>(bad).is_err());
        }
    }
}
