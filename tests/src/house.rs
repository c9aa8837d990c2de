//! The appliance under test. Everything here panics with what went wrong: it is for tests only.
#![allow(clippy::expect_used, clippy::unwrap_used, missing_docs)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A running `hearth serve`; killed when dropped.
pub struct House {
    folder: TempDir,
    args: Vec<String>,
    wrapper: Vec<String>,
    child: Child,
    pub http: SocketAddr,
    pub mqtt: SocketAddr,
    /// Where MQTT over TLS listens, with `--mqtts` among the arguments.
    pub mqtts: Option<SocketAddr>,
    /// Where HTTPS listens, with `--https` among the arguments.
    pub https: Option<SocketAddr>,
    /// A second listener in clear, with `--http` among the arguments.
    pub more_http: Option<SocketAddr>,
    pub setup: Option<String>,
}

/// What a start gave.
struct Started {
    http: SocketAddr,
    mqtt: SocketAddr,
    mqtts: Option<SocketAddr>,
    https: Option<SocketAddr>,
    more_http: Option<SocketAddr>,
    setup: Option<String>,
}

/// Somebody with an account made by `user add`.
#[derive(Clone)]
pub struct Person {
    pub name: String,
    pub id: String,
    pub token: String,
}

/// The binary: `cargo build -p hearth-gateway` puts it two folders above the tests.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("HEARTH_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().unwrap();
    let binary = test.parent().unwrap().parent().unwrap().join("hearth");
    assert!(binary.exists(), "{}: run `cargo build -p hearth-gateway` first", binary.display());
    binary
}

impl House {
    /// Starts a house with an empty data folder.
    pub fn start() -> House {
        House::with(&[])
    }

    /// Starts one with more arguments for `serve`.
    pub fn with(args: &[&str]) -> House {
        House::under(&[], args)
    }

    /// Starts one under another program, such as strace.
    pub fn under(wrapper: &[&str], args: &[&str]) -> House {
        House::begin(|_| {}, wrapper, args)
    }

    /// Starts one on the data that is put into its folder first, as `data` and `data.key`.
    pub fn upon(put: impl FnOnce(&Path), args: &[&str]) -> House {
        House::begin(put, &[], args)
    }

    fn begin(put: impl FnOnce(&Path), wrapper: &[&str], args: &[&str]) -> House {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path());
        let own = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (wrapper, args) = (own(wrapper), own(args));
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let started = spawn(&data(&folder), &wrapper, &args, any, any);
        let (child, Started { http, mqtt, mqtts, https, more_http, setup }) = started;
        House { folder, args, wrapper, child, http, mqtt, mqtts, https, more_http, setup }
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        data(&self.folder)
    }

    /// The profile folder of somebody at a shell, beside the data.
    pub fn profile(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The address of its web client and REST.
    pub fn url(&self) -> String {
        format!("http://{}", self.http)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: no chance to write anything any more.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) {
        self.child.wait().unwrap();
    }

    /// Starts again on the same data and ports, after a kill or a stop.
    pub fn restart(&mut self) {
        let (child, started) = spawn(&self.data(), &self.wrapper, &self.args, self.http, self.mqtt);
        self.child = child;
        self.took_up(started);
    }

    /// Starts again on the same data and ports, where a passphrase opens it: `meanwhile` sees the
    /// box waiting and brings it.
    pub fn restart_locked(&mut self, meanwhile: impl FnOnce(&House)) {
        let (child, mut out) =
            launch(&self.data(), &self.wrapper, &self.args, self.http, self.mqtt);
        self.child = child;
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert!(line.contains("hearth unlock"), "{line}");
        meanwhile(self);
        let started = started(out, &self.args);
        self.took_up(started);
    }

    fn took_up(&mut self, started: Started) {
        let Started { http, mqtt, mqtts, https, more_http, setup } = started;
        (self.http, self.mqtt, self.mqtts, self.setup) = (http, mqtt, mqtts, setup);
        (self.https, self.more_http) = (https, more_http);
    }

    /// SIGTERM, and waits for a clean end.
    pub fn stop(&mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success(), "hearth did not stop cleanly");
    }

    /// Runs a box command on this house's data.
    pub fn run(&self, args: &[&str], input: &str) -> Output {
        command(&self.data(), args, input)
    }

    /// An account, signed in.
    pub fn person(&self, name: &str) -> Person {
        let made = self.run(&["user", "add", name, "--password-stdin"], "correct horse\n");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        self.sign_in(name)
    }

    pub fn sign_in(&self, name: &str) -> Person {
        let login = json!({ "username": name, "password": "correct horse" });
        let (status, reply) = self.call("POST", "/api/auth/login", None, Some(login));
        assert_eq!(status, 200, "{reply}");
        Person {
            name: name.to_string(),
            id: reply["user"]["id"].as_str().unwrap().to_string(),
            token: reply["token"].as_str().unwrap().to_string(),
        }
    }

    /// An open public room of this person.
    pub fn open_room(&self, who: &Person, name: &str) -> String {
        let room = json!({ "name": name, "type": "public", "sealing": "open" });
        let (status, reply) = self.call("POST", "/api/rooms", Some(who), Some(room));
        assert_eq!(status, 201, "{reply}");
        reply["id"].as_str().unwrap().to_string()
    }

    pub fn join(&self, who: &Person, room: &str) {
        let path = format!("/api/rooms/{room}/join");
        let (status, reply) = self.call("POST", &path, Some(who), None);
        assert_eq!(status, 200, "{reply}");
    }

    /// A REST call: status and JSON (null when there is no body).
    pub fn call(
        &self,
        method: &str,
        path: &str,
        who: Option<&Person>,
        body: Option<Value>,
    ) -> (u16, Value) {
        let token = who.map(|who| who.token.as_str());
        request(self.http, method, path, token, body)
    }

    /// The whole history of a room, lines of the box left out.
    pub fn messages(&self, who: &Person, room: &str) -> Vec<Value> {
        let (mut all, mut after) = (vec![], 0);
        loop {
            let path = format!("/api/rooms/{room}/messages?limit=200&after={after}");
            let (status, page) = self.call("GET", &path, Some(who), None);
            assert_eq!(status, 200, "{page}");
            let page = page["messages"].as_array().unwrap().clone();
            let Some(last) = page.last() else { break };
            after = last["position"].as_u64().unwrap();
            all.extend(page);
        }
        all.retain(|item| !item["sender"].is_null() || !item["device"].is_null());
        all
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // It may have been killed by the test already.
        if self.child.kill().is_ok() {
            self.child.wait().ok();
        }
    }
}

fn data(folder: &TempDir) -> PathBuf {
    folder.path().join("data")
}

/// Runs `hearth --data DATA ARGS` to its end.
pub fn command(data: &Path, args: &[&str], input: &str) -> Output {
    let mut child = Command::new(binary())
        .arg("--data")
        .arg(data)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn spawn(
    data: &Path,
    wrapper: &[String],
    args: &[String],
    http: SocketAddr,
    mqtt: SocketAddr,
) -> (Child, Started) {
    let (child, out) = launch(data, wrapper, args, http, mqtt);
    (child, started(out, args))
}

fn launch(
    data: &Path,
    wrapper: &[String],
    args: &[String],
    http: SocketAddr,
    mqtt: SocketAddr,
) -> (Child, BufReader<ChildStdout>) {
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(data.with_extension("log"))
        .unwrap();
    let mut words = wrapper.iter().map(Into::into).chain([binary().into_os_string()]);
    let mut child = Command::new(words.next().unwrap())
        .args(words)
        .arg("--data")
        .arg(data)
        .args(["serve", "--http", &http.to_string(), "--mqtt", &mqtt.to_string()])
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    (child, out)
}

/// Reads where it listens.
fn started(mut out: BufReader<ChildStdout>, args: &[String]) -> Started {
    let (http, mqtt) = (listening(&mut out, "http://"), listening(&mut out, "and on "));
    let with = |name: &str| args.iter().any(|arg| arg == name);
    let mqtts = with("--mqtts").then(|| listening(&mut out, "and on "));
    let https = with("--https").then(|| listening(&mut out, "and on "));
    let more_http = with("--http").then(|| listening(&mut out, "and on http://"));
    let setup = read_setup(&mut out, http);
    // Whatever it prints later must not block it.
    std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
    Started { http, mqtt, mqtts, https, more_http, setup }
}

fn listening(out: &mut impl BufRead, before: &str) -> SocketAddr {
    let mut line = String::new();
    while out.read_line(&mut line).unwrap() > 0 {
        if let Some((_, rest)) = line.split_once(before) {
            return rest.split_whitespace().next().unwrap().parse().unwrap();
        }
        line.clear();
    }
    panic!("hearth serve ended before it listened; its log lies beside the data folder");
}

/// The set-up link, when the health page says that somebody must set the house up.
fn read_setup(out: &mut impl BufRead, http: SocketAddr) -> Option<String> {
    let (_, needed) = request(http, "GET", "/api/setup", None, None);
    if needed["needed"] != json!(true) {
        return None;
    }
    let mut line = String::new();
    while out.read_line(&mut line).unwrap() > 0 {
        if line.trim().starts_with("http://") {
            return Some(line.trim().to_string());
        }
        line.clear();
    }
    None
}

/// One HTTP request without a client that would follow, retry or hide anything.
pub fn request(
    http: SocketAddr,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Option<Value>,
) -> (u16, Value) {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request =
        ureq::http::Request::builder().method(method).uri(format!("http://{http}{path}"));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let request = request.header("content-type", "application/json").body(body).unwrap();
    let mut response = agent.run(request).unwrap();
    let mut text = String::new();
    response.body_mut().as_reader().read_to_string(&mut text).unwrap();
    (response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null))
}
