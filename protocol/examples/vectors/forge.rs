//! Well-formed and well-signed things that an honest program would never make.

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity;
use hearth_protocol::sealing::{SigningKey, kdf};
use serde_json::Value;
use sha2::{Digest, Sha512};

/// The order of the base point, little-endian (RFC 8032 §5.1).
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The same signature with S + L in S's place: a verifier that does not check S takes it.
pub fn non_canonical_s(signature: &[u8]) -> Vec<u8> {
    let mut out = signature.to_vec();
    let mut carry = 0u16;
    for (byte, order) in out[32..].iter_mut().zip(L) {
        carry += u16::from(*byte) + u16::from(order);
        [*byte, _] = carry.to_le_bytes();
        carry >>= 8;
    }
    out
}

/// A key of small order (the neutral point) and a signature that a loose verifier takes for any
/// message.
pub fn small_order_key() -> ([u8; 32], Vec<u8>) {
    let s = Scalar::from(7u8);
    let r = (ED25519_BASEPOINT_POINT * s).compress();
    let key = EdwardsPoint::identity().compress().to_bytes();
    (key, [r.as_bytes().as_slice(), s.as_bytes()].concat())
}

/// A signature with R of small order that an equation without that check takes.
pub fn small_order_r(seed: [u8; 32], message: &[u8]) -> Vec<u8> {
    let key = ed25519_dalek::SigningKey::from_bytes(&seed);
    let r = EdwardsPoint::identity().compress();
    let hash = Sha512::new()
        .chain_update(r.as_bytes())
        .chain_update(key.verifying_key().as_bytes())
        .chain_update(message);
    let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    let s = k * key.to_scalar();
    [r.as_bytes().as_slice(), s.as_bytes()].concat()
}

/// lp(json) ‖ signature.
pub fn card(json: &[u8], signature: &[u8]) -> String {
    let mut out = vec![];
    kdf::lp(&mut out, json);
    out.extend_from_slice(signature);
    hex::encode(out)
}

/// A card of any JSON, signed.
pub fn signed_card(json: &[u8], signer: &SigningKey) -> String {
    card(json, &signer.sign(&kdf::ctx("hearth/v1/card", &[json])))
}

/// A bundle of any header, signed.
pub fn bundle(header: &Value, age_file: &[u8], signer: &SigningKey) -> String {
    bundle_of(&header.to_string(), age_file, signer)
}

/// A bundle of any header's JSON text, signed.
pub fn bundle_of(json: &str, age_file: &[u8], signer: &SigningKey) -> String {
    let hash = kdf::sha256(age_file);
    let signature = signer.sign(&kdf::ctx("hearth/v1/epoch", &[json.as_bytes(), &hash]));
    let mut out = vec![];
    kdf::lp(&mut out, json.as_bytes());
    kdf::lp(&mut out, age_file);
    out.extend_from_slice(&signature);
    hex::encode(out)
}
