//! Until CONNECT is answered everything has its time, and nobody waits for anybody.

use std::time::Duration;

use super::support::house;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01r";

#[tokio::test(start_paused = true)]
async fn a_connect_that_does_not_come_or_does_not_end() {
    let house = house(|limits| limits.handshake_ms_max = 1_000);
    let mut client = house.client("a").await;
    for start in [&b""[..], b"\x10", &CONNECT[..14]] {
        let mut slow = house.stream(64, 1);
        slow.write_all(start).await.unwrap();
        let began = Instant::now();
        let mut answer = vec![];
        slow.read_to_end(&mut answer).await.unwrap();
        assert_eq!((answer, began.elapsed().as_millis()), (vec![], 1_000));
    }
    client.nothing().await;
    assert_eq!(house.broker.counts().connections, 1);
}

#[tokio::test(start_paused = true)]
async fn a_connect_in_small_pieces_has_no_more_time() {
    let house = house(|limits| limits.handshake_ms_max = 1_000);
    let mut slow = house.stream(64, 1);
    let mut written = 0;
    for byte in CONNECT {
        if slow.write_all(&[*byte]).await.is_err() {
            break;
        }
        written += 1;
        sleep(Duration::from_millis(150)).await;
    }
    assert!(written < 9, "{written} bytes were taken");
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_does_not_answer() {
    let house = house(|limits| limits.handshake_ms_max = 1_000);
    let ack = house.guest().hello("a", |c| c.username = Some("nobody knows".into())).await;
    assert_eq!(u8::from(ack.reason_code), 0x89);
    house.client("a").await;
}

#[tokio::test]
async fn silence_over_tcp_and_half_a_websocket_handshake() {
    let house = house(|limits| limits.handshake_ms_max = 50);
    for (ws, start) in [(false, ""), (true, ""), (true, "GET /mqtt HTTP/1.1\r\nHost: x\r\n")] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let broker = house.broker.clone();
        tokio::spawn(async move {
            if ws { broker.listen_ws(listener).await } else { broker.listen(listener).await }
        });
        let mut silent = TcpStream::connect(address).await.unwrap();
        silent.write_all(start.as_bytes()).await.unwrap();
        let mut answer = vec![];
        let end = silent.read_to_end(&mut answer);
        timeout(Duration::from_secs(30), end).await.expect("an end").unwrap();
        assert_eq!(answer, b"");
    }
    house.client("a").await.nothing().await;
}
