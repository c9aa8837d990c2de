//! Epochs that do not open cost nobody the others, and the room goes on after them.

use hearth_protocol::role::RoomType;
use hearth_protocol::sealing::Secret;
use hearth_protocol::sealing::epoch::{AHEAD_MS_MAX, History, Rules};
use hearth_protocol::sealing::identity::Identity;

use super::super::rotation::Draft;
use super::super::{fake, now_ms, random_fill};
use super::*;

fn identity(byte: u8) -> Identity {
    Identity::from_root(Secret::from_bytes([byte; 32])).unwrap()
}

fn room() -> RoomId {
    RoomId::new(1, [1; 10])
}

fn secret(epoch: Epoch) -> Secret {
    Secret::from_bytes([u8::try_from(epoch).unwrap(); 32])
}

fn keys_of(epoch: Epoch) -> EpochKeys {
    EpochKeys::new(room(), secret(epoch))
}

/// What the way back of an epoch holds.
enum Back {
    To(Epoch),
    Nowhere,
}

/// Adds an epoch that lists Ada (1) and Ben (2), sealed to those of the numbers.
fn grow(bundles: &mut Vec<Bundle>, history: History, back: Back, to: &[u8]) {
    let epoch = Epoch::try_from(bundles.len()).unwrap() + 1;
    let keys = keys_of(epoch);
    let back = match back {
        Back::To(older) => keys.seal_back(epoch, &secret(older), &mut random_fill).unwrap(),
        Back::Nowhere => vec![7; 72],
    };
    let print = |byte: u8| (fake::user(byte), identity(byte).fingerprint(fake::user(byte)));
    let header = Header {
        room: room(),
        epoch,
        kid: keys.kid,
        prev: bundles.last().map_or(Hash::ZERO, Bundle::header_hash),
        rules: Rules { history, ..Rules::new(RoomType::Private) },
        members: vec![print(1), print(2)],
        joins: vec![],
        doors: vec![],
        invites: vec![],
        back: (epoch > 1 && history == History::All).then_some(back),
        by: fake::user(2),
        at: 5,
        reason: "due".into(),
    };
    let to: Vec<_> = to.iter().map(|byte| identity(*byte).age.recipient()).collect();
    bundles.push(Bundle::make(header, &keys.secret, &to, &identity(2).sign).unwrap());
}

/// The epochs that open for Ada.
fn opened(bundles: &[Bundle]) -> RoomKeys {
    let mut keys = RoomKeys { bundles: bundles.to_vec(), keys: BTreeMap::new() };
    keys.open(&identity(1).age);
    keys
}

fn numbers(keys: &RoomKeys) -> Vec<Epoch> {
    keys.keys.keys().copied().collect()
}

#[test]
fn a_way_back_that_leads_nowhere_costs_no_epoch_that_opens_by_itself() {
    let mut bundles = vec![];
    grow(&mut bundles, History::All, Back::Nowhere, &[1, 2]);
    grow(&mut bundles, History::All, Back::To(1), &[2]);
    grow(&mut bundles, History::All, Back::Nowhere, &[1, 2]);
    assert_eq!(numbers(&opened(&bundles)), [1, 3]);
    bundles.pop();
    grow(&mut bundles, History::All, Back::To(2), &[1, 2]);
    assert_eq!(numbers(&opened(&bundles)), [1, 2, 3]);
    bundles.pop();
    grow(&mut bundles, History::All, Back::To(1), &[1, 2]);
    let keys = opened(&bundles);
    assert_eq!(numbers(&keys), [1, 3]);
    assert_eq!(keys.keys(1), Some(&keys_of(1)));
}

#[test]
fn a_head_that_does_not_open_is_built_upon_with_the_newest_key_that_did() {
    let mut bundles = vec![];
    grow(&mut bundles, History::All, Back::Nowhere, &[1, 2]);
    grow(&mut bundles, History::All, Back::To(1), &[1, 2]);
    grow(&mut bundles, History::All, Back::To(2), &[2]);
    let keys = opened(&bundles);
    let (ada, print) = (fake::user(1), identity(1).fingerprint(fake::user(1)));
    assert!(keys.is_closed_to(ada, print).unwrap());
    let other = identity(3).fingerprint(ada);
    assert!(!keys.is_closed_to(ada, other).unwrap(), "listed with other keys");
    assert!(matches!(keys.current_keys(), Err(MemberError::NotListed)), "nothing is sent");
    let draft = Draft::after(keys.current().unwrap(), keys.newest_keys(), ada).unwrap();
    let to = [identity(1).age.recipient(), identity(2).age.recipient()];
    let next = Bundle::make(draft.header, &draft.keys.secret, &to, &identity(1).sign).unwrap();
    assert_eq!((next.header.epoch, next.header.prev), (4, bundles[2].header_hash()));
    bundles.push(next);
    let keys = opened(&bundles);
    assert_eq!(numbers(&keys), [1, 2, 4]);
    assert!(keys.current_keys().is_ok());
}

#[test]
fn who_opens_nothing_waits_where_the_history_is_for_all() {
    for (history, waits) in [(History::All, true), (History::SinceJoin, false)] {
        let mut bundles = vec![];
        grow(&mut bundles, history, Back::Nowhere, &[2]);
        let keys = opened(&bundles);
        let draft = Draft::after(keys.current().unwrap(), keys.newest_keys(), fake::user(1));
        assert_eq!(matches!(draft, Err(MemberError::NothingOpens)), waits);
    }
}

#[test]
fn a_time_far_ahead_is_not_carried_on() {
    let mut bundles = vec![];
    grow(&mut bundles, History::All, Back::Nowhere, &[1, 2]);
    let keys = opened(&bundles);
    let mut head = keys.current().unwrap().clone();
    head.header.at = (1 << 53) - 1;
    let draft = Draft::after(&head, keys.newest_keys(), fake::user(1)).unwrap();
    assert!(draft.header.at < now_ms() + AHEAD_MS_MAX);
}
