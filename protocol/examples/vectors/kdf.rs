//! The files kdf and padding.

use hearth_protocol::sealing::{Secret, SigningKey};
use serde_json::{Value, json};

use crate::cases::{Cases, cut, flip, hex32, longer};
use crate::forge;

pub fn kdf() -> Cases {
    let mut cases = Cases::new("kdf");
    for (name, data) in [("nothing", ""), ("three bytes", "010203")] {
        cases.pass(name, "lp", &json!({ "data": data }));
    }
    for (name, tag, parts) in [
        ("a tag alone", "hearth/v1/x", json!([])),
        ("two parts", "hearth/v1/x", json!(["0102", "03"])),
        ("the same bytes, cut elsewhere", "hearth/v1/x", json!(["01", "0203"])),
        ("an empty part", "hearth/v1/é", json!(["", "03"])),
    ] {
        cases.pass(name, "ctx", &json!({ "tag": tag, "parts": parts }));
    }
    let rfc = json!({
        "ikm": hex::encode([0x0b; 22]),
        "salt": "000102030405060708090a0b0c",
        "info": "f0f1f2f3f4f5f6f7f8f9",
    });
    cases.pass("RFC 5869 A.1, its first 32 bytes", "hkdf", &rfc);
    let auth = hex::encode("hearth/v1/auth");
    cases.pass("no salt", "hkdf", &json!({ "ikm": hex32(1), "salt": "", "info": auth }));
    xchacha(&mut cases);
    ed25519(&mut cases);
    cases
}

fn xchacha(cases: &mut Cases) {
    let op = "xchacha_open";
    for (name, message) in [("a text", hex::encode("bread")), ("nothing", String::new())] {
        let nonce = hex::encode([3; 24]);
        let seal = json!({ "key": hex32(2), "nonce": nonce, "message": message, "aad": "0405" });
        let sealed = cases.pass(name, "xchacha_seal", &seal)["sealed"].clone();
        let open = json!({ "key": hex32(2), "sealed": sealed, "aad": "0405" });
        cases.pass(name, op, &open);
        cases.fail_with("the nonce altered", op, &open, "sealed", flip(&sealed, 0));
        cases.fail_with("the first byte after it altered", op, &open, "sealed", flip(&sealed, 24));
        cases.fail_with("the tag altered", op, &open, "sealed", flip(&sealed, -1));
        cases.fail_with("cut", op, &open, "sealed", cut(&sealed));
        cases.fail_with("a byte more", op, &open, "sealed", longer(&sealed));
        cases.fail_with("another key", op, &open, "key", hex32(3).into());
        cases.fail_with("other bound bytes", op, &open, "aad", "0406".into());
        cases.fail_with("shorter than a nonce", op, &open, "sealed", "00".into());
        cases.fail_with("empty", op, &open, "sealed", "".into());
    }
}

fn ed25519(cases: &mut Cases) {
    let op = "ed25519_verify";
    let key = SigningKey::from_seed(&Secret::from_bytes([1; 32]));
    let message = b"bread";
    let signature = key.sign(message);
    let good = json!({
        "public": hex::encode(key.public().as_bytes()),
        "message": hex::encode(message),
        "signature": hex::encode(signature),
    });
    cases.pass("a signature", op, &good);
    let other = SigningKey::from_seed(&Secret::from_bytes([2; 32])).public();
    let mut altered = |name: &str, key: &str, value: Value| {
        cases.fail_with(name, op, &good, key, value);
    };
    altered("another message", "message", "00".into());
    altered("another key", "public", hex::encode(other.as_bytes()).into());
    altered("R altered", "signature", flip(&good["signature"], 0));
    altered("S altered", "signature", flip(&good["signature"], 32));
    altered("cut", "signature", cut(&good["signature"]));
    let loose = hex::encode(forge::non_canonical_s(&signature));
    altered("S not canonical: S + L", "signature", loose.into());
    let loose = hex::encode(forge::small_order_r([1; 32], message));
    altered("R of small order", "signature", loose.into());
    let (public, signature) = forge::small_order_key();
    let weak = |public: &str| {
        let signature = hex::encode(&signature);
        json!({ "public": public, "message": hex::encode(message), "signature": signature })
    };
    cases.fail("a key of small order, neutral", op, &weak(&hex::encode(public)));
    for (name, public) in SMALL_ORDER {
        cases.fail(name, op, &weak(public));
    }
}

/// The other points of small order and encodings beyond the field (RFC 8032 §5.1.3).
const SMALL_ORDER: [(&str, &str); 9] = [
    ("a key of order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("a key of order 4, y = 0", "0000000000000000000000000000000000000000000000000000000000000000"),
    (
        "a key of order 4, y = 0, the other x",
        "0000000000000000000000000000000000000000000000000000000000000080",
    ),
    ("a key of order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    (
        "a key of order 8, the other x",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    ),
    (
        "a key of order 8, another y",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ),
    (
        "the neutral point, minus zero",
        "0100000000000000000000000000000000000000000000000000000000000080",
    ),
    (
        "y = p + 1, not canonical",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ),
    ("y = p, not canonical", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
];

pub fn padding() -> Cases {
    let mut cases = Cases::new("padding");
    for length in [
        0, 1, 255, 256, 257, 272, 273, 511, 512, 513, 1_000, 1_024, 1_025, 4_095, 4_097, 10_000,
        65_000, 65_536, 65_537,
    ] {
        cases.pass(&format!("{length} bytes"), "pad", &json!({ "length": length }));
    }
    cases
}
