//! Why the store said no.

use crate::engine::EngineError;

/// Why the store said no. Nothing of what was asked for is there then.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Two things would have one id.
    #[error("the id of this {what} is taken; make a new one")]
    IdTaken {
        /// Which kind of thing.
        what: &'static str,
    },
    /// Two things would have one name.
    #[error("the name `{name}` is taken; choose another")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// It was checked against a state that has moved: read again, check again.
    #[error("the {what} changed meanwhile; read it again and retry")]
    Stale {
        /// What moved.
        what: &'static str,
    },
    /// It refers to something that is not there.
    #[error("there is no such {what}")]
    NotFound {
        /// Which kind of thing.
        what: &'static str,
    },
    /// It is over: used up, revoked or expired.
    #[error("the {what} is over: {why}")]
    Gone {
        /// Which kind of thing.
        what: &'static str,
        /// Used up, revoked or expired.
        why: &'static str,
    },
    /// A bound of `limits.rs` is reached.
    #[error("there are {max} {what} already, which is the most")]
    LimitReached {
        /// What there are too many of.
        what: &'static str,
        /// How many there may be.
        max: usize,
    },
    /// It would break a rule that always holds.
    #[error("{what} cannot be: {why}")]
    Invalid {
        /// What was asked for.
        what: &'static str,
        /// The rule.
        why: &'static str,
    },
    /// A record does not read, though its bytes are what was written.
    #[error("a stored {what} does not read; run `hearth doctor`, or restore a backup")]
    Record {
        /// Which kind of thing.
        what: &'static str,
        /// What is wrong with it.
        #[source]
        cause: RecordError,
    },
    /// The data was written by a newer Hearth.
    #[error("the data is of version {found}, this program knows {known}; install a newer Hearth")]
    Newer {
        /// The version that is there.
        found: u32,
        /// The newest one known.
        known: u32,
    },
    /// The store is shutting down.
    #[error("the store is closed; start the appliance again")]
    Closed,
    /// The engine could not do it.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// What is wrong with a record.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RecordError {
    /// It was written by a newer Hearth.
    #[error("record version {0} is newer than this program")]
    Version(u8),
    /// It ends too early, or a field of it means nothing.
    #[error("{0}")]
    Form(String),
}
