//! The `hearth` command: parses, runs, prints what went wrong and what to do (design §8).
//!
//! - [`serve`]: runs the appliance
//! - [`house`]: box commands: `user`, `room`, `device`
//! - [`doctor`]: checks and says the remedy

pub mod doctor;
pub mod house;
pub mod qr;
pub mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Place;

/// A household's own messenger.
#[derive(Parser)]
#[command(name = "hearth", version, about)]
struct Cli {
    /// The data folder of the box.
    #[arg(long, global = true, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// The key that opens the data folder; by default DIR.key, beside it.
    #[arg(long, global = true, value_name = "FILE")]
    key_file: Option<PathBuf>,
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
    /// Rooms of this box.
    #[command(subcommand)]
    Room(house::RoomCommand),
    /// Devices: machines that post to a room.
    #[command(subcommand)]
    Device(house::DeviceCommand),
    /// Check this box and say what to do.
    Doctor,
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
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let place = Place::new(&cli.data, cli.key_file);
    match cli.command {
        Command::Serve(args) => serve::run(place, args),
        Command::User(command) => house::user(&place, command, cli.json),
        Command::Room(command) => house::room(&place, command, cli.json),
        Command::Device(command) => house::device(&place, command, cli.json),
        Command::Doctor => doctor::run(&place),
    }
}
