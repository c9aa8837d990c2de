//! Who can open this house's backups, and when the last one was made. There is one plan, or none
//! yet. Only the public half of the key is in the house.

use hearth_protocol::sealing::Recipient;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys;
use crate::stage::Stage;
use crate::store::Store;

/// Who can open backups, and the last one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupPlan {
    /// Whose secret half opens every backup that names nobody else.
    pub recipient: Option<Recipient>,
    /// When the last one was whole, ms since 1970.
    pub last_at: Option<u64>,
    /// How many bytes it has.
    pub last_bytes: u64,
}

impl Store {
    /// The plan; without a recipient if nobody made one.
    pub async fn backup_plan(&self) -> Result<BackupPlan, StoreError> {
        let plan = self.load("backup plan", keys::backup_plan()).await?;
        Ok(plan.unwrap_or_default())
    }
}

/// From now on they can open backups.
pub(crate) async fn set_recipient(
    stage: &mut Stage<'_>,
    recipient: Recipient,
) -> Result<(), StoreError> {
    let plan = load(stage).await?;
    save(stage, &BackupPlan { recipient: Some(recipient), ..plan })
}

/// A backup is whole.
pub(crate) async fn note(stage: &mut Stage<'_>, at_ms: u64, bytes: u64) -> Result<(), StoreError> {
    let plan = load(stage).await?;
    save(stage, &BackupPlan { last_at: Some(at_ms), last_bytes: bytes, ..plan })
}

async fn load(stage: &Stage<'_>) -> Result<BackupPlan, StoreError> {
    Ok(stage.load("backup plan", keys::backup_plan()).await?.unwrap_or_default())
}

fn save(stage: &mut Stage<'_>, plan: &BackupPlan) -> Result<(), StoreError> {
    stage.save("backup plan", keys::backup_plan(), plan)
}
