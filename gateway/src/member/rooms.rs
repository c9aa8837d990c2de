//! The rooms this person is in, and who else is.

use hearth_protocol::bytes::{self, b64u};
use hearth_protocol::ids::{DeviceId, Epoch, InviteCode, Position, RoomId, UserId};
use hearth_protocol::role::{RoomType, Sealing};
use hearth_store::Plain;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::json;

use super::rest::UserInfo;
use super::{Member, MemberError, now_ms, rotation};
use crate::clock::random;

/// A room as the box shows it.
#[derive(Debug, Clone, Deserialize)]
pub struct RoomInfo {
    /// The id.
    pub id: RoomId,
    /// The name.
    pub name: String,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: RoomType,
    /// Whether the box can read it.
    pub sealing: Sealing,
    /// Everyone's room.
    pub general: bool,
    /// The newest position.
    pub head_position: Position,
    /// The current epoch, 0 for none.
    pub epoch: Epoch,
    /// Somebody left: a new epoch comes first.
    pub rotation_due: bool,
}

impl RoomInfo {
    /// Whether the box stores what it cannot read.
    pub fn is_sealed(&self) -> bool {
        self.sealing == Sealing::Sealed
    }
}

#[derive(Deserialize)]
struct Rooms {
    rooms: Vec<RoomInfo>,
}

/// A member as the box shows it.
#[derive(Debug, Clone, Deserialize)]
pub struct MemberInfo {
    /// Who.
    pub user: UserInfo,
}

/// Somebody who joined by an invite and is not yet in a bundle.
#[derive(Debug, Clone, Deserialize)]
pub struct Waiting {
    /// Who.
    pub user: UserId,
    /// By which invite.
    pub code: InviteCode,
    /// The proof.
    #[serde(with = "bytes::array")]
    pub proof: [u8; 64],
}

/// Who is in a room.
#[derive(Debug, Clone, Deserialize)]
pub struct Members {
    /// The members.
    pub members: Vec<MemberInfo>,
    /// Those of them who wait for a key.
    #[serde(default, deserialize_with = "readable")]
    pub waiting: Vec<Waiting>,
}

/// Those entries of a list that read: one person's malformed proof hides nobody else.
fn readable<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Vec<T>, D::Error> {
    let entries = Vec::<serde_json::Value>::deserialize(from)?;
    Ok(entries.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect())
}

/// A device as the box shows it.
#[derive(Debug, Clone, Deserialize)]
pub struct DeviceInfo {
    /// The id.
    pub id: DeviceId,
    /// The name.
    pub name: String,
    /// What becomes of its posts in clear in a sealed room.
    pub plain: Plain,
}

#[derive(Deserialize)]
struct Devices {
    devices: Vec<DeviceInfo>,
}

impl Member {
    /// The rooms of this person.
    pub fn rooms(&self) -> Result<Vec<RoomInfo>, MemberError> {
        let rooms = self.rest.get::<Rooms>("/api/rooms")?.rooms;
        rooms.into_iter().map(|room| self.as_known(room)).collect()
    }

    /// A room of which an epoch was once seen is sealed for ever, whatever the box says of it.
    fn as_known(&self, mut room: RoomInfo) -> Result<RoomInfo, MemberError> {
        if self.profile.room(room.id)?.head.is_some() {
            room.sealing = Sealing::Sealed;
        }
        Ok(room)
    }

    /// One of them, by name (whatever its case) or id.
    pub fn room(&self, wanted: &str) -> Result<RoomInfo, MemberError> {
        let rooms = self.rooms()?;
        if let Some(room) = rooms.iter().find(|room| room.id.to_string() == wanted) {
            return Ok(room.clone());
        }
        let same = |room: &&RoomInfo| room.name.to_lowercase() == wanted.to_lowercase();
        let found: Vec<_> = rooms.iter().filter(same).collect();
        match found.as_slice() {
            [room] => Ok((*room).clone()),
            [] => {
                let known: Vec<_> = rooms.iter().map(|room| room.name.as_str()).collect();
                let known = if known.is_empty() { "none yet".into() } else { known.join(", ") };
                Err(MemberError::NoRoom { wanted: wanted.into(), known })
            }
            several => {
                let ids: Vec<_> = several.iter().map(|room| room.id.to_string()).collect();
                Err(MemberError::ManyRooms { wanted: wanted.into(), ids: ids.join(", ") })
            }
        }
    }

    /// A room as it is now.
    pub fn room_now(&self, room: RoomId) -> Result<RoomInfo, MemberError> {
        self.as_known(self.rest.get(&format!("/api/rooms/{room}"))?)
    }

    /// Who is in a room.
    pub fn members(&self, room: RoomId) -> Result<Members, MemberError> {
        self.rest.get(&format!("/api/rooms/{room}/members"))
    }

    /// The devices of a room.
    pub fn devices(&self, room: RoomId) -> Result<Vec<DeviceInfo>, MemberError> {
        self.rest.get::<Devices>(&format!("/api/rooms/{room}/devices")).map(|answer| answer.devices)
    }

    /// Makes a room; a sealed one with its first epoch.
    pub fn make_room(
        &self,
        name: &str,
        kind: RoomType,
        sealing: Sealing,
    ) -> Result<RoomInfo, MemberError> {
        let id = RoomId::new(now_ms(), random());
        let mut request = json!({ "id": id, "name": name, "type": kind, "sealing": sealing });
        if sealing == Sealing::Open {
            return self.rest.post("/api/rooms", &request);
        }
        let first = rotation::first(id, kind, (self.user(), &self.identity), now_ms())?;
        request["bundle"] = json!(b64u(&first.encode()));
        let room = self.rest.post("/api/rooms", &request)?;
        let head = (1, first.header_hash());
        self.profile.update(id, |memory| memory.head = Some(head))?;
        Ok(room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_proof_hides_nobody_elses() {
        let user = UserId::new(1, [1; 10]);
        let proof =
            |proof: &[u8]| json!({ "user": user, "code": "0123456789", "proof": b64u(proof) });
        let bad = [proof(b"A"), proof(&[1; 65]), json!({ "user": 1 }), json!(null)];
        for bad in bad {
            let list = json!({ "members": [], "waiting": [bad, proof(&[1; 64])] });
            let read: Members = serde_json::from_value(list).unwrap();
            assert_eq!(read.waiting.len(), 1, "{bad}");
            assert_eq!(read.waiting[0].proof, [1; 64]);
        }
    }
}
