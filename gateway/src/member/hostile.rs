//! A box that lies to a command line: a substituted card, a ghost, an older or another history,
//! costs and files that ask for absurd work, a sealed room called open, events left out, again or
//! elsewhere. Each is refused or told.

use hearth_protocol::bytes::b64u;
use hearth_protocol::event::Event;
use hearth_protocol::ids::{EventId, RoomId, UserId};
use hearth_protocol::role::RoomType;
use hearth_protocol::sealing::bundle::Bundle;
use hearth_protocol::sealing::card::Card;
use hearth_protocol::sealing::epoch::{EpochKeys, Header, Rules};
use hearth_protocol::sealing::event::{self, Kind, WireHeader};
use hearth_protocol::sealing::identity::Identity;
use hearth_protocol::sealing::order::Strange;
use hearth_protocol::sealing::{Hash, Secret, kdf};
use serde_json::{Value, json};

use super::reading::{Line, Said};
use super::rooms::RoomInfo;
use super::{Member, MemberError, fake, random_fill, rotation};

mod posts;

const AT: u64 = 1_760_000_000_000;
const WRITER: u32 = 7;

fn identity(byte: u8) -> Identity {
    Identity::from_root(Secret::from_bytes([byte; 32])).unwrap()
}

fn card(byte: u8) -> Card {
    Card::first(&identity(byte), fake::user(byte), AT).unwrap()
}

fn room() -> RoomId {
    RoomId::new(1, [1; 10])
}

fn keys_of(epoch: u32) -> EpochKeys {
    let [.., byte] = epoch.to_be_bytes();
    EpochKeys::new(room(), Secret::from_bytes([byte; 32]))
}

/// The next epoch of a private room, which lists and is sealed to these people.
fn epoch(before: Option<&Bundle>, members: &[u8], by: u8) -> Bundle {
    changed(before, members, by, |_| {})
}

/// The same, whose header is changed before it is signed.
fn changed(
    before: Option<&Bundle>,
    members: &[u8],
    by: u8,
    change: impl FnOnce(&mut Header),
) -> Bundle {
    let number = before.map_or(1, |bundle| bundle.header.epoch + 1);
    let keys = keys_of(number);
    let back = || keys.seal_back(number, &keys_of(number - 1).secret, &mut random_fill).unwrap();
    let print = |byte: &u8| (fake::user(*byte), identity(*byte).fingerprint(fake::user(*byte)));
    let mut header = Header {
        room: room(),
        epoch: number,
        kid: keys.kid,
        prev: before.map_or(Hash::ZERO, Bundle::header_hash),
        rules: Rules::new(RoomType::Private),
        members: members.iter().map(print).collect(),
        joins: vec![],
        doors: vec![],
        invites: vec![],
        back: before.map(|_| back()),
        by: fake::user(by),
        at: AT,
        reason: "due".into(),
    };
    change(&mut header);
    let to: Vec<_> = members.iter().map(|byte| identity(*byte).age.recipient()).collect();
    Bundle::make(header, &keys.secret, &to, &identity(by).sign).unwrap()
}

fn bundles(of: &[&Bundle]) -> String {
    let bundles: Vec<_> = of.iter().map(|one| json!({ "bundle": b64u(&one.encode()) })).collect();
    json!({ "bundles": bundles }).to_string()
}

fn cards(of: &[Card]) -> String {
    let cards: Vec<_> = of.iter().map(|one| b64u(&one.encode())).collect();
    json!({ "cards": cards }).to_string()
}

/// What the room's keys are to ada after these answers; `known`: the head that she has seen.
fn keys_after(
    answers: &[&str],
    known: Option<&Bundle>,
) -> Result<super::epochs::RoomKeys, MemberError> {
    let answers: Vec<_> = answers.iter().map(|body| (200, *body)).collect();
    let (_folder, mut member) = fake::member(&answers);
    if let Some(known) = known {
        let head = Some((known.header.epoch, known.header_hash()));
        member.profile.update(room(), |memory| memory.head = head).unwrap();
    }
    member.room_keys(room())
}

fn is_distrusted(keys: Result<super::epochs::RoomKeys, MemberError>, why: &str) {
    match keys {
        Err(MemberError::Distrust { problem }) => assert!(problem.contains(why), "{problem}"),
        other => panic!("{why}: {:?}", other.map(|keys| keys.current().is_ok())),
    }
}

#[test]
fn another_history_an_older_one_and_none_are_refused_by_who_knows_better() {
    let one = epoch(None, &[1], 1);
    let two = epoch(Some(&one), &[1, 2], 1);
    let other = epoch(Some(&one), &[1, 3], 1);
    let honest = keys_after(&[&bundles(&[&one, &two])], Some(&two)).unwrap();
    assert!(honest.current_keys().is_ok());
    is_distrusted(keys_after(&[&bundles(&[&one, &other])], Some(&two)), "the room is split");
    is_distrusted(keys_after(&[&bundles(&[&one])], Some(&two)), "the box hides epoch 2");
    is_distrusted(keys_after(&[&bundles(&[])], Some(&two)), "the box hides epoch 2");
    is_distrusted(keys_after(&[&bundles(&[&two])], Some(&two)), "does not follow");
    let foreign = epoch(Some(&epoch(None, &[3], 3)), &[1, 3], 3);
    is_distrusted(keys_after(&[&bundles(&[&one, &foreign])], Some(&one)), "does not follow");
}

#[test]
fn an_epoch_by_a_ghost_is_refused() {
    let one = epoch(None, &[1, 2], 1);
    let by_ghost = epoch(Some(&one), &[1, 2, 3], 3);
    let answers = [&bundles(&[&one, &by_ghost]), &cards(&[card(3)])];
    let refused = keys_after(&answers.map(String::as_str), Some(&one));
    assert!(matches!(refused, Err(MemberError::Sealing(_))), "{:?}", refused.map(drop));
    // A member who lists somebody vouches for them.
    let by_member = epoch(Some(&one), &[1, 2, 3], 2);
    let answers = [&bundles(&[&one, &by_member]), &cards(&[card(2)])];
    assert!(keys_after(&answers.map(String::as_str), Some(&one)).is_ok());
}

#[test]
fn a_substituted_card_neither_signs_nor_is_sealed_to() {
    let one = epoch(None, &[1, 2], 1);
    let two = epoch(Some(&one), &[1, 2], 2);
    // Ben's name, the box's keys.
    let eve = Card::first(&identity(9), fake::user(2), AT).unwrap();
    for served in [&[eve.clone()][..], &[card(9)], &[]] {
        let answers = [&bundles(&[&one, &two]), &cards(served)];
        let refused = keys_after(&answers.map(String::as_str), Some(&one));
        let Err(MemberError::NoCard { user }) = refused else { panic!("{:?}", refused.map(drop)) };
        assert_eq!(user, fake::user(2));
    }
    let answers = [(200, &*cards(&[card(1)])), (200, &*cards(&[eve]))];
    let (_folder, mut member) = fake::member(&answers);
    let me = (member.user(), &member.identity);
    let mut draft = rotation::Draft {
        header: rotation::first(room(), RoomType::Private, me, AT).unwrap().header,
        keys: keys_of(1),
    };
    draft.header.members.push((fake::user(2), card(2).fingerprint()));
    let refused = member.seal(&draft).unwrap_err();
    assert!(matches!(refused, MemberError::NoCard { user } if user == fake::user(2)), "{refused}");
}

#[test]
fn a_login_whose_cost_is_weak_or_absurd_ends_before_the_password_is_used() {
    let cost = |memory_kib: u32, passes: u32, lanes: u32| {
        let cost = json!({ "memory_kib": memory_kib, "passes": passes, "lanes": lanes });
        json!({ "salt": b64u(&[1; 16]), "cost": cost }).to_string()
    };
    for absurd in [
        cost(8, 1, 1),
        cost(19_455, 2, 1),
        cost(65_536, 1, 1),
        cost(262_145, 3, 1),
        cost(u32::MAX, u32::MAX, u32::MAX),
        cost(65_536, 11, 1),
        cost(65_536, 3, 5),
    ] {
        // One answer: what comes after it would not be answered.
        let (_folder, member) = fake::member(&[(200, &absurd)]);
        let folder = tempfile::tempdir().unwrap();
        let login = Member::login(member.url(), "ada", "correct horse", &folder.path().join("p"));
        let error = login.err().unwrap();
        assert!(error.to_string().contains("is refused"), "{error}");
    }
    let (_folder, member) = fake::member(&[(200, r#"{"salt":"AQ","cost":{}}"#)]);
    let login = Member::login(member.url(), "ada", "x", std::path::Path::new("/nonexistent"));
    assert!(matches!(login, Err(MemberError::Answer { .. })));
}

/// An age file that asks for scrypt with 2^`log_n` rounds.
fn scrypt_bomb(log_n: u8) -> Vec<u8> {
    let (salt, body) = ("A".repeat(22), "A".repeat(43));
    format!("age-encryption.org/v1\n-> scrypt {salt} {log_n}\n{body}\n--- {body}\n").into_bytes()
}

/// The same epoch with another age file, signed.
fn with_file(bundle: &Bundle, file: &[u8], by: u8) -> Bundle {
    let encoded = bundle.encode();
    let (length, rest) = encoded.split_first_chunk().unwrap();
    let json = &rest[..u32::from_be_bytes(*length) as usize];
    let signed = kdf::ctx("hearth/v1/epoch", &[json, Hash::of(file).as_bytes()]);
    let mut made = vec![];
    kdf::lp(&mut made, json);
    kdf::lp(&mut made, file);
    made.extend_from_slice(&identity(by).sign.sign(&signed));
    Bundle::parse(&made).unwrap()
}

#[test]
fn a_file_for_a_passphrase_in_the_place_of_the_members_costs_no_work_and_no_room() {
    let one = epoch(None, &[1, 2], 1);
    let two = epoch(Some(&one), &[1, 2], 2);
    let bomb = with_file(&two, &scrypt_bomb(30), 2);
    let answers = [&bundles(&[&one, &bomb]), &cards(&[card(2)])];
    let keys = keys_after(&answers.map(String::as_str), Some(&one)).unwrap();
    assert!(matches!(keys.current_keys(), Err(MemberError::NotListed)), "nothing is sent");
    assert!(keys.keys(1).is_some(), "what was before opens");
}

fn info(sealing: &str) -> Value {
    json!({
        "id": room(), "name": "Den", "type": "private", "sealing": sealing, "general": false,
        "head_position": 0, "epoch": 1, "rotation_due": false,
    })
}

#[test]
fn a_sealed_room_that_the_box_calls_open_stays_sealed() {
    let list = json!({ "rooms": [info("open")] }).to_string();
    let (_folder, member) =
        fake::member(&[(200, &list), (200, &list), (200, &info("open").to_string())]);
    assert!(!member.room("den").unwrap().is_sealed(), "nobody has seen an epoch of it");
    let head = (1, epoch(None, &[1], 1).header_hash());
    member.profile.update(room(), |memory| memory.head = Some(head)).unwrap();
    assert!(member.room("den").unwrap().is_sealed());
    assert!(member.room_now(room()).unwrap().is_sealed());
}

/// An event of ben's under epoch 1, with a number; its text is the number.
fn said(seq: u64, id: u64) -> Vec<u8> {
    let (id, sender) = (EventId::new(id, [2; 10]), fake::user(2));
    let header = WireHeader { epoch: 1, id, sender, writer: WRITER, kind: Kind::Content, seq };
    wire(&header, &Event::message(seq.to_string()))
}

fn wire(header: &WireHeader, event: &Event) -> Vec<u8> {
    let body = serde_json::to_vec(event).unwrap();
    event::seal(header, &body, &keys_of(1), &identity(2).sign, &mut random_fill).unwrap()
}

/// What ada reads of a room that the box serves so, from these positions on.
fn read(positions: &[(u64, Vec<u8>)]) -> Vec<Line> {
    let one = epoch(None, &[1, 2], 1);
    let item = |(at, wire): &(u64, Vec<u8>)| {
        let sealed = b64u(wire);
        json!({ "position": at, "received_at": 1, "class": 1, "sealed": sealed })
    };
    let items: Vec<_> = positions.iter().map(item).collect();
    let (from, to) = (positions.first().unwrap().0, positions.last().unwrap().0);
    let page = json!({ "messages": items, "covered": { "from": from, "to": to } }).to_string();
    let name = json!({ "id": fake::user(2), "name": "ben", "display_name": "Ben" }).to_string();
    let answers = [bundles(&[&one]), cards(&[card(1)]), page, cards(&[card(2)]), name];
    let (_folder, mut member) = fake::member(&answers.each_ref().map(|body| (200, body.as_str())));
    let info: RoomInfo = serde_json::from_value(info("sealed")).unwrap();
    let mut reader = member.reader(&info).unwrap();
    reader.history(&mut member, 50).unwrap()
}

fn told(lines: &[Line]) -> Vec<(u64, Option<Strange>)> {
    lines.iter().map(|line| (line.missing, line.strange)).collect()
}

#[test]
fn what_the_box_leaves_out_doubles_or_moves_is_told() {
    use Strange::{CopiedWriter, OutOfTurn};
    let at = |seqs: &[u64]| -> Vec<(u64, Vec<u8>)> {
        let events = seqs.iter().map(|seq| said(*seq, *seq));
        (1..).zip(events).collect()
    };
    let honest = read(&at(&[1, 2, 3]));
    assert_eq!(told(&honest), [(0, None); 3]);
    assert_eq!(honest.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["1", "2", "3"]);
    assert_eq!(told(&read(&at(&[1, 4]))), [(0, None), (2, None)]);
    assert_eq!(told(&read(&at(&[3, 4]))), [(2, None), (0, None)]);
    // With its place, too.
    let mut hole = at(&[1, 2, 3]);
    hole.remove(1);
    let lines = read(&hole);
    assert_eq!(told(&lines), [(0, None), (1, None)]);
    assert_eq!(lines[1].text, "[1 event before this is missing] 3");
    let moved = read(&at(&[2, 3, 1]));
    assert_eq!(told(&moved), [(1, None), (0, None), (0, Some(OutOfTurn))]);
    assert_eq!(moved[2].text, "1 [older than what came before it]");
    let copied = read(&[(1, said(1, 1)), (2, said(1, 9))]);
    assert_eq!(told(&copied), [(0, None), (0, Some(CopiedWriter))]);
    let doubled = read(&[(1, said(1, 1)), (2, said(2, 2)), (3, said(1, 1))]);
    assert_eq!(
        (doubled[2].said, &*doubled[2].text),
        (Said::Unreadable, "[an event that was there before]")
    );
    // What was read before is not known: nothing is missing.
    let later: Vec<_> = at(&[8, 9]).into_iter().map(|(at, wire)| (at + 7, wire)).collect();
    assert_eq!(told(&read(&later)), [(0, None); 2]);
}

#[test]
fn an_erased_event_keeps_its_number_and_what_lies_about_itself_is_nobodys_word() {
    let erased = said(2, 2)[..event::HEADER].to_vec();
    let lines = read(&[(1, said(1, 1)), (2, erased), (3, said(3, 3))]);
    assert_eq!(told(&lines), [(0, None); 3]);
    assert_eq!((&*lines[1].text, &*lines[1].name), ("[erased]", "Ben"));
    let (id, sender): (EventId, UserId) = (EventId::new(5, [2; 10]), fake::user(2));
    let of = |kind| WireHeader { epoch: 1, id, sender, writer: WRITER, kind, seq: 1 };
    let delete = |target| {
        let json = json!({ "type": "delete", "target": target });
        serde_json::from_value::<Event>(json).unwrap()
    };
    let (one, other) = (EventId::new(6, [2; 10]), EventId::new(7, [2; 10]));
    for (kind, event, good) in [
        (Kind::Tombstone(one), delete(one), true),
        (Kind::Tombstone(one), delete(other), false),
        (Kind::Content, delete(one), false),
        (Kind::Tombstone(one), Event::message("hello"), false),
    ] {
        let lines = read(&[(1, wire(&of(kind), &event))]);
        assert_eq!(lines[0].said == Said::Change, good, "{lines:?}");
    }
}
