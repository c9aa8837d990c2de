//! The files card, vault, door and invite.

use std::io::Write;
use std::process::{Command, Stdio};

use hearth_protocol::sealing::card::Card;
use hearth_protocol::sealing::identity::Identity;
use hearth_protocol::sealing::invite::{Blob, InviteKeys, InvitedRoom};
use hearth_protocol::sealing::vault::{self, Cost, Data, Pin, PinState};
use hearth_protocol::sealing::{AgeIdentity, Fingerprint, Hash, Secret, agefile};
use serde_json::{Value, json};

use crate::cases::{Cases, code, cut, device, flip, hex32, longer, room, user};
use crate::forge;

pub fn identity(byte: u8) -> Identity {
    Identity::from_root(Secret::from_bytes([byte; 32])).unwrap()
}

pub fn card() -> Cases {
    let mut cases = Cases::new("card");
    let mut prints = vec![];
    for byte in [1, 2] {
        let keys = cases.pass("the keys of a root", "identity", &json!({ "root": hex32(byte) }));
        let input = json!({
            "user": user(byte), "ed25519": keys["ed25519"], "age_public": keys["age_public"],
        });
        prints.push(cases.pass("a fingerprint", "fingerprint", &input)["fingerprint"].clone());
    }
    cases.fail("a root that is too short", "identity", &json!({ "root": "00" }));
    let [a, b] = prints.as_slice() else { panic!("two fingerprints") };
    let there = cases.pass("two people", "safety_number", &json!({ "a": a, "b": b }));
    let back = cases.pass("the other way round", "safety_number", &json!({ "a": b, "b": a }));
    assert_eq!(there, back);
    let zeros = json!({ "a": hex32(0), "b": hex32(0xff) });
    cases.pass("zeros stay", "safety_number", &zeros);

    let first = Card::first(&identity(1), user(1), 1_760_000_000_000).unwrap();
    let encoded = |card: &Card| hex::encode(card.encode());
    let second = |signer: Option<&Identity>| {
        let key = signer.map(|signer| &signer.sign);
        Card::next(&identity(3), 1_760_000_100_000, &first, key).unwrap()
    };
    let check = |card: String, previous: Value| json!({ "card": card, "previous": previous });
    let previous = Value::from(encoded(&first));
    let op = "card_verify";
    let good = check(encoded(&first), Value::Null);
    cases.pass("a first card", op, &good);
    let agreed = check(encoded(&second(Some(&identity(1)))), previous.clone());
    cases.pass("a card that the old key signed too", op, &agreed);
    cases.pass("a card after a lost key", op, &check(encoded(&second(None)), previous.clone()));
    let alone = check(encoded(&second(Some(&identity(1)))), Value::Null);
    cases.pass("a following card, its predecessor unknown", op, &alone);
    refused_cards(&mut cases, &good, &agreed, &first);
    let forged = check(encoded(&second(Some(&identity(4)))), previous.clone());
    cases.fail("the second signature by another key", op, &forged);
    let stranger = Card::first(&identity(1), user(2), 1).unwrap();
    cases.fail_with(
        "after another person's card",
        op,
        &agreed,
        "previous",
        encoded(&stranger).into(),
    );
    let other = Card::first(&identity(1), user(1), 2).unwrap();
    cases.fail_with("after another card", op, &agreed, "previous", encoded(&other).into());
    cases.fail("a first card after a card", op, &check(encoded(&other), previous));
    cases
}

fn refused_cards(cases: &mut Cases, good: &Value, agreed: &Value, first: &Card) {
    let op = "card_verify";
    let card = &good["card"];
    cases.fail_with("a bit of the JSON altered", op, good, "card", flip(card, 50));
    cases.fail_with("a bit of the signature altered", op, good, "card", flip(card, -1));
    cases.fail_with("cut", op, good, "card", cut(card));
    cases.fail_with("a byte more", op, good, "card", longer(card));
    cases.fail_with(
        "a byte more after two signatures",
        op,
        agreed,
        "card",
        longer(&agreed["card"]),
    );
    cases.fail_with("the second signature altered", op, agreed, "card", flip(&agreed["card"], -1));
    cases.fail_with("a length beyond its end", op, good, "card", flip(card, 0));
    cases.fail_with("empty", op, good, "card", "".into());
    let fields = json!({
        "user": first.user(),
        "age": first.recipient(),
        "ed25519": first.sign_key(),
        "created": first.created(),
    });
    let key = identity(1).sign;
    let mut with = |name: &str, field: &str, value: Value| {
        let mut fields = fields.clone();
        fields[field] = value;
        let card = forge::signed_card(fields.to_string().as_bytes(), &key);
        cases.fail_with(name, op, good, "card", card.into());
    };
    with("no age key", "age", Value::Null);
    with("an age key in upper case", "age", first.recipient().to_string().to_uppercase().into());
    with("an age key with a wrong checksum", "age", format!("{}q", first.recipient()).into());
    let zero = "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq9f3wpa";
    with("an age key that is zero", "age", small_order_recipient().unwrap_or(zero.into()).into());
    with("a user id in upper case", "user", first.user().to_string().to_uppercase().into());
    with("a user id without hyphens", "user", first.user().to_string().replace('-', "").into());
    with("an Ed25519 key of 31 bytes", "ed25519", "A".repeat(42).into());
    with("created as text", "created", "1760000000000".into());
    with("created before 1970", "created", json!(-1));
    with("created beyond 2^53-1", "created", json!(9_007_199_254_740_992u64));
    with("created with a fraction", "created", json!(1_760_000_000_000.5));
    let text = fields.to_string();
    let twice = text.replacen('{', "{\"created\":1,", 1);
    let no_json = text.replace(':', "=");
    let unknown_twice = text.replacen('{', "{\"later\":1,\"later\":1,", 1);
    let list = json!([first.user(), first.recipient(), first.sign_key(), first.created()]);
    for (name, json) in [
        ("a field twice", twice),
        ("an unknown field twice", unknown_twice),
        ("a list in the object's place", list.to_string()),
        ("no JSON", no_json),
    ] {
        let card = forge::signed_card(json.as_bytes(), &key);
        cases.fail_with(name, op, good, "card", card.into());
    }
    let by_another = forge::signed_card(text.as_bytes(), &identity(2).sign);
    cases.fail_with("signed by another key", op, good, "card", by_another.into());
    let (weak, signature) = forge::small_order_key();
    let mut fields = fields.clone();
    fields["ed25519"] = hearth_protocol::bytes::b64u(&weak).into();
    let card = forge::card(fields.to_string().as_bytes(), &signature);
    cases.fail_with("an Ed25519 key of small order", op, good, "card", card.into());
}

/// The bech32 of an all-zero recipient.
fn small_order_recipient() -> Option<String> {
    bech32::encode::<bech32::Bech32>(bech32::Hrp::parse("age").ok()?, &[0; 32]).ok()
}

fn vault_data() -> Data {
    let sheet = identity(9).age.recipient();
    let mut data = Data::new(sheet, 1_760_000_000_000);
    let pin = |state, by| Pin {
        fingerprint: Fingerprint::from_bytes([7; 32]),
        state,
        at: 1_760_000_000_500,
        by,
    };
    data.pins.insert(user(2), pin(PinState::Vouched, Some(user(3))));
    data.pins.insert(user(3), pin(PinState::Verified, None));
    data.heads.insert(room(1), (3, Hash::from_bytes([8; 32])));
    data
}

pub fn vault() -> Cases {
    let mut cases = Cases::new("vault");
    let key = passwords(&mut cases);
    let vault_key = Secret::from_slice("it", &hex::decode(key.as_str().unwrap()).unwrap()).unwrap();
    let root = identity(1).root().clone();
    let sealed = |version, fill: u8| {
        let mut random = |out: &mut [u8]| out.fill(fill);
        vault::seal(user(1), version, &vault_key, &root, &vault_data(), &mut random).unwrap()
    };
    let (fourth, fifth) = (sealed(4, 5), sealed(5, 6));
    let op = "vault_open";
    let good = json!({
        "vault": hex::encode(&fourth), "user": user(1), "version": 4, "vault_key": key,
    });
    cases.pass("a vault with the password", op, &good);
    let with_root = json!({
        "vault": good["vault"], "user": user(1), "version": 4, "root": hex32(1),
    });
    cases.pass("a vault with root", "vault_open_data", &with_root);
    let mut random = |out: &mut [u8]| out.fill(7);
    let resealed = vault::reseal(user(1), 6, &fourth, &root, &vault_data(), &mut random).unwrap();
    let mut later = good.clone();
    (later["vault"], later["version"]) = (hex::encode(resealed).into(), 6.into());
    cases.pass("its second part rewritten without the password", op, &later);
    cases.fail_with("another person's", op, &good, "user", json!(user(2)));
    cases.fail_with("another version", op, &good, "version", 5.into());
    cases.fail_with("another password", op, &good, "vault_key", hex32(1).into());
    for (name, at) in [
        ("another format", 0),
        ("the first part's length altered", 4),
        ("the first nonce altered", 5),
        ("the root altered", 40),
        ("the second nonce altered", 80),
        ("the tag altered", -1),
    ] {
        cases.fail_with(name, op, &good, "vault", flip(&good["vault"], at));
    }
    cases.fail_with("cut", op, &good, "vault", cut(&good["vault"]));
    cases.fail_with("a byte more", op, &good, "vault", longer(&good["vault"]));
    cases.fail_with("empty", op, &good, "vault", "".into());
    let spliced = [&fourth[..5 + 72], &fifth[5 + 72..]].concat();
    cases.fail_with("a newer second part", op, &good, "vault", hex::encode(spliced).into());
    let op = "vault_open_data";
    cases.fail_with("another root", op, &with_root, "root", hex32(2).into());
    cases.fail_with("an older version with root", op, &with_root, "version", 3.into());
    cases.fail_with("another person's with root", op, &with_root, "user", json!(user(2)));
    recovery(&mut cases, &root);
    cases
}

fn recovery(cases: &mut Cases, root: &Secret) {
    let op = "recovery_open";
    let file = vault::seal_recovery(user(1), root, &vault_data()).unwrap();
    let sheet = identity(9).age.to_text();
    let good = json!({ "file": hex::encode(file), "identity": *sheet, "user": user(1) });
    cases.pass("a recovery file with the sheet", op, &good);
    let other = identity(8).age.to_text().to_string();
    cases.fail_with("another sheet", op, &good, "identity", other.into());
    let mistyped = sheet.replace('Q', "P");
    cases.fail_with("a mistyped sheet", op, &good, "identity", mistyped.into());
    cases.fail_with("another person's recovery file", op, &good, "user", json!(user(2)));
    cases.fail_with("a bit altered", op, &good, "file", flip(&good["file"], -1));
    cases.fail_with("cut", op, &good, "file", cut(&good["file"]));
    cases.fail_with("sealed to a passphrase", op, &good, "file", passphrase_file().into());
    let sealed = |plaintext: &[u8]| {
        hex::encode(agefile::seal("it", &[identity(9).age.recipient()], plaintext).unwrap())
    };
    cases.fail_with("not JSON", op, &good, "file", sealed(b"bread").into());
    cases.fail_with("without root", op, &good, "file", sealed(b"{}").into());
}

/// A file that would cost 2^18 of scrypt to somebody who tried.
fn passphrase_file() -> String {
    let mut recipient = age::scrypt::Recipient::new("hunter2".to_string().into());
    recipient.set_work_factor(2);
    let file = age::encrypt(&recipient, b"{}").unwrap();
    let text = file.iter().map(|byte| char::from(*byte)).collect::<String>();
    // " 2\n" of the stanza becomes " 22\n": nothing checks it before the work
    let absurd: Vec<u8> = text.replacen(" 2\n", " 22\n", 1).chars().map(|one| one as u8).collect();
    hex::encode(absurd)
}

/// Returns the vault key of a password.
fn passwords(cases: &mut Cases) -> Value {
    let op = "password";
    let cost = |memory_kib: u32, passes: u32, lanes: u32| json!(Cost { memory_kib, passes, lanes });
    let salt = "000102030405060708090a0b0c0d0e0f";
    let input =
        |password: &str, cost: Value| json!({ "password": password, "salt": salt, "cost": cost });
    let good = input("correct horse", cost(65_536, 3, 1));
    let out = cases.pass("the default cost", op, &good);
    let least = cost(19_456, 2, 1);
    let composed = cases.pass("composed", op, &input("caf\u{e9} \u{fb01}n", least.clone()));
    let decomposed = cases.pass("decomposed", op, &input("cafe\u{301} fin", least.clone()));
    assert_eq!(composed, decomposed);
    cases.pass("four lanes", op, &input("correct horse", cost(19_456, 2, 4)));
    for (name, refused) in [
        ("less than 19 MiB", cost(19_455, 3, 1)),
        ("8 KiB", cost(8, 2, 1)),
        ("more than 256 MiB", cost(262_145, 3, 1)),
        ("4 TiB", cost(u32::MAX, 3, 1)),
        ("one pass", cost(65_536, 1, 1)),
        ("eleven passes", cost(65_536, 11, 1)),
        ("no pass", cost(65_536, 0, 1)),
        ("no lane", cost(65_536, 3, 0)),
        ("five lanes", cost(65_536, 3, 5)),
    ] {
        cases.fail_with(name, op, &good, "cost", refused);
    }
    cases.fail_with(
        "a salt of 15 bytes",
        op,
        &good,
        "salt",
        "000102030405060708090a0b0c0d0e".into(),
    );
    cases.fail_with("no salt", op, &good, "salt", "".into());
    out["vault_key"].clone()
}

/// A post made by the stock command, as a device makes it.
fn stock_age(recipient: &str, armor: bool) -> Vec<u8> {
    let mut command = Command::new("age");
    if armor {
        command.arg("-a");
    }
    let mut child = command
        .args(["-r", recipient])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Debian's age is installed");
    child.stdin.take().unwrap().write_all(b"Washing done\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "age");
    output.stdout
}

pub fn door() -> Cases {
    let mut cases = Cases::new("door");
    let secret = hex32(0x21);
    let door = json!({ "secret": secret, "room": room(1), "device": device(1) });
    let keys = cases.pass("a door", "door_identity", &door);
    for (name, key, value) in [
        ("the same device in another room", "room", json!(room(2))),
        ("another device", "device", json!(device(2))),
        ("another epoch's", "secret", json!(hex32(0x22))),
    ] {
        let mut other = door.clone();
        other[key] = value;
        assert_ne!(cases.pass(name, "door_identity", &other), keys);
    }
    let op = "door_open";
    let recipient = keys["recipient"].as_str().unwrap();
    let with = |post: &[u8]| json!({ "post": hex::encode(post), "identity": keys["identity"] });
    let raw = with(&stock_age(recipient, false));
    cases.pass("raw, by the stock command", op, &raw);
    let armor = stock_age(recipient, true);
    cases.pass("armored, by the stock command", op, &with(&armor));
    let json_post = br#"{"text":"Washing done","title":"Washer","priority":"high"}"#;
    let to = [recipient.parse().unwrap()];
    let own = agefile::seal("it", &to, json_post).unwrap();
    cases.pass("JSON, by the library", op, &with(&own));
    let empty = agefile::seal("it", &to, b"").unwrap();
    cases.pass("nothing said", op, &with(&empty));
    let other: AgeIdentity = identity(1).age;
    cases.fail_with("another door", op, &raw, "identity", other.to_text().to_string().into());
    for (name, at) in
        [("the first byte altered", 0), ("the header altered", 40), ("the body altered", -1)]
    {
        cases.fail_with(name, op, &raw, "post", flip(&raw["post"], at));
    }
    cases.fail_with("cut", op, &raw, "post", cut(&raw["post"]));
    cases.fail_with("a byte more", op, &raw, "post", longer(&raw["post"]));
    cases.fail_with("empty", op, &raw, "post", "".into());
    let mut broken = armor.clone();
    broken.truncate(armor.len() - 5);
    cases.fail("armor without its end", op, &with(&broken));
    cases.fail("in clear", op, &with(b"Washing done\n"));
    cases.fail_with("for a passphrase", op, &raw, "post", passphrase_file().into());
    cases.fail("65,537 bytes", op, &with(&[0x61; 65_537]));
    cases
}

pub fn invite() -> Cases {
    let mut cases = Cases::new("invite");
    let k = hex32(0x31);
    cases.pass("the keys of a link", "invite_keys", &json!({ "k": k }));
    let link = |origin: &str| json!({ "origin": origin, "code": code(9), "k": k });
    cases.pass("a link", "invite_link", &link("https://hearth.local:8443"));
    cases.pass("a link to this machine", "invite_link", &link("http://127.0.0.1:8080"));
    cases.fail("a link to somewhere else", "invite_link", &link("ftp://hearth.local"));
    let keys = InviteKeys::new(&Secret::from_bytes([0x31; 32])).unwrap();
    let invited = InvitedRoom { room: room(1), epoch: 3, header_hash: Hash::from_bytes([8; 32]) };
    let blob = Blob {
        rooms: vec![invited],
        by: user(1),
        by_fingerprint: identity(1).fingerprint(user(1)),
        ca_fingerprint: None,
        expires: 1_760_600_000_000,
        uses: 2,
    };
    let op = "blob_open";
    let sealed = |blob: &Blob| {
        let mut random = |out: &mut [u8]| out.fill(5);
        hex::encode(blob.seal(&keys, code(9), &mut random).unwrap())
    };
    let good = json!({ "blob": sealed(&blob), "code": code(9), "k": k });
    cases.pass("a blob", op, &good);
    let with_ca = Blob { ca_fingerprint: Some(Hash::from_bytes([4; 32])), rooms: vec![], ..blob };
    let with_ca = json!({ "blob": sealed(&with_ca), "code": code(9), "k": k });
    cases.pass("a blob of a house with its own CA", op, &with_ca);
    cases.fail_with("another link", op, &good, "k", hex32(0x32).into());
    cases.fail_with("another code", op, &good, "code", json!(code(8)));
    cases.fail_with("a bit altered", op, &good, "blob", flip(&good["blob"], 30));
    cases.fail_with("cut", op, &good, "blob", cut(&good["blob"]));
    cases.fail_with("empty", op, &good, "blob", "".into());
    cases.fail_with("no code", op, &good, "code", "01Z0ZAJMPU".into());
    let join = json!({
        "k": k, "code": code(9), "room": room(1), "user": user(2),
        "fingerprint": hex::encode(identity(2).fingerprint(user(2)).as_bytes()),
    });
    let proof = cases.pass("a proof of joining", "join_make", &join)["proof"].clone();
    let mut verify = join;
    verify["sign_public"] = hex::encode(keys.sign.public().as_bytes()).into();
    verify["proof"] = proof.clone();
    let op = "join_verify";
    cases.pass("the proof verifies", op, &verify);
    cases.fail_with("for another invite", op, &verify, "code", json!(code(8)));
    cases.fail_with("for another room", op, &verify, "room", json!(room(2)));
    cases.fail_with("for another person", op, &verify, "user", json!(user(3)));
    cases.fail_with("for other keys", op, &verify, "fingerprint", hex32(1).into());
    let other = hex::encode(identity(1).sign.public().as_bytes());
    cases.fail_with("by another invite's key", op, &verify, "sign_public", other.into());
    cases.fail_with("altered", op, &verify, "proof", flip(&proof, 10));
    let loose = forge::non_canonical_s(&hex::decode(proof.as_str().unwrap()).unwrap());
    cases.fail_with("S not canonical", op, &verify, "proof", hex::encode(loose).into());
    cases
}
