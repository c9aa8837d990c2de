//! A word that was written sealed is nowhere in the box: not on its disk, in its memory, its logs
//! at their most talkative, what passes on the wire, nor in what it tells others.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use hearth_gateway::member::Member;
use hearth_gateway::member::rooms::RoomInfo;
use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::RoomId;
use hearth_protocol::role::{RoomType, Sealing};
use hearth_protocol::sealing::bundle::Bundle;
use hearth_protocol::sealing::epoch::{EpochKeys, Header, Rules, reason};
use hearth_protocol::sealing::{Hash, Secret, door};
use serde_json::{Value, json};
use system_tests::House;

const PASSWORD: &str = "correct horse";
const SEALED: &str = "a-canary-sings-under-seal";
const POSTED: &str = "a-canary-sings-at-the-door";
/// What a device posts in clear and the box seals.
const SEEN: &str = "a-canary-that-the-box-saw";
const OPEN: &str = "a-parrot-talks-in-the-open";

/// A relay to the box that keeps every byte of both directions.
struct Tap {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    fn before(target: SocketAddr) -> Tap {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(vec![]));
        let tape = heard.clone();
        thread::spawn(move || {
            for from in listener.incoming().map_while(Result::ok) {
                let to = TcpStream::connect(target).unwrap();
                for (from, to) in [(from.try_clone().unwrap(), to.try_clone().unwrap()), (to, from)]
                {
                    let tape = tape.clone();
                    thread::spawn(move || relay(from, to, &tape));
                }
            }
        });
        Tap { address, heard }
    }

    fn hears(&self, word: &str) -> bool {
        contains(&self.heard.lock().unwrap(), word)
    }
}

fn relay(mut from: TcpStream, mut to: TcpStream, tape: &Mutex<Vec<u8>>) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        tape.lock().unwrap().extend_from_slice(&bytes[..count]);
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    // The other side may be gone already.
    to.shutdown(Shutdown::Write).ok();
}

fn contains(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

/// Whether any file below a folder holds the word.
fn on_disk(folder: &Path, word: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return on_disk(&path, word);
        }
        // A socket is no file to read.
        path.is_file() && contains(&fs::read(&path).unwrap(), word)
    })
}

/// Whether any page of a process that can be written holds the word; only root may look.
fn in_memory(pid: u32, word: &str) -> bool {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let mut memory = fs::File::open(format!("/proc/{pid}/mem")).unwrap();
    maps.lines().filter(|line| line.contains(" rw")).any(|line| {
        let (from, to) = line.split_whitespace().next().unwrap().split_once('-').unwrap();
        let place = |text| u64::from_str_radix(text, 16).unwrap();
        let (from, to) = (place(from), place(to));
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        memory.seek(SeekFrom::Start(from)).unwrap();
        // Some mappings, such as the kernel's own, are not to be read.
        memory.read_exact(&mut bytes).is_ok() && contains(&bytes, word)
    })
}

fn is_root() -> bool {
    fs::read_to_string("/proc/self/status").unwrap().contains("Uid:\t0\t0")
}

/// Notifications as they come to somebody.
struct Stream(BufReader<TcpStream>);

impl Stream {
    fn of(member: &Member, address: SocketAddr) -> Stream {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let token = member.rest().token().unwrap();
        let request = "GET /api/notifications/stream HTTP/1.1\r\nHost: localhost\r\n";
        write!(stream, "{request}Authorization: Bearer {token}\r\n\r\n").unwrap();
        let mut stream = Stream(BufReader::new(stream));
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(stream.0.read_line(&mut head).unwrap() > 0, "{head}");
        }
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        stream
    }

    /// What came until there were so many.
    fn until(mut self, count: usize) -> String {
        let mut all = String::new();
        while all.matches("data:").count() < count || !all.ends_with("\n\n") {
            assert!(self.0.read_line(&mut all).unwrap() > 0, "{all}");
        }
        all
    }
}

/// A sealed room of these two, who are alerted to whatever is written there.
fn alone(ada: &Member, ben: &Member) -> RoomInfo {
    let room = RoomId::new(1_760_000_000_000, [7; 10]);
    let keys = EpochKeys::new(room, Secret::from_bytes([8; 32]));
    let both = [ada, ben];
    let header = Header {
        room,
        epoch: 1,
        kid: keys.kid,
        prev: Hash::ZERO,
        rules: Rules::new(RoomType::Direct),
        members: both.map(|one| (one.user(), one.identity().fingerprint(one.user()))).to_vec(),
        joins: vec![],
        doors: vec![],
        invites: vec![],
        back: None,
        by: ada.user(),
        at: 1_760_000_000_000,
        reason: reason::CREATED.into(),
    };
    let to = both.map(|one| one.identity().age.recipient());
    let bundle = Bundle::make(header, &keys.secret, &to, &ada.identity().sign).unwrap();
    let bundle = b64u(&bundle.encode());
    let new = json!({ "id": room, "type": "direct", "user_id": ben.user(), "bundle": bundle });
    ada.rest().post("/api/rooms", &new).unwrap()
}

/// Ada writes to ben alone, and calls him in an open room: what he is told of it, as it comes and
/// when he asks.
fn tell(ada: &mut Member, ben: &mut Member, open: &RoomInfo, taps: [&Tap; 2]) -> [String; 2] {
    let [http, mqtt] = taps;
    let path = format!("/api/rooms/{}/join", open.id);
    let _: Value = ben.rest().post(&path, &json!({})).unwrap();
    let stream = Stream::of(ben, http.address);
    let direct = alone(ada, ben);
    let mut session = ada.connect(&mqtt.address.into()).unwrap();
    ada.send(&mut session, &direct, &format!("{SEALED} to ben alone")).unwrap();
    ada.send(&mut session, open, &format!("{OPEN} to @ben")).unwrap();
    let came = stream.until(2);
    let all: Value = ben.rest().get("/api/notifications").unwrap();
    let kinds: Vec<_> = all["notifications"].as_array().unwrap().iter().collect();
    let kinds: Vec<_> = kinds.iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["mention", "direct_message"]);
    let read = ben.reader(&direct).unwrap().history(ben, 50).unwrap();
    assert!(read.iter().any(|line| line.text.contains(SEALED)), "{read:?}");
    [came, all.to_string()]
}

/// Ada and ben write under seal, a device at the sealed room's door, and ada in an open room too.
fn talk(house: &House, http: &Tap, mqtt: &Tap) -> (Member, RoomInfo) {
    let (_, secret) = house.setup.as_deref().unwrap().split_once('#').unwrap();
    let url = format!("http://{}", http.address);
    let folder = house.profile("ada");
    let (mut ada, _) = Member::set_up(&url, secret, "Home", "ada", PASSWORD, &folder).unwrap();
    let room = ada.room("general").unwrap();
    let link = ada.invite(&room, 1, 7).unwrap();
    let (mut ben, _) = Member::register(&link, "ben", PASSWORD, &house.profile("ben")).unwrap();
    let mut adas = ada.connect(&mqtt.address.into()).unwrap();
    let mut bens = ben.connect(&mqtt.address.into()).unwrap();
    for filter in ["hearth/rooms/+/out", "hearth/users/+/inbox"] {
        bens.subscribe(filter, &[]).unwrap();
    }
    ada.send(&mut adas, &room, &format!("{SEALED} for @ben")).unwrap();
    ben.send(&mut bens, &room, SEALED).unwrap();
    let open = ada.make_room("Yard", RoomType::Public, Sealing::Open).unwrap();
    for told in tell(&mut ada, &mut ben, &open, [http, mqtt]) {
        assert!(!told.contains(SEALED), "{told}");
        // What is not sealed is found by the same means.
        assert!(told.contains(OPEN), "{told}");
    }
    (ada, room)
}

#[test]
fn a_sealed_word_is_nowhere_in_the_box() {
    let house = House::under(&["env", "HEARTH_LOG=trace"], &[]);
    let (http, mqtt) = (Tap::before(house.http), Tap::before(house.mqtt));
    let (mut ada, room) = talk(&house, &http, &mqtt);
    let device = ada.add_device(&room, "washer", false).unwrap();
    let file = door::seal(POSTED.as_bytes(), device.recipient.unwrap()).unwrap();
    let name = device.id.to_string();
    let as_device = hearth_gateway::member::mqtt::Session::connect(
        &mqtt.address.into(),
        "washer",
        &name,
        &device.token,
    );
    as_device.unwrap().publish(&format!("hearth/rooms/{}/door/{name}", room.id), file).unwrap();
    let plain = ada.add_device(&room, "boiler", true).unwrap();
    for qos in ["1", "2"] {
        let mut line = Command::new("mosquitto_pub");
        line.args(["-q", qos, "-h", "127.0.0.1", "-p", &house.mqtt.port().to_string()]);
        line.args(["-t", &plain.topic, "-u", &plain.id.to_string(), "-P", &plain.token]);
        assert!(line.args(["-m", SEEN]).status().unwrap().success());
    }
    let bearer = format!("authorization: Bearer {}", plain.token);
    let mut line = Command::new("curl");
    line.args(["-sS", "--fail", "-H", &bearer, "-d", SEEN, &format!("{}/api/door", house.url())]);
    assert!(line.status().unwrap().success());

    // Both read it: the words were there to be found.
    let mut reader = ada.reader(&room).unwrap();
    let read: Vec<_> = reader.history(&mut ada, 50).unwrap();
    let texts = || read.iter().map(|line| line.text.as_str());
    assert_eq!(texts().filter(|text| text.contains(SEALED)).count(), 2);
    assert_eq!(texts().filter(|text| text.contains(POSTED)).count(), 1);
    assert_eq!(texts().filter(|text| text.contains(SEEN)).count(), 3, "each once");

    let log = fs::read(house.data().with_extension("log")).unwrap();
    assert!(contains(&log, "TRACE"), "the log is at its most talkative");
    for word in [SEALED, POSTED] {
        assert!(!http.hears(word) && !mqtt.hears(word), "{word} passed in clear");
        assert!(!contains(&log, word), "{word} is in the log");
        assert!(!on_disk(&house.data(), word), "{word} is on the disk");
    }
    // What the box sealed passed it, and is nowhere in what it keeps or tells.
    let kept =
        [on_disk(&house.data(), SEEN), contains(&log, SEEN), mqtt.hears(SEEN), http.hears(SEEN)];
    assert_eq!(kept, [false; 4]);
    // What is not sealed is found by the same means.
    assert!(mqtt.hears(OPEN));
    assert!(!on_disk(&house.data(), OPEN), "the store is encrypted");
    if is_root() {
        assert!(in_memory(house.pid(), OPEN), "the box reads along in open rooms");
        assert!(!in_memory(house.pid(), SEALED) && !in_memory(house.pid(), POSTED));
    }
}
