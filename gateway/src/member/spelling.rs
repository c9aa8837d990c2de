//! Events, posts and the box's lines as one line of text.

use hearth_protocol::event::{Body, Line as BoxLine};
use serde_json::Value;

use super::Member;
use super::reading::Said;

/// A person's event as one line.
pub(super) fn spell(body: Body) -> (Said, String) {
    match body {
        Body::Message { content, attachments, .. } if attachments.is_empty() => {
            (Said::Message, content)
        }
        Body::Message { content, attachments, .. } => {
            (Said::Message, format!("{content} [{} files]", attachments.len()))
        }
        Body::Edit { target, content } => (Said::Change, format!("edited {target}: {content}")),
        Body::React { target, emoji, on: true } => (Said::Change, format!("{emoji} on {target}")),
        Body::React { target, emoji, on: false } => {
            (Said::Change, format!("took {emoji} off {target}"))
        }
        Body::Delete { target, .. } => (Said::Change, format!("took back {target}")),
        Body::Room { title, topic } => {
            let said: Vec<_> = [title, topic].into_iter().flatten().collect();
            (Said::Change, format!("calls the room {}", said.join(": ")))
        }
    }
}

pub(super) fn with_title(title: Option<&str>, text: String) -> String {
    match title {
        Some(title) => format!("{title}: {text}"),
        None => text,
    }
}

/// A post's plaintext: text, or JSON with `text` and perhaps a title; whether it says that the box
/// saw it.
pub(super) fn spell_post(plaintext: &[u8]) -> (String, bool) {
    let text = String::from_utf8_lossy(plaintext);
    match serde_json::from_str::<Value>(&text) {
        Ok(post) if post["text"].is_string() => {
            let said = post["text"].as_str().unwrap_or_default().to_string();
            (with_title(post["title"].as_str(), said), post["box"] == Value::Bool(true))
        }
        _ => (text.trim_end().to_string(), false),
    }
}

/// The box's line with names in it.
pub(super) fn spell_line(member: &mut Member, json: &str) -> String {
    let Ok(line) = serde_json::from_str::<BoxLine>(json) else { return json.to_string() };
    match line {
        BoxLine::Joined { user, .. } => format!("{} joined", member.name_of(user)),
        BoxLine::Left { user, by: Some(by) } => {
            format!("{} was removed by {}", member.name_of(user), member.name_of(by))
        }
        BoxLine::Left { user, by: None } => format!("{} left", member.name_of(user)),
        BoxLine::Role { user, by, role } => {
            let (user, by) = (member.name_of(user), member.name_of(by));
            format!("{by} made {user} {}", format!("{role:?}").to_lowercase())
        }
        BoxLine::Epoch { epoch, by, .. } => {
            format!("{} made a new key (epoch {epoch})", member.name_of(by))
        }
        BoxLine::Room { by, title, topic, pinned, unpinned } => {
            let by = member.name_of(by);
            match (title, topic, pinned, unpinned) {
                (Some(title), ..) => format!("{by} called the room {title}"),
                (_, Some(topic), ..) => format!("{by} says what the room is about: {topic}"),
                (_, _, Some(_), _) => format!("{by} pinned a message"),
                _ => format!("{by} unpinned a message"),
            }
        }
        BoxLine::Erased { by, .. } => format!("{} erased a message", member.name_of(by)),
    }
}
