//! What went wrong inside redb, and what comes next.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use redb::StorageError;

use crate::engine::{Cause, EngineError};
use crate::sealed_file::{Ended, SealedFile};

/// What went wrong inside redb.
pub(super) struct Failure {
    pub error: EngineError,
    pub next: Next,
}

/// What it means for the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing: a page is damaged, the others are not.
    GoOn,
    /// It refuses everything, and must be reopened.
    Reopen,
    /// It refuses by another's fault: it must be reopened, and then the same may go well.
    TryAgain,
}

impl Failure {
    /// What redb says besides errors of its storage.
    pub fn other(error: io::Error) -> Self {
        Self { error: EngineError::Io(Cause::new(error)), next: Next::Reopen }
    }

    /// The error, with what the file knows of the damage.
    pub fn explained(self, file: &SealedFile) -> EngineError {
        match (self.error, file.damage()) {
            (EngineError::Damaged { .. }, Some(found)) => {
                EngineError::Damaged { what: found.what, cause: Some(found.cause) }
            }
            (error, _) => error,
        }
    }
}

/// redb asserts what it reads; what it panics at is damage like any other. But its locks and its
/// list of free pages may be left as they must not be.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_panic| {
        let what = "its pages contradict each other".to_string();
        Err(Failure { error: EngineError::Damaged { what, cause: None }, next: Next::Reopen })
    })
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        let (error, next) = match error {
            StorageError::Corrupted(what) => {
                (EngineError::Damaged { what, cause: None }, Next::GoOn)
            }
            StorageError::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<Ended>()) => {
                (error.into(), Next::TryAgain)
            }
            StorageError::Io(error) => (error.into(), Next::Reopen),
            other => {
                let refused =
                    matches!(other, StorageError::PreviousIo | StorageError::DatabaseClosed);
                let next = if refused { Next::TryAgain } else { Next::Reopen };
                (EngineError::Io(Cause::new(other)), next)
            }
        };
        Failure { error, next }
    }
}

macro_rules! failures {
    ($($error:ident),+) => {
        $(impl From<redb::$error> for Failure {
            fn from(error: redb::$error) -> Self {
                match error {
                    redb::$error::Storage(error) => error.into(),
                    other => Failure::other(io::Error::other(other.to_string())),
                }
            }
        })+
    };
}

failures!(DatabaseError, TransactionError, TableError, CommitError, CursorError);
