//! Operations of the files kdf and padding.

use hearth_protocol::sealing::{kdf, padding};
use serde_json::json;

use super::{Answer, Input};

pub fn run(op: &str, input: &Input<'_>) -> Option<Answer> {
    Some(match op {
        "lp" => {
            let mut out = vec![];
            kdf::lp(&mut out, &input.bytes("data"));
            Ok(json!({ "bytes": hex::encode(out) }))
        }
        "ctx" => {
            let parts = input.list("parts").iter();
            let parts: Vec<Vec<u8>> =
                parts.map(|part| hex::decode(part.as_str().unwrap()).unwrap()).collect();
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            Ok(json!({ "bytes": hex::encode(kdf::ctx(input.text("tag"), &parts)) }))
        }
        "hkdf" => {
            let key = kdf::hkdf(&input.bytes("ikm"), &input.bytes("salt"), &input.bytes("info"));
            Ok(json!({ "key": hex::encode(key.as_bytes()) }))
        }
        "xchacha_seal" => xchacha_seal(input),
        "xchacha_open" => xchacha_open(input),
        "ed25519_verify" => ed25519_verify(input),
        "pad" => {
            input.number("length").map(|length: usize| json!({ "padded": padding::padded(length) }))
        }
        _ => return None,
    })
}

fn xchacha_seal(input: &Input<'_>) -> Answer {
    let nonce: [u8; kdf::NONCE] = input.array("nonce")?;
    let (message, aad) = (input.bytes("message"), input.bytes("aad"));
    let mut random = |out: &mut [u8]| out.copy_from_slice(&nonce);
    let sealed = kdf::seal("it", &input.secret("key")?, &message, &aad, &mut random)?;
    Ok(json!({ "sealed": hex::encode(sealed) }))
}

fn xchacha_open(input: &Input<'_>) -> Answer {
    let (sealed, aad) = (input.bytes("sealed"), input.bytes("aad"));
    let message = kdf::open("it", &input.secret("key")?, &sealed, &aad)?;
    Ok(json!({ "message": hex::encode(message) }))
}

fn ed25519_verify(input: &Input<'_>) -> Answer {
    let signature = input.array("signature")?;
    input.public("public")?.verify("it", &input.bytes("message"), &signature)?;
    Ok(json!({}))
}
