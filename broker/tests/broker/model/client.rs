//! A client of either version, with packets written and read by hand: apart from the codec that
//! the broker uses.

use std::collections::{HashMap, HashSet};

use super::gate::STRANGER;
use futures_util::FutureExt;
use hearth_broker::Broker;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

/// How somebody says CONNECT. `how`: 1 MQTT 5, 2 clean, 4 acknowledges at once, 8 a will,
/// 16 and 32 how long the session stays, 64 and 128 the receive maximum. `more`: keep-alive, the
/// will's QoS, retain and delay.
pub struct Hello {
    pub account: &'static str,
    pub id: &'static str,
    pub will: Option<(&'static str, u32)>,
    pub how: u8,
    pub more: u8,
}

/// A message that came.
#[derive(Debug)]
pub struct Heard {
    pub topic: String,
    pub payload: Vec<u8>,
    pub qos: u8,
    pub dup: bool,
    id: u16,
}

/// What the model is told.
pub enum News<'a> {
    Welcome { resumed: bool },
    Subscribed { filter: &'static str, qos: u8, no_local: bool },
    Unsubscribed { filter: &'static str },
    Message(&'a Heard),
}

/// Where a message is that was not acknowledged to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Heard1,
    Heard2,
    /// PUBREC was sent.
    Received,
    /// PUBREL came.
    Released,
}

pub struct Client {
    stream: DuplexStream,
    input: Vec<u8>,
    five: bool,
    clean: bool,
    stranger: bool,
    prompt: bool,
    window: usize,
    /// CONNACK said yes, and the connection stands.
    pub welcomed: bool,
    pub ended: bool,
    /// It sent bytes that the model does not understand.
    pub wild: bool,
    /// Since the last line of the script.
    pub heard: Vec<Heard>,
    waiting: Vec<(u16, Stage)>,
    acknowledged: HashSet<u16>,
    asked: HashMap<u16, (&'static str, bool)>,
    last_id: u16,
}

fn text(text: &[u8]) -> Vec<u8> {
    [&u16::try_from(text.len()).unwrap().to_be_bytes()[..], text].concat()
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let (low, high) = (body.len() % 128, body.len() / 128);
    let length = if high == 0 { vec![low] } else { vec![low | 128, high] };
    let length = length.into_iter().map(|byte| u8::try_from(byte).unwrap());
    [first].into_iter().chain(length).chain(body.iter().copied()).collect()
}

impl Client {
    fn new(broker: &Broker, port: u16) -> Client {
        let (stream, far) = duplex(1 << 16);
        let broker = broker.clone();
        tokio::spawn(async move { broker.attach(far, ([127, 0, 0, 1], port).into()).await });
        Client {
            stream,
            input: vec![],
            five: false,
            clean: false,
            stranger: false,
            prompt: false,
            window: 4,
            welcomed: false,
            ended: false,
            wild: false,
            heard: vec![],
            waiting: vec![],
            acknowledged: HashSet::new(),
            asked: HashMap::new(),
            last_id: 0,
        }
    }

    /// Somebody who has said nothing yet.
    pub fn stranger(broker: &Broker) -> Client {
        Client { stranger: true, ..Client::new(broker, STRANGER) }
    }

    pub fn connect(broker: &Broker, hello: &Hello) -> Client {
        let (how, more) = (hello.how, hello.more);
        let (five, clean) = (how & 1 != 0, how & 2 != 0);
        let receive_max = if five { how >> 6 } else { 0 };
        let mut flags = 0x80 | if clean { 2 } else { 0 };
        if hello.will.is_some() {
            flags |= 4 | (more >> 2 & 3).min(2) << 3 | (more >> 4 & 1) << 5;
        }
        let keep_alive = if more & 128 != 0 { 2 } else { 0 };
        let mut body =
            [&text(b"MQTT")[..], &[if five { 5 } else { 4 }, flags, 0, keep_alive]].concat();
        if five {
            let expiry = [0, 5, 100, u32::MAX][usize::from(how >> 4 & 3)].to_be_bytes();
            let mut properties = [&[0x11][..], &expiry].concat();
            if receive_max > 0 {
                properties.extend([0x21, 0, receive_max]);
            }
            body.push(u8::try_from(properties.len()).unwrap());
            body.extend(properties);
        }
        body.extend(text(hello.id.as_bytes()));
        if let Some((topic, number)) = hello.will {
            if five {
                body.extend([5, 0x18, 0, 0, 0, more >> 5 & 3]);
            }
            body.extend(text(topic.as_bytes()));
            body.extend(text(format!("w{number}").as_bytes()));
        }
        body.extend(text(hello.account.as_bytes()));
        let window = if receive_max == 0 { 4 } else { usize::from(receive_max).min(4) };
        let mut client =
            Client { five, clean, window, prompt: how & 4 != 0, ..Client::new(broker, 9) };
        client.write(&packet(0x10, &body));
        client
    }

    /// Whether one more message above QoS 0 can come.
    pub fn has_room(&self) -> bool {
        self.waiting.len() < self.window
    }

    pub fn was_acknowledged(&self, id: u16) -> bool {
        self.acknowledged.contains(&id)
    }

    /// Nobody reads: the connection is as good as closed, which reading will show.
    pub fn write(&mut self, bytes: &[u8]) {
        drop(self.stream.write_all(bytes).now_or_never());
    }

    fn next_id(&mut self) -> u16 {
        self.last_id = self.last_id % 1_000 + 1;
        self.last_id
    }

    fn send(&mut self, first: u8, id: u16, properties: &[u8], rest: &[u8]) {
        let properties = if self.five { properties } else { &[] };
        self.write(&packet(first, &[&id.to_be_bytes()[..], properties, rest].concat()));
    }

    pub fn subscribe(&mut self, filter: &'static str, options: u8) {
        let (qos, handling) = ((options & 3).min(2), (options >> 4 & 3).min(2));
        let flags = if self.five { options & 0b1100 | handling << 4 } else { 0 };
        let id = self.next_id();
        self.asked.insert(id, (filter, flags & 4 != 0));
        // No-local on a shared subscription is an error of the protocol.
        let flags = if filter.starts_with("$share") { 0 } else { flags };
        self.send(0x82, id, &[0], &[&text(filter.as_bytes())[..], &[flags | qos]].concat());
    }

    pub fn unsubscribe(&mut self, filter: &'static str) {
        let id = self.next_id();
        self.asked.insert(id, (filter, false));
        self.send(0xA2, id, &[0], &text(filter.as_bytes()));
    }

    /// `how`: QoS, 4 retain, 8 expires. Gives the packet id.
    pub fn publish(&mut self, topic: &str, payload: &[u8], how: u8) -> u16 {
        let (qos, retain) = ((how & 3).min(2), how >> 2 & 1);
        let id = self.next_id();
        self.acknowledged.remove(&id);
        let mut body = text(topic.as_bytes());
        if qos > 0 {
            body.extend(id.to_be_bytes());
        }
        if self.five {
            let expiry: &[u8] = if how & 8 != 0 { &[5, 2, 0, 0, 0, 3] } else { &[0] };
            body.extend(expiry);
        }
        body.extend(payload);
        self.write(&packet(0x30 | qos << 1 | retain, &body));
        id
    }

    /// The next step for one of the messages that wait for it.
    pub fn acknowledge(&mut self, which: u8) {
        if self.waiting.is_empty() {
            return;
        }
        let at = usize::from(which) % self.waiting.len();
        let (id, stage) = self.waiting[at];
        match stage {
            Stage::Heard1 => self.send(0x40, id, &[], &[]),
            Stage::Released => self.send(0x70, id, &[], &[]),
            Stage::Heard2 => {
                self.send(0x50, id, &[], &[]);
                self.waiting[at].1 = Stage::Received;
                return;
            }
            Stage::Received => return,
        }
        self.waiting.remove(at);
    }

    pub fn disconnect(&mut self, with_will: bool) {
        let say: &[u8] = if with_will && self.five { &[0xE0, 1, 4] } else { &[0xE0, 0] };
        self.write(say);
    }

    /// Takes in what came; whether anything did.
    pub fn listen(&mut self, mut tell: impl FnMut(News<'_>)) -> bool {
        let mut buffer = [0; 4096];
        let mut any = false;
        while let Some(read) = self.stream.read(&mut buffer).now_or_never() {
            match read {
                Ok(count @ 1..) => self.input.extend_from_slice(&buffer[..count]),
                Ok(0) | Err(_) => {
                    any |= !std::mem::replace(&mut self.ended, true);
                    break;
                }
            }
            any = true;
        }
        if self.stranger {
            self.input.clear();
        }
        while let Some((first, body)) = self.take_packet() {
            self.handle(first, &body, &mut tell);
        }
        any
    }

    fn take_packet(&mut self) -> Option<(u8, Vec<u8>)> {
        let (length, head) = varint(self.input.get(1..)?)?;
        let end = 1 + head + length;
        if self.input.len() < end {
            return None;
        }
        let body = self.input[1 + head..end].to_vec();
        let first = self.input[0];
        self.input.drain(..end);
        Some((first, body))
    }

    fn handle(&mut self, first: u8, body: &[u8], tell: &mut impl FnMut(News<'_>)) {
        if first == 0x20 {
            let resumed = body[0] == 1;
            assert!(!(resumed && (self.clean || body[1] != 0)), "{body:?}");
            self.welcomed = body[1] == 0;
            return if self.welcomed {
                tell(News::Welcome { resumed })
            };
        }
        assert!(self.welcomed, "{first:02x} {body:?} before CONNACK");
        let id = || u16::from_be_bytes([body[0], body[1]]);
        let good = body.get(2).is_none_or(|reason| *reason < 0x80);
        match first {
            0x30..=0x3F => self.hear(first, body, tell),
            0x40 if good => drop(self.acknowledged.insert(id())),
            0x50 if good => self.send(0x62, id(), &[], &[]),
            0x62 => self.release(id()),
            0x90 | 0xB0 => {
                let Some((filter, no_local)) = self.asked.remove(&id()) else {
                    return assert!(self.wild, "{first:02x} {body:?}: not asked");
                };
                let qos = *body.last().unwrap();
                match first {
                    0xB0 => tell(News::Unsubscribed { filter }),
                    _ if qos < 3 => tell(News::Subscribed { filter, qos, no_local }),
                    _ => {}
                }
            }
            0x40 | 0x50 | 0x70 | 0xD0 => {}
            0xE0 if self.five => {}
            _ => panic!("a broker does not send {first:02x} {body:?}"),
        }
    }

    fn hear(&mut self, first: u8, body: &[u8], tell: &mut impl FnMut(News<'_>)) {
        let (qos, dup) = (first >> 1 & 3, first & 8 != 0);
        let end = 2 + usize::from(u16::from_be_bytes([body[0], body[1]]));
        let topic = String::from_utf8(body[2..end].to_vec()).unwrap();
        let mut rest = &body[end..];
        let mut id = 0;
        if qos > 0 {
            id = u16::from_be_bytes([rest[0], rest[1]]);
            rest = &rest[2..];
        }
        if self.five {
            let (length, head) = varint(rest).unwrap();
            rest = &rest[head + length..];
        }
        let heard = Heard { topic, payload: rest.to_vec(), qos, dup, id };
        tell(News::Message(&heard));
        self.take(&heard);
        self.heard.push(heard);
    }

    fn take(&mut self, heard: &Heard) {
        let Heard { qos, id, .. } = *heard;
        if qos == 0 {
            return;
        }
        assert!(qos < 3 && id > 0, "{heard:?}");
        if !self.wild {
            let twice = self.waiting.iter().any(|(waits, _)| *waits == id);
            assert!(!twice, "{heard:?}: its packet id is in use");
            assert!(self.has_room(), "{heard:?}: more than the receive maximum");
        }
        match (qos, self.prompt) {
            (1, true) => self.send(0x40, id, &[], &[]),
            (1, false) => self.waiting.push((id, Stage::Heard1)),
            (_, true) => {
                self.send(0x50, id, &[], &[]);
                self.waiting.push((id, Stage::Received));
            }
            (_, false) => self.waiting.push((id, Stage::Heard2)),
        }
    }

    fn release(&mut self, id: u16) {
        self.waiting.retain(|(waits, _)| *waits != id);
        if self.prompt {
            self.send(0x70, id, &[], &[]);
        } else {
            self.waiting.push((id, Stage::Released));
        }
    }
}

/// A variable byte integer and how many bytes it has.
fn varint(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 127) << (7 * at);
        if byte & 128 == 0 {
            return Some((value, at + 1));
        }
    }
    None
}
