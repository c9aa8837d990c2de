//! What somebody who steals this disk could read, by the ways there are to open the data. One
//! function makes the sentence: `serve`, `doctor` and `key` say the same.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use hearth_store::{KeyError, Keys, Way};

/// Where something lies, seen from the data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lies {
    /// In it.
    InTheFolder,
    /// On the same disk.
    OnTheDisk,
    /// On another file system, of another disk as far as can be told.
    Elsewhere,
    /// Nowhere: on something that was taken away.
    NotThere,
}

/// How the credential that systemd hands over is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// In clear, in a file.
    Clear(PathBuf, Lies),
    /// Encrypted by `systemd-creds`, in a file.
    Encrypted(PathBuf),
    /// In none of systemd's own folders, or these may not be read.
    Unknown,
}

/// The ways there are to open the data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Situation {
    /// The key file, if one opens the data.
    pub key_file: Option<(PathBuf, Lies)>,
    /// The credential, if one opens the data.
    pub credential: Option<Stored>,
    /// Whether a passphrase opens the data.
    pub passphrase: bool,
}

/// Where systemd looks for credentials, and whether they are encrypted there (systemd.exec(5)).
const STORES: [(&str, bool); 8] = [
    ("/etc/credstore", false),
    ("/run/credstore", false),
    ("/usr/local/lib/credstore", false),
    ("/usr/lib/credstore", false),
    ("/etc/credstore.encrypted", true),
    ("/run/credstore.encrypted", true),
    ("/usr/local/lib/credstore.encrypted", true),
    ("/usr/lib/credstore.encrypted", true),
];

/// Looks how it is.
pub fn look(keys: &Keys) -> Result<Situation, KeyError> {
    let ways = keys.ways()?;
    let key_file = || (keys.key_file.clone(), lies(&keys.key_file, &keys.data));
    Ok(Situation {
        key_file: ways.contains(&Way::KeyFile).then(key_file),
        credential: ways.contains(&Way::Credential).then(|| stored(&keys.data)),
        passphrase: ways.contains(&Way::Passphrase),
    })
}

/// Says it in one line: the weakest way decides.
pub fn sentence(situation: &Situation) -> String {
    const READS: &str = "names, times, sizes and open rooms";
    const NOTHING: &str = "nothing but the sizes and times of files";
    match situation {
        Situation { key_file: Some((key, Lies::InTheFolder)), .. } => format!(
            "a thief of this disk, and of any copy of the data folder, reads {READS}: the key {} \
             lies in it; move it away, and give its place with --key-file",
            key.display()
        ),
        Situation { key_file: Some((key, Lies::OnTheDisk)), passphrase, .. } => {
            let key = key.display();
            let remedy = if *passphrase {
                "`hearth key remove file` ends that"
            } else {
                "`hearth key add passphrase`, then `hearth key remove file`, ends that"
            };
            format!("a thief of this disk reads {READS}: the key {key} lies on it; {remedy}")
        }
        Situation { credential: Some(Stored::Clear(file, place)), .. }
            if *place != Lies::Elsewhere =>
        {
            format!(
                "a thief of this disk reads {READS}: the credential {} lies on it in clear; \
                 `systemd-creds encrypt` and LoadCredentialEncrypted=hearth.key end that",
                file.display()
            )
        }
        Situation { credential: Some(Stored::Clear(file, _)), .. } => format!(
            "a thief of this disk reads {NOTHING}, unless they also take the credential {}, \
             which lies in clear on another file system",
            file.display()
        ),
        Situation { credential: Some(stored), .. } => {
            let lies = match stored {
                Stored::Encrypted(file) => format!("the credential {} is", file.display()),
                _ => "the systemd credential is".to_string(),
            };
            format!(
                "a thief of this disk reads {NOTHING} if {lies} encrypted with a TPM; if it is in \
                 clear or encrypted with the host's key alone, which lies on the disk: {READS}"
            )
        }
        Situation { key_file: Some((key, place)), .. } => {
            let place = match place {
                Lies::NotThere => "is not here now",
                _ => "lies on another file system",
            };
            format!(
                "a thief of this disk reads {NOTHING}, unless they also take the key {}, which \
                 {place}",
                key.display()
            )
        }
        Situation { passphrase: true, .. } => {
            format!("a thief of this disk reads {NOTHING}, unless they guess the passphrase")
        }
        _ => "a thief of this disk finds no key and no data: nothing was set up yet".to_string(),
    }
}

fn stored(data: &Path) -> Stored {
    for (folder, encrypted) in STORES {
        let file = Path::new(folder).join(CREDENTIAL);
        if file.exists() {
            return match encrypted {
                true => Stored::Encrypted(file),
                false => Stored::Clear(file.clone(), lies(&file, data)),
            };
        }
    }
    Stored::Unknown
}

/// The credential's name, for `LoadCredential=` and in `$CREDENTIALS_DIRECTORY`.
pub const CREDENTIAL: &str = "hearth.key";

fn lies(file: &Path, data: &Path) -> Lies {
    let looked = || -> io::Result<Lies> {
        let (file, data) = (fs::canonicalize(file)?, fs::canonicalize(data)?);
        if file.starts_with(&data) {
            return Ok(Lies::InTheFolder);
        }
        let (own, other) = (fs::metadata(&data)?.dev(), fs::metadata(&file)?.dev());
        Ok(if own == other || disk_of(own).is_some_and(|disk| Some(disk) == disk_of(other)) {
            Lies::OnTheDisk
        } else {
            Lies::Elsewhere
        })
    };
    looked().unwrap_or(Lies::NotThere)
}

/// The disk that a file system's partition is on, where the kernel says so.
fn disk_of(device: u64) -> Option<PathBuf> {
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let block = fs::canonicalize(format!("/sys/dev/block/{major}:{minor}")).ok()?;
    if block.join("partition").exists() {
        block.parent().map(Path::to_path_buf)
    } else {
        Some(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weakest_way_decides_what_a_thief_reads() {
        let at = |lies| Some((PathBuf::from("/box/data.key"), lies));
        let clear = |lies| Some(Stored::Clear("/etc/credstore/hearth.key".into(), lies));
        let encrypted = || Some(Stored::Encrypted("/etc/credstore.encrypted/hearth.key".into()));
        let reads = "reads names, times, sizes and open rooms";
        let nothing = "reads nothing but the sizes and times of files";
        let cases = [
            (at(Lies::InTheFolder), None, false, [reads, "of any copy", "move it away"]),
            (at(Lies::InTheFolder), encrypted(), true, [reads, "/box/data.key", "--key-file"]),
            (
                at(Lies::OnTheDisk),
                None,
                false,
                [reads, "/box/data.key", "`hearth key add passphrase`, then `hearth key remove"],
            ),
            (at(Lies::OnTheDisk), None, true, [reads, "on it", "`hearth key remove file` ends"]),
            (at(Lies::OnTheDisk), encrypted(), false, [reads, "on it", "add passphrase"]),
            (at(Lies::Elsewhere), None, false, [nothing, "/box/data.key", "another file system"]),
            (at(Lies::Elsewhere), None, true, [nothing, "unless they also take", "system"]),
            (at(Lies::NotThere), None, false, [nothing, "unless they also take", "not here now"]),
            (None, None, true, [nothing, "unless they guess", "passphrase"]),
            (None, clear(Lies::OnTheDisk), true, [reads, "in clear", "systemd-creds encrypt"]),
            (None, clear(Lies::Elsewhere), false, [nothing, "unless they also", "in clear"]),
            (at(Lies::Elsewhere), clear(Lies::OnTheDisk), false, [reads, "in clear", "end that"]),
            (None, encrypted(), false, [nothing, "encrypted with a TPM", "host's key alone"]),
            (at(Lies::Elsewhere), encrypted(), true, [nothing, "TPM", "credstore.encrypted"]),
            (None, Some(Stored::Unknown), false, [nothing, "the systemd credential is", "TPM"]),
            (None, None, false, ["no key", "no data", "nothing was set up"]),
        ];
        for (key_file, credential, passphrase, words) in cases {
            let situation = Situation { key_file, credential, passphrase };
            let said = sentence(&situation);
            assert!(said.starts_with("a thief of this disk") && !said.contains('\n'), "{said}");
            for word in words {
                assert!(said.contains(word), "{situation:?}: {said}: {word}");
            }
        }
    }

    #[test]
    fn a_key_is_in_the_folder_on_the_disk_or_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        for (name, expected) in [("data/key", Lies::InTheFolder), ("key", Lies::OnTheDisk)] {
            fs::write(folder.path().join(name), "").unwrap();
            assert_eq!(lies(&folder.path().join(name), &data), expected);
        }
        assert_eq!(lies(&folder.path().join("pulled"), &data), Lies::NotThere);
        assert_eq!(lies(Path::new("/proc/version"), &data), Lies::Elsewhere);
        std::os::unix::fs::symlink(data.join("key"), folder.path().join("link")).unwrap();
        assert_eq!(lies(&folder.path().join("link"), &data), Lies::InTheFolder);
    }
}
