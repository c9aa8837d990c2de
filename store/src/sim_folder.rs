//! A folder for tests: a power cut comes after as many operations on its files and names as one
//! likes, and takes from the files what was not synced and from the names the newest changes.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::{Disk, Folder};
use crate::sim_disk::{Dice, SimDisk};

/// A folder with the database's file and perhaps one beside it. Share it as `Arc<SimFolder>`.
#[derive(Debug, Default)]
pub struct SimFolder {
    names: Mutex<Names>,
    power: Arc<Power>,
    /// Bytes that are free; without a number any file has room.
    free: Mutex<Option<u64>>,
}

/// Which file has which name.
#[derive(Debug, Default, Clone)]
struct Named {
    database: Arc<SimDisk>,
    beside: Option<Arc<SimDisk>>,
}

#[derive(Debug, Default)]
struct Names {
    /// As they are, then as they were before each change since the last sync, newest first.
    view: Named,
    before: Vec<Named>,
}

/// Counts what was done; nothing is done once it is cut.
#[derive(Debug, Default)]
struct Power {
    operations: Mutex<u64>,
    cut_after: Mutex<Option<u64>>,
}

/// A file of the folder.
#[derive(Debug)]
struct SimFile {
    disk: Arc<SimDisk>,
    power: Arc<Power>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Power {
    /// Counts an operation. While it is under way the power stays.
    fn operate<T>(&self, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let mut operations = lock(&self.operations);
        if lock(&self.cut_after).is_some_and(|last| *operations >= last) {
            return Err(io::Error::other("the power is cut"));
        }
        *operations += 1;
        operation()
    }
}

impl SimFolder {
    /// A folder whose database's file holds an image, all of it durable.
    pub fn holding(image: Vec<u8>) -> Self {
        let view = Named { database: Arc::new(SimDisk::holding(image)), beside: None };
        Self { names: Mutex::new(Names { view, before: vec![] }), ..Self::default() }
    }

    /// The database's file, as a start of the process opens it: nothing is beside it.
    pub fn open(&self) -> Arc<dyn Disk> {
        lock(&self.names).view.beside = None;
        self.file(lock(&self.names).view.database.clone())
    }

    /// Lets as many more operations through; then the power is gone.
    pub fn cut_power_after(&self, operations: u64) {
        *lock(&self.power.cut_after) = Some(*lock(&self.power.operations) + operations);
    }

    /// Says how many bytes are free.
    pub fn has_free(&self, bytes: u64) {
        *lock(&self.free) = Some(bytes);
    }

    /// Bytes of the file that has the database's name.
    pub fn database_image(&self) -> Vec<u8> {
        lock(&self.names).view.database.image()
    }

    /// Whether a file lies beside it.
    pub fn has_beside(&self) -> bool {
        lock(&self.names).view.beside.is_some()
    }

    /// What a power cut now leaves: of each file what its disk keeps, and of the changes of names
    /// since the last sync the first few.
    pub fn after_power_cut(&self, dice: &mut Dice) -> SimFolder {
        let names = lock(&self.names);
        let lost = usize::try_from(dice.roll(names.before.len() as u64 + 1)).unwrap_or(0);
        let kept = match lost.checked_sub(1) {
            Some(newest) => &names.before[newest],
            None => &names.view,
        };
        let mut cut = |disk: &Arc<SimDisk>| Arc::new(SimDisk::holding(disk.after_power_cut(dice)));
        let view = Named { database: cut(&kept.database), beside: kept.beside.as_ref().map(cut) };
        Self { names: Mutex::new(Names { view, before: vec![] }), ..Self::default() }
    }

    fn file(&self, disk: Arc<SimDisk>) -> Arc<dyn Disk> {
        Arc::new(SimFile { disk, power: self.power.clone() })
    }

    fn rename(&self, change: impl FnOnce(&mut Named) -> io::Result<()>) -> io::Result<()> {
        self.power.operate(|| {
            let mut names = lock(&self.names);
            let before = names.view.clone();
            change(&mut names.view)?;
            names.before.insert(0, before);
            Ok(())
        })
    }
}

impl Folder for SimFolder {
    fn create_beside(&self) -> io::Result<Arc<dyn Disk>> {
        let disk = Arc::new(SimDisk::new());
        self.rename(|names| {
            names.beside = Some(disk.clone());
            Ok(())
        })?;
        Ok(self.file(disk))
    }

    fn replace(&self) -> io::Result<()> {
        self.rename(|names| {
            names.database = names.beside.take().ok_or(io::ErrorKind::NotFound)?;
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.power.operate(|| {
            lock(&self.names).before.clear();
            Ok(())
        })
    }

    fn discard(&self) -> io::Result<()> {
        self.rename(|names| {
            names.beside = None;
            Ok(())
        })
    }

    fn free_bytes(&self) -> io::Result<u64> {
        Ok(lock(&self.free).unwrap_or(u64::MAX))
    }
}

impl Disk for SimFile {
    fn len(&self) -> io::Result<u64> {
        self.disk.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.read_at(offset, out)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.power.operate(|| self.disk.write_at(offset, data))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.power.operate(|| self.disk.set_len(len))
    }

    fn sync(&self) -> io::Result<()> {
        self.power.operate(|| self.disk.sync())
    }
}
