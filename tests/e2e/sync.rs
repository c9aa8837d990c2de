//! Under strace: the disk's sync returns before the PUBACK is written, and before a backup has its
//! name.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::process::Command;

use system_tests::House;
use system_tests::house::binary;

/// Ends the traced appliance itself: strace would only let go of it.
fn stop_traced(house: &House) {
    let strace = house.pid();
    let children = fs::read_to_string(format!("/proc/{strace}/task/{strace}/children")).unwrap();
    for child in children.split_whitespace() {
        assert!(Command::new("kill").args(["-TERM", child]).status().unwrap().success());
    }
}

#[test]
fn the_sync_returns_before_the_puback_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("calls");
    let calls = "trace=fdatasync,fsync,recvfrom,read,write,writev,sendto,sendmsg";
    let wrapper = ["strace", "-f", "-s", "64", "-e", calls, "-o", log.to_str().unwrap()];
    let mut house = House::under(&wrapper, &[]);
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    let (host, port) = (house.mqtt.ip().to_string(), house.mqtt.port().to_string());
    let topic = format!("hearth/rooms/{room}/in");
    let sent = Command::new("mosquitto_pub")
        .args(["-h", &host, "-p", &port, "-q", "1", "-u", "anna", "-P", &anna.token])
        .args(["-V", "mqttv311", "-t", &topic, "-m", "hello"])
        .status()
        .unwrap();
    assert!(sent.success());
    stop_traced(&house);
    house.wait();
    let trace = fs::read_to_string(&log).unwrap();
    let lines: Vec<_> = trace.lines().collect();
    let at = |what: &dyn Fn(&str) -> bool, from: usize| {
        lines.iter().skip(from).position(|line| what(line)).map(|found| found + from)
    };
    let came_in = at(&|line| line.contains(&topic[..30]) && line.contains("\"2"), 0)
        .expect("the PUBLISH was read");
    // PUBACK in MQTT 3.1.1: 0x40 0x02 and the packet id, 1.
    let acknowledged = at(&|line| line.contains(r#""@\2\0\1""#), came_in).expect("a PUBACK");
    let synced = |line: &str| line.contains("sync") && line.trim_end().ends_with("= 0");
    let synced = at(&synced, came_in).expect("a sync");
    assert!(synced < acknowledged, "PUBACK (line {acknowledged}) before the sync ({synced})");
}

#[test]
fn a_backup_gets_its_name_when_it_is_synced_and_its_folder_is_synced_after_that() {
    let mut house = House::start();
    house.person("anna");
    let (key, file) = (house.profile("backup.key"), house.profile("house.backup"));
    assert!(house.run(&["backup", "key", key.to_str().unwrap()], "").status.success());
    house.stop();
    let log = house.profile("calls");
    let calls = "trace=write,writev,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2";
    let traced = Command::new("strace")
        .args(["-f", "-y", "-s", "0", "-e", calls, "-o", log.to_str().unwrap()])
        .arg(binary())
        .arg("--data")
        .arg(house.data())
        .args(["backup", file.to_str().unwrap()])
        .output()
        .expect("strace is installed");
    assert!(traced.status.success() && file.exists(), "{traced:?}");
    let trace = fs::read_to_string(&log).unwrap();
    let lines: Vec<_> = trace.lines().collect();
    let part = format!("<{}.part>", file.display());
    let folder = format!("<{}>", file.parent().unwrap().display());
    let is_sync_of = |line: &str, path: &str| line.contains("sync(") && line.contains(path);
    let renamed = |line: &&str| line.contains("rename") && line.contains("house.backup.part\", ");
    let named = lines.iter().position(renamed).expect("it gets its name");
    let (before, after) = lines.split_at(named);
    let last_of_part = before.iter().rev().find(|line| line.contains(&part)).expect("written");
    assert!(is_sync_of(last_of_part, &part), "before the rename: {last_of_part}");
    assert!(before.iter().filter(|line| line.contains(&part)).count() > 2, "it is written");
    assert!(after.iter().any(|line| is_sync_of(line, &folder)), "the folder is synced");
}
