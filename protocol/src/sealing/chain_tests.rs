//! Rooms through several epochs: who may make the next, and who may not.

use super::super::epoch::{AHEAD_MS_MAX, EPOCH_MS_MAX, Join, Rules, reason};
use super::super::hash::Fingerprint;
use super::super::identity::Identity;
use super::super::invite::InviteKeys;
use super::super::{Recipient, Secret};
use super::*;
use crate::ids::RoomId;
use crate::role::RoomType;
use proptest::prelude::*;

struct Person {
    identity: Identity,
    card: Card,
}

fn person(byte: u8) -> Person {
    let identity = Identity::from_root(Secret::from_bytes([byte; 32])).unwrap();
    let card = Card::first(&identity, UserId::new(1, [byte; 10]), 1).unwrap();
    Person { identity, card }
}

fn listing(person: &Person) -> (UserId, Fingerprint) {
    (person.card.user(), person.card.fingerprint())
}

fn room() -> RoomId {
    RoomId::new(1, [1; 10])
}

fn keys(epoch: u32) -> EpochKeys {
    EpochKeys::new(room(), Secret::from_bytes([epoch as u8; 32]))
}

fn code() -> InviteCode {
    InviteCode::new([3; 10])
}

fn link() -> InviteKeys {
    InviteKeys::new(&Secret::from_bytes([8; 32])).unwrap()
}

/// Epoch 1 of a room of Ada alone, with an invite for two.
fn first() -> Header {
    let ada = person(1);
    let invite = Invited {
        code: code(),
        by: ada.card.user(),
        sign_public: link().sign.public(),
        recipient: link().age.recipient(),
        expires: 100,
        uses: 2,
    };
    Header {
        room: room(),
        epoch: 1,
        kid: keys(1).kid,
        prev: Hash::ZERO,
        rules: Rules::new(RoomType::Private),
        members: vec![(ada.card.user(), ada.card.fingerprint())],
        joins: vec![],
        doors: vec![],
        invites: vec![invite],
        back: None,
        by: ada.card.user(),
        at: 1,
        reason: reason::CREATED.into(),
    }
}

fn seal(header: &Header, maker: &Person) -> Bundle {
    let recipients: Vec<Recipient> =
        vec![person(1).card.recipient(), person(2).card.recipient(), link().age.recipient()];
    let secret = keys(header.epoch).secret;
    Bundle::make(header.clone(), &secret, &recipients, &maker.identity.sign).unwrap()
}

/// What follows a header unless somebody changes it.
fn after(header: &Header, by: &Person) -> Header {
    let epoch = header.epoch + 1;
    let before = keys(header.epoch).secret;
    let back = keys(epoch).seal_back(epoch, &before, &mut |out| out.fill(1)).unwrap();
    Header {
        epoch,
        kid: keys(epoch).kid,
        prev: Hash::ZERO,
        joins: vec![],
        back: Some(back),
        by: by.card.user(),
        at: header.at + 1,
        reason: reason::DUE.into(),
        ..header.clone()
    }
}

/// `after`, with `by` listing himself by the invite.
fn joined(header: &Header, by: &Person) -> Header {
    let (user, fingerprint) = (by.card.user(), by.card.fingerprint());
    let proof = Joining { code: code(), room: room(), user, fingerprint }.prove(&link());
    let mut next = after(header, by);
    next.members.push((user, fingerprint));
    next.joins.push(Join { user, code: code(), proof });
    next.invites = header.invites.iter().filter_map(|one| used_once(one, code())).collect();
    next.reason = reason::JOINED.into();
    next
}

/// Checks `next`, its `prev` set right, after `previous`.
fn check(previous: &Header, mut next: Header, maker: &Person) -> Result<Origin, SealingError> {
    let before = seal(previous, &person(1));
    next.prev = before.header_hash();
    let card = &maker.card;
    check_next(previous, before.header_hash(), &seal(&next, maker), card, |_| false)
}

#[test]
fn the_first_epoch_is_its_creators_word() {
    let bundle = seal(&first(), &person(1));
    assert_eq!(check_first(&bundle, &person(1).card), Ok(()));
    assert!(matches!(check_first(&bundle, &person(2).card), Err(SealingError::Card(_))));
    let forged = seal(&first(), &person(2));
    assert!(matches!(check_first(&forged, &person(1).card), Err(SealingError::Signature { .. })));
    let second = seal(&after(&first(), &person(1)), &person(1));
    assert!(matches!(check_first(&second, &person(1).card), Err(SealingError::Chain(_))));
}

#[test]
fn a_listed_member_vouches_and_a_newcomer_lists_himself() {
    let (ada, ben) = (person(1), person(2));
    assert_eq!(check(&first(), after(&first(), &ada), &ada), Ok(Origin::Vouched));
    assert_eq!(check(&first(), joined(&first(), &ben), &ben), Ok(Origin::Joined));
    let mut listed_by_ada = joined(&first(), &ben);
    listed_by_ada.by = ada.card.user();
    assert_eq!(check(&first(), listed_by_ada, &ada), Ok(Origin::Vouched));
}

#[test]
fn what_does_not_follow_is_refused() {
    let ada = person(1);
    let before = seal(&first(), &ada);
    let cases: [fn(&mut Header); 4] = [
        |next| next.epoch = 3,
        |next| next.kid = keys(1).kid,
        |next| next.prev = Hash::from_bytes([1; 32]),
        |next| next.room = RoomId::new(2, [2; 10]),
    ];
    for (number, change) in cases.into_iter().enumerate() {
        let mut next = after(&first(), &ada);
        next.prev = before.header_hash();
        change(&mut next);
        // made without Bundle::make, which refuses a kid that is not the secret's
        let keys = EpochKeys::new(next.room, Secret::from_bytes([7; 32]));
        if number != 1 {
            next.kid = keys.kid;
        }
        let secret = if number == 1 { self::keys(1).secret } else { keys.secret };
        let to = [ada.card.recipient()];
        let bundle = Bundle::make(next, &secret, &to, &ada.identity.sign).unwrap();
        let verdict = check_next(&first(), before.header_hash(), &bundle, &ada.card, |_| false);
        assert!(matches!(verdict, Err(SealingError::Chain(_))), "{number} {verdict:?}");
    }
}

#[test]
fn a_newcomer_changes_nothing_but_himself() {
    let (ada, ben, cleo) = (person(1), person(2), person(3));
    let ghost = listing(&cleo);
    let changes: [fn(&mut Header); 12] = [
        |next| next.joins.clear(),
        |next| next.rules.hints = true,
        |next| next.members.push(listing(&person(3))),
        |next| {
            next.members.remove(0);
        },
        |next| next.members[0].1 = person(9).card.fingerprint(),
        |next| next.invites.clear(),
        |next| next.invites[0].uses = 2,
        |next| next.invites[0].expires = 1_000,
        |next| {
            next.doors.push((crate::ids::DeviceId::new(1, [1; 10]), link().age.recipient(), 1));
        },
        |next| next.joins[0].proof[0] ^= 1,
        |next| next.joins[0].code = InviteCode::new([4; 10]),
        |next| next.at = 101,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut next = joined(&first(), &ben);
        change(&mut next);
        assert!(check(&first(), next, &ben).is_err(), "{number}");
    }
    // a proof replayed by another person, and without being listed at all
    let mut stolen = joined(&first(), &ben);
    stolen.by = cleo.card.user();
    stolen.members[1] = ghost;
    stolen.joins[0].user = cleo.card.user();
    assert!(matches!(check(&first(), stolen, &cleo), Err(SealingError::Signature { .. })));
    let mut stranger = after(&first(), &cleo);
    stranger.members.push(ghost);
    assert!(matches!(check(&first(), stranger, &cleo), Err(SealingError::Chain(_))));
    let mut ghosted = after(&first(), &ada);
    ghosted.by = ada.card.user();
    assert!(matches!(check(&first(), ghosted, &cleo), Err(SealingError::Card(_))));
}

#[test]
fn nobody_who_was_listed_before_comes_back_by_a_proof() {
    let (ada, ben) = (person(1), person(2));
    let before = seal(&first(), &ada);
    let mut next = joined(&first(), &ben);
    next.prev = before.header_hash();
    let bundle = seal(&next, &ben);
    let was_there = |user| user == ben.card.user();
    let verdict = check_next(&first(), before.header_hash(), &bundle, &ben.card, was_there);
    assert!(matches!(verdict, Err(SealingError::Chain(_))), "{verdict:?}");
}

#[test]
fn a_changed_card_signs_only_once_an_epoch_lists_it() {
    let ada = person(1);
    let identity = person(5).identity;
    let card = Card::next(&identity, 9, &ada.card, Some(&ada.identity.sign)).unwrap();
    let renewed = Person { identity, card };
    let next = after(&first(), &renewed);
    assert!(matches!(check(&first(), next.clone(), &renewed), Err(SealingError::Card(_))));
    let mut listing = next;
    listing.members[0].1 = renewed.card.fingerprint();
    assert_eq!(check(&first(), listing, &ada), Ok(Origin::Vouched));
}

#[test]
fn an_invite_allows_as_many_as_it_says_and_stays_what_it_is() {
    let (ada, ben, cleo) = (person(1), person(2), person(3));
    let mut one_use = first();
    one_use.invites[0].uses = 1;
    let mut two = joined(&one_use, &ben);
    two.by = ada.card.user();
    let (user, fingerprint) = (cleo.card.user(), cleo.card.fingerprint());
    let proof = Joining { code: code(), room: room(), user, fingerprint }.prove(&link());
    two.members.push((user, fingerprint));
    two.joins.push(Join { user, code: code(), proof });
    assert!(matches!(check(&one_use, two.clone(), &ada), Err(SealingError::Chain(_))));
    two.invites.clear();
    assert_eq!(check(&first(), two, &ada), Ok(Origin::Vouched));
    let mut longer = after(&first(), &ada);
    longer.invites[0].expires = 1_000;
    assert!(matches!(check(&first(), longer, &ada), Err(SealingError::Chain(_))));
    let mut revoked = after(&first(), &ada);
    revoked.invites.clear();
    assert_eq!(check(&first(), revoked, &ada), Ok(Origin::Vouched));
}

#[test]
fn one_secret_opens_all_older_epochs() {
    let ada = person(1);
    let mut chain = vec![seal(&first(), &ada)];
    for _ in 0..3 {
        let last = chain.last().unwrap();
        let mut next = after(&last.header, &ada);
        next.prev = last.header_hash();
        chain.push(seal(&next, &ada));
    }
    let mut opened = chain[3].open(&person(2).identity.age).unwrap();
    for at in (1..4).rev() {
        let (epoch, before) = step_back(&chain[at], &opened, &chain[..at]).unwrap();
        assert_eq!(epoch, chain[at - 1].header.epoch);
        opened = before;
    }
    assert_eq!(opened, keys(1));
    assert_eq!(step_back(&chain[3], &keys(3), &chain[..3]), None, "other keys lead nowhere");
    assert_eq!(step_back(&chain[3], &keys(4), &chain[..2]), None, "to no epoch that is known");
}

#[test]
fn a_way_back_may_leave_out_epochs_that_were_closed_to_its_maker() {
    let ada = person(1);
    let one = seal(&first(), &ada);
    let two = seal(&after(&one.header, &ada), &ada);
    let back = keys(3).seal_back(3, &keys(1).secret, &mut |out| out.fill(1)).unwrap();
    let three = Header { back: Some(back), ..after(&two.header, &ada) };
    let three = seal(&three, &ada);
    let older = [one, two];
    assert_eq!(step_back(&three, &keys(3), &older), Some((1, keys(1))));
    let nowhere = Header { back: Some(vec![7; 72]), ..three.header.clone() };
    assert_eq!(step_back(&seal(&nowhere, &ada), &keys(3), &older), None);
}

#[test]
fn an_epoch_of_a_time_far_ahead_is_due_and_the_next_is_of_now() {
    let header = Header { at: 1_000, invites: vec![], ..first() };
    let at = |at: u64| Header { at, ..header.clone() };
    let now = 5 * EPOCH_MS_MAX;
    for (made, due) in [
        (now - EPOCH_MS_MAX, true),
        (now - EPOCH_MS_MAX + 1, false),
        (now + AHEAD_MS_MAX, false),
        (now + AHEAD_MS_MAX + 1, true),
        ((1 << 53) - 1, true),
    ] {
        assert_eq!(at(made).is_due(now), due, "{made}");
    }
    assert_eq!(at(now - 1).next_at(now), now);
    assert_eq!(at(now + AHEAD_MS_MAX).next_at(now), now + AHEAD_MS_MAX, "a clock set back");
    assert_eq!(at(now + AHEAD_MS_MAX + 1).next_at(now), now);
}

#[test]
fn headers_that_contradict_themselves_are_not_made() {
    let ada = person(1);
    let changes: [fn(&mut Header); 9] = [
        |header| header.epoch = 0,
        |header| header.prev = Hash::from_bytes([1; 32]),
        |header| header.back = Some(vec![]),
        |header| header.reason = "Because!".into(),
        |header| header.members.clear(),
        |header| header.members.push(header.members[0]),
        |header| header.invites.push(header.invites[0].clone()),
        |header| header.invites[0].uses = 0,
        |header| {
            header.doors.push((crate::ids::DeviceId::new(1, [1; 10]), link().age.recipient(), 2));
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut header = first();
        change(&mut header);
        let made =
            Bundle::make(header, &keys(1).secret, &[ada.card.recipient()], &ada.identity.sign);
        assert!(matches!(made, Err(SealingError::Epoch(_))), "{number}");
    }
    let hidden = Header { kid: keys(2).kid, ..first() };
    let made = Bundle::make(hidden, &keys(1).secret, &[ada.card.recipient()], &ada.identity.sign);
    assert!(matches!(made, Err(SealingError::Epoch(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_changed_bit_of_a_bundle_is_refused(bit: prop::sample::Index) {
        let ada = person(1);
        let mut bytes = seal(&first(), &ada).encode();
        let at = bit.index(bytes.len() * 8);
        bytes[at / 8] ^= 1 << (at % 8);
        let verdict = Bundle::parse(&bytes).and_then(|bundle| check_first(&bundle, &ada.card));
        prop_assert!(verdict.is_err());
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        prop_assert!(Bundle::parse(&bytes).is_err());
        prop_assert!(super::super::bundle::Announcement::parse(&bytes).is_err());
    }
}
