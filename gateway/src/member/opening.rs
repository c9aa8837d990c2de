//! Opening what was carried here by hand: an event or post as `hearth seal`, `age`, `mosquitto_sub`
//! or `GET messages` gives it.

use hearth_protocol::bytes::from_b64u;
use hearth_protocol::event::Class;
use hearth_protocol::ids::{DeviceId, Position};
use serde_json::Value;

use super::reading::{Line, Read, Reader, Said};
use super::{Member, MemberError};

/// How an age file begins, after white space where it is armored.
const AGE: [&[u8]; 2] = [b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----"];
/// The first byte of a sealed event.
const WIRE: u8 = 1;
/// The first byte of a payload of `out`: positions are below 2^56.
const FRAME: u8 = 0;

fn closed(problem: impl Into<String>) -> MemberError {
    MemberError::Closed { problem: problem.into() }
}

impl Reader {
    /// Opens one of the room's events: a wire, a payload of `out`, a device's age file, or JSON
    /// that holds one as `sealed`.
    pub fn given(&mut self, member: &mut Member, given: &[u8]) -> Result<Line, MemberError> {
        let line = match given.first() {
            Some(b'{') => self.given_json(member, given)?,
            Some(&FRAME) => self.payload(member, given)?,
            _ => self.bare(member, given)?,
        };
        match line.said {
            Said::Unreadable => Err(closed(line.text.trim_matches(['[', ']']))),
            _ => Ok(line),
        }
    }

    /// An item of `GET messages` says what it is; what `hearth seal --json` wrote for a door does
    /// not.
    fn given_json(&mut self, member: &mut Member, given: &[u8]) -> Result<Line, MemberError> {
        let json: Value = serde_json::from_slice(given)
            .map_err(|error| closed(format!("it is no JSON: {error}")))?;
        let Some(sealed) = json["sealed"].as_str() else {
            return Err(closed("the JSON has no `sealed`"));
        };
        if json["class"].is_u64() {
            return self.payload(member, given);
        }
        let sealed = from_b64u(sealed).ok_or_else(|| closed("`sealed` is no base64url"))?;
        self.bare(member, &sealed)
    }

    /// A wire or an age file, whose place in the room nobody tells.
    fn bare(&mut self, member: &mut Member, given: &[u8]) -> Result<Line, MemberError> {
        let trimmed = given.trim_ascii_start();
        let read = if given.first() == Some(&WIRE) {
            self.sealed(member, Some(Class::Event), given, 0)?
        } else if AGE.iter().any(|begin| trimmed.starts_with(begin)) {
            self.any_door(given)
        } else {
            return Err(closed("it is neither a sealed event nor an age file"));
        };
        Ok(self.named(member, Position::START, 0, read))
    }

    /// The post of whichever device of the room it is.
    fn any_door(&self, post: &[u8]) -> Read {
        for device in self.devices_ever() {
            let read = self.post(device, None, post, 0);
            if read.said == Said::Post {
                return read;
            }
        }
        Read::unreadable(None, None, "it is a post of none of the room's devices")
    }

    fn devices_ever(&self) -> Vec<DeviceId> {
        let Some(keys) = &self.keys else { return vec![] };
        let mut devices: Vec<_> =
            keys.headers().flat_map(|header| &header.doors).map(|(device, ..)| *device).collect();
        devices.sort_unstable();
        devices.dedup();
        devices
    }
}
