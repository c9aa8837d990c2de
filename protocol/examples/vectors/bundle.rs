//! The file bundle: epochs of a room, and who may not make the next.

use hearth_protocol::role::RoomType;
use hearth_protocol::sealing::bundle::Bundle;
use hearth_protocol::sealing::card::Card;
use hearth_protocol::sealing::epoch::{EpochKeys, Header, Invited, Join, Rules, reason};
use hearth_protocol::sealing::invite::{InviteKeys, Joining};
use hearth_protocol::sealing::{Hash, Recipient, Secret, SigningKey, agefile, door};
use serde_json::{Value, json};

use crate::cases::{Cases, code, cut, device, flip, hex32, longer, room, user};
use crate::forge;
use crate::people::identity;

const AT: u64 = 1_760_000_000_000;

fn card(byte: u8) -> Card {
    Card::first(&identity(byte), user(byte), AT).unwrap()
}

fn card_hex(byte: u8) -> Value {
    hex::encode(card(byte).encode()).into()
}

fn secret(epoch: u8) -> Secret {
    Secret::from_bytes([0x20 + epoch; 32])
}

fn keys(epoch: u8) -> EpochKeys {
    EpochKeys::new(room(1), secret(epoch))
}

fn link() -> InviteKeys {
    InviteKeys::new(&Secret::from_bytes([0x31; 32])).unwrap()
}

fn listing(byte: u8) -> (hearth_protocol::ids::UserId, hearth_protocol::sealing::Fingerprint) {
    (user(byte), card(byte).fingerprint())
}

fn seal(header: &Header, by: u8) -> Bundle {
    let mut to: Vec<Recipient> = vec![link().age.recipient()];
    to.extend((1..4).map(|byte| card(byte).recipient()));
    let secret = secret(u8::try_from(header.epoch).unwrap());
    Bundle::make(header.clone(), &secret, &to, &identity(by).sign).unwrap()
}

fn text(bundle: &Bundle) -> Value {
    hex::encode(bundle.encode()).into()
}

/// Epoch 1: user 1 alone, with an invite for two.
fn first() -> Header {
    let invite = Invited {
        code: code(9),
        by: user(1),
        sign_public: link().sign.public(),
        recipient: link().age.recipient(),
        expires: AT + 600_000_000,
        uses: 2,
    };
    Header {
        room: room(1),
        epoch: 1,
        kid: keys(1).kid,
        prev: Hash::ZERO,
        rules: Rules::new(RoomType::Private),
        members: vec![listing(1)],
        joins: vec![],
        doors: vec![],
        invites: vec![invite],
        back: None,
        by: user(1),
        at: AT,
        reason: reason::CREATED.into(),
    }
}

fn after(before: &Bundle, by: u8, why: &str) -> Header {
    let epoch = before.header.epoch + 1;
    let [.., number] = epoch.to_be_bytes();
    let back = keys(number).seal_back(epoch, &secret(number - 1), &mut |out| out.fill(number));
    Header {
        epoch,
        kid: keys(number).kid,
        prev: before.header_hash(),
        joins: vec![],
        back: Some(back.unwrap()),
        by: user(by),
        at: before.header.at + 1_000,
        reason: why.into(),
        ..before.header.clone()
    }
}

/// User 2 lists himself by the invite.
fn joined(before: &Bundle) -> Header {
    let (user, fingerprint) = listing(2);
    let joining = Joining { code: code(9), room: room(1), user, fingerprint };
    let mut next = after(before, 2, reason::JOINED);
    next.members.push(listing(2));
    next.joins.push(Join { user, code: code(9), proof: joining.prove(&link()) });
    next.invites[0].uses -= 1;
    next
}

pub fn bundle() -> Cases {
    let mut cases = Cases::new("bundle");
    for epoch in [1, 2] {
        let input = json!({ "secret": hex32(0x20 + epoch), "room": room(1) });
        cases.pass("the keys of an epoch", "epoch_keys", &input);
    }
    let one = seal(&first(), 1);
    let two = seal(&joined(&one), 2);
    let mut header = after(&two, 2, reason::DEVICE);
    let door = door::identity(&keys(3), device(1)).unwrap();
    header.doors.push((device(1), door.recipient(), 3));
    let three = seal(&header, 2);
    back(&mut cases, &three);
    single(&mut cases, &one, &two, &three);
    chain(&mut cases, &one, &two, &three);
    newcomer(&mut cases, &one);
    malformed(&mut cases);
    cases
}

fn back(cases: &mut Cases, three: &Bundle) {
    let op = "back_open";
    let back = hex::encode(three.header.back.as_ref().unwrap());
    let good = json!({ "secret": hex32(0x23), "room": room(1), "epoch": 3, "back": back });
    cases.pass("the way back", op, &good);
    cases.fail_with("of another epoch", op, &good, "epoch", 4.into());
    cases.fail_with("of another room", op, &good, "room", json!(room(2)));
    cases.fail_with("with another secret", op, &good, "secret", hex32(0x22).into());
    cases.fail_with("altered", op, &good, "back", flip(&good["back"], 30));
    cases.fail_with("cut", op, &good, "back", cut(&good["back"]));
}

fn single(cases: &mut Cases, one: &Bundle, two: &Bundle, three: &Bundle) {
    for (name, bundle, by) in [("one", one, 1), ("two", two, 2), ("three", three, 2)] {
        let good = json!({ "bundle": text(bundle), "signer": card_hex(by) });
        cases.pass(&format!("epoch {name}"), "bundle_verify", &good);
        let key = cases.pass("on the key topic", "key_topic", &json!({ "bundle": text(bundle) }));
        let key = json!({ "payload": key["payload"], "signer": card_hex(by) });
        cases.pass("its announcement", "key_topic_verify", &key);
    }
    let op = "bundle_verify";
    let good = json!({ "bundle": text(one), "signer": card_hex(1) });
    let bundle = &good["bundle"];
    cases.fail_with("another person's card", op, &good, "signer", card_hex(2));
    let forged = seal(&first(), 2);
    cases.fail_with("signed by another key", op, &good, "bundle", text(&forged));
    for (name, at) in
        [("the header altered", 20), ("the file altered", -70), ("the signature altered", -1)]
    {
        cases.fail_with(name, op, &good, "bundle", flip(bundle, at));
    }
    cases.fail_with("cut", op, &good, "bundle", cut(bundle));
    cases.fail_with("a byte more", op, &good, "bundle", longer(bundle));
    cases.fail_with("empty", op, &good, "bundle", "".into());
    let op = "key_topic_verify";
    let payload = Value::from(hex::encode(one.announcement()));
    let good = json!({ "payload": payload, "signer": card_hex(1) });
    cases.fail_with("an announcement altered", op, &good, "payload", flip(&payload, -70));
    cases.fail_with("an announcement by another", op, &good, "signer", card_hex(2));
    cases.fail_with("an announcement cut", op, &good, "payload", cut(&payload));
    cases.fail_with("a bundle in its place", op, &good, "payload", text(one));
    opening(cases, one);
    let op = "bundle_first";
    cases.pass("the first", op, &json!({ "bundle": text(one), "signer": card_hex(1) }));
    cases.fail(
        "the second as the first",
        op,
        &json!({ "bundle": text(two), "signer": card_hex(2) }),
    );
    cases.fail("the first by another", op, &json!({ "bundle": text(one), "signer": card_hex(2) }));
    let changed = Card::next(&identity(5), AT, &card(1), Some(&identity(1).sign)).unwrap();
    let changed = json!({ "bundle": text(one), "signer": hex::encode(changed.encode()) });
    cases.fail("the first by a card it does not list", op, &changed);
}

fn opening(cases: &mut Cases, one: &Bundle) {
    let op = "bundle_open";
    let with = |bundle: Value, byte: u8| {
        let identity = identity(byte).age.to_text();
        json!({ "bundle": bundle, "identity": *identity })
    };
    cases.pass("opened by a member", op, &with(text(one), 1));
    let invited = json!({ "bundle": text(one), "identity": *link().age.to_text() });
    cases.pass("opened by the invite", op, &invited);
    cases.fail("opened by nobody it knows", op, &with(text(one), 7));
    let file = |plaintext: &[u8]| agefile::seal("it", &[card(1).recipient()], plaintext).unwrap();
    let header = serde_json::to_value(first()).unwrap();
    let key = &identity(1).sign;
    let other = json!({ "S": hearth_protocol::bytes::b64u(&[1; 32]) }).to_string();
    let short = json!({ "S": hearth_protocol::bytes::b64u(&[0x21; 31]) }).to_string();
    for (name, plaintext) in [
        ("another secret", other.as_str()),
        ("a short secret", &short),
        ("no secret", "{}"),
        ("no JSON", "x"),
    ] {
        let bundle = forge::bundle(&header, &file(plaintext.as_bytes()), key);
        cases.fail(name, op, &with(bundle.into(), 1));
    }
    let bundle = forge::bundle(&header, b"bread", key);
    cases.fail("no age file", op, &with(bundle.into(), 1));
}

fn next(previous: &Bundle, next: Value, signer: Value) -> Value {
    json!({ "previous": text(previous), "next": next, "signer": signer, "listed_before": [] })
}

fn chain(cases: &mut Cases, one: &Bundle, two: &Bundle, three: &Bundle) {
    let op = "bundle_next";
    cases.pass("a newcomer by a proof", op, &next(one, text(two), card_hex(2)));
    cases.pass("a listed member", op, &next(two, text(three), card_hex(2)));
    cases.fail("an epoch left out", op, &next(one, text(three), card_hex(2)));
    cases.fail("the other way round", op, &next(two, text(one), card_hex(1)));
    cases.fail("an epoch after itself", op, &next(one, text(one), card_hex(1)));
    cases.fail("with another's card", op, &next(two, text(three), card_hex(1)));
    let mut again = next(one, text(two), card_hex(2));
    again["listed_before"] = json!([user(2)]);
    cases.fail("somebody comes back by a proof", op, &again);
    let mut by_member = |name: &str, good: bool, change: &dyn Fn(&mut Header)| {
        let mut header = after(two, 1, reason::RULES);
        change(&mut header);
        let input = next(two, text(&seal(&header, 1)), card_hex(1));
        if good {
            cases.pass(name, op, &input);
        } else {
            cases.fail(name, op, &input);
        }
    };
    by_member("a member removes another", true, &|next| next.members.truncate(1));
    by_member("a member lists another", true, &|next| next.members.push(listing(3)));
    by_member("a member revokes an invite", true, &|next| next.invites.clear());
    by_member("a member accepts a changed card", true, &|next| {
        next.members[1].1 = identity(6).fingerprint(user(2));
    });
    by_member("another predecessor", false, &|next| next.prev = one.header_hash());
    by_member("an invite's end changed", false, &|next| next.invites[0].expires += 1);
    by_member("an invite's uses raised", false, &|next| next.invites[0].uses += 1);
    by_member("an invite's key changed", false, &|next| {
        next.invites[0].sign_public = identity(1).sign.public();
    });
    by_member("an old proof again", false, &|next| next.joins = two.header.joins.clone());
    let same_key = after(two, 1, reason::DUE);
    let mut header = serde_json::to_value(&same_key).unwrap();
    header["kid"] = json!(two.header.kid);
    let forged = forge::bundle(&header, three.age_file(), &identity(1).sign);
    cases.fail("the key of the epoch before", op, &next(two, forged.into(), card_hex(1)));
    let stranger = after(two, 3, reason::ADDED);
    let ghost =
        Header { members: [stranger.members.clone(), vec![listing(3)]].concat(), ..stranger };
    cases.fail("a stranger lists himself", op, &next(two, text(&seal(&ghost, 3)), card_hex(3)));
}

fn newcomer(cases: &mut Cases, one: &Bundle) {
    let op = "bundle_next";
    let mut refused = |name: &str, change: &dyn Fn(&mut Header)| {
        let mut header = joined(one);
        change(&mut header);
        cases.fail(name, op, &next(one, text(&seal(&header, 2)), card_hex(2)));
    };
    refused("a newcomer brings a ghost", &|next| next.members.push(listing(3)));
    refused("a newcomer drops a member", &|next| {
        next.members.remove(0);
    });
    refused("a newcomer swaps a member's keys", &|next| {
        next.members[0].1 = identity(6).fingerprint(user(1));
    });
    refused("a newcomer changes the rules", &|next| next.rules.hints = true);
    refused("a newcomer adds a device", &|next| {
        next.doors.push((device(1), link().age.recipient(), 2));
    });
    refused("a newcomer keeps the use", &|next| next.invites[0].uses = 2);
    refused("a newcomer ends the invite", &|next| next.invites.clear());
    refused("a newcomer without a proof", &|next| next.joins.clear());
    refused("a proof altered", &|next| next.joins[0].proof[40] ^= 1);
    refused("a proof of an unknown invite", &|next| next.joins[0].code = code(8));
    refused("a proof of an expired invite", &|next| next.at = AT + 600_000_001);
    refused("another's proof", &|next| {
        next.joins[0].user = user(3);
        next.members.push(listing(3));
    });
    refused("a proof for other keys", &|next| {
        next.members[1].1 = identity(6).fingerprint(user(2));
    });
}

/// Headers that no program may take, each well signed.
fn malformed(cases: &mut Cases) {
    let op = "bundle_verify";
    let file = agefile::seal("it", &[card(1).recipient()], b"{}").unwrap();
    let key: &SigningKey = &identity(1).sign;
    let sealed = |header: &Value| {
        let bundle = forge::bundle(header, &file, key);
        json!({ "bundle": bundle, "signer": card_hex(1) })
    };
    let good = serde_json::to_value(first()).unwrap();
    cases.pass("a header made by hand", op, &sealed(&good));
    let mut unknown = good.clone();
    unknown["later"] = json!({ "more": true });
    cases.pass("an unknown field", op, &sealed(&unknown));
    let member = good["members"][0].clone();
    let door = |x: u32| json!([device(1), link().age.recipient(), x]);
    for (name, field, value) in [
        ("epoch 0", "epoch", json!(0)),
        ("epoch beyond u32", "epoch", json!(4_294_967_296u64)),
        ("epoch 1 with a predecessor", "prev", json!(Hash::from_bytes([1; 32]))),
        ("epoch 1 with a way back", "back", json!("AAAA")),
        ("epoch 2 without a way back", "epoch", json!(2)),
        ("nobody in it", "members", json!([])),
        ("its maker not in it", "by", json!(user(2))),
        ("a member twice", "members", json!([member, member])),
        ("a device twice", "doors", json!([door(1), door(1)])),
        ("a door of a later epoch", "doors", json!([door(2)])),
        ("a door of epoch 0", "doors", json!([door(0)])),
        ("a door that is no recipient", "doors", json!([[device(1), "age1", 1]])),
        ("a kid of 15 bytes", "kid", json!("AAAAAAAAAAAAAAAAAAAA")),
        ("a reason with spaces", "reason", json!("no reason")),
        ("no reason", "reason", json!("")),
        (
            "another kind of room",
            "rules",
            json!({ "type": "secret", "history": "all", "hints": false }),
        ),
        (
            "another kind of history",
            "rules",
            json!({ "type": "public", "history": "some", "hints": false }),
        ),
        ("members as an object", "members", json!({})),
        ("rules as a list", "rules", json!(["private", "all", false])),
        ("made beyond 2^53-1", "at", json!(9_007_199_254_740_992u64)),
        ("made before 1970", "at", json!(-1)),
        ("an epoch with a fraction", "epoch", json!(1.5)),
    ] {
        let mut header = good.clone();
        header[field] = value;
        cases.fail(name, op, &sealed(&header));
    }
    for (name, key, value) in [
        ("an invite that is used up", "uses", json!(0)),
        ("an invite whose key is of small order", "sign_public", json!("A".repeat(43))),
        ("an invite without a code", "code", json!("01Z0ZAJMPU")),
        ("an invite's code in lower case", "code", json!(code(10).as_str().to_ascii_lowercase())),
        ("an invite that ends beyond 2^53-1", "expires", json!(9_007_199_254_740_992u64)),
    ] {
        let mut header = good.clone();
        header["invites"][0][key] = value;
        cases.fail(name, op, &sealed(&header));
    }
    let mut twice = good.clone();
    twice["invites"] = json!([good["invites"][0], good["invites"][0]]);
    cases.fail("an invite twice", op, &sealed(&twice));
    let invite = &good["invites"][0];
    let names = ["code", "by", "sign_public", "recipient", "expires", "uses"];
    let mut list = good.clone();
    list["invites"] = json!([names.map(|name| invite[name].clone())]);
    cases.fail("an invite as a list", op, &sealed(&list));
    let mut latest = good.clone();
    latest["at"] = json!(9_007_199_254_740_991u64);
    cases.pass("made at 2^53-1", op, &sealed(&latest));
    let text = good.to_string();
    for (name, more) in [
        ("a field twice", r#"{"epoch":1,"#),
        ("an unknown field twice", r#"{"later":1,"later":1,"#),
        ("a field twice within an unknown one", r#"{"later":[{"a":1,"a":2}],"#),
    ] {
        let bundle = forge::bundle_of(&text.replacen('{', more, 1), &file, key);
        cases.fail(name, op, &json!({ "bundle": bundle, "signer": card_hex(1) }));
    }
}
