//! A person's event on the wire (sealing.md §4).
//!
//! 0x01 ‖ epoch u32 ‖ id16 ‖ sender16 ‖ writer u32 ‖ kind u8 ‖ seq u64 ‖ extra ‖ nonce24 ‖ ct,
//! where ct seals sig64 ‖ padded body under the epoch's key.

use zeroize::Zeroizing;

use super::epoch::EpochKeys;
use super::{PublicKey, Random, SealingError, SigningKey, exact, kdf, padding};
use crate::event::SEALED;
use crate::ids::{Epoch, EventId, RoomId, UserId};

const WHAT: &str = "an event";
/// Bytes of the clear header before extra.
pub const HEADER: usize = 50;
/// Bytes of a wire, as `Limits::event_bytes_max` has by default.
pub const WIRE_MAX: usize = 64 * 1024;
/// Bytes of the signature inside.
const SIGNATURE: usize = 64;

/// What kind of event it is, with its extra.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// 1: content.
    Content,
    /// 2: takes that event back; the box erases it.
    Tombstone(EventId),
    /// 3: typing, call state; never stored.
    Live,
    /// 4: content, with whom to notify (at least one).
    Hinted(Vec<UserId>),
}

impl Kind {
    /// The byte in the header.
    pub const fn byte(&self) -> u8 {
        match self {
            Kind::Content => 1,
            Kind::Tombstone(_) => 2,
            Kind::Live => 3,
            Kind::Hinted(_) => 4,
        }
    }

    /// The bytes after the header.
    pub fn extra(&self) -> Result<Vec<u8>, SealingError> {
        match self {
            Kind::Content | Kind::Live => Ok(vec![]),
            Kind::Tombstone(target) => Ok(target.as_bytes().to_vec()),
            Kind::Hinted(users) => {
                let count = u8::try_from(users.len())
                    .ok()
                    .filter(|count| *count > 0)
                    .ok_or(SealingError::Event("hints name 1 to 255 people"))?;
                let ids = users.iter().flat_map(|user| *user.as_bytes());
                Ok(std::iter::once(count).chain(ids).collect())
            }
        }
    }
}

/// What everybody can read of an event: the 50 bytes and the extra.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireHeader {
    /// The epoch it is sealed under.
    pub epoch: Epoch,
    /// Its id.
    pub id: EventId,
    /// Who says to have sent it.
    pub sender: UserId,
    /// The installation.
    pub writer: u32,
    /// What kind, with the extra.
    pub kind: Kind,
    /// The writer's count of stored events in this room; 0 for live ones.
    pub seq: u64,
}

impl WireHeader {
    /// Reads the header and checks that a ciphertext can follow.
    pub fn parse(wire: &[u8]) -> Result<WireHeader, SealingError> {
        Self::split(wire).map(|(header, _)| header)
    }

    /// The header, and nonce24 ‖ ct.
    fn split(wire: &[u8]) -> Result<(WireHeader, &[u8]), SealingError> {
        if wire.len() > WIRE_MAX {
            let (bytes, max) = (wire.len(), WIRE_MAX);
            return Err(SealingError::TooLarge { what: WHAT, bytes, max });
        }
        let mut reader = kdf::Reader::new(WHAT, wire);
        let [version] = reader.take()?;
        if version != SEALED {
            return Err(SealingError::Version { what: WHAT, byte: version });
        }
        let epoch = Epoch::from_be_bytes(reader.take()?);
        let id = EventId::from_bytes(reader.take()?);
        let sender = UserId::from_bytes(reader.take()?);
        let writer = u32::from_be_bytes(reader.take()?);
        let [kind] = reader.take()?;
        let seq = u64::from_be_bytes(reader.take()?);
        let kind = match kind {
            1 => Kind::Content,
            2 => Kind::Tombstone(EventId::from_bytes(reader.take()?)),
            3 => Kind::Live,
            4 => {
                let [count] = reader.take()?;
                let users = (0..count).map(|_| reader.take().map(UserId::from_bytes));
                Kind::Hinted(users.collect::<Result<_, _>>()?)
            }
            _ => return Err(SealingError::Event("its kind is not 1, 2, 3 or 4")),
        };
        let header = WireHeader { epoch, id, sender, writer, kind, seq };
        header.check()?;
        let rest = reader.rest();
        if rest.len() < kdf::NONCE + SIGNATURE + 1 + kdf::TAG {
            return Err(SealingError::Truncated { what: WHAT });
        }
        Ok((header, rest))
    }

    fn check(&self) -> Result<(), SealingError> {
        if self.epoch == 0 {
            return Err(SealingError::Event("epochs are counted from 1"));
        }
        if (self.seq == 0) != (self.kind == Kind::Live) {
            return Err(SealingError::Event("live events, and only they, have seq 0"));
        }
        if self.seq > exact::WHOLE_MAX {
            return Err(SealingError::Event("its seq is beyond 2^53-1"));
        }
        if self.names_nothing() {
            return Err(SealingError::Event("an id of it is 16 zero bytes"));
        }
        if self.kind == Kind::Hinted(vec![]) {
            return Err(SealingError::Event("hints name 1 to 255 people"));
        }
        Ok(())
    }

    /// Whether one of its ids is the nil id, which names nothing.
    fn names_nothing(&self) -> bool {
        let nil = |user: &UserId| *user.as_bytes() == [0; 16];
        let in_kind = match &self.kind {
            Kind::Content | Kind::Live => false,
            Kind::Tombstone(target) => *target.as_bytes() == [0; 16],
            Kind::Hinted(users) => users.iter().any(nil),
        };
        in_kind || nil(&self.sender) || *self.id.as_bytes() == [0; 16]
    }

    /// The header's bytes, extra included.
    pub fn encode(&self) -> Result<Vec<u8>, SealingError> {
        self.check()?;
        let mut out = Vec::with_capacity(HEADER + 16);
        out.push(SEALED);
        out.extend_from_slice(&self.epoch.to_be_bytes());
        out.extend_from_slice(self.id.as_bytes());
        out.extend_from_slice(self.sender.as_bytes());
        out.extend_from_slice(&self.writer.to_be_bytes());
        out.push(self.kind.byte());
        out.extend_from_slice(&self.seq.to_be_bytes());
        out.extend_from_slice(&self.kind.extra()?);
        Ok(out)
    }

    /// What the ciphertext and the signature are bound to.
    fn aad(&self, keys: &EpochKeys) -> Result<Vec<u8>, SealingError> {
        let room: RoomId = keys.room;
        Ok(kdf::ctx(
            "hearth/v1/event",
            &[
                room.as_bytes(),
                &self.epoch.to_be_bytes(),
                keys.kid.as_bytes(),
                self.id.as_bytes(),
                self.sender.as_bytes(),
                &self.writer.to_be_bytes(),
                &[self.kind.byte()],
                &self.seq.to_be_bytes(),
                &self.kind.extra()?,
            ],
        ))
    }
}

/// What the first 50 bytes say of an event's place among those of its writer. They are all that
/// stays of an event that was erased; unless the event opens, nobody has signed them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbered {
    /// The event's id.
    pub id: EventId,
    /// Who says to have sent it.
    pub sender: UserId,
    /// The installation.
    pub writer: u32,
    /// The writer's count of stored events in this room.
    pub seq: u64,
}

impl Numbered {
    /// Reads a wire, or what stays of one. `None`: it is neither.
    pub fn of(wire: &[u8]) -> Option<Numbered> {
        let mut reader = kdf::Reader::new(WHAT, wire);
        let [version] = reader.take().ok()?;
        let _epoch = Epoch::from_be_bytes(reader.take().ok()?);
        let id = EventId::from_bytes(reader.take().ok()?);
        let sender = UserId::from_bytes(reader.take().ok()?);
        let writer = u32::from_be_bytes(reader.take().ok()?);
        let [_kind] = reader.take().ok()?;
        let seq = u64::from_be_bytes(reader.take().ok()?);
        let is_stored = version == SEALED && (1..=exact::WHOLE_MAX).contains(&seq);
        is_stored.then_some(Numbered { id, sender, writer, seq })
    }
}

fn signed(aad: &[u8], body: &[u8]) -> Vec<u8> {
    kdf::ctx("hearth/v1/event-sig", &[aad, body])
}

/// Pads, signs and seals an event's JSON.
pub fn seal(
    header: &WireHeader,
    body: &[u8],
    keys: &EpochKeys,
    signer: &SigningKey,
    random: &mut Random<'_>,
) -> Result<Vec<u8>, SealingError> {
    let mut wire = header.encode()?;
    let aad = header.aad(keys)?;
    let body = Zeroizing::new(padding::pad(body));
    let signature = signer.sign(&signed(&aad, &body));
    let message = Zeroizing::new([&signature[..], &body].concat());
    wire.extend(kdf::seal(WHAT, &keys.key, &message, &aad, random)?);
    if wire.len() > WIRE_MAX {
        let (bytes, max) = (wire.len(), WIRE_MAX);
        return Err(SealingError::TooLarge { what: WHAT, bytes, max });
    }
    Ok(wire)
}

/// An event that opened and whose signature verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What stood outside.
    pub header: WireHeader,
    /// Its JSON, with the spaces of the padding.
    pub body: Zeroizing<Vec<u8>>,
}

/// Opens an event; `signer` is the key of the fingerprint that its epoch lists for its sender.
pub fn open(wire: &[u8], keys: &EpochKeys, signer: &PublicKey) -> Result<Opened, SealingError> {
    let (header, sealed) = WireHeader::split(wire)?;
    let aad = header.aad(keys)?;
    let message = Zeroizing::new(kdf::open(WHAT, &keys.key, sealed, &aad)?);
    let (signature, body) =
        message.split_first_chunk().ok_or(SealingError::Truncated { what: WHAT })?;
    signer.verify(WHAT, &signed(&aad, body), signature)?;
    Ok(Opened { header, body: Zeroizing::new(body.to_vec()) })
}

#[cfg(test)]
mod tests {
    use super::super::Secret;
    use super::*;
    use proptest::prelude::*;

    fn keys(room: u8, secret: u8) -> EpochKeys {
        EpochKeys::new(RoomId::new(1, [room; 10]), Secret::from_bytes([secret; 32]))
    }

    fn signer(seed: u8) -> SigningKey {
        SigningKey::from_seed(&Secret::from_bytes([seed; 32]))
    }

    fn header(kind: Kind) -> WireHeader {
        let seq = if kind == Kind::Live { 0 } else { 42 };
        let (id, sender) = (EventId::new(1, [4; 10]), UserId::new(1, [5; 10]));
        WireHeader { epoch: 7, id, sender, writer: 9, kind, seq }
    }

    fn kinds() -> impl Strategy<Value = Kind> {
        prop_oneof![
            Just(Kind::Content),
            Just(Kind::Live),
            any::<[u8; 10]>().prop_map(|bytes| Kind::Tombstone(EventId::new(1, bytes))),
            prop::collection::vec(any::<[u8; 10]>(), 1..255).prop_map(|people| {
                Kind::Hinted(people.into_iter().map(|bytes| UserId::new(1, bytes)).collect())
            }),
        ]
    }

    fn sealed(header: &WireHeader) -> Vec<u8> {
        let body = br#"{"type":"message","content":"bread"}"#;
        seal(header, body, &keys(1, 1), &signer(1), &mut |out| out.fill(3)).unwrap()
    }

    #[test]
    fn an_event_opens_in_its_room_and_epoch_for_its_sender_only() {
        let wire = sealed(&header(Kind::Content));
        let opened = open(&wire, &keys(1, 1), &signer(1).public()).unwrap();
        assert_eq!(opened.body.len(), padding::FLOOR);
        assert_eq!(wire.len(), HEADER + kdf::NONCE + SIGNATURE + padding::FLOOR + kdf::TAG);
        let closed = Err(SealingError::Closed { what: WHAT });
        assert_eq!(open(&wire, &keys(2, 1), &signer(1).public()), closed);
        assert_eq!(open(&wire, &keys(1, 2), &signer(1).public()), closed);
        let forged = Err(SealingError::Signature { what: WHAT });
        assert_eq!(open(&wire, &keys(1, 1), &signer(2).public()), forged);
    }

    #[test]
    fn what_stays_of_an_erased_event_says_where_it_stood() {
        let header = header(Kind::Tombstone(EventId::new(3, [3; 10])));
        let wire = header.encode().unwrap();
        let WireHeader { id, sender, writer, seq, .. } = header;
        let numbered = Some(Numbered { id, sender, writer, seq });
        assert_eq!((Numbered::of(&wire), Numbered::of(&wire[..HEADER])), (numbered, numbered));
        assert_eq!(Numbered::of(&wire[..HEADER - 1]), None);
        let changed = |at: usize, byte: u8| {
            let mut wire = wire.clone();
            wire[at] = byte;
            Numbered::of(&wire)
        };
        assert_eq!((changed(0, 2), changed(HEADER - 8, 0xff)), (None, None));
    }

    #[test]
    fn headers_that_contradict_themselves_are_refused() {
        for broken in [
            WireHeader { epoch: 0, ..header(Kind::Content) },
            WireHeader { seq: 0, ..header(Kind::Content) },
            WireHeader { seq: 1, ..header(Kind::Live) },
            header(Kind::Hinted(vec![])),
            header(Kind::Hinted(vec![UserId::new(1, [1; 10]); 256])),
        ] {
            assert!(matches!(broken.encode(), Err(SealingError::Event(_))), "{broken:?}");
        }
        let wire = sealed(&header(Kind::Content));
        for (at, byte) in [(41, 0), (41, 5), (0, 2)] {
            let mut wire = wire.clone();
            wire[at] = byte;
            assert!(WireHeader::parse(&wire).is_err(), "{at} {byte}");
        }
    }

    #[test]
    fn a_wire_beyond_64_kib_is_neither_made_nor_read() {
        let body = vec![b'a'; WIRE_MAX];
        let refused =
            seal(&header(Kind::Content), &body, &keys(1, 1), &signer(1), &mut |out| out.fill(3));
        assert!(matches!(refused, Err(SealingError::TooLarge { .. })));
        let mut wire = sealed(&header(Kind::Content));
        wire.resize(WIRE_MAX + 1, 0);
        assert!(matches!(WireHeader::parse(&wire), Err(SealingError::TooLarge { .. })));
    }

    proptest! {
        #[test]
        fn every_kind_reads_back(kind in kinds()) {
            let header = header(kind);
            let wire = sealed(&header);
            prop_assert_eq!(WireHeader::parse(&wire), Ok(header.clone()));
            let opened = open(&wire, &keys(1, 1), &signer(1).public()).unwrap();
            prop_assert_eq!(opened.header, header);
        }

        #[test]
        fn a_changed_bit_or_a_cut_is_refused(
            kind in kinds(), bit: prop::sample::Index, cut: prop::sample::Index,
        ) {
            let wire = sealed(&header(kind));
            let mut changed = wire.clone();
            let at = bit.index(wire.len() * 8);
            changed[at / 8] ^= 1 << (at % 8);
            prop_assert!(open(&changed, &keys(1, 1), &signer(1).public()).is_err());
            let cut = &wire[..cut.index(wire.len())];
            prop_assert!(open(cut, &keys(1, 1), &signer(1).public()).is_err());
        }

        #[test]
        fn no_bytes_panic(mut bytes: Vec<u8>, first: bool) {
            if let (true, Some(byte)) = (first, bytes.first_mut()) {
                *byte = SEALED;
            }
            prop_assert!(open(&bytes, &keys(1, 1), &signer(1).public()).is_err());
        }
    }
}
