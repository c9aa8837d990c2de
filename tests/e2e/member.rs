//! People at shells against the real binary: set-up, invite, sealed messages, a device, a kill.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use hearth_gateway::member::mqtt::Session;
use hearth_gateway::member::reading::Said;
use hearth_gateway::member::rooms::RoomInfo;
use hearth_gateway::member::{Member, MemberError};
use hearth_protocol::role::{RoomType, Sealing};
use hearth_protocol::sealing::door;
use system_tests::House;
use system_tests::house::binary;
use system_tests::shell::{OVER_TLS, PASSWORD};

/// A house without the limit on how fast people write.
fn house() -> House {
    House::with(&["--limit", "messages_per_10_s=0"])
}

/// Runs a command as the person of a profile.
fn shell(house: &House, name: &str, args: &[&str], input: &str) -> Output {
    let profile = house.profile(name);
    house.run(&[&["--profile", profile.to_str().unwrap()], args].concat(), input)
}

fn connect(house: &House, member: &Member) -> Session {
    member.connect(&house.mqtt.into()).unwrap()
}

/// What people and devices said in a room, as this member reads it.
fn said(member: &mut Member, room: &RoomInfo) -> Vec<(String, String)> {
    let mut reader = member.reader(room).unwrap();
    let lines = reader.history(member, 200).unwrap();
    let said = lines.into_iter().filter(|line| line.said != Said::Line);
    said.map(|line| (line.name, line.text)).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect()
}

#[test]
fn two_people_write_sealed_and_a_newcomer_reads_what_was_before() {
    let house = house();
    let mut ada = house.found("ada");
    let room = ada.room("general").unwrap();
    assert!(room.is_sealed());
    let mut adas = connect(&house, &ada);
    ada.send(&mut adas, &room, "Is anybody there?").unwrap();
    let link = ada.invite(&room, 1, 7).unwrap();
    let (mut ben, _) = Member::register(&link, "ben", PASSWORD, &house.profile("ben")).unwrap();
    let again = Member::register(&link, "cleo", PASSWORD, &house.profile("cleo"));
    assert!(again.err().unwrap().is("invite_used_up"));
    let mut bens = connect(&house, &ben);
    bens.subscribe(&format!("hearth/rooms/{}/out", room.id), &[]).unwrap();
    ben.send(&mut bens, &room, "I am").unwrap();
    ada.send(&mut adas, &room, "Welcome").unwrap();
    let conversation = pairs(&[("ada", "Is anybody there?"), ("ben", "I am"), ("ada", "Welcome")]);
    assert_eq!(said(&mut ada, &room), conversation);
    assert_eq!(said(&mut ben, &room), conversation);
    let mut reader = ben.reader(&room).unwrap();
    let mut live = vec![];
    while live.last().is_none_or(|text| text != "Welcome") {
        let within = Duration::from_secs(20);
        let message = bens.next(within).unwrap().expect("a message");
        live.push(reader.payload(&mut ben, &message.payload).unwrap().text);
    }
    assert_eq!(live, ["I am", "Welcome"]);
    // the same person on another machine
    let url = house.url();
    let (mut elsewhere, sheet) =
        Member::login(&url, "ben", PASSWORD, &house.profile("elsewhere")).unwrap();
    assert!(sheet.is_none());
    assert_eq!(said(&mut elsewhere, &room), conversation);
    let wrong = Member::login(&url, "ben", "wrong horse", &house.profile("other"));
    assert!(wrong.err().unwrap().is("wrong_login"));
}

#[test]
fn a_device_posts_sealed_and_an_ended_one_cannot() {
    let house = house();
    let mut ada = house.found("ada");
    let room = ada.make_room("Cellar", RoomType::Private, Sealing::Sealed).unwrap();
    let output =
        shell(&house, "ada", &["device", "add", "washer", "--room", "Cellar", "--json"], "");
    assert!(output.status.success(), "{output:?}");
    let added: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let lines: Vec<_> =
        added["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let port = format!("-p {}", house.mqtt.port());
    assert!(lines[0].contains(" | age -r age1") && lines[0].contains(&port), "{lines:?}");
    assert!(lines[1].contains(&format!("curl -sS --fail-with-body {}", house.url())), "{lines:?}");
    let device = &added["device"];
    let text = |key: &str| device[key].as_str().unwrap();
    let post = door::seal(b"Washing done\n", text("recipient").parse().unwrap()).unwrap();
    let as_device =
        |name: &str| Session::connect(&house.mqtt.into(), name, text("id"), text("token"));
    for line in &lines {
        let pasted = Command::new("sh").args(["-c", line]).output().unwrap();
        assert!(pasted.status.success(), "{line}: {pasted:?}");
    }
    as_device("washer").unwrap().publish(text("topic"), post.clone()).unwrap();
    assert_eq!(said(&mut ada, &room), pairs(&[("washer", "Washing done"); 3]));
    let elsewhere = format!("hearth/rooms/{}/in", room.id);
    assert!(as_device("washer").unwrap().publish(&elsewhere, post).is_err());
    let output = shell(&house, "ada", &["device", "remove", "washer"], "");
    assert!(output.status.success(), "{output:?}");
    assert!(as_device("washer").is_err());
    let keys = ada.room_keys(room.id).unwrap();
    assert_eq!(keys.current().unwrap().header.doors, []);
    let mut adas = connect(&house, &ada);
    ada.send(&mut adas, &room, "Quiet now").unwrap();
}

#[test]
fn a_member_elsewhere_signs_in_and_writes_over_tls_where_the_houses_certificate_is_the_right_one() {
    let house = House::with(&OVER_TLS);
    let mut ada = house.found("ada");
    let room = ada.room("general").unwrap();
    let (url, print) = (house.secure_url(), house.print());
    let file = house.profile("ca.crt");
    std::fs::write(&file, house.run(&["ca"], "").stdout).unwrap();
    let login = |profile: &str, more: &[&str]| {
        let args = ["login", &url, "--user", "ada", "--password-stdin"];
        shell(&house, profile, &[&args, more].concat(), &format!("{PASSWORD}\n"))
    };
    let failed = |output: Output| {
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let stranger = failed(login("unknown", &[]));
    assert!(stranger.contains("certificate"), "{stranger}");
    let other = print.replace(&print[..2], if print.starts_with("00") { "11" } else { "00" });
    let other = failed(login("other", &["--fingerprint", &other]));
    assert!(other.contains("another fingerprint"), "{other}");
    let mut written = vec![];
    for (profile, how) in
        [("by-print", ["--fingerprint", &print]), ("by-file", ["--ca", file.to_str().unwrap()])]
    {
        let output = login(profile, &how);
        assert!(output.status.success(), "{output:?}");
        let output = shell(&house, profile, &["send", "General", profile], "");
        assert!(output.status.success(), "{output:?}");
        written.push(("ada", profile));
        let read = shell(&house, profile, &["tail", "General", "--no-follow"], "");
        assert!(String::from_utf8(read.stdout).unwrap().contains(profile));
        let left = std::fs::read_dir(house.profile(profile)).unwrap();
        let is_socket = |name: &str| name.ends_with(".sock");
        let names = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert!(!names.into_iter().any(|name| is_socket(&name)), "nothing is left behind");
    }
    assert_eq!(said(&mut ada, &room), pairs(&written));
}

#[test]
fn the_commands_do_the_same_from_a_shell() {
    let house = house();
    drop(house.found("ada"));
    let hearth = |args: &[&str], input: &str| {
        let output = shell(&house, "shell", args, input);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, _, problem) = hearth(&["send", "General", "hello"], "");
    assert_eq!(code, Some(1));
    assert!(problem.contains("hearth login"), "{problem}");
    let url = house.url();
    let (code, _, problem) = hearth(&["login", &url, "--user", "ada", "--password-stdin"], "no\n");
    assert!(code == Some(1) && problem.contains("password is wrong"), "{problem}");
    let password = format!("{PASSWORD}\n");
    let (code, said, problem) =
        hearth(&["login", &url, "--user", "ada", "--password-stdin"], &password);
    assert_eq!(code, Some(0), "{problem}");
    assert!(said.contains("General"), "{said}");
    for text in ["Bread", "and butter"] {
        let (code, _, problem) = hearth(&["send", "general", text], "");
        assert_eq!(code, Some(0), "{problem}");
    }
    let (code, said, problem) = hearth(&["tail", "General", "-n", "2", "--no-follow"], "");
    assert_eq!(code, Some(0), "{problem}");
    let said: Vec<_> = said.lines().map(|line| line.split_once("  ").unwrap().1).collect();
    assert_eq!(said, ["ada: Bread", "ada: and butter"]);
    let (code, _, problem) = hearth(&["send", "Attic", "hello"], "");
    assert_eq!(code, Some(1));
    assert!(problem.contains("there is no room `Attic`") && problem.contains("General"));
    let (code, invite, _) = hearth(&["invite", "--json"], "");
    assert_eq!(code, Some(0));
    let invite: serde_json::Value = serde_json::from_str(&invite).unwrap();
    assert!(invite["link"].as_str().unwrap().starts_with(&format!("{url}/i/")));
}

#[test]
fn an_account_made_by_the_box_gets_its_keys_and_its_sheet_at_the_first_login() {
    let house = house();
    let mut ada = house.found("ada");
    let made = shell(&house, "x", &["user", "add", "ben", "--password-stdin"], "correct horse\n");
    assert!(made.status.success(), "{made:?}");
    let (mut ben, sheet) =
        Member::login(&house.url(), "ben", PASSWORD, &house.profile("ben")).unwrap();
    assert!(sheet.unwrap().starts_with("AGE-SECRET-KEY-1"));
    let room = ben.room("General").unwrap();
    let mut bens = connect(&house, &ben);
    let waiting = ben.send(&mut bens, &room, "Hello").unwrap_err();
    assert!(matches!(waiting, MemberError::NotListed), "{waiting}");
    ada.rotate(room.id).unwrap();
    ben.send(&mut bens, &room, "Hello").unwrap();
    assert_eq!(said(&mut ada, &room), pairs(&[("ben", "Hello")]));
}

#[test]
fn what_was_acknowledged_survives_a_kill_and_numbers_go_on_without_a_gap() {
    let mut house = house();
    let mut ada = house.found("ada");
    let room = ada.room("General").unwrap();
    let mut adas = connect(&house, &ada);
    for text in ["one", "two"] {
        ada.send(&mut adas, &room, text).unwrap();
    }
    house.kill();
    house.restart();
    let lost = ada.send(&mut adas, &room, "into the void").unwrap_err();
    assert!(matches!(lost, MemberError::Mqtt { .. }), "{lost}");
    let mut ada = Member::open(&house.profile("ada")).unwrap();
    let mut adas = connect(&house, &ada);
    ada.send(&mut adas, &room, "three").unwrap();
    assert_eq!(said(&mut ada, &room), pairs(&[("ada", "one"), ("ada", "two"), ("ada", "three")]));
    assert_eq!(seqs(&ada, &room), [1, 2, 3]);
}

#[test]
fn a_tail_shows_what_comes_and_goes_on_when_the_box_was_away() {
    let mut house = house();
    let mut ada = house.found("ada");
    let room = ada.room("General").unwrap();
    let mut tail = Command::new(binary())
        .arg("--profile")
        .arg(house.profile("ada"))
        .args(["tail", "General", "-n", "1", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (lines, shown) = std::sync::mpsc::sync_channel(100);
    let out = BufReader::new(tail.stdout.take().unwrap());
    std::thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                break;
            }
        }
    });
    let until = |text: &str| {
        let mut seen = vec![];
        while seen.last().is_none_or(|last| last != text) {
            let line = shown.recv_timeout(Duration::from_secs(120)).unwrap();
            let line: serde_json::Value = serde_json::from_str(&line).unwrap();
            if line["said"] == "message" {
                seen.push(line["text"].as_str().unwrap().to_string());
            }
        }
        seen
    };
    ada.send(&mut connect(&house, &ada), &room, "one").unwrap();
    assert_eq!(until("one"), ["one"]);
    house.kill();
    house.restart();
    let mut ada = Member::open(&house.profile("ada")).unwrap();
    let mut adas = connect(&house, &ada);
    ada.send(&mut adas, &room, "two").unwrap();
    ada.send(&mut adas, &room, "three").unwrap();
    assert_eq!(until("three"), ["two", "three"]);
    tail.kill().unwrap();
    tail.wait().unwrap();
}

/// The numbers that the sealed events of a room carry.
fn seqs(member: &Member, room: &RoomInfo) -> Vec<u64> {
    use hearth_protocol::bytes::from_b64u;
    use hearth_protocol::sealing::event::WireHeader;
    let path = format!("/api/rooms/{}/messages?limit=200", room.id);
    let page: serde_json::Value = member.rest().get(&path).unwrap();
    let items = page["messages"].as_array().unwrap().iter();
    let events = items.filter(|item| item["class"] == 1);
    let wires = events.map(|item| from_b64u(item["sealed"].as_str().unwrap()).unwrap());
    wires.map(|wire| WireHeader::parse(&wire).unwrap().seq).collect()
}
