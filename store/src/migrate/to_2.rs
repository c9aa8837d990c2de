//! What layout 2 adds to the records of layout 1.

/// A field that a record got.
pub(super) struct Added {
    /// The record's tag in `keys.rs`.
    pub tag: u8,
    /// The field's name.
    pub field: &'static str,
    /// What old records have there, as JSON.
    pub value: &'static str,
}

/// Fields that records got in layout 2, with the value old ones have.
pub(super) const ADDED: &[Added] = &[
    Added { tag: b'R', field: "history", value: "\"all\"" },
    Added { tag: b'R', field: "keep_days", value: "0" },
    Added { tag: b'R', field: "keep_bytes", value: "0" },
    Added { tag: b'R', field: "pins", value: "[]" },
    Added { tag: b'm', field: "notify", value: "\"all\"" },
];
