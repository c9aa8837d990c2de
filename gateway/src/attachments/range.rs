//! Which part of a file is asked for (RFC 9110 §14).

/// What a `Range` header asks of something of `size` bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it: no header, one of another unit, one that does not read, or more than one part,
    /// which RFC 9110 §14.2 lets a server ignore.
    Whole,
    /// From this byte up to, not including, that one.
    Bytes {
        /// The first byte.
        from: u64,
        /// After the last byte.
        until: u64,
    },
    /// None of its bytes: 416.
    Nothing,
}

impl Part {
    /// Reads a `Range` header.
    pub fn of(header: Option<&str>, size: u64) -> Part {
        let Some((unit, set)) = header.and_then(|header| header.split_once('=')) else {
            return Part::Whole;
        };
        let Some((first, last)) = set.trim().split_once('-') else { return Part::Whole };
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return Part::Whole;
        }
        match (number(first), number(last)) {
            (Some(Some(from)), Some(last)) => {
                if last.is_some_and(|last| last < from) {
                    return Part::Whole;
                }
                let until = last.map_or(size, |last| last.saturating_add(1).min(size));
                if from < size { Part::Bytes { from, until } } else { Part::Nothing }
            }
            (Some(None), Some(Some(count))) => match count.min(size) {
                0 => Part::Nothing,
                count => Part::Bytes { from: size - count, until: size },
            },
            _ => Part::Whole,
        }
    }
}

/// Digits, or none; `None`: something else.
fn number(text: &str) -> Option<Option<u64>> {
    if text.is_empty() {
        return Some(None);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    // A number past u64 is past every file.
    digits.then(|| Some(text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_rfc_9110_says() {
        let bytes = |from, until| Part::Bytes { from, until };
        let cases = [
            (None, Part::Whole),
            (Some("bytes=0-0"), bytes(0, 1)),
            (Some("bytes=0-9"), bytes(0, 10)),
            (Some("bytes=3-"), bytes(3, 10)),
            (Some("bytes=9-"), bytes(9, 10)),
            (Some("bytes=3-99"), bytes(3, 10)),
            (Some("BYTES=1-2"), bytes(1, 3)),
            (Some("bytes=-4"), bytes(6, 10)),
            (Some("bytes=-99"), bytes(0, 10)),
            (Some("bytes=10-"), Part::Nothing),
            (Some("bytes=99999999999999999999-"), Part::Nothing),
            (Some("bytes=-0"), Part::Nothing),
            (Some("bytes=5-4"), Part::Whole),
            (Some("bytes=-"), Part::Whole),
            (Some("bytes=1-2,4-5"), Part::Whole),
            (Some("bytes=+1-2"), Part::Whole),
            (Some("lines=1-2"), Part::Whole),
            (Some("bytes"), Part::Whole),
        ];
        for (header, expected) in cases {
            assert_eq!(Part::of(header, 10), expected, "{header:?}");
        }
        assert_eq!(Part::of(Some("bytes=0-"), 0), Part::Nothing);
        assert_eq!(Part::of(Some("bytes=-1"), 0), Part::Nothing);
    }
}
