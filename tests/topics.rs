//! The topics in `docs/asyncapi.yaml`, `docs/topics.md` and `docs/protocol.md` are those of
//! `protocol/src/topic.rs`, and the three agree in who publishes.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use hearth_protocol::ids::{DeviceId, RoomId, UserId};
use hearth_protocol::topic::{Number, Topic};
use yaml_rust2::{Yaml, YamlLoader};

fn document(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(root.join("docs").join(name)).unwrap()
}

fn asyncapi() -> Yaml {
    YamlLoader::load_from_str(&document("asyncapi.yaml")).unwrap().remove(0)
}

fn room() -> RoomId {
    RoomId::new(1, [1; 10])
}

fn user() -> UserId {
    UserId::new(1, [2; 10])
}

fn from() -> UserId {
    UserId::new(1, [3; 10])
}

fn device() -> DeviceId {
    DeviceId::new(1, [4; 10])
}

/// An address with ids in place of its parameters.
fn with_ids(address: &str) -> String {
    address
        .replace("{room}", &room().to_string())
        .replace("{user}", &user().to_string())
        .replace("{from}", &from().to_string())
        .replace("{device}", &device().to_string())
}

/// Each kind of topic with its channel and an example. A new kind does not compile without a row.
macro_rules! kinds {
    ($($kind:pat => $channel:literal, $example:expr;)+) => {
        fn channel(topic: &Topic) -> &'static str {
            match topic { $($kind => $channel,)+ }
        }

        fn topics() -> Vec<Topic> {
            let rows = vec![$(($channel, $example)),+];
            rows.into_iter().map(|(name, topic)| {
                assert_eq!(channel(&topic), name, "{topic} is no example of it");
                topic
            }).collect()
        }
    };
}

kinds! {
    Topic::RoomIn(_) => "roomIn", Topic::RoomIn(room());
    Topic::Door(..) => "door", Topic::Door(room(), device());
    Topic::RoomOut(_) => "roomOut", Topic::RoomOut(room());
    Topic::Live(..) => "live", Topic::Live(room(), user());
    Topic::Read(..) => "read", Topic::Read(room(), user());
    Topic::Receipts(_) => "receipts", Topic::Receipts(room());
    Topic::Key(_) => "key", Topic::Key(room());
    Topic::Presence(_) => "presence", Topic::Presence(user());
    Topic::Inbox(_) => "inbox", Topic::Inbox(user());
    Topic::Signal(..) => "signal", Topic::Signal(user(), from());
    Topic::Status => "status", Topic::Status;
    Topic::Sys(Number::Connected) => "connected", Topic::Sys(Number::Connected);
    Topic::Sys(Number::Received) => "received", Topic::Sys(Number::Received);
    Topic::Sys(Number::Sent) => "sent", Topic::Sys(Number::Sent);
    Topic::Sys(Number::Dropped) => "dropped", Topic::Sys(Number::Dropped);
    Topic::Sys(Number::Retained) => "retained", Topic::Sys(Number::Retained);
}

/// The row of a table that begins with this address: what stands in its other cells.
fn row<'a>(text: &'a str, address: &str) -> Option<Vec<&'a str>> {
    let start = format!("| `{address}` | ");
    let rest = text.lines().find_map(|line| line.strip_prefix(&start))?;
    Some(rest.trim_end_matches(" |").split(" | ").collect())
}

#[test]
fn every_topic_has_a_channel_with_its_address_and_the_other_way_round() {
    let document = asyncapi();
    let channels = document["channels"].as_hash().unwrap();
    let mut known = BTreeSet::new();
    for topic in topics() {
        let name = channel(&topic);
        let address = document["channels"][name]["address"].as_str().unwrap();
        assert_eq!(with_ids(address), topic.to_string(), "{name}");
        known.insert(name);
    }
    let written: BTreeSet<&str> = channels.keys().map(|key| key.as_str().unwrap()).collect();
    assert_eq!(written, known);
}

#[test]
fn every_address_has_its_parameters_described() {
    for channel in asyncapi()["channels"].as_hash().unwrap().values() {
        let address = channel["address"].as_str().unwrap();
        let named: BTreeSet<&str> = address
            .split('/')
            .filter_map(|level| level.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let described: BTreeSet<&str> = match channel["parameters"].as_hash() {
            Some(parameters) => parameters.keys().map(|key| key.as_str().unwrap()).collect(),
            None => BTreeSet::new(),
        };
        assert_eq!(named, described, "{address}");
    }
}

/// Who publishes to a channel, by its operations: the clients, the box, and whether it retains.
fn publishers(document: &Yaml, channel: &str) -> (bool, bool, bool) {
    let reference = format!("#/channels/{channel}");
    let operations = document["operations"].as_hash().unwrap().values();
    let (mut clients, mut the_box, mut retained) = (false, false, false);
    for operation in operations.filter(|o| o["channel"]["$ref"].as_str() == Some(&reference)) {
        let sends = operation["action"].as_str() == Some("send");
        (clients, the_box) = (clients || !sends, the_box || sends);
        let binding = operation["bindings"]["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        let binding = &document["components"]["operationBindings"][binding]["mqtt"];
        retained |= binding["retain"].as_bool().unwrap();
    }
    (clients, the_box, retained)
}

#[test]
fn the_table_for_people_says_who_publishes_as_the_operations_do() {
    let (document, text) = (asyncapi(), document("topics.md"));
    for (name, channel) in document["channels"].as_hash().unwrap() {
        let address = channel["address"].as_str().unwrap();
        let cells = row(&text, address).unwrap_or_else(|| panic!("topics.md lacks {address}"));
        let [from, to, _] = cells[..] else { panic!("{address}: {cells:?}") };
        let (clients, the_box, retained) = publishers(&document, name.as_str().unwrap());
        let by_the_box = from.starts_with("the box");
        assert_eq!(from == "nobody yet", !clients && !the_box, "{address}: {from}");
        assert_eq!(by_the_box, the_box && !clients, "{address}: {from}");
        assert_eq!(to == "the box", clients && !the_box, "{address}: {to}");
        assert_eq!(from.contains("retained"), retained, "{address}: {from}");
    }
}

#[test]
fn the_protocols_table_has_the_same_topics_and_publishers() {
    let (protocol, people) = (document("protocol.md"), document("topics.md"));
    for channel in asyncapi()["channels"].as_hash().unwrap().values() {
        let address = channel["address"].as_str().unwrap();
        // One row there for all numbers of the broker.
        let there = if address.starts_with("$SYS/") { "$SYS/broker/…" } else { address };
        let cells = row(&protocol, there).unwrap_or_else(|| panic!("protocol.md lacks {there}"));
        let from = row(&people, address).unwrap()[0];
        let by = |who| [cells[0].starts_with(who), from.starts_with(who)];
        for who in ["the box", "nobody yet"] {
            let [one, other] = by(who);
            assert_eq!(one, other, "{address}: {} and {from}", cells[0]);
        }
    }
}

/// Every `$ref` below a value.
fn references<'a>(value: &'a Yaml, found: &mut Vec<&'a str>) {
    match value {
        Yaml::Hash(map) => {
            for (key, value) in map {
                if key.as_str() == Some("$ref") {
                    found.push(value.as_str().unwrap());
                }
                references(value, found);
            }
        }
        Yaml::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn the_document_is_asyncapi_3_and_each_reference_leads_somewhere() {
    let document = asyncapi();
    assert_eq!(document["asyncapi"].as_str(), Some("3.0.0"));
    for server in document["servers"].as_hash().unwrap().values() {
        assert!(!server["security"].as_vec().unwrap().is_empty());
    }
    for operation in document["operations"].as_hash().unwrap().values() {
        assert!(["send", "receive"].contains(&operation["action"].as_str().unwrap()));
    }
    let mut found = vec![];
    references(&document, &mut found);
    assert!(found.len() > 40, "{} references", found.len());
    for reference in found {
        let path = reference.strip_prefix("#/").unwrap();
        let end = path.split('/').fold(&document, |at, key| &at[key]);
        assert!(!end.is_badvalue(), "{reference}");
    }
}
