//! TCP: a silent peer delays nobody, and a stop ends the accept loop.

use super::support::house;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn a_peer_that_says_nothing_delays_nobody() {
    let house = house(|_| {});
    for ws in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let broker = house.broker.clone();
        tokio::spawn(async move {
            if ws { broker.listen_ws(listener).await } else { broker.listen(listener).await }
        });
        let _silent = TcpStream::connect(address).await.unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let hello: &[u8] = if ws {
            b"GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
              Sec-WebSocket-Protocol: mqtt\r\n\r\n"
        } else {
            b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01r"
        };
        stream.write_all(hello).await.unwrap();
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, if ws { b"HTTP" } else { b"\x20\x02\x00\x00" });
    }
}

#[tokio::test]
async fn a_stop_ends_the_accept_loop() {
    let house = house(|_| {});
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let broker = house.broker.clone();
    let listening = tokio::spawn(async move { broker.listen(listener).await });
    house.broker.shutdown().await;
    listening.await.unwrap();
}
