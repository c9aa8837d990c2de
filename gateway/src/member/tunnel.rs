//! MQTT over TLS for a client library without TLS (rumqttc): it talks to a socket in the profile
//! folder, which is its person's alone, and behind that the bytes go on over TLS. rumqttc's own TLS
//! brings a second reader of certificates with it (decision 0042).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use hearth_protocol::bytes::b64u;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpStream, UnixListener};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::MemberError;
use super::mqtt::Address;
use super::trust::Trust;
use crate::clock::random;

/// How long the box and the library have to connect.
const WITHIN: Duration = Duration::from_secs(15);

/// One way to the box, used by one connection.
struct Tunnel {
    socket: PathBuf,
    host: String,
    port: u16,
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
}

/// Connects to the box; the socket at which one connection goes on to it.
pub fn open(folder: &Path, address: &Address, trust: &Trust) -> Result<PathBuf, MemberError> {
    let failed = |problem: String| MemberError::Mqtt { address: address.to_string(), problem };
    let host = address.host.trim_matches(['[', ']']).to_string();
    let name = ServerName::try_from(host.clone()).map_err(|error| failed(error.to_string()))?;
    let socket = folder.join(format!("mqtt-{}.sock", b64u(&random::<6>())));
    let config = trust.config()?;
    let tunnel = Tunnel { socket: socket.clone(), host, port: address.port, name, config };
    let (ready, opened) = channel();
    let carry = move || tunnel.carry(&ready);
    thread::Builder::new()
        .name("mqtt-tls".into())
        .spawn(carry)
        .map_err(|e| failed(e.to_string()))?;
    let opened = opened.recv().map_err(|_ended| failed("the connection was not made".into()))?;
    opened.map_err(|error| failed(error.to_string()))?;
    Ok(socket)
}

impl Tunnel {
    /// Until one of the two ends: the thread ends with its connection.
    fn carry(self, ready: &Sender<io::Result<()>>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let ended = runtime.and_then(|runtime| runtime.block_on(self.connect(ready)));
        // Who is told of it waits only until the connection stands; later the library notices.
        if ready.send(ended).is_err() {
            tracing::debug!("MQTT over TLS ended");
        }
    }

    async fn connect(self, ready: &Sender<io::Result<()>>) -> io::Result<()> {
        let late = |_| io::Error::from(io::ErrorKind::TimedOut);
        let to_box = async {
            let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
            TlsConnector::from(self.config).connect(self.name, stream).await
        };
        let mut to_box = timeout(WITHIN, to_box).await.map_err(late).flatten()?;
        let listener = UnixListener::bind(&self.socket)?;
        ready.send(Ok(())).map_err(io::Error::other)?;
        let accepted = timeout(WITHIN, listener.accept()).await.map_err(late).flatten();
        fs::remove_file(&self.socket)?;
        let (mut library, _) = accepted?;
        copy_bidirectional(&mut library, &mut to_box).await.map(drop)
    }
}
