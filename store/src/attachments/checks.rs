//! What must be true of an attachment by itself and in its room.

use hearth_protocol::ids::RoomId;
use hearth_protocol::limits::Limits;
use hearth_protocol::role::Sealing;

use super::{Attachment, invalid};
use crate::error::StoreError;
use crate::stage::Stage;
use crate::{measure, rooms};

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
        check_mime(mime, limits)?;
    }
    if let Some(room) = room {
        let room = rooms::require(stage, room).await?;
        if room.sealing == Sealing::Sealed && !sealed {
            return invalid("what is stored for a sealed room comes sealed");
        }
    } else if sealed {
        return invalid("an avatar is for everybody and does not come sealed");
    } else if !mime.as_deref().is_some_and(|mime| mime.starts_with("image/")) {
        return invalid("an avatar is an image");
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

/// `type/subtype` in the characters of RFC 6838 §4.2.
fn check_mime(mime: &str, limits: &Limits) -> Result<(), StoreError> {
    measure::chars("a MIME type", mime, limits.attachment_mime_chars_max)?;
    let plain = |part: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
        !part.is_empty() && part.bytes().all(fits)
    };
    match mime.split_once('/') {
        Some((kind, subtype)) if plain(kind) && plain(subtype) => Ok(()),
        _ => invalid("its MIME type is like `image/png`"),
    }
}
