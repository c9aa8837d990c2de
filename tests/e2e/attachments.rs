//! Attachments of the running program: what uploads take of its memory, what lies on the disk, and
//! what a kill leaves.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use system_tests::{House, Person};

/// Bytes of an attachment at most (`attachment_bytes_max`).
const MAX: usize = 10 * 1024 * 1024;
/// What nobody may find on the disk.
const CANARY: &[u8] = b"the plumber was here on tuesday";

/// The head of a request, written by hand: nothing retries, follows or buffers.
fn head(method: &str, path: &str, who: &Person, more: &str) -> String {
    let token = &who.token;
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\n{more}\r\n"
    )
}

/// The status, the head and the body of an answer.
fn answer(mut stream: TcpStream) -> (u16, String, Vec<u8>) {
    let mut all = vec![];
    stream.read_to_end(&mut all).unwrap();
    let end = all.windows(4).position(|some| some == b"\r\n\r\n").expect("an answer") + 4;
    let head = String::from_utf8(all[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head, all.split_off(end))
}

fn upload(house: &House, who: &Person, room: &str, bytes: &[u8]) -> (u16, Value) {
    let mut stream = TcpStream::connect(house.http).unwrap();
    let path = format!("/api/attachments/upload?room={room}&filename=bill.pdf");
    let length = format!("Content-Length: {}\r\n", bytes.len());
    stream.write_all(head("POST", &path, who, &length).as_bytes()).unwrap();
    // It may be refused before it was read to its end.
    let _sent = stream.write_all(bytes).is_ok();
    let (status, _, body) = answer(stream);
    (status, serde_json::from_slice(&body).unwrap())
}

fn get(house: &House, who: &Person, id: &str, more: &str) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(house.http).unwrap();
    let path = format!("/api/attachments/{id}");
    stream.write_all(head("GET", &path, who, more).as_bytes()).unwrap();
    answer(stream)
}

/// A PDF of this size with the canary in it, and bytes that differ.
fn pdf(size: usize) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    for line in 0_u64.. {
        if bytes.len() >= size {
            break;
        }
        bytes.extend_from_slice(CANARY);
        bytes.extend_from_slice(&line.to_be_bytes());
    }
    bytes.truncate(size);
    bytes
}

/// Kilobytes of memory at most since the counter was set back (proc(5): VmHWM).
fn peak_kb(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn forget_peak(pid: u32) {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return vec![] };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn holds(path: &Path, some: &[u8]) -> bool {
    fs::read(path).unwrap().windows(some.len()).any(|window| window == some)
}

/// Looks until it is so.
fn until(mut so: impl FnMut() -> bool, otherwise: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !so() {
        assert!(Instant::now() < deadline, "{otherwise}");
        std::thread::yield_now();
    }
}

#[test]
fn uploads_take_no_memory_and_lie_sealed_on_the_disk() {
    let house = House::start();
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    let bytes = pdf(MAX);
    let (status, first) = upload(&house, &anna, &room, &bytes);
    assert_eq!(status, 201, "{first}");
    // What runs once is in memory now.
    get(&house, &anna, first["id"].as_str().unwrap(), "");
    forget_peak(house.pid());
    let before = peak_kb(house.pid());
    std::thread::scope(|scope| {
        let both = [0, 1].map(|_| {
            scope.spawn(|| {
                for _ in 0..10 {
                    let (status, view) = upload(&house, &anna, &room, &bytes);
                    assert_eq!(status, 201, "{view}");
                    let (status, _, read) = get(&house, &anna, view["id"].as_str().unwrap(), "");
                    assert!(status == 200 && read == bytes);
                }
            })
        });
        for one in both {
            one.join().unwrap();
        }
    });
    let after = peak_kb(house.pid());
    println!("{before} kB before, at most {after} kB during 20 uploads of 10 MB, two at a time");
    assert!(after < before + 10 * 1024, "{before} kB before, {after} kB at most");
    let (status, no) = upload(&house, &anna, &room, &pdf(MAX + 1));
    assert_eq!((status, &no["code"]), (413, &Value::from("too_large")));
    let stored = files(&house.data().join("files"));
    assert_eq!(stored.len(), 21);
    for path in files(&house.data()) {
        assert!(!path.is_file() || !holds(&path, CANARY), "{}", path.display());
    }
    let looked = house.run(&["doctor"], "");
    let told = String::from_utf8_lossy(&looked.stdout).into_owned();
    assert!(told.contains("21 attachments take 210 of 10240 MB; most: anna 210 MB"), "{told}");
}

#[test]
fn a_part_of_a_download_is_sent_alone() {
    let house = House::start();
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    let bytes = pdf(1_000_000);
    let (_, view) = upload(&house, &anna, &room, &bytes);
    let id = view["id"].as_str().unwrap();
    let (status, head, body) = get(&house, &anna, id, "Range: bytes=500000-\r\n");
    assert!(status == 206 && body == bytes[500_000..], "{head}");
    assert!(head.contains("content-range: bytes 500000-999999/1000000"), "{head}");
    assert!(head.contains("content-security-policy: sandbox"), "{head}");
    let (status, head, body) = get(&house, &anna, id, "Range: bytes=1000000-\r\n");
    assert_eq!((status, body.len()), (416, 0), "{head}");
}

#[test]
fn an_upload_that_kill_9_cuts_leaves_nothing() {
    let mut house = House::start();
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    let (status, whole) = upload(&house, &anna, &room, &pdf(200_000));
    assert_eq!(status, 201);
    let folder = house.data().join("files");
    let stored = || files(&folder);
    let before = stored();
    let mut stream = TcpStream::connect(house.http).unwrap();
    let path = format!("/api/attachments/upload?room={room}");
    let length = format!("Content-Length: {MAX}\r\n");
    stream.write_all(head("POST", &path, &anna, &length).as_bytes()).unwrap();
    stream.write_all(&pdf(MAX / 2)).unwrap();
    until(|| stored().len() > before.len(), "the upload did not begin");
    house.kill();
    house.restart();
    let used = |house: &House| {
        let (status, used) = house.call("GET", "/api/settings/storage", Some(&anna), None);
        assert_eq!(status, 200, "{used}");
        used["house"]["files"].clone()
    };
    assert_eq!(used(&house), 1);
    let (status, _, read) = get(&house, &anna, whole["id"].as_str().unwrap(), "");
    assert!(status == 200 && read == pdf(200_000));
    // The first round of sweeps begins with the start.
    until(|| stored() == before, "the rest stays");
}

#[test]
fn curl_uploads_a_form_and_the_file_itself() {
    let house = House::start();
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    let folder = house.profile("curl");
    fs::create_dir(&folder).unwrap();
    let (file, bytes) = (folder.join("Käse.pdf"), pdf(3_000_000));
    fs::write(&file, &bytes).unwrap();
    let url = format!("{}/api/attachments/upload?room={room}", house.url());
    let (form, raw) = (format!("file=@{}", file.display()), format!("@{}", file.display()));
    for (flag, what, name) in [("-F", form, "Käse.pdf"), ("--data-binary", raw, "file.pdf")] {
        let token = format!("Authorization: Bearer {}", anna.token);
        let ran = Command::new("curl").args(["-sS", "-H", &token, flag, &what, &url]).output();
        let ran = ran.unwrap();
        let view: Value = serde_json::from_slice(&ran.stdout).unwrap_or_default();
        assert_eq!(view["filename"], name, "{}", String::from_utf8_lossy(&ran.stderr));
        let (_, _, read) = get(&house, &anna, view["id"].as_str().unwrap(), "");
        assert!(read == bytes, "{flag}");
    }
    // A refusal reaches whoever is still sending.
    fs::write(&file, vec![b'x'; 3_000_000]).unwrap();
    let token = format!("Authorization: Bearer {}", anna.token);
    let form = format!("file=@{}", file.display());
    let args = ["-sS", "-H", &token, "-H", "Expect:", "-F", &form, &url];
    let ran = Command::new("curl").args(args).output().unwrap();
    let no: Value = serde_json::from_slice(&ran.stdout).unwrap_or_default();
    assert_eq!(no["code"], "bad_type", "{}", String::from_utf8_lossy(&ran.stderr));
}
