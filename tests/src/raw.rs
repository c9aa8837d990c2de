//! An MQTT 3.1.1 client that costs next to nothing, so that a load measures the broker.
//!
//! It writes and reads in batches, counts what arrives, acknowledges QoS 1 and keeps nothing else.
#![allow(clippy::expect_used, clippy::unwrap_used, missing_docs)]

use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Bytes read at a time.
const READ_BYTES: usize = 64 * 1024;

const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
const PUBLISH: u8 = 0x30;
const PUBACK: u8 = 0x40;
const SUBSCRIBE: u8 = 0x82;
const SUBACK: u8 = 0x90;

/// One connection. Everything it counts begins at 0 with the connection.
pub struct Raw {
    stream: TcpStream,
    /// What came of a packet that is not whole yet.
    input: Vec<u8>,
    output: Vec<u8>,
    written: usize,
    last_id: u16,
    /// Publishes that arrived.
    pub delivered: usize,
    /// Own publishes that were acknowledged.
    pub acknowledged: usize,
    /// When the last publish arrived.
    pub last: Instant,
    /// The last CONNACK or SUBACK, without its fixed header.
    answer: Option<Vec<u8>>,
}

impl Raw {
    /// Connects with Clean Session and no keep-alive; the token is the password.
    pub async fn connect(at: SocketAddr, client_id: &str, user: &str, token: &str) -> Raw {
        let stream = TcpStream::connect(at).await.expect("the broker listens");
        stream.set_nodelay(true).unwrap();
        let mut raw = Raw {
            stream,
            input: vec![],
            output: vec![],
            written: 0,
            last_id: 0,
            delivered: 0,
            acknowledged: 0,
            last: Instant::now(),
            answer: None,
        };
        let mut body = b"\0\x04MQTT\x04\xC2\0\0".to_vec();
        for text in [client_id, user, token] {
            put_text(&mut body, text);
        }
        raw.put(CONNECT, &[&body]);
        let answer = raw.answered().await;
        assert_eq!(answer, [0, 0], "{client_id} is not let in");
        raw
    }

    pub async fn subscribe(&mut self, filter: &str, qos: u8) {
        let mut body = vec![0, 1];
        put_text(&mut body, filter);
        body.push(qos);
        self.put(SUBSCRIBE, &[&body]);
        let answer = self.answered().await;
        assert_eq!(answer, [0, 1, qos], "{filter} is not granted");
    }

    /// Queues a publish; QoS 0 or 1.
    pub fn publish(&mut self, topic: &str, qos: u8, payload: &[u8]) {
        let mut name = Vec::with_capacity(topic.len() + 2);
        put_text(&mut name, topic);
        if qos == 0 {
            return self.put(PUBLISH, &[&name, payload]);
        }
        self.last_id = if self.last_id == u16::MAX { 1 } else { self.last_id + 1 };
        let id = self.last_id.to_be_bytes();
        self.put(PUBLISH | qos << 1, &[&name, &id, payload]);
    }

    /// Bytes that are queued and not written.
    pub fn unwritten(&self) -> usize {
        self.output.len() - self.written
    }

    /// Writes what is queued and takes in what is there; whether anything moved.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        let mut moved = false;
        let mut space = [MaybeUninit::uninit(); READ_BYTES];
        let mut buffer = ReadBuf::uninit(&mut space);
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
            read.expect("the broker stays");
            assert!(!buffer.filled().is_empty(), "the broker closed the connection");
            self.take(buffer.filled());
            moved = true;
        }
        while self.unwritten() > 0 {
            let rest = &self.output[self.written..];
            let Poll::Ready(count) = Pin::new(&mut self.stream).poll_write(cx, rest) else { break };
            self.written += count.expect("the broker stays");
            moved = true;
        }
        if self.unwritten() == 0 {
            self.output.clear();
            self.written = 0;
        }
        moved
    }

    async fn answered(&mut self) -> Vec<u8> {
        poll_fn(|cx| {
            while self.poll(cx) {}
            self.answer.take().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    fn put(&mut self, first: u8, parts: &[&[u8]]) {
        self.output.push(first);
        let mut left = parts.iter().map(|part| part.len()).sum::<usize>();
        while left > 127 {
            self.output.push(u8::try_from(left & 0x7F).unwrap() | 0x80);
            left >>= 7;
        }
        self.output.push(u8::try_from(left).unwrap());
        parts.iter().for_each(|part| self.output.extend_from_slice(part));
    }

    fn take(&mut self, read: &[u8]) {
        if self.input.is_empty() {
            let used = self.take_whole(read);
            return self.input.extend_from_slice(&read[used..]);
        }
        let mut input = std::mem::take(&mut self.input);
        input.extend_from_slice(read);
        let used = self.take_whole(&input);
        input.drain(..used);
        self.input = input;
    }

    /// Takes in whole packets; the bytes they had.
    fn take_whole(&mut self, bytes: &[u8]) -> usize {
        let mut used = 0;
        while let Some((header, body)) = split(&bytes[used..]) {
            self.heard(bytes[used], body);
            used += header + body.len();
        }
        used
    }

    fn heard(&mut self, first: u8, body: &[u8]) {
        match first & 0xF0 {
            PUBLISH => {
                self.delivered += 1;
                if first & 0b110 != 0 {
                    let id = 2 + usize::from(u16::from_be_bytes([body[0], body[1]]));
                    self.output.extend_from_slice(&[PUBACK, 2, body[id], body[id + 1]]);
                }
                self.last = Instant::now();
            }
            PUBACK => self.acknowledged += 1,
            CONNACK | SUBACK => self.answer = Some(body.to_vec()),
            other => panic!("the broker sent {other:#x}"),
        }
    }
}

/// A whole packet: bytes of its fixed header, and the rest.
fn split(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut len = 0;
    for (at, byte) in bytes.get(1..)?.iter().take(4).enumerate() {
        len |= usize::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((at + 2, bytes.get(at + 2..at + 2 + len)?));
        }
    }
    None
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&u16::try_from(text.len()).unwrap().to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_packet_is_taken_only_whole() {
        assert_eq!(split(&[]), None);
        assert_eq!(split(&[0x30]), None);
        assert_eq!(split(&[0x30, 2, 1]), None);
        assert_eq!(split(&[0x30, 2, 1, 2, 3]), Some((2, &[1, 2][..])));
        let mut long = vec![0x30, 0x80, 1];
        assert_eq!(split(&long), None);
        long.extend([7; 128]);
        assert_eq!(split(&long), Some((3, &[7; 128][..])));
    }
}
