//! MQTT over TLS: 1.2 and newer, as rustls has it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::hub::Hub;
use crate::session;

/// Bytes that may wait inside TLS for a slow reader: one record. What waits outside is counted by
/// the session.
const WAITING_BYTES_MAX: usize = 16 * 1024;

/// Accepts until the broker closes.
pub(crate) async fn listen(hub: &Arc<Hub>, listener: TcpListener, config: Arc<ServerConfig>) {
    let acceptor = TlsAcceptor::from(config);
    while let Some((stream, peer)) = super::tcp::accept(hub, &listener).await {
        let connection = serve(Arc::clone(hub), acceptor.clone(), stream, peer);
        hub.tasks.spawn(connection);
    }
}

async fn serve(hub: Arc<Hub>, acceptor: TlsAcceptor, stream: TcpStream, peer: SocketAddr) {
    let Some(place) = hub.bounds.enter(peer) else {
        return tracing::debug!(%peer, "closed: too many connections");
    };
    let until = session::connect_by(&hub);
    // Both in boxes: a connection keeps neither the room of its handshake nor of its moves.
    let handshake = Box::pin(shake_hands(acceptor, stream, until));
    match hub.closing.run_until_cancelled(handshake).await {
        Some(Ok(stream)) => session::run_counted(hub, stream, peer, place, until).await,
        Some(Err(cause)) => tracing::debug!(%peer, %cause, "no TLS"),
        None => {}
    }
}

async fn shake_hands(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    until: Instant,
) -> io::Result<Box<TlsStream<TcpStream>>> {
    let bound = |tls: &mut rustls::ServerConnection| tls.set_buffer_limit(Some(WAITING_BYTES_MAX));
    let handshake = acceptor.accept_with(stream, bound);
    Ok(Box::new(timeout_at(until, handshake).await.map_err(io::Error::from)??))
}
