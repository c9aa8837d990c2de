//! What opens a house and what a thief gets of it, with the real binary.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::json;
use system_tests::house::{House, binary};

const FIRST: &str = "a lamp in the window\n";
const SECOND: &str = "two lamps in the window\n";
const GIVEN: &str = "--passphrase-file=-";

/// What a command said that did what it should.
fn said(output: Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// What a command complained of.
fn complaint(output: Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A house that only a passphrase opens, with Anna in it.
fn behind_a_passphrase(args: &[&str]) -> House {
    let house = House::with(args);
    house.person("anna");
    said(house.run(&["key", "add", "passphrase", GIVEN], FIRST));
    let removed = said(house.run(&["key", "remove", "file", GIVEN], FIRST));
    assert!(removed.contains("unless they guess the passphrase"), "{removed}");
    house
}

#[test]
fn a_locked_box_serves_nothing_until_it_is_unlocked() {
    let mut house = behind_a_passphrase(&["--limit", "unlock_wait_s_max=0"]);
    house.stop();
    house.restart_locked(|house| {
        let (status, health) = house.call("GET", "/health", None, None);
        assert_eq!((status, &health["status"]), (503, &json!("locked")), "{health}");
        for path in ["/", "/api/settings", "/metrics", "/ca.crt"] {
            let (status, no) = house.call("GET", path, None, None);
            assert_eq!((status, &no["code"]), (503, &json!("locked")), "{path}: {no}");
        }
        assert!(TcpStream::connect(house.mqtt).is_err(), "MQTT is not open");
        let other = complaint(house.run(&["user", "list"], ""));
        assert!(other.contains("hearth unlock"), "{other}");
        let wrong = complaint(house.run(&["unlock", GIVEN], SECOND));
        assert!(wrong.contains("wrong passphrase") && wrong.contains("try again"), "{wrong}");
        assert_eq!(said(house.run(&["unlock", GIVEN], FIRST)), "the box is open\n");
    });
    house.sign_in("anna");
    assert_eq!(said(house.run(&["unlock"], "")), "the box is open already\n");
}

#[test]
fn a_box_that_waits_stops_when_it_is_asked_to() {
    let mut house = behind_a_passphrase(&[]);
    house.stop();
    house.restart_locked(|house| {
        said(house.run(&["unlock", GIVEN], FIRST));
    });
    house.stop();
    let mut child = Command::new(binary())
        .args(["--data".as_ref(), house.data().as_os_str()])
        .args(["serve", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("waits for its passphrase"), "{line}");
    let taken = complaint(house.run(&["serve", "--http", "127.0.0.1:0"], ""));
    assert!(taken.contains("in use by another Hearth"), "{taken}");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(child.wait().unwrap().success());
    assert!(!house.data().join("admin.sock").exists());
    let nobody = complaint(house.run(&["unlock"], ""));
    assert!(nobody.contains("hearth serve"), "{nobody}");
}

#[test]
fn another_passphrase_needs_no_other_data_and_ends_the_old_one() {
    let mut house = behind_a_passphrase(&[]);
    house.stop();
    let database = house.data().join("hearth.db");
    let before = fs::read(&database).unwrap();
    let short = house.run(
        &["key", "passphrase", GIVEN, "--new-passphrase-file=-"],
        &format!("{FIRST}too short\n"),
    );
    assert!(complaint(short).contains("12 characters"));
    let lines = format!("{FIRST}{SECOND}");
    said(house.run(&["key", "passphrase", GIVEN, "--new-passphrase-file=-"], &lines));
    assert_eq!(fs::read(&database).unwrap(), before);
    let old = complaint(house.run(&["user", "list", GIVEN], FIRST));
    assert!(old.contains("wrong passphrase"), "{old}");
    assert!(said(house.run(&["user", "list", GIVEN], SECOND)).contains("anna"));
    let unasked = complaint(house.run(&["user", "list"], ""));
    assert!(unasked.contains("--passphrase-file"), "{unasked}");
}

#[test]
fn what_systemd_hands_over_opens_the_house() {
    let mut house = House::start();
    house.person("anna");
    let credentials = house.profile("credentials");
    fs::create_dir(&credentials).unwrap();
    let secret = credentials.join("hearth.key");
    fs::write(&secret, "Zm9yIHRlc3RzIG9ubHk=\n").unwrap();
    let add = ["key", "add", "credential", secret.to_str().unwrap()];
    said(house.run(&add, ""));
    house.stop();
    let as_service = |args: &[&str], folder: &Path| {
        let data = house.data();
        let mut command = Command::new(binary());
        command.env("CREDENTIALS_DIRECTORY", folder).arg("--data").arg(data).args(args);
        command.stdin(Stdio::null()).output().unwrap()
    };
    let outside = complaint(house.run(&["key", "remove", "file"], ""));
    assert!(outside.contains("LoadCredentialEncrypted=hearth.key"), "{outside}");
    let removed = said(as_service(&["key", "remove", "file"], &credentials));
    assert!(removed.contains("encrypted with a TPM"), "{removed}");
    fs::remove_file(house.data().with_extension("key")).unwrap();
    assert!(said(as_service(&["user", "list"], &credentials)).contains("anna"));
    let elsewhere = complaint(as_service(&["user", "list"], Path::new("/nonexistent")));
    assert!(elsewhere.contains("systemd gave no credential"), "{elsewhere}");
    fs::write(&secret, "another secret of the system\n").unwrap();
    let other = complaint(as_service(&["user", "list"], &credentials));
    assert!(other.contains("does not open this data folder"), "{other}");
}

#[test]
fn the_doctor_tries_each_way_and_says_what_a_thief_could_read() {
    let house = House::start();
    let good = said(house.run(&["doctor"], ""));
    let thief = "a thief of this disk reads names, times, sizes and open rooms: the key ";
    assert!(good.contains(thief) && good.contains("`hearth key remove file`, ends that"), "{good}");
    said(house.run(&["key", "add", "passphrase", GIVEN], FIRST));
    let list = said(house.run(&["key", "list"], ""));
    assert_eq!(list.lines().count(), 2, "{list}");
    let tried = said(house.run(&["doctor", GIVEN], FIRST));
    assert!(tried.contains("good  a passphrase opens the data"), "{tried}");
    fs::write(house.data().join("keys/keyfile.age"), "noise").unwrap();
    let output = house.run(&["doctor"], "");
    let bad = String::from_utf8(output.stdout.clone()).unwrap();
    let damaged = bad.lines().find(|line| line.contains("keyfile.age")).unwrap();
    assert!(damaged.starts_with("BAD") && damaged.contains("from a backup"), "{bad}");
    assert!(bad.contains("good  ") && bad.contains("passphrase.age looks whole"), "{bad}");
    complaint(output);
    said(house.run(&["key", "remove", "file", GIVEN], FIRST));
    said(house.run(&["doctor"], ""));
    let last = complaint(house.run(&["key", "remove", "passphrase"], ""));
    assert!(last.contains("the only way"), "{last}");
}

/// A user that owns nothing here.
const NOBODY: u32 = 65_534;

#[test]
fn the_memory_of_the_box_is_not_for_others_of_its_user_nor_for_core_dumps_nor_swap() {
    let folder = tempfile::tempdir().unwrap();
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let (as_user, user) = match is_root {
        true => (format!("setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups"), NOBODY),
        false => ("env".to_string(), fs::metadata(folder.path()).unwrap().uid()),
    };
    chown(folder.path(), Some(user), None).unwrap();
    let of_user = |words: &str| {
        let mut words = words.split(' ');
        let mut command = Command::new(words.next().unwrap());
        command.args(words).stdin(Stdio::null()).stderr(Stdio::null());
        command
    };
    let mut child = of_user(&as_user)
        .arg(binary())
        .args(["--data".as_ref(), folder.path().join("data").as_os_str()])
        .args(["serve", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let stolen = lines.find(|line| line.contains("If it is stolen"));
    let (pid, proc) = (child.id(), |name: &str| format!("/proc/{}/{name}", child.id()));
    let limits = fs::read_to_string(proc("limits")).unwrap();
    let status = fs::read_to_string(proc("status")).unwrap();
    let owner = fs::metadata(proc("mem")).unwrap().uid();
    let read = of_user(&format!("{as_user} cat /proc/{pid}/maps")).output().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(stolen.unwrap().contains("a thief of this disk reads names, times, sizes"));
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    assert_eq!(core.split_whitespace().nth(5), Some("0"), "{core}");
    let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap();
    let locked_kb: u64 = locked.split_whitespace().next().unwrap().parse().unwrap();
    assert!(locked_kb >= 16, "{locked}");
    let uids = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap();
    assert_eq!(uids.split_whitespace().next(), Some(user.to_string().as_str()));
    assert_eq!(owner, 0, "root's, though the process is not");
    assert!(!read.status.success() && read.stdout.is_empty(), "{read:?}");
}

#[test]
fn stock_age_opens_the_data_key_with_the_key_file() {
    let house = House::start();
    let opened = Command::new("age")
        .args(["-d".as_ref(), "-i".as_ref(), house.data().with_extension("key").as_os_str()])
        .arg(house.data().join("keys/keyfile.age"))
        .output()
        .unwrap();
    assert_eq!(opened.stdout.len(), 32, "{}", String::from_utf8_lossy(&opened.stderr));
}
