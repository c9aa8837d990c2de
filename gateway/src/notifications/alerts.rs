//! Who is alerted to an event, and of which kind.
//!
//! A message alerts the people it names (`mention`), the one it answers (`reply`) and, in a direct
//! room, the other one (`direct_message`): each of them once, by the first of these that fits. It
//! names whom `mentions` lists; without that whom its text calls `@name`, or all by `@room`. In a
//! sealed room the box knows of hints and of direct rooms only. An edit alerts nobody. Who is added
//! to a room by somebody is alerted to that (`room_invite`).

use std::collections::{BTreeMap, BTreeSet};

use hearth_protocol::event::{Class, Line, Sender};
use hearth_protocol::ids::{EventId, NotificationId, UserId};
use hearth_protocol::sealing::event::{Kind as WireKind, WireHeader};
use hearth_protocol::sealing::kdf::sha256;
use hearth_store::{Notification, NotificationKind, Notify, StoredEvent};
use serde::Deserialize;

use crate::app::App;
use crate::error::ApiError;
use crate::membership::RoomState;

/// The name that names everybody of a room.
const EVERYBODY: &str = "room";

/// What is looked at of a message or post in clear.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Said {
    content: String,
    parent_id: Option<EventId>,
    mentions: Vec<UserId>,
}

/// Whom a text names: `@name` where no word goes on before it, in lower case, each once, the first
/// `max` of them.
pub fn names_in(text: &str, max: usize) -> BTreeSet<String> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut names = BTreeSet::new();
    let mut before = None;
    for (at, letter) in text.char_indices() {
        let begins = letter == '@' && !before.is_some_and(|before: char| before.is_alphanumeric());
        before = Some(letter);
        if !begins {
            continue;
        }
        let rest = &text[at + 1..];
        let end = rest.find(|letter| !is_name(letter)).unwrap_or(rest.len());
        if end > 0 {
            names.insert(rest[..end].to_ascii_lowercase());
        }
        if names.len() >= max {
            break;
        }
    }
    names
}

impl App {
    /// Refuses a message that names more people than are alerted.
    pub fn check_mentions(&self, mentions: &[UserId]) -> Result<(), ApiError> {
        let (people, max) = (mentions.len(), self.limits.mentions_per_message_max);
        if people <= max {
            return Ok(());
        }
        let message = format!("the message names {people} people, at most {max} are taken");
        Err(ApiError::invalid("bad_event", message).hint("`@room` in the text names everybody"))
    }

    /// The notifications of one event.
    pub(super) async fn alerts(&self, event: &StoredEvent) -> Result<Vec<Notification>, ApiError> {
        let Some(state) = self.membership.room(event.room) else { return Ok(vec![]) };
        if event.class == Class::Line {
            return Ok(self.added(&state, event));
        }
        if !event.kind.is_message() {
            return Ok(vec![]);
        }
        let by = match event.sender {
            Sender::Person(user) => Some(user),
            Sender::Device(_) | Sender::Box => None,
        };
        let mut made = vec![];
        for (user, kind) in self.addressed(&state, event).await? {
            if Some(user) == by || by.is_some_and(|by| self.blocks.apart(by, user)) {
                continue;
            }
            // Asked now: who left, or came later, does not hear of it.
            let Some(member) = self.store.member(event.room, user).await? else { continue };
            let wanted = match member.notify {
                Notify::All => true,
                Notify::Mentions => kind != NotificationKind::DirectMessage,
                Notify::Muted => false,
            };
            if wanted && member.joined_position <= event.position {
                made.push(notification(event, user, kind, by));
            }
        }
        Ok(made)
    }

    /// Whom a message is for, and by what.
    async fn addressed(
        &self,
        state: &RoomState,
        event: &StoredEvent,
    ) -> Result<BTreeMap<UserId, NotificationKind>, ApiError> {
        let mut addressed = BTreeMap::new();
        for user in state.room.direct.into_iter().flatten() {
            addressed.insert(user, NotificationKind::DirectMessage);
        }
        if state.is_sealed() {
            if let Ok(WireHeader { kind: WireKind::Hinted(users), .. }) =
                WireHeader::parse(&event.body)
            {
                let named = users.into_iter().map(|user| (user, NotificationKind::Mention));
                addressed.extend(named);
            }
            return Ok(addressed);
        }
        let said: Said = serde_json::from_slice(&event.body).unwrap_or_default();
        if let Some(parent) = said.parent_id
            && let Some(parent) = self.store.event(parent).await?
            && parent.room == event.room
            && let Sender::Person(user) = parent.sender
        {
            addressed.insert(user, NotificationKind::Reply);
        }
        for user in self.named(state, said).await? {
            addressed.insert(user, NotificationKind::Mention);
        }
        Ok(addressed)
    }

    /// The members that a message names.
    async fn named(&self, state: &RoomState, said: Said) -> Result<Vec<UserId>, ApiError> {
        if !said.mentions.is_empty() {
            return Ok(said.mentions);
        }
        let names = names_in(&said.content, self.limits.mentions_per_message_max);
        if names.contains(EVERYBODY) {
            return Ok(state.members.keys().copied().collect());
        }
        let mut named = vec![];
        for name in names {
            named.extend(self.store.user_by_name(&name).await?.map(|user| user.id));
        }
        Ok(named)
    }

    /// Who was added to a room by somebody else.
    fn added(&self, state: &RoomState, event: &StoredEvent) -> Vec<Notification> {
        match serde_json::from_slice(&event.body) {
            Ok(Line::Joined { user, by: Some(by) })
                if user != by
                    && state.room.direct.is_none()
                    && state.members.contains_key(&user)
                    && !self.blocks.apart(user, by) =>
            {
                vec![notification(event, user, NotificationKind::RoomInvite, Some(by))]
            }
            _ => vec![],
        }
    }
}

/// A notification whose id follows from what it tells of and whom: it is made once.
fn notification(
    event: &StoredEvent,
    recipient: UserId,
    kind: NotificationKind,
    by: Option<UserId>,
) -> Notification {
    let hash = sha256(&[&event.id.as_bytes()[..], recipient.as_bytes()].concat());
    let mut random = [0; 10];
    random.copy_from_slice(&hash[..10]);
    let line = event.class == Class::Line;
    Notification {
        id: NotificationId::new(event.received_at, random),
        recipient,
        kind,
        room: event.room,
        event: (!line).then_some(event.id),
        position: Some(event.position),
        by,
        created_at: event.received_at,
        read: false,
    }
}

#[cfg(test)]
mod tests {
    use super::names_in;

    #[test]
    fn a_text_names_people_by_the_at_sign() {
        for (text, names) in [
            ("@anna", vec!["anna"]),
            ("hi @Anna, and @ben_2!", vec!["anna", "ben_2"]),
            ("(@anna) \n@anna", vec!["anna"]),
            ("mail anna@example.org", vec![]),
            ("@ anna @", vec![]),
            ("@@anna", vec!["anna"]),
            ("é@anna", vec![]),
            ("@\u{e9}", vec![]),
            ("", vec![]),
        ] {
            let found: Vec<_> = names_in(text, 9).into_iter().collect();
            assert_eq!(found, names, "{text}");
        }
        let many: String = (0..200).map(|number| format!("@name{number} ")).collect();
        assert_eq!(names_in(&many, 100).len(), 100);
    }
}
