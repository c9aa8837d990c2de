//! A few of the scripts that the fuzzer plays by the million (`make fuzz`): see `model.rs`.

use super::model;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_clients_do_nobody_gets_what_is_not_theirs(
        script in proptest::collection::vec(any::<u8>(), 0..300)
    ) {
        model::run(&script);
    }
}
