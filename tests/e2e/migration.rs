//! A house that was set up with an older program goes on with this one.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use hearth_gateway::member::Member;
use hearth_gateway::member::mqtt::Session;
use hearth_gateway::member::reading::Said;
use hearth_protocol::bytes::from_b64u;
use hearth_protocol::sealing::Secret;
use hearth_protocol::sealing::invite::Link;
use rumqttc::{Client, Event, MqttOptions, Packet};
use serde_json::Value;
use system_tests::{House, Person};

/// The stored house of a layout, running with this program, and what it holds.
fn stored(layout: u32) -> (House, Value) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let stored = root.join(format!("store/tests/fixtures/layout-{layout}"));
    let holds = serde_json::from_slice(&fs::read(stored.join("holds.json")).unwrap()).unwrap();
    let put = |folder: &Path| {
        fs::create_dir_all(folder.join("data/keys")).unwrap();
        for file in ["data.key", "data/keys/keyfile.age", "data/hearth.db"] {
            fs::copy(stored.join(file), folder.join(file)).unwrap();
            fs::set_permissions(folder.join(file), fs::Permissions::from_mode(0o600)).unwrap();
        }
    };
    (House::upon(put, &[]), holds)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn said(member: &mut Member, room: &str) -> Vec<String> {
    let room = member.room(room).unwrap();
    let lines = member.reader(&room).unwrap().history(member, 200).unwrap();
    lines.into_iter().filter(|line| line.said != Said::Line).map(|line| line.text).collect()
}

#[test]
fn a_house_of_layout_1_goes_on_with_this_program() {
    let (mut house, holds) = stored(1);
    assert_eq!(house.setup, None, "somebody lives there");
    let password = text(&holds["password"]);
    let login = |house: &House, name: &str| {
        Member::login(&house.url(), name, password, &house.profile(name)).unwrap().0
    };
    let mut ada = login(&house, "ada");
    for (room, lines) in holds["said"].as_object().unwrap() {
        let lines: Vec<_> = lines.as_array().unwrap().iter().map(text).collect();
        assert_eq!(said(&mut ada, room), lines, "{room}");
    }
    let general = ada.room("General").unwrap();
    let mut adas = ada.connect(&house.mqtt.into()).unwrap();
    ada.send(&mut adas, &general, "With the new program").unwrap();
    // What opened something opens it still.
    let (device, room) = (&holds["open_device"], text(&holds["rooms"]["Kitchen"]));
    let (id, token) = (text(&device["id"]), text(&device["token"]));
    let mut stove = Session::connect(&house.mqtt.into(), "stove", id, token).unwrap();
    stove.publish(&format!("hearth/rooms/{room}/door/{id}"), b"Tea".to_vec()).unwrap();
    let app = Person {
        name: "ada".into(),
        id: text(&holds["users"]["ada"]).into(),
        token: text(&holds["app_token"]).into(),
    };
    let posts = house.messages(&app, room);
    assert!(posts.iter().any(|post| post["content"] == "Tea"), "{posts:?}");
    wall(&house, &app, &holds["session"]);
    // Somebody comes by an invite of before, and reads what was before.
    let invite = &holds["unused_invite"];
    let link = Link {
        origin: house.url(),
        code: text(&invite["code"]).parse().unwrap(),
        k: Secret::from_slice("an invite", &from_b64u(text(&invite["secret"])).unwrap()).unwrap(),
    };
    let (mut cleo, _) = Member::register(&link, "cleo", password, &house.profile("cleo")).unwrap();
    assert_eq!(said(&mut cleo, "General").last().unwrap(), "With the new program");
    // All of it is there after a restart.
    house.stop();
    house.restart();
    let mut ben = login(&house, "ben");
    assert_eq!(said(&mut ben, "General").last().unwrap(), "With the new program");
    assert_eq!(said(&mut ben, "Kitchen").last().unwrap(), "Tea");
}

/// A session of before gets what waited in it.
fn wall(house: &House, ada: &Person, session: &Value) {
    let (host, port) = (house.mqtt.ip().to_string(), house.mqtt.port());
    let mut options = MqttOptions::new(text(&session["client_id"]), host, port);
    options.set_credentials(&ada.name, &ada.token).set_clean_session(false);
    options.set_keep_alive(Duration::from_secs(30));
    let (_client, mut events) = Client::new(options, 16);
    let mut waited = vec![];
    let waiting: Vec<_> = session["waiting"].as_array().unwrap().iter().map(text).collect();
    while waited.len() < waiting.len() {
        match events.recv().unwrap().unwrap() {
            Event::Incoming(Packet::ConnAck(ack)) => assert!(ack.session_present),
            Event::Incoming(Packet::Publish(publish)) => {
                waited.push(String::from_utf8(publish.payload.to_vec()).unwrap());
            }
            _ => {}
        }
    }
    assert_eq!(waited, waiting);
}
