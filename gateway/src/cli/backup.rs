//! `hearth backup`: the whole house as one sealed file, while it runs or not.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf, absolute};
use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};
use hearth_protocol::limits::Limits;
use hearth_protocol::sealing::{AgeIdentity, Recipient, Secret};
use hearth_store::backup;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Failure, house, restore};
use crate::admin::{self, BackupReply, BackupRequest, Reply, Request};
use crate::backups::{BackupState, HAS_KEY};
use crate::clock::random;
use crate::config::Place;

/// How often the box is asked how far it is.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// `hearth backup`
#[derive(ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<BackupCommand>,
    /// The file to make; the last backup, if it has this name, is replaced when the new one is
    /// whole.
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// Somebody else who can open it, beside the house's own key (may be repeated).
    #[arg(long, value_name = "age1…")]
    to: Vec<Recipient>,
    /// Replace FILE although it is not the last backup: an older one, or any other age file.
    #[arg(long, conflicts_with = "check")]
    force: bool,
    /// Make none: read FILE to its end and say whether it is whole.
    #[arg(long, requires = "identity", conflicts_with = "to")]
    check: bool,
    /// The key that opens it, for --check; `-`: standard input.
    #[arg(long, value_name = "KEYFILE", requires = "check")]
    identity: Option<PathBuf>,
}

#[derive(Subcommand)]
enum BackupCommand {
    /// Make the key that opens this house's backups, once, into a file to keep elsewhere.
    Key {
        /// The file to make; without one the key is printed, to be written down.
        file: Option<PathBuf>,
        /// Make another key for the backups to come, although there is one.
        #[arg(long)]
        replace: bool,
    },
}

/// Runs `hearth backup`.
pub fn run(place: &Place, args: Args, json: bool) -> Result<(), Failure> {
    match (args.command, args.file) {
        (Some(BackupCommand::Key { file, replace }), _) => key(place, file, replace, json),
        (None, Some(file)) => match args.identity {
            Some(identity) => check(&file, &identity, json),
            None => make(place, &file, args.force, args.to, json),
        },
        (None, None) => Err("name the file to make".into()),
    }
}

fn make(
    place: &Place,
    file: &Path,
    force: bool,
    to: Vec<Recipient>,
    json: bool,
) -> Result<(), Failure> {
    let file = absolute(file)?;
    let start = BackupRequest::Start { file, force, data: absolute(&place.data)?, to };
    let asked = admin::ask(&place.admin_socket(), &Request::Backup { ask: start.clone() })?;
    let state = match asked {
        Some(reply) => follow(place, about(reply)?.state, json)?,
        None => house::on_the_store(place, async |app| {
            about(admin::handle(app, Request::Backup { ask: start }).await)?;
            Ok::<_, Failure>(app.backups.finished().await)
        })??,
    };
    match state {
        BackupState::Done { file, rows, files, gone, lost, bytes } if json => {
            let done = json!({ "file": file, "rows": rows, "files": files, "gone": gone,
                               "lost": lost, "bytes": bytes });
            println!("{done}");
            Ok(())
        }
        BackupState::Done { file, rows, files, gone, lost, bytes } => {
            println!("{}: {bytes} bytes, {rows} rows, {files} attachments", file.display());
            if gone > 0 {
                println!("{gone} attachments were removed while it was made.");
            }
            if lost > 0 {
                eprintln!("{}", lost_from(lost));
            }
            Ok(())
        }
        BackupState::Failed { why } => Err(why.into()),
        BackupState::None | BackupState::Running { .. } => {
            Err("the box stopped before the backup was whole; make it again".into())
        }
    }
}

/// Asks the running box until the backup is over.
fn follow(place: &Place, mut state: BackupState, json: bool) -> Result<BackupState, Failure> {
    let shown = io::stderr().is_terminal() && !json;
    while let BackupState::Running { rows, files } = state {
        if shown {
            eprint!("\r{rows} rows, {files} attachments");
        }
        std::thread::sleep(ASK_AGAIN);
        let ask = Request::Backup { ask: BackupRequest::State };
        let stopped = "the box stopped before the backup was whole; make it again";
        let reply = admin::ask(&place.admin_socket(), &ask).ok().flatten().ok_or(stopped)?;
        state = about(reply)?.state;
    }
    if shown {
        eprintln!();
    }
    Ok(state)
}

/// What a reply says about backups.
fn about(reply: Reply) -> Result<BackupReply, Failure> {
    match house::accepted(reply)? {
        Reply::Backup(reply) => Ok(*reply),
        _ => Err("the box answered something else; is it another version?".into()),
    }
}

fn key(place: &Place, file: Option<PathBuf>, replace: bool, json: bool) -> Result<(), Failure> {
    let identity = AgeIdentity::from_scalar(&Secret::from_bytes(random()))?;
    let recipient = identity.recipient();
    let text = Zeroizing::new(format!(
        "# Opens the backups of a Hearth (`hearth restore`, or `age -d`). Keep it away from the \
         box.\n# public key: {recipient}\n{}\n",
        identity.to_text().as_str()
    ));
    // Before the house knows of it: a key that is nowhere would open nothing.
    if let Some(file) = &file {
        keep(file, text.as_bytes()).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let ask = BackupRequest::SetKey { recipient, replace };
    let reply = house::reply(place, Request::Backup { ask });
    if matches!(&reply, Ok(Reply::Refused { code, .. }) if code == HAS_KEY) {
        if let Some(file) = &file {
            std::fs::remove_file(file)?;
        }
        return reply.and_then(house::accepted).map(drop);
    }
    match reply {
        Ok(Reply::Backup(_)) => {}
        // The house may have taken it all the same: without this key its backups open nowhere.
        other => {
            let why = match other.and_then(house::accepted) {
                Ok(_) => "the box answered something else".into(),
                Err(error) => error.to_string(),
            };
            if file.is_none() {
                println!("{}", identity.to_text().as_str());
            }
            let shown = file.as_ref().map_or("above".into(), |file| file.display().to_string());
            let hint = "keep it, and make another with `hearth backup key --replace`";
            return Err(format!("the new key ({shown}) is in force or not: {why}; {hint}").into());
        }
    }
    if json {
        let secret = file.is_none().then(|| identity.to_text());
        let secret = secret.as_ref().map(|secret| secret.as_str());
        println!("{}", json!({ "recipient": recipient, "file": file, "identity": secret }));
        return Ok(());
    }
    println!("Backups of this house are sealed to {recipient}.");
    match &file {
        Some(file) => println!("The key that opens them is in {}.", file.display()),
        None => println!("Only this key opens them:\n\n    {}\n", identity.to_text().as_str()),
    }
    println!(
        "It is nowhere else and cannot be shown again: print it or write it down, and keep it"
    );
    println!("away from this box. Without it no backup can be restored.");
    Ok(())
}

/// What is said of a backup that does not have everything.
pub(super) fn lost_from(lost: u64) -> String {
    format!(
        "{lost} places of the disk did not read, and what lay there is not in the backup: keep \
         earlier backups, and replace the disk"
    )
}

/// Makes a file for its owner only, which must not be there.
fn keep(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn check(file: &Path, identity: &Path, json: bool) -> Result<(), Failure> {
    let identity = read_identity(identity)?;
    let whole = backup::check(file, &identity, &Limits::default())?;
    if json {
        let counts = whole.counts;
        println!("{}", json!({ "house": whole.house, "made_at": whole.made_at, "counts": counts }));
    } else {
        let (file, counts) = (file.display(), whole.counts);
        let (rows, files) = (counts.rows, counts.files);
        println!("{file} is whole: {}, {rows} rows, {files} attachments", restore::name(&whole));
        if counts.lost > 0 {
            eprintln!("{}", lost_from(counts.lost));
        }
    }
    Ok(())
}

/// The first line AGE-SECRET-KEY-1… of a file, or of standard input.
pub fn read_identity(path: &Path) -> Result<AgeIdentity, Failure> {
    const MOST: u64 = 64 * 1024;
    let mut text = Zeroizing::new(String::new());
    let shown = path.display();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(MOST).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MOST).read_to_string(&mut text))
    };
    read.map_err(|error| format!("cannot read the key {shown}: {error}"))?;
    let mut lines = text.lines().map(str::trim);
    let line = lines.find(|line| line.starts_with("AGE-SECRET-KEY-1"));
    let line = line.ok_or_else(|| format!("{shown} has no line AGE-SECRET-KEY-1…"))?;
    Ok(line.parse().map_err(|error| format!("the key in {shown} is mistyped: {error}"))?)
}
