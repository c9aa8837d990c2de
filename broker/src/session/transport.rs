//! The bytes of one connection, in and out, without waiting for either.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Anything that carries MQTT.
pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// Bytes read at a time.
const READ_BYTES: usize = 64 * 1024;
/// What an idle connection may keep of its buffers, in bytes.
const IDLE_BYTES: usize = 4 * 1024;

thread_local! {
    // One for all connections of a thread: an idle connection holds no read buffer.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// A connection's stream with what was read and not understood yet, and what is to be written.
pub(crate) struct Transport {
    io: Box<dyn Io>,
    pub input: BytesMut,
    pub output: BytesMut,
    unflushed: bool,
}

impl Transport {
    pub fn new(io: impl Io + 'static) -> Transport {
        Transport {
            io: Box::new(io),
            input: BytesMut::new(),
            output: BytesMut::new(),
            unflushed: false,
        }
    }

    /// Ready when everything is written and flushed.
    pub fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.output.is_empty() {
            let count = ready!(Pin::new(&mut self.io).poll_write(cx, &self.output))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.output.advance(count);
            self.unflushed = true;
        }
        if self.output.capacity() > IDLE_BYTES {
            self.output = BytesMut::new();
        }
        if self.unflushed {
            ready!(Pin::new(&mut self.io).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Whether there is something to write or flush.
    pub fn is_writing(&self) -> bool {
        self.unflushed || !self.output.is_empty()
    }

    /// Reads once; 0 bytes are the end.
    pub fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
            self.input.extend_from_slice(buffer.filled());
            Poll::Ready(Ok(buffer.filled().len()))
        })
    }

    /// Gives back the memory of an empty input buffer.
    pub fn trim(&mut self) {
        if self.input.is_empty() && self.input.capacity() > IDLE_BYTES {
            self.input = BytesMut::new();
        }
    }

    /// Reads once, for the handshake.
    pub async fn read(&mut self) -> io::Result<usize> {
        std::future::poll_fn(|cx| self.poll_read(cx)).await
    }

    /// Writes everything.
    pub async fn write(&mut self) -> io::Result<()> {
        std::future::poll_fn(|cx| self.poll_write(cx)).await
    }

    /// Says that nothing more comes, and reads until the other side says so too: else unread
    /// input turns the last packet into a reset (RFC 9293 §3.6.1). The caller bounds the time.
    pub async fn linger(&mut self) -> io::Result<()> {
        self.write().await?;
        std::future::poll_fn(|cx| Pin::new(&mut self.io).poll_shutdown(cx)).await?;
        while self.read().await? > 0 {
            self.input.clear();
        }
        Ok(())
    }
}
