//! `hearth seal` and `hearth open` with stock programs between them: `age`, `mosquitto_pub`,
//! `mosquitto_sub` and `curl` carry what they cannot read.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use hearth_gateway::member::Member;
use hearth_gateway::member::reading::Said;
use hearth_gateway::member::rooms::RoomInfo;
use hearth_protocol::bytes::{b64u, from_b64u};
use hearth_protocol::role::{RoomType, Sealing};
use hearth_protocol::sealing::event::WireHeader;
use hearth_protocol::sealing::vault::{self, Pin, PinState};
use hearth_protocol::sealing::{AgeIdentity, Fingerprint, Secret};
use serde_json::{Value, json};
use system_tests::House;
use system_tests::shell::{PASSWORD, refused, text};

/// Runs a command as the person of a profile; whatever comes in may be binary.
fn hearth(house: &House, who: &str, args: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(system_tests::house::binary());
    command.args(["--profile", &house.beside(who)]).args(args);
    fed(&mut command, input)
}

fn fed(command: &mut Command, input: &[u8]) -> Output {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    // A command that refuses its arguments does not read.
    child.stdin.take().unwrap().write_all(input).ok();
    child.wait_with_output().unwrap()
}

/// What a command wrote that went well.
fn good(output: Output) -> Vec<u8> {
    assert!(output.status.success(), "{}", text(&output));
    output.stdout
}

fn said(member: &mut Member, room: &RoomInfo) -> Vec<String> {
    let lines = member.reader(room).unwrap().history(member, 50).unwrap();
    let said = lines.into_iter().filter(|line| line.said != Said::Line);
    said.map(|line| format!("{}: {}", line.name, line.text)).collect()
}

fn publish(house: &House, topic: &str, user: &str, token: &str, payload: &[u8]) {
    let mut command = Command::new("mosquitto_pub");
    command.args(["-V", "5", "-q", "1", "-h", "127.0.0.1", "-p", &house.mqtt.port().to_string()]);
    good(fed(command.args(["-t", topic, "-u", user, "-P", token, "-s"]), payload));
}

#[test]
fn a_sealed_message_is_carried_by_mosquitto_pub_and_curl_and_opened_again() {
    let house = House::start();
    let mut ada = house.found("ada");
    let room = ada.room("General").unwrap();
    let token: Value = ada.rest().post("/api/auth/tokens", &json!({ "label": "script" })).unwrap();
    let token = token["token"].as_str().unwrap();
    let wire = good(hearth(&house, "ada", &["seal", "General", "by mosquitto_pub"], b""));
    assert_eq!(wire[0], 1, "a sealed event, as sealing.md has it");
    assert!(!text_in(&wire, "mosquitto"));
    publish(&house, &format!("hearth/rooms/{}/in", room.id), "ada", token, &wire);
    // The next one is numbered after it. REST takes what `--json` says as it is.
    let told = good(hearth(&house, "ada", &["seal", "General", "--json"], b"by curl\n"));
    let item: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!(item["topic"], json!(format!("hearth/rooms/{}/in", room.id)));
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--fail", "-H", &format!("authorization: Bearer {token}")]);
    curl.args(["-H", "content-type: application/json", "--data-binary", "@-"]);
    curl.arg(format!("{}/api/rooms/{}/messages", house.url(), room.id));
    good(fed(&mut curl, &told));
    good(hearth(&house, "ada", &["send", "General", "by hearth"], b""));
    let all = ["ada: by mosquitto_pub", "ada: by curl", "ada: by hearth"];
    assert_eq!(said(&mut ada, &room), all);
    // Back: the wire, the JSON, and an item as REST gives it.
    let page: Value = ada.rest().get(&format!("/api/rooms/{}/messages", room.id)).unwrap();
    let items = page["messages"].as_array().unwrap();
    let item = items.iter().find(|one| one["id"] == item["id"]).unwrap().to_string();
    let open = |given: &[u8]| {
        String::from_utf8(good(hearth(&house, "ada", &["open", "General"], given))).unwrap()
    };
    assert_eq!(open(&wire), "by mosquitto_pub\n");
    assert_eq!(open(&told), "by curl\n");
    assert_eq!(open(item.as_bytes()), "by curl\n");
    let line = good(hearth(&house, "ada", &["open", "General", "--json"], &wire));
    let line: Value = serde_json::from_slice(&line).unwrap();
    assert_eq!((&line["name"], &line["said"]), (&json!("ada"), &json!("message")));
    // Nobody else's program, and nothing that was altered.
    let mut altered = wire.clone();
    *altered.last_mut().unwrap() ^= 1;
    refused(&hearth(&house, "ada", &["open", "General"], &altered), "does not open");
    refused(&hearth(&house, "ada", &["open", "General"], b"hello"), "neither a sealed event nor");
    refused(&hearth(&house, "ada", &["open", "General"], b""), "neither a sealed event nor");
    refused(&hearth(&house, "ben", &["open", "General"], &wire), "hearth login");
}

fn text_in(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

#[test]
fn a_message_that_was_sealed_and_never_posted_leaves_no_gap() {
    let house = House::start();
    let mut ada = house.found("ada");
    let room = ada.room("General").unwrap();
    let lost = good(hearth(&house, "ada", &["seal", "General", "thrown away"], b""));
    let lost = WireHeader::parse(&lost).unwrap();
    let next = good(hearth(&house, "ada", &["seal", "General", "the next"], b""));
    let next = WireHeader::parse(&next).unwrap();
    assert_eq!((lost.seq, next.seq), (1, 1), "a number is used once");
    assert_ne!(lost.id, next.id);
    let mut session = ada.connect(&house.mqtt.into()).unwrap();
    ada.send(&mut session, &room, "sent").unwrap();
    assert_eq!(said(&mut ada, &room), ["ada: sent"]);
}

#[test]
fn a_post_for_a_door_needs_no_login_and_is_what_age_makes() {
    let house = House::start();
    let mut ada = house.found("ada");
    let room = ada.room("General").unwrap();
    let device = ada.add_device(&room, "washer", false).unwrap();
    let recipient = device.recipient.unwrap().to_string();
    let (id, token) = (device.id.to_string(), device.token.as_str());
    let post = good(hearth(&house, "nobody", &["seal", &recipient, "Washing done"], b""));
    assert!(post.starts_with(b"age-encryption.org/v1\n"));
    publish(&house, &device.topic, &id, token, &post);
    // The same by the stock command, in armor, as the documents have it.
    let mut age = Command::new("age");
    let armored = good(fed(age.args(["-a", "-r", &recipient]), b"Spinning\n"));
    publish(&house, &device.topic, &id, token, &armored);
    assert_eq!(said(&mut ada, &room), ["washer: Washing done", "washer: Spinning"]);
    for (post, text) in [(&post, "Washing done\n"), (&armored, "Spinning\n")] {
        assert_eq!(good(hearth(&house, "ada", &["open", "General"], post)), text.as_bytes());
    }
    let told = good(hearth(&house, "nobody", &["seal", &recipient, "--json"], b"By JSON"));
    assert_eq!(good(hearth(&house, "ada", &["open", "General"], &told)), b"By JSON\n");
    let other = if recipient[10..].starts_with('z') { "q" } else { "z" };
    let mistyped = format!("{}{other}{}", &recipient[..10], &recipient[11..]);
    refused(&hearth(&house, "nobody", &["seal", &mistyped, "x"], b""), "age recipient");
    let long = vec![b'x'; 64 * 1024 + 1];
    refused(&hearth(&house, "nobody", &["seal", &recipient], &long), "at most 65536");
    // Of another room's device nothing opens here.
    let foreign = AgeIdentity::from_scalar(&Secret::from_bytes([5; 32])).unwrap();
    let foreign = foreign.recipient().to_string();
    let foreign = good(hearth(&house, "nobody", &["seal", &foreign, "x"], b""));
    refused(&hearth(&house, "ada", &["open", "General"], &foreign), "none of the room's devices");
}

#[test]
fn the_box_seals_for_a_device_that_cannot_and_each_post_says_that_it_saw_it() {
    let house = House::start();
    let mut ada = house.found("ada");
    let room = ada.room("General").unwrap();
    let add = |name: &str, more: &[&str]| {
        let args = [&["--json", "device", "add", name, "--room", "General"], more].concat();
        let made: Value = serde_json::from_slice(&good(hearth(&house, "ada", &args, b""))).unwrap();
        assert_eq!(made["device"]["recipient"].is_null(), !more.is_empty());
        made["device"].clone()
    };
    let post = |device: &Value, text: &str| {
        let part = |name: &str| device[name].as_str().unwrap().to_string();
        publish(&house, &part("topic"), &part("id"), &part("token"), text.as_bytes());
    };
    let (plain, other) = (add("boiler", &["--plain"]), add("washer", &[]));
    post(&plain, "All is warm");
    post(&plain, r#"{"text": "61 °C", "title": "Boiler", "box": false}"#);
    let listed: Value = ada.rest().get(&format!("/api/rooms/{}/devices", room.id)).unwrap();
    let how = |at: usize| listed["devices"][at]["plain"].clone();
    assert_eq!((how(0), how(1)), (json!("seal"), json!("refuse")));
    let seen =
        ["boiler: All is warm [the box saw this]", "boiler: Boiler: 61 °C [the box saw this]"];
    assert_eq!(said(&mut ada, &room), seen);
    // What lies on the box is as sealed as other posts.
    let page: Value = ada.rest().get(&format!("/api/rooms/{}/messages", room.id)).unwrap();
    let sealed = page["messages"].as_array().unwrap().iter().filter(|one| one["class"] == 2);
    for one in sealed.clone() {
        let frame = from_b64u(one["sealed"].as_str().unwrap()).unwrap();
        assert!(text_in(&frame, "age-encryption.org/v1") && !text_in(&frame, "warm"));
    }
    assert_eq!(sealed.count(), 2);
    // Its line stays without age; that of the other is as it was told, but for the token.
    let lines = |name: &str| {
        let shown = hearth(&house, "ada", &["device", "line", name, "--room", "General"], b"");
        String::from_utf8(good(shown)).unwrap()
    };
    assert!(!lines("boiler").contains("age1"), "{}", lines("boiler"));
    let recipient = other["recipient"].as_str().unwrap();
    assert!(lines("washer").contains(&format!("| age -r {recipient} | mosquitto_pub")));
    assert!(lines("washer").contains("-P TOKEN -s"), "{}", lines("washer"));
    let none = hearth(&house, "ada", &["device", "line", "dryer", "--room", "General"], b"");
    refused(&none, "no device `dryer`");
    // Taken back: the next one is refused, and that of a device that always had to seal was.
    let args = ["device", "plain", "boiler", "refuse", "--room", "General"];
    assert!(text(&hearth(&house, "ada", &args, b"")).contains("seals its posts itself"));
    let open = ada.make_room("Kitchen", RoomType::Private, Sealing::Open).unwrap();
    let args = ["device", "add", "oven", "--plain", "--room", &open.name];
    refused(&hearth(&house, "ada", &args, b""), "nothing to seal");
    for device in [&plain, &other] {
        let part = |name: &str| device[name].as_str().unwrap();
        let mut command = Command::new("curl");
        command.args(["-sS", "-d", "in clear", &format!("{}/api/door", house.url())]);
        let answered =
            fed(command.args(["-H", &format!("authorization: Bearer {}", part("token"))]), b"");
        assert!(text(&answered).contains("not_sealed"), "{}", text(&answered));
    }
    assert_eq!(said(&mut ada, &room).len(), 2);
}

#[test]
fn an_open_room_has_nothing_to_seal_and_wrong_usage_says_so() {
    let house = House::start();
    let ada = house.found("ada");
    ada.make_room("Yard", RoomType::Public, Sealing::Open).unwrap();
    for command in ["seal", "open"] {
        refused(&hearth(&house, "ada", &[command, "Yard"], b"x"), "open room");
        refused(&hearth(&house, "ada", &[command, "Attic"], b"x"), "there is no room `Attic`");
        assert_eq!(hearth(&house, "ada", &[command], b"").status.code(), Some(2));
    }
}

/// Writes into somebody's vault, as their browser does, that they know other keys of another one.
fn know_otherwise(member: &Member, other: &Member) {
    let served: Value = member.rest().get("/api/vault").unwrap();
    let (user, root) = (member.user(), member.identity().root());
    let version = served["version"].as_u64().unwrap();
    let sealed = from_b64u(served["vault"].as_str().unwrap()).unwrap();
    let mut data = vault::open_data(&sealed, user, version, root).unwrap();
    let fingerprint = Fingerprint::from_bytes([7; 32]);
    let pin = Pin { fingerprint, state: PinState::Verified, at: 1, by: None };
    data.pins.insert(other.user(), pin);
    let mut fill = |out: &mut [u8]| out.fill(9);
    let vault = vault::reseal(user, version + 1, &sealed, root, &data, &mut fill).unwrap();
    let recovery = vault::seal_recovery(user, root, &data).unwrap();
    let (vault, recovery) = (b64u(&vault), b64u(&recovery));
    let put = json!({ "expected_version": version, "vault": vault, "recovery": recovery });
    let _: Value = member.rest().put("/api/vault", &put).unwrap();
}

#[test]
fn who_seals_or_sends_to_keys_that_changed_is_told() {
    let house = House::start();
    let mut ada = house.found("ada");
    let room = ada.room("General").unwrap();
    let link = ada.invite(&room, 1, 7).unwrap();
    let (ben, _) = Member::register(&link, "ben", PASSWORD, &house.profile("ben")).unwrap();
    let warning = |args: &[&str]| {
        let output = hearth(&house, "ada", args, b"");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    for command in ["seal", "send"] {
        assert_eq!(warning(&[command, "General", "before"]), "", "{command}");
    }
    know_otherwise(&ada, &ben);
    for command in ["seal", "send"] {
        let told = warning(&[command, "General", "after"]);
        assert!(told.contains("the keys of ben are others than you knew"), "{command}: {told}");
    }
}
