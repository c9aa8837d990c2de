//! MQTT over TCP.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use crate::hub::Hub;
use crate::session;

/// After an accept that failed (no file descriptors left), others need time to close theirs.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts until the broker closes. Handshakes are awaited elsewhere.
pub(crate) async fn listen(hub: &Arc<Hub>, listener: TcpListener) {
    while let Some((stream, peer)) = accept(hub, &listener).await {
        hub.tasks.spawn(session::run(Arc::clone(hub), stream, peer));
    }
}

/// The next connection; `None` when the broker closes.
pub(crate) async fn accept(
    hub: &Arc<Hub>,
    listener: &TcpListener,
) -> Option<(TcpStream, SocketAddr)> {
    loop {
        let accepted = hub.closing.run_until_cancelled(listener.accept()).await?;
        match accepted.and_then(prepare) {
            Ok(connection) => return Some(connection),
            Err(cause) => {
                tracing::warn!(%cause, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn prepare((stream, peer): (TcpStream, SocketAddr)) -> io::Result<(TcpStream, SocketAddr)> {
    stream.set_nodelay(true)?;
    Ok((stream, peer))
}
