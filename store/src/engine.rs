//! The seam: a sorted map of bytes with atomic batches. All knowledge of nouns is above it.
//!
//! - [`memory`]: a `BTreeMap`, the model and the engine of unit tests
//! - [`redb`]: the real one, on a sealed file

pub mod memory;
pub mod redb;

#[cfg(test)]
mod contract;

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use crate::sealed_file::OpenError;

/// A future on the heap, so that the seam can be a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A key with its value.
pub type Row = (Bytes, Bytes);

/// A sorted map of bytes with atomic, durable batches.
pub trait Engine: Send + Sync {
    /// The value of a key, as of the last commit that returned.
    fn get(&self, key: Bytes) -> BoxFuture<'_, Result<Option<Bytes>, EngineError>>;

    /// At most `limit` rows of a range, in the given order. One that meets a page that does not
    /// read is [`EngineError::Damaged`] as a whole; one that has its `limit` rows reads no
    /// further. So who wants what can be read asks for parts of the range, ascending, with as many
    /// rows as there can be for a limit: the parts beside the damage succeed, at no extra cost.
    fn scan(
        &self,
        range: Range,
        order: Order,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Row>, EngineError>>;

    /// Applies a batch: all of it or nothing, durable when it returns `Ok`. An expectation that
    /// does not hold is [`EngineError::Conflict`]; after any error nothing of it is there.
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), EngineError>>;

    /// All rows as of the last commit that returned; for a backup. Writers go on meanwhile, and
    /// what they replace keeps its place on the disk as long as the snapshot lives.
    fn snapshot(&self) -> BoxFuture<'_, Result<Box<dyn Snapshot>, EngineError>>;

    /// Runs a work, to its end, where its commits cost least: the work that makes most of them.
    /// Needs a tokio runtime. An error if it could not begin.
    fn host(&self, work: BoxFuture<'static, ()>) -> io::Result<()> {
        drop(tokio::runtime::Handle::try_current().map_err(io::Error::other)?.spawn(work));
        Ok(())
    }
}

/// All rows as they were at one moment.
pub trait Snapshot: Send {
    /// At most `limit` rows of a range, the smallest key first. After an error of the disk that
    /// has closed the database the snapshot is gone: [`EngineError::Closed`]; take another one.
    fn rows(&mut self, range: Range, limit: usize) -> BoxFuture<'_, Result<Vec<Row>, EngineError>>;
}

/// Keys from `start` up to, not including, `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// The first key of it.
    pub start: Bytes,
    /// The first key after it; `None`: up to the last there is.
    pub end: Option<Bytes>,
}

impl Range {
    /// Every key from `start` on.
    pub fn from(start: impl Into<Bytes>) -> Self {
        Self { start: start.into(), end: None }
    }

    /// Every key that begins with `prefix`.
    pub fn prefix(prefix: impl Into<Bytes>) -> Self {
        let start = prefix.into();
        let end = after_prefix(&start);
        Self { start, end }
    }

    /// Whether a key lies in it.
    pub fn contains(&self, key: &[u8]) -> bool {
        key >= &self.start[..] && self.end.as_ref().is_none_or(|end| key < &end[..])
    }

    /// Whether no key can lie in it.
    pub fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }
}

/// The first key after all that begin with `prefix`; `None` if there is no such key.
fn after_prefix(prefix: &[u8]) -> Option<Bytes> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end.into())
}

/// The first key that is greater than this one: where a scan goes on.
pub(crate) fn after(key: &[u8]) -> Bytes {
    [key, b"\0"].concat().into()
}

/// The order of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The smallest key first.
    Ascending,
    /// The greatest key first.
    Descending,
}

/// One step of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// The key has this value (`None`: is not there) before the batch.
    Expect(Bytes, Option<Bytes>),
    /// The key has this value from now on.
    Put(Bytes, Bytes),
    /// The key is not there from now on.
    Delete(Bytes),
}

impl Op {
    /// The key that it looks at or writes.
    pub fn key(&self) -> &Bytes {
        match self {
            Op::Expect(key, _) | Op::Put(key, _) | Op::Delete(key) => key,
        }
    }
}

/// What is applied together or not at all. Expectations are asked before anything is written;
/// of several writes to one key the last holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Its steps.
    pub ops: Vec<Op>,
}

impl Batch {
    /// Expects a value, or that there is none.
    pub fn expect(&mut self, key: Bytes, value: Option<Bytes>) {
        self.ops.push(Op::Expect(key, value));
    }

    /// Writes a value.
    pub fn put(&mut self, key: Bytes, value: Bytes) {
        self.ops.push(Op::Put(key, value));
    }

    /// Removes a key.
    pub fn delete(&mut self, key: Bytes) {
        self.ops.push(Op::Delete(key));
    }
}

/// Why an engine could not do it. Cheap to clone: one failed commit answers many.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// An expectation of the batch did not hold.
    #[error("an expectation of the batch did not hold")]
    Conflict,
    /// Bytes on the disk are not those that were written.
    #[error("the database is damaged: {what}; run `hearth doctor`, or restore a backup")]
    Damaged {
        /// What does not read.
        what: String,
        /// The engine's own words.
        #[source]
        cause: Option<Cause>,
    },
    /// No space left.
    #[error("the disk is full; make room on it, writing goes on by itself")]
    Full(#[source] Cause),
    /// The disk did not do it.
    #[error("the disk refused; check the log of the system and `hearth doctor`")]
    Io(#[source] Cause),
    /// The file cannot be opened as a database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A compaction cannot be done now.
    #[error("the compaction was given up, and everything is as it was: {0}")]
    GivenUp(&'static str),
    /// A compaction has no room for the second file.
    #[error(
        "the file is not compacted: that may need {} MB more while it lasts, and {} MB are free; \
         make room on the disk",
        needed_bytes.div_ceil(1_000_000), free_bytes / 1_000_000
    )]
    NoRoom {
        /// What the second file may take.
        needed_bytes: u64,
        /// What is free.
        free_bytes: u64,
    },
    /// The engine is shut, or could not reopen the database after an error.
    #[error("the database is closed: {0}")]
    Closed(String),
}

impl EngineError {
    /// Whether the disk refused, which it may do for a moment; otherwise the bytes themselves, or
    /// their order, are not what was written.
    pub fn is_of_the_disk(&self) -> bool {
        let cause = match self {
            EngineError::Damaged { cause, .. } => cause.as_ref(),
            EngineError::Io(_) => return true,
            _ => None,
        };
        let cause = cause.and_then(|Cause(cause)| cause.downcast_ref::<io::Error>());
        let of_bytes = [io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof];
        cause.is_some_and(|cause| !of_bytes.contains(&cause.kind()))
    }
}

/// What lies under an error, shared by all who are told.
#[derive(Clone)]
pub struct Cause(Arc<dyn std::error::Error + Send + Sync>);

impl Cause {
    /// Keeps an error as the cause of another.
    pub fn new(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(error))
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl From<io::Error> for EngineError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                EngineError::Full(Cause::new(error))
            }
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                let what = error.to_string();
                EngineError::Damaged { what, cause: Some(Cause::new(error)) }
            }
            _ => EngineError::Io(Cause::new(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_the_next_begins() {
        let cases: [(&[u8], Option<&[u8]>); 4] =
            [(b"a", Some(b"b")), (b"a\xff", Some(b"b")), (b"\xff\xff", None), (b"", None)];
        for (prefix, end) in cases {
            let range = Range::prefix(prefix.to_vec());
            assert_eq!(range.end.as_deref(), end, "{prefix:?}");
            assert!(range.contains(&[prefix, b"x"].concat()));
        }
        assert!(!Range::prefix("a").contains(b"b"));
    }
}
