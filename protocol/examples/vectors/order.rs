//! The files chain (where a way back leads) and order (what is told of writers' numbers).

use hearth_protocol::role::RoomType;
use hearth_protocol::sealing::bundle::Bundle;
use hearth_protocol::sealing::epoch::{EpochKeys, Header, Rules, reason};
use hearth_protocol::sealing::{Hash, Secret};
use serde_json::{Value, json};

use crate::cases::{Cases, event_id, flip, hex32, room, user};
use crate::people::identity;

fn secret(byte: u8) -> Secret {
    Secret::from_bytes([byte; 32])
}

/// Adds the epoch whose secret is of `byte`; its way back is made by its keys.
fn grow(
    bundles: &[Bundle],
    byte: u8,
    back: impl Fn(&EpochKeys, u32) -> Option<Vec<u8>>,
) -> Vec<Bundle> {
    let keys = EpochKeys::new(room(1), secret(byte));
    let epoch = u32::try_from(bundles.len()).unwrap() + 1;
    let header = Header {
        room: room(1),
        epoch,
        kid: keys.kid,
        prev: bundles.last().map_or(Hash::ZERO, Bundle::header_hash),
        rules: Rules::new(RoomType::Private),
        members: vec![(user(1), identity(1).fingerprint(user(1)))],
        joins: vec![],
        doors: vec![],
        invites: vec![],
        back: if epoch == 1 { None } else { back(&keys, epoch) },
        by: user(1),
        at: 1_760_000_000_000 + u64::from(epoch),
        reason: reason::DUE.into(),
    };
    let to = [identity(1).age.recipient()];
    let made = Bundle::make(header, &keys.secret, &to, &identity(1).sign).unwrap();
    [bundles, &[made]].concat()
}

/// A way back to the secret of a byte, as an epoch of that number would make it.
fn leads(keys: &EpochKeys, epoch: u32, byte: u8) -> Option<Vec<u8>> {
    Some(keys.seal_back(epoch, &secret(byte), &mut |out| out.fill(byte)).unwrap())
}

fn from(bundles: &[Bundle], byte: u8) -> Value {
    let bundles: Vec<_> = bundles.iter().map(|one| hex::encode(one.encode())).collect();
    json!({ "bundles": bundles, "secret": hex32(byte) })
}

pub fn chain() -> Cases {
    let mut cases = Cases::new("chain");
    let op = "back_step";
    let to = |byte: u8| move |keys: &EpochKeys, epoch: u32| leads(keys, epoch, byte);
    let one = grow(&[], 1, |_, _| None);
    let two = grow(&one, 2, to(1));
    let three = grow(&two, 3, to(2));
    cases.pass("to the epoch before", op, &from(&three, 3));
    cases.pass("and from there to the first", op, &from(&two, 2));
    let past = from(&grow(&two, 3, to(1)), 3);
    let out = cases.pass("past an epoch that its maker could not open", op, &past);
    assert_eq!(out["epoch"], 1);
    let closed = grow(&grow(&two, 3, to(1)), 4, to(1));
    cases.pass("past two of them", op, &from(&closed, 4));
    cases.fail("from the first epoch", op, &from(&one, 1));
    cases.fail("to a secret of no epoch", op, &from(&grow(&two, 3, to(9)), 3));
    cases.fail("to its own secret", op, &from(&grow(&two, 3, to(3)), 3));
    let ahead = |keys: &EpochKeys, epoch: u32| leads(keys, epoch + 1, 2);
    cases.fail("made for another epoch", op, &from(&grow(&two, 3, ahead), 3));
    let elsewhere =
        |_: &EpochKeys, epoch: u32| leads(&EpochKeys::new(room(2), secret(3)), epoch, 2);
    cases.fail("made for another room", op, &from(&grow(&two, 3, elsewhere), 3));
    let altered = |keys: &EpochKeys, epoch: u32| {
        let back = hex::encode(leads(keys, epoch, 2).unwrap());
        Some(hex::decode(flip(&back.into(), -1).as_str().unwrap()).unwrap())
    };
    cases.fail("altered", op, &from(&grow(&two, 3, altered), 3));
    cases.fail("of no length", op, &from(&grow(&two, 3, |_, _| Some(vec![])), 3));
    cases.fail("with the secret of another epoch", op, &from(&three, 2));
    cases.fail("without the epochs before", op, &from(&three[2..], 3));
    cases.fail("without any epoch", op, &from(&[], 3));
    cases
}

/// Events of users and their numbers, each with an id of its own.
struct Events(u8);

impl Events {
    fn of(&mut self, told: &[(u8, u32, u64)]) -> Value {
        let event = |(by, writer, seq): &(u8, u32, u64)| {
            self.0 += 1;
            json!({ "id": event_id(self.0), "sender": user(*by), "writer": writer, "seq": seq })
        };
        told.iter().map(event).collect()
    }
}

pub fn order() -> Cases {
    let mut cases = Cases::new("order");
    let op = "event_order";
    let mut events = Events(0);
    for (name, told) in [
        ("as they were written", &[(1, 7, 1), (2, 7, 1), (1, 7, 2), (1, 7, 3)][..]),
        ("two installations of one person", &[(1, 7, 1), (1, 8, 1), (1, 7, 2), (1, 8, 2)]),
        ("one is missing", &[(1, 7, 1), (2, 7, 1), (1, 7, 3)]),
        ("many are missing at the beginning", &[(1, 7, 1_000), (1, 7, 1_001)]),
        ("another event with a known number", &[(1, 7, 1), (1, 7, 2), (1, 7, 2), (1, 7, 3)]),
        ("an old one comes again", &[(1, 7, 2), (1, 7, 3), (1, 7, 1), (1, 7, 4)]),
        ("two that changed places", &[(1, 7, 2), (1, 7, 1), (1, 7, 3)]),
        ("the highest number there is", &[(1, 7, (1 << 53) - 1)]),
    ] {
        cases.pass(name, op, &json!({ "begins": true, "runs": [events.of(told)] }));
    }
    let twice = events.of(&[(1, 7, 1), (1, 7, 2)]);
    let twice: Vec<Value> = [twice.as_array().unwrap().as_slice(); 2].concat();
    cases.pass("all of it twice", op, &json!({ "begins": true, "runs": [twice] }));
    let late = events.of(&[(1, 7, 5), (1, 7, 7)]);
    cases.pass("not from the beginning", op, &json!({ "begins": false, "runs": [late] }));
    let runs = [events.of(&[(1, 7, 1), (2, 7, 1)]), events.of(&[(1, 7, 8), (1, 7, 10)])];
    cases.pass("with a stretch unread between", op, &json!({ "begins": true, "runs": runs }));
    let runs = [events.of(&[(1, 7, 9)]), events.of(&[(2, 7, 4)]), events.of(&[(1, 7, 3)])];
    cases.pass("an old one, far from the newer", op, &json!({ "begins": true, "runs": runs }));
    let good = events.of(&[(1, 7, 1)]);
    for (name, key, value) in [
        ("an id that is none", "id", json!("1")),
        ("a sender that is none", "sender", json!("ada")),
        ("a writer of 33 bits", "writer", json!(1_u64 << 32)),
        ("a number that not every language holds", "seq", json!(1_u64 << 53)),
        ("a number below zero", "seq", json!(-1)),
    ] {
        let mut event = good[0].clone();
        event[key] = value;
        cases.fail(name, op, &json!({ "begins": true, "runs": [[event]] }));
    }
    cases
}
