//! Texts as they are compared when somebody looks for a name: without case and accents.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The text in lower case and without accents (Unicode's NFKD without its combining marks):
/// `Zoë` and `ZOE` are the same. For comparing, not for showing.
pub fn fold(text: &str) -> String {
    let plain: String = text.nfkd().filter(|char| !is_combining_mark(*char)).collect();
    plain.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_the_way_of_writing_them_make_no_difference() {
        for (one, other) in
            [("Zoë", "zoe"), ("Zoe\u{308}", "ZOË"), ("Łukasz", "łukasz"), ("ﬁn", "FIN"), ("", "")]
        {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        assert_ne!(fold("anna"), fold("anne"));
    }
}
