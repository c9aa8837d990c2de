//! The lines that the box itself writes into rooms.

use serde::{Deserialize, Serialize};

use crate::ids::{Epoch, EventId, UserId};
use crate::role::RoomRole;
use crate::sealing::Hash;

/// A line that the box itself writes into a room, sealed or open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line {
    /// Somebody came.
    Joined {
        /// Who.
        user: UserId,
        /// Who let them in, if not they themselves.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        by: Option<UserId>,
    },
    /// Somebody went, or was removed by `by`.
    Left {
        /// Who.
        user: UserId,
        /// Who removed them.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        by: Option<UserId>,
    },
    /// Somebody's role changed.
    Role {
        /// Whose.
        user: UserId,
        /// Who changed it.
        by: UserId,
        /// The new one.
        role: RoomRole,
    },
    /// A new epoch begins after this line.
    Epoch {
        /// Its number.
        epoch: Epoch,
        /// Who made it.
        by: UserId,
        /// SHA-256 of its header's bytes.
        header: Hash,
    },
    /// The room has another name, is about something else, or a message was pinned or unpinned.
    Room {
        /// By whom.
        by: UserId,
        /// The new name.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        title: Option<String>,
        /// What it is about from now on; may be empty.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        topic: Option<String>,
        /// The message that was pinned.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pinned: Option<EventId>,
        /// The message whose pin was taken off.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        unpinned: Option<EventId>,
    },
    /// An event was erased.
    Erased {
        /// Which.
        target: EventId,
        /// By whom.
        by: UserId,
    },
}
