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

use crate::bus::tests::{kill, poison};
use crate::bus::{Bus, RoomEvent, Router};
use crate::gate::{Backlog, Gate, Login, OnceKey, PresenceChange, Publish, Verdict};
use crate::hub::Hub;

/// A gate whose history has one byte for each event.
#[derive(Default)]
struct Historian {
    history: Mutex<Vec<u8>>,
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
        let events: Vec<_> = (1..)
            .map(Position)
            .zip(history.iter().map(|byte| Bytes::from(vec![*byte])))
            .filter(|(position, _)| *position > after)
            .take(limit)
            .collect();
        let up_to = events.last().map_or(after, |(position, _)| *position);
        ready(Ok(Backlog { events, up_to })).boxed()
    }

    fn presence(&self, _: &Account, _: PresenceChange) {}

    fn refused(&self, _: &Principal, _: &str, _: &Refusal) {}
}

/// The last byte of the next packet, which is shorter than 128 bytes.
async fn last_byte(stream: &mut DuplexStream) -> u8 {
    stream.read_u8().await.unwrap();
    let mut body = vec![0; usize::from(stream.read_u8().await.unwrap())];
    stream.read_exact(&mut body).await.unwrap();
    body.last().copied().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bus_that_dies_again_and_again_loses_no_event() {
    let routers: Arc<Mutex<Vec<Arc<Router>>>> = Arc::default();
    let started = Arc::clone(&routers);
    let start = move || {
        let router = Arc::new(Router::start(4_096, 8)?);
        started.lock().unwrap().push(Arc::clone(&router));
        Ok(router as Arc<dyn Bus>)
    };
    let hub = Arc::new(Hub::with_bus(Arc::new(Limits::default()), Box::new(start)));
    let gate = Arc::new(Historian::default());
    assert!(hub.gate.set(gate.clone()).is_ok());
    let (mut near, far) = duplex(4_096);
    let peer = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
    let connection = tokio::spawn(super::run(Arc::clone(&hub), far, peer));
    near.write_all(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a").await.unwrap();
    near.write_all(b"\x82\x06\x00\x01\x00\x01#\x00").await.unwrap();
    assert_eq!(last_byte(&mut near).await, 0, "CONNACK");
    assert_eq!(last_byte(&mut near).await, 0, "SUBACK");
    let room = RoomId::new(1, [1; 10]);
    for number in 1..=80u8 {
        gate.history.lock().unwrap().push(number);
        let event = RoomEvent {
            room,
            position: Position(number.into()),
            payload: Bytes::from(vec![number]),
        };
        hub.publish_event(room, event.position, event.payload.clone());
        let router = routers.lock().unwrap().last().cloned().unwrap();
        match number % 20 {
            0 => kill(&router, &event),
            // It dies some time later, with events that were handed to it and never came out.
            10 => poison(&router),
            _ => {}
        }
        if number % 7 == 0 {
            tokio::task::yield_now().await;
        }
    }
    for number in 1..=80 {
        assert_eq!(last_byte(&mut near).await, number);
    }
    assert!(hub.rooms.restarts() > 1);
    drop(near);
    connection.await.unwrap();
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
