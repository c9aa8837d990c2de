//! `/mqtt` of the appliance byte by byte, in both versions of MQTT: frames that cut packets
//! anywhere, control frames of WebSocket, QoS 2, wills, refusals with their code.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::{BufRead, BufReader, Write};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use system_tests::{House, Person};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::{WebSocketStream, client_async};

/// Nothing takes longer.
const PATIENCE: Duration = Duration::from_secs(30);
const PING: [u8; 2] = [0xC0, 0];
const PONG: [u8; 2] = [0xD0, 0];

struct Scene {
    house: House,
    anna: Person,
    room: String,
}

fn scene() -> Scene {
    scene_with(&[])
}

fn scene_with(args: &[&str]) -> Scene {
    let house = House::with(args);
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    let granted = house.run(&["grant", "add", "--user", "anna", "interop/#"], "");
    assert!(granted.status.success(), "{}", String::from_utf8_lossy(&granted.stderr));
    Scene { house, anna, room }
}

impl Scene {
    fn topic(&self, end: &str) -> String {
        format!("hearth/rooms/{}/{end}", self.room)
    }

    /// CONNECT of anna, with what she wrote as her will.
    fn connect(&self, version: u8, client_id: &str, password: &str) -> Vec<u8> {
        let none = properties(version);
        let variable = [b"\x00\x04MQTT", &[version, 0xCE, 0, 0][..], none].concat();
        let (topic, will) = (text(&self.topic("in")), text(&format!("{client_id} fell off")));
        let payload = [text(client_id), none.to_vec(), topic, will, text("anna"), text(password)];
        packet(0x10, &[variable, payload.concat()].concat())
    }

    /// A client that was welcomed.
    async fn enter(&self, version: u8, client_id: &str) -> Socket {
        let mut socket = open(&self.house).await;
        socket.send(&self.connect(version, client_id, &self.anna.token)).await;
        let welcome = socket.packet().await;
        assert_eq!((welcome[0], welcome[3]), (0x20, 0), "{welcome:?}");
        socket
    }

    /// A client that reads the room, and plain topics with QoS 2.
    async fn reader(&self, version: u8) -> Socket {
        let mut reader = self.enter(version, "reader").await;
        let (out, plain) = (text(&self.topic("out")), text("interop/#"));
        let filters = [&out[..], &[2], &plain, &[2]].concat();
        reader.send(&packet(0x82, &[&[0, 1], properties(version), &filters].concat())).await;
        let granted = reader.packet().await;
        assert_eq!((granted[0], &granted[granted.len() - 2..]), (0x90, &[1, 2][..]));
        reader
    }
}

fn properties(version: u8) -> &'static [u8] {
    if version == 5 { &[0] } else { &[] }
}

fn text(text: &str) -> Vec<u8> {
    [&u16::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat()
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let [low, high] = [body.len() % 128, body.len() / 128].map(|part| u8::try_from(part).unwrap());
    let head = if high == 0 { vec![first, low] } else { vec![first, low | 0x80, high] };
    [head, body.to_vec()].concat()
}

struct Socket {
    frames: WebSocketStream<TcpStream>,
    came: Vec<u8>,
}

async fn open(house: &House) -> Socket {
    let mut request = format!("ws://{}/mqtt", house.http).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "mqtt".parse().unwrap());
    let stream = TcpStream::connect(house.http).await.unwrap();
    let (frames, response) = client_async(request, stream).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "mqtt");
    Socket { frames, came: vec![] }
}

impl Socket {
    /// One binary frame.
    async fn send(&mut self, bytes: &[u8]) {
        self.frames.send(Message::Binary(Bytes::copy_from_slice(bytes))).await.unwrap();
    }

    /// The next frame, whatever it is; `None` when the stream has ended.
    async fn next(&mut self) -> Option<Message> {
        let next = timeout(PATIENCE, self.frames.next()).await.expect("a frame in time");
        next.map(Result::unwrap)
    }

    /// The next packet, with its length in one byte.
    async fn packet(&mut self) -> Vec<u8> {
        loop {
            let head = packet_head(&self.came);
            if let Some((head, end)) = head.filter(|(_, end)| self.came.len() >= *end) {
                let packet: Vec<u8> = self.came.drain(..end).collect();
                return [&[packet[0], 0], &packet[head..]].concat();
            }
            match self.next().await.expect("a packet") {
                Message::Binary(bytes) => self.came.extend(bytes),
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next packet is this acknowledgement; MQTT 5 may add a reason and properties.
    async fn acked(&mut self, first: u8, id: [u8; 2]) {
        let packet = self.packet().await;
        assert_eq!((packet[0], &packet[2..4]), (first, &id[..]), "{packet:?}");
        assert!(packet[4..].iter().all(|byte| *byte == 0), "{packet:?}");
    }

    /// Takes a message, and gives its payload.
    async fn take(&mut self, version: u8) -> Vec<u8> {
        let came = self.packet().await;
        let at = 4 + usize::from(u16::from_be_bytes([came[2], came[3]]));
        let id = [came[at], came[at + 1]];
        match came[0] {
            0x32 => self.send(&packet(0x40, &id)).await,
            0x34 => {
                self.send(&packet(0x50, &id)).await;
                self.acked(0x62, id).await;
                self.send(&packet(0x70, &id)).await;
            }
            _ => panic!("{came:?}"),
        }
        let start = at + 2 + if version == 5 { 1 + usize::from(came[at + 2]) } else { 0 };
        came[start..].to_vec()
    }

    /// Takes a message of a room, and gives what it says.
    async fn read(&mut self, version: u8) -> String {
        let event: Value = serde_json::from_slice(&self.take(version).await).unwrap();
        event["content"].as_str().unwrap().to_string()
    }

    /// Publishes with QoS 2, each packet as often as a client may repeat it.
    async fn publish(&mut self, version: u8, topic: &str, payload: &str) {
        let body = [&text(topic)[..], &[0, 7], properties(version), payload.as_bytes()].concat();
        for first in [0x34, 0x3C] {
            self.send(&packet(first, &body)).await;
            self.acked(0x50, [0, 7]).await;
        }
        self.send(&packet(0x62, &[0, 7])).await;
        self.acked(0x70, [0, 7]).await;
    }
}

/// What the box takes of the machine's memory, in KiB (proc(5), `VmRSS`).
fn memory_kib(house: &House) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", house.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_reader_that_stalls_holds_nobody_takes_little_memory_and_then_has_everything_in_order() {
    const EVENTS: usize = 300;
    let scene = scene_with(&["--limit", "messages_per_10_s=0"]);
    let mut stalled = scene.reader(5).await;
    let mut good = scene.enter(5, "good").await;
    let out = text(&scene.topic("out"));
    good.send(&packet(0x82, &[&[0, 1, 0][..], &out, &[1]].concat())).await;
    assert_eq!(good.packet().await[0], 0x90);
    let before = memory_kib(&scene.house);
    let path = format!("/api/rooms/{}/messages", scene.room);
    let said = |number: usize| format!("{number:>9000}");
    for number in 0..EVENTS {
        let body = serde_json::json!({ "content": said(number) });
        assert_eq!(scene.house.call("POST", &path, Some(&scene.anna), Some(body)).0, 201);
        assert_eq!(good.read(5).await, said(number), "who reads is not held up");
    }
    let grown = memory_kib(&scene.house).saturating_sub(before);
    assert!(grown < 24 * 1024, "{grown} KiB more, and {EVENTS} events are not read");
    for number in 0..EVENTS {
        assert_eq!(stalled.read(5).await, said(number), "all of it, in order");
    }
}

/// How long the fixed header is, and where the packet ends.
fn packet_head(bytes: &[u8]) -> Option<(usize, usize)> {
    let low = usize::from(*bytes.get(1)?);
    if low < 128 {
        return Some((2, 2 + low));
    }
    Some((3, 3 + low - 128 + 128 * usize::from(*bytes.get(2)?)))
}

#[tokio::test]
async fn qos_2_goes_both_ways_and_is_stored_once() {
    for version in [4, 5] {
        let scene = scene();
        let mut reader = scene.reader(version).await;
        let mut writer = scene.enter(version, "writer").await;
        writer.publish(version, "interop/x", "hey").await;
        assert_eq!(reader.take(version).await, b"hey");
        writer.publish(version, &scene.topic("in"), "kept").await;
        assert_eq!(reader.read(version).await, "kept");
        reader.send(&PING).await;
        assert_eq!(reader.packet().await, PONG, "each came once");
        assert_eq!(scene.house.messages(&scene.anna, &scene.room).len(), 1);
    }
}

#[tokio::test]
async fn a_will_is_published_when_the_stream_breaks_off_or_is_closed_without_disconnect() {
    for version in [4, 5] {
        let scene = scene();
        let mut reader = scene.reader(version).await;
        drop(scene.enter(version, "first").await);
        assert_eq!(reader.read(version).await, "first fell off");
        let mut second = scene.enter(version, "second").await;
        second.frames.close(None).await.unwrap();
        assert_eq!(reader.read(version).await, "second fell off");
        // DISCONNECT takes the will back, and the box closes the WebSocket.
        let mut third = scene.enter(version, "third").await;
        third.send(&[0xE0, 0]).await;
        assert!(matches!(third.next().await, Some(Message::Close(_))));
        assert_eq!(third.next().await, None);
        reader.send(&PING).await;
        assert_eq!(reader.packet().await, PONG, "no will came");
    }
}

#[tokio::test]
async fn a_refused_connect_is_answered_with_the_code_of_its_version() {
    let scene = scene();
    for (version, code) in [(4, 4), (5, 0x86)] {
        let mut socket = open(&scene.house).await;
        socket.send(&scene.connect(version, "x", "no token")).await;
        let refused = socket.packet().await;
        assert_eq!((refused[0], refused[3]), (0x20, code), "{refused:?}");
        assert!(matches!(socket.next().await, Some(Message::Close(_))));
        assert_eq!(socket.next().await, None);
    }
}

#[tokio::test]
async fn frames_may_cut_packets_anywhere() {
    let scene = scene();
    for version in [4, 5] {
        let connect = scene.connect(version, "x", &scene.anna.token);
        let stream = [&connect[..], &PING, &PING, &PING].concat();
        for cut in [1, 2, 7, connect.len() + 1, stream.len()] {
            let mut socket = open(&scene.house).await;
            for piece in stream.chunks(cut) {
                socket.send(piece).await;
                socket.send(&[]).await;
            }
            assert_eq!(socket.packet().await[..1], [0x20], "cut at {cut}");
            for _ in 0..3 {
                assert_eq!(socket.packet().await, PONG, "cut at {cut}");
            }
            socket.send(&[0xE0, 0]).await;
        }
    }
}

#[tokio::test]
async fn a_ping_and_a_close_of_websocket_are_answered() {
    let scene = scene();
    let mut socket = scene.enter(4, "x").await;
    socket.frames.send(Message::Ping("there?".into())).await.unwrap();
    assert_eq!(socket.next().await, Some(Message::Pong("there?".into())));
    // A pong that nobody asked for is nothing (RFC 6455 §5.5.3).
    socket.frames.send(Message::Pong("here".into())).await.unwrap();
    socket.send(&PING).await;
    assert_eq!(socket.packet().await, PONG);
    let close = CloseFrame { code: CloseCode::Away, reason: "the page was left".into() };
    socket.frames.close(Some(close.clone())).await.unwrap();
    let Some(Message::Close(Some(answer))) = socket.next().await else { panic!("no close") };
    assert_eq!(answer.code, close.code);
    assert_eq!(socket.next().await, None);
}

#[tokio::test]
async fn text_ends_the_connection_with_its_close_code() {
    let scene = scene();
    for welcomed in [false, true] {
        let mut socket = match welcomed {
            true => scene.enter(5, "x").await,
            false => open(&scene.house).await,
        };
        socket.frames.send(Message::Text("hello".into())).await.unwrap();
        let Some(Message::Close(Some(close))) = socket.next().await else { panic!("no close") };
        assert_eq!(close.code, CloseCode::Unsupported);
    }
}

#[test]
fn the_subprotocol_is_mqtt_wherever_it_is_offered_and_nothing_else() {
    let house = House::start();
    // In plain HTTP: the client library looks at the first of several headers only.
    let asked = |offers: &[&str]| {
        let offers: Vec<_> =
            offers.iter().map(|offer| format!("Sec-WebSocket-Protocol: {offer}\r\n")).collect();
        let mut stream = std::net::TcpStream::connect(house.http).unwrap();
        let request = format!(
            "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n",
            offers.concat()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
        let status = lines.next().unwrap();
        let chosen = lines
            .take_while(|line| !line.is_empty())
            .any(|line| line.eq_ignore_ascii_case("sec-websocket-protocol: mqtt"));
        (status.split(' ').nth(1).unwrap().to_string(), chosen)
    };
    for offers in [&["mqtt"][..], &["chat, mqtt"], &["chat", "mqtt"], &["mqtt", "chat"]] {
        assert_eq!(asked(offers), ("101".to_string(), true), "{offers:?}");
    }
    for offers in [&[][..], &["chat"], &["mqttv3.1"], &["chat", "mqttv3.1"]] {
        assert_eq!(asked(offers), ("400".to_string(), false), "{offers:?}");
    }
}
