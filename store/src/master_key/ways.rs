//! Adding, changing and removing ways to open the data. The data key stays the same, so nothing
//! else is written; and at each step at least one way opens.

use hearth_protocol::limits::Limits;
use zeroize::Zeroizing;

use super::files::{self, Step, hold, placing, removing, replacing, there};
use super::identity::{self, new_key_file};
use super::{Credential, DataKey, KeyError, Keys, Opened, Passphrase, Way, wrapped};

/// A way to add, with what opens it.
#[derive(Debug, Clone, Copy)]
pub enum NewWay<'a> {
    /// The key file that [`Keys`] names, made if it is not there.
    KeyFile,
    /// A passphrase.
    Passphrase(&'a Passphrase),
    /// What systemd will hand the service.
    Credential(&'a Credential),
}

impl NewWay<'_> {
    fn way(&self) -> Way {
        match self {
            NewWay::KeyFile => Way::KeyFile,
            NewWay::Passphrase(_) => Way::Passphrase,
            NewWay::Credential(_) => Way::Credential,
        }
    }
}

impl Keys {
    /// Adds a way to open data that was opened.
    pub fn add(&self, new: NewWay, opened: &Opened, limits: &Limits) -> Result<(), KeyError> {
        let _held = self.hold()?;
        if there(&self.wrapped(new.way()))? {
            return Err(KeyError::ThereAlready(new.way()));
        }
        files::run(self.adding(new, &opened.key, limits)?)
    }

    /// Wraps the key for another passphrase.
    pub fn change_passphrase(
        &self,
        new: &Passphrase,
        opened: &Opened,
        limits: &Limits,
    ) -> Result<(), KeyError> {
        let _held = self.hold()?;
        if !there(&self.wrapped(Way::Passphrase))? {
            return Err(KeyError::NoSuchWay(Way::Passphrase));
        }
        files::run(self.changing(new, &opened.key, limits)?)
    }

    /// Removes a way, if another one opens the data; says which one did.
    pub fn remove(
        &self,
        way: Way,
        passphrase: Option<&Passphrase>,
        limits: &Limits,
    ) -> Result<Opened, KeyError> {
        let _held = self.hold()?;
        let mut others = self.ways()?;
        if !others.contains(&way) {
            return Err(KeyError::NoSuchWay(way));
        }
        others.retain(|other| *other != way);
        if others.is_empty() {
            return Err(KeyError::LastWay(way));
        }
        let opened = self.open_with(&others, passphrase, limits)?;
        files::run(removing(&self.wrapped(way)))?;
        Ok(opened)
    }

    /// Whether a way's wrapped key is good: opened with what there is, or, where that is not
    /// there, looked at from outside. `true` if it was opened.
    pub fn examine(
        &self,
        way: Way,
        passphrase: Option<&Passphrase>,
        limits: &Limits,
    ) -> Result<bool, KeyError> {
        let can_open = match way {
            Way::KeyFile => true,
            Way::Passphrase => passphrase.is_some(),
            Way::Credential => self.credential.is_some(),
        };
        if can_open {
            return self.open_by(way, passphrase, limits).map(|_key| true);
        }
        let path = self.wrapped(way);
        let bytes = files::read(&path, limits.key_file_bytes_max)?;
        wrapped::examine(&bytes, &path, way == Way::Passphrase).map(|()| false)
    }

    /// The steps that add a way.
    pub(super) fn adding(
        &self,
        new: NewWay,
        key: &DataKey,
        limits: &Limits,
    ) -> Result<Vec<Step>, KeyError> {
        let path = self.wrapped(new.way());
        let bytes = match new {
            NewWay::KeyFile => {
                files::sweep(&self.key_file)?;
                if !there(&self.key_file)? {
                    files::run(placing(&self.key_file, new_key_file()))?;
                }
                wrapped::for_x25519(key, &identity::read_key_file(&self.key_file, limits)?)?
            }
            NewWay::Passphrase(passphrase) => for_passphrase(key, passphrase, limits)?,
            NewWay::Credential(Credential::Identity(own)) => wrapped::for_x25519(key, own)?,
            NewWay::Credential(Credential::Secret(secret)) => for_passphrase(key, secret, limits)?,
        };
        Ok(placing(&path, bytes))
    }

    /// The steps that put another passphrase in place of the old one.
    pub(super) fn changing(
        &self,
        new: &Passphrase,
        key: &DataKey,
        limits: &Limits,
    ) -> Result<Vec<Step>, KeyError> {
        Ok(replacing(&self.wrapped(Way::Passphrase), for_passphrase(key, new, limits)?))
    }

    /// Keeps others from changing the ways, and tidies up after a cut.
    fn hold(&self) -> Result<std::fs::File, KeyError> {
        let held = hold(&self.folder())?;
        self.sweep()?;
        Ok(held)
    }

    /// Whether a cut left something of a change.
    pub(super) fn is_unfinished(&self) -> Result<bool, KeyError> {
        for way in Way::ALL {
            if files::is_unfinished(&self.wrapped(way))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Removes what a cut left of a change.
    pub(super) fn sweep(&self) -> Result<(), KeyError> {
        Way::ALL.into_iter().try_for_each(|way| files::sweep(&self.wrapped(way)))
    }
}

fn for_passphrase(
    key: &DataKey,
    passphrase: &Passphrase,
    limits: &Limits,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    passphrase.check_new(limits)?;
    wrapped::for_scrypt(key, passphrase, limits)
}
