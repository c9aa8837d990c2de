//! What people and rooms may be called (seed 004 @Validation, design §5).

use hearth_protocol::limits::Limits;

use crate::error::ApiError;

/// A user's name: `[A-Za-z0-9_]{3,20}`.
pub fn check_user_name(name: &str) -> Result<(), ApiError> {
    let good = (3..=20).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if good {
        return Ok(());
    }
    Err(ApiError::invalid("bad_name", "a user name has 3 to 20 letters, digits or underscores"))
}

/// A device's name: `[a-z0-9-]{1,32}`.
pub fn check_device_name(name: &str) -> Result<(), ApiError> {
    let good = (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if good {
        return Ok(());
    }
    let message = "a device's name has 1 to 32 lower-case letters, digits or dashes";
    Err(ApiError::invalid("bad_name", message))
}

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
    fn names_are_what_the_seed_says() {
        for good in ["bob", "Anna_2", "a23456789012345678_0"] {
            assert_eq!(check_user_name(good), Ok(()), "{good}");
        }
        for bad in ["", "ab", "a2345678901234567890x", "an na", "änna", "a-b", "anna\n"] {
            assert!(check_user_name(bad).is_err(), "{bad}");
        }
        for good in ["a", "washer-2", &"a".repeat(32)] {
            assert_eq!(check_device_name(good), Ok(()), "{good}");
        }
        for bad in ["", "Washer", "a_b", &"a".repeat(33)] {
            assert!(check_device_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_title_is_counted_in_characters_after_trimming() {
        assert_eq!(check_title("t", "  é ", 1), Ok("é".to_string()));
        for bad in ["", "   ", "ab", "\u{7}"] {
            assert!(check_title("t", bad, 1).is_err(), "{bad:?}");
        }
    }
}
