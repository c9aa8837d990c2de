//! `hearth device`: what machines post by, in a room of the person who is signed in here or, at the
//! box's own shell, in an open one.

use clap::{Subcommand, ValueEnum};
use hearth_store::Plain;

use super::member::{self, Setting};
use super::{Failure, house};
use crate::admin::Request;
use crate::config::Place;

/// Why `--plain` is refused.
const NOT_SEALED: &str = "--plain is for a sealed room that you are signed in to (`hearth login`): \
    in an open one there is nothing to seal";

/// What becomes of a post in clear in a sealed room.
#[derive(Clone, Copy, ValueEnum)]
pub enum PlainWord {
    /// It is refused: the device seals.
    Refuse,
    /// The box seals it, and sees it.
    Seal,
}

impl From<PlainWord> for Plain {
    fn from(word: PlainWord) -> Plain {
        match word {
            PlainWord::Refuse => Plain::Refuse,
            PlainWord::Seal => Plain::Seal,
        }
    }
}

/// `hearth device`
#[derive(Subcommand)]
pub enum DeviceCommand {
    /// Add a device and print the line to paste.
    Add {
        /// 1 to 32 lower-case letters, digits or dashes.
        name: String,
        /// The room's name or id.
        #[arg(long)]
        room: String,
        /// In a sealed room: it cannot run age, so the box seals what it posts, and sees it.
        #[arg(long)]
        plain: bool,
    },
    /// List the devices.
    List,
    /// Say who seals a device's posts in its sealed room. After hearth login.
    Plain {
        /// Its name or id.
        device: String,
        /// The room's name or id.
        #[arg(long)]
        room: String,
        /// What becomes of what it posts in clear.
        word: PlainWord,
    },
    /// Print a device's lines as they are now, TOKEN in the place of its token. After hearth login.
    Line {
        /// Its name or id.
        device: String,
        /// The room's name or id.
        #[arg(long)]
        room: String,
    },
    /// End a device: its token opens nothing any more.
    Remove {
        /// Its name or id.
        device: String,
    },
}

/// In a sealed room of the person who is signed in here, devices are theirs to make; all others
/// are the box's.
pub fn device(place: &Place, setting: &Setting, command: DeviceCommand) -> Result<(), Failure> {
    let request = match command {
        DeviceCommand::Add { name, room, plain } => {
            if member::add_device(setting, &name, &room, plain)? {
                return Ok(());
            }
            if plain {
                return Err(NOT_SEALED.into());
            }
            Request::DeviceAdd { name, room }
        }
        DeviceCommand::Remove { device } => {
            if member::remove_device(setting, &device)? {
                return Ok(());
            }
            Request::DeviceRemove { device }
        }
        DeviceCommand::Plain { device, room, word } => {
            return member::change_device(setting, &device, &room, word.into());
        }
        DeviceCommand::Line { device, room } => {
            return member::device_lines(setting, &device, &room);
        }
        DeviceCommand::List => Request::DeviceList,
    };
    house::print(house::ask(place, request)?, setting.json)
}
