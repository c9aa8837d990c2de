//! What a member command fails with: what happened, to what, and the remedy.

use std::io;
use std::path::PathBuf;

use hearth_protocol::sealing::SealingError;

/// Why a member command failed.
#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    /// No profile.
    #[error(
        "nobody is signed in on this machine ({}): run `hearth login URL --user NAME` first",
        .folder.display()
    )]
    NotSignedIn {
        /// Where the profile would lie.
        folder: PathBuf,
    },
    /// The profile folder does not obey.
    #[error("cannot {what} {}: {source}", .path.display())]
    Profile {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The profile holds something else than this program writes.
    #[error(
        "{} is not a profile of this program: {problem} (remove it and sign in again)",
        .path.display()
    )]
    BadProfile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// An address that is none.
    #[error("`{url}` is not the address of a box: {problem}")]
    Url {
        /// The address.
        url: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// The box does not answer.
    #[error("cannot reach the box at {url}: {problem} (is it running, and is the address right?)")]
    Unreachable {
        /// Its address.
        url: String,
        /// Why not.
        problem: String,
    },
    /// Nobody vouches for the box.
    #[error("cannot tell whether this is your box: {problem}")]
    Unproven {
        /// What is missing, or wrong.
        problem: String,
    },
    /// The box says no.
    #[error("{message}{} [{code}]", hint_text(.hint))]
    Refused {
        /// The word for programs.
        code: String,
        /// The sentence.
        message: String,
        /// The remedy; may be empty.
        hint: String,
    },
    /// The box answers what this program does not understand.
    #[error("the box answers {what} with something unexpected: {problem}")]
    Answer {
        /// What was asked.
        what: String,
        /// What is wrong with the answer.
        problem: String,
    },
    /// MQTT failed.
    #[error("MQTT at {address}: {problem}")]
    Mqtt {
        /// The listener.
        address: String,
        /// What happened.
        problem: String,
    },
    /// The box has no MQTT listener that a shell could use.
    #[error("the box does not say where its MQTT listener is: give it with --mqtt HOST:PORT")]
    NoMqtt,
    /// No such room.
    #[error("there is no room `{wanted}` among yours; there are: {known}")]
    NoRoom {
        /// What was asked for.
        wanted: String,
        /// The names there are.
        known: String,
    },
    /// Several rooms of one name.
    #[error("several of your rooms are called `{wanted}`: give the id instead ({ids})")]
    ManyRooms {
        /// What was asked for.
        wanted: String,
        /// Their ids.
        ids: String,
    },
    /// A room without a key.
    #[error("{name} is an open room: there is nothing to seal or open in it (use `hearth send`)")]
    OpenRoom {
        /// Its name.
        name: String,
    },
    /// What was given to be opened and does not open.
    #[error("it does not open: {problem}")]
    Closed {
        /// Why not.
        problem: String,
    },
    /// A room that is not believed.
    #[error("the room's keys cannot be trusted: {problem} (nothing was sent)")]
    Distrust {
        /// What is wrong.
        problem: String,
    },
    /// No key yet.
    #[error(
        "waiting for a key to this room from someone at home (the current epoch does not list you)"
    )]
    NotListed,
    /// An epoch that lists this person and that nobody's keys here lead into.
    #[error(
        "waiting for a key to this room from someone at home (none of its epochs opens with yours)"
    )]
    NothingOpens,
    /// A card that nobody serves.
    #[error("the box has no card of {user} with the keys that the room lists")]
    NoCard {
        /// Whose.
        user: hearth_protocol::ids::UserId,
    },
    /// A pairing that came to nothing.
    #[error("the new device was not paired: {problem}")]
    Pairing {
        /// Why.
        problem: &'static str,
    },
    /// The formats say no.
    #[error(transparent)]
    Sealing(#[from] SealingError),
}

fn hint_text(hint: &str) -> String {
    if hint.is_empty() { String::new() } else { format!(" ({hint})") }
}

impl MemberError {
    /// Whether the box refused with this code.
    pub fn is(&self, wanted: &str) -> bool {
        matches!(self, MemberError::Refused { code, .. } if code == wanted)
    }

    pub(super) fn distrust(problem: impl Into<String>) -> Self {
        MemberError::Distrust { problem: problem.into() }
    }
}
