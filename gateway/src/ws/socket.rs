//! The frames below a connection, and how one ends.

use std::future::Future;

use futures_util::{SinkExt, StreamExt};
use warp::ws::{Message, WebSocket};

use crate::feed::seat::End;

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Text.
    Text(String),
    /// Bytes, which nobody here reads.
    Binary,
    /// A sign of life.
    Ping,
    /// The answer to one.
    Pong,
    /// Goodbye.
    Close,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// An event, as JSON.
    Text(String),
    /// "Are you there?"
    Ping,
}

/// The connection broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection broke")]
pub struct Broken;

/// Why the box ends a connection (RFC 6455 §7.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bye {
    /// The status code.
    pub code: u16,
    /// `code: sentence`, at most 123 bytes.
    pub reason: &'static str,
}

impl Bye {
    /// The client said goodbye, or is gone.
    pub const GONE: Bye = Bye { code: 1000, reason: "" };
    /// What came does not read as WebSocket.
    pub const UNREADABLE: Bye =
        Bye { code: 1009, reason: "too_large: a frame is too large, or does not read" };
    /// It sends far too many events.
    pub const FLOOD: Bye = Bye { code: 1008, reason: "too_fast: too many events" };
    /// The box cannot read its own disk.
    pub const FAILED: Bye = Bye { code: 1011, reason: "store_unavailable: try again later" };
}

impl From<End> for Bye {
    fn from(end: End) -> Self {
        let (code, reason) = match end {
            End::SignedOut => (1008, "session_ended: this login has ended; sign in again"),
            End::Disconnected => (1008, "disconnected: whoever runs the house ended this"),
            End::TooSlow => (1013, "too_slow: connect again, and join rooms with `after`"),
            End::Stopping => (1001, "stopping: the box stops; connect again in some seconds"),
        };
        Bye { code, reason }
    }
}

/// Where frames come from and go to.
pub trait Socket: Send {
    /// The next frame; `None` when the other side is gone. May be dropped: nothing is lost.
    fn read(&mut self) -> impl Future<Output = Option<Result<Frame, Broken>>> + Send;

    /// Sends them, and waits until they are on their way.
    fn write(&mut self, frames: Vec<Sent>) -> impl Future<Output = Result<(), Broken>> + Send;

    /// Says why, and ends.
    fn close(self, bye: Bye) -> impl Future<Output = Result<(), Broken>> + Send;
}

/// A socket of the HTTP listener. It answers pings by itself.
pub struct Frames(pub WebSocket);

fn broken(cause: warp::Error) -> Broken {
    tracing::debug!(%cause, "a WebSocket broke");
    Broken
}

impl Socket for Frames {
    async fn read(&mut self) -> Option<Result<Frame, Broken>> {
        let message = match self.0.next().await? {
            Ok(message) => message,
            Err(cause) => return Some(Err(broken(cause))),
        };
        Some(Ok(match message.to_str() {
            Ok(text) => Frame::Text(text.to_string()),
            Err(()) if message.is_ping() => Frame::Ping,
            Err(()) if message.is_pong() => Frame::Pong,
            Err(()) if message.is_close() => Frame::Close,
            Err(()) => Frame::Binary,
        }))
    }

    async fn write(&mut self, frames: Vec<Sent>) -> Result<(), Broken> {
        for frame in frames {
            let message = match frame {
                Sent::Text(text) => Message::text(text),
                Sent::Ping => Message::ping(&b""[..]),
            };
            self.0.feed(message).await.map_err(broken)?;
        }
        self.0.flush().await.map_err(broken)
    }

    async fn close(mut self, bye: Bye) -> Result<(), Broken> {
        if bye != Bye::GONE {
            self.0.send(Message::close_with(bye.code, bye.reason)).await.map_err(broken)?;
            // What the client has sent meanwhile is read, or the system would throw the goodbye
            // away with it.
            while let Some(Ok(_)) = self.0.next().await {}
        }
        self.0.close().await.map_err(broken)
    }
}
