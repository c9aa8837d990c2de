//! The brokers that are compared: mosquitto as Debian ships it, `hearth serve` with its rates
//! lifted, and the broker of Hearth alone.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use system_tests::House;
use system_tests::house::binary;
use system_tests::load::Target;
use tempfile::TempDir;

/// The topic of the plain rows.
const PLAIN: &str = "bench/plain";

/// A program that is killed when it is not needed any more.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        if self.0.kill().is_ok() {
            self.0.wait().ok();
        }
    }
}

/// All of them, running.
pub struct Brokers {
    _programs: Vec<Program>,
    _folder: TempDir,
    _house: House,
    mosquitto: Option<Target>,
    standalone: Option<Target>,
    plain: Target,
    room: Target,
}

/// A house whose person "anna" may do what a load needs.
pub fn house(more: &[&str]) -> (House, Target, Target) {
    let lifted = ["--limit", "messages_per_10_s=0", "--limit", "publishes_per_s_max=0"];
    let house = House::with(&[&lifted[..], more].concat());
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Bench");
    let target = |inlet: String, outlet: String| {
        let (user, token) = (anna.name.clone(), anna.token.clone());
        Target { mqtt: house.mqtt, user, token, inlet, outlet }
    };
    let granted = house.run(&["grant", "add", "--user", "anna", "bench/#"], "");
    assert!(granted.status.success(), "{}", String::from_utf8_lossy(&granted.stderr));
    let plain = target(PLAIN.into(), PLAIN.into());
    let prefix = format!("hearth/rooms/{room}");
    let room = target(format!("{prefix}/in"), format!("{prefix}/out"));
    (house, room, plain)
}

/// Anyone may use it.
fn open_target(mqtt: SocketAddr) -> Target {
    let (inlet, outlet) = (PLAIN.to_string(), PLAIN.to_string());
    Target { mqtt, user: "anyone".into(), token: "any".into(), inlet, outlet }
}

impl Brokers {
    pub fn start() -> Brokers {
        let folder = tempfile::tempdir().unwrap();
        let (house, room, plain) = house(&[]);
        let mut programs = vec![];
        let mut run = |started: Option<(Child, SocketAddr)>| {
            let (child, mqtt) = started?;
            programs.push(Program(child));
            Some(open_target(mqtt))
        };
        let (mosquitto, standalone) = (run(mosquitto(&folder)), run(standalone()));
        let (_programs, _folder, _house) = (programs, folder, house);
        Brokers { _programs, _folder, _house, mosquitto, standalone, plain, room }
    }

    /// mosquitto, the broker alone, `hearth serve`: where each takes part in a row. The broker
    /// alone stores nothing.
    pub fn targets(&self, durable: bool) -> [Option<Target>; 3] {
        let mosquitto = self.mosquitto.clone();
        if durable {
            [mosquitto, None, Some(self.room.clone())]
        } else {
            [mosquitto, self.standalone.clone(), Some(self.plain.clone())]
        }
    }
}

/// mosquitto on a free port, storing nothing; `None` where it is not installed.
fn mosquitto(folder: &TempDir) -> Option<(Child, SocketAddr)> {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let file = folder.path().join("mosquitto.conf");
    let text = format!(
        "listener {} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n",
        free.port()
    );
    std::fs::write(&file, text).unwrap();
    let quiet = Stdio::null;
    let child = Command::new("mosquitto")
        .arg("-c")
        .arg(&file)
        .stdout(quiet())
        .stderr(quiet())
        .spawn()
        .ok()?;
    let until = Instant::now() + Duration::from_secs(5);
    while std::net::TcpStream::connect(free).is_err() {
        assert!(Instant::now() < until, "mosquitto does not listen");
        std::thread::yield_now();
    }
    Some((child, free))
}

/// The broker's example; `None` where it is not built.
fn standalone() -> Option<(Child, SocketAddr)> {
    let program = binary().parent().unwrap().join("examples/standalone");
    let mut child = Command::new(program)
        .args(["--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().rsplit(' ').next().unwrap().parse().unwrap();
    Some((child, address))
}
