//! MQTT topic names and filters, and the topics of Hearth (design §4).
//!
//! The only place where a string becomes a topic.

#[cfg(test)]
mod tests;

use std::fmt;

use crate::ids::{DeviceId, RoomId, UserId};

/// Why a text is no topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// MQTT 5 §4.7.3: at least one character.
    #[error("a topic has at least one character")]
    Empty,
    /// MQTT 5 §1.5.4.
    #[error("a topic has at most 65,535 bytes")]
    TooLong,
    /// MQTT 5 §4.7.3: no U+0000; control characters are refused as well.
    #[error("a topic has no control characters")]
    Control,
    /// MQTT 5 §4.7.1: a name to publish to has no wildcard.
    #[error("a topic to publish to has neither + nor #")]
    Wildcard,
    /// MQTT 5 §4.7.1: `#` stands alone at the end, `+` alone in its level.
    #[error("+ fills a whole level, # a whole last level")]
    BadWildcard,
    /// MQTT 5 §4.8.2: `$share/NAME/FILTER`.
    #[error("a shared subscription is $share/NAME/FILTER")]
    BadShare,
}

fn check_text(text: &str) -> Result<(), TopicError> {
    if text.is_empty() {
        Err(TopicError::Empty)
    } else if text.len() > usize::from(u16::MAX) {
        Err(TopicError::TooLong)
    } else if text.chars().any(char::is_control) {
        Err(TopicError::Control)
    } else {
        Ok(())
    }
}

/// Whether a text can be published to (MQTT 5 §4.7).
pub fn check_name(text: &str) -> Result<(), TopicError> {
    check_text(text)?;
    if text.contains(['+', '#']) { Err(TopicError::Wildcard) } else { Ok(()) }
}

const SHARE: &str = "$share";
const SHARE_PREFIX: &str = "$share/";

/// A shared subscription `$share/NAME/FILTER` (MQTT 5 §4.8.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shared<'a> {
    /// Whoever shares names the group by it.
    pub name: &'a str,
    /// What is shared.
    pub filter: &'a str,
}

/// The parts of a shared subscription; `None` for any other filter, and for a malformed one.
pub fn shared(filter: &str) -> Option<Shared<'_>> {
    let (name, filter) = filter.strip_prefix(SHARE_PREFIX)?.split_once('/')?;
    let good = !name.is_empty() && !name.contains(['+', '#']) && !filter.is_empty();
    good.then_some(Shared { name, filter })
}

/// Whether a text can be subscribed to (MQTT 5 §4.7.1), shared subscriptions included (§4.8.2).
pub fn check_filter(text: &str) -> Result<(), TopicError> {
    check_text(text)?;
    let filter = match shared(text) {
        None if text == SHARE || text.starts_with(SHARE_PREFIX) => {
            return Err(TopicError::BadShare);
        }
        None => text,
        Some(shared) => shared.filter,
    };
    let last = filter.split('/').count() - 1;
    let good = filter.split('/').enumerate().all(|(at, level)| match level {
        "+" => true,
        "#" => at == last,
        _ => !level.contains(['+', '#']),
    });
    if good { Ok(()) } else { Err(TopicError::BadWildcard) }
}

/// Whether a name lies under a filter (MQTT 5 §4.7); wildcards in the first level do not match a
/// name that begins with `$` (§4.7.2).
pub fn matches(filter: &str, name: &str) -> bool {
    if name.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let (mut wanted, mut levels) = (filter.split('/'), name.split('/'));
    loop {
        match (wanted.next(), levels.next()) {
            (Some("#"), _) => return true,
            (Some("+"), Some(_)) => {}
            (Some(want), Some(level)) if want == level => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

/// Whether every name under `filter` also lies under `wide`. Both are well formed, and `wide`
/// begins with a level that is no wildcard, so that §4.7.2 has no part in it.
pub fn covers(wide: &str, filter: &str) -> bool {
    let (mut wanted, mut levels) = (wide.split('/'), filter.split('/'));
    loop {
        match (wanted.next(), levels.next()) {
            (Some("#"), _) => return true,
            // `#` also stands for no level at all, and for many.
            (_, Some("#")) => return false,
            (Some("+"), Some(_)) => {}
            (Some(want), Some(level)) if want == level => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

/// A topic of Hearth (design §4): the table of who may do what is the gateway's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// `hearth/rooms/{room}/in`: a new event from a member.
    RoomIn(RoomId),
    /// `hearth/rooms/{room}/door/{device}`: a device's post.
    Door(RoomId, DeviceId),
    /// `hearth/rooms/{room}/out`: every stored event.
    RoomOut(RoomId),
    /// `hearth/rooms/{room}/live/{user}`: typing and calls, never stored.
    Live(RoomId, UserId),
    /// `hearth/rooms/{room}/read/{user}`: read up to here.
    Read(RoomId, UserId),
    /// `hearth/rooms/{room}/receipts`: retained positions of the members.
    Receipts(RoomId),
    /// `hearth/rooms/{room}/key`: retained, the current bundle's header.
    Key(RoomId),
    /// `hearth/users/{user}/presence`: retained.
    Presence(UserId),
    /// `hearth/users/{user}/inbox`: doorbells.
    Inbox(UserId),
    /// `hearth/users/{user}/signal/{from}`: peer signalling.
    Signal(UserId, UserId),
    /// `hearth/status`: retained, online or offline.
    Status,
    /// `$SYS/broker/…`: retained, one of the broker's numbers.
    Sys(Number),
}

/// A number of the broker, under the name that other brokers gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Number {
    /// Connections now.
    Connected,
    /// Publishes from clients, in total.
    Received,
    /// Publishes to clients, in total.
    Sent,
    /// Messages dropped, in total.
    Dropped,
    /// Retained messages now.
    Retained,
}

impl Number {
    /// All of them.
    pub const ALL: [Number; 5] =
        [Number::Connected, Number::Received, Number::Sent, Number::Dropped, Number::Retained];

    /// What follows [`SYS_PREFIX`].
    const fn name(self) -> &'static str {
        match self {
            Number::Connected => "broker/clients/connected",
            Number::Received => "broker/publish/messages/received",
            Number::Sent => "broker/publish/messages/sent",
            Number::Dropped => "broker/publish/messages/dropped",
            Number::Retained => "broker/retained messages/count",
        }
    }
}

/// What begins every topic that tells of the broker.
pub const SYS_PREFIX: &str = "$SYS/";

/// What begins every topic of Hearth.
pub const PREFIX: &str = "hearth/";

impl Topic {
    /// The topic a name stands for; `None` for anything outside the table.
    pub fn parse(name: &str) -> Option<Topic> {
        if let Some(name) = name.strip_prefix(SYS_PREFIX) {
            return Number::ALL.into_iter().find(|number| number.name() == name).map(Topic::Sys);
        }
        let mut levels = name.strip_prefix(PREFIX)?.split('/');
        let mut next = || levels.next();
        let topic = match next()? {
            "status" => Topic::Status,
            "rooms" => {
                let room = next()?.parse().ok()?;
                match next()? {
                    "in" => Topic::RoomIn(room),
                    "out" => Topic::RoomOut(room),
                    "receipts" => Topic::Receipts(room),
                    "key" => Topic::Key(room),
                    "door" => Topic::Door(room, next()?.parse().ok()?),
                    "live" => Topic::Live(room, next()?.parse().ok()?),
                    "read" => Topic::Read(room, next()?.parse().ok()?),
                    _ => return None,
                }
            }
            "users" => {
                let user = next()?.parse().ok()?;
                match next()? {
                    "presence" => Topic::Presence(user),
                    "inbox" => Topic::Inbox(user),
                    "signal" => Topic::Signal(user, next()?.parse().ok()?),
                    _ => return None,
                }
            }
            _ => return None,
        };
        next().is_none().then_some(topic)
    }

    /// The room a topic belongs to.
    pub fn room(&self) -> Option<RoomId> {
        match *self {
            Topic::RoomIn(room)
            | Topic::Door(room, _)
            | Topic::RoomOut(room)
            | Topic::Live(room, _)
            | Topic::Read(room, _)
            | Topic::Receipts(room)
            | Topic::Key(room) => Some(room),
            Topic::Presence(_)
            | Topic::Inbox(_)
            | Topic::Signal(..)
            | Topic::Status
            | Topic::Sys(_) => None,
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Topic::Sys(number) = self {
            return write!(f, "{SYS_PREFIX}{}", number.name());
        }
        f.write_str(PREFIX)?;
        match self {
            Topic::Sys(_) => Ok(()),
            Topic::RoomIn(room) => write!(f, "rooms/{room}/in"),
            Topic::Door(room, device) => write!(f, "rooms/{room}/door/{device}"),
            Topic::RoomOut(room) => write!(f, "rooms/{room}/out"),
            Topic::Live(room, user) => write!(f, "rooms/{room}/live/{user}"),
            Topic::Read(room, user) => write!(f, "rooms/{room}/read/{user}"),
            Topic::Receipts(room) => write!(f, "rooms/{room}/receipts"),
            Topic::Key(room) => write!(f, "rooms/{room}/key"),
            Topic::Presence(user) => write!(f, "users/{user}/presence"),
            Topic::Inbox(user) => write!(f, "users/{user}/inbox"),
            Topic::Signal(user, from) => write!(f, "users/{user}/signal/{from}"),
            Topic::Status => f.write_str("status"),
        }
    }
}
