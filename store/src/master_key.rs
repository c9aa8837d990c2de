//! The data key: random, made once, wrapped by age (sealing.md §8). `keys/keyfile.age` in the data
//! folder opens with the key file, an age identity that lies elsewhere: a thief of the data folder
//! alone reads nothing.

use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::disk::{DATABASE_FILE, sync_folder_of};

/// Where the wrapped key lies inside the data folder.
const WRAPPED: &str = "keys/keyfile.age";

/// The key that everything at rest derives from. Zeroized when dropped, never shown.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DataKey(Box<[u8; 32]>);

impl DataKey {
    /// A key from its bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Box::new(bytes))
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

/// Why there is no data key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key file is not there, and there is something it should open.
    #[error(
        "the key file {0} is not there; put it back from its copy: nothing else opens the data"
    )]
    KeyFileMissing(PathBuf),
    /// The wrapped key is not there, and there is a database.
    #[error("{0} is not there, but the database is; put it back from a backup of the data folder")]
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
    /// The wrapped key is not what was written.
    #[error("{path} is damaged; put it back from a backup of the data folder")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What age says of it.
        #[source]
        cause: Option<age::DecryptError>,
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

/// The data key of a data folder, opened with the key file. On first use, when there is neither,
/// both are made, each complete and durable before the next.
pub fn load_or_create(data_dir: &Path, key_file: &Path) -> Result<DataKey, KeyError> {
    let wrapped = data_dir.join(WRAPPED);
    let there =
        |path: &Path| path.try_exists().map_err(|cause| io_error(path, "looked for", cause));
    if !there(&wrapped)? {
        if there(&data_dir.join(DATABASE_FILE))? {
            return Err(KeyError::WrappedMissing(wrapped));
        }
        if !there(key_file)? {
            create_key_file(key_file)?;
        }
        create_wrapped(&wrapped, &read_key_file(key_file)?)?;
    } else if !there(key_file)? {
        return Err(KeyError::KeyFileMissing(key_file.to_path_buf()));
    }
    let identity = read_key_file(key_file)?;
    let bytes = fs::read(&wrapped).map_err(|cause| io_error(&wrapped, "read", cause))?;
    unwrap_key(&bytes, &identity, &wrapped, key_file)
}

fn unwrap_key(
    bytes: &[u8],
    identity: &age::x25519::Identity,
    wrapped: &Path,
    key_file: &Path,
) -> Result<DataKey, KeyError> {
    let path = wrapped.to_path_buf();
    match age::decrypt(identity, bytes).map(Zeroizing::new) {
        Ok(key) => match <[u8; 32]>::try_from(&key[..]) {
            Ok(key) => Ok(DataKey::from_bytes(key)),
            Err(_other_length) => Err(KeyError::Damaged { path, cause: None }),
        },
        Err(age::DecryptError::NoMatchingKeys) => {
            Err(KeyError::WrongKeyFile(key_file.to_path_buf()))
        }
        Err(cause) => Err(KeyError::Damaged { path, cause: Some(cause) }),
    }
}

fn read_key_file(path: &Path) -> Result<age::x25519::Identity, KeyError> {
    let read = |cause| io_error(path, "read", cause);
    let mode = fs::metadata(path).map_err(read)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(KeyError::Permissions(path.to_path_buf()));
    }
    let not_one = || KeyError::NotAKeyFile(path.to_path_buf());
    let bytes = Zeroizing::new(fs::read(path).map_err(read)?);
    let text = std::str::from_utf8(&bytes).map_err(|_binary| not_one())?;
    let mut lines = text.lines().map(str::trim);
    let line = lines.find(|line| line.starts_with("AGE-SECRET-KEY-1")).ok_or_else(not_one)?;
    line.parse().map_err(|_why: &str| not_one())
}

fn create_key_file(path: &Path) -> Result<(), KeyError> {
    let identity = age::x25519::Identity::generate();
    let secret = identity.to_string();
    let text = Zeroizing::new(format!(
        "# Opens the data of a Hearth. Keep a copy in a safe place, away from the box.\n\
         # public key: {}\n{}\n",
        identity.to_public(),
        secret.expose_secret(),
    ));
    create(path, text.as_bytes())
}

fn create_wrapped(path: &Path, identity: &age::x25519::Identity) -> Result<(), KeyError> {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *key)
        .map_err(|cause| io_error(path, "filled with randomness", io::Error::other(cause)))?;
    let bytes = age::encrypt(&identity.to_public(), &*key).map_err(KeyError::Wrap)?;
    create(path, &bytes)
}

/// Makes a file (0600) that is complete and durable from the moment it has its name. One that is
/// there already, made by another process just now, stays.
fn create(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let made = |cause| io_error(path, "made", cause);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(made)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    let written = write_new(&new, bytes).and_then(|()| fs::hard_link(&new, path));
    let written = match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // A file system without hard links.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => fs::rename(&new, path),
        written => written,
    };
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(made(error)),
        _ => {}
    }
    written.and_then(|()| sync_folder_of(path)).map_err(made)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn io_error(path: &Path, done: &'static str, cause: io::Error) -> KeyError {
    KeyError::Io { path: path.to_path_buf(), done, cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder {
        root: tempfile::TempDir,
    }

    impl Folder {
        fn new() -> Self {
            Self { root: tempfile::tempdir().unwrap() }
        }

        fn data(&self) -> PathBuf {
            self.root.path().join("data")
        }

        fn key_file(&self) -> PathBuf {
            self.root.path().join("elsewhere/hearth.key")
        }

        fn wrapped(&self) -> PathBuf {
            self.data().join(WRAPPED)
        }

        fn load(&self) -> Result<DataKey, KeyError> {
            load_or_create(&self.data(), &self.key_file())
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_key_is_made_once_and_opens_again() {
        let folder = Folder::new();
        let key = folder.load().unwrap();
        assert_eq!(folder.load().unwrap().expose(), key.expose());
        assert_eq!((mode(&folder.key_file()), mode(&folder.wrapped())), (0o600, 0o600));
        assert_eq!(mode(&folder.data().join("keys")), 0o700);
        let names = fs::read_dir(folder.data().join("keys")).unwrap().count();
        assert_eq!(names, 1, "no half-made file stays");
        let wrapped = fs::read(folder.wrapped()).unwrap();
        assert!(!wrapped.windows(8).any(|part| part == &key.expose()[..8]));
        assert_eq!(format!("{key:?}"), "DataKey(…)");
    }

    #[test]
    fn a_key_file_of_age_keygen_is_taken() {
        let folder = Folder::new();
        let identity = age::x25519::Identity::generate();
        let text = format!("# created: today\n# x\n{}\n", identity.to_string().expose_secret());
        create(&folder.key_file(), text.as_bytes()).unwrap();
        let key = folder.load().unwrap();
        let wrapped = fs::read(folder.wrapped()).unwrap();
        assert_eq!(age::decrypt(&identity, &wrapped).unwrap(), key.expose());
    }

    #[test]
    fn a_making_that_was_interrupted_goes_on() {
        let folder = Folder::new();
        create_key_file(&folder.key_file()).unwrap();
        folder.load().unwrap();
    }

    #[test]
    fn each_way_of_failing_names_the_file_and_the_remedy() {
        type Break = fn(&Folder);
        let cases: [(&str, Break); 8] = [
            ("put it back from its copy", |folder| fs::remove_file(folder.key_file()).unwrap()),
            ("put it back from a backup", |folder| {
                fs::write(folder.data().join(DATABASE_FILE), "x").unwrap();
                fs::remove_file(folder.wrapped()).unwrap();
            }),
            ("give the one it was made with", |folder| {
                fs::remove_file(folder.key_file()).unwrap();
                create_key_file(&folder.key_file()).unwrap();
            }),
            ("is not a key file", |folder| fs::write(folder.key_file(), "hello").unwrap()),
            ("is not a key file", |folder| fs::write(folder.key_file(), [0xff; 9]).unwrap()),
            ("chmod 600", |folder| {
                let open = fs::Permissions::from_mode(0o644);
                fs::set_permissions(folder.key_file(), open).unwrap();
            }),
            ("is damaged", |folder| {
                let mut bytes = fs::read(folder.wrapped()).unwrap();
                let last = bytes.len() - 1;
                bytes[last] ^= 1;
                fs::write(folder.wrapped(), bytes).unwrap();
            }),
            ("is damaged", |folder| fs::write(folder.wrapped(), "").unwrap()),
        ];
        for (remedy, break_it) in cases {
            let folder = Folder::new();
            folder.load().unwrap();
            break_it(&folder);
            let error = folder.load().unwrap_err().to_string();
            assert!(error.contains(remedy), "{error}");
        }
    }
}
