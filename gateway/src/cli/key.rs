//! `hearth key`: the ways to open the data. Works on the files, also while the appliance runs.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use hearth_protocol::limits::Limits;
use hearth_store::{Credential, Keys, NewWay, Opened, Passphrase, Way};
use serde_json::json;
use zeroize::Zeroizing;

use super::{Failure, passphrase};
use crate::config::Place;
use crate::thief;

/// `hearth key`
#[derive(Subcommand)]
pub enum KeyCommand {
    /// List the ways to open the data.
    List,
    /// Add a way to open the data.
    #[command(subcommand)]
    Add(AddCommand),
    /// Remove a way, when another one opens the data.
    Remove {
        /// Which.
        way: WayWord,
    },
    /// Change the passphrase. The data is not written anew.
    Passphrase {
        /// The new passphrase, as the first line of a file, or `-`: of standard input (after the
        /// old one, with `--passphrase-file -`).
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
}

/// `hearth key add`
#[derive(Subcommand)]
pub enum AddCommand {
    /// A passphrase: typed, or the first line of --passphrase-file.
    Passphrase,
    /// The key file of --key-file, by default DIR.key; made if it is not there.
    File,
    /// What systemd hands the service as hearth.key: an age identity or a line of text.
    Credential {
        /// A file with the same, or `-`; by default $CREDENTIALS_DIRECTORY/hearth.key.
        file: Option<PathBuf>,
    },
}

/// A way, as one says it.
#[derive(Clone, Copy, ValueEnum)]
pub enum WayWord {
    /// The passphrase.
    Passphrase,
    /// The key file.
    File,
    /// The systemd credential.
    Credential,
}

impl From<WayWord> for Way {
    fn from(word: WayWord) -> Self {
        match word {
            WayWord::Passphrase => Way::Passphrase,
            WayWord::File => Way::KeyFile,
            WayWord::Credential => Way::Credential,
        }
    }
}

/// Runs `hearth key`.
pub fn run(place: &Place, command: KeyCommand, json: bool) -> Result<(), Failure> {
    let limits = Limits::default();
    let keys = &place.keys;
    if keys.ways()?.is_empty() {
        let data = place.data.display();
        let remedy = "give the right --data, or start the box first (`hearth serve`)";
        return Err(format!("no key opens {data}: {remedy}").into());
    }
    match command {
        KeyCommand::List => return list(keys, json),
        KeyCommand::Add(command) => add(place, command, &limits)?,
        KeyCommand::Remove { way } => remove(place, way.into(), &limits)?,
        KeyCommand::Passphrase { new_passphrase_file } => {
            change(place, new_passphrase_file.as_deref(), &limits)?;
        }
    }
    println!("{}", thief::sentence(&thief::look(keys)?));
    Ok(())
}

fn list(keys: &Keys, json: bool) -> Result<(), Failure> {
    let ways = keys.ways()?;
    if json {
        let lines = ways.iter().map(|&way| json!({ "way": word(way), "file": keys.wrapped(way) }));
        println!("{}", json!({ "ways": lines.collect::<Vec<_>>() }));
        return Ok(());
    }
    for way in ways {
        let opener = match way {
            Way::KeyFile => keys.key_file.display().to_string(),
            Way::Passphrase => "what you type".to_string(),
            Way::Credential => "what systemd hands the service as hearth.key".to_string(),
        };
        println!("{:<10}  {} opens with {opener}", word(way), keys.wrapped(way).display());
    }
    Ok(())
}

/// What the command line calls a way.
fn word(way: Way) -> &'static str {
    match way {
        Way::Passphrase => "passphrase",
        Way::KeyFile => "file",
        Way::Credential => "credential",
    }
}

fn add(place: &Place, command: AddCommand, limits: &Limits) -> Result<(), Failure> {
    let mut place = place.clone();
    match command {
        AddCommand::Passphrase => {
            // The file holds the new one: it opens nothing yet.
            let file = place.passphrase_file.take();
            place.keys.only = place.keys.only.filter(|only| *only != Way::Passphrase);
            let opened = open(&place, limits)?;
            let new = passphrase::new(file.as_deref(), limits)?;
            place.keys.add(NewWay::Passphrase(&new), &opened, limits)?;
        }
        AddCommand::File => {
            place.keys.only = place.keys.only.filter(|only| *only != Way::KeyFile);
            let opened = open(&place, limits)?;
            place.keys.add(NewWay::KeyFile, &opened, limits)?;
            let key = place.keys.key_file.display();
            println!("{key} opens the data now; keep a copy in a safe place, away from the box");
        }
        AddCommand::Credential { file } => {
            let credential = credential(&place.keys, file.as_deref(), limits)?;
            let opened = open(&place, limits)?;
            place.keys.add(NewWay::Credential(&credential), &opened, limits)?;
        }
    }
    Ok(())
}

fn credential(keys: &Keys, file: Option<&Path>, limits: &Limits) -> Result<Credential, Failure> {
    let missing = "which credential? Give a file with what systemd will hand over as hearth.key, \
                   or `-`; `openssl rand -base64 32` makes one";
    match file.or(keys.credential.as_deref()) {
        None => Err(missing.into()),
        Some(file) if file == Path::new("-") => {
            let bytes_max = limits.key_file_bytes_max;
            let mut bytes = Zeroizing::new(Vec::with_capacity(bytes_max));
            let most = u64::try_from(bytes_max)?;
            std::io::stdin().lock().take(most).read_to_end(&mut bytes)?;
            Ok(Credential::parse(&bytes, Path::new("standard input"), limits)?)
        }
        Some(file) => Ok(Credential::read(file, limits)?),
    }
}

fn remove(place: &Place, way: Way, limits: &Limits) -> Result<(), Failure> {
    let attempt = |given: Option<&Passphrase>| place.keys.remove(way, given, limits);
    let opened = passphrase::open(place, limits, attempt)?;
    println!("{way} opens the data no more; {} does", opened.way);
    let rest = match way {
        Way::KeyFile => format!("destroy {} and its copies", place.keys.key_file.display()),
        Way::Passphrase => "do not use it elsewhere".to_string(),
        Way::Credential => "remove it from the unit and its store".to_string(),
    };
    println!("It still opens older copies and backups of the data folder: {rest}.");
    Ok(())
}

fn change(place: &Place, new_file: Option<&Path>, limits: &Limits) -> Result<(), Failure> {
    let opened = open(place, limits)?;
    let new = passphrase::new(new_file, limits)?;
    place.keys.change_passphrase(&new, &opened, limits)?;
    println!("changed; the old passphrase still opens older copies and backups of the data folder");
    Ok(())
}

fn open(place: &Place, limits: &Limits) -> Result<Opened, Failure> {
    passphrase::open(place, limits, |given| place.keys.open(given, limits))
}
