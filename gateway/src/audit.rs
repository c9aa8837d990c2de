//! What the audit log is told: every act of whoever runs a room or the house, in the same change as
//! the act itself.

use hearth_protocol::ids::{AuditId, UserId};
use hearth_store::{AuditEntry, Change, Edit, Subject};
use serde_json::Value;

use crate::clock::random;

/// Characters of a reason that the log repeats: what it tells of has all of it.
const REASON_CHARS_MAX: usize = 200;

/// Adds to a change that somebody (`None`: the box's own shell) does this by it. `action` is a word
/// like `room.kick`; `detail` holds no body, key or token.
pub fn note(
    change: &mut Change,
    by: Option<UserId>,
    action: &str,
    subject: Subject,
    detail: Value,
) {
    let at = change.at_ms;
    change.edits.push(Edit::PutAudit(AuditEntry {
        id: AuditId::new(at, random()),
        at,
        by,
        action: action.to_string(),
        subject,
        detail,
    }));
}

/// A reason as the log repeats it.
pub fn short(reason: &str) -> String {
    reason.chars().take(REASON_CHARS_MAX).collect()
}
