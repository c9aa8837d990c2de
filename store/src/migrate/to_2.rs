//! What layout 2 adds to records of layout 1.

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
pub(super) const ADDED: &[Added] = &[];
