//! The file pairing.

use hearth_protocol::sealing::pairing::{Ephemeral, Handed, PairKey};
use hearth_protocol::sealing::{Secret, kdf};
use serde_json::{Value, json};

use crate::cases::{Cases, cut, flip, hex32, longer};

const CHANNEL: [u8; 16] = [0x41; 16];

fn public(byte: u8) -> String {
    hex::encode(Ephemeral::from_secret(&Secret::from_bytes([byte; 32])).public())
}

pub fn pairing() -> Cases {
    let mut cases = Cases::new("pairing");
    codes(&mut cases);
    let key = keys(&mut cases);
    handed(&mut cases, &key);
    cases
}

fn codes(cases: &mut Cases) {
    let shown = json!({
        "origin": "https://hearth.local:8443", "channel": hex::encode(CHANNEL),
        "key_new": public(0x42),
    });
    cases.pass("the link of the QR code", "pair_link", &shown);
    let typed = cases.pass("the typed form", "pair_typed", &shown)["typed"].clone();
    let text = typed.as_str().unwrap();
    let grouped: Vec<_> = text.as_bytes().chunks(6).map(String::from_utf8_lossy).collect();
    let op = "pair_read";
    let read = |text: &str| json!({ "typed": text });
    cases.pass("the typed form read", op, &read(text));
    cases.pass("in groups and small letters", op, &read(&grouped.join(" ").to_lowercase()));
    cases.pass("with hyphens", op, &read(&grouped.join("-")));
    for (name, wrong) in [
        ("nothing", String::new()),
        ("a letter less", text[1..].to_string()),
        ("a letter more", format!("{text}A")),
        ("with padding", format!("{text}======")),
        ("a 1, which base32 has not", format!("1{}", &text[1..])),
        ("an 8, which base32 has not", format!("8{}", &text[1..])),
        ("with bits after the end", format!("{}7", &text[..41])),
        ("with a dot", format!("{}.{}", &text[..20], &text[20..])),
    ] {
        cases.fail(name, op, &read(&wrong));
    }
    let op = "pair_check";
    let check = json!({ "typed": text, "key_new": public(0x42) });
    cases.pass("the key that was shown", op, &check);
    cases.fail_with("another key in the channel", op, &check, "key_new", public(0x43).into());
    cases.fail_with("a key of 31 bytes", op, &check, "key_new", cut(&check["key_new"]));
    cases.fail_with("a key of 33 bytes", op, &check, "key_new", longer(&check["key_new"]));
    cases.fail_with("no key", op, &check, "key_new", "".into());
}

/// Returns the key of a good pairing.
fn keys(cases: &mut Cases) -> Value {
    let op = "pair_agree";
    let (new, old) = (public(0x42), public(0x44));
    let good = json!({
        "secret": hex32(0x42), "theirs": old, "channel": hex::encode(CHANNEL), "key_new": new,
        "key_old": old,
    });
    let agreed = cases.pass("the new device's side", op, &good);
    let mut signed_in = good.clone();
    (signed_in["secret"], signed_in["theirs"]) = (hex32(0x44).into(), new.into());
    assert_eq!(cases.pass("the signed-in device's side", op, &signed_in), agreed);
    for (name, key, value) in [
        ("another channel, other digits", "channel", "42".repeat(16)),
        ("another new key, other digits", "key_new", public(0x45)),
        ("another old key, other digits", "key_old", public(0x45)),
        ("somebody in the middle, other digits", "theirs", public(0x45)),
    ] {
        let mut other = good.clone();
        other[key] = value.into();
        assert_ne!(cases.pass(name, op, &other), agreed);
    }
    let one = format!("01{}", "00".repeat(31));
    for (name, low) in [
        ("a key of zeros", "00".repeat(32)),
        ("a key of order 1", one),
        ("a key of order 8", LOW_ORDER[0].into()),
        ("another key of order 8", LOW_ORDER[1].into()),
        ("p − 1", format!("ec{}7f", "ff".repeat(30))),
        ("p", format!("ed{}7f", "ff".repeat(30))),
        ("p + 1", format!("ee{}7f", "ff".repeat(30))),
    ] {
        cases.fail_with(name, op, &good, "theirs", low.into());
    }
    for (name, key) in [
        ("a channel of 15 bytes", "channel"),
        ("an own key of 31 bytes", "key_new"),
        ("their key of 31 bytes", "theirs"),
        ("an old key of 31 bytes", "key_old"),
    ] {
        cases.fail_with(name, op, &good, key, cut(&good[key]));
    }
    agreed["key"].clone()
}

/// X25519 gives zero for these as well (RFC 7748 §7).
const LOW_ORDER: [&str; 2] = [
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
];

fn handed(cases: &mut Cases, key: &Value) {
    let op = "pair_open";
    let secret = |hex_text: &Value| {
        let bytes = hex::decode(hex_text.as_str().unwrap()).unwrap();
        Secret::from_bytes(bytes.try_into().unwrap())
    };
    let pair = PairKey::from_secret(secret(key), CHANNEL);
    let mut random = |out: &mut [u8]| out.fill(6);
    let given = Handed::new(&Secret::from_bytes([1; 32]), "a refresh secret");
    let sealed = hex::encode(pair.seal(&given, &mut random).unwrap());
    let good = json!({ "key": key, "channel": hex::encode(CHANNEL), "sealed": sealed });
    cases.pass("root and a login", op, &good);
    cases.fail_with("of another pairing", op, &good, "key", hex32(7).into());
    cases.fail_with("of another channel", op, &good, "channel", "42".repeat(16).into());
    cases.fail_with("a bit altered", op, &good, "sealed", flip(&good["sealed"], -1));
    cases.fail_with("a nonce altered", op, &good, "sealed", flip(&good["sealed"], 0));
    cases.fail_with("cut", op, &good, "sealed", cut(&good["sealed"]));
    cases.fail_with("a byte more", op, &good, "sealed", longer(&good["sealed"]));
    cases.fail_with("the byte that says no", op, &good, "sealed", "00".into());
    let mut with = |name: &str, aad: &[u8], json: &Value| {
        let text = json.to_string();
        let made = kdf::seal("it", &secret(key), text.as_bytes(), aad, &mut random).unwrap();
        cases.fail_with(name, op, &good, "sealed", hex::encode(made).into());
    };
    let aad = kdf::ctx("hearth/v1/pair", &[&CHANNEL]);
    let root = hearth_protocol::bytes::b64u(&[1; 32]);
    with(
        "under another tag",
        &kdf::ctx("hearth/v1/pain", &[&CHANNEL]),
        &json!({ "root": root, "refresh": "x" }),
    );
    with("without root", &aad, &json!({ "refresh": "x" }));
    with("without a login", &aad, &json!({ "root": root }));
    with("a root of 31 bytes", &aad, &json!({ "root": &root[..42], "refresh": "x" }));
    with("not an object", &aad, &json!("bread"));
}
