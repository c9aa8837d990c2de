//! A connection that is not waited for without end: one that carries nothing, or does not take
//! what waits for it, breaks.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hearth_protocol::limits::{Limits, wide};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// How long what comes after the last answer is thrown away.
const LINGER: Duration = Duration::from_millis(500);

/// A stream under a time limit, until it is set free: a WebSocket keeps times of its own.
pub struct Patient<S> {
    stream: S,
    idle: Duration,
    stall: Duration,
    free: Arc<AtomicBool>,
    /// When bytes last went in either direction.
    last: Instant,
    /// Since when the peer has not taken what waits for it.
    stalled: Option<Instant>,
    timer: Pin<Box<Sleep>>,
    /// Until when a connection that is closed is still read.
    closing: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    /// Under the limits until `free` turns true.
    pub fn new(stream: S, limits: &Limits, free: Arc<AtomicBool>) -> Self {
        let ms = |limit| Duration::from_millis(wide(limit));
        let (idle, stall) = (ms(limits.http_idle_ms_max), ms(limits.http_stall_ms_max));
        let last = Instant::now();
        let timer = Box::pin(sleep_until(last + idle));
        Self { stream, idle, stall, free, last, stalled: None, timer, closing: None }
    }

    /// Waits on; an error once the time is over.
    fn wait<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if self.free.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        let deadline = match self.stalled {
            Some(since) => (since + self.stall).min(self.last + self.idle),
            None => self.last + self.idle,
        };
        // A timer that rings too early is set again; one too late, now.
        if self.timer.deadline() > deadline {
            self.timer.as_mut().reset(deadline);
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    /// What a write came to.
    fn wrote<T>(&mut self, cx: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match done {
            Poll::Ready(done) => {
                self.last = Instant::now();
                self.stalled = None;
                Poll::Ready(done)
            }
            Poll::Pending => {
                self.stalled.get_or_insert_with(Instant::now);
                self.wait(cx)
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            Poll::Ready(done) => {
                self.last = Instant::now();
                Poll::Ready(done)
            }
            Poll::Pending => self.wait(cx),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(cx, done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.wrote(cx, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ready!(Pin::new(&mut self.stream).poll_flush(cx)) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// What was sent and is not read would break the connection before the last answer is seen
    /// (RFC 9112 §9.6): it is read for a moment.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.closing.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        let closing = this.closing.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        while closing.as_mut().poll(cx).is_pending() {
            let mut bytes = [0; 4_096];
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    fn pair(free: bool) -> (Patient<DuplexStream>, DuplexStream) {
        let (near, far) = duplex(8);
        let mut limits = Limits::default();
        (limits.http_idle_ms_max, limits.http_stall_ms_max) = (1_000, 100);
        (Patient::new(near, &limits, Arc::new(AtomicBool::new(free))), far)
    }

    #[tokio::test(start_paused = true)]
    async fn what_carries_nothing_ends_after_its_time_and_what_carries_something_later() {
        let (mut near, mut far) = pair(false);
        let begun = Instant::now();
        let other = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(900)).await;
            far.write_all(b"x").await.unwrap();
            far
        });
        let mut buffer = [0; 8];
        assert_eq!(near.read(&mut buffer).await.unwrap(), 1);
        let error = near.read(&mut buffer).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed().as_millis() / 10, 190);
        drop(other);
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_is_given_up_and_who_reads_slowly_is_not() {
        let (mut near, far) = pair(false);
        let begun = Instant::now();
        let error = near.write_all(&[0; 100]).await.unwrap_err();
        assert_eq!((error.kind(), begun.elapsed().as_millis()), (io::ErrorKind::TimedOut, 100));
        drop(far);
        let (mut near, mut far) = pair(false);
        let slow = tokio::spawn(async move {
            let mut buffer = [0; 8];
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_millis(90)).await;
                far.read_exact(&mut buffer[..4]).await.unwrap();
            }
        });
        near.write_all(&[0; 50]).await.unwrap();
        slow.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_set_free_waits_on() {
        let (mut near, mut far) = pair(true);
        let late = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(3_600)).await;
            far.write_all(b"x").await.unwrap();
        });
        assert_eq!(near.read(&mut [0; 8]).await.unwrap(), 1);
        late.await.unwrap();
    }
}
