//! A member's own data as plain files, or as one sealed file.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::process::{Command, Output};

use hearth_gateway::member::Member;
use hearth_protocol::role::{RoomType, Sealing};
use serde_json::Value;
use system_tests::House;

const PASSWORD: &str = "correct horse";

fn text(output: &Output) -> String {
    String::from_utf8([&output.stdout[..], &output.stderr].concat()).unwrap()
}

fn good(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    text(&output)
}

fn refused(output: &Output, why: &str) {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(output).contains(why), "{}", text(output));
}

/// A path beside the house's data.
fn beside(house: &House, name: &str) -> String {
    house.profile(name).to_str().unwrap().to_string()
}

/// The house's first person.
fn found(house: &House, name: &str) -> Member {
    let secret = house.setup.as_deref().and_then(|link| link.split_once('#')).unwrap().1;
    Member::set_up(&house.url(), secret, "Home", name, PASSWORD, &house.profile(name)).unwrap().0
}

#[test]
fn an_export_holds_what_its_member_may_read_and_nothing_else() {
    let mut house = House::with(&["--limit", "messages_per_10_s=0"]);
    let mut ada = found(&house, "ada");
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
    let shell = |house: &House, args: &[&str]| {
        house.run(&[&["--profile", &beside(house, "ada")], args].concat(), "")
    };
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
    let key = beside(&house, "key");
    let made = Command::new("age-keygen").args(["-o", &key]).output().expect("age is installed");
    let made = text(&made);
    let recipient = made.split_whitespace().find(|word| word.starts_with("age1")).unwrap();
    let sealed = beside(&house, "mine.age");
    good(shell(&house, &["export", &sealed, "--sealed", "--to", recipient]));
    let opened = good(shell(&house, &["export", &sealed, "--open"]));
    assert!(opened.lines().count() > 210 && opened.contains("Number 209"));
    let stock = Command::new("age").args(["-d", "-i", &key, &sealed]).output().unwrap();
    assert_eq!(text(&stock), opened);
    let bens = house.run(&["--profile", &beside(&house, "ben"), "export", &sealed, "--open"], "");
    assert_eq!(bens.status.code(), Some(1), "{bens:?}");
    // A box that goes away leaves no export that looks whole.
    house.stop();
    assert_eq!(shell(&house, &["export", &beside(&house, "late")]).status.code(), Some(1));
    assert!(!house.profile("late").exists());
}
