//! A box for unit tests that gives the answers it was told, in their order.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use hearth_protocol::ids::UserId;
use hearth_protocol::sealing::Secret;
use tempfile::TempDir;

use super::Member;
use super::people::People;
use super::profile::{Account, Profile};
use super::rest::Rest;

/// The root of [`member`].
pub const ROOT: [u8; 32] = [1; 32];

/// Somebody; the first is [`member`].
pub fn user(byte: u8) -> UserId {
    UserId::new(1, [byte; 10])
}

/// Somebody whose box answers with these statuses and bodies; the folder is their profile.
pub fn member(answers: &[(u16, &str)]) -> (TempDir, Member) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answers: Vec<_> = answers.iter().map(|(status, body)| answer(*status, body)).collect();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            read_request(&stream);
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let root = Secret::from_bytes(ROOT);
    let account = Account::new(&url, user(1), "ada", "refresh", &root, 7);
    let profile = Profile::create(folder.path(), account).unwrap();
    let identity = profile.identity().unwrap();
    let rest = Rest::new(&url, None).unwrap();
    (folder, Member { rest, profile, identity, people: People::default() })
}

/// The body of a refusal with this code.
pub fn refusal(code: &str) -> String {
    serde_json::json!({ "code": code, "message": "no" }).to_string()
}

fn answer(status: u16, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn read_request(stream: &TcpStream) {
    let mut input = BufReader::new(stream);
    let mut length = 0;
    let mut line = String::new();
    while input.read_line(&mut line).unwrap() > 0 && line != "\r\n" {
        if let Some(bytes) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = bytes.trim().parse().unwrap();
        }
        line.clear();
    }
    input.read_exact(&mut vec![0; length]).unwrap();
}
