//! The cases of one file, each run through the implementation while it is written down.

use std::path::Path;

use hearth_protocol::ids::{DeviceId, EventId, InviteCode, RoomId, UserId};
use serde_json::{Value, json};

use crate::ops;

pub struct Cases {
    file: &'static str,
    cases: Vec<Value>,
}

impl Cases {
    pub fn new(file: &'static str) -> Self {
        Self { file, cases: vec![] }
    }

    /// A case that passes; its output is written down and given back.
    pub fn pass(&mut self, name: &str, op: &str, input: &Value) -> Value {
        let out = ops::run(op, input)
            .unwrap_or_else(|error| panic!("{}: {name} should pass: {error:?}", self.file));
        self.cases.push(json!({ "name": name, "op": op, "in": input, "out": out }));
        out
    }

    /// A case that is refused.
    pub fn fail(&mut self, name: &str, op: &str, input: &Value) {
        match ops::run(op, input) {
            Err(ops::Refused::By(_)) => {}
            other => panic!("{}: {name} should be refused: {other:?}", self.file),
        }
        self.cases.push(json!({ "name": name, "op": op, "in": input, "error": true }));
    }

    /// The same input with one value replaced, refused.
    pub fn fail_with(&mut self, name: &str, op: &str, input: &Value, key: &str, value: Value) {
        let mut input = input.clone();
        input[key] = value;
        self.fail(name, op, &input);
    }

    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        let file = json!({ "format": "hearth/v1", "by": "rust", "cases": self.cases });
        let text = serde_json::to_string_pretty(&file)? + "\n";
        std::fs::write(folder.join(format!("rust-{}.json", self.file)), text)
    }
}

/// A hex text with one bit of one byte changed; a negative place counts from the end.
pub fn flip(hex_text: &Value, at: isize) -> Value {
    let mut bytes = hex::decode(hex_text.as_str().unwrap()).unwrap();
    let place =
        if at < 0 { bytes.len().checked_add_signed(at).unwrap() } else { at.unsigned_abs() };
    bytes[place] ^= 1;
    hex::encode(bytes).into()
}

/// A hex text without its last byte.
pub fn cut(hex_text: &Value) -> Value {
    let text = hex_text.as_str().unwrap();
    text[..text.len() - 2].into()
}

/// A hex text with one byte more.
pub fn longer(hex_text: &Value) -> Value {
    format!("{}00", hex_text.as_str().unwrap()).into()
}

/// 32 equal bytes as hex.
pub fn hex32(byte: u8) -> String {
    hex::encode([byte; 32])
}

const BORN: u64 = 1_760_000_000_000;

pub fn user(byte: u8) -> UserId {
    UserId::new(BORN, [byte; 10])
}

pub fn room(byte: u8) -> RoomId {
    RoomId::new(BORN + 1, [byte; 10])
}

pub fn device(byte: u8) -> DeviceId {
    DeviceId::new(BORN + 2, [byte; 10])
}

pub fn event_id(byte: u8) -> EventId {
    EventId::new(BORN + 3, [byte; 10])
}

pub fn code(byte: u8) -> InviteCode {
    InviteCode::new([byte; 10])
}
