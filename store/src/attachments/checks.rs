//! What must be true of an attachment by itself and in its room.

use hearth_protocol::ids::RoomId;
use hearth_protocol::limits::Limits;
use hearth_protocol::role::Sealing;

use super::{Attachment, invalid};
use crate::error::StoreError;
use crate::stage::Stage;
use crate::{measure, rooms};

/// The types that are taken where the box can know them: jpg, png, gif, webp, pdf, doc, docx, zip.
const TYPES: &[&str] = &[
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "application/pdf",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/zip",
];

/// Those of an avatar. No SVG: it can hold scripts.
const AVATAR_TYPES: &[&str] = &["image/jpeg", "image/png", "image/gif", "image/webp"];

/// Name, type, size, and whether its room takes it.
pub(super) async fn check(
    stage: &Stage<'_>,
    attachment: &Attachment,
    limits: &Limits,
) -> Result<(), StoreError> {
    let Attachment { room, sealed, ref name, ref mime, .. } = *attachment;
    if sealed != name.is_none() || sealed != mime.is_none() {
        return invalid("it has a name and a type, unless it came sealed");
    }
    if let (Some(name), Some(mime)) = (name, mime) {
        check_name(name, limits)?;
        check_mime(mime, room)?;
    }
    if let Some(room) = room {
        let room = rooms::require(stage, room).await?;
        if room.sealing == Sealing::Sealed && !sealed {
            return invalid("what is stored for a sealed room comes sealed");
        }
    } else if sealed {
        return invalid("an avatar is for everybody and does not come sealed");
    }
    let max = size_max(room, sealed, limits);
    if usize::try_from(attachment.size_bytes).unwrap_or(usize::MAX) > max {
        return Err(StoreError::TooLarge { what: "the attachment", max, unit: "bytes" });
    }
    Ok(())
}

/// How large an attachment may be.
pub(super) fn size_max(room: Option<RoomId>, sealed: bool, limits: &Limits) -> usize {
    match (room, sealed) {
        (None, _) => limits.avatar_bytes_max,
        (Some(_), false) => limits.attachment_bytes_max,
        (Some(_), true) => {
            limits.attachment_bytes_max.saturating_add(limits.attachment_sealing_bytes_max)
        }
    }
}

fn check_name(name: &str, limits: &Limits) -> Result<(), StoreError> {
    measure::not_empty("a file name", name)?;
    measure::bytes("a file name", name.as_bytes(), limits.attachment_name_bytes_max)?;
    let leads_away = name.contains(['/', '\\']) || [".", ".."].contains(&name.trim());
    if leads_away || name.chars().any(char::is_control) {
        return invalid("its name is a plain file name, without folders");
    }
    Ok(())
}

/// That it says to be of a type that is taken (seed 004 @Attachment). Nobody looks whether it is.
fn check_mime(mime: &str, room: Option<RoomId>) -> Result<(), StoreError> {
    let types = if room.is_some() { TYPES } else { AVATAR_TYPES };
    if types.contains(&mime) {
        return Ok(());
    }
    let what = if room.is_some() { "an attachment" } else { "an avatar" };
    Err(StoreError::BadType { what, taken: types.join(", ") })
}
