//! A box that waits for its passphrase: `admin.sock` takes it and answers nothing else.

use std::io;
use std::sync::Arc;

use hearth_protocol::limits::{Limits, seconds_ms};
use hearth_store::{KeyError, Opened, Passphrase};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::socket::{ANSWERED_WITHIN, Socket};
use super::{Reply, Request};
use crate::clock::Clock;

/// What tries a passphrase.
pub type Try = Arc<dyn Fn(&Passphrase) -> Result<Opened, KeyError> + Send + Sync>;

/// Bytes of a request while locked: a passphrase in JSON, each byte escaped.
const LINE_BYTES_MAX: usize = 8 * 1024;

/// A box that waits.
pub struct Locked {
    attempt: Try,
    limits: Arc<Limits>,
    clock: Arc<dyn Clock>,
    wrong: u32,
    next_try_ms: u64,
}

impl Locked {
    /// Waits with what tries a passphrase.
    pub fn new(attempt: Try, limits: Arc<Limits>, clock: Arc<dyn Clock>) -> Self {
        Self { attempt, limits, clock, wrong: 0, next_try_ms: 0 }
    }

    /// Takes requests until one opens the data; `None` if `stop` turns true before.
    pub async fn wait(
        mut self,
        socket: &Socket,
        mut stop: watch::Receiver<bool>,
    ) -> Option<Opened> {
        loop {
            let answered = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return None,
                answered = self.answer_next(socket) => answered,
            };
            match answered {
                Ok(Some(opened)) => return Some(opened),
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "a box command was not answered"),
            }
        }
    }

    async fn answer_next(&mut self, socket: &Socket) -> io::Result<Option<Opened>> {
        let mut stream = socket.accept().await?;
        let request = timeout(ANSWERED_WITHIN, read(&mut stream)).await??;
        let (reply, opened) = self.answer(request).await;
        let mut line = serde_json::to_vec(&reply)?;
        line.push(b'\n');
        // Whoever asked may be gone; the box is open all the same.
        let written = timeout(ANSWERED_WITHIN, stream.write_all(&line)).await;
        if let Err(error) = written.map_err(io::Error::from).flatten() {
            tracing::warn!(%error, "who asked the locked box did not wait for the answer");
        }
        Ok(opened)
    }

    async fn answer(&mut self, request: Request) -> (Reply, Option<Opened>) {
        let Request::Unlock { passphrase } = request else {
            let hint = "run `hearth unlock` first";
            return (refused("locked", "the box waits for its passphrase", hint), None);
        };
        // A clock that was set back makes nobody wait longer.
        let wait_ms = self.next_try_ms.saturating_sub(self.clock.now_ms()).min(self.wait_ms());
        if wait_ms > 0 {
            let message =
                format!("too many wrong passphrases; try again in {} s", wait_ms.div_ceil(1_000));
            return (refused("too_many_tries", &message, ""), None);
        }
        let attempt = self.attempt.clone();
        match tokio::task::spawn_blocking(move || attempt(&passphrase)).await {
            Ok(Ok(opened)) => (Reply::Unlocked, Some(opened)),
            Ok(Err(error)) => {
                self.wrong = self.wrong.saturating_add(1);
                self.next_try_ms = self.clock.now_ms().saturating_add(self.wait_ms());
                tracing::warn!(%error, wrong = self.wrong, "the box was not unlocked");
                (refused("not_unlocked", &error.to_string(), ""), None)
            }
            Err(error) => (refused("internal", &error.to_string(), "see the log"), None),
        }
    }

    /// 1 s, 2 s, 4 s … up to the limit.
    fn wait_ms(&self) -> u64 {
        let doublings = self.wrong.saturating_sub(1).min(40);
        (1_000_u64 << doublings).min(seconds_ms(self.limits.unlock_wait_s_max))
    }
}

fn refused(code: &str, message: &str, hint: &str) -> Reply {
    Reply::Refused { code: code.into(), message: message.into(), hint: hint.into() }
}

/// One line, in one piece that is wiped: it may hold a passphrase.
async fn read(stream: &mut UnixStream) -> io::Result<Request> {
    let mut line = Zeroizing::new(Vec::with_capacity(LINE_BYTES_MAX));
    while !line.ends_with(b"\n") && line.len() < LINE_BYTES_MAX {
        let room = LINE_BYTES_MAX - line.len();
        let mut limited = (&mut *stream).take(u64::try_from(room).unwrap_or(0));
        if limited.read_buf(&mut *line).await? == 0 {
            break;
        }
    }
    Ok(serde_json::from_slice(&line)?)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use hearth_store::Keys;

    use super::*;

    const RIGHT: &str = "a lamp in the window";

    #[derive(Default)]
    struct Hands(AtomicU64);

    impl Clock for Hands {
        fn now_ms(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
    }

    fn unlock(text: &str) -> Request {
        Request::Unlock { passphrase: Passphrase::new(Zeroizing::new(text.to_string())) }
    }

    /// A folder that a passphrase opens, which waits.
    fn locked(clock: Arc<Hands>) -> (tempfile::TempDir, Locked) {
        let folder = tempfile::tempdir().unwrap();
        let limits = Arc::new(Limits { passphrase_work_log2: 4, ..Limits::default() });
        let keys = Keys {
            data: folder.path().join("data"),
            key_file: folder.path().join("data.key"),
            credential: None,
            only: Some(hearth_store::Way::Passphrase),
        };
        let first = Passphrase::new(Zeroizing::new(RIGHT.to_string()));
        keys.open(Some(&first), &limits).unwrap();
        let own = limits.clone();
        let attempt = Arc::new(move |given: &Passphrase| keys.open(Some(given), &own));
        (folder, Locked::new(attempt, limits, clock))
    }

    fn code(reply: Reply) -> String {
        match reply {
            Reply::Refused { code, .. } => code,
            reply => format!("{reply:?}"),
        }
    }

    #[tokio::test]
    async fn after_each_wrong_passphrase_the_next_try_waits_twice_as_long() {
        let clock = Arc::new(Hands::default());
        let (_folder, mut locked) = locked(clock.clone());
        for wait_s in [1, 2, 4, 8, 16, 32, 60, 60] {
            let (reply, opened) = locked.answer(unlock("wrong")).await;
            assert_eq!((code(reply).as_str(), opened.is_none()), ("not_unlocked", true));
            clock.0.fetch_add(wait_s * 1_000 - 1, Ordering::Relaxed);
            let early = locked.answer(unlock(RIGHT)).await;
            assert_eq!((code(early.0).as_str(), early.1.is_none()), ("too_many_tries", true));
            clock.0.fetch_add(1, Ordering::Relaxed);
        }
        let (reply, opened) = locked.answer(unlock(RIGHT)).await;
        assert_eq!((code(reply).as_str(), opened.is_some()), ("Unlocked", true));
    }

    #[tokio::test]
    async fn nothing_else_is_answered_while_locked() {
        let (_folder, mut locked) = locked(Arc::default());
        let (reply, _) = locked.answer(Request::UserList).await;
        assert_eq!(code(reply), "locked");
    }
}
