//! One way to say no: a code, a sentence and a hint, the same behind every door.
//!
//! REST answers `{code, message, hint}` with a status, MQTT 5 a reason code with `code: sentence`.

use std::fmt;

/// What kind of no it is: decides the HTTP status and the MQTT 5 reason code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Malformed input.
    Invalid,
    /// Nobody, or somebody with a wrong or ended token.
    Unauthenticated,
    /// Somebody who may not.
    Forbidden,
    /// Not there, or not for you to know.
    NotFound,
    /// Two changes met, or the state does not allow it.
    Conflict,
    /// Used up, revoked or expired.
    Gone,
    /// Too many bytes.
    TooLarge,
    /// Too often; come back after so many ms.
    TooMany {
        /// When to come back.
        retry_after_ms: u64,
    },
    /// The box cannot now: disk full, shutting down.
    Unavailable,
}

impl Kind {
    /// The HTTP status (RFC 9110 §15).
    pub const fn status(self) -> u16 {
        match self {
            Kind::Invalid => 400,
            Kind::Unauthenticated => 401,
            Kind::Forbidden => 403,
            Kind::NotFound => 404,
            Kind::Conflict => 409,
            Kind::Gone => 410,
            Kind::TooLarge => 413,
            Kind::TooMany { .. } => 429,
            Kind::Unavailable => 503,
        }
    }

    /// The MQTT 5 reason code of an acknowledgement (§3.4.2.1), as design §3 assigns them.
    pub const fn reason_code(self) -> u8 {
        match self {
            Kind::Invalid | Kind::Conflict => 0x99,
            Kind::Unauthenticated | Kind::Forbidden | Kind::NotFound | Kind::Gone => 0x87,
            Kind::TooLarge => 0x95,
            Kind::TooMany { .. } => 0x97,
            Kind::Unavailable => 0x83,
        }
    }
}

/// A no with its reason and its remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Which kind.
    pub kind: Kind,
    /// A word for programs, the same in REST and MQTT: `stale_epoch`, `id_taken` …
    pub code: &'static str,
    /// What happened, to what.
    pub message: String,
    /// What to do about it; may be empty.
    pub hint: &'static str,
}

impl Refusal {
    /// A no without a hint.
    pub fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), hint: "" }
    }

    /// The same no with a remedy.
    #[must_use]
    pub fn hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }
}

/// `code: sentence`, as an MQTT 5 reason string.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        if !self.hint.is_empty() {
            write!(f, " ({})", self.hint)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
