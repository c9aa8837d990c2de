//! Answers that have to be taken: a client that takes nothing of one for too long is given up, so
//! that nothing waits for it without end. Over HTTP/2 a connection can be busy while nothing of an
//! answer may be sent (RFC 9113 §5.2: a window of zero), which no time limit on it would see.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::budget::Room;

/// Bytes of an answer that are handed on at a time: who takes so many is getting on.
const PIECE: usize = 64 * 1024;

/// The pieces that a connection was given and has not sent yet.
#[derive(Debug)]
pub struct Waiting {
    patience: Duration,
    inside: Mutex<Inside>,
    begun: Notify,
}

#[derive(Debug, Default)]
struct Inside {
    next: u64,
    since: HashMap<u64, Instant>,
}

impl Waiting {
    /// None, and each may wait for so long.
    pub fn new(patience: Duration) -> Arc<Self> {
        Arc::new(Self { patience, inside: Mutex::default(), begun: Notify::new() })
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(self: &Arc<Self>, bytes: Bytes) -> Piece {
        let mut inside = self.inside();
        let number = inside.next;
        inside.next += 1;
        inside.since.insert(number, Instant::now());
        drop(inside);
        self.begun.notify_one();
        Piece { bytes, number, waiting: self.clone() }
    }

    /// Waits until a piece has waited for too long.
    pub async fn too_long(&self) {
        loop {
            let oldest = self.inside().since.values().min().copied();
            match oldest.map(|since| since + self.patience) {
                None => self.begun.notified().await,
                Some(until) if until <= Instant::now() => return,
                Some(until) => sleep_until(until).await,
            }
        }
    }
}

/// Bytes on their way; gone once they are sent.
struct Piece {
    bytes: Bytes,
    number: u64,
    waiting: Arc<Waiting>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.waiting.inside().since.remove(&self.number);
    }
}

/// The body of an answer, in pieces that are watched.
pub struct Taken<B> {
    body: B,
    /// What of the last chunk was not handed on yet.
    left: Bytes,
    waiting: Arc<Waiting>,
    /// What it takes of all answers' memory.
    _room: Room,
}

impl<B> Taken<B> {
    /// A body, with the room that was taken for it.
    pub fn new(body: B, waiting: Arc<Waiting>, room: Room) -> Self {
        Self { body, left: Bytes::new(), waiting, _room: room }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Taken<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = &mut *self;
        if this.left.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_frame(cx))
                .map(|frame| frame.map(Frame::into_data))
            {
                Some(Ok(Ok(data))) => this.left = data,
                Some(Ok(Err(other))) => return Poll::Ready(Some(Ok(other))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        let piece = this.left.split_to(this.left.len().min(PIECE));
        let piece = Bytes::from_owner(this.waiting.begin(piece));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, left) = (self.body.size_hint(), hearth_protocol::limits::wide(self.left.len()));
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(left));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(left));
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::{sleep, timeout};

    use super::super::budget::Budget;
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn taken(waiting: &Arc<Waiting>, bytes: usize) -> Taken<warp::reply::Response> {
        let room = Budget::new(0).room([127, 0, 0, 1].into());
        Taken::new(warp::reply::Response::new(vec![7; bytes].into()), waiting.clone(), room)
    }

    async fn piece(body: &mut Taken<warp::reply::Response>) -> Option<Bytes> {
        let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await?;
        Some(frame.unwrap().into_data().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_handed_on_in_pieces_and_is_what_it_was() {
        let waiting = Waiting::new(PATIENCE);
        let mut body = taken(&waiting, 2 * PIECE + 5);
        assert_eq!(body.size_hint().exact(), Some(2 * 65_536 + 5));
        let mut sizes = vec![];
        while let Some(piece) = piece(&mut body).await {
            assert!(piece.iter().all(|byte| *byte == 7));
            sizes.push(piece.len());
        }
        assert_eq!(sizes, [PIECE, PIECE, 5]);
        assert!(body.is_end_stream() && waiting.inside().since.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_a_piece_now_and_then_is_waited_for_and_who_takes_none_is_not() {
        let waiting = Waiting::new(PATIENCE);
        let begun = Instant::now();
        let slow = async {
            let mut body = taken(&waiting, 3 * PIECE);
            while let Some(piece) = piece(&mut body).await {
                sleep(PATIENCE - Duration::from_secs(1)).await;
                drop(piece);
            }
            let _kept = piece(&mut taken(&waiting, 1)).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = slow => {}
            () = waiting.too_long() => {}
        }
        assert_eq!(begun.elapsed().as_secs(), 3 * 29 + 30);
        assert!(timeout(PATIENCE * 9, Waiting::new(PATIENCE).too_long()).await.is_err());
    }
}
