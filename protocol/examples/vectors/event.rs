//! The file event: each kind, and each bound field altered.

use hearth_protocol::sealing::epoch::EpochKeys;
use hearth_protocol::sealing::{Secret, SigningKey, kdf};
use serde_json::{Value, json};

use crate::cases::{Cases, cut, event_id, flip, hex32, longer, room, user};
use crate::forge;

const BODY: &str = r#"{"type":"message","content":"Bread is in the oven","at":1760000000000}"#;

fn draft(kind: u8) -> Value {
    json!({
        "secret": hex32(0x21), "room": room(1), "epoch": 7, "id": event_id(1), "sender": user(1),
        "writer": 0xdead_beef_u32, "kind": kind, "seq": u64::from(kind != 3) * 42,
        "target": if kind == 2 { json!(event_id(2)) } else { Value::Null },
        "notify": if kind == 4 { json!([user(2), user(3)]) } else { json!([]) },
        "seed": hex32(0x41), "nonce": hex::encode([0x51; 24]), "body": hex::encode(BODY),
    })
}

fn public() -> String {
    let key = SigningKey::from_seed(&Secret::from_bytes([0x41; 32]));
    hex::encode(key.public().as_bytes())
}

fn open_input(wire: &Value) -> Value {
    json!({ "wire": wire, "secret": hex32(0x21), "room": room(1), "ed25519": public() })
}

pub fn event() -> Cases {
    let mut cases = Cases::new("event");
    for (kind, name) in [(1, "content"), (2, "a tombstone"), (3, "live"), (4, "content with hints")]
    {
        let wire =
            cases.pass(&format!("{name}, sealed"), "event_seal", &draft(kind))["wire"].clone();
        let input = json!({ "wire": wire });
        cases.pass(&format!("{name}, its header"), "event_header", &input);
        cases.pass(&format!("{name}, opened"), "event_open", &open_input(&wire));
        altered(&mut cases, &wire, kind);
    }
    lengths(&mut cases);
    refused_drafts(&mut cases);
    inside(&mut cases);
    cases
}

/// Every field of the header, the room, the keys and the ciphertext.
fn altered(cases: &mut Cases, wire: &Value, kind: u8) {
    let op = "event_open";
    let good = open_input(wire);
    let mut flipped = |name: &str, at: isize| {
        cases.fail_with(&format!("kind {kind}: {name} altered"), op, &good, "wire", flip(wire, at));
    };
    flipped("the version", 0);
    flipped("the epoch", 4);
    flipped("the id", 20);
    flipped("the sender", 36);
    flipped("the writer", 40);
    flipped("the kind", 41);
    flipped("the seq", 49);
    flipped("the byte after the header", 50);
    flipped(
        "the nonce's end",
        if kind == 2 {
            89
        } else if kind == 4 {
            106
        } else {
            73
        },
    );
    flipped("the ciphertext", 150);
    flipped("the tag", -1);
    cases.fail_with("another room", op, &good, "room", json!(room(2)));
    cases.fail_with("another epoch's secret", op, &good, "secret", hex32(0x22).into());
    cases.fail_with("another person's key", op, &good, "ed25519", hex32_key(0x42).into());
    cases.fail_with("cut", op, &good, "wire", cut(wire));
    cases.fail_with("a byte more", op, &good, "wire", longer(wire));
}

fn hex32_key(seed: u8) -> String {
    hex::encode(SigningKey::from_seed(&Secret::from_bytes([seed; 32])).public().as_bytes())
}

fn lengths(cases: &mut Cases) {
    let op = "event_header";
    let wire = cases.pass("once more", "event_seal", &draft(1))["wire"].clone();
    let bytes = hex::decode(wire.as_str().unwrap()).unwrap();
    for length in [0, 1, 49, 50, 73, 74, 154] {
        let wire = hex::encode(&bytes[..length]);
        cases.fail(&format!("only {length} bytes"), op, &json!({ "wire": wire }));
    }
    cases.pass(
        "the shortest that may be a wire",
        op,
        &json!({ "wire": hex::encode(&bytes[..155]) }),
    );
    let mut long = bytes.clone();
    long.resize(65_537, 0);
    cases.fail("65,537 bytes", op, &json!({ "wire": hex::encode(long) }));
    for (name, at, byte) in [
        ("version 0", 0, 0),
        ("version 2", 0, 2),
        ("kind 0", 41, 0),
        ("kind 5", 41, 5),
        ("live with a seq", 41, 3),
    ] {
        let mut wire = bytes.clone();
        wire[at] = byte;
        cases.fail(name, op, &json!({ "wire": hex::encode(wire) }));
    }
    let mut zero = bytes.clone();
    zero[1..5].fill(0);
    cases.fail("epoch 0", op, &json!({ "wire": hex::encode(&zero) }));
    let mut zero = bytes.clone();
    zero[42..50].fill(0);
    cases.fail("content with seq 0", op, &json!({ "wire": hex::encode(&zero) }));
    let mut beyond = bytes.clone();
    beyond[42..50].copy_from_slice(&(1u64 << 53).to_be_bytes());
    cases.fail("a seq beyond 2^53-1", op, &json!({ "wire": hex::encode(&beyond) }));
    nil_ids(cases);
    let mut hints = bytes.clone();
    (hints[41], hints[50]) = (4, 0);
    cases.fail("hints that name nobody", op, &json!({ "wire": hex::encode(&hints) }));
    hints[50] = 255;
    cases.fail("hints beyond the end", op, &json!({ "wire": hex::encode(&hints) }));
}

/// An id of 16 zero bytes, at each place that has one.
fn nil_ids(cases: &mut Cases) {
    let op = "event_header";
    for (name, kind, at) in [
        ("an id that is nil", 1, 5),
        ("a sender that is nil", 1, 21),
        ("a target that is nil", 2, 50),
        ("a nil one to notify", 4, 67),
    ] {
        let wire = cases.pass("to be changed", "event_seal", &draft(kind))["wire"].clone();
        let mut bytes = hex::decode(wire.as_str().unwrap()).unwrap();
        bytes[at..at + 16].fill(0);
        cases.fail(name, op, &json!({ "wire": hex::encode(&bytes) }));
    }
}

fn refused_drafts(cases: &mut Cases) {
    let op = "event_seal";
    let good = draft(1);
    cases.fail_with("sealed in epoch 0", op, &good, "epoch", 0.into());
    cases.fail_with("sealed with seq 0", op, &good, "seq", 0.into());
    cases.fail_with("sealed as kind 5", op, &good, "kind", 5.into());
    cases.fail_with("live with a seq", op, &draft(3), "seq", 1.into());
    cases.fail_with("hints for nobody", op, &draft(4), "notify", json!([]));
    cases.fail_with("a body too long", op, &good, "body", "20".repeat(65_536).into());
    let mut padded = good.clone();
    for (name, length) in [("256", 256), ("257", 257), ("5,000", 5_000)] {
        padded["body"] = "61".repeat(length).into();
        let wire = cases.pass(&format!("a body of {name} bytes"), op, &padded)["wire"].clone();
        cases.pass("opened with its padding", "event_open", &open_input(&wire));
    }
}

/// Well sealed under the room's key, but not signed by the sender as it should be.
fn inside(cases: &mut Cases) {
    let op = "event_open";
    let wire = cases.pass("to be forged", "event_seal", &draft(1))["wire"].clone();
    let header = hex::decode(&wire.as_str().unwrap()[..100]).unwrap();
    let room_id = room(1);
    let keys = EpochKeys::new(room_id, Secret::from_bytes([0x21; 32]));
    let aad = kdf::ctx(
        "hearth/v1/event",
        &[
            room_id.as_bytes(),
            &header[1..5],
            keys.kid.as_bytes(),
            &header[5..21],
            &header[21..37],
            &header[37..41],
            &header[41..42],
            &header[42..50],
            b"",
        ],
    );
    let signer = SigningKey::from_seed(&Secret::from_bytes([0x41; 32]));
    let body = format!("{BODY:<256}");
    let signed = |tag: &str, aad: &[u8]| signer.sign(&kdf::ctx(tag, &[aad, body.as_bytes()]));
    let seal = |signature: &[u8], body: &[u8]| {
        let message = [signature, body].concat();
        let sealed = kdf::seal("it", &keys.key, &message, &aad, &mut |out| out.fill(0x51)).unwrap();
        Value::from(hex::encode([&header[..], &sealed].concat()))
    };
    let signature = signed("hearth/v1/event-sig", &aad);
    let honest = seal(&signature, body.as_bytes());
    assert_eq!(honest, wire);
    let good = open_input(&wire);
    let mut refused = |name: &str, wire: Value| cases.fail_with(name, op, &good, "wire", wire);
    refused("the signature of another body", seal(&signature, b"other"));
    refused("no signature", seal(&[0; 64], body.as_bytes()));
    refused(
        "a signature under another tag",
        seal(&signed("hearth/v1/event", &aad), body.as_bytes()),
    );
    let elsewhere = signed("hearth/v1/event-sig", &aad[1..]);
    refused("a signature over other bound bytes", seal(&elsewhere, body.as_bytes()));
    let loose = forge::non_canonical_s(&signature);
    refused("S not canonical", seal(&loose, body.as_bytes()));
    let message = kdf::ctx("hearth/v1/event-sig", &[&aad, body.as_bytes()]);
    let small = forge::small_order_r([0x41; 32], &message);
    refused("R of small order", seal(&small, body.as_bytes()));
    refused("a signature and no body", seal(&signature, b""));
    let (weak, signature) = forge::small_order_key();
    let mut input = open_input(&seal(&signature, body.as_bytes()));
    input["ed25519"] = hex::encode(weak).into();
    cases.fail("a sender's key of small order", op, &input);
}
