//! A member's own data as plain files, or as one sealed file.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use hearth_gateway::member::Member;
use hearth_protocol::event::{Body, Event};
use hearth_protocol::ids::{EventId, RoomId};
use hearth_protocol::role::{RoomType, Sealing};
use hearth_protocol::sealing::{AgeIdentity, Hash, Secret, agefile};
use serde_json::{Value, json};
use system_tests::House;
use system_tests::shell::{PASSWORD, good, refused, stock_key, text};

/// Runs a command as the person of a profile.
fn shell(house: &House, who: &str, args: &[&str]) -> std::process::Output {
    house.run(&[&["--profile", &house.beside(who)], args].concat(), "")
}

#[test]
fn an_export_holds_what_its_member_may_read_and_nothing_else() {
    let mut house = House::with(&["--limit", "messages_per_10_s=0"]);
    let mut ada = house.found("ada");
    let general = ada.room("General").unwrap();
    let link = ada.invite(&general, 1, 7).unwrap();
    let (mut ben, _) = Member::register(&link, "ben", PASSWORD, &house.profile("ben")).unwrap();
    let mut adas = ada.connect(&house.mqtt.into()).unwrap();
    let mut bens = ben.connect(&house.mqtt.into()).unwrap();
    let diary = ben.make_room("Diary", RoomType::Private, Sealing::Sealed).unwrap();
    ben.send(&mut bens, &diary, "Secret").unwrap();
    // More than one page.
    for number in 0..210 {
        ada.send(&mut adas, &general, &format!("Number {number}")).unwrap();
    }
    let kitchen = ada.make_room("Kitchen", RoomType::Public, Sealing::Open).unwrap();
    ada.send(&mut adas, &kitchen, "In clear").unwrap();
    let shell = |house: &House, args: &[&str]| shell(house, "ada", args);
    let folder = house.profile("mine");
    good(shell(&house, &["export", folder.to_str().unwrap()]));
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let texts = |file: &str| -> Vec<String> {
        let lines = read(file);
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let said = lines.filter(|line| line["said"] == "message");
        said.map(|line| line["event"]["content"].as_str().unwrap().to_string()).collect()
    };
    let numbers: Vec<_> = (0..210).map(|number| format!("Number {number}")).collect();
    assert_eq!(texts("rooms/General.jsonl"), numbers);
    assert_eq!(texts("rooms/Kitchen.jsonl"), ["In clear"]);
    assert!(read("profile.json").contains("\"ada\"") && read("rooms.json").contains("Kitchen"));
    let mut names: Vec<_> = fs::read_dir(folder.join("rooms")).unwrap().collect();
    names.retain(|name| name.as_ref().unwrap().file_name() == "Diary.jsonl");
    assert_eq!(names.len(), 0, "others' rooms are not in it");
    refused(&shell(&house, &["export", folder.to_str().unwrap()]), "is there already");
    // As one file, which this account opens, and who was named.
    let key = house.beside("key");
    let recipient = stock_key(&key);
    let sealed = house.beside("mine.age");
    good(shell(&house, &["export", &sealed, "--sealed", "--to", &recipient]));
    let opened = good(shell(&house, &["export", &sealed, "--open"]));
    assert!(opened.lines().count() > 210 && opened.contains("Number 209"));
    let stock = Command::new("age").args(["-d", "-i", &key, &sealed]).output().unwrap();
    assert_eq!(text(&stock), opened);
    let bens = house.run(&["--profile", &house.beside("ben"), "export", &sealed, "--open"], "");
    assert_eq!(bens.status.code(), Some(1), "{bens:?}");
    // A box that goes away leaves no export that looks whole.
    house.stop();
    assert_eq!(shell(&house, &["export", &house.beside("late")]).status.code(), Some(1));
    assert!(!house.profile("late").exists());
}

/// Uploads a file for a room; its id.
fn upload(member: &Member, room: RoomId, name: &str, bytes: &[u8]) -> String {
    let url = member.url();
    let url = format!("{url}/api/attachments/upload?room={room}&filename={name}");
    let token = format!("Bearer {}", member.rest().token().unwrap());
    let sent = ureq::post(&url).header("authorization", &token).send(bytes);
    let view: Value =
        serde_json::from_reader(sent.unwrap().body_mut().as_reader()).expect("an attachment");
    view["id"].as_str().unwrap().to_string()
}

/// A message that shows this.
fn showing(id: Option<EventId>, attachment: Value) -> Event {
    let mut event = Event::message("Look");
    event.id = id;
    if let Body::Message { attachments, .. } = &mut event.body {
        attachments.push(attachment);
    }
    event
}

/// What stands in an opened sealed export.
fn values(opened: &str) -> Vec<Value> {
    opened.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_export_holds_people_and_opened_files_too() {
    let house = House::with(&["--limit", "messages_per_10_s=0"]);
    let mut ada = house.found("ada");
    let carl = house.person("carl");
    let general = ada.room("General").unwrap();
    let link = ada.invite(&general, 1, 7).unwrap();
    let (ben, _) = Member::register(&link, "ben", PASSWORD, &house.profile("ben")).unwrap();
    let note = json!({ "note": "from the pool" });
    let _: Value = ada.rest().put(&format!("/api/contacts/{}", ben.user()), &note).unwrap();
    let _: Value = ada.rest().put(&format!("/api/blocks/{}", carl.id), &json!({})).unwrap();
    let mut session = ada.connect(&house.mqtt.into()).unwrap();
    // A picture of three pieces in an open room, a letter in a sealed one.
    let picture = [&b"\x89PNG\r\n\x1a\n"[..], &[7; 100_000]].concat();
    let kitchen = ada.make_room("Kitchen", RoomType::Public, Sealing::Open).unwrap();
    let id = upload(&ada, kitchen.id, "cat.png", &picture);
    ada.send_event(&mut session, &kitchen, showing(None, json!({ "id": id }))).unwrap();
    let identity = AgeIdentity::from_scalar(&Secret::from_bytes([3; 32])).unwrap();
    let letter = agefile::seal("a letter", &[identity.recipient()], b"Dear Ada").unwrap();
    let sealed_as = |id: &str, hash: Hash| {
        let identity = identity.to_text();
        json!({ "id": id, "identity": *identity, "sha256": hash, "name": "a letter.txt" })
    };
    for (number, hash) in [(1, Hash::of(&letter)), (2, Hash::ZERO)] {
        let id = upload(&ada, general.id, "x", &letter);
        let event = EventId::new(number, [1; 10]);
        let shown = format!("/api/attachments/{id}/message");
        let _: Value = ada.rest().put(&shown, &json!({ "event": event })).unwrap();
        let message = showing(Some(event), sealed_as(&id, hash));
        ada.send_event(&mut session, &general, message).unwrap();
    }

    let folder = house.profile("mine");
    let told = good(shell(&house, "ada", &["export", folder.to_str().unwrap()]));
    assert!(told.contains("2 files") && told.contains("1 more files are missing"), "{told}");
    let part = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(folder.join(format!("{name}.json"))).unwrap()).unwrap()
    };
    let contacts = &part("contacts")["contacts"];
    assert_eq!(
        (&contacts[0]["user"]["name"], &contacts[0]["note"]),
        (&json!("ben"), &note["note"])
    );
    assert_eq!(part("blocks")["blocks"][0]["user"]["name"], "carl");
    assert!(!part("sessions")["sessions"].as_array().unwrap().is_empty());
    assert!(part("rooms")["rooms"][0]["read_position"].is_u64());
    assert!(part("rooms")["rooms"][0]["notify"].is_string());
    assert!(part("notifications")["notifications"].is_array());
    let files = part("files")["files"].as_array().unwrap().clone();
    let problems: Vec<_> = files.iter().filter(|file| file["problem"].is_string()).collect();
    assert_eq!((files.len(), problems.len()), (3, 1), "{files:?}");
    assert!(problems[0]["problem"].as_str().unwrap().contains("not the file"), "{problems:?}");
    let read = |folder: &Path, name: &str| {
        let file = files.iter().find(|file| file["name"] == name && file["path"].is_string());
        fs::read(folder.join(file.unwrap()["path"].as_str().unwrap())).unwrap()
    };
    assert!(read(&folder, "cat.png") == picture);
    assert_eq!(read(&folder, "a letter.txt"), b"Dear Ada");

    // The same in one age file, which the stock programs open.
    let key = house.beside("key");
    let (sealed, recipient) = (house.beside("mine.age"), stock_key(&key));
    good(shell(&house, "ada", &["export", &sealed, "--sealed", "--to", &recipient]));
    let opened = text(&Command::new("age").args(["-d", "-i", &key, &sealed]).output().unwrap());
    let values = values(&opened);
    for name in ["profile", "rooms", "contacts", "blocks", "sessions", "notifications", "files"] {
        let sealed = values.iter().find(|value| value["part"] == name).expect(name);
        // The login that made it was used since.
        assert!(sealed["value"] == part(name) || ["profile", "sessions"].contains(&name), "{name}");
    }
    let again = house.profile("again");
    fs::create_dir_all(again.join("files")).unwrap();
    for path in files.iter().filter_map(|file| file["path"].as_str()) {
        let pieces = values.iter().filter(|value| value["file"] == path);
        let pieces: Vec<_> = pieces.map(|piece| piece["base64"].as_str().unwrap()).collect();
        let base64 = again.join("base64");
        fs::write(&base64, pieces.concat()).unwrap();
        let out = fs::File::create(again.join(path)).unwrap();
        let mut decode = Command::new("base64");
        decode.arg("-d").arg(&base64).stdout(Stdio::from(out));
        assert!(decode.status().unwrap().success());
    }
    assert!(read(&again, "cat.png") == picture);
    assert_eq!(read(&again, "a letter.txt"), b"Dear Ada");
}

#[test]
fn an_export_goes_on_past_a_room_that_is_not_believed_and_says_which() {
    let house = House::start();
    let mut ada = house.found("ada");
    let mut session = ada.connect(&house.mqtt.into()).unwrap();
    let den = ada.make_room("Den", RoomType::Private, Sealing::Sealed).unwrap();
    for room in [&ada.room("General").unwrap(), &den] {
        ada.send(&mut session, room, "Still here").unwrap();
    }
    // As if the box showed another first epoch than it did before.
    let memory = house.profile("ada").join("rooms.json");
    let mut known: Value = serde_json::from_slice(&fs::read(&memory).unwrap()).unwrap();
    known[den.id.to_string()]["head"][1] = json!(Hash::ZERO);
    fs::write(&memory, known.to_string()).unwrap();
    let folder = house.profile("mine");
    let output = shell(&house, "ada", &["export", folder.to_str().unwrap()]);
    refused(&output, "lacks 1 of your rooms");
    let told = text(&output);
    assert!(told.contains("Den is not in it") && told.contains("the room is split"), "{told}");
    let general = fs::read_to_string(folder.join("rooms/General.jsonl")).unwrap();
    assert!(general.contains("Still here"));
    assert!(!folder.join("rooms/Den.jsonl").exists());
    let left_out = fs::read_to_string(folder.join("left_out.json")).unwrap();
    let left_out: Value = serde_json::from_str(&left_out).unwrap();
    assert_eq!(left_out["rooms"][0]["room"], json!(den.id));
    let output = shell(&house, "ada", &["--json", "export", &house.beside("again")]);
    assert_eq!(output.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["rooms"], &told["left_out"][0]["name"]), (&json!(1), &json!("Den")));
}
