//! Everything the box has for this person, as JSON lines and files: page by page, whatever the
//! history's length. What is sealed is opened here, on their own machine.

use std::collections::BTreeSet;

use hearth_protocol::ids::{AttachmentId, Position, RoomId};
use hearth_protocol::limits::Limits;
use hearth_protocol::sealing::AttachmentSeal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::reading::{Line, Reader, Said};
use super::rest::ANSWER_MAX;
use super::rooms::RoomInfo;
use super::{Member, MemberError};

/// What the box has of the account beside messages, files and notifications, part by part.
const ACCOUNT: &str = "/api/users/me/export";

/// Where an export goes. An error of it ends the export.
pub trait Sink {
    /// Why it could not be written.
    type Error: From<MemberError>;

    /// A part that is one value.
    fn part(&mut self, name: &str, value: &Value) -> Result<(), Self::Error>;

    /// A room begins, or goes on, with this line.
    fn line(&mut self, room: &RoomInfo, line: &Value) -> Result<(), Self::Error>;

    /// A file, whole and opened; its path is like no other file's.
    fn file(&mut self, path: &str, bytes: &[u8]) -> Result<(), Self::Error>;
}

/// What was exported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exported {
    /// Rooms.
    pub rooms: usize,
    /// Their lines.
    pub lines: usize,
    /// Those of them that did not open.
    pub unreadable: usize,
    /// Attachments.
    pub files: usize,
    /// Those that messages name and that are not there, or did not open.
    pub missing_files: usize,
    /// Rooms whose keys are not believed or do not come, by name, and why: nothing, or not all, of
    /// them is in it.
    pub left_out: Vec<LeftOut>,
}

/// A room that is not in an export, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The room.
    pub room: RoomId,
    /// Its name.
    pub name: String,
    /// Why.
    pub problem: String,
}

/// An attachment as a message names it, or an avatar.
#[derive(Deserialize)]
struct Named {
    id: AttachmentId,
    /// In open rooms the box says it, in sealed ones the sender.
    #[serde(alias = "filename", default)]
    name: Option<String>,
}

/// A line of the part `files`.
#[derive(Serialize)]
struct FileLine {
    id: AttachmentId,
    /// Whose message names it; `None`: one's avatar.
    room: Option<String>,
    position: Option<Position>,
    name: String,
    /// Where it is in the export.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// Why it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// One export under way.
struct Export<'a, S> {
    member: &'a mut Member,
    sink: &'a mut S,
    done: Exported,
    files: Vec<FileLine>,
    written: BTreeSet<AttachmentId>,
}

impl Member {
    /// Reads everything into a sink: what this person is, then each room from its first line on
    /// with the files of its messages.
    pub fn export<S: Sink>(&mut self, sink: &mut S) -> Result<Exported, S::Error> {
        let (done, files, written) = (Exported::default(), vec![], BTreeSet::new());
        let mut export = Export { member: self, sink, done, files, written };
        export.run()?;
        Ok(export.done)
    }

    /// All notifications that the box keeps, the newest first.
    fn notifications(&self) -> Result<Vec<Value>, MemberError> {
        let limits = Limits::default();
        let (mut all, mut before) = (vec![], String::new());
        while all.len() < limits.notifications_per_user_max {
            let limit = limits.page_entries_max;
            let path = format!("/api/notifications?limit={limit}{before}");
            let page: Value = self.rest.get(&path)?;
            let page = page["notifications"].as_array().cloned().unwrap_or_default();
            let Some(last) = page.last().and_then(|last| last["id"].as_str()) else { break };
            before = format!("&before={last}");
            all.extend(page);
        }
        Ok(all)
    }
}

impl<S: Sink> Export<'_, S> {
    fn run(&mut self) -> Result<(), S::Error> {
        let account: Map<String, Value> = self.member.rest.get(ACCOUNT)?;
        for (name, value) in &account {
            self.sink.part(name, value)?;
        }
        let avatar = account.get("profile").map(|profile| &profile["user"]["avatar"]);
        self.file(None, &json!({ "id": avatar, "name": "avatar" }))?;
        let notifications = json!({ "notifications": self.member.notifications()? });
        self.sink.part("notifications", &notifications)?;
        for room in self.member.rooms()? {
            match self.member.reader(&room) {
                Ok(reader) => {
                    self.done.rooms += 1;
                    self.room(&room, reader)?;
                }
                Err(error) => self.leave_out(&room, error)?,
            }
        }
        self.sink.part("left_out", &json!({ "rooms": self.done.left_out }))?;
        let files = json!({ "files": self.files });
        self.sink.part("files", &files)
    }

    /// Goes on without a room, where that is all that is wrong.
    fn leave_out(&mut self, room: &RoomInfo, error: MemberError) -> Result<(), MemberError> {
        if !concerns_one_room(&error) {
            return Err(error);
        }
        let (name, problem) = (room.name.clone(), error.to_string());
        self.done.left_out.push(LeftOut { room: room.id, name, problem });
        Ok(())
    }

    fn room(&mut self, room: &RoomInfo, mut reader: Reader) -> Result<(), S::Error> {
        let (mut after, limit) = (Position::START, Limits::default().page_messages_max);
        loop {
            let lines = match reader.after(self.member, after, limit) {
                Ok(lines) => lines,
                Err(error) => return Ok(self.leave_out(room, error)?),
            };
            let Some(last) = lines.last() else { return Ok(()) };
            // A box that goes back would be read for ever.
            if last.position <= after {
                let (what, problem) = (room.id.to_string(), "positions do not ascend".into());
                return Err(MemberError::Answer { what, problem }.into());
            }
            after = last.position;
            for line in lines {
                self.done.lines += 1;
                self.done.unreadable += usize::from(line.said == Said::Unreadable);
                self.sink.line(room, &json!(line))?;
                let event = line.event.as_ref();
                let named = event.and_then(|event| event["attachments"].as_array());
                for named in named.into_iter().flatten() {
                    self.file(Some((room, &line)), named)?;
                }
            }
        }
    }

    /// Fetches, opens and writes a file. Why one is not there is a line of the part `files`.
    fn file(&mut self, of: Option<(&RoomInfo, &Line)>, named: &Value) -> Result<(), S::Error> {
        let Ok(Named { id, name }) = Named::deserialize(named) else { return Ok(()) };
        let name = name.unwrap_or_default();
        if self.written.contains(&id) {
            return Ok(());
        }
        let sealed = of.is_some_and(|(room, _)| room.is_sealed());
        let (path, problem) = match self.member.attachment(id, sealed, named) {
            Ok(bytes) => {
                let path = path_of(id, &name);
                self.sink.file(&path, &bytes)?;
                self.written.insert(id);
                self.done.files += 1;
                (Some(path), None)
            }
            Err(error @ MemberError::Unreachable { .. }) => return Err(error.into()),
            Err(error) => {
                self.done.missing_files += 1;
                (None, Some(error.to_string()))
            }
        };
        let (room, position) =
            (of.map(|(room, _)| room.id.to_string()), of.map(|of| of.1.position));
        self.files.push(FileLine { id, room, position, name, path, problem });
        Ok(())
    }
}

/// Whether the others may be read all the same: a room whose keys are not believed says nothing of
/// them. A box that does not answer, or refuses, does.
fn concerns_one_room(error: &MemberError) -> bool {
    use MemberError::{Distrust, NoCard, NotListed, NothingOpens, Sealing};
    matches!(error, Distrust { .. } | NoCard { .. } | NotListed | NothingOpens | Sealing(_))
}

impl Member {
    /// The bytes of an attachment, opened if it is sealed.
    fn attachment(
        &self,
        id: AttachmentId,
        sealed: bool,
        named: &Value,
    ) -> Result<Vec<u8>, MemberError> {
        let path = format!("/api/attachments/{id}");
        if !sealed {
            return self.rest.get_bytes(&path);
        }
        let unlike = |error: serde_json::Error| MemberError::Answer {
            what: path.clone(),
            problem: format!("its message does not say what opens it: {error}"),
        };
        let seal = AttachmentSeal::deserialize(named).map_err(unlike)?;
        let file = self.rest.get_bytes(&path)?;
        Ok(seal.open(&file, ANSWER_MAX)?.to_vec())
    }
}

/// Where a file goes: its name, without what could lead elsewhere, after its id.
fn path_of(id: AttachmentId, name: &str) -> String {
    let plain = |one: char| if one.is_alphanumeric() || "._-".contains(one) { one } else { '_' };
    let name: String = name.chars().rev().take(60).map(plain).collect();
    let name: String = name.chars().rev().collect();
    format!("files/{id}-{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_its_name_and_its_place() {
        let id = AttachmentId::new(1, [1; 10]);
        for (name, path) in [
            ("Küche 1.jpg", "Küche_1.jpg"),
            ("../../etc/passwd", ".._.._etc_passwd"),
            ("a\0b\n\u{202e}c", "a_b__c"),
            ("", ""),
        ] {
            assert_eq!(path_of(id, name), format!("files/{id}-{path}"));
        }
        let long = path_of(id, &format!("{}.pdf", "x".repeat(300)));
        assert!(long.ends_with("x.pdf") && long.len() < 120, "{long}");
    }
}
