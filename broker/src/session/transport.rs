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

thread_local! {
    // One for all connections of a thread: an idle connection holds no read buffer.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
    // What the last connection that went to rest had as input and output: the next one that is
    // busy need not grow its own, and one that rests holds none.
    static SPARE: RefCell<(BytesMut, BytesMut)> = RefCell::default();
}

/// A connection's stream with what was read and not understood yet, and what is to be written.
pub(crate) struct Transport {
    io: Box<dyn Io>,
    pub input: BytesMut,
    pub output: BytesMut,
    unflushed: bool,
    /// Bytes that the stream took.
    pub taken: u64,
}

impl Transport {
    pub fn new(io: impl Io + 'static) -> Transport {
        Transport {
            io: Box::new(io),
            input: BytesMut::new(),
            output: BytesMut::new(),
            unflushed: false,
            taken: 0,
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
            self.taken = self.taken.wrapping_add(u64::try_from(count).unwrap_or(1));
            self.unflushed = true;
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

    /// Takes buffers for work to come, where there are none.
    pub fn wake(&mut self) {
        SPARE.with_borrow_mut(|(input, output)| {
            if self.input.is_empty() {
                std::mem::swap(&mut self.input, input);
            }
            if self.output.is_empty() {
                std::mem::swap(&mut self.output, output);
            }
        });
    }

    /// Gives empty buffers back. A capacity of 0 tells nothing: what was taken from the front of a
    /// buffer is still held by it.
    pub fn rest(&mut self) {
        SPARE.with_borrow_mut(|(input, output)| {
            if self.input.is_empty() {
                *input = std::mem::take(&mut self.input);
            }
            if self.output.is_empty() {
                *output = std::mem::take(&mut self.output);
            }
        });
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    #[tokio::test]
    async fn a_connection_at_rest_holds_no_buffers_and_the_next_one_gets_them() {
        let (mut client, server) = tokio::io::duplex(READ_BYTES);
        let mut busy = Transport::new(server);
        busy.wake();
        client.write_all(&[7; 9_000]).await.unwrap();
        assert_eq!(busy.read().await.unwrap(), 9_000);
        assert_eq!(busy.input.split_to(9_000).freeze(), [7; 9_000][..]);
        busy.output.extend_from_slice(&[8; 9_000]);
        busy.write().await.unwrap();
        busy.rest();
        assert_eq!((busy.input.capacity(), busy.output.capacity()), (0, 0));

        let mut next = Transport::new(tokio::io::empty());
        next.wake();
        assert!(next.input.try_reclaim(9_000), "the input of the first");
        assert!(next.output.try_reclaim(9_000), "the output of the first");
    }

    #[tokio::test]
    async fn a_packet_that_is_not_whole_stays_with_its_connection() {
        let (mut client, server) = tokio::io::duplex(READ_BYTES);
        let mut transport = Transport::new(server);
        client.write_all(b"half").await.unwrap();
        transport.read().await.unwrap();
        transport.rest();
        transport.wake();
        assert_eq!(transport.input, b"half"[..]);
    }
}
