//! Why the store said no.

use hearth_protocol::ids::AttachmentId;

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
    /// A text, or what else is measured, is longer than `limits.rs` allows.
    #[error("{what} has at most {max} {unit}; make it shorter")]
    TooLarge {
        /// What was measured.
        what: &'static str,
        /// How much there may be.
        max: usize,
        /// Of what.
        unit: &'static str,
    },
    /// A number is larger than `limits.rs` allows.
    #[error("{what} is at most {max} {unit}; give a smaller number")]
    TooMuch {
        /// What was counted.
        what: &'static str,
        /// How much there may be.
        max: usize,
        /// Of what.
        unit: &'static str,
    },
    /// A file of a type that is not taken.
    #[error("{what} is of one of these types: {taken}; send another")]
    BadType {
        /// What the file would be.
        what: &'static str,
        /// The types that are taken.
        taken: String,
    },
    /// It would break a rule that always holds.
    #[error("{what} cannot be: {why}")]
    Invalid {
        /// What was asked for.
        what: &'static str,
        /// The rule.
        why: &'static str,
    },
    /// The attachments would take more than they may.
    #[error("{whose} would be larger than {max_bytes} bytes together; remove some first")]
    QuotaFull {
        /// A person's, or the house's.
        whose: &'static str,
        /// How much there may be.
        max_bytes: u64,
    },
    /// What was to be stored did not come in whole.
    #[error("the upload broke off: {why}; send it again")]
    BrokenOff {
        /// What happened.
        why: String,
    },
    /// An attachment's file cannot be worked on.
    #[error("the file of attachment {id} cannot be {done}; see why, and try again")]
    File {
        /// Whose file.
        id: AttachmentId,
        /// What was tried.
        done: &'static str,
        /// Why.
        #[source]
        cause: EngineError,
    },
    /// An attachment's file is not what was stored.
    #[error("the file of attachment {id} is damaged: {why}; restore it from a backup")]
    FileDamaged {
        /// Whose file.
        id: AttachmentId,
        /// What is wrong with it.
        why: String,
    },
    /// A rule says no to whoever asked.
    #[error(transparent)]
    Rule(#[from] Rule),
    /// A record does not read, though its bytes are what was written.
    #[error("a stored {what} does not read; run the Hearth that wrote it, or restore a backup")]
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

/// A rule of messages, members or rooms that says no to somebody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// Unknown, in another room, or in history that is gone.
    #[error("there is no such message in this room")]
    NoMessage,
    /// A line of the box, an edit, a reaction or an erasure.
    #[error("this is no message: it can be neither edited, reacted to nor erased")]
    NotAMessage,
    /// It was erased before.
    #[error("the message was erased; nothing more can be done with it")]
    Erased,
    /// Somebody else's message.
    #[error("the message is somebody else's; only its sender may do this")]
    NotOwn,
    /// Too late to edit.
    #[error("a message can be edited for {minutes} minutes; write a new one")]
    EditWindowOver {
        /// How long it can be.
        minutes: usize,
    },
    /// Not one emoji.
    #[error("a reaction is one emoji of at most {max} bytes")]
    BadEmoji {
        /// Bytes it may have.
        max: usize,
    },
    /// Too short, too long, or of other characters.
    #[error("{what} has {min} to {max} {of}; choose another")]
    BadName {
        /// Whose.
        what: &'static str,
        /// Characters at least.
        min: usize,
        /// Characters at most.
        max: usize,
        /// Which characters.
        of: &'static str,
    },
    /// They may not come in.
    #[error("the person is banned from this room; an admin of it can lift the ban")]
    Banned,
    /// Others would be left without an owner.
    #[error("a room keeps an owner; make somebody else one first")]
    LastOwner,
    /// A direct room of two people of whom one blocks the other.
    #[error("a direct room with this person is not possible")]
    Blocked,
    /// Once is enough.
    #[error("this account reported the message already")]
    Reported,
    /// The general room.
    #[error("the general room is everyone's; it stays")]
    General,
}
