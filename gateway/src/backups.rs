//! Backups of this house while it runs: one at a time, on a thread of its own, ended with it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hearth_protocol::sealing::Recipient;
use hearth_store::backup::{Counts, Made, Making, Progress};
use hearth_store::{BackupError, BackupPlan, Change, Edit, Store, Subject};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::audit::{self, AuditAction};
use crate::clock::Clock;
use crate::error::ApiError;

/// The backup that is being made, or was made last since the house opened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupState {
    /// There was none.
    #[default]
    None,
    /// It is under way.
    Running {
        /// Rows so far.
        rows: u64,
        /// Attachments so far.
        files: u64,
    },
    /// It is whole.
    Done {
        /// Where it lies.
        file: PathBuf,
        /// Rows in it.
        rows: u64,
        /// Attachments in it.
        files: u64,
        /// Attachments that went while it was made.
        gone: u64,
        /// Stretches of rows, and attachments, that did not read and are not in it.
        lost: u64,
        /// How long the file is.
        bytes: u64,
    },
    /// It came to nothing.
    Failed {
        /// Why, and what to do.
        why: String,
    },
}

/// The one that is under way.
#[derive(Default)]
pub struct Backups {
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    ended: BackupState,
    running: Option<Running>,
}

struct Running {
    progress: Arc<Progress>,
    task: JoinHandle<BackupState>,
}

impl Backups {
    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it is.
    pub async fn state(&self) -> BackupState {
        let over = self.current().running.take_if(|running| running.task.is_finished());
        if let Some(running) = over {
            self.end(running).await;
        }
        let current = self.current();
        match &current.running {
            Some(running) => {
                let (rows, files) = running.progress.so_far();
                BackupState::Running { rows, files }
            }
            None => current.ended.clone(),
        }
    }

    /// Waits until none is under way.
    pub async fn finished(&self) -> BackupState {
        let running = self.current().running.take();
        if let Some(running) = running {
            self.end(running).await;
        }
        self.current().ended.clone()
    }

    /// Ends one that is under way; it leaves nothing.
    pub async fn stop(&self) {
        if let Some(running) = &self.current().running {
            running.progress.stop();
        }
        self.finished().await;
    }

    async fn end(&self, running: Running) {
        let ended = running.task.await;
        let failed = |error: tokio::task::JoinError| BackupState::Failed { why: error.to_string() };
        self.current().ended = ended.unwrap_or_else(failed);
    }
}

/// The code of the refusal to replace a key unasked.
pub const HAS_KEY: &str = "has_backup_key";

impl App {
    /// Who can open backups, and the last one.
    pub async fn backup_plan(&self) -> Result<BackupPlan, ApiError> {
        Ok(self.store.backup_plan().await?)
    }

    /// Makes somebody the one who can open backups; another one only if that is asked for.
    pub async fn set_backup_recipient(
        &self,
        recipient: Recipient,
        replace: bool,
    ) -> Result<BackupPlan, ApiError> {
        if let Some(old) = self.backup_plan().await?.recipient
            && !replace
        {
            let message = format!("backups have a key already, of {old}");
            return Err(ApiError::conflict(HAS_KEY, message)
                .hint("--replace makes another one for the backups to come"));
        }
        let detail = json!({ "recipient": recipient.to_string() });
        let mut change = Change::of(vec![Edit::SetBackupRecipient(recipient)], self.clock.now_ms());
        audit::note(&mut change, None, AuditAction::BackupKey, Subject::House, detail);
        self.store.change(change).await?;
        self.backup_plan().await
    }

    /// Begins a backup for these recipients and the house's own; with `force` in place of any age
    /// file of this name.
    pub async fn start_backup(
        &self,
        file: PathBuf,
        force: bool,
        data: PathBuf,
        mut to: Vec<Recipient>,
    ) -> Result<(), ApiError> {
        to.extend(self.backup_plan().await?.recipient.filter(|own| !to.contains(own)));
        let max = self.limits.backup_recipients_max;
        if to.len() > max {
            let message = format!("a backup has at most {max} recipients, not {}", to.len());
            return Err(ApiError::invalid("too_many_recipients", message));
        }
        // Takes leave of one that is over.
        self.backups.state().await;
        let making = Making { file, force, to, data, made_at: self.clock.now_ms() };
        let (store, clock) = (self.store.clone(), self.clock.clone());
        let progress = Arc::new(Progress::default());
        let mut current = self.backups.current();
        if current.running.is_some() {
            return Err(ApiError::conflict("backup_running", "a backup is being made already")
                .hint("wait for it"));
        }
        let told = progress.clone();
        let task = tokio::spawn(async move { make(store, clock, making, told).await });
        current.running = Some(Running { progress, task });
        Ok(())
    }
}

async fn make(
    store: Store,
    clock: Arc<dyn Clock>,
    making: Making,
    progress: Arc<Progress>,
) -> BackupState {
    let file = making.file.clone();
    let making = tokio::task::spawn_blocking({
        let store = store.clone();
        move || store.back_up(&making, &progress)
    });
    let made = match making.await {
        Ok(made) => note(&store, &*clock, made).await,
        Err(panicked) => Err(panicked.to_string()),
    };
    match made {
        Ok(Made { counts, bytes }) => {
            tracing::info!(rows = counts.rows, files = counts.files, bytes, "a backup was made");
            let Counts { rows, files, gone, lost } = counts;
            BackupState::Done { file, rows, files, gone, lost, bytes }
        }
        Err(why) => {
            tracing::warn!(%why, "a backup came to nothing");
            BackupState::Failed { why }
        }
    }
}

/// Remembers when the last one was made.
async fn note(
    store: &Store,
    clock: &dyn Clock,
    made: Result<Made, BackupError>,
) -> Result<Made, String> {
    let made = made.map_err(|error| spell(&error))?;
    let mut change = Change::of(vec![Edit::NoteBackup { bytes: made.bytes }], clock.now_ms());
    let detail = json!({ "bytes": made.bytes });
    audit::note(&mut change, None, AuditAction::BackupMake, Subject::House, detail);
    store
        .change(change)
        .await
        .map(|_| made)
        .map_err(|error| format!("the backup is whole, but: {error}"))
}

/// An error with what lies under it.
fn spell(error: &BackupError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
