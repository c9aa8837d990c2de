//! Each listener speaks both versions: QoS 2 both ways, wills, refusals with their code.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::support::{House, PATIENCE, house, text};
use super::{tls, websocket};

/// Who connects, in bytes of the wire.
struct Wire {
    io: Box<dyn Io>,
    /// 4 is MQTT 3.1.1.
    version: u8,
}

trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

#[derive(Debug, Clone, Copy)]
enum Listener {
    Tcp,
    Tls,
    WebSocket,
}

impl Listener {
    async fn open(self, house: &House, version: u8) -> Wire {
        let io: Box<dyn Io> = match self {
            Listener::Tcp => {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                let broker = house.broker.clone();
                tokio::spawn(async move { broker.listen(listener).await });
                Box::new(TcpStream::connect(address).await.unwrap())
            }
            Listener::Tls => Box::new(tls::stream(house).await),
            Listener::WebSocket => Box::new(websocket::stream(house).await),
        };
        Wire { io, version }
    }
}

fn put_text(body: &mut Vec<u8>, text: &str) {
    body.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
    body.extend(text.as_bytes());
}

impl Wire {
    /// A packet whose parts have empty properties between them, where the version has any.
    async fn send(&mut self, first: u8, before: &[u8], after: &[u8]) {
        let none: &[u8] = if self.version == 5 { &[0] } else { &[] };
        let body = [before, none, after].concat();
        let head = [first, body.len().try_into().unwrap()];
        self.io.write_all(&[&head, &body[..]].concat()).await.unwrap();
        self.io.flush().await.unwrap();
    }

    async fn packet(&mut self) -> Vec<u8> {
        let read = async {
            let mut packet = vec![0; 2];
            self.io.read_exact(&mut packet).await.unwrap();
            packet.resize(2 + usize::from(packet[1]), 0);
            self.io.read_exact(&mut packet[2..]).await.unwrap();
            packet
        };
        timeout(PATIENCE, read).await.expect("a packet in time")
    }

    /// CONNECT as somebody, with a will; the code of the answer.
    async fn connect(&mut self, name: &str) -> u8 {
        let before = [b"\x00\x04MQTT", &[self.version, 0x86, 0, 0][..]].concat();
        let mut after = b"\x00\x04wire".to_vec();
        if self.version == 5 {
            after.push(0);
        }
        for text in ["left", "gone", name] {
            put_text(&mut after, text);
        }
        self.send(0x10, &before, &after).await;
        let answer = self.packet().await;
        assert_eq!(answer[0], 0x20);
        answer[3]
    }

    /// The next packet is this acknowledgement; MQTT 5 may add a reason and properties.
    async fn acked(&mut self, first: u8, id: [u8; 2]) {
        let packet = self.packet().await;
        assert_eq!((packet[0], &packet[2..4]), (first, &id[..]), "{packet:?}");
        assert!(packet[4..].is_empty() || self.version == 5 && packet[4..] == [0, 0], "{packet:?}");
    }

    /// An acknowledgement, which is the same in both versions.
    async fn ack(&mut self, first: u8, id: [u8; 2]) {
        self.io.write_all(&[first, 2, id[0], id[1]]).await.unwrap();
        self.io.flush().await.unwrap();
    }
}

const LISTENERS: [Listener; 3] = [Listener::Tcp, Listener::Tls, Listener::WebSocket];

/// Each listener with each version, and a house for it.
fn table() -> impl Iterator<Item = (Listener, u8, House)> {
    let rows = LISTENERS.into_iter().flat_map(|listener| [(listener, 4), (listener, 5)]);
    rows.map(|(listener, version)| {
        println!("{listener:?}, version {version}");
        (listener, version, house(|_| {}))
    })
}

#[tokio::test]
async fn qos_2_goes_both_ways() {
    for (listener, version, house) in table() {
        let mut other = house.client("other").await;
        other.subscribe("to/other", 2).await;
        let mut wire = listener.open(&house, version).await;
        assert_eq!(wire.connect("anyone").await, 0);

        wire.send(0x34, b"\x00\x08to/other\x00\x07", b"hey").await;
        wire.acked(0x50, [0, 7]).await;
        wire.ack(0x62, [0, 7]).await;
        wire.acked(0x70, [0, 7]).await;
        let heard = other.heard().await;
        assert_eq!((u8::from(heard.qos), text(&heard)), (2, "hey".to_string()));

        wire.send(0x82, &[0, 8], b"\x00\x07to/wire\x02").await;
        let granted = wire.packet().await;
        assert_eq!((granted[0], granted.last()), (0x90, Some(&2)));
        other.push("to/wire", "ho", 2).await;
        let came = wire.packet().await;
        assert_eq!((came[0], &came[2..11]), (0x34, &b"\x00\x07to/wire"[..]));
        assert_eq!(came[came.len() - 2..], *b"ho");
        let id = [came[11], came[12]];
        wire.ack(0x50, id).await;
        wire.acked(0x62, id).await;
        wire.ack(0x70, id).await;
        wire.io.write_all(&[0xC0, 0]).await.unwrap();
        wire.io.flush().await.unwrap();
        assert_eq!(wire.packet().await, [0xD0, 0], "it came once");
    }
}

#[tokio::test]
async fn a_will_is_published_when_the_stream_breaks_off() {
    for (listener, version, house) in table() {
        let mut other = house.client("other").await;
        other.subscribe("left", 1).await;
        let mut wire = listener.open(&house, version).await;
        assert_eq!(wire.connect("anyone").await, 0);
        drop(wire);
        assert_eq!(other.take().await, "gone");
    }
}

#[tokio::test]
async fn a_refused_connect_is_answered_with_the_code_of_its_version() {
    for (listener, version, house) in table() {
        for (name, three, five) in [("stranger", 4, 0x86), ("banned", 5, 0x87)] {
            let mut wire = listener.open(&house, version).await;
            let code = wire.connect(name).await;
            assert_eq!(code, if version == 5 { five } else { three }, "{name}");
            let mut rest = vec![];
            let end = wire.io.read_to_end(&mut rest);
            timeout(PATIENCE, end).await.expect("an end in time").unwrap();
            assert_eq!(rest, b"");
        }
    }
}
