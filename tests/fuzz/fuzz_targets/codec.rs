//! Bytes into the decoder of both versions of MQTT: no panic, and packets do not depend on how
//! the network cuts them.
#![no_main]

use hearth_broker::Version;
use hearth_broker::fuzz::{decode, first};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((&cut, bytes)) = bytes.split_first() else { return };
    first(bytes);
    for version in [Version::V3, Version::V5] {
        let whole = decode(version, bytes, bytes.len().max(1));
        let pieces = decode(version, bytes, usize::from(cut % 16) + 1);
        assert_eq!(whole, pieces, "{version:?} reads pieces differently");
    }
});
