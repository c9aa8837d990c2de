//! What sealing costs in Rust: the steps that the browser's bench measures too. Prints one table.
//!
//! `make bench`, or `cargo bench -p hearth-protocol --bench sealing -- [ROUNDS]`.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::hint::black_box;
use std::time::Instant;

use hearth_protocol::event::Event;
use hearth_protocol::ids::{EventId, RoomId, UserId};
use hearth_protocol::role::RoomType;
use hearth_protocol::sealing::bundle::Bundle;
use hearth_protocol::sealing::card::Card;
use hearth_protocol::sealing::chain;
use hearth_protocol::sealing::epoch::{EpochKeys, Header, Rules, reason};
use hearth_protocol::sealing::event::{self, Kind, WireHeader};
use hearth_protocol::sealing::identity::Identity;
use hearth_protocol::sealing::vault::{Cost, stretch};
use hearth_protocol::sealing::{Hash, Secret, padding};

/// Each figure is the shortest of so many: other programs only delay.
const ROUNDS: usize = 9;
const EVENTS: u64 = 1_000;
const EPOCHS: u32 = 100;
const AT: u64 = 1_760_000_000_000;

/// Milliseconds of the shortest run, after one that does not count.
fn shortest(rounds: usize, mut run: impl FnMut()) -> f64 {
    run();
    let times = (0..rounds).map(|_| {
        let began = Instant::now();
        run();
        began.elapsed().as_secs_f64() * 1e3
    });
    times.fold(f64::INFINITY, f64::min)
}

/// A room of one person.
struct Scene {
    user: UserId,
    identity: Identity,
    card: Card,
    room: RoomId,
}

impl Scene {
    fn new() -> Scene {
        let user = UserId::new(AT, [1; 10]);
        let identity = Identity::from_root(Secret::from_bytes([2; 32])).unwrap();
        let card = Card::first(&identity, user, AT).unwrap();
        Scene { user, identity, card, room: RoomId::new(AT, [3; 10]) }
    }

    fn wire(&self, keys: &EpochKeys, seq: u64, body: &[u8]) -> Vec<u8> {
        let (id, sender) = (EventId::new(AT + seq, [4; 10]), self.user);
        let header = WireHeader { epoch: 1, id, sender, writer: 5, kind: Kind::Content, seq };
        event::seal(&header, body, keys, &self.identity.sign, &mut |out| out.fill(6)).unwrap()
    }

    /// Epochs of the room, each following the one before, as the box serves them.
    fn epochs(&self) -> Vec<Vec<u8>> {
        let mut served: Vec<Vec<u8>> = vec![];
        let mut before: Option<(Bundle, EpochKeys)> = None;
        for epoch in 1..=EPOCHS {
            let fill = u8::try_from(epoch).unwrap();
            let keys = EpochKeys::new(self.room, Secret::from_bytes([fill; 32]));
            let (prev, back) = match &before {
                Some((bundle, old)) => {
                    let back = keys.seal_back(epoch, &old.secret, &mut |out| out.fill(7)).unwrap();
                    (bundle.header_hash(), Some(back))
                }
                None => (Hash::ZERO, None),
            };
            let header = Header {
                room: self.room,
                epoch,
                kid: keys.kid,
                prev,
                rules: Rules::new(RoomType::Private),
                members: vec![(self.user, self.identity.fingerprint(self.user))],
                joins: vec![],
                doors: vec![],
                invites: vec![],
                back,
                by: self.user,
                at: AT,
                reason: reason::DUE.into(),
            };
            let to = [self.identity.age.recipient()];
            let made = Bundle::make(header, &keys.secret, &to, &self.identity.sign).unwrap();
            served.push(made.encode());
            before = Some((made, keys));
        }
        served
    }

    /// What somebody does who sees the room for the first time: every header follows the one
    /// before, the newest opens, and by it all others.
    fn join(&self, served: &[Vec<u8>]) {
        let bundles: Vec<_> = served.iter().map(|bytes| Bundle::parse(bytes).unwrap()).collect();
        for pair in bundles.windows(2) {
            let [before, next] = pair else { unreachable!() };
            let (header, hash) = (&before.header, before.header_hash());
            chain::check_next(header, hash, next, &self.card, |_| false).unwrap();
        }
        let newest = bundles.last().unwrap();
        let mut keys = newest.open(&self.identity.age).unwrap();
        for pair in bundles.windows(2).rev() {
            let [before, next] = pair else { unreachable!() };
            keys = chain::step_back(next, &keys, before).unwrap().expect("the history is open");
        }
        black_box(keys);
    }
}

fn main() {
    let rounds = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(ROUNDS);
    let scene = Scene::new();
    let keys = EpochKeys::new(scene.room, Secret::from_bytes([8; 32]));
    let event = Event { id: Some(EventId::new(AT, [4; 10])), ..Event::message("x".repeat(200)) };
    let body = serde_json::to_vec(&event).unwrap();
    let wires: Vec<_> = (1..=EVENTS).map(|seq| scene.wire(&keys, seq, &body)).collect();
    let public = scene.identity.sign.public();
    let served = scene.epochs();
    let open = shortest(rounds, || {
        for wire in &wires {
            black_box(event::open(wire, &keys, &public).unwrap());
        }
    });
    let seal = shortest(rounds, || {
        for seq in 1..=100 {
            black_box(scene.wire(&keys, seq, &body));
        }
    });
    let join = shortest(rounds, || scene.join(&served));
    let login = shortest(rounds, || {
        black_box(stretch("correct horse", &[9; 16], &Cost::default()).unwrap());
    });
    let overhead = wires[0].len() - padding::padded(body.len());
    println!("| the shortest of {rounds} runs | Rust | goal |");
    println!("|---|---|---|");
    println!("| ms, 1,000 events opened and verified | {open:.1} | ≤ 100 |");
    println!("| ms, a message sealed | {:.2} | ≤ 5 |", seal / 100.0);
    println!("| ms, a room of 100 epochs checked and opened | {join:.1} | ≤ 200 |");
    println!("| ms, the password at login (Argon2id, 64 MiB) | {login:.0} | ≤ 1,000 |");
    println!("| bytes of an event beyond its padded body | {overhead} | ≤ 160 |");
}
