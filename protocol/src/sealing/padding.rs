//! How long a body becomes, so that its length says little (sealing.md §4).

/// The shortest padded body, in bytes.
pub const FLOOR: usize = 256;

/// max(256, Padmé(n)): n rounded up so that only its few highest bits are told
/// (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files", 2019, §4).
pub fn padded(length: usize) -> usize {
    if length <= FLOOR {
        return FLOOR;
    }
    let exponent = length.ilog2();
    let mantissa = exponent.ilog2() + 1;
    let mask = (1 << (exponent - mantissa)) - 1;
    length.checked_add(mask).map_or(length, |rounded| rounded & !mask)
}

/// A body followed by spaces to its padded length.
pub fn pad(body: &[u8]) -> Vec<u8> {
    let mut out = body.to_vec();
    out.resize(padded(body.len()), b' ');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_are_rounded_as_the_paper_says() {
        let cases = [
            (0, 256),
            (1, 256),
            (256, 256),
            (257, 272),
            (272, 272),
            (273, 288),
            (1_000, 1_024),
            (1_025, 1_088),
            (10_000, 10_240),
            (65_000, 65_536),
        ];
        for (length, expected) in cases {
            assert_eq!(padded(length), expected, "{length}");
        }
    }

    proptest! {
        #[test]
        fn padding_never_shortens_and_adds_at_most_an_eighth(length in 256usize..1 << 40) {
            let to = padded(length);
            prop_assert!(to >= length && to - length <= length / 8);
            prop_assert_eq!(padded(to), to);
        }

        #[test]
        fn any_length_is_an_answer(length: usize) {
            prop_assert!(padded(length) >= length);
        }
    }
}
