//! What opens the data, what does not, and what is said then.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use age::secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::*;
use crate::testing::block_on;
use crate::{Batch, Engine, FileDisk, Redb};

/// A data folder and a place for its key file, in a folder that goes away.
pub(super) struct Folder {
    root: tempfile::TempDir,
    pub keys: Keys,
    pub limits: Limits,
}

pub(super) fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(Zeroizing::new(text.to_string()))
}

impl Folder {
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let keys = Keys {
            data: root.path().join("data"),
            key_file: root.path().join("elsewhere/hearth.key"),
            credential: None,
            only: None,
        };
        // The work of a test.
        let limits = Limits { passphrase_work_log2: 4, ..Limits::default() };
        Self { root, keys, limits }
    }

    pub fn load(&self) -> Result<Opened, KeyError> {
        self.keys.open(None, &self.limits)
    }

    pub fn with(&self, text: &str) -> Result<Opened, KeyError> {
        self.keys.open(Some(&passphrase(text)), &self.limits)
    }

    pub fn add(&self, new: NewWay) -> Result<(), KeyError> {
        self.keys.add(new, &self.load()?, &self.limits)
    }

    /// A file as systemd would hand it over.
    fn credential(&self, text: &str) -> PathBuf {
        let path = self.root.path().join("credential");
        fs::write(&path, text).unwrap();
        path
    }

    pub fn make_database(&self, key: &DataKey) {
        let disk = FileDisk::open(&self.keys.data.join(DATABASE_FILE)).unwrap();
        let engine = Redb::open(Arc::new(disk), key, 1 << 20).unwrap();
        let mut batch = Batch::default();
        batch.put("k".into(), "v".into());
        block_on(engine.commit(batch)).unwrap();
    }
}

const FIRST: &str = "a lamp in the window";
const SECOND: &str = "two lamps in the window";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_key_is_made_once_and_opens_again() {
    let folder = Folder::new();
    let (key, wrapped) = (folder.load().unwrap().key, folder.keys.wrapped(Way::KeyFile));
    assert_eq!(folder.load().unwrap().key.expose(), key.expose());
    assert_eq!((mode(&folder.keys.key_file), mode(&wrapped)), (0o600, 0o600));
    assert_eq!(mode(&folder.keys.folder()), 0o700);
    let names = fs::read_dir(folder.keys.folder()).unwrap().count();
    assert_eq!(names, 1, "no half-made file stays");
    let wrapped = fs::read(wrapped).unwrap();
    assert!(!wrapped.windows(8).any(|part| part == &key.expose()[..8]));
    assert_eq!(format!("{key:?}"), "DataKey(…)");
}

#[test]
fn a_key_file_of_age_keygen_is_taken() {
    let folder = Folder::new();
    let identity = age::x25519::Identity::generate();
    let text = format!("# created: today\n# x\n{}\n", identity.to_string().expose_secret());
    let placed = files::placing(&folder.keys.key_file, Zeroizing::new(text.into_bytes()));
    files::run(placed).unwrap();
    let key = folder.load().unwrap().key;
    let wrapped = fs::read(folder.keys.wrapped(Way::KeyFile)).unwrap();
    assert_eq!(age::decrypt(&identity, &wrapped).unwrap(), key.expose());
}

#[test]
fn a_making_that_was_interrupted_goes_on() {
    let folder = Folder::new();
    files::run(files::placing(&folder.keys.key_file, identity::new_key_file())).unwrap();
    fs::create_dir_all(&folder.keys.data).unwrap();
    fs::write(folder.keys.data.join(DATABASE_FILE), "").unwrap();
    folder.load().unwrap();
}

#[test]
fn the_first_way_is_the_one_that_is_named_or_the_credential() {
    let mut folder = Folder::new();
    folder.keys.only = Some(Way::Passphrase);
    assert!(matches!(folder.with("short"), Err(KeyError::PassphraseLength { .. })));
    assert!(matches!(folder.load(), Err(KeyError::Locked { .. })));
    assert_eq!(folder.with(FIRST).unwrap().way, Way::Passphrase);
    assert_eq!(folder.keys.ways().unwrap(), [Way::Passphrase]);
    let mut folder = Folder::new();
    folder.keys.credential = Some(folder.credential("Zm9yIHRlc3RzIG9ubHk=\n"));
    assert_eq!(folder.load().unwrap().way, Way::Credential);
    assert_eq!(folder.keys.ways().unwrap(), [Way::Credential]);
    assert!(!folder.keys.key_file.exists());
}

#[test]
fn each_way_opens_the_same_key_and_what_needs_nobody_is_tried_first() {
    let mut folder = Folder::new();
    let key = folder.load().unwrap().key;
    folder.add(NewWay::Passphrase(&passphrase(FIRST))).unwrap();
    for text in
        ["a secret of the system", age::x25519::Identity::generate().to_string().expose_secret()]
    {
        let path = folder.credential(text);
        let credential = Credential::read(&path, &folder.limits).unwrap();
        folder.keys.credential = None;
        folder.add(NewWay::Credential(&credential)).unwrap();
        folder.keys.credential = Some(path);
        for way in Way::ALL {
            folder.keys.only = Some(way);
            let opened = folder.with(FIRST).unwrap();
            assert_eq!((opened.key.expose(), opened.way), (key.expose(), way));
        }
        folder.keys.only = None;
        assert_eq!(folder.with(FIRST).unwrap().way, Way::Credential);
        folder.keys.remove(Way::Credential, None, &folder.limits).unwrap();
    }
    assert_eq!(folder.with(FIRST).unwrap().way, Way::KeyFile);
    let again = folder.add(NewWay::Passphrase(&passphrase(SECOND)));
    assert!(matches!(again, Err(KeyError::ThereAlready(Way::Passphrase))));
}

#[test]
fn another_passphrase_leaves_the_database_as_it_is() {
    let folder = Folder::new();
    let key = folder.load().unwrap().key;
    folder.make_database(&key);
    folder.add(NewWay::Passphrase(&passphrase(FIRST))).unwrap();
    folder.keys.remove(Way::KeyFile, Some(&passphrase(FIRST)), &folder.limits).unwrap();
    let database = folder.keys.data.join(DATABASE_FILE);
    let before = fs::read(&database).unwrap();
    let opened = folder.with(FIRST).unwrap();
    folder.keys.change_passphrase(&passphrase(SECOND), &opened, &folder.limits).unwrap();
    assert_eq!(fs::read(&database).unwrap(), before);
    assert!(matches!(folder.with(FIRST), Err(KeyError::WrongPassphrase(_))));
    let opened = folder.with(SECOND).unwrap();
    assert_eq!(opened.key.expose(), key.expose());
    let names = fs::read_dir(folder.keys.folder()).unwrap().count();
    assert_eq!(names, 1, "no old copy stays");
    let engine = Redb::open(Arc::new(FileDisk::open(&database).unwrap()), &opened.key, 1 << 20);
    assert_eq!(block_on(engine.unwrap().get("k".into())).unwrap().unwrap(), "v");
}

#[test]
fn a_way_is_removed_only_when_another_one_has_opened_the_data() {
    let folder = Folder::new();
    folder.load().unwrap();
    let remove = |way, text: &str| {
        folder.keys.remove(way, Some(&passphrase(text)), &folder.limits).map(|opened| opened.way)
    };
    assert!(matches!(remove(Way::KeyFile, FIRST), Err(KeyError::LastWay(Way::KeyFile))));
    assert!(matches!(remove(Way::Passphrase, FIRST), Err(KeyError::NoSuchWay(_))));
    folder.add(NewWay::Passphrase(&passphrase(FIRST))).unwrap();
    assert!(matches!(remove(Way::KeyFile, SECOND), Err(KeyError::WrongPassphrase(_))));
    assert_eq!(folder.keys.ways().unwrap().len(), 2);
    assert_eq!(remove(Way::KeyFile, FIRST).unwrap(), Way::Passphrase);
    assert_eq!(folder.keys.ways().unwrap(), [Way::Passphrase]);
    assert!(matches!(folder.load(), Err(KeyError::Locked { .. })));
}

#[test]
fn of_two_ways_one_damaged_the_other_opens() {
    let folder = Folder::new();
    let key = folder.load().unwrap().key;
    folder.add(NewWay::Passphrase(&passphrase(FIRST))).unwrap();
    fs::write(folder.keys.wrapped(Way::KeyFile), "noise").unwrap();
    assert!(matches!(folder.load(), Err(KeyError::Locked { others }) if others.len() == 1));
    let opened = folder.with(FIRST).unwrap();
    assert_eq!((opened.key.expose(), opened.passed_over.len()), (key.expose(), 1));
    let examined = folder.keys.examine(Way::KeyFile, None, &folder.limits);
    assert!(matches!(examined, Err(KeyError::Damaged { .. })));
    assert!(!folder.keys.examine(Way::Passphrase, None, &folder.limits).unwrap());
    let path = folder.keys.wrapped(Way::Passphrase);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let examined = folder.keys.examine(Way::Passphrase, None, &folder.limits);
    assert!(matches!(examined, Err(KeyError::Damaged { .. })), "seen without the passphrase");
    assert!(matches!(folder.with(FIRST), Err(KeyError::NoneOpens(both)) if both.len() == 2));
}

#[test]
fn the_key_of_another_house_is_not_taken() {
    let (folder, other) = (Folder::new(), Folder::new());
    for folder in [&folder, &other] {
        let key = folder.load().unwrap().key;
        folder.make_database(&key);
        folder.add(NewWay::Passphrase(&passphrase(FIRST))).unwrap();
    }
    let (from, to) = (other.keys.wrapped(Way::Passphrase), folder.keys.wrapped(Way::Passphrase));
    fs::copy(from, to).unwrap();
    let mut keys = folder.keys.clone();
    keys.only = Some(Way::Passphrase);
    let error = keys.open(Some(&passphrase(FIRST)), &folder.limits).unwrap_err();
    assert!(matches!(error, KeyError::OtherHouse(_)), "{error}");
    assert_eq!(folder.with(FIRST).unwrap().way, Way::KeyFile, "the other way opens");
}

#[test]
fn absurd_work_is_refused_before_it_is_done() {
    let folder = Folder::new();
    folder.load().unwrap();
    folder.add(NewWay::Passphrase(&passphrase(FIRST))).unwrap();
    let path = folder.keys.wrapped(Way::Passphrase);
    let text = fs::read(&path).unwrap();
    let at = text.windows(3).position(|part| part == b" 4\n").unwrap();
    for (log2, taken) in [("18", true), ("19", false), ("63", false)] {
        let dearer = [&text[..at], b" ", log2.as_bytes(), &text[at + 2..]].concat();
        fs::write(&path, dearer).unwrap();
        let mut keys = folder.keys.clone();
        keys.only = Some(Way::Passphrase);
        let error = keys.open(Some(&passphrase(FIRST)), &folder.limits).unwrap_err();
        let refused = matches!(error, KeyError::TooCostly { .. });
        assert_eq!(refused, !taken, "{log2}: {error}");
    }
}

#[test]
fn a_new_passphrase_is_neither_short_nor_endless() {
    let limits = Limits::default();
    let checked = |text: &str| passphrase(text).check_new(&limits).is_ok();
    let (least, most) = ("é".repeat(12), "x".repeat(1_024));
    assert!(checked(&least) && checked(&most));
    assert!(!checked("") && !checked(&"é".repeat(11)) && !checked(&format!("{most}x")));
    assert!(!checked(&format!("{}x", " ".repeat(20))), "spaces around are nothing");
}

#[test]
fn a_file_that_is_far_too_large_is_not_read() {
    let folder = Folder::new();
    folder.load().unwrap();
    let most = folder.limits.key_file_bytes_max;
    let mut text = fs::read(&folder.keys.key_file).unwrap();
    text.resize(most, b'\n');
    fs::write(&folder.keys.key_file, &text).unwrap();
    folder.load().unwrap();
    text.push(b'\n');
    fs::write(&folder.keys.key_file, &text).unwrap();
    assert!(matches!(folder.load(), Err(KeyError::TooLarge { .. })));
}

#[test]
fn each_way_of_failing_names_the_file_and_the_remedy() {
    type Break = fn(&mut Folder);
    let cases: [(&str, &str, Break); 12] = [
        ("hearth.key", "put it back from its copy", |folder| {
            fs::remove_file(&folder.keys.key_file).unwrap();
        }),
        ("keys", "from a backup", |folder| {
            fs::write(folder.keys.data.join(DATABASE_FILE), "x").unwrap();
            fs::remove_file(folder.keys.wrapped(Way::KeyFile)).unwrap();
        }),
        ("hearth.key", "give the one it was made with", |folder| {
            fs::write(&folder.keys.key_file, identity::new_key_file()).unwrap();
        }),
        ("hearth.key", "is not a key file", |folder| {
            fs::write(&folder.keys.key_file, "hello").unwrap();
        }),
        ("hearth.key", "is not a key file", |folder| {
            fs::write(&folder.keys.key_file, [0xff; 9]).unwrap();
        }),
        ("hearth.key", "chmod 600", |folder| {
            let open = fs::Permissions::from_mode(0o644);
            fs::set_permissions(&folder.keys.key_file, open).unwrap();
        }),
        ("keyfile.age", "is damaged", |folder| {
            let path = folder.keys.wrapped(Way::KeyFile);
            let mut bytes = fs::read(&path).unwrap();
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            fs::write(path, bytes).unwrap();
        }),
        ("keyfile.age", "is damaged", |folder| {
            fs::write(folder.keys.wrapped(Way::KeyFile), "").unwrap();
        }),
        ("passphrase", "hearth key list", |folder| folder.keys.only = Some(Way::Passphrase)),
        ("hearth.key", "LoadCredentialEncrypted", |folder| {
            let credential = Credential::Secret(passphrase(FIRST));
            folder.add(NewWay::Credential(&credential)).unwrap();
            fs::remove_file(folder.keys.wrapped(Way::KeyFile)).unwrap();
        }),
        ("credential", "it was added with", |folder| {
            let credential = Credential::Secret(passphrase(FIRST));
            folder.add(NewWay::Credential(&credential)).unwrap();
            folder.keys.only = Some(Way::Credential);
            folder.keys.credential = Some(folder.credential(SECOND));
        }),
        ("credential", "openssl rand", |folder| {
            let credential = Credential::Secret(passphrase(FIRST));
            folder.add(NewWay::Credential(&credential)).unwrap();
            folder.keys.only = Some(Way::Credential);
            folder.keys.credential = Some(folder.credential("short"));
        }),
    ];
    for (file, remedy, break_it) in cases {
        let mut folder = Folder::new();
        folder.load().unwrap();
        break_it(&mut folder);
        let error = folder.load().unwrap_err().to_string();
        assert!(error.contains(file) && error.contains(remedy), "{error}");
    }
}
