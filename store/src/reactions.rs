//! Reactions: one per person, message and emoji, without regard to U+FE0F; gone with the message.

use hearth_protocol::ids::{Position, RoomId, UserId};
use hearth_protocol::limits::Limits;
use serde::{Deserialize, Serialize};

use crate::engine::Order;
use crate::error::{Rule, StoreError};
use crate::messages::StoredEvent;
use crate::stage::Stage;
use crate::store::Store;
use crate::{keys, record};

/// "Show me as a picture": may stand behind an emoji or not.
const VARIATION: char = '\u{fe0f}';

/// Somebody's reaction as it lies on disk; who, to what and which are in its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reaction {
    /// The event that put it on.
    pub position: Position,
    /// ms since 1970.
    pub at: u64,
}

/// Everybody's reactions of one emoji to one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reacted {
    /// Which, without U+FE0F.
    pub emoji: String,
    /// Who and when (ms since 1970), the first first.
    pub by: Vec<(UserId, u64)>,
}

impl Store {
    /// Every reaction to a message, by emoji in the order in which each came first.
    pub async fn reactions(&self, message: &StoredEvent) -> Result<Vec<Reacted>, StoreError> {
        let range = keys::reactions_to(message.room, message.position);
        let mut grouped = group(self.scan_all(range).await?)?;
        Ok(grouped.remove(&message.position).unwrap_or_default())
    }

    /// Whether somebody's reaction of this emoji, without U+FE0F, is on a message.
    pub async fn has_reacted(
        &self,
        message: &StoredEvent,
        user: UserId,
        emoji: &str,
    ) -> Result<bool, StoreError> {
        let key = keys::reaction(message.room, message.position, user, emoji);
        Ok(self.engine().get(key).await?.is_some())
    }
}

/// An emoji as reactions are told apart by.
pub fn normal_emoji(emoji: &str, max: usize) -> Result<String, Rule> {
    let emoji: String = emoji.chars().filter(|letter| *letter != VARIATION).collect();
    let bad = emoji.is_empty()
        || emoji.len() > max
        || emoji.chars().any(|letter| letter.is_control() || letter.is_whitespace());
    if bad { Err(Rule::BadEmoji { max }) } else { Ok(emoji) }
}

/// Puts a reaction on or takes it off.
pub(crate) async fn put(
    stage: &mut Stage<'_>,
    event: &StoredEvent,
    target: Position,
    user: UserId,
    emoji: &str,
    on: bool,
    limits: &Limits,
) -> Result<(), StoreError> {
    let emoji = normal_emoji(emoji, limits.emoji_bytes_max)?;
    let key = keys::reaction(event.room, target, user, &emoji);
    let there = stage.get(key.clone()).await?.is_some();
    if there == on {
        return Ok(());
    }
    if !on {
        stage.delete(key);
        return Ok(());
    }
    let max = limits.reactions_per_message_max;
    let all = keys::reactions_to(event.room, target);
    if stage.scan(all, Order::Ascending, max).await?.len() >= max {
        return Err(StoreError::LimitReached { what: "reactions to this message", max });
    }
    let reaction = Reaction { position: event.position, at: event.received_at };
    stage.save("reaction", key, &reaction)
}

/// The reactions in rows of one room, grouped by message and emoji.
pub(crate) fn group(
    rows: Vec<crate::engine::Row>,
) -> Result<std::collections::BTreeMap<Position, Vec<Reacted>>, StoreError> {
    let mut found = vec![];
    for (key, value) in rows {
        let (_, position, user, emoji) = parts(&key)?;
        let reaction: Reaction = record::decode("reaction", &value)?;
        found.push((position, reaction.position, user, emoji, reaction.at));
    }
    found.sort();
    let mut grouped = std::collections::BTreeMap::<Position, Vec<Reacted>>::new();
    for (position, _, user, emoji, at) in found {
        let there = grouped.entry(position).or_default();
        match there.iter_mut().find(|reacted| reacted.emoji == emoji) {
            Some(reacted) => reacted.by.push((user, at)),
            None => there.push(Reacted { emoji, by: vec![(user, at)] }),
        }
    }
    Ok(grouped)
}

/// Room, message, person and emoji of a reaction's key.
fn parts(key: &[u8]) -> Result<(RoomId, Position, UserId, String), StoreError> {
    let read = || {
        let (place, rest) = key.get(1..)?.split_at_checked(24)?;
        let (user, emoji) = rest.split_first_chunk::<16>()?;
        let (room, position) = record::place(place).ok()?;
        let emoji = std::str::from_utf8(emoji).ok()?.to_string();
        Some((room, position, UserId::from_bytes(*user), emoji))
    };
    read().ok_or_else(|| record::form("reaction", "its key is no reaction's".into()))
}
