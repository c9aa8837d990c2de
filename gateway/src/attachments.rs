//! Attachments, as the gateway knows them: how an upload comes in, who sees one, how it is told of.
//! Records and files are the store's (`hearth_store::Attachments`).
//!
//! - [`upload`]: the way in: type, size, time, virus scanner · [`form`]: as a browser's form
//! - [`kind`]: types by content · [`name`]: names · [`range`]: parts · [`scanner`]: clamd
//! - [`thumbnails`]: small pictures · [`showing`]: in which message · [`serving`]: the way out

pub mod form;
pub mod kind;
mod name;
pub mod range;
pub mod scanner;
pub mod serving;
mod showing;
#[cfg(test)]
mod tests;
mod thumbnails;
pub mod upload;

use std::sync::Arc;

use bytes::Bytes;
use hearth_protocol::event::Sender;
use hearth_protocol::ids::{AttachmentId, RoomId, UserId};
use hearth_protocol::limits::Limits;
use hearth_protocol::refusal::Kind;
use hearth_protocol::role::RoomAction;
use hearth_store::attachments::{Use, Whose};
use hearth_store::{Attachment, Attachments, Shown};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::error::ApiError;
use scanner::Scanner;
pub(crate) use showing::named;
use thumbnails::Thumbnails;

/// The files of a house, and what works on them.
pub struct Files {
    /// Records and files.
    pub store: Attachments,
    scanner: Option<Scanner>,
    thumbnails: Thumbnails,
}

impl Files {
    /// Over what is open; `scanner` looks at what comes for open rooms, and at avatars.
    pub fn new(store: Attachments, scanner: Option<Scanner>, limits: Arc<Limits>) -> Self {
        Self { store, scanner, thumbnails: Thumbnails::new(limits) }
    }

    /// The small picture of an attachment (JPEG or PNG), made if it is not there; 404 where there
    /// is none.
    pub async fn thumbnail(&self, whole: &Attachment) -> Result<Bytes, ApiError> {
        self.thumbnails.of(&self.store, whole).await
    }
}

/// An attachment as clients get it, alone and in a message's `attachments`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AttachmentView {
    id: AttachmentId,
    /// What its file is called; `null` where it came sealed.
    filename: Option<String>,
    /// Bytes.
    size: u64,
    /// What the box found it to be; `null` where it came sealed.
    mime: Option<String>,
    /// The path at which it is read.
    url: String,
    /// The path of its small picture; images of open rooms and avatars have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail_url: Option<String>,
    /// ms since 1970.
    created_at: u64,
}

impl From<&Attachment> for AttachmentView {
    fn from(attachment: &Attachment) -> Self {
        let url = format!("/api/attachments/{}", attachment.id);
        let is_image = kind::is_image(attachment.mime.as_deref());
        Self {
            id: attachment.id,
            filename: attachment.name.clone(),
            size: attachment.size_bytes,
            mime: attachment.mime.clone(),
            thumbnail_url: is_image.then(|| format!("{url}/thumbnail")),
            url,
            created_at: attachment.created_at,
        }
    }
}

/// What attachments take, and may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Storage {
    /// All attachments of the house.
    pub house: Use,
    /// Bytes that they may take.
    pub house_bytes_max: u64,
    /// Bytes that one person's may take.
    pub user_bytes_max: u64,
    /// Who has any, the most bytes first.
    pub users: Vec<UserStorage>,
}

/// What one person's attachments take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserStorage {
    /// Who.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// How many, and their sizes together.
    #[serde(flatten)]
    pub used: Use,
}

fn missing() -> ApiError {
    ApiError::not_found("attachment")
}

impl App {
    /// The files of the house, which are open while the appliance runs.
    pub fn files(&self) -> Result<&Files, ApiError> {
        let closed = "this process does not serve attachments";
        self.files.get().ok_or_else(|| ApiError::new(Kind::Unavailable, "no_files", closed))
    }

    /// An attachment that somebody may read: an own one, one that a message shows which they see,
    /// or the avatar of somebody they see. 410 what is in quarantine, 404 everything else.
    pub async fn attachment_for(
        &self,
        user: UserId,
        id: AttachmentId,
    ) -> Result<Attachment, ApiError> {
        let found = self.store.attachment(id).await?.ok_or_else(missing)?;
        if !self.sees(user, &found).await? {
            return Err(missing());
        }
        found.may_be_read()?;
        Ok(found)
    }

    async fn sees(&self, user: UserId, attachment: &Attachment) -> Result<bool, ApiError> {
        let own = attachment.owner == user;
        let Some(room) = attachment.room else {
            let shown = attachment.shown == Some(Shown::Avatar);
            return Ok(own || (shown && self.may_see(user, attachment.owner)));
        };
        let Ok(state) = self.membership.require(room, user, RoomAction::Read) else {
            return Ok(false);
        };
        let Some(Shown::Event { event, .. }) = attachment.shown else { return Ok(own) };
        match self.store.event(event).await? {
            Some(event) if event.room == room => {
                Ok(own || event.position >= self.sight(&state, user).await?)
            }
            _ => Ok(own),
        }
    }

    /// Somebody's own attachment for a room in which they may still write.
    async fn own_of_room(
        &self,
        user: UserId,
        id: AttachmentId,
    ) -> Result<(Attachment, RoomId), ApiError> {
        let found = self.store.attachment(id).await?.filter(|found| found.owner == user);
        let found = found.ok_or_else(missing)?;
        let room = found.room.ok_or_else(|| {
            ApiError::conflict("not_possible", "an avatar is in no message")
                .hint("upload it for the room")
        })?;
        self.membership.require(room, user, RoomAction::Write).map_err(|_private| missing())?;
        found.may_be_read()?;
        Ok((found, room))
    }

    /// What attachments take, of whom.
    pub async fn storage(&self) -> Result<Storage, ApiError> {
        let settings = self.store.settings().await?;
        let mut users = vec![];
        for user in self.store.users().await? {
            let used = self.store.attachment_use(Whose::User(user.id)).await?;
            if used.files > 0 {
                users.push(UserStorage { id: user.id, name: user.name, used });
            }
        }
        users.sort_by_key(|user| std::cmp::Reverse(user.used.bytes));
        Ok(Storage {
            house: self.store.attachment_use(Whose::House).await?,
            house_bytes_max: settings.attachment_house_bytes(&self.limits),
            user_bytes_max: settings.attachment_user_bytes(&self.limits),
            users,
        })
    }
}

/// The person behind a sender; devices show no attachments.
fn person(sender: Sender) -> Result<UserId, ApiError> {
    match sender {
        Sender::Person(user) => Ok(user),
        Sender::Device(_) | Sender::Box => Err(missing()),
    }
}
