//! A household whose clients do anything in any order, beside a model of what may become of it:
//! nobody gets what they may not have, or what nobody published; what was acknowledged arrives.
//!
//! [`run`] takes bytes as a script, so that a fuzzer can write it.

#[path = "model/client.rs"]
mod client;
#[path = "model/gate.rs"]
mod gate;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use client::{Client, Heard, Hello};
use gate::Model;
use hearth_broker::{Broker, Reason};
use hearth_protocol::limits::Limits;
use hearth_protocol::principal::Account;
use hearth_protocol::topic::shared;
use tokio::time::{Instant, sleep, timeout};

/// Account, client id, session. The last takes over the first; the second has the first's id.
const PLACES: [(&str, &str, usize); 4] =
    [("a", "x", 0), ("b", "x", 1), ("a", "y", 2), ("a", "x", 0)];
const ACCOUNTS: [&str; 2] = ["a", "b"];
const TOPICS: [&str; 6] = ["t", "t/1", "u/2", "w", "refused/r", "$x/y"];
const FILTERS: [&str; 8] = ["t", "t/#", "+/1", "#", "u/+", "secret/x", "$share/g/t", "$x/+"];
/// Rounds until nobody has anything more to say to anybody.
const ROUNDS_MAX: usize = 10_000;

/// What the model knows of a session.
#[derive(Default)]
struct Session {
    /// Filter: granted QoS, no-local.
    subscriptions: HashMap<&'static str, (u8, bool)>,
    /// What came at QoS 2.
    once: HashSet<(String, Vec<u8>)>,
    /// Somebody sent bytes in its name: its subscriptions are not known.
    wild: bool,
    /// It shared once: what it shares comes beside what it has for itself.
    shares: bool,
}

struct House {
    broker: Broker,
    gate: Arc<Model>,
    clients: [Option<Client>; 4],
    sessions: [Session; 3],
    published: u32,
}

/// The rest of a script.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn pick<T: Copy>(&mut self, among: &[T]) -> Option<T> {
        let byte = usize::from(self.byte()?);
        Some(among[byte % among.len()])
    }
}

/// Runs a script to its end with a fresh broker; panics where the model is contradicted.
pub fn run(script: &[u8], make: fn(Arc<Limits>) -> Broker) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut house = House::new(make(Arc::new(limits())));
        let mut script = Script(script);
        while house.step(&mut script).await.is_some() {
            house.check_bounds();
        }
        house.clients = Default::default();
        let stopped = timeout(Duration::from_secs(3_600), house.broker.shutdown()).await;
        assert!(stopped.is_ok(), "the broker does not stop");
        assert_eq!(house.broker.counts().connections, 0);
    });
}

fn limits() -> Limits {
    Limits {
        in_flight_max: 4,
        receive_max: 4,
        queued_messages_max: 8,
        queued_bytes_max: 2_000,
        subscriptions_max: 5,
        retained_max: 3,
        packet_bytes_max: 1_000,
        sessions_per_identity_max: 2,
        ..Limits::default()
    }
}

impl House {
    fn new(broker: Broker) -> House {
        let gate = Arc::new(Model::default());
        broker.open(gate.clone());
        let (clients, sessions) = Default::default();
        House { broker, gate, clients, sessions, published: 0 }
    }

    /// One line of the script; `None` at its end.
    async fn step(&mut self, script: &mut Script<'_>) -> Option<()> {
        let first = script.byte()?;
        let place = usize::from(first >> 4) % PLACES.len();
        match first & 15 {
            0 | 1 => self.connect(place, script.byte()?, script.byte()?),
            2 | 3 => {
                let (filter, options) = (script.pick(&FILTERS)?, script.byte()?);
                self.with(place, |client| client.subscribe(filter, options));
            }
            4 => {
                let filter = script.pick(&FILTERS)?;
                self.with(place, |client| client.unsubscribe(filter));
            }
            5..=8 => {
                let (topic, how) = (script.pick(&TOPICS)?, script.byte()?);
                self.publish(place, topic, how).await;
            }
            9 => {
                let which = script.byte()?;
                self.with(place, |client| client.acknowledge(which));
            }
            10 => {
                let with_will = script.byte()? & 1 == 1;
                self.with(place, |client| client.disconnect(with_will));
            }
            11 => self.clients[place] = None,
            12 => self.raw(place, script)?,
            13 => self.grant(script.pick(&ACCOUNTS)?, script.pick(&TOPICS)?, script.byte()?),
            14 => sleep(Duration::from_secs(u64::from(script.byte()? >> 1) + 1)).await,
            _ => {
                let account = Account::Local(script.pick(&ACCOUNTS)?.to_string());
                self.broker.disconnect(&account, Reason::NotAuthorized);
            }
        }
        self.settle().await;
        Some(())
    }

    /// Does something as a client that was welcomed.
    fn with(&mut self, place: usize, act: impl FnOnce(&mut Client)) {
        if let Some(client) = self.clients[place].as_mut().filter(|client| client.welcomed) {
            act(client);
        }
    }

    fn connect(&mut self, place: usize, how: u8, more: u8) {
        let (account, id, _) = PLACES[place];
        let will = (how & 8 != 0).then(|| {
            self.published += 1;
            (TOPICS[usize::from(more) % 4], self.published)
        });
        let hello = Hello { account, id, will, how, more };
        self.clients[place] = Some(Client::connect(&self.broker, &hello));
    }

    /// Bytes from somebody who was welcomed, or else from a stranger.
    fn raw(&mut self, place: usize, script: &mut Script<'_>) -> Option<()> {
        let count = usize::from(script.byte()? & 63).min(script.0.len());
        let (bytes, rest) = script.0.split_at(count);
        script.0 = rest;
        let (broker, (.., session)) = (&self.broker, PLACES[place]);
        let client = self.clients[place].get_or_insert_with(|| Client::stranger(broker));
        client.write(bytes);
        if client.welcomed {
            self.sessions[session].wild = true;
        }
        Some(())
    }

    fn grant(&self, account: &str, topic: &str, how: u8) {
        let right = (account.to_string(), topic.to_string());
        if how & 1 == 0 {
            self.gate.hidden.lock().unwrap().insert(right);
        } else {
            self.gate.hidden.lock().unwrap().remove(&right);
            self.broker.rights_changed(&Account::Local(account.to_string()));
        }
    }

    /// Publishes something that was never there before. If it is acknowledged, everybody who is
    /// there, subscribed and allowed, and has room for it, has it when all is quiet.
    async fn publish(&mut self, place: usize, topic: &str, how: u8) {
        let mut acknowledged = None;
        let room = self.clients.each_ref().map(|client| {
            client.as_ref().is_some_and(|client| client.welcomed && client.has_room())
        });
        self.published += 1;
        let payload = format!("p{}", self.published).into_bytes();
        self.with(place, |client| acknowledged = Some(client.publish(topic, &payload, how)));
        self.settle().await;
        let Some(id) = acknowledged else { return };
        let publisher = PLACES[place].2;
        let done = self.clients[place].as_ref().is_some_and(|client| client.was_acknowledged(id));
        for (reader, client) in self.clients.iter().enumerate() {
            let (account, _, number) = PLACES[reader];
            let Some(client) = client.as_ref().filter(|client| client.welcomed) else { continue };
            let session = &self.sessions[number];
            if session.wild || client.ended {
                continue;
            }
            let got = client.heard.iter().filter(|heard| heard.payload == payload).count();
            // A shared subscription brings a copy of its own (§4.8.2).
            let copies = session.subscriptions.keys().filter_map(|filter| shared(filter));
            let copies = copies.filter(|shared| matches(shared.filter, topic)).count();
            assert!(got <= 1 + copies, "{topic} came {got} times to {reader}");
            let wanted = session.subscriptions.iter().any(|(filter, (qos, no_local))| {
                matches(filter, topic) && *qos > 0 && !(*no_local && number == publisher)
            });
            if done && wanted && room[reader] && self.gate.may(account, topic) {
                assert!(got > 0, "an acknowledged {topic} did not come to {reader}");
            }
        }
    }

    /// Lets everything happen that can, and compares what comes with the model.
    async fn settle(&mut self) {
        for client in self.clients.iter_mut().flatten() {
            client.heard.clear();
        }
        for _ in 0..ROUNDS_MAX {
            // Under a paused clock this returns when nobody has anything to do.
            sleep(Duration::from_millis(1)).await;
            let mut quiet = true;
            for place in 0..PLACES.len() {
                quiet &= !self.listen(place);
            }
            if quiet {
                return;
            }
        }
        panic!("it never becomes quiet");
    }

    /// What came for one client; whether anything did.
    fn listen(&mut self, place: usize) -> bool {
        let (account, _, session) = PLACES[place];
        let Some(client) = &mut self.clients[place] else { return false };
        let session = &mut self.sessions[session];
        client.wild |= session.wild;
        let any = client.listen(|news| match news {
            client::News::Welcome { resumed: false } => *session = Session::default(),
            client::News::Welcome { resumed: true } => {}
            client::News::Subscribed { filter, qos, no_local } => {
                session.shares |= shared(filter).is_some();
                session.subscriptions.insert(filter, (qos, no_local));
            }
            client::News::Unsubscribed { filter } => drop(session.subscriptions.remove(filter)),
            client::News::Message(heard) => check(&self.gate, account, session, heard),
        });
        if client.ended {
            client.welcomed = false;
        }
        any
    }

    fn check_bounds(&self) {
        let counts = self.broker.counts();
        assert!(counts.connections <= 4, "{counts:?}");
        assert!(counts.retained <= 3, "{counts:?}");
        assert!(counts.sessions <= 3 + 2, "{counts:?}");
    }
}

/// A message that came, against the model.
fn check(gate: &Model, account: &str, session: &mut Session, heard: &Heard) {
    let Heard { topic, payload, qos, dup, .. } = heard;
    assert!(gate.may(account, topic), "{account} got {heard:?} and may not");
    let key = (topic.clone(), payload.clone());
    let accepted = gate.accepted.lock().unwrap().get(&key).cloned();
    let Some(accepted) = accepted else { panic!("{account} got {heard:?}: nobody published it") };
    if let Some(expires) = accepted.expires
        && !dup
    {
        assert!(Instant::now() <= expires, "{account} got {heard:?}: it had expired");
    }
    if *qos == 2
        && !dup
        && !session.wild
        && !session.shares
        && accepted.times == 1
        && !accepted.retain
    {
        assert!(session.once.insert(key), "{account} got {heard:?} twice");
    }
}

/// Whether a topic lies under a filter (MQTT 5 §4.7), written apart from the broker's own.
fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut topic = topic.split('/');
    for level in filter.split('/') {
        match (level, topic.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (level, Some(name)) if level == name => {}
            _ => return false,
        }
    }
    topic.next().is_none()
}
