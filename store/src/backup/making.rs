//! Makes a backup of a store while others write to it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hearth_protocol::sealing::Recipient;
use hearth_protocol::sealing::agefile::{SealedStream, seal_into};
use rustix::fs::OFlags;
use tokio::runtime::Handle;

use super::attachments;
use super::error::{BackupError, io_error};
use super::frame::{Counts, DATA_BYTES, Header, Writer};
use super::reading::{Read as Next, Rows};
use crate::attachments::FILES_FOLDER;
use crate::disk::sync_folder_of;
use crate::engine::{Range, Snapshot, after};
use crate::house::House;
use crate::store::Store;
use crate::{keys, migrate, record};

/// How an age file begins.
const AGE: &[u8] = b"age-encryption.org/v1\n";

/// What backup to make.
#[derive(Debug, Clone)]
pub struct Making {
    /// The file: a new name, or that of an earlier backup, which stays until this one is whole.
    pub file: PathBuf,
    /// Whether an age file of this name is replaced, whatever is in it; else only one as long as
    /// the last backup that the house noted.
    pub force: bool,
    /// Whose secret halves open it.
    pub to: Vec<Recipient>,
    /// The data folder, for what lies beside the database.
    pub data: PathBuf,
    /// The clock, ms since 1970.
    pub made_at: u64,
}

/// A backup that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// What is in it.
    pub counts: Counts,
    /// How long the file is.
    pub bytes: u64,
}

/// How far one is, and whether to give up: looked at and set while it is made.
#[derive(Debug, Default)]
pub struct Progress {
    rows: AtomicU64,
    files: AtomicU64,
    stop: AtomicBool,
}

impl Progress {
    /// Rows and files so far.
    pub fn so_far(&self) -> (u64, u64) {
        (self.rows.load(Ordering::Relaxed), self.files.load(Ordering::Relaxed))
    }

    /// Makes it give up.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn told(&self, counts: Counts) -> Result<(), BackupError> {
        self.rows.store(counts.rows, Ordering::Relaxed);
        self.files.store(counts.files, Ordering::Relaxed);
        if self.stop.load(Ordering::Relaxed) { Err(BackupError::Stopped) } else { Ok(()) }
    }
}

type Out = Writer<SealedStream<BufWriter<File>>>;

impl Store {
    /// Makes a backup of all rows as of now and of the attachments. Blocks: for a thread of a
    /// runtime that may (`spawn_blocking`).
    pub fn back_up(&self, making: &Making, progress: &Progress) -> Result<Made, BackupError> {
        if making.to.is_empty() {
            return Err(BackupError::NoRecipient);
        }
        let runtime = Handle::current();
        let last_bytes = runtime.block_on(self.backup_plan())?.last_bytes;
        refuse_taken(making, last_bytes)?;
        let part = Part::new(&making.file)?;
        let mut snapshot = runtime.block_on(self.engine().snapshot())?;
        let header = runtime.block_on(header(&mut *snapshot, making.made_at))?;
        let file = part.file.try_clone().map_err(io_error(&part.path, "written"))?;
        let sealed = seal_into("backup", &making.to, BufWriter::new(file));
        let sealed = sealed.map_err(BackupError::Sealing)?;
        let write = |done| io_error(&part.path, done);
        let mut out = Writer::new(sealed, &header).map_err(write("written"))?;
        let max = self.limits().backup_row_bytes_max;
        let mut all = Rows::of(snapshot);
        loop {
            progress.told(out.counts)?;
            let rows = match runtime.block_on(all.next())? {
                Next::Rows(rows) => rows,
                Next::Lost => {
                    out.lost("").map_err(write("written"))?;
                    continue;
                }
                Next::End => break,
            };
            for (key, value) in rows {
                if value.len() > max {
                    return Err(BackupError::RowTooLarge { bytes: value.len(), max });
                }
                out.row(&key, &value).map_err(write("written"))?;
            }
        }
        drop(all);
        add_files(&mut out, &part, &making.data, progress)?;
        let counts = out.counts;
        let done = || out.finish()?.finish()?.into_inner().map_err(|error| error.into_error());
        done().map_err(write("written"))?;
        let bytes = part.keep(&making.file)?;
        Ok(Made { counts, bytes })
    }
}

async fn header(snapshot: &mut dyn Snapshot, made_at: u64) -> Result<Header, BackupError> {
    let key = keys::house();
    let house = Range { start: key.clone(), end: Some(after(&key)) };
    let house = match snapshot.rows(house, 1).await?.pop() {
        Some((_, value)) => record::decode::<House>("house", &value)?.name,
        None => String::new(),
    };
    Ok(Header { house, made_at, layout: migrate::LAYOUT })
}

fn add_files(
    out: &mut Out,
    part: &Part,
    data: &Path,
    progress: &Progress,
) -> Result<(), BackupError> {
    let folder = data.join(FILES_FOLDER);
    for name in attachments::names(&folder).map_err(io_error(&folder, "listed"))? {
        let name = name.map_err(io_error(&folder, "listed"))?;
        let path = attachments::path(data, &name);
        let write = || io_error(&part.path, "written");
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                out.gone(&name).map_err(write())?;
                continue;
            }
            Err(error) => {
                tracing::error!(%error, name, "an attachment does not read and is left out");
                out.lost(&name).map_err(write())?;
                continue;
            }
        };
        out.file(&name).map_err(write())?;
        let mut buffer = vec![0; DATA_BYTES];
        loop {
            progress.told(out.counts)?;
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => out.data(&buffer[..read]).map_err(write())?,
                Err(error) => {
                    tracing::error!(%error, name, "an attachment does not read to its end");
                    out.lost(&name).map_err(write())?;
                    break;
                }
            }
        }
    }
    Ok(())
}

/// This house's last backup may be replaced, nothing else unasked. What is in an age file nobody
/// knows without its key: a backup is known by its length, to the byte.
fn refuse_taken(making: &Making, last_bytes: u64) -> Result<(), BackupError> {
    let path = &making.file;
    let mut start = [0; AGE.len()];
    let mut look = || {
        let mut file = File::open(path)?;
        file.read_exact(&mut start)?;
        file.metadata()
    };
    match look() {
        Ok(_) if start != *AGE => Err(BackupError::Taken(path.clone())),
        Ok(file) if making.force || file.len() == last_bytes => Ok(()),
        Ok(_) => Err(BackupError::NotTheLast(path.clone())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(_) => Err(BackupError::Taken(path.clone())),
    }
}

/// A file that has not got its name yet; removed when it does not get that far.
struct Part {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl Part {
    fn new(path: &Path) -> Result<Self, BackupError> {
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(".part");
        let path = path.with_file_name(name);
        // A link there could lead to a file that is not to be written over.
        let no_link = OFlags::NOFOLLOW.bits().cast_signed();
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600).custom_flags(no_link);
        let open = || {
            let file = options.open(&path)?;
            // Nobody else's half-made one is written over.
            file.try_lock()?;
            file.set_len(0)?;
            Ok(file)
        };
        let file = open().map_err(io_error(&path, "made"))?;
        Ok(Self { path, file, kept: false })
    }

    /// Makes it durable, then gives it its name; how long it is.
    fn keep(mut self, name: &Path) -> Result<u64, BackupError> {
        let kept = || {
            (&self.file).flush()?;
            self.file.sync_all()?;
            let bytes = self.file.metadata()?.len();
            fs::rename(&self.path, name)?;
            sync_folder_of(name)?;
            Ok(bytes)
        };
        let bytes = kept().map_err(io_error(name, "made"))?;
        self.kept = true;
        Ok(bytes)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::debug!(%error, "a half-made backup stays; its name says what it is");
        }
    }
}
