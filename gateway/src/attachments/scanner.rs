//! A virus scanner beside the box: clamd, asked by `INSTREAM` (clamd(8)) while an upload comes.
//!
//! Where a scanner is set and does not answer, nothing is taken: what nobody looked at is not
//! stored.

use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use hearth_protocol::limits::{Limits, wide};
use hearth_protocol::refusal::Kind;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use crate::error::ApiError;

/// Bytes of an answer: a line with the name of what was found.
const ANSWER_BYTES_MAX: u64 = 4 * 1024;
/// Characters of what was found that are kept.
const NAME_CHARS_MAX: usize = 200;

/// Where clamd listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanner {
    /// `HOST:PORT`.
    Tcp(String),
    /// A socket's file.
    Unix(PathBuf),
}

impl FromStr for Scanner {
    type Err = Infallible;

    /// What holds a slash is a path.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.contains('/') {
            true => Scanner::Unix(text.into()),
            false => Scanner::Tcp(text.to_string()),
        })
    }
}

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// An upload that is being looked at.
pub(super) struct Scan {
    wire: Box<dyn Wire>,
    within: Duration,
}

impl Scanner {
    /// Begins to look at something.
    pub(super) async fn begin(&self, limits: &Limits) -> Result<Scan, ApiError> {
        let within = Duration::from_millis(wide(limits.scan_ms_max));
        let connect = async {
            let mut wire: Box<dyn Wire> = match self {
                Scanner::Tcp(address) => Box::new(TcpStream::connect(address.as_str()).await?),
                Scanner::Unix(path) => Box::new(UnixStream::connect(path).await?),
            };
            wire.write_all(b"zINSTREAM\0").await?;
            Ok(wire)
        };
        Ok(Scan { wire: timely(within, connect).await?, within })
    }
}

impl Scan {
    /// Shows it the next bytes.
    pub async fn see(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        // A piece of no bytes would be the end.
        if bytes.is_empty() {
            return Ok(());
        }
        let length = u32::try_from(bytes.len()).map_err(|error| away(&error.to_string()))?;
        let wire = &mut self.wire;
        timely(self.within, async {
            wire.write_all(&length.to_be_bytes()).await?;
            wire.write_all(bytes).await
        })
        .await
    }

    /// What it found in all of it, if anything.
    pub async fn end(mut self) -> Result<Option<String>, ApiError> {
        let wire = &mut self.wire;
        let mut answer = vec![];
        timely(self.within, async {
            wire.write_all(&[0; 4]).await?;
            wire.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await
        })
        .await?;
        let answer = String::from_utf8_lossy(&answer);
        let answer = answer.trim_end_matches('\0').trim();
        let said = answer.strip_prefix("stream:").map(str::trim);
        match said {
            Some("OK") => Ok(None),
            Some(said) if said.ends_with(" FOUND") => {
                let name = said.trim_end_matches("FOUND").trim();
                let name = name.chars().filter(|letter| !letter.is_control());
                Ok(Some(name.take(NAME_CHARS_MAX).collect()))
            }
            _ => Err(away(answer)),
        }
    }
}

async fn timely<T>(
    within: Duration,
    work: impl Future<Output = io::Result<T>>,
) -> Result<T, ApiError> {
    match tokio::time::timeout(within, work).await {
        Ok(done) => done.map_err(|error| away(&error.to_string())),
        Err(_elapsed) => Err(away("it took too long")),
    }
}

fn away(why: &str) -> ApiError {
    tracing::warn!(why, "clamd did not look at an upload, which was refused");
    let message = "the virus scanner of this house does not answer; nothing is taken meanwhile";
    ApiError::new(Kind::Unavailable, "scanner_unavailable", message)
        .hint("try again later; who runs the house finds why in the box's log")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_a_slash_is_a_path() {
        let address = |text: &str| text.parse::<Scanner>();
        assert_eq!(address("localhost:3310"), Ok(Scanner::Tcp("localhost:3310".into())));
        let path = "/run/clamav/clamd.ctl";
        assert_eq!(address(path), Ok(Scanner::Unix(path.into())));
    }
}
