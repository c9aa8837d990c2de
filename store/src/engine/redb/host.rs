//! A thread for who makes most of the commits: it reads and commits by itself. Passing a batch to
//! the writer and its answer back costs two more changes of threads, which a single append waits
//! for longer than for its rows.

use std::cell::Cell;
use std::io;
use std::thread;

use tokio::runtime::Handle;

use crate::engine::BoxFuture;

thread_local! {
    static HERE: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread may wait for the disk.
pub(super) fn is_here() -> bool {
    HERE.get()
}

/// Runs a work to its end on a thread of its own, within the runtime of the caller.
pub(super) fn run(work: BoxFuture<'static, ()>) -> io::Result<()> {
    let runtime = Handle::try_current().map_err(io::Error::other)?;
    let host = thread::Builder::new().name("store-appender".into());
    host.spawn(move || {
        HERE.set(true);
        runtime.block_on(work);
    })?;
    Ok(())
}
