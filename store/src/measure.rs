//! Texts and bytes measured against the limits, before they become part of a record.

use hearth_protocol::limits::{Limits, wide};

use crate::error::StoreError;

/// A text in at most `max` characters, none of them a control character.
pub(crate) fn line(what: &'static str, text: &str, max: usize) -> Result<(), StoreError> {
    if text.chars().any(char::is_control) {
        return Err(StoreError::Invalid {
            what,
            why: "it is one line, without control characters",
        });
    }
    chars(what, text, max)
}

/// A text in at most `max` characters.
pub(crate) fn chars(what: &'static str, text: &str, max: usize) -> Result<(), StoreError> {
    if text.chars().count() <= max {
        return Ok(());
    }
    Err(StoreError::TooLarge { what, max, unit: "characters" })
}

/// At most `max` bytes.
pub(crate) fn bytes(what: &'static str, bytes: &[u8], max: usize) -> Result<(), StoreError> {
    if bytes.len() <= max {
        return Ok(());
    }
    Err(StoreError::TooLarge { what, max, unit: "bytes" })
}

/// Days and bytes of history that are kept; 0: for ever, and all.
pub(crate) fn kept(days: usize, kept_bytes: u64, limits: &Limits) -> Result<(), StoreError> {
    let (what, max) = ("what is kept of a history", limits.keep_days_max);
    if days > max {
        return Err(StoreError::TooMuch { what, max, unit: "days" });
    }
    let max = limits.keep_gib_max;
    if kept_bytes > wide(max).saturating_mul(1 << 30) {
        return Err(StoreError::TooMuch { what, max, unit: "GiB" });
    }
    Ok(())
}

/// Something, not only spaces.
pub(crate) fn not_empty(what: &'static str, text: &str) -> Result<(), StoreError> {
    if text.trim().is_empty() {
        return Err(StoreError::Invalid { what, why: "it is not empty" });
    }
    Ok(())
}
