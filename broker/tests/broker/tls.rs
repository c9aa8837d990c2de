//! MQTT over TLS: handshakes hold up nobody, and the last packet arrives as it does in clear.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hearth_broker::Reason;
use hearth_protocol::limits::Limits;
use hearth_protocol::principal::Account;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::support::{House, PATIENCE, house};

const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01r";
const CONNECT_5: &[u8] = b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01s";
const CONNACK: &[u8] = b"\x20\x02\x00\x00";

/// A listener of a house, with the certificate that its clients trust.
struct Door {
    address: SocketAddr,
    certificate: CertificateDer<'static>,
}

async fn listen(house: &House) -> Door {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_string()]).unwrap();
    let certificate = cert.der().clone();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let broker = house.broker.clone();
    tokio::spawn(async move { broker.listen_tls(listener, Arc::new(config)).await });
    Door { address, certificate }
}

/// A connection to a house over TLS.
pub async fn stream(house: &House) -> TlsStream<TcpStream> {
    listen(house).await.connect(&TLS13).await
}

impl Door {
    async fn connect(&self, version: &'static SupportedProtocolVersion) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let config = ClientConfig::builder_with_protocol_versions(&[version])
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
        timeout(PATIENCE, handshake).await.expect("a handshake in time").unwrap()
    }

    /// A client of MQTT 3.1.1 that was welcomed.
    async fn enter(&self) -> TlsStream<TcpStream> {
        let mut stream = self.connect(&TLS13).await;
        stream.write_all(CONNECT).await.unwrap();
        assert_eq!(read(&mut stream, CONNACK.len()).await, CONNACK);
        stream
    }
}

async fn read(stream: &mut TlsStream<TcpStream>, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    timeout(PATIENCE, stream.read_exact(&mut bytes)).await.expect("bytes in time").unwrap();
    bytes
}

/// All that comes until the broker says by close_notify that nothing more does: a stream that is
/// only cut off is an error.
async fn rest(stream: &mut TlsStream<TcpStream>) -> io::Result<Vec<u8>> {
    let mut bytes = vec![];
    timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("an end in time")?;
    Ok(bytes)
}

#[tokio::test]
async fn a_publish_arrives_over_either_version_of_tls() {
    let house = house(|_| {});
    let door = listen(&house).await;
    let mut reader = house.client("reader").await;
    reader.subscribe("t", 0).await;
    for version in [&TLS12, &TLS13] {
        let mut stream = door.connect(version).await;
        stream.write_all(CONNECT).await.unwrap();
        stream.write_all(b"\x32\x08\x00\x01t\x00\x01hey").await.unwrap();
        assert_eq!(read(&mut stream, 8).await, [CONNACK, b"\x40\x02\x00\x01"].concat());
        assert_eq!(reader.take().await, "hey");
    }
}

#[tokio::test]
async fn a_large_message_comes_whole_to_a_reader_that_starts_late() {
    let house = house(|_| {});
    let door = listen(&house).await;
    let mut stream = door.enter().await;
    stream.write_all(b"\x82\x06\x00\x01\x00\x01t\x00").await.unwrap();
    read(&mut stream, 5).await;
    let payload = "x".repeat(100_000);
    let mut writer = house.client("writer").await;
    for _ in 0..30 {
        writer.publish("t", &payload).await;
    }
    for _ in 0..30 {
        let packet = read(&mut stream, 1 + 3 + 3 + payload.len()).await;
        assert_eq!(&packet[4..7], b"\x00\x01t");
        assert!(packet[7..].iter().all(|byte| *byte == b'x'));
    }
}

#[tokio::test]
async fn a_peer_that_says_nothing_delays_nobody_and_is_closed_in_time() {
    let house = house(|_| {});
    let door = listen(&house).await;
    let mut silent = TcpStream::connect(door.address).await.unwrap();
    let mut slow = door.connect(&TLS13).await;
    door.enter().await;
    // Only now is their time over, however long the others took.
    let limit_ms = u64::try_from(Limits::default().handshake_ms_max).unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(limit_ms)).await;
    tokio::time::resume();
    let mut nothing = vec![];
    let ended = timeout(PATIENCE, silent.read_to_end(&mut nothing)).await;
    ended.expect("the silent peer is closed").unwrap();
    // TLS alone is no CONNECT: both together have that time.
    assert!(rest(&mut slow).await.is_err(), "closed without a word");
}

#[tokio::test]
async fn what_is_no_tls_ends_its_own_connection_only() {
    let house = house(|_| {});
    let door = listen(&house).await;
    let inside = door.enter().await;
    for noise in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], CONNECT, b"\x16\x03\x01\x00\x05\x01\xff\xff\xff\xff"]
    {
        let mut stream = TcpStream::connect(door.address).await.unwrap();
        stream.write_all(noise).await.unwrap();
        let mut answer = vec![];
        // Closed with bytes unread, it may be a reset.
        drop(timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an end in time"));
        assert!(answer.is_empty() || answer[0] == 0x15, "an alert or nothing: {answer:?}");
    }
    let mut again = door.enter().await;
    again.write_all(b"\xc0\x00").await.unwrap();
    assert_eq!(read(&mut again, 2).await, b"\xd0\x00");
    drop(inside);
}

#[tokio::test]
async fn the_reason_of_a_refusal_and_of_an_end_arrives_before_close_notify() {
    let house = house(|limits| limits.connections_max = 1);
    let door = listen(&house).await;
    let mut stream = door.connect(&TLS13).await;
    stream.write_all(CONNECT_5).await.unwrap();
    assert_eq!(read(&mut stream, 4).await[3], 0);
    let mut refused = door.connect(&TLS13).await;
    // What follows CONNECT is not read by anyone: it must not turn the answer into a reset.
    refused.write_all(&[CONNECT, &[0xC0, 0].repeat(1_000)[..]].concat()).await.unwrap();
    assert_eq!(rest(&mut refused).await.unwrap(), b"\x20\x02\x00\x03");
    house.broker.disconnect(&Account::Local("anyone".into()), Reason::NotAuthorized);
    let last = rest(&mut stream).await.unwrap();
    assert_eq!(last[last.len() - 4..last.len() - 1], *b"\xe0\x02\x87", "{last:?}");
}

#[tokio::test]
async fn a_stop_ends_the_accept_loop_and_handshakes_under_way() {
    let house = house(|_| {});
    let door = listen(&house).await;
    let mut silent = TcpStream::connect(door.address).await.unwrap();
    door.enter().await;
    timeout(PATIENCE, house.broker.shutdown()).await.expect("nobody is waited for");
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0);
}
