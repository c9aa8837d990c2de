//! A stream of bytes from WebSocket frames, however the other side cuts them (MQTT 5 §6.0).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

/// The subprotocol (MQTT 5 §6.0), as a server answers it.
pub const PROTOCOL: &str = "mqtt";

/// Whether a `Sec-WebSocket-Protocol` header offers MQTT: the list, parted by commas, has exactly
/// `mqtt`. Without the header nothing is offered. Where it comes more than once, ask for each.
pub fn offers_mqtt(header: Option<&str>) -> bool {
    header.is_some_and(|list| list.split(',').any(|name| name.trim() == PROTOCOL))
}

/// Bytes over binary frames: reads join frames, each write is a frame. A text frame is an error
/// that `S` makes; an ended stream is the end.
#[derive(Debug)]
pub struct Frames<S> {
    frames: S,
    /// What is left of the frame being read.
    rest: Bytes,
}

impl<S> Frames<S>
where
    S: Stream<Item = io::Result<Bytes>> + Sink<Bytes, Error = io::Error> + Unpin,
{
    /// A byte stream over binary frames.
    pub fn new(frames: S) -> Frames<S> {
        Frames { frames, rest: Bytes::new() }
    }
}

impl<S> AsyncRead for Frames<S>
where
    S: Stream<Item = io::Result<Bytes>> + Unpin,
{
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // An empty frame is not the end.
        while self.rest.is_empty() {
            match ready!(self.frames.poll_next_unpin(cx)) {
                Some(frame) => self.rest = frame?,
                None => return Poll::Ready(Ok(())),
            }
        }
        let count = buffer.remaining().min(self.rest.len());
        buffer.put_slice(&self.rest[..count]);
        self.rest.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl<S> AsyncWrite for Frames<S>
where
    S: Sink<Bytes, Error = io::Error> + Unpin,
{
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.frames.poll_ready_unpin(cx))?;
        self.frames.start_send_unpin(Bytes::copy_from_slice(bytes))?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.frames.poll_flush_unpin(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.frames.poll_close_unpin(cx)
    }
}

/// A tungstenite WebSocket as binary frames: pings are answered below, text is refused.
pub(crate) fn tungstenite<T>(
    socket: WebSocketStream<T>,
) -> impl Stream<Item = io::Result<Bytes>> + Sink<Bytes, Error = io::Error> + Unpin + Send
where
    T: AsyncRead + AsyncWrite + Unpin + Send,
{
    let frames = socket.filter_map(|message| {
        std::future::ready(match message {
            Ok(Message::Binary(bytes)) => Some(Ok(bytes)),
            Ok(Message::Text(_)) => {
                Some(Err(io::Error::new(io::ErrorKind::InvalidData, "MQTT comes in binary frames")))
            }
            Ok(_) => None,
            Err(Error::ConnectionClosed) => None,
            Err(cause) => Some(Err(to_io(cause))),
        })
    });
    frames
        .sink_map_err(to_io)
        .with(|bytes| std::future::ready(Ok::<_, io::Error>(Message::Binary(bytes))))
}

fn to_io(cause: Error) -> io::Error {
    match cause {
        Error::Io(cause) => cause,
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::offers_mqtt;

    #[test]
    fn only_a_list_with_exactly_mqtt_offers_it() {
        for list in ["mqtt", " mqtt ", "chat, mqtt", "mqtt,chat", "mqttv3.1,mqtt"] {
            assert!(offers_mqtt(Some(list)), "{list:?}");
        }
        for list in ["", ",", "MQTT", "mqttv3.1", "chat mqtt", "mqtt;q=1", "\"mqtt\""] {
            assert!(!offers_mqtt(Some(list)), "{list:?}");
        }
        assert!(!offers_mqtt(None));
    }
}
