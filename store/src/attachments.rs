//! Attachments: what people show in messages and as avatars. A record tells of a file that lies
//! beside the database; the record is committed when the file is complete and durable,
//! so an upload that breaks off leaves nothing.
//!
//! An attachment of a room is shown in one message of it, one without a room is an avatar. What is
//! stored for a sealed room came sealed; the box knows neither name nor type of what came sealed.
//! What came in clear says to be of one of the seed's types; whoever puts it has looked.
//! How many there are and how much they take is counted, for each person and for the house, in the
//! transaction that adds or removes one, and there the quotas are decided. What nothing shows is
//! swept: after a day, so that the message it was sent for has time to come.

use hearth_protocol::event::Sender;
use hearth_protocol::ids::{AttachmentId, EventId, RoomId, UserId};
use hearth_protocol::limits::{Limits, hours_ms};
use serde::{Deserialize, Serialize};

use crate::engine::Order;
use crate::error::{Rule, StoreError};
use crate::messages::StoredEvent;
use crate::stage::Stage;
use crate::store::Store;
use crate::{keys, measure, record, rooms, settings, users};

mod checks;
mod files;
mod folder;
mod reading;
mod sweeping;
#[cfg(test)]
mod tests;
mod thumbnail;
mod upload;

pub use reading::Reading;
pub use sweeping::SweptFiles;
pub use upload::{Attachments, FILES_FOLDER, NewAttachment};

/// What somebody stored to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its id, and the name of its file.
    pub id: AttachmentId,
    /// Who stored it.
    pub owner: UserId,
    /// For messages of which room; `None`: an avatar.
    pub room: Option<RoomId>,
    /// Sealed by its owner's client; the box cannot read it.
    pub sealed: bool,
    /// What its file was called, without folders; nobody tells of what came sealed.
    pub name: Option<String>,
    /// Its MIME type; nobody tells of what came sealed.
    pub mime: Option<String>,
    /// What its owner sent, and what whoever reads it gets.
    pub size_bytes: u64,
    /// What lies on disk.
    pub stored_bytes: u64,
    /// SHA-256 of what its owner sent.
    #[serde(with = "hearth_protocol::bytes::array")]
    pub sha256: [u8; 32],
    /// ms since 1970.
    pub created_at: u64,
    /// What shows it; nothing at first.
    pub shown: Option<Shown>,
    /// Kept from everybody, and why.
    pub quarantined: Option<String>,
}

/// What shows an attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// A message of its room, said at this time; the message may come a little later.
    Event {
        /// Which message.
        event: EventId,
        /// ms since 1970.
        at: u64,
    },
    /// Its owner.
    Avatar,
}

/// Whose attachments are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Everybody's together.
    House,
    /// A person's.
    User(UserId),
}

impl Whose {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Whose::House => &[],
            Whose::User(user) => user.as_bytes(),
        }
    }
}

/// How many attachments there are, and what they take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Use {
    /// How many.
    pub files: u64,
    /// Their sizes together.
    pub bytes: u64,
}

impl Store {
    /// An attachment.
    pub async fn attachment(&self, id: AttachmentId) -> Result<Option<Attachment>, StoreError> {
        self.load("attachment", keys::attachment(id)).await
    }

    /// What a message shows, in the order of ids.
    pub async fn attachments_of(
        &self,
        room: RoomId,
        event: EventId,
    ) -> Result<Vec<Attachment>, StoreError> {
        let mut found = vec![];
        for (key, _) in self.scan_all(keys::attachments_of(room, event)).await? {
            let id = AttachmentId::from_bytes(record::id16("attachment", &key)?);
            found.extend(self.attachment(id).await?);
        }
        Ok(found)
    }

    /// What a person's attachments, or all, take.
    pub async fn attachment_use(&self, whose: Whose) -> Result<Use, StoreError> {
        Ok(self.load("attachment use", keys::attachment_use(whose)).await?.unwrap_or_default())
    }
}

/// A new attachment that nothing shows yet.
pub(crate) async fn put(
    stage: &mut Stage<'_>,
    attachment: &Attachment,
    limits: &Limits,
) -> Result<(), StoreError> {
    let Attachment { id, owner, .. } = *attachment;
    users::require(stage, owner).await?;
    if stage.get(keys::attachment(id)).await?.is_some() {
        return Err(StoreError::IdTaken { what: "attachment" });
    }
    checks::check(stage, attachment, limits).await?;
    if attachment.shown.is_some() || attachment.quarantined.is_some() {
        return invalid("nothing shows a new one, and nothing was found in it");
    }
    let max = limits.attachments_per_user_max;
    let files = used(stage, Whose::User(owner)).await?.files;
    if usize::try_from(files).unwrap_or(usize::MAX) >= max {
        return Err(StoreError::LimitReached { what: "attachments of this account", max });
    }
    let settings = settings::current(stage).await?;
    let quotas = [
        (Whose::User(owner), "your attachments", settings.attachment_user_bytes(limits)),
        (Whose::House, "all attachments of the house", settings.attachment_house_bytes(limits)),
    ];
    for (whose, name, max_bytes) in quotas {
        let Use { files, bytes } = used(stage, whose).await?;
        let bytes = bytes.saturating_add(attachment.size_bytes);
        if bytes > max_bytes {
            return Err(StoreError::QuotaFull { whose: name, max_bytes });
        }
        save_use(stage, whose, Use { files: files.saturating_add(1), bytes })?;
    }
    save(stage, attachment)
}

/// Shows it in a message of its room; again in the same message is nothing.
pub(crate) async fn bind(
    stage: &mut Stage<'_>,
    id: AttachmentId,
    by: UserId,
    event: EventId,
    at_ms: u64,
    limits: &Limits,
) -> Result<(), StoreError> {
    let attachment = require_own(stage, id, by).await?;
    let Some(room) = attachment.room else { return invalid("an avatar is in no message") };
    match attachment.shown {
        Some(Shown::Event { event: there, .. }) if there == event => return Ok(()),
        Some(_) => return invalid("it is shown elsewhere already; store it again"),
        None => {}
    }
    rooms::require(stage, room).await?;
    let max = limits.attachments_per_event_max;
    let there = stage.scan(keys::attachments_of(room, event), Order::Ascending, max).await?;
    if there.len() >= max {
        return Err(StoreError::LimitReached { what: "attachments of this message", max });
    }
    stage.put(keys::attachment_of(room, event, id), bytes::Bytes::new());
    let shown = Some(Shown::Event { event, at: at_ms });
    save(stage, &Attachment { shown, ..attachment })
}

/// Shows them in a message that is just stored, in its room.
pub(crate) async fn show(
    stage: &mut Stage<'_>,
    ids: &[AttachmentId],
    message: &StoredEvent,
    limits: &Limits,
) -> Result<(), StoreError> {
    let Sender::Person(by) = message.sender else { return Err(Rule::NotOwn.into()) };
    for id in ids {
        if require_own(stage, *id, by).await?.room != Some(message.room) {
            return Err(StoreError::NotFound { what: "attachment" });
        }
        bind(stage, *id, by, message.id, message.received_at, limits).await?;
    }
    Ok(())
}

/// A person's new avatar in place of the old one, which goes.
pub(crate) async fn swap_avatar(
    stage: &mut Stage<'_>,
    user: UserId,
    old: Option<AttachmentId>,
    new: Option<AttachmentId>,
) -> Result<(), StoreError> {
    if let Some(new) = new {
        let attachment = require_own(stage, new, user).await?;
        if attachment.room.is_some() || attachment.shown.is_some() {
            return invalid("an avatar is stored as one, and used once");
        }
        save(stage, &Attachment { shown: Some(Shown::Avatar), ..attachment })?;
    }
    match old {
        Some(old) => take_out(stage, old).await,
        None => Ok(()),
    }
}

/// Keeps it from everybody, or lets it go again.
pub(crate) async fn quarantine(
    stage: &mut Stage<'_>,
    id: AttachmentId,
    why: Option<&str>,
    limits: &Limits,
) -> Result<(), StoreError> {
    measure::line("what was found", why.unwrap_or_default(), limits.report_reason_chars_max)?;
    let attachment = require(stage, id).await?;
    save(stage, &Attachment { quarantined: why.map(str::to_string), ..attachment })
}

/// Removes it; whose avatar it is has none then. Nothing if it is gone.
pub(crate) async fn remove(stage: &mut Stage<'_>, id: AttachmentId) -> Result<(), StoreError> {
    let found: Option<Attachment> = stage.load("attachment", keys::attachment(id)).await?;
    if let Some(Attachment { owner, shown: Some(Shown::Avatar), .. }) = found {
        users::drop_avatar(stage, owner, id).await?;
    }
    take_out(stage, id).await
}

/// Removes what a message shows: to be called where a message's bytes are erased.
pub(crate) async fn remove_of(
    stage: &mut Stage<'_>,
    room: RoomId,
    event: EventId,
) -> Result<(), StoreError> {
    let all = keys::attachments_of(room, event);
    for (key, _) in stage.scan(all, Order::Ascending, usize::MAX).await? {
        let id = AttachmentId::from_bytes(record::id16("attachment", &key)?);
        take_out(stage, id).await?;
    }
    Ok(())
}

/// Removes it if nothing shows it any more, as it looks now.
pub(crate) async fn sweep(
    stage: &mut Stage<'_>,
    id: AttachmentId,
    at_ms: u64,
    limits: &Limits,
) -> Result<(), StoreError> {
    let found: Option<Attachment> = stage.load("attachment", keys::attachment(id)).await?;
    match found {
        Some(attachment) if is_unused(stage, &attachment, at_ms, limits).await? => {
            take_out(stage, id).await
        }
        _ => Ok(()),
    }
}

/// Whether nothing shows it, and nothing will.
pub(crate) async fn is_unused(
    stage: &Stage<'_>,
    attachment: &Attachment,
    at_ms: u64,
    limits: &Limits,
) -> Result<bool, StoreError> {
    if let Some(room) = attachment.room
        && stage.get(keys::room(room)).await?.is_none()
    {
        return Ok(true);
    }
    let patience_ms = hours_ms(limits.attachment_unbound_hours);
    let waited = |since: u64| since.saturating_add(patience_ms) <= at_ms;
    match attachment.shown {
        None => Ok(waited(attachment.created_at)),
        Some(Shown::Event { event, at }) => {
            Ok(waited(at) && stage.get(keys::event_id(event)).await?.is_none())
        }
        Some(Shown::Avatar) => Ok(false),
    }
}

/// Removes the record, what leads to it, and what it counts for.
async fn take_out(stage: &mut Stage<'_>, id: AttachmentId) -> Result<(), StoreError> {
    let key = keys::attachment(id);
    let found: Option<Attachment> = stage.load("attachment", key.clone()).await?;
    let Some(attachment) = found else { return Ok(()) };
    if let (Some(room), Some(Shown::Event { event, .. })) = (attachment.room, attachment.shown) {
        stage.delete(keys::attachment_of(room, event, id));
    }
    for whose in [Whose::User(attachment.owner), Whose::House] {
        let Use { files, bytes } = used(stage, whose).await?;
        let bytes = bytes.saturating_sub(attachment.size_bytes);
        save_use(stage, whose, Use { files: files.saturating_sub(1), bytes })?;
    }
    stage.delete(key);
    Ok(())
}

async fn require(stage: &Stage<'_>, id: AttachmentId) -> Result<Attachment, StoreError> {
    let found = stage.load("attachment", keys::attachment(id)).await?;
    found.ok_or(StoreError::NotFound { what: "attachment" })
}

/// Somebody's own, which is not in quarantine.
async fn require_own(
    stage: &Stage<'_>,
    id: AttachmentId,
    owner: UserId,
) -> Result<Attachment, StoreError> {
    let attachment = require(stage, id).await?;
    if attachment.owner != owner {
        return Err(StoreError::NotFound { what: "attachment" });
    }
    attachment.may_be_read()?;
    Ok(attachment)
}

impl Attachment {
    /// Refuses what is in quarantine.
    pub fn may_be_read(&self) -> Result<(), StoreError> {
        match self.quarantined {
            Some(_) => Err(StoreError::Gone { what: "attachment", why: "it is in quarantine" }),
            None => Ok(()),
        }
    }
}

fn save(stage: &mut Stage<'_>, attachment: &Attachment) -> Result<(), StoreError> {
    stage.save("attachment", keys::attachment(attachment.id), attachment)
}

async fn used(stage: &Stage<'_>, whose: Whose) -> Result<Use, StoreError> {
    Ok(stage.load("attachment use", keys::attachment_use(whose)).await?.unwrap_or_default())
}

fn save_use(stage: &mut Stage<'_>, whose: Whose, used: Use) -> Result<(), StoreError> {
    stage.save("attachment use", keys::attachment_use(whose), &used)
}

fn invalid<T>(why: &'static str) -> Result<T, StoreError> {
    Err(StoreError::Invalid { what: "the attachment", why })
}
