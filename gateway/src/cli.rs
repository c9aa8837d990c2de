//! The `hearth` command: parses, runs, prints what went wrong and what to do (design §8).
//!
//! - [`serve`]: runs the appliance
//! - [`house`], [`addresses`]: box commands: `user`, `house`, `room`, `device`, `grant`, `ca`
//! - [`member`]: member commands: `login`, `send`, `tail`, `invite`, `device` in sealed rooms
//! - [`pairing`]: `login --pair`, `pair` · [`seal`]: `seal`, `open`
//! - [`backup`], [`restore`]: the whole house as one file, and back
//! - [`export`]: what a member may read, as plain files
//! - [`doctor`]: checks and says the remedy
//! - [`key`], [`unlock`]: what opens the data, with [`passphrase`]

pub mod addresses;
pub mod backup;
pub mod devices;
pub mod doctor;
pub mod export;
pub mod house;
pub mod key;
pub mod login;
pub mod member;
pub mod pairing;
pub mod passphrase;
pub mod qr;
pub mod restore;
pub mod seal;
pub mod serve;
pub mod unlock;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Place;
use crate::hardening;

/// A household's own messenger.
#[derive(Parser)]
#[command(name = "hearth", version)]
struct Cli {
    /// The data folder of the box.
    #[arg(long, global = true, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// The key that opens the data folder; by default DIR.key, beside it.
    #[arg(long, global = true, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The passphrase that opens the data folder, as the first line of a file, or `-`: of standard
    /// input; asked at the terminal otherwise.
    #[arg(long, global = true, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// The folder of who is signed in; by default $XDG_STATE_HOME/hearth.
    #[arg(long, global = true, value_name = "DIR")]
    profile: Option<PathBuf>,
    /// Answers for programs.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the box: HTTP, MQTT and the web client.
    Serve(serve::Args),
    /// Accounts of this box.
    #[command(subcommand)]
    User(house::UserCommand),
    /// The house as a whole.
    #[command(subcommand)]
    House(addresses::HouseCommand),
    /// Rooms of this box.
    #[command(subcommand)]
    Room(house::RoomCommand),
    /// Devices: machines that post to a room.
    #[command(subcommand)]
    Device(devices::DeviceCommand),
    /// Grants: who may use which plain MQTT topics.
    #[command(subcommand)]
    Grant(house::GrantCommand),
    /// Sign in on this machine.
    Login(login::LoginArgs),
    /// Say something in a room.
    Send(member::SendArgs),
    /// Read a room: its last messages, then what comes.
    Tail(member::TailArgs),
    /// Seal one message, or one post for a device's door, for another program to send.
    Seal(seal::SealArgs),
    /// Open one sealed message or post of a room, from standard input.
    Open(seal::OpenArgs),
    /// Let a new device in that shows a code (`login --pair`, or a browser).
    Pair(pairing::PairArgs),
    /// Make a link by which people join.
    Invite(member::InviteArgs),
    /// Print the certificate by which clients trust this box, e.g. into ca.crt.
    Ca,
    /// Make a backup: the whole house as one sealed file.
    Backup(backup::Args),
    /// Make a new data folder (--data) of a backup.
    Restore(restore::Args),
    /// Write what you may read, and what the box has of you, into plain files.
    Export(export::Args),
    /// What opens the data: a key file, a passphrase, a systemd credential.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Bring the passphrase to a box that waits for it.
    Unlock,
    /// Check this box and say what to do.
    Doctor(doctor::Args),
}

/// What a command failed with: a sentence that says what, to what, and the remedy.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Parses the arguments and runs; exit code 0, 1 on failure, 2 on wrong usage (clap's).
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hearth: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    if let Err(error) = hardening::forbid_core_dumps() {
        eprintln!("hearth: core dumps cannot be forbidden here, so a crash may show keys: {error}");
    }
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let place = Place::new(&cli.data, cli.key_file)
        .with_passphrase_file(cli.passphrase_file)
        .with_credentials(credentials);
    let setting = member::Setting::new(cli.profile, cli.json);
    match cli.command {
        Command::Serve(args) => serve::run(place, args),
        Command::User(command) => house::user(&place, command, cli.json),
        Command::House(command) => addresses::run(&place, command, cli.json),
        Command::Room(command) => house::room(&place, command, cli.json),
        Command::Device(command) => devices::device(&place, &setting, command),
        Command::Grant(command) => house::grant(&place, command, cli.json),
        Command::Login(args) => login::login(&setting, &args),
        Command::Send(args) => member::send(&setting, args),
        Command::Tail(args) => member::tail(&setting, args),
        Command::Seal(args) => seal::seal(&setting, args),
        Command::Open(args) => seal::open(&setting, &args),
        Command::Pair(args) => pairing::answer(&setting, &args),
        Command::Invite(args) => member::invite(&setting, &args),
        Command::Ca => house::ca(&place, cli.json),
        Command::Backup(args) => backup::run(&place, args, cli.json),
        Command::Restore(args) => restore::run(&place, &args, cli.json),
        Command::Export(args) => export::run(&setting, &args),
        Command::Key(command) => key::run(&place, command, cli.json),
        Command::Unlock => unlock::run(&place),
        Command::Doctor(args) => doctor::run(&place, &args),
    }
}
