//! People at their browsers: kept HTTP/1.1 connections, and sockets at `/api/ws`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use system_tests::{House, Person};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::{Load, wire};

/// Characters of a message, as a few words are.
const CONTENT: usize = 60;

/// A running house with people, a room that has a history and a room that is written into.
pub struct Scene {
    house: House,
    people: Vec<Person>,
    read: String,
    written: String,
}

impl Scene {
    pub fn start(people: usize) -> Scene {
        let house = House::with(&["--limit", "messages_per_10_s=0"]);
        let people: Vec<Person> =
            (0..people).map(|number| house.person(&format!("person_{number}"))).collect();
        let rooms = ["Read", "Written"].map(|name| house.open_room(&people[0], name));
        for person in &people[1..] {
            for room in &rooms {
                house.join(person, room);
            }
        }
        let [read, written] = rooms;
        Scene { house, people, read, written }
    }

    /// Where there is room for another store, on the same disk.
    pub fn folder(&self) -> PathBuf {
        self.house.data().parent().unwrap().to_path_buf()
    }
}

/// Those people, not connected.
pub struct Clients<'a>(&'a Scene);

/// A kept connection.
struct Http {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Http {
    async fn connect(at: SocketAddr) -> Http {
        let stream = TcpStream::connect(at).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Http { stream, buffer: vec![0; 256 * 1024] }
    }

    /// Sends a request and reads its answer to the end: the status.
    async fn call(&mut self, request: &[u8]) -> u16 {
        let answer = self.answer(request).await;
        std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap()
    }

    async fn answer(&mut self, request: &[u8]) -> &[u8] {
        self.stream.write_all(request).await.unwrap();
        let (mut filled, mut end) = (0, None);
        loop {
            let read = self.stream.read(&mut self.buffer[filled..]).await.unwrap();
            assert!(read > 0, "the connection ended within an answer");
            filled += read;
            if end.is_none() {
                end = whole(&self.buffer[..filled]);
            }
            if end.is_some_and(|end| filled >= end) {
                return &self.buffer[..filled];
            }
        }
    }
}

/// Where a request or answer ends, once its header is there.
pub fn whole(answer: &[u8]) -> Option<usize> {
    let header = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&answer[..header]).unwrap().to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    Some(header + length.expect("a length").trim().parse::<usize>().unwrap())
}

/// Does something at everybody's own pace, each beginning at another moment: how long it took.
pub async fn at_a_pace(
    people: usize,
    pace: Duration,
    how_long: Duration,
    act: impl AsyncFn(usize) -> Duration,
) -> Vec<Duration> {
    let begin = Instant::now();
    let acting = (0..people).map(|who| {
        let act = &act;
        async move {
            let own = pace * u32::try_from(who).unwrap() / u32::try_from(people).unwrap();
            let (mut next, mut times) = (begin + own, vec![]);
            while next < begin + how_long {
                tokio::time::sleep_until(next.into()).await;
                times.push(act(who).await);
                next += pace;
            }
            times
        }
    });
    join_all(acting).await.concat()
}

impl<'a> Clients<'a> {
    pub fn new(scene: &'a Scene) -> Clients<'a> {
        Clients(scene)
    }

    fn request(&self, who: usize, start: &str, body: &str) -> Vec<u8> {
        let token = &self.0.people[who % self.0.people.len()].token;
        let length = body.len();
        format!(
            "{start} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    fn page(&self, who: usize) -> Vec<u8> {
        self.request(who, &format!("GET /api/rooms/{}/messages?limit=50", self.0.read), "")
    }

    fn post(&self, who: usize, room: &str) -> Vec<u8> {
        let body = json!({ "content": "x".repeat(CONTENT) }).to_string();
        self.request(who, &format!("POST /api/rooms/{room}/messages"), &body)
    }

    async fn connect(&self) -> Http {
        Http::connect(self.0.house.http).await
    }

    /// A peer that answers a page or a post with what the house answered, and nothing behind it.
    pub async fn wire(&self, load: Load) -> Option<SocketAddr> {
        let request = match load {
            Load::Pages { .. } => self.page(0),
            Load::Posts { .. } => self.post(0, &self.0.written),
            Load::FanOut { .. } | Load::Active { .. } => return None,
        };
        Some(wire::start(self.connect().await.answer(&request).await.to_vec()))
    }

    /// The same request again and again from each of some clients: microseconds of one.
    async fn again(
        &self,
        at: SocketAddr,
        clients: usize,
        each: usize,
        wanted: u16,
        of: impl Fn(usize) -> Vec<u8>,
    ) -> f64 {
        let mut connections = vec![];
        for who in 0..clients {
            connections.push((Http::connect(at).await, of(who)));
        }
        let begun = Instant::now();
        join_all(connections.iter_mut().map(|(http, request)| async move {
            for _ in 0..each {
                assert_eq!(http.call(request).await, wanted);
            }
        }))
        .await;
        begun.elapsed().as_secs_f64() * 1e6 / (clients * each) as f64
    }

    /// Fills the room that is read.
    pub async fn fill(&self, messages: usize) {
        let room = self.0.read.clone();
        let house = self.0.house.http;
        self.again(house, 50, messages / 50, 201, |who| self.post(who, &room)).await;
    }

    /// At the house, or at a peer.
    pub async fn pages(&self, at: Option<SocketAddr>, clients: usize, each: usize) -> f64 {
        self.again(at.unwrap_or(self.0.house.http), clients, each, 200, |who| self.page(who)).await
    }

    /// At the house, or at a peer.
    pub async fn posts(&self, at: Option<SocketAddr>, clients: usize, each: usize) -> f64 {
        self.again(at.unwrap_or(self.0.house.http), clients, each, 201, |who| {
            self.post(who, &self.0.written)
        })
        .await
    }

    /// One posts, all are told at their sockets: microseconds until the last heard the last, per
    /// post.
    pub async fn fan_out(&self, readers: usize, count: usize) -> f64 {
        let mut sockets = vec![];
        for who in 0..readers {
            sockets.push(self.socket(who).await);
        }
        let mut http = self.connect().await;
        let request = self.post(0, &self.0.written);
        let begun = Instant::now();
        let hearing = join_all(sockets.iter_mut().map(|socket| async move {
            let mut heard = 0;
            while heard < count {
                let message = socket.next().await.unwrap().unwrap();
                heard += usize::from(message.to_text().unwrap().contains("message_created"));
            }
        }));
        let posting = async {
            for _ in 0..count {
                assert_eq!(http.call(&request).await, 201);
            }
        };
        futures_util::join!(hearing, posting);
        begun.elapsed().as_secs_f64() * 1e6 / count as f64
    }

    async fn socket(
        &self,
        who: usize,
    ) -> tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<TcpStream>> {
        let mut request =
            format!("ws://{}/api/ws", self.0.house.http).into_client_request().unwrap();
        let offered = format!("hearth.v1, bearer.{}", self.0.people[who].token);
        request.headers_mut().insert("sec-websocket-protocol", offered.parse().unwrap());
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let join = json!({ "type": "join_room", "room_id": self.0.written, "ref": 1 });
        socket.send(Message::text(join.to_string())).await.unwrap();
        loop {
            let message = socket.next().await.unwrap().unwrap();
            if message.to_text().unwrap().contains("\"ack\"") {
                return socket;
            }
        }
    }

    /// How long each post took while people write and read at their own pace.
    pub async fn active(&self, people: usize, pace: Duration, how_long: Duration) -> Vec<Duration> {
        let mut connections = vec![];
        for who in 0..people {
            let requests = [self.post(who, &self.0.written), self.page(who)];
            connections.push((tokio::sync::Mutex::new(self.connect().await), requests));
        }
        at_a_pace(people, pace, how_long, async |who| {
            let (http, [post, page]) = &connections[who];
            let mut http = http.lock().await;
            let begun = Instant::now();
            assert_eq!(http.call(post).await, 201);
            let took = begun.elapsed();
            assert_eq!(http.call(page).await, 200);
            took
        })
        .await
    }
}
