//! Whom a public room lists, and what is said of changed keys, by what the vault knows.

use hearth_protocol::bytes::b64u;
use hearth_protocol::ids::RoomId;
use hearth_protocol::role::RoomType;
use hearth_protocol::sealing::AgeIdentity;
use hearth_protocol::sealing::identity::Identity;
use hearth_protocol::sealing::vault::Data;
use serde_json::json;

use super::super::{fake, random_fill, rotation};
use super::*;

fn identity(byte: u8) -> Identity {
    Identity::from_root(Secret::from_bytes([byte; 32])).unwrap()
}

fn root() -> Secret {
    Secret::from_bytes(fake::ROOT)
}

/// Ben's first card, and another by the keys of `byte`, signed by the first ones or not.
fn cards(byte: u8, signed: bool) -> [Card; 2] {
    let first = Card::first(&identity(2), fake::user(2), 5).unwrap();
    let by = signed.then(|| identity(2).sign);
    let next = Card::next(&identity(byte), 6, &first, by.as_ref()).unwrap();
    [first, next]
}

/// What the box serves as the vault: one that pins the keys of `byte` as Ben's.
fn served(version: u64, byte: u8, state: PinState) -> String {
    let sheet = AgeIdentity::from_scalar(&root()).unwrap();
    let mut data = Data::new(sheet.recipient(), 1);
    let fingerprint = identity(byte).fingerprint(fake::user(2));
    data.pins.insert(fake::user(2), Pin { fingerprint, state, at: 1, by: None });
    let (key, root) = (Secret::from_bytes([9; 32]), root());
    let sealed = vault::seal(fake::user(1), version, &key, &root, &data, &mut random_fill);
    json!({ "version": version, "vault": b64u(&sealed.unwrap()) }).to_string()
}

fn listing(cards: &[Card]) -> String {
    let cards: Vec<_> = cards.iter().map(|card| b64u(&card.encode())).collect();
    json!({ "cards": cards }).to_string()
}

/// With which keys Ben is listed anew, where the vault pins those of 2.
fn listed(state: PinState, cards: &[Card]) -> Option<Fingerprint> {
    let (vault, cards) = (served(3, 2, state), listing(cards));
    let (_folder, mut member) = fake::member(&[(200, &vault), (200, &cards)]);
    let card = member.card_for(fake::user(2), None).unwrap();
    card.map(|card| card.fingerprint())
}

#[test]
fn who_is_pinned_is_listed_with_those_keys_or_what_they_signed_on_to() {
    use PinState::{Changed, Verified};
    let [first, other] = cards(3, false);
    let [_, signed] = cards(4, true);
    let print = |card: &Card| Some(card.fingerprint());
    assert_eq!(listed(Verified, &[first.clone(), signed.clone()]), print(&signed));
    assert_eq!(listed(Verified, &[first.clone(), other.clone()]), print(&first));
    assert_eq!(listed(Verified, std::slice::from_ref(&other)), None, "the box hides the first");
    assert_eq!(listed(Changed, &[first.clone(), other.clone()]), None, "not accepted");
    let (vault, eves) = (served(3, 2, Verified), listing(&[]));
    let (_folder, mut member) = fake::member(&[(200, &vault), (200, &eves)]);
    assert_eq!(member.card_for(fake::user(5), None).unwrap(), None);
}

#[test]
fn a_vault_that_the_box_hides_or_takes_back_takes_no_pin_away() {
    let older = served(2, 7, PinState::Verified);
    let foreign = json!({ "version": 9, "vault": b64u(b"bread") }).to_string();
    let (refused, all) = (fake::refusal("no_vault"), listing(&cards(3, false)));
    for (status, body) in [(200, &older), (200, &foreign), (404, &refused)] {
        let vault = served(3, 2, PinState::Verified);
        let (_first, mut member) = fake::member(&[(200, &vault)]);
        let known = member.pins().unwrap().clone();
        let (_folder, mut member) = fake::member(&[(status, body.as_str()), (200, &all)]);
        member.profile.keep_pins(&known).unwrap();
        let card = member.card_for(fake::user(2), None).unwrap().unwrap();
        assert_eq!(card.fingerprint(), identity(2).fingerprint(fake::user(2)), "{body}");
    }
    // The next command knows what this one has read.
    let newer = served(4, 7, PinState::Verified);
    let (folder, mut member) = fake::member(&[(200, &newer)]);
    member.pins().unwrap();
    let kept = super::super::profile::Profile::load(folder.path()).unwrap().pins().unwrap();
    assert_eq!((kept.version, &kept), (4, member.pins().unwrap()));
}

#[test]
fn who_is_listed_with_keys_that_nobody_knows_is_told() {
    let header = |byte: u8| {
        let me = (fake::user(1), &identity(1));
        let room = RoomId::new(1, [1; 10]);
        let mut header = rotation::first(room, RoomType::Public, me, 5).unwrap().header;
        header.members.push((fake::user(2), identity(byte).fingerprint(fake::user(2))));
        header
    };
    let told = |vault: &str, cards: &[Card], byte: u8| {
        let (name, cards) = (json!({ "display_name": "Ben" }).to_string(), listing(cards));
        let (_folder, mut member) =
            fake::member(&[(200, vault), (200, &cards), (200, &name), (200, &name)]);
        member.warn_of_changed(&header(byte)).unwrap();
        member.warn_of_changed(&header(byte)).unwrap();
        member.take_warnings().len()
    };
    let vault = served(3, 2, PinState::Vouched);
    assert_eq!(told(&vault, &cards(3, false), 3), 1, "once");
    assert_eq!(told(&vault, &cards(4, true), 4), 0, "the keys that are known signed them");
    let changed = served(3, 3, PinState::Changed);
    assert_eq!(told(&changed, &cards(3, false), 3), 1);
    let (_folder, mut member) = fake::member(&[(200, &vault)]);
    assert_eq!(member.listed_otherwise(&header(2)).unwrap(), []);
}
