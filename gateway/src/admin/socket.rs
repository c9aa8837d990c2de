//! `DIR/admin.sock`: one request and one reply, each a line of JSON, per connection.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::{Reply, Request, handle};
use crate::app::App;

/// How long one command may take, its Argon2 and its waiting included.
pub(super) const ANSWERED_WITHIN: Duration = Duration::from_secs(30);
/// Bytes of a request or a reply.
const LINE_BYTES_MAX: u64 = 1024 * 1024;
/// Bytes that a request with a password is not longer than.
const REQUEST_BYTES: usize = 8 * 1024;

/// The socket of a running appliance, for its owner only.
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Makes the socket; one that a killed appliance left is replaced (the store's lock says that
    /// nobody else is running).
    pub fn bind(path: &Path) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path: path.to_path_buf() })
    }

    /// The next connection.
    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        Ok(self.listener.accept().await?.0)
    }

    /// Takes the socket away again.
    pub fn remove(&self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "the admin socket was gone already");
        }
    }

    /// Answers one request per connection until `stop` turns true.
    pub async fn serve(self, app: Arc<App>, mut stop: watch::Receiver<bool>) {
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let answered = match accepted {
                Ok((stream, _)) => tokio::select! {
                    answered = timeout(ANSWERED_WITHIN, talk(stream, &app)) => answered,
                    _ = stop.wait_for(|stop| *stop) => break,
                },
                Err(error) => Ok(Err(error)),
            };
            match answered {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "a box command was not answered"),
                Err(_) => tracing::warn!("a box command took too long"),
            }
        }
        self.remove();
    }
}

async fn talk(stream: UnixStream, app: &App) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    tokio::io::BufReader::new(read.take(LINE_BYTES_MAX)).read_line(&mut line).await?;
    let reply = handle(app, serde_json::from_str(&line)?).await;
    write.write_all(&serde_json::to_vec(&reply)?).await?;
    write.write_all(b"\n").await
}

/// Asks a running appliance; `None` if none runs on this data folder.
pub fn ask(socket: &Path, request: &Request) -> io::Result<Option<Reply>> {
    let stream = match BlockingStream::connect(socket) {
        Ok(stream) => stream,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    // In one piece that is wiped: it may hold a password.
    let mut line = Zeroizing::new(Vec::with_capacity(REQUEST_BYTES));
    serde_json::to_writer(&mut *line, request)?;
    line.push(b'\n');
    (&stream).write_all(&line)?;
    let mut reply = String::new();
    BufReader::new(stream).read_line(&mut reply)?;
    Ok(Some(serde_json::from_str(&reply)?))
}
