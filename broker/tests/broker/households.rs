//! A few of the scripts that the fuzzer plays by the million (`make fuzz`): see `model.rs`.

use super::model;
use hearth_broker::Broker;
use proptest::collection::vec;
use proptest::prelude::*;

/// How many; `HEARTH_SCRIPTS` says otherwise.
fn scripts() -> u32 {
    std::env::var("HEARTH_SCRIPTS").map_or(200, |number| number.parse().unwrap())
}

/// Somebody at each place, with how they connect, and then anything.
fn script() -> impl Strategy<Value = Vec<u8>> {
    let hellos = vec(any::<[u8; 2]>(), 3);
    (hellos, vec(any::<u8>(), 0..300)).prop_map(|(hellos, rest)| {
        let places = [0x00, 0x10, 0x20].into_iter().zip(hellos);
        let connects = places.flat_map(|(place, [how, more])| [place, how, more]);
        connects.chain(rest).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(scripts()))]

    #[test]
    fn whatever_clients_do_nobody_gets_what_is_not_theirs(script in script()) {
        model::run(&script, Broker::new);
    }
}
