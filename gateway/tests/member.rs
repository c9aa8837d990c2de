//! People at shells against the real binary: set-up, invite, sealed messages, a device, a kill.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at what cannot be")]

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use hearth_gateway::member::mqtt::{Address, Session};
use hearth_gateway::member::reading::Said;
use hearth_gateway::member::rooms::RoomInfo;
use hearth_gateway::member::{Member, MemberError};
use hearth_protocol::role::{RoomType, Sealing};
use hearth_protocol::sealing::door;
use tempfile::TempDir;

const PASSWORD: &str = "correct horse";

/// A running box in a folder of its own.
struct House {
    folder: TempDir,
    child: Child,
    http: SocketAddr,
    mqtt: SocketAddr,
    setup: String,
}

fn hearth() -> Command {
    Command::new(env!("CARGO_BIN_EXE_hearth"))
}

impl House {
    fn start() -> House {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let folder = tempfile::tempdir().unwrap();
        let (child, http, mqtt, setup) = serve(folder.path(), any, any);
        House { folder, child, http, mqtt, setup }
    }

    fn kill_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        (self.child, ..) = serve(self.folder.path(), self.http, self.mqtt);
    }

    fn profile(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn url(&self) -> String {
        format!("http://{}", self.http)
    }

    fn found(&self, name: &str) -> Member {
        let (_, secret) = self.setup.split_once('#').unwrap();
        let folder = self.profile(name);
        Member::set_up(&self.url(), secret, "Home", name, PASSWORD, &folder).unwrap().0
    }

    fn hearth(&self, name: &str, args: &[&str], input: &str) -> Output {
        let mut child = hearth()
            .arg("--data")
            .arg(self.folder.path().join("data"))
            .arg("--profile")
            .arg(self.profile(name))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    fn connect(&self, member: &Member) -> Session {
        member.connect(&self.address()).unwrap()
    }

    fn address(&self) -> Address {
        Address { host: self.mqtt.ip().to_string(), port: self.mqtt.port() }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if self.child.kill().is_ok() {
            self.child.wait().ok();
        }
    }
}

fn serve(
    folder: &Path,
    http: SocketAddr,
    mqtt: SocketAddr,
) -> (Child, SocketAddr, SocketAddr, String) {
    let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let mut child = hearth()
        .arg("--data")
        .arg(folder.join("data"))
        .args(["serve", "--http", &http.to_string(), "--mqtt", &mqtt.to_string()])
        .args(["--limit", "messages_per_10_s=0"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let http = read_address(&mut out, "http://");
    let mqtt = read_address(&mut out, "and on ");
    let rest = hearth_gateway::member::rest::Rest::new(&format!("http://{http}")).unwrap();
    let needed: serde_json::Value = rest.get("/api/setup").unwrap();
    let mut setup = String::new();
    while needed["needed"] == true && !setup.trim().starts_with("http://") {
        setup.clear();
        assert!(out.read_line(&mut setup).unwrap() > 0, "no set-up link");
    }
    // Whatever it prints later must not block it.
    std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
    (child, http, mqtt, setup.trim().to_string())
}

fn read_address(out: &mut impl BufRead, before: &str) -> SocketAddr {
    let mut line = String::new();
    while out.read_line(&mut line).unwrap() > 0 {
        if let Some((_, rest)) = line.split_once(before) {
            return rest.split_whitespace().next().unwrap().parse().unwrap();
        }
        line.clear();
    }
    panic!("hearth serve ended before it listened");
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
    let house = House::start();
    let mut ada = house.found("ada");
    let room = ada.room("general").unwrap();
    assert!(room.is_sealed());
    let mut adas = house.connect(&ada);
    ada.send(&mut adas, &room, "Is anybody there?").unwrap();
    let link = ada.invite(&room, 1, 7).unwrap();
    let (mut ben, _) = Member::register(&link, "ben", PASSWORD, &house.profile("ben")).unwrap();
    let again = Member::register(&link, "cleo", PASSWORD, &house.profile("cleo"));
    assert!(again.err().unwrap().is("invite_used_up"));
    let mut bens = house.connect(&ben);
    bens.subscribe(&format!("hearth/rooms/{}/out", room.id), &[]).unwrap();
    ben.send(&mut bens, &room, "I am").unwrap();
    ada.send(&mut adas, &room, "Welcome").unwrap();
    let conversation = pairs(&[("ada", "Is anybody there?"), ("ben", "I am"), ("ada", "Welcome")]);
    assert_eq!(said(&mut ada, &room), conversation);
    assert_eq!(said(&mut ben, &room), conversation);
    let mut reader = ben.reader(&room).unwrap();
    let mut live = vec![];
    while live.last().is_none_or(|text| text != "Welcome") {
        let within = std::time::Duration::from_secs(20);
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
    let house = House::start();
    let mut ada = house.found("ada");
    let room = ada.make_room("Cellar", RoomType::Private, Sealing::Sealed).unwrap();
    let output =
        house.hearth("ada", &["device", "add", "washer", "--room", "Cellar", "--json"], "");
    assert!(output.status.success(), "{output:?}");
    let added: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let line = added["line"].as_str().unwrap();
    let port = format!("-p {}", house.mqtt.port());
    assert!(line.contains(" | age -r age1") && line.contains(&port), "{line}");
    let device = &added["device"];
    let text = |key: &str| device[key].as_str().unwrap();
    let post = door::seal(b"Washing done\n", text("recipient").parse().unwrap()).unwrap();
    let connect = |name: &str| Session::connect(&house.address(), name, text("id"), text("token"));
    let pasted = Command::new("sh").args(["-c", line]).status().unwrap();
    assert!(pasted.success(), "{line}");
    connect("washer").unwrap().publish(text("topic"), post.clone()).unwrap();
    let twice = pairs(&[("washer", "Washing done"), ("washer", "Washing done")]);
    assert_eq!(said(&mut ada, &room), twice);
    let elsewhere = format!("hearth/rooms/{}/in", room.id);
    assert!(connect("washer").unwrap().publish(&elsewhere, post).is_err());
    let output = house.hearth("ada", &["device", "remove", "washer"], "");
    assert!(output.status.success(), "{output:?}");
    assert!(connect("washer").is_err());
    let keys = ada.room_keys(room.id).unwrap();
    assert_eq!(keys.current().unwrap().header.doors, []);
    let mut adas = house.connect(&ada);
    ada.send(&mut adas, &room, "Quiet now").unwrap();
}

#[test]
fn the_commands_do_the_same_from_a_shell() {
    let house = House::start();
    drop(house.found("ada"));
    let hearth = |args: &[&str], input: &str| {
        let output = house.hearth("shell", args, input);
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
    let house = House::start();
    let mut ada = house.found("ada");
    let made = house.hearth("x", &["user", "add", "ben", "--password-stdin"], "correct horse\n");
    assert!(made.status.success(), "{made:?}");
    let (mut ben, sheet) =
        Member::login(&house.url(), "ben", PASSWORD, &house.profile("ben")).unwrap();
    assert!(sheet.unwrap().starts_with("AGE-SECRET-KEY-1"));
    let room = ben.room("General").unwrap();
    let mut bens = house.connect(&ben);
    let waiting = ben.send(&mut bens, &room, "Hello").unwrap_err();
    assert!(matches!(waiting, MemberError::NotListed), "{waiting}");
    ada.rotate(room.id).unwrap();
    ben.send(&mut bens, &room, "Hello").unwrap();
    assert_eq!(said(&mut ada, &room), pairs(&[("ben", "Hello")]));
}

#[test]
fn what_was_acknowledged_survives_a_kill_and_numbers_go_on_without_a_gap() {
    let mut house = House::start();
    let mut ada = house.found("ada");
    let room = ada.room("General").unwrap();
    let mut adas = house.connect(&ada);
    for text in ["one", "two"] {
        ada.send(&mut adas, &room, text).unwrap();
    }
    house.kill_and_restart();
    let lost = ada.send(&mut adas, &room, "into the void").unwrap_err();
    assert!(matches!(lost, MemberError::Mqtt { .. }), "{lost}");
    let mut ada = Member::open(&house.profile("ada")).unwrap();
    let mut adas = house.connect(&ada);
    ada.send(&mut adas, &room, "three").unwrap();
    assert_eq!(said(&mut ada, &room), pairs(&[("ada", "one"), ("ada", "two"), ("ada", "three")]));
    assert_eq!(seqs(&ada, &room), [1, 2, 3]);
}

#[test]
fn a_tail_shows_what_comes_and_goes_on_when_the_box_was_away() {
    let mut house = House::start();
    let mut ada = house.found("ada");
    let room = ada.room("General").unwrap();
    let mut tail = hearth()
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
            let line = shown.recv_timeout(std::time::Duration::from_secs(60)).unwrap();
            let line: serde_json::Value = serde_json::from_str(&line).unwrap();
            if line["said"] == "message" {
                seen.push(line["text"].as_str().unwrap().to_string());
            }
        }
        seen
    };
    ada.send(&mut house.connect(&ada), &room, "one").unwrap();
    assert_eq!(until("one"), ["one"]);
    house.kill_and_restart();
    let mut ada = Member::open(&house.profile("ada")).unwrap();
    let mut adas = house.connect(&ada);
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
