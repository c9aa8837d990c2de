//! What a step from layout 1 to layout 2 adds to records that were there before.

/// A field that a record got.
pub(super) struct Added {
    /// The record's tag in `keys.rs`.
    pub tag: u8,
    /// The field.
    pub field: &'static str,
    /// The value that old records have, as JSON.
    pub value: &'static str,
}

/// Fields that records got in layout 2, with the value old ones have.
pub(super) const ADDED: &[Added] = &[
    Added { tag: b'u', field: "avatar", value: "null" },
    Added { tag: b'u', field: "status_text", value: "\"\"" },
    Added { tag: b'u', field: "presence", value: "\"online\"" },
    Added { tag: b'u', field: "blocked", value: "false" },
    Added { tag: b'u', field: "guest_until", value: "null" },
    Added { tag: b'R', field: "history", value: "\"all\"" },
    Added { tag: b'R', field: "keep_days", value: "0" },
    Added { tag: b'R', field: "keep_bytes", value: "0" },
    Added { tag: b'R', field: "pins", value: "[]" },
    Added { tag: b't', field: "scope", value: "null" },
    Added { tag: b'i', field: "guest_until", value: "null" },
    Added { tag: b'v', field: "sealed_under", value: "null" },
    Added { tag: b'd', field: "plain", value: "\"refuse\"" },
    Added { tag: b'm', field: "notify", value: "\"all\"" },
];
