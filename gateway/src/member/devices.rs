//! Devices: adding one, with its door in a sealed room, and the lines to paste (sealing.md §5).

use std::net::SocketAddr;

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::DeviceId;
use hearth_protocol::sealing::Recipient;
use hearth_protocol::sealing::epoch::reason;
use hearth_protocol::topic::Topic;
use hearth_store::Plain;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::mqtt::Address;
use super::rooms::{DeviceInfo, RoomInfo};
use super::rotation::until_won;
use super::{Member, MemberError, now_ms};
use crate::auth::DEVICE_TOKEN;
use crate::clock::random;
use crate::listening::{Listening, OverTls};

/// How a device posts: one that was just added, whose token is shown once, or one that is there,
/// with [`TOKEN`] in the token's place.
#[derive(Debug, Clone, Serialize)]
pub struct NewDevice {
    /// The id, which is its MQTT user name.
    pub id: DeviceId,
    /// Its MQTT password.
    pub token: String,
    /// Where to seal to, in a sealed room where it does so itself.
    pub recipient: Option<Recipient>,
    /// Where to publish.
    pub topic: String,
}

/// Stands in the lines for a token that only the device has.
const TOKEN: &str = "TOKEN";

#[derive(Deserialize)]
struct Added {
    token: Token,
}

/// A device's token as the box gives it: it goes into lines for a shell, so it is a word and
/// nothing else.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Token(String);

impl TryFrom<String> for Token {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let secret = text.strip_prefix(DEVICE_TOKEN).unwrap_or_default();
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if secret.is_empty() || !secret.bytes().all(word) {
            return Err("the token is no device's");
        }
        Ok(Token(text))
    }
}

/// Where a device reaches the box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doors {
    /// MQTT in clear.
    pub mqtt: Address,
    /// MQTT over TLS.
    pub mqtts: Option<Address>,
    /// HTTP, as `https://HOST:PORT`.
    pub web: Option<String>,
    /// Whether over TLS the device needs the house's certificate, `ca.crt`.
    pub own: bool,
}

impl Doors {
    /// As the box's own shell sees it; without a box that runs, where it listens by default.
    pub fn of(listening: Option<Listening>) -> Self {
        let mqtt = listening.as_ref().map_or(([127, 0, 0, 1], 1883).into(), |at| at.mqtt);
        let http = match &listening {
            Some(at) => at.http,
            None => Some(([127, 0, 0, 1], 8080).into()),
        };
        let tls = listening.and_then(|at| at.tls);
        let over_tls = tls.as_ref().and_then(OverTls::web);
        let secure = over_tls.and_then(|web| web.names.first().map(|name| web.url(name)));
        Self {
            mqtt: mqtt.into(),
            mqtts: tls.as_ref().and_then(|tls| {
                let host = tls.names.first()?.clone();
                tls.mqtts.map(|mqtts| Address { host, port: mqtts.port(), tls: true })
            }),
            web: secure.or_else(|| http.map(|http| format!("http://{http}"))),
            own: tls.is_some_and(|tls| tls.own),
        }
    }
}

/// What the box says of itself.
#[derive(Deserialize)]
struct Health {
    mqtt: Option<SocketAddr>,
    tls: Option<OverTls>,
}

impl NewDevice {
    /// The lines for a shell on the device, one for each way to the box; without a recipient they
    /// post in the clear.
    pub fn shell_lines(&self, doors: &Doors) -> Vec<String> {
        let NewDevice { id, token, topic, .. } = self;
        let publish = |at: &Address, trust: &str| {
            let (host, port) = (at.host.trim_matches(['[', ']']), at.port);
            let command = format!("mosquitto_pub{trust} -q 1 -h {host} -p {port}");
            self.piped(&format!("{command} -t {topic} -u {id} -P {token}"), "-m", "-s")
        };
        let mut lines = vec![publish(&doors.mqtt, "")];
        let (file, store) = (" --cafile ca.crt", " --tls-use-os-certs");
        let trust = if doors.own { file } else { store };
        lines.extend(doors.mqtts.iter().map(|mqtts| publish(mqtts, trust)));
        lines.extend(doors.web.iter().map(|web| {
            let own = doors.own && web.starts_with("https:");
            let trust = if own { " --cacert ca.crt" } else { "" };
            let command = format!("curl -sS --fail-with-body{trust} {web}/api/door");
            let command = format!("{command} -H \"Authorization: Bearer {token}\"");
            self.piped(&command, "-d", "--data-binary @-")
        }));
        lines
    }

    /// A command that posts: in clear what follows a flag of its own, else what it reads.
    fn piped(&self, command: &str, clear: &str, reads: &str) -> String {
        match &self.recipient {
            Some(recipient) => {
                format!("echo \"Washing done\" | age -r {recipient} | {command} {reads}")
            }
            None => format!("{command} {clear} \"Washing done\""),
        }
    }
}

impl Member {
    /// Adds a device to a room; in a sealed one with an epoch that makes its door. `plain`: it
    /// cannot seal, so the box does it there.
    pub fn add_device(
        &mut self,
        room: &RoomInfo,
        name: &str,
        plain: bool,
    ) -> Result<NewDevice, MemberError> {
        let id = DeviceId::new(now_ms(), random());
        let topic = Topic::Door(room.id, id).to_string();
        let path = format!("/api/rooms/{}/devices", room.id);
        let mut request = json!({ "id": id, "name": name });
        if !room.is_sealed() {
            let Added { token: Token(token) } = self.rest.post(&path, &request)?;
            return Ok(NewDevice { id, token, recipient: None, topic });
        }
        until_won(|| {
            let keys = self.room_keys(room.id)?;
            let mut draft = self.draft(&keys)?;
            draft.header.reason = reason::DEVICE.into();
            let recipient = Some(draft.put_door(id)?);
            let bundle = self.seal(&draft)?;
            request["bundle"] = json!(b64u(&bundle.encode()));
            request["plain"] = json!(if plain { "seal" } else { "refuse" });
            let Added { token: Token(token) } = self.rest.post(&path, &request)?;
            let recipient = recipient.filter(|_| !plain);
            Ok(NewDevice { id, token, recipient, topic: topic.clone() })
        })
    }

    /// How a device posts now, by name or id: where its door was renewed, to the new one; where it
    /// has none that opens, to one of a new epoch.
    pub fn device_lines(
        &mut self,
        room: &RoomInfo,
        wanted: &str,
    ) -> Result<NewDevice, MemberError> {
        let DeviceInfo { id, plain, .. } = self.device_named(room, wanted)?;
        let recipient = if room.is_sealed() && plain == Plain::Refuse {
            let known = self.room_keys(room.id)?.door(id);
            let none = || MemberError::distrust("the room's epoch has no door of this device");
            let door = match known {
                Some(door) => Some(door),
                None => self.rotate(room.id)?.door(id),
            };
            Some(door.ok_or_else(none)?)
        } else {
            None
        };
        let topic = Topic::Door(room.id, id).to_string();
        Ok(NewDevice { id, token: TOKEN.into(), recipient, topic })
    }

    /// Says what becomes of a device's posts in clear, by name or id.
    pub fn change_device(
        &self,
        room: &RoomInfo,
        wanted: &str,
        plain: Plain,
    ) -> Result<DeviceInfo, MemberError> {
        let device = self.device_named(room, wanted)?;
        self.rest.patch(&format!("/api/devices/{}", device.id), &json!({ "plain": plain }))
    }

    fn device_named(&self, room: &RoomInfo, wanted: &str) -> Result<DeviceInfo, MemberError> {
        let devices = self.devices(room.id)?;
        let names = devices.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ");
        let named = |one: &DeviceInfo| one.name == wanted || one.id.to_string() == wanted;
        devices.into_iter().find(named).ok_or_else(|| MemberError::Refused {
            code: "not_found".into(),
            message: format!("there is no device `{wanted}` in {}", room.name),
            hint: names,
        })
    }

    /// Ends a device, by name or id; in a sealed room with an epoch that drops its door.
    pub fn remove_device(&mut self, room: &RoomInfo, wanted: &str) -> Result<(), MemberError> {
        let device = self.device_named(room, wanted)?;
        self.rest.delete(&format!("/api/devices/{}", device.id))?;
        if room.is_sealed() {
            self.rotate(room.id)?;
        }
        Ok(())
    }

    /// Where the box's MQTT listener is, as seen from here.
    pub fn mqtt_address(&self) -> Result<Address, MemberError> {
        let doors = self.doors()?;
        match self.rest.over_tls() {
            true => doors.mqtts.ok_or(MemberError::NoMqtt),
            false => Ok(doors.mqtt),
        }
    }

    /// How a device reaches the box, as seen from here.
    pub fn doors(&self) -> Result<Doors, MemberError> {
        let Health { mqtt, tls } = self.rest.get("/health")?;
        let mut mqtt = Address::from(mqtt.ok_or(MemberError::NoMqtt)?);
        let host = self.url().rsplit('/').next().unwrap_or_default();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host).to_string();
        if ["0.0.0.0", "::"].contains(&mqtt.host.as_str()) {
            mqtt.host.clone_from(&host);
        }
        let mqtts = tls.as_ref().and_then(|tls| tls.mqtts);
        Ok(Doors {
            mqtt,
            mqtts: mqtts.map(|mqtts| Address { host, port: mqtts.port(), tls: true }),
            web: Some(self.url().to_string()),
            own: tls.is_some_and(|tls| tls.own),
        })
    }
}
