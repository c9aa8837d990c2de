//! Power cuts at every step of an upload: afterwards the attachment is there whole, or nothing is.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::attachments::folder::{Folders, NewFile, RealFolders};

/// Folders whose power goes out before a step, and which then lose what was not synced.
#[derive(Debug, Default)]
struct Cut {
    /// How many steps are done before.
    after: usize,
    steps: AtomicUsize,
    /// Files with bytes that were not synced.
    dirty: Mutex<BTreeSet<PathBuf>>,
    /// Names that were not synced, of files and folders, each with the one before, if any.
    names: Mutex<Vec<(PathBuf, Option<PathBuf>)>>,
}

/// What a disk makes of names that were not synced.
#[derive(Debug, Clone, Copy)]
enum Names {
    Kept,
    Lost,
}

impl Cut {
    fn step(&self) -> io::Result<()> {
        if self.steps.fetch_add(1, Ordering::SeqCst) < self.after {
            return Ok(());
        }
        Err(io::Error::other("the power is out"))
    }

    /// What the disk holds when the power is back.
    fn lose(&self, names: Names) {
        for path in self.dirty.lock().unwrap().iter() {
            if let Ok(file) = OpenOptions::new().write(true).open(path) {
                let half = file.metadata().unwrap().len() / 2;
                file.set_len(half).unwrap();
            }
        }
        let Names::Lost = names else { return };
        for (now, before) in self.names.lock().unwrap().iter().rev() {
            match before {
                Some(before) => fs::rename(now, before).unwrap(),
                None if now.is_dir() => fs::remove_dir_all(now).unwrap(),
                None => fs::remove_file(now).unwrap(),
            }
        }
    }
}

impl Folders for Arc<Cut> {
    fn make(&self, folder: &Path) -> io::Result<()> {
        self.step()?;
        if !folder.exists() {
            self.names.lock().unwrap().push((folder.into(), None));
        }
        RealFolders.make(folder)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn NewFile>> {
        self.step()?;
        RealFolders.create(path)?;
        self.names.lock().unwrap().push((path.into(), None));
        let file = OpenOptions::new().write(true).open(path)?;
        Ok(Box::new(CutFile { file, path: path.into(), cut: self.clone() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        RealFolders.rename(from, to)?;
        if self.dirty.lock().unwrap().remove(from) {
            self.dirty.lock().unwrap().insert(to.into());
        }
        self.names.lock().unwrap().push((to.into(), Some(from.into())));
        Ok(())
    }

    fn sync(&self, folder: &Path) -> io::Result<()> {
        self.step()?;
        self.names.lock().unwrap().retain(|(name, _)| name.parent() != Some(folder));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        RealFolders.remove(path)
    }
}

struct CutFile {
    file: File,
    path: PathBuf,
    cut: Arc<Cut>,
}

impl Write for CutFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.cut.step()?;
        self.cut.dirty.lock().unwrap().insert(self.path.clone());
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl NewFile for CutFile {
    fn sync(&mut self) -> io::Result<()> {
        self.cut.step()?;
        self.cut.dirty.lock().unwrap().remove(&self.path);
        Ok(())
    }
}

/// One upload with the power out after so many steps; says whether it was stored.
async fn upload_with_a_cut(new: NewAttachment, after: usize, names: Names) -> bool {
    let house = House::new().await;
    let bytes = content(100_000);
    let cut = Arc::new(Cut { after, ..Cut::default() });
    let (store, folder) = (house.store.clone(), house.folder.path());
    let attachments = Attachments::on(store, folder, Arc::new(cut.clone())).await;
    let put = match attachments {
        Ok(attachments) => attachments.put(new.clone(), &bytes[..]).await,
        Err(error) => Err(error),
    };
    cut.lose(names);
    let at = format!("{names:?} after {after} steps: {:?}", put.as_ref().err());
    let stored = put.is_ok();
    let swept = house.attachments.sweep(2_000).await.unwrap();
    assert!(swept.damaged.is_empty() && swept.attachments == 0, "{at}");
    match put {
        Ok(attachment) => {
            assert!(house.read(&attachment, 0, None).await.unwrap() == bytes, "{at}");
        }
        Err(_) => {
            assert!(house.files().is_empty(), "{at}");
            assert_eq!(house.used(Whose::House).await, (0, 0), "{at}");
            let again = house.put(new, &bytes).await.unwrap();
            assert!(house.read(&again, 0, None).await.unwrap() == bytes, "{at}");
        }
    }
    stored
}

#[test]
fn after_a_power_cut_at_any_step_an_attachment_is_whole_or_not_there() {
    for new in [text(1), sealed(2)] {
        for names in [Names::Kept, Names::Lost] {
            let mut refused = 0;
            while !block_on(upload_with_a_cut(new.clone(), refused, names)) {
                refused += 1;
            }
            // Two folders made and synced, the file made, written, synced, renamed, its folder
            // synced: each was cut once.
            assert!(refused >= 9, "{refused} cuts");
        }
    }
}

#[test]
fn a_commit_that_failed_leaves_no_file_and_one_that_came_through_loses_none() {
    for lies in [false, true] {
        block_on(async {
            let engine = Arc::new(Gated { lies, ..Gated::new(1_000) });
            let house = House::on(Arc::new(engine.clone()), Limits::default()).await;
            engine.fails.store(1, Ordering::SeqCst);
            refused!(house.put(text(1), b"hello").await, Engine);
            let there = house.store.attachment(attachment_id(1)).await.unwrap();
            assert_eq!(there.is_some(), lies);
            let swept = house.attachments.sweep(2_000).await.unwrap();
            assert_eq!((swept.files, swept.damaged.len()), (usize::from(!lies), 0));
            if let Some(there) = there {
                assert_eq!(house.read(&there, 0, None).await.unwrap(), b"hello");
            }
        });
    }
}
