//! `hearth export`: what a member may read and what the box has of them, as a folder of plain
//! files, or as one sealed file. Neither has its name before it is complete.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use hearth_protocol::bytes::b64;
use hearth_protocol::ids::RoomId;
use hearth_protocol::sealing::Recipient;
use hearth_protocol::sealing::agefile::{SealedStream, open_from, seal_into};
use serde_json::{Value, json};

use super::Failure;
use super::member::{Setting, one_line};
use crate::member::Member;
use crate::member::export::{Exported, LeftOut, Sink};
use crate::member::rooms::RoomInfo;

/// `hearth export`
#[derive(ClapArgs)]
pub struct Args {
    /// The folder to make, or the file with --sealed; it must not be there.
    path: PathBuf,
    /// Make one age file, which your account's own key opens (--open).
    #[arg(long)]
    sealed: bool,
    /// Somebody else who can open the sealed file, with the program age (may be repeated).
    #[arg(long, value_name = "age1…", requires = "sealed")]
    to: Vec<Recipient>,
    /// Print the lines of a sealed export.
    #[arg(long, conflicts_with = "sealed")]
    open: bool,
}

/// Runs `hearth export`.
pub fn run(setting: &Setting, args: &Args) -> Result<(), Failure> {
    let mut member = Member::open(&setting.folder)?;
    if args.open {
        return open(&member, &args.path);
    }
    if args.path.try_exists()? {
        return Err(format!("{} is there already; give another name", args.path.display()).into());
    }
    let part = beside(&args.path);
    let exported = if args.sealed {
        let mut to = args.to.clone();
        to.push(member.identity().age.recipient());
        sealed(&mut member, &part, &to)
    } else {
        folder(&mut member, &part)
    };
    let exported = exported.and_then(|exported| {
        fs::rename(&part, &args.path)?;
        sync_folder(args.path.parent())?;
        Ok(exported)
    })?;
    tell(setting, &args.path, &exported);
    let left_out = exported.left_out.len();
    if left_out > 0 {
        return Err(format!("the export lacks {left_out} of your rooms, or a part of them").into());
    }
    Ok(())
}

/// What is in it, and what not.
fn tell(setting: &Setting, path: &Path, exported: &Exported) {
    let Exported { rooms, lines, unreadable, files, missing_files, left_out } = exported;
    if setting.json {
        let done = json!({
            "rooms": rooms,
            "lines": lines,
            "unreadable": unreadable,
            "files": files,
            "missing_files": missing_files,
            "left_out": left_out,
        });
        println!("{done}");
        return;
    }
    println!("{}: {rooms} rooms, {lines} lines, {files} files", path.display());
    if *unreadable > 0 {
        println!("{unreadable} of the lines did not open; each says why.");
    }
    if *missing_files > 0 {
        println!("{missing_files} more files are missing; the part `files` says why.");
    }
    for LeftOut { name, problem, .. } in left_out {
        println!("{} is not in it, or not whole: {problem}", one_line(name));
    }
}

/// A file or folder that is not complete.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    path.with_file_name(name)
}

fn sync_folder(folder: Option<&Path>) -> io::Result<()> {
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Prints what a sealed export holds, for who made it.
fn open(member: &Member, path: &Path) -> Result<(), Failure> {
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut lines = open_from("export", &member.identity().age, BufReader::new(file))?;
    io::copy(&mut lines, &mut io::stdout().lock())?;
    Ok(())
}

fn sealed(member: &mut Member, part: &Path, to: &[Recipient]) -> Result<Exported, Failure> {
    let file = BufWriter::new(new_file(part)?);
    let mut lines = Lines { out: seal_into("export", to, file)? };
    let exported = member.export(&mut lines)?;
    let file = lines.out.finish()?.into_inner().map_err(|error| error.into_error())?;
    file.sync_all()?;
    Ok(exported)
}

/// Bytes of a file on one line of a sealed export: a multiple of three, so that the texts of a
/// file, one after the other, are base64 again.
const PIECE_BYTES: usize = 48 * 1024;

/// One stream of lines: `{"part": NAME, "value": …}`, `{"room": ID, "line": …}`, and files in
/// pieces, `{"file": PATH, "base64": …}`.
struct Lines {
    out: SealedStream<BufWriter<File>>,
}

impl Lines {
    fn write(&mut self, line: &Value) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.out, line)?;
        Ok(self.out.write_all(b"\n")?)
    }
}

impl Sink for Lines {
    type Error = Failure;

    fn part(&mut self, name: &str, value: &Value) -> Result<(), Failure> {
        self.write(&json!({ "part": name, "value": value }))
    }

    fn line(&mut self, room: &RoomInfo, line: &Value) -> Result<(), Failure> {
        self.write(&json!({ "room": room.id, "line": line }))
    }

    fn file(&mut self, path: &str, bytes: &[u8]) -> Result<(), Failure> {
        if bytes.is_empty() {
            return self.write(&json!({ "file": path, "base64": "" }));
        }
        bytes
            .chunks(PIECE_BYTES)
            .try_for_each(|piece| self.write(&json!({ "file": path, "base64": b64(piece) })))
    }
}

fn folder(member: &mut Member, part: &Path) -> Result<Exported, Failure> {
    let make = |folder: &Path| DirBuilder::new().mode(0o700).create(folder);
    // Whatever has this name is not removed: it may be somebody's.
    make(part).map_err(|error| {
        let part = part.display();
        format!("cannot make {part}: {error}; if an export was interrupted, remove it first")
    })?;
    make(&part.join(ROOMS))?;
    make(&part.join(FILES))?;
    let mut files = Files { folder: part.to_path_buf(), open: None, names: HashMap::new() };
    let exported = member.export(&mut files)?;
    files.close()?;
    sync_folder(Some(&part.join(ROOMS)))?;
    sync_folder(Some(&part.join(FILES)))?;
    sync_folder(Some(part))?;
    Ok(exported)
}

/// The folder of rooms, a file of lines for each.
const ROOMS: &str = "rooms";
/// The folder of attachments: the beginning of their paths.
const FILES: &str = "files";

/// `NAME.json` for each part, `rooms/NAME.jsonl` for each room, `files/ID-NAME` for each
/// attachment.
struct Files {
    folder: PathBuf,
    open: Option<(RoomId, BufWriter<File>)>,
    /// How many rooms have this name.
    names: HashMap<String, usize>,
}

impl Files {
    /// Makes durable what was written of a room.
    fn close(&mut self) -> Result<(), Failure> {
        if let Some((_, file)) = self.open.take() {
            file.into_inner().map_err(|error| error.into_error())?.sync_all()?;
        }
        Ok(())
    }

    /// A room's name as the name of a file, which no other room of the export has.
    fn name(&mut self, room: &RoomInfo) -> String {
        let plain = |one: char| if one.is_alphanumeric() { one } else { '_' };
        let name: String = room.name.chars().map(plain).take(40).collect();
        let count = self.names.entry(name.to_lowercase()).or_default();
        *count += 1;
        match *count {
            1 => format!("{name}.jsonl"),
            more => format!("{name}~{more}.jsonl"),
        }
    }
}

impl Sink for Files {
    type Error = Failure;

    fn part(&mut self, name: &str, value: &Value) -> Result<(), Failure> {
        let mut file = new_file(&self.folder.join(format!("{name}.json")))?;
        serde_json::to_writer_pretty(&mut file, value)?;
        file.write_all(b"\n")?;
        Ok(file.sync_all()?)
    }

    fn line(&mut self, room: &RoomInfo, line: &Value) -> Result<(), Failure> {
        let file = match &mut self.open {
            Some((open, file)) if *open == room.id => file,
            _ => {
                self.close()?;
                let path = self.folder.join(ROOMS).join(self.name(room));
                &mut self.open.insert((room.id, BufWriter::new(new_file(&path)?))).1
            }
        };
        serde_json::to_writer(&mut *file, line)?;
        Ok(file.write_all(b"\n")?)
    }

    fn file(&mut self, path: &str, bytes: &[u8]) -> Result<(), Failure> {
        let mut file = new_file(&self.folder.join(path))?;
        file.write_all(bytes)?;
        Ok(file.sync_all()?)
    }
}
