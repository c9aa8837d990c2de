//! Backups with the real binary: made while people write, killed in between, restored elsewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hearth_gateway::member::Member;
use hearth_gateway::member::mqtt::Session;
use hearth_gateway::member::reading::Said;
use hearth_protocol::ids::EventId;
use rand::RngExt;
use serde_json::{Value, json};
use system_tests::house::{binary, command};
use system_tests::shell::{PASSWORD, good, refused, stock_key, text};
use system_tests::{House, Person, Publisher};
use tokio::sync::watch;

/// What anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// What was said in a room, as this member reads it.
fn said(member: &mut Member, room: &str) -> Vec<String> {
    let room = member.room(room).unwrap();
    let lines = member.reader(&room).unwrap().history(member, 200).unwrap();
    lines.into_iter().filter(|line| line.said != Said::Line).map(|line| line.text).collect()
}

/// Publishes new messages until it is told to stop; the ids that were acknowledged.
async fn publish(mut publisher: Publisher, mut stop: watch::Receiver<bool>) -> Vec<EventId> {
    let mut number = 0;
    loop {
        if publisher.outstanding() < 20 && !*stop.borrow_and_update() {
            number += 1;
            publisher.publish(EventId::new(number, rand::rng().random()), "meanwhile");
        }
        if publisher.outstanding() == 0 {
            assert_eq!(publisher.refused, [], "the house refused messages");
            return publisher.acknowledged;
        }
        assert!(publisher.step().await, "the connection is gone");
    }
}

/// Every event of a room, lines of the box too: position and id.
fn events(house: &House, who: &Person, room: &str) -> Vec<(u64, Value)> {
    let (mut all, mut after) = (vec![], 0);
    loop {
        let path = format!("/api/rooms/{room}/messages?limit=200&after={after}");
        let (status, page) = house.call("GET", &path, Some(who), None);
        assert_eq!(status, 200, "{page}");
        let page = page["messages"].as_array().unwrap();
        let Some(last) = page.last() else { return all };
        after = last["position"].as_u64().unwrap();
        let event = |item: &Value| (item["position"].as_u64().unwrap(), item["id"].clone());
        all.extend(page.iter().map(event));
    }
}

/// Restores a backup into `data` of a folder, with the key beside the old house.
fn restore(old: &House, folder: &Path) -> String {
    let (file, key) = (old.beside("house.backup"), old.beside("backup.key"));
    good(command(&folder.join("data"), &["restore", &file, "--identity", &key], ""))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_made_while_people_write_is_the_same_house_on_another_machine() {
    let old = House::with(&["--limit", "messages_per_10_s=0"]);
    let folder = old.beside("house.backup");
    let (file, key) = (folder.as_str(), old.beside("backup.key"));
    let (room, device, people) = tokio::task::block_in_place(|| {
        let mut ada = old.found("ada");
        let general = ada.room("General").unwrap();
        let mut adas = ada.connect(&old.mqtt.into()).unwrap();
        ada.send(&mut adas, &general, "Sealed before the backup").unwrap();
        let people: Vec<_> = (0..4).map(|one| old.person(&format!("person_{one}"))).collect();
        let room = old.open_room(&people[0], "Kitchen");
        people[1..].iter().for_each(|person| old.join(person, &room));
        let args = ["device", "add", "stove", "--room", "Kitchen", "--json"];
        let device: Value = serde_json::from_str(&good(old.run(&args, ""))).unwrap();
        assert!(good(old.run(&["backup", "key", &key], "")).contains("age1"));
        (room, device["new_device"].clone(), people)
    });
    let (stop, stopped) = watch::channel(false);
    let writers: Vec<_> = people
        .iter()
        .map(|person| Publisher::new(old.mqtt, &person.name, &person.token, &room))
        .map(|publisher| tokio::spawn(publish(publisher, stopped.clone())))
        .collect();
    tokio::task::block_in_place(|| {
        let before = events(&old, &people[0], &room).len();
        while events(&old, &people[0], &room).len() < before + 100 {}
        let first = good(old.run(&["backup", file, "--json"], ""));
        let between = events(&old, &people[0], &room).len();
        while events(&old, &people[0], &room).len() == between {}
        // Another one of the same name, while the writers go on.
        let second = good(old.run(&["backup", file, "--json"], ""));
        let rows = |text: &str| serde_json::from_str::<Value>(text).unwrap()["rows"].clone();
        assert!(rows(&second).as_u64() > rows(&first).as_u64(), "{first} {second}");
        let after = events(&old, &people[0], &room).len();
        while events(&old, &people[0], &room).len() < after + 100 {}
    });
    stop.send_replace(true);
    let mut acknowledged = HashSet::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap().iter().map(|id| json!(id)));
    }
    tokio::task::block_in_place(|| {
        let all = events(&old, &people[0], &room);
        let there: HashSet<_> = all.iter().map(|(_, id)| id.clone()).collect();
        assert!(acknowledged.is_subset(&there), "the backup harmed what was acknowledged");
        assert!(
            good(old.run(&["backup", file, "--check", "--identity", &key], ""))
                .contains("is whole: Home")
        );
        let new = House::upon(|folder| assert!(restore(&old, folder).contains("Home is in")), &[]);
        assert_eq!(new.setup, None, "somebody lives there");
        let person = new.sign_in("person_0");
        let restored = events(&new, &person, &room);
        assert_eq!(restored, all[..restored.len()], "the history of one moment");
        let positions = restored.iter().map(|(position, _)| *position);
        assert!(positions.eq(1..=restored.len() as u64), "without gaps");
        assert!(restored.len() > 100 && restored.len() < all.len());
        // The sealed room reads and goes on, with the old password.
        let profile = new.profile("ada");
        let (mut ada, sheet) = Member::login(&new.url(), "ada", PASSWORD, &profile).unwrap();
        assert!(sheet.is_none());
        let general = ada.room("General").unwrap();
        let mut adas = ada.connect(&new.mqtt.into()).unwrap();
        ada.send(&mut adas, &general, "And after it").unwrap();
        assert_eq!(said(&mut ada, "General"), ["Sealed before the backup", "And after it"]);
        // A token of before is one still, and the device posts.
        let (status, _) = new.call("GET", "/api/rooms", Some(&people[0]), None);
        assert_eq!(status, 200);
        let (id, token) = (&device["device"]["id"], &device["token"]);
        let (id, token) = (id.as_str().unwrap(), token.as_str().unwrap());
        let mut stove = Session::connect(&new.mqtt.into(), "stove", id, token).unwrap();
        let door = format!("hearth/rooms/{room}/door/{id}");
        stove.publish(&door, b"Soup".to_vec()).unwrap();
        assert_eq!(events(&new, &person, &room).len(), restored.len() + 1);
        // Its backups open with the key of before.
        good(new.run(&["backup", &new.beside("again")], ""));
        good(new.run(&["backup", &new.beside("again"), "--check", "--identity", &key], ""));
    });
}

/// Runs a command that is not waited for.
fn begin(data: &Path, args: &[&str]) -> Child {
    let mut command = Command::new(binary());
    command.arg("--data").arg(data).args(args).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Tries until the kill came in the middle: on a busy machine what was to be killed may be done
/// before this process has its turn again.
fn cut_short(mut cut: impl FnMut() -> bool) {
    assert!((0..20).any(|_| cut()), "each kill came too late");
}

/// Waits until something is so; `false` if it was not in time.
fn until(so: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    while !so() {
        if begun.elapsed() > PATIENCE {
            return false;
        }
        std::thread::yield_now();
    }
    true
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |meta| meta.len())
}

/// A house with a backup key, and an attachment that takes a while.
fn large() -> House {
    let house = House::start();
    drop(house.found("ada"));
    good(house.run(&["backup", "key", &house.beside("backup.key")], ""));
    let shelf = house.data().join("files/ab");
    fs::create_dir_all(&shelf).unwrap();
    File::create(shelf.join("large")).unwrap().set_len(48 << 20).unwrap();
    house
}

#[test]
fn a_kill_while_a_backup_is_made_leaves_no_file_that_looks_whole() {
    let mut house = large();
    let file = house.profile("house.backup");
    let part = house.profile("house.backup.part");
    let key = house.beside("backup.key");
    let whole = &["backup", file.to_str().unwrap(), "--check", "--identity", &key];
    // Begins a backup of which so much is there, or all; whoever asked for it.
    let begun = |house: &House, mib: u64| {
        // What the last one left is not this backup's.
        for left in [&part, &file].into_iter().filter(|left| left.exists()) {
            fs::remove_file(left).unwrap();
        }
        let asking = begin(&house.data(), &["backup", file.to_str().unwrap()]);
        let is_due = || part.exists() && size(&part) >= mib << 20 || file.exists();
        assert!(until(is_due), "a backup of {mib} MiB");
        asking
    };
    for mib in [0, 1, 20] {
        cut_short(|| {
            let mut asking = begun(&house, mib);
            house.kill();
            let told_done = asking.wait().unwrap().success();
            house.restart();
            if file.exists() {
                good(house.run(whole, ""));
                return false;
            }
            assert!(!told_done, "killed at {mib} MiB: whoever asked is told");
            true
        });
    }
    good(house.run(&["backup", file.to_str().unwrap()], ""));
    good(house.run(whole, ""));
    assert!(!part.exists());
    // A stop gives up a backup, and leaves nothing of it.
    cut_short(|| {
        let mut asking = begun(&house, 1);
        house.stop();
        let told_done = asking.wait().unwrap().success();
        assert!(!part.exists());
        if file.exists() {
            house.restart();
            return false;
        }
        assert!(!told_done);
        true
    });
}

#[test]
fn a_kill_while_a_backup_is_restored_leaves_no_folder_that_looks_whole() {
    let mut house = large();
    good(house.run(&["backup", &house.beside("house.backup")], ""));
    house.stop();
    let new = tempfile::tempdir().unwrap();
    let (data, half) = (new.path().join("data"), new.path().join("data.restoring"));
    let (file, key) = (house.beside("house.backup"), house.beside("backup.key"));
    let args = ["restore", &file, "--identity", &key];
    let stages: [(&str, u64); 4] =
        [("keys", 0), ("hearth.db", 1), ("files/ab/large", 1), ("files/ab/large", 30 << 20)];
    let is_whole = || !half.exists() && size(&data.join("files/ab/large")) == 48 << 20;
    for (stage, bytes) in stages {
        cut_short(|| {
            let mut restoring = begin(&data, &args);
            let there = half.join(stage);
            let is_due = || there.exists() && size(&there) >= bytes || data.exists();
            assert!(until(is_due), "{stage}");
            restoring.kill().unwrap();
            restoring.wait().unwrap();
            if data.exists() {
                assert!(is_whole(), "killed at {stage}");
                fs::remove_dir_all(&data).unwrap();
                return false;
            }
            true
        });
    }
    restore(&house, new.path());
    assert!(is_whole());
    refused(&command(&data, &args, ""), "is not empty; restore into a new folder");
}

/// A path that a traced call names in `<…>`.
fn path_of(line: &str) -> Option<PathBuf> {
    let (_, rest) = line.split_once('<')?;
    Some(rest.split_once('>')?.0.into())
}

#[test]
fn a_restored_folder_gets_its_name_when_all_in_it_is_synced() {
    let mut house = House::start();
    drop(house.found("ada"));
    good(house.run(&["backup", "key", &house.beside("backup.key")], ""));
    let shelf = house.data().join("files/ab");
    fs::create_dir_all(&shelf).unwrap();
    fs::write(shelf.join("cat"), vec![1; 200_000]).unwrap();
    good(house.run(&["backup", &house.beside("house.backup")], ""));
    house.stop();
    let new = tempfile::tempdir().unwrap();
    let (data, log) = (new.path().join("data"), new.path().join("calls"));
    let calls = "trace=write,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2";
    let traced = Command::new("strace")
        .args(["-f", "-y", "-s", "0", "-e", calls, "-o", log.to_str().unwrap()])
        .arg(binary())
        .arg("--data")
        .arg(&data)
        .args(["restore", &house.beside("house.backup")])
        .args(["--identity", &house.beside("backup.key")])
        .output()
        .expect("strace is installed");
    good(traced);
    let (mut dirty, mut written, mut named) = (HashSet::new(), 0, false);
    for line in fs::read_to_string(&log).unwrap().lines() {
        if line.contains("rename") && line.contains("data.restoring\", ") {
            assert!(dirty.is_empty(), "renamed before {dirty:?} were synced");
            named = true;
        }
        let Some(path) = path_of(line).filter(|path| path.starts_with(new.path())) else {
            continue;
        };
        if line.contains("sync(") {
            dirty.remove(&path);
        } else {
            written += 1;
            dirty.insert(path);
        }
    }
    assert!(named && written > 10, "{written} writes");
}

#[test]
fn the_box_says_what_its_backups_lack_and_makes_them_running_or_not() {
    let mut house = House::start();
    drop(house.found("ada"));
    let file = house.beside("house.backup");
    refused(&house.run(&["backup", &file], ""), "hearth backup key FILE");
    assert!(good(house.run(&["doctor"], "")).contains("this house has no backup: `hearth backup"));
    let key = house.beside("backup.key");
    let told = good(house.run(&["backup", "key", &key], ""));
    assert!(told.contains("away from this box"), "{told}");
    let once = house.beside("other.key");
    refused(&house.run(&["backup", "key", &once], ""), "--replace");
    assert!(!Path::new(&once).exists(), "a key that opens nothing");
    assert!(good(house.run(&["doctor"], "")).contains("no backup yet"));
    for running in [true, false] {
        if !running {
            house.stop();
        }
        let made: Value =
            serde_json::from_str(&good(house.run(&["backup", &file, "--json"], ""))).unwrap();
        assert_eq!(made["bytes"], size(Path::new(&file)));
        good(house.run(&["backup", &file, "--check", "--identity", &key], ""));
        let doctor = good(house.run(&["doctor"], ""));
        assert!(doctor.contains("the last backup is of the last 24 hours"), "{doctor}");
    }
    // Printed, for the backups to come; the old one opens with the old key only.
    let printed = good(house.run(&["backup", "key", "--replace"], ""));
    let printed = printed.lines().find(|line| line.contains("AGE-SECRET-KEY-1")).unwrap();
    let check = ["backup", file.as_str(), "--check", "--identity", "-"];
    refused(&house.run(&check, printed), "does not open with this key");
    good(house.run(&["backup", &file], ""));
    assert!(good(house.run(&check, printed)).contains("is whole"));
    refused(&house.run(&check, "nonsense"), "no line AGE-SECRET-KEY-1");
    let photo = house.beside("photo.jpg");
    fs::write(&photo, "a cat").unwrap();
    refused(&house.run(&["backup", &photo], ""), "is there already and is no backup");
}

#[test]
fn others_can_be_named_who_open_a_backup() {
    let house = House::start();
    drop(house.found("ada"));
    let file = house.beside("house.backup");
    let key = house.beside("friend.key");
    let recipient = stock_key(&key);
    let recipient = recipient.as_str();
    good(house.run(&["backup", &file, "--to", recipient], ""));
    good(house.run(&["backup", &file, "--check", "--identity", &key], ""));
    let opened = Command::new("age").args(["-d", "-i", &key, &file]).output().unwrap();
    assert!(opened.stdout.starts_with(b"hearth-backup\n\x01"), "{}", text(&opened));
    let many: Vec<_> = (0..17).flat_map(|_| ["--to", recipient]).collect();
    let args = [&["backup", &file][..], &many].concat();
    refused(&house.run(&args, ""), "at most 16 recipients");
    good(house.run(&args[..args.len() - 2], ""));
}
