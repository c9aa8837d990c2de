//! Writes the Rust half of the vectors: `… --example vectors -- write tests/vectors`.
//!
//! Inputs are fixed, so that only what age draws at random differs between two runs. Debian's `age`
//! must be installed: two door posts are made by the stock command.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "it stops at a malformed vector")]

mod attachment;
mod bundle;
mod cases;
mod event;
mod forge;
mod kdf;
#[path = "../../tests/vectors/ops.rs"]
mod ops;
mod order;
mod pairing;
mod people;

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [command, folder] = arguments.as_slice() else {
        return Err("usage: vectors write FOLDER".into());
    };
    if command != "write" {
        return Err(format!("unknown command {command}: only `write FOLDER`").into());
    }
    let files = [
        kdf::kdf(),
        people::card(),
        people::vault(),
        bundle::bundle(),
        event::event(),
        people::door(),
        people::invite(),
        pairing::pairing(),
        attachment::attachment(),
        kdf::padding(),
        order::chain(),
        order::order(),
    ];
    for file in files {
        file.write(Path::new(folder))?;
    }
    Ok(())
}
