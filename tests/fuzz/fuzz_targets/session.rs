//! Sequences of what clients do, in one household under a model: see `model.rs`.
#![no_main]

#[path = "../../../broker/tests/broker/model.rs"]
mod model;

use hearth_broker::fuzz::broker;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| model::run(bytes, broker));
