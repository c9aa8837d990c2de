//! A data folder that this process alone has: made and locked, before it is opened with its key.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use hearth_protocol::limits::Limits;
use hearth_store::{
    Attachments, Disk, FILES_FOLDER, FileDisk, FileFolder, KeyError, Opened, Passphrase, Redb,
    refuse_newer,
};

use crate::app::App;
use crate::appliance::ApplianceError;
use crate::clock::SystemClock;
use crate::config::Place;
use crate::error::ApiError;

/// A house that nobody else can open meanwhile.
pub struct Claim {
    /// Where it lies.
    pub place: Place,
    /// The limits in force.
    pub limits: Arc<Limits>,
    folder: FileFolder,
    disk: FileDisk,
}

/// A house that is open.
pub struct OpenHouse {
    /// What serves it.
    pub app: Arc<App>,
    /// What lies under its store.
    pub engine: Arc<Redb>,
    /// The files beside the store.
    pub attachments: Attachments,
}

impl Claim {
    /// Takes the data folder, made if it is not there.
    pub fn take(place: &Place, limits: Arc<Limits>) -> Result<Self, ApplianceError> {
        make_folder(&place.data)
            .map_err(|cause| ApplianceError::Folder { folder: place.data.clone(), cause })?;
        let (folder, disk) = FileFolder::open(&place.store_file())?;
        Ok(Self { place: place.clone(), limits, folder, disk })
    }

    /// The data key, by what there is to open it with.
    pub fn unlock(&self, passphrase: Option<&Passphrase>) -> Result<Opened, KeyError> {
        self.place.keys.open(passphrase, &self.limits)
    }

    /// Opens the house.
    pub async fn open(self, opened: Opened) -> Result<OpenHouse, ApplianceError> {
        for error in &opened.passed_over {
            tracing::warn!(%error, "the data was opened in another way");
        }
        self.refuse_to_begin_anew()?;
        let (folder, disk) = (Arc::new(self.folder), Arc::new(self.disk));
        let file = self.place.store_file();
        refuse_newer(disk.clone(), &opened.key)
            .await
            .map_err(|cause| ApplianceError::Layout { file, cause })?;
        let engine = Redb::open_in(folder, disk, &opened.key, self.limits.cache_bytes)
            .map_err(|cause| ApplianceError::Store { file: self.place.store_file(), cause })?;
        let engine = Arc::new(engine);
        let app = App::open(engine.clone(), self.limits, Arc::new(SystemClock)).await?;
        let attachments = Attachments::open(app.store.clone(), &self.place.data).await;
        let attachments = attachments.map_err(ApiError::from)?;
        Ok(OpenHouse { app, engine, attachments })
    }

    /// A house whose database is gone is not a new house: its attachments are still there, and
    /// would be swept.
    fn refuse_to_begin_anew(&self) -> Result<(), ApplianceError> {
        let files = self.place.data.join(FILES_FOLDER);
        let none = |mut entries: fs::ReadDir| entries.next().is_none();
        if !self.disk.is_empty()? || fs::read_dir(&files).map_or(true, none) {
            return Ok(());
        }
        Err(ApplianceError::DatabaseGone { file: self.place.store_file(), files })
    }
}

fn make_folder(data: &Path) -> io::Result<()> {
    if !data.is_dir() {
        fs::create_dir_all(data)?;
        fs::set_permissions(data, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}
