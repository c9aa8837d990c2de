//! HTTP/2 as clients speak it that mean no good, in frames by hand (RFC 9113 §6).

use std::sync::atomic::AtomicUsize;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use warp::Filter;

use super::*;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

/// `GET https /` in HPACK, as three fields of its table (RFC 7541, appendix A).
const GET: [u8; 3] = [0x82, 0x87, 0x84];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A whole request without a body.
fn get(stream: u32) -> Vec<u8> {
    frame(HEADERS, 0x05, stream, &GET)
}

/// The preface, with settings as numbers and values.
fn hello(settings: &[(u16, u32)]) -> Vec<u8> {
    let settings: Vec<u8> = settings
        .iter()
        .flat_map(|(name, value)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat())
        .collect();
    [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(SETTINGS, 0, 0, &settings)].concat()
}

struct Client {
    stream: DuplexStream,
    served: JoinHandle<()>,
    /// Requests that reached a route.
    asked: Arc<AtomicUsize>,
}

impl Client {
    /// At a box whose answers have so many bytes, or never come.
    fn at(limits: Limits, bytes: Option<usize>) -> Client {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        let routes = warp::any()
            .then(move || {
                counted.fetch_add(1, Ordering::SeqCst);
                async move {
                    match bytes {
                        Some(bytes) => Response::new(vec![0; bytes].into()),
                        None => std::future::pending().await,
                    }
                }
            })
            .boxed();
        let server = Server::new(Arc::new(limits), Arc::default());
        let (stream, near) = duplex(16 * 1024);
        let served = tokio::spawn(async move {
            let (stopping, stop) = watch::channel(false);
            let until = Until { stop, waiting: server.waiting() };
            let free = Arc::default();
            let near = Patient::new(near, &server.limits, Arc::clone(&free));
            let service = server.seen(routes, ([127, 0, 0, 1], 1).into(), free, &until.waiting);
            server.speak(near, true, service, until).await;
            drop(stopping);
        });
        Client { stream, served, asked }
    }

    async fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// The next frame: its kind, its stream and its payload; `None` at the end.
    async fn next(&mut self) -> Option<(u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.stream.read_exact(&mut payload).await.ok()?;
        Some((head[3], u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload))
    }

    /// Reads until a frame of this kind, or the end.
    async fn until(&mut self, kind: u8) -> Option<(u32, Vec<u8>)> {
        loop {
            let (found, stream, payload) = self.next().await?;
            if found == kind {
                return Some((stream, payload));
            }
        }
    }

    /// With what error the box says goodbye, if it says so.
    async fn goodbye(&mut self) -> Option<u32> {
        let (_, payload) = self.until(GOAWAY).await?;
        Some(u32::from_be_bytes([payload[4], payload[5], payload[6], payload[7]]))
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_sent_over_http2_as_large_as_it_is() {
    let mut client = Client::at(Limits::default(), Some(50_000));
    client.send(&[hello(&[]), get(1)].concat()).await.unwrap();
    let mut bytes = 0;
    while bytes < 50_000 {
        let (stream, payload) = client.until(DATA).await.unwrap();
        assert_eq!(stream, 1);
        bytes += payload.len();
    }
    assert_eq!(bytes, 50_000);
}

#[tokio::test(start_paused = true)]
async fn who_opens_no_window_is_given_up_however_much_it_pings() {
    let mut client = Client::at(Limits::default(), Some(100_000));
    let begun = Instant::now();
    // SETTINGS_INITIAL_WINDOW_SIZE is 0.
    let asked: Vec<_> = (0..20).flat_map(|number| get(2 * number + 1)).collect();
    client.send(&[hello(&[(4, 0)]), asked].concat()).await.unwrap();
    let ends = loop {
        let ping = frame(PING, 0, 0, &[0; 8]);
        if client.send(&ping).await.is_err() || client.until(PING).await.is_none() {
            break begun.elapsed();
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    assert!((30..=31).contains(&ends.as_secs()), "{ends:?}");
    client.served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn answers_that_nobody_takes_have_so_much_room_and_others_hear_that_it_is_busy() {
    let limits = Limits { http_answers_bytes_max: 4 * 250_000, ..Limits::default() };
    let mut client = Client::at(limits, Some(100_000));
    let asked: Vec<_> = (0..3).flat_map(|number| get(2 * number + 1)).collect();
    client.send(&[hello(&[(4, 0)]), asked].concat()).await.unwrap();
    let mut heads = vec![];
    for _ in 0..3 {
        let (stream, head) = client.until(HEADERS).await.unwrap();
        // 0x88 is `:status: 200`; 503 is none of the table's and is written out.
        heads.push((stream, head[0] == 0x88));
    }
    heads.sort_unstable();
    assert_eq!(heads, [(1, true), (3, true), (5, false)]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_has_so_many_requests_at_a_time() {
    let mut client = Client::at(Limits { http_streams_max: 3, ..Limits::default() }, None);
    client.send(&hello(&[])).await.unwrap();
    // What it may have it learns from the box's first settings.
    client.until(SETTINGS).await.unwrap();
    client.send(&frame(SETTINGS, 1, 0, &[])).await.unwrap();
    let asked: Vec<_> = (0..4).flat_map(|number| get(2 * number + 1)).collect();
    client.send(&asked).await.unwrap();
    let (stream, why) = client.until(RST_STREAM).await.unwrap();
    assert_eq!((stream, why), (7, vec![0, 0, 0, 7]), "REFUSED_STREAM");
    assert_eq!(client.asked.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn who_asks_and_breaks_off_again_and_again_is_sent_away() {
    let mut client = Client::at(Limits::default(), None);
    client.send(&hello(&[])).await.unwrap();
    for number in 0..10_000 {
        let stream = 2 * number + 1;
        let both = [get(stream), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat();
        if client.send(&both).await.is_err() {
            break;
        }
    }
    assert_eq!(client.goodbye().await, Some(0xb), "ENHANCE_YOUR_CALM");
    client.served.await.unwrap();
    assert!(client.asked.load(Ordering::SeqCst) < 2_000);
}

#[tokio::test(start_paused = true)]
async fn headers_that_never_end_are_not_collected() {
    let mut client = Client::at(Limits::default(), Some(1));
    client.send(&[hello(&[]), frame(HEADERS, 1, 1, &GET)].concat()).await.unwrap();
    // `x: y`, written out.
    let more = frame(CONTINUATION, 0, 1, &[0, 1, b'x', 1, b'y'].repeat(200));
    client.send(&more.repeat(20)).await.ok();
    assert_eq!(client.goodbye().await, Some(0xb), "ENHANCE_YOUR_CALM");
    client.served.await.unwrap();
    assert_eq!(client.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn who_floods_with_settings_and_pings_and_reads_nothing_is_held_up_and_given_up() {
    for flood in [frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 9]), frame(PING, 0, 0, &[7; 8])] {
        let mut client = Client::at(Limits::default(), Some(1));
        client.send(&hello(&[])).await.unwrap();
        let (begun, mut bytes) = (Instant::now(), 0);
        while client.send(&flood).await.is_ok() {
            bytes += flood.len();
            assert!(bytes < 1_000_000, "it answers without being read");
        }
        client.served.await.unwrap();
        assert!(begun.elapsed() <= Duration::from_secs(91), "{:?}", begun.elapsed());
    }
}
