//! A person's event on the wire (sealing.md §4).
//!
//! 0x01 ‖ epoch u32 ‖ id16 ‖ sender16 ‖ writer u32 ‖ kind u8 ‖ seq u64 ‖ extra ‖ nonce24 ‖ ct.

use super::{SealingError, kdf};
use crate::event::SEALED;
use crate::ids::{Epoch, EventId, UserId};

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
        if self.kind == Kind::Hinted(vec![]) {
            return Err(SealingError::Event("hints name 1 to 255 people"));
        }
        Ok(())
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
}
