//! The topics in `docs/asyncapi.yaml` and `docs/topics.md` are those of `protocol/src/topic.rs`.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use hearth_protocol::ids::{DeviceId, RoomId, UserId};
use hearth_protocol::topic::Topic;
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

/// The channel that stands for a topic. A new kind of topic does not compile without one.
fn channel(topic: &Topic) -> &'static str {
    match topic {
        Topic::RoomIn(_) => "roomIn",
        Topic::Door(..) => "door",
        Topic::RoomOut(_) => "roomOut",
        Topic::Live(..) => "live",
        Topic::Read(..) => "read",
        Topic::Receipts(_) => "receipts",
        Topic::Key(_) => "key",
        Topic::Presence(_) => "presence",
        Topic::Inbox(_) => "inbox",
        Topic::Signal(..) => "signal",
        Topic::Status => "status",
    }
}

fn topics() -> Vec<Topic> {
    vec![
        Topic::RoomIn(room()),
        Topic::Door(room(), device()),
        Topic::RoomOut(room()),
        Topic::Live(room(), user()),
        Topic::Read(room(), user()),
        Topic::Receipts(room()),
        Topic::Key(room()),
        Topic::Presence(user()),
        Topic::Inbox(user()),
        Topic::Signal(user(), from()),
        Topic::Status,
    ]
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
fn every_address_has_its_parameters_described_and_a_row_in_the_table_for_people() {
    let document_text = document("topics.md");
    let document = asyncapi();
    for channel in document["channels"].as_hash().unwrap().values() {
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
        assert!(document_text.contains(&format!("| `{address}` |")), "topics.md lacks {address}");
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
