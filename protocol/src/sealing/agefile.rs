//! age: X25519 recipients and identities, and files sealed to them (age-encryption.org/v1).
//!
//! Recipients of small order are refused when read: sealing to one would tell everybody, and the
//! age libraries stop the program over it.

use std::fmt;
use std::io::{self, BufRead, Read, Write};
use std::str::FromStr;

use age::secrecy::ExposeSecret;
use bech32::{Bech32, Hrp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::{SealingError, kdf::Secret};
use crate::limits::wide;

const RECIPIENT: &str = "age";
const IDENTITY: &str = "AGE-SECRET-KEY-";

/// The public half: `age1…`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Recipient([u8; 32]);

impl Recipient {
    /// The recipient of an X25519 public key.
    pub fn from_bytes(key: [u8; 32]) -> Result<Self, SealingError> {
        let problem = "it is of small order";
        let probe = x25519_dalek::x25519([0x42; 32], key);
        if probe == [0; 32] {
            return Err(SealingError::Key { what: "an age recipient", problem });
        }
        Ok(Self(key))
    }

    /// The raw 32 bytes, as they stand inside a ctx.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn for_age(self) -> Result<age::x25519::Recipient, SealingError> {
        self.to_string()
            .parse()
            .map_err(|problem| SealingError::Key { what: "an age recipient", problem })
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bech32::encode_lower_to_fmt::<Bech32, _>(f, Hrp::parse_unchecked(RECIPIENT), &self.0)
            .map_err(|_| fmt::Error)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Takes the one spelling that is written: lower case.
impl FromStr for Recipient {
    type Err = SealingError;

    fn from_str(text: &str) -> Result<Self, SealingError> {
        let refuse = |problem| SealingError::Key { what: "an age recipient", problem };
        let recipient = Self::from_bytes(decode(RECIPIENT, text).map_err(refuse)?)?;
        if recipient.to_string() == text {
            Ok(recipient)
        } else {
            Err(refuse("it is not in lower case"))
        }
    }
}

impl Serialize for Recipient {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Recipient {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The 32 bytes of a bech32 text with this prefix.
fn decode(prefix: &str, text: &str) -> Result<[u8; 32], &'static str> {
    let checked = bech32::primitives::decode::CheckedHrpstring::new::<Bech32>(text)
        .map_err(|_| "it is no bech32 text or mistyped")?;
    if checked.hrp() != Hrp::parse_unchecked(prefix) {
        return Err("it begins with another prefix");
    }
    let bytes = Zeroizing::new(checked.byte_iter().collect::<Vec<u8>>());
    bytes.as_slice().try_into().map_err(|_| "it has not 32 bytes")
}

/// The secret half: `AGE-SECRET-KEY-1…`. Wiped when dropped.
#[derive(Clone)]
pub struct AgeIdentity {
    age: age::x25519::Identity,
    recipient: Recipient,
}

impl AgeIdentity {
    /// The identity of an X25519 scalar, taken as it is (X25519 clamps).
    pub fn from_scalar(scalar: &Secret) -> Result<Self, SealingError> {
        let key = "an age identity";
        let text =
            bech32::encode_upper::<Bech32>(Hrp::parse_unchecked(IDENTITY), scalar.as_bytes())
                .map(Zeroizing::new)
                .map_err(|_| SealingError::Key { what: key, problem: "it cannot be spelled" })?;
        text.parse()
    }

    /// Its recipient.
    pub const fn recipient(&self) -> Recipient {
        self.recipient
    }

    /// `AGE-SECRET-KEY-1…`, for a recovery sheet.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(self.age.to_string().expose_secret().to_string())
    }
}

impl FromStr for AgeIdentity {
    type Err = SealingError;

    fn from_str(text: &str) -> Result<Self, SealingError> {
        let refuse = |problem| SealingError::Key { what: "an age identity", problem };
        let age: age::x25519::Identity = text.trim().parse().map_err(refuse)?;
        let recipient = age.to_public().to_string().parse()?;
        Ok(Self { age, recipient })
    }
}

impl fmt::Debug for AgeIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgeIdentity({})", self.recipient)
    }
}

/// A raw age file for these recipients. The age library draws its own randomness.
pub fn seal(
    what: &'static str,
    recipients: &[Recipient],
    plaintext: &[u8],
) -> Result<Vec<u8>, SealingError> {
    let refuse = |error: io::Error| SealingError::Age { what, problem: error.to_string() };
    let file = Vec::with_capacity(plaintext.len() + 128 + 128 * recipients.len());
    let mut writer = seal_into(what, recipients, file)?;
    writer.write_all(plaintext).map_err(refuse)?;
    writer.finish().map_err(refuse)
}

/// Seals what is written to it; the file is whole only after [`SealedStream::finish`].
pub struct SealedStream<W: Write>(age::stream::StreamWriter<W>);

impl<W: Write> SealedStream<W> {
    /// Writes the end, and gives back what lies below.
    pub fn finish(self) -> io::Result<W> {
        self.0.finish()
    }
}

impl<W: Write> Write for SealedStream<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// As [`seal`], for what is too large to hold: a raw age file, written to `out` bit by bit.
pub fn seal_into<W: Write>(
    what: &'static str,
    recipients: &[Recipient],
    out: W,
) -> Result<SealedStream<W>, SealingError> {
    let refuse = |problem: String| SealingError::Age { what, problem };
    let keys = recipients.iter().map(|key| key.for_age()).collect::<Result<Vec<_>, _>>()?;
    let keys = keys.iter().map(|key| key as &dyn age::Recipient);
    let encryptor =
        age::Encryptor::with_recipients(keys).map_err(|error| refuse(error.to_string()))?;
    encryptor.wrap_output(out).map(SealedStream).map_err(|error| refuse(error.to_string()))
}

const ARMOR: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";

/// Armor may follow white space, as the stock command has it; a raw file begins at once.
fn without_space_before_armor(file: &[u8]) -> &[u8] {
    let trimmed = file.trim_ascii_start();
    if trimmed.starts_with(ARMOR) { trimmed } else { file }
}

/// Bytes of a header at most: a whole bundle has no more.
const HEADER_MAX: usize = 256 * 1024;
/// How the line begins that ends a header.
const HEADER_END: &[u8] = b"---";

/// Hands out a header in one go: age asks for it line by line, and after each parses anew all that
/// it has, which takes minutes for a header of many short lines.
struct WholeHeader<R>(R);

impl<R: Read> Read for WholeHeader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

impl<R: BufRead> BufRead for WholeHeader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.0.consume(bytes);
    }

    fn read_until(&mut self, end: u8, out: &mut Vec<u8>) -> io::Result<usize> {
        let before = out.len();
        loop {
            let line = out.len();
            let left = wide(HEADER_MAX.saturating_sub(line));
            if left == 0 {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "its header is too long"));
            }
            let read = self.0.by_ref().take(left).read_until(end, out)?;
            if read == 0 || out[line..].starts_with(HEADER_END) {
                return Ok(out.len() - before);
            }
        }
    }
}

/// Whether the header of a raw or armored age file ends within so many bytes of the raw one.
pub(super) fn header_ends_within(file: &[u8], bytes: usize) -> bool {
    let mut begin = vec![];
    let reader = age::armor::ArmoredReader::new(without_space_before_armor(file));
    let read = reader.take(wide(bytes)).read_to_end(&mut begin);
    let ends = |at: &[u8]| at.strip_prefix(b"\n").is_some_and(|line| line == HEADER_END);
    read.is_ok() && begin.windows(1 + HEADER_END.len()).any(ends)
}

/// Opens a raw or armored age file with an X25519 identity; at most `max` bytes come out.
pub fn open(
    what: &'static str,
    identity: &AgeIdentity,
    file: &[u8],
    max: usize,
) -> Result<Zeroizing<Vec<u8>>, SealingError> {
    let refuse = |error: io::Error| SealingError::Age { what, problem: error.to_string() };
    let reader = open_from(what, identity, without_space_before_armor(file))?;
    let mut plaintext = Zeroizing::new(vec![]);
    let one_more = wide(max).saturating_add(1);
    reader.take(one_more).read_to_end(&mut plaintext).map_err(refuse)?;
    if plaintext.len() > max {
        return Err(SealingError::TooLarge { what, bytes: plaintext.len(), max });
    }
    Ok(plaintext)
}

/// As [`open`], for what is too large to hold. Each piece that is read was authenticated; that the
/// file is whole is known when the end was read without an error.
pub fn open_from(
    what: &'static str,
    identity: &AgeIdentity,
    file: impl BufRead,
) -> Result<impl Read, SealingError> {
    let refuse = |problem: String| SealingError::Age { what, problem };
    let decryptor = age::Decryptor::new_buffered(WholeHeader(age::armor::ArmoredReader::new(file)))
        .map_err(|error| refuse(error.to_string()))?;
    if decryptor.is_scrypt() {
        return Err(SealingError::Passphrase { what });
    }
    decryptor
        .decrypt(std::iter::once(&identity.age as &dyn age::Identity))
        .map_err(|error| refuse(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn identity(byte: u8) -> AgeIdentity {
        AgeIdentity::from_scalar(&Secret::from_bytes([byte; 32])).unwrap()
    }

    #[test]
    fn keys_are_spelled_as_age_spells_them() {
        // age's own test pair
        let text = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
        let public = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
        let identity: AgeIdentity = text.parse().unwrap();
        assert_eq!(identity.recipient().to_string(), public);
        assert_eq!(*identity.to_text(), text);
        assert_eq!(public.parse::<Recipient>().unwrap(), identity.recipient());
        for bad in [&public.to_uppercase(), &public[1..], "age1", "", &text.to_lowercase()] {
            assert!(bad.parse::<Recipient>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_recipient_of_small_order_is_refused() {
        let mut one = [0; 32];
        one[0] = 1;
        for key in [[0; 32], one] {
            assert!(Recipient::from_bytes(key).is_err());
        }
    }

    #[test]
    fn a_file_opens_for_each_recipient_and_for_nobody_else() {
        let (ada, ben) = (identity(1), identity(2));
        let file = seal("it", &[ada.recipient(), ben.recipient()], b"bread").unwrap();
        assert_eq!(open("it", &ada, &file, 5).unwrap().as_slice(), b"bread");
        assert_eq!(open("it", &ben, &file, 5).unwrap().as_slice(), b"bread");
        assert!(matches!(open("it", &identity(3), &file, 5), Err(SealingError::Age { .. })));
        assert!(matches!(open("it", &ada, &file, 4), Err(SealingError::TooLarge { .. })));
        assert!(matches!(seal("it", &[], b"x"), Err(SealingError::Age { .. })));
    }

    #[test]
    fn a_header_is_read_at_once_whatever_is_in_it_and_only_so_much_of_it() {
        let (ada, others) = (identity(1), vec![identity(2).recipient(); 100]);
        let file = seal("it", &[&[ada.recipient()], &others[..]].concat(), b"bread").unwrap();
        let (mut reader, mut header) = (WholeHeader(&file[..]), vec![]);
        reader.read_until(b'\n', &mut header).unwrap();
        assert!(header.len() > 9_800 && file.starts_with(&header));
        assert!(header[header.len() - 48..].starts_with(b"--- "));
        assert_eq!(open("it", &ada, &file, 5).unwrap().as_slice(), b"bread");
        // Line by line these would take hours.
        let mut lines = b"age-encryption.org/v1\n".to_vec();
        lines.extend(b"-> a\n\n".repeat(HEADER_MAX / 6));
        for end in ["--- ", "--- AAAA\n--- AAAA\n"] {
            let endless = [&lines[..HEADER_MAX - 100], end.as_bytes()].concat();
            assert!(matches!(open("it", &ada, &endless, 5), Err(SealingError::Age { .. })));
        }
        assert!(matches!(open("it", &ada, &lines, 5), Err(SealingError::Age { .. })));
        let one_line = vec![b'a'; 2 * HEADER_MAX];
        assert!(matches!(open("it", &ada, &one_line, 5), Err(SealingError::Age { .. })));
    }

    #[test]
    fn a_file_for_a_passphrase_is_refused_before_any_work() {
        let mut recipient = age::scrypt::Recipient::new("hunter2".to_string().into());
        recipient.set_work_factor(2);
        let file = age::encrypt(&recipient, b"x").unwrap();
        let refused = SealingError::Passphrase { what: "it" };
        assert_eq!(open("it", &identity(1), &file, 9).unwrap_err(), refused);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, text in ".{0,80}") {
            prop_assert!(open("it", &identity(1), &bytes, 100).is_err());
            prop_assert!(text.parse::<Recipient>().is_err());
        }
    }
}
