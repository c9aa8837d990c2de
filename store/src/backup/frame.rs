//! What is inside the age file: a magic, a version, then frames, the last one a trailer.
//!
//! ```text
//! "hearth-backup\n" ‖ version u8 = 1 ‖ frame …
//! frame: kind u8 ‖ length u32 ‖ body             numbers are big-endian
//!   H  header: JSON {house, made_at, layout}
//!   R  row: length of the key u32 ‖ key ‖ value   in ascending order of keys
//!   F  a file begins: its name
//!   D  the next bytes of it
//!   G  a file that went while the backup was made: its name
//!   L  something that did not read: rows (no name), or the file of this name, as far as it came
//!   T  trailer: JSON {rows, files, gone, lost, sha256}; SHA-256 of all before this frame
//! ```
//! A file ends where another frame than `D` comes. Nothing follows the trailer.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What every backup begins with.
const MAGIC: &[u8; 14] = b"hearth-backup\n";
/// The version of the format.
pub(super) const VERSION: u8 = 1;
/// Bytes of a file in one frame.
pub(super) const DATA_BYTES: usize = 64 * 1024;
/// Bytes of a frame's body beyond a row's value: a key's length, a key, or any other frame.
const OTHER_BYTES_MAX: usize = 1024 * 1024;

/// What a backup says of itself at its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// What the house is called.
    pub house: String,
    /// When it was made, ms since 1970.
    pub made_at: u64,
    /// The layout of its rows.
    pub layout: u32,
}

/// What is in a backup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows of the database.
    pub rows: u64,
    /// Attachments.
    pub files: u64,
    /// Attachments that went while it was made.
    pub gone: u64,
    /// Stretches of rows, and attachments, that did not read and are not in it.
    pub lost: u64,
}

#[derive(Serialize, Deserialize)]
struct Trailer {
    #[serde(flatten)]
    counts: Counts,
    #[serde(with = "hearth_protocol::bytes::array")]
    sha256: [u8; 32],
}

/// A frame that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Row {
        key: Vec<u8>,
        value: Vec<u8>,
    },
    File(String),
    Data(Vec<u8>),
    Gone(String),
    /// The file of this name did not read to its end; without a name: rows that did not read.
    Lost(String),
    End(Counts),
}

/// Why a frame was not read.
#[derive(Debug)]
pub(super) enum Bad {
    /// It is no backup.
    Magic,
    /// It is one of a newer program.
    Newer(u8),
    /// It is not as it was written.
    Damaged(String),
}

fn damaged(what: impl ToString) -> Bad {
    Bad::Damaged(what.to_string())
}

/// Writes frames.
pub(super) struct Writer<W> {
    out: W,
    sha256: Sha256,
    pub counts: Counts,
}

impl<W: Write> Writer<W> {
    /// Begins a backup.
    pub fn new(out: W, header: &Header) -> io::Result<Self> {
        let mut writer = Self { out, sha256: Sha256::new(), counts: Counts::default() };
        writer.write(MAGIC)?;
        writer.write(&[VERSION])?;
        writer.frame(b'H', &[&serde_json::to_vec(header)?])?;
        Ok(writer)
    }

    /// The next row.
    pub fn row(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.counts.rows += 1;
        self.frame(b'R', &[&length(key.len())?, key, value])
    }

    /// A file begins.
    pub fn file(&mut self, name: &str) -> io::Result<()> {
        self.counts.files += 1;
        self.frame(b'F', &[name.as_bytes()])
    }

    /// Goes on with it.
    pub fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.frame(b'D', &[bytes])
    }

    /// A file that went.
    pub fn gone(&mut self, name: &str) -> io::Result<()> {
        self.counts.gone += 1;
        self.frame(b'G', &[name.as_bytes()])
    }

    /// Something that did not read.
    pub fn lost(&mut self, name: &str) -> io::Result<()> {
        self.counts.lost += 1;
        self.frame(b'L', &[name.as_bytes()])
    }

    /// The trailer; gives back what lies below.
    pub fn finish(mut self) -> io::Result<W> {
        let sha256 = self.sha256.clone().finalize().into();
        let trailer = Trailer { counts: self.counts, sha256 };
        self.frame(b'T', &[&serde_json::to_vec(&trailer)?])?;
        Ok(self.out)
    }

    fn frame(&mut self, kind: u8, parts: &[&[u8]]) -> io::Result<()> {
        self.write(&[kind])?;
        self.write(&length(parts.iter().map(|part| part.len()).sum())?)?;
        parts.iter().try_for_each(|part| self.write(part))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sha256.update(bytes);
        self.out.write_all(bytes)
    }
}

fn length(bytes: usize) -> io::Result<[u8; 4]> {
    Ok(u32::try_from(bytes).map_err(io::Error::other)?.to_be_bytes())
}

/// Reads frames.
pub(super) struct Reader<R> {
    from: R,
    sha256: Sha256,
    bytes_max: usize,
    last_key: Option<Vec<u8>>,
    counts: Counts,
}

impl<R: Read> Reader<R> {
    /// Begins to read; a row's value may have so many bytes.
    pub fn new(from: R, row_bytes_max: usize) -> Result<(Self, Header), Bad> {
        let bytes_max = row_bytes_max.saturating_add(OTHER_BYTES_MAX);
        let (sha256, counts) = (Sha256::new(), Counts::default());
        let mut reader = Self { from, sha256, bytes_max, last_key: None, counts };
        let mut start = [0; MAGIC.len()];
        let mut read = 0;
        while read < start.len() {
            match reader.from.read(&mut start[read..]).map_err(damaged)? {
                0 => return Err(Bad::Magic),
                more => read += more,
            }
        }
        if start != *MAGIC {
            return Err(Bad::Magic);
        }
        reader.sha256.update(start);
        match reader.read::<1>()? {
            [VERSION] => {}
            [newer] => return Err(Bad::Newer(newer)),
        }
        match reader.frame()? {
            (b'H', body) => Ok((reader, json(&body)?)),
            _ => Err(damaged("it has no header")),
        }
    }

    /// The next frame; after [`Frame::End`], which was checked, there is none.
    pub fn next(&mut self) -> Result<Frame, Bad> {
        let before = self.sha256.clone();
        let (kind, body) = self.frame()?;
        match kind {
            b'R' => self.row(body),
            b'F' => {
                self.counts.files += 1;
                text(body).map(Frame::File)
            }
            b'D' => Ok(Frame::Data(body)),
            b'G' => {
                self.counts.gone += 1;
                text(body).map(Frame::Gone)
            }
            b'L' => {
                self.counts.lost += 1;
                text(body).map(Frame::Lost)
            }
            b'T' => self.end(&body, before),
            kind => Err(damaged(format!("it has a frame of kind {kind}"))),
        }
    }

    fn row(&mut self, mut body: Vec<u8>) -> Result<Frame, Bad> {
        let cut = || damaged("a row ends too early");
        let (len, rest) = body.split_first_chunk::<4>().ok_or_else(cut)?;
        let len = usize::try_from(u32::from_be_bytes(*len)).map_err(damaged)?;
        let key = rest.get(..len).ok_or_else(cut)?.to_vec();
        body.drain(..4 + len);
        if self.last_key.as_ref().is_some_and(|last| *last >= key) {
            return Err(damaged("its rows are not in order"));
        }
        self.last_key = Some(key.clone());
        self.counts.rows += 1;
        Ok(Frame::Row { key, value: body })
    }

    fn end(&mut self, body: &[u8], before: Sha256) -> Result<Frame, Bad> {
        let trailer: Trailer = json(body)?;
        if <[u8; 32]>::from(before.finalize()) != trailer.sha256 || trailer.counts != self.counts {
            return Err(damaged("it is not what its end says"));
        }
        // age knows only now whether something was cut off.
        match self.from.read(&mut [0]).map_err(damaged)? {
            0 => Ok(Frame::End(trailer.counts)),
            _ => Err(damaged("something follows its end")),
        }
    }

    fn frame(&mut self) -> Result<(u8, Vec<u8>), Bad> {
        let [kind] = self.read::<1>()?;
        let len = u32::from_be_bytes(self.read::<4>()?);
        let len = usize::try_from(len).map_err(damaged)?;
        if len > self.bytes_max {
            return Err(damaged(format!(
                "a frame has {len} bytes, the most is {}",
                self.bytes_max
            )));
        }
        let mut body = vec![0; len];
        self.from.read_exact(&mut body).map_err(damaged)?;
        self.sha256.update(&body);
        Ok((kind, body))
    }

    fn read<const N: usize>(&mut self) -> Result<[u8; N], Bad> {
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes).map_err(damaged)?;
        self.sha256.update(bytes);
        Ok(bytes)
    }
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Bad> {
    serde_json::from_slice(body).map_err(damaged)
}

fn text(body: Vec<u8>) -> Result<String, Bad> {
    String::from_utf8(body).map_err(damaged)
}
