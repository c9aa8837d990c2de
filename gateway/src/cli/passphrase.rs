//! How a passphrase reaches the program: typed at the terminal without echo, or from a file or
//! standard input; never as an argument or in the environment.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hearth_protocol::limits::Limits;
use hearth_store::{KeyError, Opened, Passphrase};
use zeroize::Zeroizing;

use super::Failure;
use crate::config::Place;

/// How often a wrong one may be typed before the command gives up.
const TRIES: usize = 3;

/// Opens the data key with what there is; asks at the terminal if it takes a passphrase.
pub fn open(
    place: &Place,
    limits: &Limits,
    attempt: impl Fn(Option<&Passphrase>) -> Result<Opened, KeyError>,
) -> Result<Opened, Failure> {
    let given = given(place, limits)?;
    let mut error = match attempt(given.as_ref()) {
        Err(KeyError::Locked { others }) if given.is_none() => KeyError::Locked { others },
        opened => return Ok(opened?),
    };
    if let KeyError::Locked { others } = &error {
        others.iter().for_each(|other| eprintln!("hearth: {other}"));
    }
    for _ in 0..TRIES {
        let Some(typed) = typed("Passphrase: ")? else { break };
        match attempt(Some(&typed)) {
            Ok(opened) => return Ok(opened),
            Err(no) => {
                eprintln!("hearth: {no}");
                error = no;
            }
        }
    }
    Err(error.into())
}

/// The passphrase of `--passphrase-file`.
pub fn given(place: &Place, limits: &Limits) -> Result<Option<Passphrase>, Failure> {
    place.passphrase_file.as_deref().map(|file| read(file, limits)).transpose()
}

/// A new passphrase: from a file, or typed twice.
pub fn new(file: Option<&Path>, limits: &Limits) -> Result<Passphrase, Failure> {
    let new = match file {
        Some(file) => read(file, limits)?,
        None => {
            let missing = "no terminal to ask for a passphrase: give it in a file (see --help)";
            let new = typed("New passphrase: ")?.ok_or(missing)?;
            new.check_new(limits)?;
            if typed("The same again: ")?.ok_or(missing)? != new {
                return Err("the two passphrases differ; nothing was changed".into());
            }
            new
        }
    };
    new.check_new(limits)?;
    Ok(new)
}

/// The first line of a file, or the next one of standard input for `-`.
fn read(file: &Path, limits: &Limits) -> Result<Passphrase, Failure> {
    let said = |error: io::Error| format!("{} cannot be read: {error}", file.display());
    let from = if file == Path::new("-") {
        File::from(io::stdin().as_fd().try_clone_to_owned().map_err(said)?)
    } else {
        let opened = File::open(file).map_err(said)?;
        let meta = opened.metadata().map_err(said)?;
        if meta.is_file() && meta.permissions().mode() & 0o077 != 0 {
            let file = file.display();
            return Err(format!("others can read {file}; run `chmod 600` on it").into());
        }
        opened
    };
    line(from, limits.passphrase_bytes_max).map_err(|error| said(error).into())
}

/// The first line of what is read. Byte by byte, so that neither a buffer keeps it nor the line
/// after it is lost; one byte more than is taken, so that what is too long is seen to be.
fn line(mut from: impl Read, bytes_max: usize) -> io::Result<Passphrase> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(bytes_max.saturating_add(1)));
    let mut byte = Zeroizing::new([0; 1]);
    while bytes.len() <= bytes_max && from.read(&mut *byte)? == 1 && byte[0] != b'\n' {
        bytes.push(byte[0]);
    }
    let text = str::from_utf8(&bytes).map_err(|error| io::Error::other(error.to_string()))?;
    if text.len() > bytes_max {
        return Err(io::Error::other("its first line is too long for a passphrase"));
    }
    Ok(Passphrase::new(Zeroizing::new(text.trim_end_matches('\r').to_string())))
}

/// What somebody types, if there is a terminal.
pub fn typed(prompt: &str) -> Result<Option<Passphrase>, Failure> {
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    let text = Zeroizing::new(rpassword::prompt_password(prompt)?);
    Ok(Some(Passphrase::new(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_one_by_one_and_bounded() {
        let mut input = &b"first\r\nsecond\nx"[..];
        let mut next = || line(&mut input, 6).unwrap();
        let of = |text: &str| Passphrase::new(Zeroizing::new(text.to_string()));
        assert_eq!((next(), next(), next()), (of("first"), of("second"), of("x")));
        assert!(line(&b"seventh\n"[..], 6).is_err());
        assert!(line(&[0xff, b'\n'][..], 6).is_err());
    }

    #[test]
    fn a_passphrase_that_others_can_read_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("passphrase");
        std::fs::write(&file, "a lamp in the window\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = read(&file, &Limits::default()).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o400)).unwrap();
        assert!(read(&file, &Limits::default()).is_ok());
    }
}
