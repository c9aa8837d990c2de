//! The contract of a bus, kept by rumqttd's router and by a ring; and what a dead router means.

use super::*;
use crate::bus::ring::Ring;
use crate::rooms::{Carried, Rooms};

fn event(position: u64) -> RoomEvent {
    let payload = Bytes::from(format!("event {position}"));
    RoomEvent { room: RoomId::new(1, [7; 10]), position: Position(position), payload }
}

async fn next(link: &mut Box<dyn Link>) -> Result<RoomEvent, BusError> {
    std::future::poll_fn(|cx| link.poll_event(cx)).await
}

/// Both buses, each remembering so few events that a link lags at once.
fn buses() -> [(&'static str, Arc<dyn Bus>); 2] {
    [("router", Arc::new(Router::start(4_096, 8).unwrap())), ("ring", Arc::new(Ring::new(32)))]
}

#[tokio::test]
async fn every_link_gets_what_is_published_after_it_is_there() {
    for (name, bus) in buses() {
        bus.publish(&event(1)).unwrap();
        let mut links = vec![bus.link().await.unwrap(), bus.link().await.unwrap()];
        for position in 2..20 {
            bus.publish(&event(position)).unwrap();
            for link in &mut links {
                assert_eq!(next(link).await.unwrap(), event(position), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_link_that_lags_may_miss_events_but_order_and_content_hold() {
    for (name, bus) in buses() {
        let mut link = bus.link().await.unwrap();
        for position in 1..=5_000 {
            // A full entrance keeps the event all the same.
            if let Err(BusError::Gone(cause)) = bus.publish(&event(position)) {
                panic!("{name}: {cause}");
            }
        }
        let mut last = Position::START;
        let mut heard = 0;
        while last < Position(5_000) {
            let got = next(&mut link).await.unwrap();
            assert!(got.position > last, "{name}");
            assert_eq!(got, event(got.position.0), "{name}");
            (last, heard) = (got.position, heard + 1);
        }
        assert!(heard > 0, "{name}");
    }
}

#[tokio::test]
async fn links_come_and_go_without_end() {
    for (name, bus) in buses() {
        // The router has room for eight links at once: each must give its place back.
        for position in 1..=50 {
            let mut link = bus.link().await.unwrap();
            bus.publish(&event(position)).unwrap();
            assert_eq!(next(&mut link).await.unwrap(), event(position), "{name}");
        }
    }
}

/// A topic outside ASCII is what the router dies of, once it has a filter to compare it with.
pub(crate) fn poison(router: &Router) {
    let mut entrance = router.entrance.lock().unwrap();
    drop(entrance.try_publish("é", "x"));
}

/// Poisons the router and waits for its death; links may see an event they know again.
pub(crate) fn kill(router: &Router, known: &RoomEvent) {
    while !matches!(router.publish(known), Err(BusError::Gone(_))) {
        poison(router);
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_dead_router_is_an_error_for_everyone_and_no_hang() {
    let router = Router::start(4_096, 8).unwrap();
    let mut link = router.link().await.unwrap();
    kill(&router, &event(1));
    while next(&mut link).await.is_ok() {}
    assert!(matches!(router.publish(&event(1)), Err(BusError::Gone(_))));
    assert!(matches!(router.link().await, Err(BusError::Gone(_))));
}

#[tokio::test]
async fn a_dead_bus_is_started_again_and_its_events_are_found_by_their_heads() {
    let routers: Arc<Mutex<Vec<Arc<Router>>>> = Arc::default();
    let started = Arc::clone(&routers);
    let rooms = Rooms::new(Box::new(move || {
        let router = Arc::new(Router::start(4_096, 8)?);
        started.lock().unwrap().push(Arc::clone(&router));
        Ok(router)
    }));
    let mut link = rooms.link().await.unwrap();
    assert_eq!(rooms.publish(&event(1)), Carried::Yes);
    assert_eq!(next(&mut link).await.unwrap(), event(1));
    kill(&routers.lock().unwrap()[0], &event(1));
    while next(&mut link).await.is_ok() {}
    assert_eq!(rooms.publish(&event(2)), Carried::Perhaps);
    assert_eq!(rooms.head(event(2).room).unwrap().head, Position(2));
    let mut link = rooms.link().await.unwrap();
    assert_eq!(rooms.publish(&event(3)), Carried::Yes);
    assert_eq!(next(&mut link).await.unwrap(), event(3));
    assert_eq!((rooms.restarts(), routers.lock().unwrap().len()), (1, 2));
}
