//! What the owner of the box asks about backups.

use std::path::PathBuf;

use hearth_protocol::sealing::Recipient;
use hearth_store::BackupPlan;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::backups::BackupState;
use crate::error::ApiError;

/// A request about backups.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupRequest {
    /// Begins one.
    Start {
        /// Where to, in full.
        file: PathBuf,
        /// Whether another age file of this name is replaced.
        force: bool,
        /// The data folder, in full.
        data: PathBuf,
        /// Who else can open it.
        to: Vec<Recipient>,
    },
    /// Asks how it is.
    State,
    /// Says who can open the backups to come.
    SetKey {
        /// Who.
        recipient: Recipient,
        /// Whether somebody else may have been it.
        replace: bool,
    },
}

/// How backups are.
#[derive(Debug, Serialize, Deserialize)]
pub struct BackupReply {
    /// Who can open them, and the last one.
    pub plan: BackupPlan,
    /// The one that is being made, or was made last since the box started.
    pub state: BackupState,
}

/// Does what a request asks.
pub(super) async fn answer(app: &App, request: BackupRequest) -> Result<BackupReply, ApiError> {
    match request {
        BackupRequest::Start { file, force, data, to } => {
            app.start_backup(file, force, data, to).await?;
        }
        BackupRequest::State => {}
        BackupRequest::SetKey { recipient, replace } => {
            app.set_backup_recipient(recipient, replace).await?;
        }
    }
    Ok(BackupReply { plan: app.backup_plan().await?, state: app.backups.state().await })
}
