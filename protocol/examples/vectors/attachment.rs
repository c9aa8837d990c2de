//! The file attachment: files at the borders of age's pieces.

use hearth_protocol::bytes::b64u;
use hearth_protocol::sealing::{AgeIdentity, Hash, Secret, agefile};
use serde_json::{Value, json};

use crate::cases::Cases;

const PIECE: usize = 64 * 1024;
const OP: &str = "attachment_open";

struct File {
    identity: AgeIdentity,
    bytes: Vec<u8>,
}

impl File {
    fn of(size: usize, byte: u8) -> File {
        let identity = AgeIdentity::from_scalar(&Secret::from_bytes([byte; 32])).unwrap();
        let bytes = agefile::seal("it", &[identity.recipient()], &vec![7; size]).unwrap();
        File { identity, bytes }
    }

    fn input(&self) -> Value {
        self.other(&self.bytes)
    }

    /// Another file under the same identity, with its own hash.
    fn other(&self, bytes: &[u8]) -> Value {
        let hash = hex::encode(Hash::of(bytes).as_bytes());
        json!({ "identity": *self.identity.to_text(), "sha256": hash, "file": b64u(bytes) })
    }

    fn turned(&self, at: usize) -> Value {
        let mut bytes = self.bytes.clone();
        bytes[at] ^= 1;
        self.other(&bytes)
    }
}

pub fn attachment() -> Cases {
    let mut cases = Cases::new("attachment");
    let (none, small) = (File::of(0, 0x51), File::of(5, 0x52));
    let (whole, more) = (File::of(PIECE, 0x53), File::of(PIECE + 1, 0x54));
    for (name, file) in [
        ("nothing", &none),
        ("a few bytes", &small),
        ("a whole piece of 64 KiB", &whole),
        ("a piece and one byte", &more),
    ] {
        cases.pass(name, OP, &file.input());
    }
    let good = small.input();
    let end = small.bytes.len();
    let hash_of_other = hex::encode(Hash::of(b"other").as_bytes());
    cases.fail_with("another hash", OP, &good, "sha256", hash_of_other.into());
    let identity = none.identity.to_text().to_string();
    cases.fail_with("another identity", OP, &good, "identity", identity.into());
    cases.fail_with("no identity", OP, &good, "identity", "AGE-SECRET-KEY-1".into());
    let recipient = small.identity.recipient().to_string();
    cases.fail_with("a recipient in its place", OP, &good, "identity", recipient.into());
    cases.fail("a bit turned in the last byte", OP, &small.turned(end - 1));
    cases.fail("a bit turned in the header's code", OP, &small.turned(end - 5 - 16 - 16 - 8));
    cases.fail("a bit turned in the first byte", OP, &small.turned(0));
    cases.fail("a byte less", OP, &small.other(&small.bytes[..end - 1]));
    cases.fail("a byte more", OP, &small.other(&[&small.bytes[..], &[0]].concat()));
    // Of the large one the last piece: one byte and its tag.
    let cut = more.bytes.len() - 17;
    cases.fail("cut off between two pieces", OP, &more.other(&more.bytes[..cut]));
    cases.fail("no file", OP, &small.other(b""));
    cases.fail("a text", OP, &small.other(b"hello"));
    cases
}
