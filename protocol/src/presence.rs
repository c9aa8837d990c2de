//! What people choose to show of themselves (seed 004 @User); what is shown depends on their
//! connections too (design §5).

use serde::{Deserialize, Serialize};

/// What somebody wants to be shown as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PresenceChoice {
    /// As they are.
    #[default]
    Online,
    /// Away, also while they are there.
    Away,
    /// Not to be disturbed.
    Busy,
    /// Not there, also while they are.
    Offline,
}
