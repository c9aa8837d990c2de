//! What people and rooms are shown as (seed 004 @Validation). Names that are typed are the store's.

use hearth_protocol::limits::Limits;

use crate::error::ApiError;

/// A text for people: trimmed, 1 to `max` characters, no control characters.
pub fn check_title(what: &str, text: &str, max: usize) -> Result<String, ApiError> {
    let text = text.trim();
    let chars = text.chars().count();
    if (1..=max).contains(&chars) && !text.chars().any(char::is_control) {
        return Ok(text.to_string());
    }
    Err(ApiError::invalid("bad_name", format!("{what} has 1 to {max} characters in one line")))
}

/// A display name, the user name where none is given.
pub fn display_name(given: Option<&str>, name: &str, limits: &Limits) -> Result<String, ApiError> {
    check_title("a display name", given.unwrap_or(name), limits.display_name_chars_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_counted_in_characters_after_trimming() {
        assert_eq!(check_title("t", "  é ", 1), Ok("é".to_string()));
        for bad in ["", "   ", "ab", "\u{7}"] {
            assert!(check_title("t", bad, 1).is_err(), "{bad:?}");
        }
    }
}
