//! Everything the box has for this person, as JSON lines: page by page, whatever the history's
//! length. What is sealed is opened here, on their own machine.

use hearth_protocol::ids::Position;
use hearth_protocol::limits::Limits;
use serde_json::{Value, json};

use super::rooms::RoomInfo;
use super::{Member, MemberError};

/// What is asked of the box beside the rooms: the part's name, and where it is.
const PARTS: [(&str, &str); 3] =
    [("profile", "/api/auth/me"), ("rooms", "/api/rooms"), ("app_tokens", "/api/auth/tokens")];

/// Where an export goes. An error of it ends the export.
pub trait Sink {
    /// Why it could not be written.
    type Error: From<MemberError>;

    /// A part that is one value.
    fn part(&mut self, name: &str, value: &Value) -> Result<(), Self::Error>;

    /// A room begins, or goes on, with this line.
    fn line(&mut self, room: &RoomInfo, line: &Value) -> Result<(), Self::Error>;
}

/// What was exported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    /// Rooms.
    pub rooms: usize,
    /// Their lines.
    pub lines: usize,
    /// Those of them that did not open.
    pub unreadable: usize,
}

impl Member {
    /// Reads everything into a sink: what this person is, then each room from its first line on.
    pub fn export<S: Sink>(&mut self, sink: &mut S) -> Result<Exported, S::Error> {
        for (name, path) in PARTS {
            sink.part(name, &self.rest.get(path)?)?;
        }
        let mut exported = Exported::default();
        for room in self.rooms()? {
            let mut reader = self.reader(&room)?;
            let (mut after, limit) = (Position::START, Limits::default().page_messages_max);
            exported.rooms += 1;
            loop {
                let lines = reader.after(self, after, limit)?;
                let Some(last) = lines.last() else { break };
                // A box that goes back would be read for ever.
                if last.position <= after {
                    let (what, problem) = (room.id.to_string(), "positions do not ascend".into());
                    return Err(MemberError::Answer { what, problem }.into());
                }
                after = last.position;
                for line in lines {
                    exported.lines += 1;
                    exported.unreadable +=
                        usize::from(line.said == super::reading::Said::Unreadable);
                    sink.line(&room, &json!(line))?;
                }
            }
        }
        Ok(exported)
    }
}
