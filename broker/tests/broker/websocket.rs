//! MQTT over WebSocket, however the bytes are cut into frames (MQTT 5 §6).

use std::future::ready;
use std::io;

use futures_util::{SinkExt, StreamExt};
use hearth_broker::ws::Frames;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::support::{House, house};

const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01r";
const CONNACK: &[u8] = b"\x20\x02\x00\x00";
const PING: &[u8] = b"\xc0\x00";
const PONG: &[u8] = b"\xd0\x00";

async fn open(
    house: &House,
    protocol: Option<&str>,
) -> Result<WebSocketStream<TcpStream>, tokio_tungstenite::tungstenite::Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let broker = house.broker.clone();
    tokio::spawn(async move { broker.listen_ws(listener).await });
    let mut request = format!("ws://{address}/mqtt").into_client_request().unwrap();
    if let Some(protocol) = protocol {
        request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
    }
    let stream = TcpStream::connect(address).await.unwrap();
    let (socket, response) = client_async(request, stream).await?;
    assert_eq!(response.headers()["sec-websocket-protocol"], "mqtt");
    Ok(socket)
}

/// A connection to a house over WebSocket, as bytes.
pub async fn stream(house: &House) -> impl AsyncRead + AsyncWrite + Unpin + Send + 'static {
    let socket = open(house, Some("mqtt")).await.unwrap();
    let frames = socket.filter_map(|message| {
        ready(match message {
            Ok(Message::Binary(bytes)) => Some(Ok(bytes)),
            Ok(_) => None,
            Err(cause) => Some(Err(io::Error::other(cause))),
        })
    });
    let frames = frames
        .sink_map_err(io::Error::other)
        .with(|bytes| ready(Ok::<_, io::Error>(Message::Binary(bytes))));
    Frames::new(frames)
}

/// So many bytes, from as many binary frames as they come in.
async fn read(socket: &mut WebSocketStream<TcpStream>, count: usize) -> Vec<u8> {
    let mut bytes = vec![];
    while bytes.len() < count {
        match socket.next().await.unwrap().unwrap() {
            Message::Binary(frame) => bytes.extend(frame),
            other => panic!("{other:?}"),
        }
    }
    bytes
}

#[tokio::test]
async fn frames_may_cut_packets_anywhere() {
    let house = house(|_| {});
    let stream = [CONNECT, PING, PING, PING].concat();
    for cut in [1, 2, 5, stream.len()] {
        let mut socket = open(&house, Some("other, mqtt")).await.unwrap();
        for piece in stream.chunks(cut) {
            socket.send(Message::Binary(piece.to_vec().into())).await.unwrap();
            socket.send(Message::Binary(vec![].into())).await.unwrap();
        }
        let expected = [CONNACK, PONG, PONG, PONG].concat();
        assert_eq!(read(&mut socket, expected.len()).await, expected);
    }
}

#[tokio::test]
async fn the_subprotocol_is_mqtt_and_nothing_else() {
    let house = house(|_| {});
    for protocol in [None, Some("chat")] {
        assert!(open(&house, protocol).await.is_err());
    }
}

#[tokio::test]
async fn text_is_refused_and_a_websocket_ping_answered() {
    let house = house(|_| {});
    let mut socket = open(&house, Some("mqtt")).await.unwrap();
    socket.send(Message::Binary(CONNECT.to_vec().into())).await.unwrap();
    assert_eq!(read(&mut socket, CONNACK.len()).await, CONNACK);
    socket.send(Message::Ping(b"there?".to_vec().into())).await.unwrap();
    socket.send(Message::Binary(PING.to_vec().into())).await.unwrap();
    let (mut pong, mut answer) = (false, false);
    while !(pong && answer) {
        match socket.next().await.unwrap().unwrap() {
            Message::Pong(_) => pong = true,
            Message::Binary(bytes) => answer = bytes == PONG,
            other => panic!("{other:?}"),
        }
    }
    socket.send(Message::Text("hello".into())).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        assert!(message.is_close(), "{message:?}");
    }
}
