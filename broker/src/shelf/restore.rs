//! Reads everything back at the start, before anybody connects.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hearth_protocol::ids::Position;
use hearth_protocol::refusal::Refusal;
use serde::de::DeserializeOwned;

use super::record::{CursorRow, Key, Now, QueuedRow, RetainedRow, SessionRow, decode, session_key};
use super::writer::NOTHING;
use super::{Row, Shelf};
use crate::departures::Departures;
use crate::hub::Hub;
use crate::mailbox::Mailbox;
use crate::message::Delivery;
use crate::registry::{self, Resting};
use crate::routes::Route;
use crate::session::cursor::Reach;
use crate::session::state::{Keeper, State, Subscription};

/// See `trusted`.
const DAY_MS: u64 = 24 * 3_600_000;

/// One session's rows.
#[derive(Default)]
struct Rows {
    session: Option<SessionRow>,
    cursors: Vec<CursorRow>,
    queued: BTreeMap<u64, QueuedRow>,
    received: Vec<u16>,
}

/// Reads the shelf, begins to write to it, and gives back how many sessions it had.
pub(crate) async fn restore(hub: &Arc<Hub>, shelf: Arc<dyn Shelf>) -> Result<usize, Refusal> {
    let now = Now::get();
    let rows = shelf.load().await?;
    if !hub.shelving.begin(shelf) {
        tracing::warn!("the broker has a shelf already");
        return Ok(0);
    }
    let mut sessions: BTreeMap<u64, Rows> = BTreeMap::new();
    for (key, value) in rows {
        sort(hub, &mut sessions, now, (key, value));
    }
    let newest = sessions.last_key_value().map_or(0, |(number, _)| *number);
    hub.registry.number_from(newest.max(now.wall_ms << 20));
    let now = trusted(now, sessions.values().filter_map(|rows| rows.session.as_ref()?.left_ms));
    let (mut restored, mut over) = (0, vec![]);
    // Of two sessions of one name the newer one stays: the older one's end was not written.
    for (number, mut rows) in sessions.into_iter().rev() {
        match rows.session.take() {
            Some(session) if left_s(&session, now) > 0 && !hub.registry.has(&key(&session)) => {
                bring_back(hub, number, session, rows, now);
                restored += 1;
            }
            // It expired while the broker was away, or was taken over by a clean start.
            session => over.push((number, session, rows.queued)),
        }
    }
    // Whoever may take over what they shared is there by now.
    for (number, session, queued) in over {
        end(hub, number, session, queued, now);
    }
    let writer = Arc::clone(&hub.shelving);
    *hub.shelf_task.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
        Some(tokio::spawn(async move { writer.write().await }));
    Ok(restored)
}

fn sort(hub: &Hub, sessions: &mut BTreeMap<u64, Rows>, now: Now, (key, value): Row) {
    match Key::parse(&key) {
        Key::Session(number) => {
            sessions.entry(number).or_default().session = read("session", &value);
        }
        Key::Cursors(number) => {
            sessions.entry(number).or_default().cursors =
                read("cursors", &value).unwrap_or_default();
        }
        Key::Queued(number, place) => {
            if let Some(row) = read("message", &value) {
                sessions.entry(number).or_default().queued.insert(place, row);
            }
        }
        Key::Received(number, packet_id) => {
            sessions.entry(number).or_default().received.push(packet_id);
        }
        Key::Retained => match read::<RetainedRow>("retained message", &value) {
            Some(RetainedRow { message, owner }) => {
                hub.restore_retained(message.into_message(now), owner.as_ref(), now.instant);
            }
            None => {
                hub.shelving.remove(key);
            }
        },
        Key::Unknown => tracing::warn!("a row of the shelf is of no known kind: it stays"),
    }
}

/// A clock that was never set may be far ahead: no more than a day is taken to have passed since
/// the newest time that was written (design §5), so that nothing ends by mistake.
fn trusted(now: Now, written_ms: impl Iterator<Item = u64>) -> Now {
    let latest = written_ms.max().map_or(u64::MAX, |newest| newest.saturating_add(DAY_MS));
    Now { wall_ms: now.wall_ms.min(latest), ..now }
}

fn key(session: &SessionRow) -> registry::Key {
    registry::Key { account: session.who.account(), client_id: (*session.client_id).into() }
}

/// A row that does not read is said and left out: the rest is worth keeping.
fn read<T: DeserializeOwned>(what: &str, value: &Bytes) -> Option<T> {
    match decode(value) {
        Ok(row) => Some(row),
        Err(cause) => {
            tracing::error!(cause, "a {what} on the shelf does not read");
            None
        }
    }
}

/// Seconds that a session still has.
fn left_s(session: &SessionRow, now: Now) -> u32 {
    let away_ms = session.left_ms.map_or(0, |left_ms| now.wall_ms.saturating_sub(left_ms));
    let away_s = u32::try_from(away_ms / 1_000).unwrap_or(u32::MAX);
    session.expiry_s.saturating_sub(away_s)
}

/// A message as it waited.
fn delivery(place: u64, row: QueuedRow, now: Now) -> Option<Delivery> {
    let QueuedRow::Message { message, qos, retain, ids, shared } = row else { return None };
    let delivery = Delivery::new(Arc::new(message.into_message(now)), qos, retain, ids);
    Some(Delivery { place: Some(place), again: true, shared, ..delivery })
}

/// Removes a session; what it shared goes to others.
fn end(
    hub: &Hub,
    number: u64,
    session: Option<SessionRow>,
    queued: BTreeMap<u64, QueuedRow>,
    now: Now,
) {
    if let Some(session) = session {
        let account = session.who.account();
        for delivery in queued.into_iter().filter_map(|(place, row)| delivery(place, row, now)) {
            hub.hand_on(&account, &delivery, number);
        }
    }
    hub.shelving.end(number);
}

fn bring_back(hub: &Arc<Hub>, number: u64, session: SessionRow, rows: Rows, now: Now) {
    let left = Duration::from_secs(left_s(&session, now).into());
    let key = key(&session);
    let SessionRow { who, client_id: _, expiry_s, left_ms, subscriptions, withheld } = session;
    let who = Arc::new(who);
    let load = hub.loads.of(&key.account);
    let mailbox = Arc::new(Mailbox::new(number, &hub.limits, load));
    let mut state = Box::new(State { expiry_s, kept: true, ..State::default() });
    state.withheld = withheld.into_iter().collect();
    for row in subscriptions {
        let (qos, id) = (row.qos, row.id);
        let (no_local, retain_as_published) = (row.no_local, row.retain_as_published);
        let reach = Reach::of(&row.filter);
        let mailbox = Arc::clone(&mailbox);
        let route = Route { mailbox, qos, no_local, retain_as_published, id };
        hub.subscribe(&who.account(), &row.filter, route);
        let subscription = Subscription { qos, id, reach, no_local, retain_as_published };
        state.subscriptions.insert(row.filter, subscription);
    }
    for row in rows.cursors {
        if state.subscriptions.values().any(|s| s.reach.covers(row.room)) {
            state.cursors.start(row.room, row.acknowledged);
        }
    }
    for (room, head) in hub.rooms.heads() {
        if state.subscriptions.values().any(|s| s.reach.covers(room)) {
            // A room without a cursor was made after the last one was saved.
            state.cursors.start(room, Position::START);
            state.cursors.compare(room, head.head);
        }
    }
    for packet_id in rows.received {
        state.received.insert(packet_id, Keeper::Session, NOTHING);
    }
    let next_place = rows.queued.last_key_value().map_or(0, |(place, _)| place + 1);
    let mut queue = VecDeque::new();
    for (place, row) in rows.queued {
        match row {
            QueuedRow::Release { packet_id } => state.flight.restore(place, packet_id),
            QueuedRow::Message { .. } => queue.extend(delivery(place, row, now)),
        }
    }
    mailbox.restore(&who, queue, next_place);
    if left_ms.is_none() {
        let row = state.row(&who, &key.client_id, Some(now.wall_ms));
        hub.shelving.put(session_key(number), &row);
    }
    let resting = Resting { state, will: None };
    let visit = hub.registry.restore(&key, who, mailbox, resting);
    Departures::enter(hub, &key, visit, None, now.instant + left);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{Properties, Qos};
    use crate::message::{APPLIANCE, Message};
    use crate::registry::{AccountBounds, Entered};
    use crate::shelf::ShelfChange;
    use crate::shelf::record::{SubscriptionRow, encode, queued_key};
    use futures_util::FutureExt;
    use futures_util::future::{BoxFuture, ready};
    use hearth_protocol::limits::Limits;
    use hearth_protocol::principal::Principal;

    /// What lay there at the start; what is saved later is forgotten.
    struct Left(Vec<Row>);

    impl Shelf for Left {
        fn load(&self) -> BoxFuture<'_, Result<Vec<Row>, Refusal>> {
            ready(Ok(self.0.clone())).boxed()
        }

        fn save(&self, _: Vec<ShelfChange>) -> BoxFuture<'_, Result<(), Refusal>> {
            ready(Ok(())).boxed()
        }
    }

    fn session(client_id: &str, left_ms: u64) -> Bytes {
        let subscription = SubscriptionRow {
            filter: "$share/g/t".into(),
            qos: Qos::ExactlyOnce,
            id: None,
            no_local: false,
            retain_as_published: false,
        };
        encode(&SessionRow {
            who: Principal::Local("a".to_string()),
            client_id: client_id.to_string(),
            expiry_s: 1_000,
            left_ms: Some(left_ms),
            subscriptions: vec![subscription],
            withheld: vec![],
        })
        .unwrap()
    }

    fn queued(topic: &str, qos: Qos, shared: bool) -> Bytes {
        let message = Arc::new(Message {
            topic: topic.into(),
            payload: Bytes::new(),
            qos,
            retain: false,
            properties: Properties::default(),
            expires: None,
            from: APPLIANCE,
        });
        let shared = shared.then(|| "$share/g/t".into());
        let delivery = Delivery { shared, ..Delivery::new(message, qos, false, vec![]) };
        encode(&QueuedRow::of(&delivery, Now::get())).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_far_ahead_is_believed_for_a_day_only() {
        let now = Now { instant: tokio::time::Instant::now(), wall_ms: 1_000 * DAY_MS };
        let wall = |written: &[u64]| trusted(now, written.iter().copied()).wall_ms;
        assert_eq!(wall(&[3 * DAY_MS, 5 * DAY_MS]), 6 * DAY_MS);
        assert_eq!(wall(&[now.wall_ms - 1]), now.wall_ms);
        assert_eq!(wall(&[]), now.wall_ms);
    }

    #[tokio::test]
    async fn of_two_sessions_of_one_name_the_newer_stays_and_the_older_leaves_nothing() {
        let hub = Arc::new(Hub::new(Arc::new(Limits::default())));
        let left_ms = Now::get().wall_ms;
        let rows = vec![
            (session_key(1), session("phone", left_ms)),
            (queued_key(1, 0), queued("old", Qos::AtLeastOnce, false)),
            (session_key(2), session("phone", left_ms)),
            (queued_key(2, 0), queued("new", Qos::AtLeastOnce, false)),
        ];
        assert_eq!(restore(&hub, Arc::new(Left(rows))).await.unwrap(), 1);
        let account = Principal::Local("a".to_string()).account();
        assert_eq!(hub.registry.len().0, 1);
        hub.unsubscribe(&account, "$share/g/t", 2);
        assert!(hub.has_no_routes(), "the older one's route is left");
    }

    #[tokio::test]
    async fn what_was_shared_by_a_session_that_expired_meanwhile_goes_to_another() {
        let hub = Arc::new(Hub::new(Arc::new(Limits::default())));
        let rows = vec![
            (session_key(1), session("expired", 0)),
            (queued_key(1, 0), queued("own", Qos::AtLeastOnce, false)),
            (queued_key(1, 1), queued("shared", Qos::AtLeastOnce, true)),
            (queued_key(1, 2), queued("perhaps sent", Qos::ExactlyOnce, true)),
            (session_key(2), session("stays", Now::get().wall_ms)),
        ];
        assert_eq!(restore(&hub, Arc::new(Left(rows))).await.unwrap(), 1);
        let who = Arc::new(Principal::Local("a".to_string()));
        let key = registry::Key { account: who.account(), client_id: "stays".into() };
        let bounds = AccountBounds { connections_max: 9, sessions_max: 9 };
        let fresh = Arc::new(Mailbox::new(99, &hub.limits, hub.loads.of(&key.account)));
        let Entered::Yours(yours) = hub.registry.enter(&key, &who, &fresh, false, bounds) else {
            panic!("not there")
        };
        let waiting = yours.mailbox.take_all();
        let topics: Vec<_> = waiting.iter().map(|delivery| &*delivery.message.topic).collect();
        assert_eq!((yours.mailbox.number, topics), (2, vec!["shared"]));
    }
}
