//! Why a data folder does not open, or a way to open it is not added or removed.

use std::io;
use std::path::PathBuf;

use super::Way;

/// Why there is no data key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key file is not there, and there is something it should open.
    #[error(
        "the key file {0} is not there; put it back from its copy, or give its place with \
         --key-file"
    )]
    KeyFileMissing(PathBuf),
    /// No wrapped key is there, and there is a database.
    #[error(
        "no key lies in {0}, but the database is there; put the folder back from a backup of the \
         data folder"
    )]
    WrappedMissing(PathBuf),
    /// The key file is another one's.
    #[error("the key file {0} does not open this data folder; give the one it was made with")]
    WrongKeyFile(PathBuf),
    /// The key file is something else.
    #[error("{0} is not a key file (no line AGE-SECRET-KEY-1…); put it back from its copy")]
    NotAKeyFile(PathBuf),
    /// Others can read the key file.
    #[error("others can read the key file {0}; run `chmod 600` on it")]
    Permissions(PathBuf),
    /// The passphrase does not open it.
    #[error("wrong passphrase, or {0} is damaged; try again, or unlock in another way")]
    WrongPassphrase(PathBuf),
    /// It opens with the passphrase, which was not given.
    #[error(
        "the data is locked with a passphrase; run this at a terminal, or give --passphrase-file"
    )]
    Locked {
        /// Why the other ways did not open it.
        others: Vec<KeyError>,
    },
    /// systemd gave no credential.
    #[error(
        "systemd gave no credential hearth.key; put LoadCredentialEncrypted=hearth.key into the \
         unit, or unlock in another way"
    )]
    CredentialMissing,
    /// systemd gave another credential.
    #[error("the credential {0} does not open this data folder; give the one it was added with")]
    WrongCredential(PathBuf),
    /// A secret that is neither an identity nor text.
    #[error(
        "{0} is neither an age identity nor a line of text of at least {1} characters; make one \
         with `openssl rand -base64 32`"
    )]
    NotASecret(PathBuf, usize),
    /// The wrapped key is not what was written.
    #[error("{path} is damaged; put it back from a backup of the data folder")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What age says of it.
        #[source]
        cause: Option<age::DecryptError>,
    },
    /// Opening it would take more memory than is spent on it.
    #[error(
        "{path} asks for scrypt work of 2^{log2}, more than 2^{log2_max}; it was not made by \
         Hearth: put it back from a backup of the data folder"
    )]
    TooCostly {
        /// Which file.
        path: PathBuf,
        /// What it asks for.
        log2: u8,
        /// What is done at most.
        log2_max: u8,
    },
    /// The wrapped key is of another data folder.
    #[error("{0} opens, but is of another house; put it back from a backup of this data folder")]
    OtherHouse(PathBuf),
    /// A file that cannot be what it should be.
    #[error("{path} has more than {bytes_max} bytes: it is something else; give the right file")]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// How large it may be.
        bytes_max: usize,
    },
    /// None of several ways opens.
    #[error("nothing opens the data: {}", said(.0))]
    NoneOpens(Vec<KeyError>),
    /// There is no such way.
    #[error("this data folder does not open with {0}; see `hearth key list`")]
    NoSuchWay(Way),
    /// There is that way already.
    #[error("this data folder opens with {0} already; remove that way first (`hearth key`)")]
    ThereAlready(Way),
    /// Without it the data would be lost.
    #[error("{0} is the only way to open the data; add another first with `hearth key add`")]
    LastWay(Way),
    /// A new passphrase is too short or too long.
    #[error("a passphrase has {chars_min} characters or more, and {bytes_max} bytes at most")]
    PassphraseLength {
        /// At least.
        chars_min: usize,
        /// At most.
        bytes_max: usize,
    },
    /// A file cannot be read or made.
    #[error("{path} cannot be {done}; check that its folder exists and is yours")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What was tried.
        done: &'static str,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The key cannot be wrapped.
    #[error("the new key cannot be wrapped; report this with the log")]
    Wrap(#[source] age::EncryptError),
}

fn said(errors: &[KeyError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; and ")
}
