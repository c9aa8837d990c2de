//! Makes a small data folder with something of everything, to be stored as a file of its layout
//! (`store/tests/fixtures/layout-N`): `HEARTH_BIN=OLD_BINARY cargo run -p system-tests --example
//! old_data -- FOLDER`. Run it with the last binary of a layout, before that changes.
//!
//! Beside the data and its key it writes `holds.json`: what tests ask of it later.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use hearth_gateway::member::Member;
use hearth_gateway::member::mqtt::Session;
use hearth_protocol::bytes::b64u;
use hearth_protocol::role::{RoomType, Sealing};
use hearth_protocol::sealing::door;
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use serde_json::{Value, json};
use system_tests::{House, Person};

const PASSWORD: &str = "correct horse";

fn main() {
    let folder = std::env::args().nth(1).expect("the folder to make");
    let folder = Path::new(&folder);
    let mut house = House::start();
    let holds = fill(&house);
    house.stop();
    fs::create_dir_all(folder.join("data/keys")).unwrap();
    for file in ["data/hearth.db", "data/keys/keyfile.age", "data.key"] {
        let base = house.data();
        fs::copy(base.parent().unwrap().join(file), folder.join(file)).unwrap();
    }
    fs::write(folder.join("holds.json"), format!("{holds:#}\n")).unwrap();
}

/// Fills a house; what it holds then.
fn fill(house: &House) -> Value {
    let secret = house.setup.as_deref().and_then(|link| link.split_once('#')).unwrap().1;
    let (mut ada, _) =
        Member::set_up(&house.url(), secret, "Home", "ada", PASSWORD, &house.profile("ada"))
            .unwrap();
    let general = ada.room("General").unwrap();
    let link = ada.invite(&general, 1, 365).unwrap();
    let (mut ben, _) = Member::register(&link, "ben", PASSWORD, &house.profile("ben")).unwrap();
    let unused = ada.invite(&general, 3, 365).unwrap();
    let mut adas = ada.connect(&house.mqtt.into()).unwrap();
    let mut bens = ben.connect(&house.mqtt.into()).unwrap();
    ada.send(&mut adas, &general, "Sealed hello").unwrap();
    ben.send(&mut bens, &general, "Sealed answer").unwrap();

    let kitchen = ada.make_room("Kitchen", RoomType::Public, Sealing::Open).unwrap();
    let ben_at_rest = person(&ben);
    house.join(&ben_at_rest, &kitchen.id.to_string());
    ada.send(&mut adas, &kitchen, "Open hello").unwrap();
    ben.send(&mut bens, &kitchen, "Open answer").unwrap();

    let (device, device_token) = open_device(house, &ben_at_rest);
    let sensor = ada.add_device(&general, "sensor", false).unwrap();
    let post = door::seal(b"21 degrees", sensor.recipient.unwrap()).unwrap();
    let mut session =
        Session::connect(&house.mqtt.into(), "sensor", &sensor.id.to_string(), &sensor.token);
    session.as_mut().unwrap().publish(&sensor.topic, post).unwrap();
    ada.rotate(general.id).unwrap();
    ada.send(&mut adas, &general, "After the rotation").unwrap();
    let ada_at_rest = person(&ada);
    let app = json!({ "label": "kitchen tablet" });
    let (status, app) = house.call("POST", "/api/auth/tokens", Some(&ada_at_rest), Some(app));
    assert_eq!(status, 201, "{app}");
    plain_topics(house, &ada_at_rest);
    json!({
        "house": "Home",
        "password": PASSWORD,
        "users": { "ada": ada.user(), "ben": ben.user() },
        "rooms": { "General": general.id, "Kitchen": kitchen.id },
        "said": {
            "General": ["Sealed hello", "Sealed answer", "21 degrees", "After the rotation"],
            "Kitchen": ["Open hello", "Open answer", "Soup is ready"],
        },
        "open_device": { "id": device, "name": "stove", "token": device_token },
        "sealed_device": { "id": sensor.id, "name": "sensor", "token": sensor.token },
        "app_token": app["token"],
        "unused_invite": { "code": unused.code, "uses": 3, "secret": b64u(unused.k.as_bytes()) },
        "grant": { "user": "ada", "filter": "shelly/#" },
        "retained": { "topic": "shelly/plug/state", "payload": "on" },
        "session": {
            "client_id": "wall", "user": "ada", "filter": "shelly/#", "waiting": ["on", "off"]
        },
    })
}

/// A member as one who asks by REST.
fn person(member: &Member) -> Person {
    let token = member.rest().token().unwrap().to_string();
    Person { name: member.name().to_string(), id: member.user().to_string(), token }
}

/// A device in the open room, with one post.
fn open_device(house: &House, reader: &Person) -> (String, String) {
    let added = house.run(&["device", "add", "stove", "--room", "Kitchen", "--json"], "");
    assert!(added.status.success(), "{added:?}");
    let added: Value = serde_json::from_slice(&added.stdout).unwrap();
    let added = &added["new_device"];
    let text = |value: &Value| value.as_str().unwrap().to_string();
    let (id, token) = (text(&added["device"]["id"]), text(&added["token"]));
    let room = text(&added["device"]["room"]);
    let mut session = Session::connect(&house.mqtt.into(), "stove", &id, &token).unwrap();
    let topic = format!("hearth/rooms/{room}/door/{id}");
    session.publish(&topic, b"Soup is ready".to_vec()).unwrap();
    let posts = house.messages(reader, &room);
    assert!(posts.iter().any(|post| post["content"] == "Soup is ready"), "{posts:?}");
    (id, token)
}

/// A grant, a retained message, and a session with a message waiting: rows of the shelf.
fn plain_topics(house: &House, ada: &Person) {
    let granted = house.run(&["grant", "add", "shelly/#", "--user", "ada"], "");
    assert!(granted.status.success(), "{granted:?}");
    let connect = |client_id: &str, clean: bool| {
        let mut options =
            MqttOptions::new(client_id, house.mqtt.ip().to_string(), house.mqtt.port());
        options.set_credentials(&ada.name, &ada.token).set_clean_session(clean);
        options.set_keep_alive(Duration::from_secs(30));
        Client::new(options, 16)
    };
    let (wall, mut events) = connect("wall", false);
    wall.subscribe("shelly/#", QoS::AtLeastOnce).unwrap();
    let subscribed = |event: &Event| matches!(event, Event::Incoming(Packet::SubAck(_)));
    assert!(events.iter().map(Result::unwrap).any(|event| subscribed(&event)));
    drop((wall, events));
    let (plug, mut events) = connect("plug", true);
    for (payload, retain) in [("on", true), ("off", false)] {
        plug.publish("shelly/plug/state", QoS::AtLeastOnce, retain, payload).unwrap();
        let acked = |event: &Event| matches!(event, Event::Incoming(Packet::PubAck(_)));
        assert!(events.iter().map(Result::unwrap).any(|event| acked(&event)));
    }
}
