//! What limits are counted in.

/// A number as what times and bytes are counted in.
pub const fn wide(number: usize) -> u64 {
    // Nothing is lost: no target has wider addresses.
    number as u64
}

/// So many hours, in ms.
pub const fn hours_ms(hours: usize) -> u64 {
    wide(hours).saturating_mul(3_600_000)
}

/// So many days, in ms.
pub const fn days_ms(days: usize) -> u64 {
    hours_ms(days.saturating_mul(24))
}

/// So many seconds, in ms.
pub const fn seconds_ms(seconds: usize) -> u64 {
    wide(seconds).saturating_mul(1_000)
}
