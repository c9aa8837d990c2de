//! What a message shows: in an open room it names its attachments and the box says what they are;
//! in a sealed room, whose messages the box cannot read, its sender says it beside the message.

use bytes::Bytes;
use hearth_protocol::event::Sender;
use hearth_protocol::ids::{AttachmentId, EventId, RoomId, UserId};
use hearth_protocol::limits::Limits;
use hearth_protocol::refusal::Kind;
use hearth_store::{Attachment, Change, Edit, EventKind, Shown, Subject};
use serde_json::{Map, Value, json};

use super::{AttachmentView, kind, missing, person};
use crate::app::App;
use crate::audit::{self, AuditAction};
use crate::error::ApiError;

/// The attachments that the body of an open message names: an id, or an object with one, each.
pub(crate) fn named(attachments: &[Value], limits: &Limits) -> Result<Vec<AttachmentId>, ApiError> {
    let bad = |message: &str| ApiError::invalid("bad_event", message);
    if attachments.len() > limits.attachments_per_event_max {
        let max = limits.attachments_per_event_max;
        return Err(bad(&format!("a message shows at most {max} attachments")));
    }
    let mut ids = vec![];
    for value in attachments {
        let text = value.as_str().or_else(|| value["id"].as_str());
        let id = text.and_then(|text| text.parse().ok());
        let id = id.ok_or_else(|| {
            bad("each of `attachments` is `{\"id\": …}`")
                .hint("POST /api/attachments/upload gives the id")
        })?;
        if ids.contains(&id) {
            return Err(bad("an attachment is named twice"));
        }
        ids.push(id);
    }
    Ok(ids)
}

/// What a message with these attachments is.
fn kind_of(shown: &[Attachment]) -> EventKind {
    let is_image = |file: &Attachment| kind::is_image(file.mime.as_deref());
    match shown {
        [] => EventKind::Text,
        files if files.iter().all(is_image) => EventKind::Image,
        _ => EventKind::File,
    }
}

impl App {
    /// The kind and body of a message with what the box knows of the sender's own attachments
    /// that it names. That they are shown nowhere else, the store decides when it is stored.
    pub(crate) async fn tell_attachments(
        &self,
        room: RoomId,
        sender: Sender,
        ids: &[AttachmentId],
        body: &Bytes,
    ) -> Result<(EventKind, Bytes), ApiError> {
        let user = person(sender)?;
        let mut found = vec![];
        for id in ids {
            let (attachment, of) = self.own_of_room(user, *id).await?;
            if of != room {
                return Err(missing());
            }
            found.push(attachment);
        }
        let unwritable = |error: serde_json::Error| {
            ApiError::invalid("bad_event", format!("the event cannot be written: {error}"))
        };
        let views: Vec<_> = found.iter().map(AttachmentView::from).collect();
        let mut map: Map<String, Value> = serde_json::from_slice(body).map_err(unwritable)?;
        map.insert("attachments".into(), serde_json::to_value(views).map_err(unwritable)?);
        Ok((kind_of(&found), Value::Object(map).to_string().into()))
    }

    /// Says in which message of a sealed room an own attachment is shown; the message may come
    /// afterwards, by its sender, and should.
    pub async fn show_attachment(
        &self,
        user: UserId,
        id: AttachmentId,
        event: EventId,
    ) -> Result<(), ApiError> {
        let (attachment, room) = self.own_of_room(user, id).await?;
        if !attachment.sealed {
            let message = "a message of an open room names its attachments itself";
            return Err(ApiError::conflict("room_is_open", message)
                .hint("send `attachments: [{\"id\": …}]` in the message"));
        }
        if let Some(there) = self.store.event(event).await?
            && (there.room, there.sender) != (room, Sender::Person(user))
        {
            let message = "there is no such message of yours in this room";
            return Err(ApiError::new(Kind::NotFound, "no_such_message", message));
        }
        let edit = Edit::BindAttachment { attachment: id, by: user, event };
        self.store.change(Change::of(vec![edit], self.clock.now_ms())).await?;
        Ok(())
    }

    /// Takes back an own upload that nothing shows yet.
    pub async fn withdraw_attachment(
        &self,
        user: UserId,
        id: AttachmentId,
    ) -> Result<(), ApiError> {
        let found = self.store.attachment(id).await?.filter(|found| found.owner == user);
        let hint = match found.ok_or_else(missing)?.shown {
            None => {
                self.files()?.store.remove(id, self.clock.now_ms()).await?;
                return Ok(());
            }
            Some(Shown::Event { .. }) => "delete the message; its attachments go with it",
            Some(Shown::Avatar) => "choose another avatar; the old one goes",
        };
        Err(ApiError::conflict("in_use", "the attachment is shown").hint(hint))
    }

    /// Keeps an attachment from everybody, or (`None`) lets it go again, by whom.
    pub async fn quarantine(
        &self,
        by: UserId,
        id: AttachmentId,
        why: Option<String>,
    ) -> Result<(), ApiError> {
        let found = self.store.attachment(id).await?.ok_or_else(missing)?;
        let edits = self.quarantined(Some(by), id, found.owner, why);
        self.store.change(Change::of(edits, self.clock.now_ms())).await?;
        Ok(())
    }

    /// That somebody's attachment is kept from everybody (`None`: no more), with its entry in the
    /// audit log. `by`: who runs the house, or (`None`) the virus scanner.
    pub(super) fn quarantined(
        &self,
        by: Option<UserId>,
        id: AttachmentId,
        owner: UserId,
        why: Option<String>,
    ) -> Vec<Edit> {
        let action = match why {
            Some(_) => AuditAction::AttachmentQuarantine,
            None => AuditAction::AttachmentRelease,
        };
        let detail = json!({ "attachment": id, "why": why });
        let subject = Subject::User(owner);
        let entry = audit::entry(self.clock.now_ms(), by, action, subject, detail);
        vec![Edit::QuarantineAttachment { attachment: id, why }, Edit::PutAudit(entry)]
    }
}
