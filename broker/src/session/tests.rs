//! Connections over a bus that dies, and that come back again and again.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use hearth_protocol::ids::{Position, RoomId};
use hearth_protocol::limits::Limits;
use hearth_protocol::principal::{Account, Principal};
use hearth_protocol::refusal::Refusal;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;

use crate::bus::tests::{kill, poison};
use crate::bus::{Bus, RoomEvent, Router};
use crate::gate::{Backlog, Gate, Login, OnceKey, PresenceChange, Publish, Verdict};
use crate::hub::Hub;

/// A gate whose history is of one room.
#[derive(Default)]
struct Historian {
    history: Mutex<Vec<Bytes>>,
}

impl Gate for Historian {
    fn admit(&self, _: Login) -> BoxFuture<'_, Result<Principal, Refusal>> {
        ready(Ok(Principal::Local("a".to_string()))).boxed()
    }

    fn may_subscribe(&self, _: &Principal, _: &str) -> Result<(), Refusal> {
        Ok(())
    }

    fn may_receive(&self, _: &Principal, _: &str) -> bool {
        true
    }

    fn accept(
        &self,
        _: Arc<Principal>,
        _: Publish,
    ) -> BoxFuture<'static, Result<Verdict, Refusal>> {
        ready(Ok(Verdict::Handled)).boxed()
    }

    fn release(&self, _: OnceKey) -> BoxFuture<'static, Result<(), Refusal>> {
        ready(Ok(())).boxed()
    }

    fn backlog<'a>(
        &'a self,
        _: &'a Principal,
        _: RoomId,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'a, Result<Backlog, Refusal>> {
        let history = self.history.lock().unwrap();
        let behind = usize::try_from(after.0).unwrap();
        let events: Vec<_> = (after.0 + 1..)
            .map(Position)
            .zip(history.iter().skip(behind).cloned())
            .take(limit)
            .collect();
        let up_to = events.last().map_or(after, |(position, _)| *position);
        ready(Ok(Backlog { events, up_to })).boxed()
    }

    fn presence(&self, _: &Account, _: PresenceChange) {}

    fn refused(&self, _: &Principal, _: &str, _: &Refusal) {}
}

/// A hub on a tiny bus that can be killed.
struct Mortal {
    hub: Arc<Hub>,
    gate: Arc<Historian>,
    routers: Arc<Mutex<Vec<Arc<Router>>>>,
    room: RoomId,
}

impl Mortal {
    fn new(limits: Limits) -> Mortal {
        let routers: Arc<Mutex<Vec<Arc<Router>>>> = Arc::default();
        let started = Arc::clone(&routers);
        let start = move || {
            let router = Arc::new(Router::start(4_096, 8)?);
            started.lock().unwrap().push(Arc::clone(&router));
            Ok(router as Arc<dyn Bus>)
        };
        let hub = Arc::new(Hub::with_bus(Arc::new(limits), Box::new(start)));
        let gate = Arc::new(Historian::default());
        assert!(hub.gate.set(gate.clone()).is_ok());
        Mortal { hub, gate, routers, room: RoomId::new(1, [1; 10]) }
    }

    /// A 3.1.1 client of everything, and the broker's end of its connection.
    async fn client(&self, id: u8, qos: u8) -> (DuplexStream, JoinHandle<()>) {
        let (mut near, far) = duplex(4_096);
        let peer = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
        let connection = tokio::spawn(super::run(Arc::clone(&self.hub), far, peer));
        let mut hello = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01".to_vec();
        hello.push(id);
        near.write_all(&hello).await.unwrap();
        near.write_all(&[b"\x82\x06\x00\x01\x00\x01#".as_slice(), &[qos]].concat()).await.unwrap();
        assert_eq!(body(&mut near).await.last(), Some(&0), "CONNACK");
        assert_eq!(body(&mut near).await.last(), Some(&qos), "SUBACK");
        (near, connection)
    }

    /// Stores and publishes the next event.
    fn post(&self, number: u64) -> RoomEvent {
        let payload = Bytes::from(number.to_be_bytes().to_vec());
        self.gate.history.lock().unwrap().push(payload.clone());
        let event = RoomEvent { room: self.room, position: Position(number), payload };
        self.hub.publish_event(event.room, event.position, event.payload.clone());
        event
    }

    fn router(&self) -> Arc<Router> {
        self.routers.lock().unwrap().last().cloned().unwrap()
    }
}

/// What follows the fixed header of the next packet, which is shorter than 128 bytes.
async fn body(stream: &mut DuplexStream) -> Vec<u8> {
    stream.read_u8().await.unwrap();
    let mut body = vec![0; usize::from(stream.read_u8().await.unwrap())];
    stream.read_exact(&mut body).await.unwrap();
    body
}

fn number(body: &[u8]) -> u64 {
    u64::from_be_bytes(body[body.len() - 8..].try_into().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bus_that_dies_again_and_again_loses_no_event() {
    let mortal = Mortal::new(Limits::default());
    let (mut near, connection) = mortal.client(b'a', 0).await;
    for n in 1..=80 {
        let event = mortal.post(n);
        match n % 20 {
            0 => kill(&mortal.router(), &event),
            // It dies some time later, with events that were handed to it and never came out.
            10 => poison(&mortal.router()),
            _ => {}
        }
        if n % 7 == 0 {
            tokio::task::yield_now().await;
        }
    }
    for n in 1..=80 {
        assert_eq!(number(&body(&mut near).await), n);
    }
    assert!(mortal.hub.rooms.restarts() > 1);
    drop(near);
    connection.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bus_that_dies_under_load_loses_no_event_of_several_sessions_with_a_window() {
    const EVENTS: u64 = 20_000;
    let mortal = Mortal::new(Limits { in_flight_max: 4, ..Limits::default() });
    let mut readers = vec![];
    for id in b"abcdef" {
        let (mut near, connection) = mortal.client(*id, 1).await;
        readers.push(tokio::spawn(async move {
            for n in 1..=EVENTS {
                let heard = body(&mut near).await;
                assert_eq!(number(&heard), n, "reader {id}");
                let packet_id = &heard[heard.len() - 10..heard.len() - 8];
                near.write_all(&[b"\x40\x02", packet_id].concat()).await.unwrap();
            }
            drop(near);
            connection.await.unwrap();
        }));
    }
    for n in 1..=EVENTS {
        let event = mortal.post(n);
        match n % 2_000 {
            // A router dies only of somebody's link: there are some until the last event.
            500 => kill(&mortal.router(), &event),
            1_500 => poison(&mortal.router()),
            _ => {}
        }
        if n % 10 == 0 {
            tokio::task::yield_now().await;
        }
    }
    for reader in readers {
        reader.await.unwrap();
    }
    let restarts = mortal.hub.rooms.restarts();
    assert!(restarts >= EVENTS / 2_000, "{restarts} restarts");
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_reconnects_leave_one_due() {
    let start = || Ok(Arc::new(Router::start(4_096, 8)?) as Arc<dyn Bus>);
    let hub = Arc::new(Hub::with_bus(Arc::new(Limits::default()), Box::new(start)));
    assert!(hub.gate.set(Arc::new(Historian::default())).is_ok());
    let peer = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
    for number in 0..10_000 {
        let (mut near, far) = duplex(64);
        let connection = tokio::spawn(super::run(Arc::clone(&hub), far, peer));
        near.write_all(b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x00\x00\x01a").await.unwrap();
        let mut ack = [0; 4];
        near.read_exact(&mut ack).await.unwrap();
        assert_eq!(ack, [0x20, 2, u8::from(number > 0), 0], "the session is there");
        assert_eq!(hub.departures.len(), 0, "it is back: nothing is due");
        near.write_all(b"\xe0\x00").await.unwrap();
        drop(near);
        connection.await.unwrap();
        assert_eq!(hub.departures.len(), 1);
    }
}
