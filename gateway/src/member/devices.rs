//! Devices: adding one, with its door in a sealed room, and the line to paste (sealing.md §5).

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::DeviceId;
use hearth_protocol::sealing::Recipient;
use hearth_protocol::sealing::epoch::reason;
use hearth_protocol::topic::Topic;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::mqtt::Address;
use super::rooms::RoomInfo;
use super::rotation::until_won;
use super::{Member, MemberError, now_ms};
use crate::clock::random;

/// A device that was just added; its token is shown once.
#[derive(Debug, Clone, Serialize)]
pub struct NewDevice {
    /// The id, which is its MQTT user name.
    pub id: DeviceId,
    /// Its MQTT password.
    pub token: String,
    /// Where to seal to, in a sealed room.
    pub recipient: Option<Recipient>,
    /// Where to publish.
    pub topic: String,
}

#[derive(Deserialize)]
struct Added {
    token: String,
}

impl NewDevice {
    /// The line for a shell on the device; without a recipient it posts in the clear.
    pub fn shell_line(&self, mqtt: &Address) -> String {
        let NewDevice { id, token, topic, .. } = self;
        let (host, port) = (mqtt.host.trim_matches(['[', ']']), mqtt.port);
        let publish =
            format!("mosquitto_pub -q 1 -h {host} -p {port} -t {topic} -u {id} -P {token}");
        match &self.recipient {
            Some(recipient) => {
                format!("echo \"Washing done\" | age -r {recipient} | {publish} -s")
            }
            None => format!("{publish} -m \"Washing done\""),
        }
    }
}

impl Member {
    /// Adds a device to a room; in a sealed one with an epoch that makes its door.
    pub fn add_device(&mut self, room: &RoomInfo, name: &str) -> Result<NewDevice, MemberError> {
        let id = DeviceId::new(now_ms(), random());
        let topic = Topic::Door(room.id, id).to_string();
        let path = format!("/api/rooms/{}/devices", room.id);
        let mut request = json!({ "id": id, "name": name });
        if !room.is_sealed() {
            let Added { token } = self.rest.post(&path, &request)?;
            return Ok(NewDevice { id, token, recipient: None, topic });
        }
        until_won(|| {
            let keys = self.room_keys(room.id)?;
            let mut draft = self.draft(&keys)?;
            draft.header.reason = reason::DEVICE.into();
            let recipient = Some(draft.put_door(id)?);
            let bundle = self.seal(&draft)?;
            request["bundle"] = json!(b64u(&bundle.encode()));
            let Added { token } = self.rest.post(&path, &request)?;
            Ok(NewDevice { id, token, recipient, topic: topic.clone() })
        })
    }

    /// Ends a device, by name or id; in a sealed room with an epoch that drops its door.
    pub fn remove_device(&mut self, room: &RoomInfo, wanted: &str) -> Result<(), MemberError> {
        let devices = self.devices(room.id)?;
        let device = devices
            .iter()
            .find(|one| one.name == wanted || one.id.to_string() == wanted)
            .ok_or_else(|| MemberError::Refused {
                code: "not_found".into(),
                message: format!("there is no device `{wanted}` in {}", room.name),
                hint: devices.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", "),
            })?;
        self.rest.delete(&format!("/api/devices/{}", device.id))?;
        if room.is_sealed() {
            self.rotate(room.id)?;
        }
        Ok(())
    }

    /// Where the box's MQTT listener is, as seen from here.
    pub fn mqtt_address(&self) -> Result<Address, MemberError> {
        let health: Value = self.rest.get("/health")?;
        let text = health["mqtt"].as_str().ok_or(MemberError::NoMqtt)?;
        let mut address: Address = text.parse()?;
        if ["0.0.0.0", "[::]"].contains(&address.host.as_str()) {
            let host = self.url().trim_start_matches("http://");
            let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
            address.host = host.to_string();
        }
        Ok(address)
    }
}
