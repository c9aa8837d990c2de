//! The profile folder (0700, files 0600): who is signed in, whose keys are known, the newest epochs
//! seen, and the count of what this installation sent to each room.
//!
//! `account.json` holds root and the refresh secret: whoever reads the folder is this person.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hearth_protocol::bytes;
use hearth_protocol::ids::{Epoch, EventId, RoomId, UserId};
use hearth_protocol::sealing::identity::Identity;
use hearth_protocol::sealing::{Hash, Secret};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::MemberError;
use super::pins::Pins;
use super::trust::Trust;

/// Who is signed in, where.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Account {
    /// The box, without a slash at the end.
    #[zeroize(skip)]
    pub url: String,
    /// The person.
    #[zeroize(skip)]
    pub user: UserId,
    /// The user name.
    #[zeroize(skip)]
    pub name: String,
    /// Who vouches for the box over TLS; without it whoever this machine believes.
    #[zeroize(skip)]
    #[serde(default)]
    pub trust: Option<Trust>,
    /// Gives tokens.
    pub refresh: String,
    #[serde(with = "bytes")]
    root: Vec<u8>,
    /// This installation, random.
    pub writer: u32,
}

impl Account {
    /// A new sign-in; `writer` is random.
    pub fn new(
        url: &str,
        user: UserId,
        name: &str,
        refresh: &str,
        root: &Secret,
        writer: u32,
    ) -> Self {
        let (url, name, refresh) = (url.into(), name.into(), refresh.into());
        let root = root.as_bytes().to_vec();
        Self { url, user, name, trust: None, refresh, root, writer }
    }
}

/// What is remembered of a room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomMemory {
    /// The newest epoch seen and its header's hash: nothing older is believed.
    #[serde(default)]
    pub head: Option<(Epoch, Hash)>,
    /// Events of this installation that are stored there.
    #[serde(default)]
    pub sent: u64,
    /// An event that was on its way, as number `sent + 1`, when this was written.
    #[serde(default)]
    pub under_way: Option<EventId>,
}

/// A profile folder with somebody in it.
pub struct Profile {
    folder: PathBuf,
    account: Account,
    /// Locked while this command sends: two at once would number two events alike.
    held: Option<File>,
}

/// `--profile`, else `$XDG_STATE_HOME/hearth`, else `~/.local/state/hearth`.
pub fn default_folder() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let state = set("XDG_STATE_HOME").map(PathBuf::from);
    let home = || set("HOME").map(PathBuf::from).unwrap_or_default().join(".local/state");
    state.unwrap_or_else(home).join("hearth")
}

fn failed<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> MemberError + 'a {
    move |source| MemberError::Profile { what, path: path.to_path_buf(), source }
}

fn lock(folder: &Path) -> Result<File, MemberError> {
    let path = folder.join("lock");
    let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = open.map_err(failed("open", &path))?;
    file.lock().map_err(failed("lock", &path))?;
    Ok(file)
}

impl Profile {
    /// Makes or replaces the profile of a folder. Room memories of the same person stay.
    pub fn create(folder: &Path, mut account: Account) -> Result<Profile, MemberError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(folder).map_err(failed("make", folder))?;
        let _lock = lock(folder)?;
        let (mut rooms, mut pins) = (Rooms::new(), Pins::default());
        if let Some(before) = read::<Account>(&folder.join(ACCOUNT))?
            && before.user == account.user
            && before.url == account.url
        {
            account.writer = before.writer;
            rooms = read(&folder.join(ROOMS))?.unwrap_or_default();
            pins = read(&folder.join(PINS))?.unwrap_or_default();
        }
        write(&folder.join(PINS), &pins)?;
        write(&folder.join(ROOMS), &rooms)?;
        write(&folder.join(ACCOUNT), &account)?;
        Ok(Profile { folder: folder.into(), account, held: None })
    }

    /// The profile of a folder.
    pub fn load(folder: &Path) -> Result<Profile, MemberError> {
        let account = read(&folder.join(ACCOUNT))?
            .ok_or_else(|| MemberError::NotSignedIn { folder: folder.to_path_buf() })?;
        Ok(Profile { folder: folder.into(), account, held: None })
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Who is signed in.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The keys of the person.
    pub fn identity(&self) -> Result<Identity, MemberError> {
        Ok(Identity::from_root(Secret::from_slice("the profile's root", &self.account.root)?)?)
    }

    /// Uses the refresh secret; the one that takes its place is on disk when it returns. Other
    /// commands of this profile wait: a secret that was used before ends the login.
    pub fn renew(
        &mut self,
        ask: impl FnOnce(&str) -> Result<String, MemberError>,
    ) -> Result<(), MemberError> {
        let _lock = if self.held.is_none() { Some(lock(&self.folder)?) } else { None };
        let path = self.folder.join(ACCOUNT);
        if let Some(now_is) = read::<Account>(&path)?
            && now_is.user == self.account.user
        {
            self.account.refresh.clone_from(&now_is.refresh);
        }
        let next = ask(&self.account.refresh)?;
        if next != self.account.refresh {
            self.account.refresh = next;
            write(&path, &self.account)?;
        }
        Ok(())
    }

    /// Keeps other commands of this profile from sending; waits for one that does.
    pub fn hold(&mut self) -> Result<(), MemberError> {
        if self.held.is_none() {
            self.held = Some(lock(&self.folder)?);
        }
        Ok(())
    }

    /// Lets them send again.
    pub fn release(&mut self) {
        self.held = None;
    }

    /// Whose keys were known when a vault was read last.
    pub fn pins(&self) -> Result<Pins, MemberError> {
        Ok(read(&self.folder.join(PINS))?.unwrap_or_default())
    }

    /// Keeps the pins of a newer vault; on disk when it returns.
    pub fn keep_pins(&self, pins: &Pins) -> Result<(), MemberError> {
        let _lock = if self.held.is_none() { Some(lock(&self.folder)?) } else { None };
        write(&self.folder.join(PINS), pins)
    }

    /// What is remembered of a room.
    pub fn room(&self, room: RoomId) -> Result<RoomMemory, MemberError> {
        let rooms: Option<Rooms> = read(&self.folder.join(ROOMS))?;
        Ok(rooms.and_then(|mut rooms| rooms.remove(&room)).unwrap_or_default())
    }

    /// Changes what is remembered of a room; on disk when it returns.
    pub fn update(
        &self,
        room: RoomId,
        change: impl FnOnce(&mut RoomMemory),
    ) -> Result<(), MemberError> {
        let _lock = if self.held.is_none() { Some(lock(&self.folder)?) } else { None };
        let path = self.folder.join(ROOMS);
        let mut rooms: Rooms = read(&path)?.unwrap_or_default();
        let before = rooms.get(&room).cloned().unwrap_or_default();
        let mut after = before.clone();
        change(&mut after);
        if after == before {
            return Ok(());
        }
        rooms.insert(room, after);
        write(&path, &rooms)
    }
}

type Rooms = BTreeMap<RoomId, RoomMemory>;

const ACCOUNT: &str = "account.json";
const ROOMS: &str = "rooms.json";
const PINS: &str = "pins.json";

fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, MemberError> {
    let text = match fs::read(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read", path)(error)),
    };
    let bad = |error: serde_json::Error| MemberError::BadProfile {
        path: path.to_path_buf(),
        problem: error.to_string(),
    };
    serde_json::from_slice(&text).map(Some).map_err(bad)
}

/// Whole or not at all, on disk when it returns.
fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), MemberError> {
    let text = serde_json::to_vec_pretty(value).map(Zeroizing::new);
    let text = text.map_err(io::Error::other).map_err(failed("write", path))?;
    let fresh = path.with_extension("new");
    let replace = || {
        let mut file =
            OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&fresh)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    replace().map_err(failed("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn account(name: &str, writer: u32) -> Account {
        let user = UserId::new(1, [name.len() as u8; 10]);
        Account::new("http://box", user, name, "secret", &Secret::from_bytes([7; 32]), writer)
    }

    #[test]
    fn a_renewed_secret_is_on_disk_and_the_next_command_uses_it() {
        let home = tempfile::tempdir().unwrap();
        let mut profile = Profile::create(home.path(), account("ada", 5)).unwrap();
        let mut other = Profile::load(home.path()).unwrap();
        let asked = |expected: &'static str, next: &'static str| {
            move |refresh: &str| {
                assert_eq!(refresh, expected);
                Ok(next.to_string())
            }
        };
        profile.renew(asked("secret", "second")).unwrap();
        assert_eq!(Profile::load(home.path()).unwrap().account().refresh, "second");
        other.renew(asked("second", "third")).unwrap();
        let refuse = |_: &str| Err(MemberError::NotSignedIn { folder: home.path().into() });
        assert!(other.renew(refuse).is_err());
        profile.renew(asked("third", "third")).unwrap();
        assert_eq!(Profile::load(home.path()).unwrap().account().refresh, "third");
    }

    #[test]
    fn a_profile_is_its_owners_alone_and_reads_back() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/hearth");
        drop(Profile::create(&folder, account("ada", 5)).unwrap());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join(ACCOUNT)), 0o600);
        assert_eq!(mode(&folder.join(ROOMS)), 0o600);
        let profile = Profile::load(&folder).unwrap();
        assert_eq!(profile.account().name, "ada");
        assert_eq!(profile.identity().unwrap().root(), &Secret::from_bytes([7; 32]));
    }

    #[test]
    fn what_was_sent_is_remembered_by_the_same_person_only() {
        let home = tempfile::tempdir().unwrap();
        let room = RoomId::new(1, [1; 10]);
        let mut profile = Profile::create(home.path(), account("ada", 5)).unwrap();
        profile.hold().unwrap();
        profile.update(room, |memory| memory.sent = 3).unwrap();
        profile.release();
        let again = Profile::create(home.path(), account("ada", 6)).unwrap();
        assert_eq!((again.account().writer, again.room(room).unwrap().sent), (5, 3));
        let other = Profile::create(home.path(), account("benno", 6)).unwrap();
        assert_eq!((other.account().writer, other.room(room).unwrap().sent), (6, 0));
    }

    #[test]
    fn an_empty_or_foreign_folder_says_what_to_do() {
        let home = tempfile::tempdir().unwrap();
        let refused = |folder: &Path| Profile::load(folder).err().unwrap().to_string();
        assert!(refused(home.path()).contains("hearth login"));
        fs::write(home.path().join(ACCOUNT), "hello").unwrap();
        assert!(refused(home.path()).contains("sign in again"));
    }
}
