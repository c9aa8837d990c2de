//! HTTP as bad clients and many of them see it: slow ones, greedy ones, broken ones, and a stop.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use system_tests::House;

const PATIENCE: Duration = Duration::from_secs(20);
const HEALTH: &str = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";

fn connect(http: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(http).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Everything that comes until the box closes.
fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = vec![];
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    String::from_utf8_lossy(&bytes).to_string()
}

/// What the box answers to these bytes before it closes.
fn answer(http: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = connect(http);
    // It may answer and close before it has everything.
    stream.write_all(bytes).ok();
    rest(&mut stream)
}

/// Reads one answer with a body of known length.
fn one_answer(stream: &mut TcpStream) -> String {
    let mut bytes = vec![];
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

/// This process opens a thousand connections too.
fn open_more_files() {
    let pid = std::process::id().to_string();
    let raised = Command::new("prlimit").args(["--pid", &pid, "--nofile=4096:"]).status();
    assert!(raised.unwrap().success());
}

/// A thousand clients, none of which says all that it has to say.
fn slow_clients(http: SocketAddr) -> Vec<TcpStream> {
    let mut slow: Vec<_> = (0..1_000).map(|_| connect(http)).collect();
    for (number, stream) in slow.iter_mut().enumerate() {
        // Some send nothing at all, some begin a request, some a word.
        let bytes: &str = match number % 3 {
            0 => "",
            1 => "GET /health HTTP/1.1\r\nhost: localhost\r\nx-slow: ",
            _ => "P",
        };
        // The first of them may be let go before the last one is there.
        stream.write_all(bytes.as_bytes()).ok();
    }
    slow
}

#[test]
fn a_thousand_slow_clients_do_not_hold_a_good_one() {
    open_more_files();
    let long = ["--limit", "http_header_ms_max=600000", "--limit", "http_idle_ms_max=600000"];
    let house = House::with(&long);
    let slow = slow_clients(house.http);
    for _ in 0..20 {
        assert_eq!(house.call("GET", "/health", None, None).0, 200);
    }
    // It did not wait for them: each of them still waits.
    for stream in slow {
        stream.set_nonblocking(true).unwrap();
        let heard = stream.peek(&mut [0]);
        assert!(heard.as_ref().is_err_and(|e| e.kind() == ErrorKind::WouldBlock), "{heard:?}");
    }
}

#[test]
fn a_thousand_slow_clients_are_let_go() {
    open_more_files();
    let house = House::with(&["--limit", "http_header_ms_max=4000"]);
    for mut stream in slow_clients(house.http) {
        let said = rest(&mut stream);
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
    }
}

#[test]
fn a_thousand_requests_at_once_are_all_answered() {
    open_more_files();
    // The first of them is connected long before it asks.
    let house = House::with(&["--limit", "http_header_ms_max=600000"]);
    let mut streams: Vec<_> = (0..1_000).map(|_| connect(house.http)).collect();
    for stream in &mut streams {
        stream.write_all(HEALTH.as_bytes()).unwrap();
    }
    for stream in &mut streams {
        assert!(one_answer(stream).starts_with("HTTP/1.1 200 "));
    }
}

#[test]
fn headers_and_bodies_beyond_the_limits_are_refused_by_their_status() {
    let house = House::with(&["--limit", "http_headers_max=20"]);
    let head = |line: &str| format!("GET /health HTTP/1.1\r\nhost: localhost\r\n{line}\r\n\r\n");
    let good = head(&format!("connection: close\r\nx: {}", "y".repeat(30_000)));
    assert!(answer(house.http, good.as_bytes()).starts_with("HTTP/1.1 200 "));
    let large = head(&format!("x: {}", "y".repeat(40_000)));
    assert!(answer(house.http, large.as_bytes()).starts_with("HTTP/1.1 431 "));
    let many = head(&["x: y"; 30].join("\r\n"));
    assert!(answer(house.http, many.as_bytes()).starts_with("HTTP/1.1 431 "));
    let login = |length: &str| {
        let head =
            format!("POST /api/auth/login HTTP/1.1\r\nhost: localhost\r\n{length}\r\n\r\n{{}}");
        answer(house.http, format!("{head}{HEALTH}").as_bytes())
    };
    let large = login("connection: close\r\ncontent-length: 1048577");
    assert!(large.starts_with("HTTP/1.1 413 ") && large.contains("too_large"), "{large}");
    let unknown = login("connection: close\r\ntransfer-encoding: chunked");
    assert!(unknown.starts_with("HTTP/1.1 411 "), "{unknown}");
}

#[test]
fn old_clients_pipelines_and_noise_get_what_is_theirs() {
    let house = House::start();
    let old = answer(house.http, b"GET /health HTTP/1.0\r\n\r\n");
    assert!(old.starts_with("HTTP/1.0 200 ") && old.contains("\"ok\""), "{old}");
    let mut stream = connect(house.http);
    let unknown = "GET /api/nothing HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(format!("{HEALTH}{unknown}{HEALTH}").as_bytes()).unwrap();
    let got = [(); 3].map(|()| one_answer(&mut stream)[9..12].to_string());
    assert_eq!(got, ["200", "404", "200"]);
    for noise in
        [&b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"[..], b"\0\0\0\0\r\n\r\n", b"GET\r\n\r\n"]
    {
        let said = answer(house.http, noise);
        assert!(said.starts_with("HTTP/1.1 400 "), "{said}");
    }
    let preface = answer(house.http, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert!(!preface.contains(" 200 "), "HTTP/2 is spoken over TLS only: {preface}");
    let wrong = answer(
        house.http,
        b"PUT /api/auth/login HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
    );
    assert!(wrong.contains(" 405 ") && wrong.contains("allow: POST\r\n"), "{wrong}");
    assert_eq!(house.call("POST", "/api/nothing", None, None).0, 404);
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let house = House::with(&["--limit", "http_body_ms_max=300"]);
    let mut stream = connect(house.http);
    let head = "POST /api/auth/login HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n{";
    stream.write_all(head.as_bytes()).unwrap();
    let said = one_answer(&mut stream);
    assert!(said.starts_with("HTTP/1.1 400 ") && said.contains("too_slow"), "{said}");
}

#[test]
fn who_never_reads_is_given_up() {
    let house = House::with(&["--limit", "http_stall_ms_max=500"]);
    let mut stream = connect(house.http);
    let asked = "GET /api/openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(100);
    // The box reads no further while its answers wait, until it breaks the connection.
    let broken = loop {
        if let Err(error) = stream.write_all(asked.as_bytes()) {
            break error.kind();
        }
    };
    assert!([ErrorKind::BrokenPipe, ErrorKind::ConnectionReset].contains(&broken), "{broken}");
    assert_eq!(house.call("GET", "/health", None, None).0, 200);
}

#[test]
fn one_address_has_as_many_connections_as_the_limit_says() {
    two_and_no_third("http_connections_per_address_max=2");
}

#[test]
fn there_are_as_many_connections_in_all_as_the_limit_says() {
    two_and_no_third("http_connections_max=2");
}

fn two_and_no_third(limit: &str) {
    let house = House::with(&["--limit", limit]);
    let until = Instant::now() + PATIENCE;
    // The harness asked before, and its connection may not have ended yet.
    let kept = || loop {
        let mut stream = connect(house.http);
        stream.write_all(HEALTH.as_bytes()).unwrap();
        if one_answer(&mut stream).contains(" 200 ") {
            return stream;
        }
        assert!(Instant::now() < until, "a place stays taken");
    };
    let two = [kept(), kept()];
    let mut third = connect(house.http);
    assert!(rest(&mut third).starts_with("HTTP/1.1 503 "));
    let [first, _second] = two;
    drop(first);
    let until = Instant::now() + PATIENCE;
    while !answer(house.http, b"GET /health HTTP/1.0\r\n\r\n").contains(" 200 ") {
        assert!(Instant::now() < until, "its place stays taken");
    }
}

#[test]
fn a_request_under_way_is_answered_when_the_box_stops() {
    let mut house = House::with(&["--limit", "http_linger_ms_max=120000"]);
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    let body = json!({ "content": "before the end" }).to_string();
    let mut stream = connect(house.http);
    let head = format!(
        "POST /api/rooms/{room}/messages HTTP/1.1\r\nhost: [::1]\r\nauthorization: Bearer {}\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        anna.token,
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let go_on = one_answer(&mut stream);
    assert!(go_on.starts_with("HTTP/1.1 100 "), "{go_on}");
    let pid = house.pid().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    while TcpStream::connect(house.http).is_ok() {}
    stream.write_all(body.as_bytes()).unwrap();
    let said = one_answer(&mut stream);
    assert!(said.starts_with("HTTP/1.1 201 ") && said.contains("connection: close"), "{said}");
    house.wait();
    house.restart();
    assert_eq!(house.messages(&anna, &room)[0]["content"], json!("before the end"));
}
