//! One message out: sealed when its turn comes, numbered without gaps, on disk when it returns
//! (sealing.md §4).

use hearth_protocol::event::Event;
use hearth_protocol::ids::{EventId, RoomId};
use hearth_protocol::sealing::event::{self, Kind, WireHeader};
use hearth_protocol::topic::Topic;
use serde_json::Value;

use super::mqtt::{Address, Session};
use super::rooms::RoomInfo;
use super::trust::Trust;
use super::{Member, MemberError, now_ms, random_fill, tunnel};
use crate::clock::random;

/// How often an event is sealed anew because the room's epoch moved.
const TRIES: usize = 3;

/// A sealed event, and what it is called.
pub struct Sealed {
    /// Its id.
    pub id: EventId,
    /// As it goes to the room's `in` topic, or as `sealed` in `POST messages`.
    pub wire: Vec<u8>,
}

/// An event with id and time, and its JSON.
fn named(mut event: Event) -> Result<(EventId, Vec<u8>), MemberError> {
    let now = now_ms();
    let id = event.id.unwrap_or_else(|| EventId::new(now, random()));
    (event.id, event.at) = (Some(id), Some(now));
    let body = serde_json::to_vec(&event).map_err(|error| MemberError::Answer {
        what: "this message".into(),
        problem: error.to_string(),
    })?;
    Ok((id, body))
}

impl Member {
    /// An MQTT connection as this person.
    pub fn connect(&self, address: &Address) -> Result<Session, MemberError> {
        let id = EventId::new(now_ms(), random());
        let token = self.rest.token().unwrap_or_default();
        let client_id = format!("hearth-{id}");
        if !address.tls {
            return Session::connect(address, &client_id, self.name(), token);
        }
        let trust = self.rest.trust().cloned().map_or_else(Trust::machine, Ok)?;
        let socket = tunnel::open(self.profile.folder(), address, &trust)?;
        Session::through(&socket, address, &client_id, self.name(), token)
    }

    /// Sends a message and waits until the box has it on disk.
    pub fn send(
        &mut self,
        session: &mut Session,
        room: &RoomInfo,
        text: &str,
    ) -> Result<EventId, MemberError> {
        self.send_event(session, room, Event::message(text))
    }

    /// Sends an event, with an id if it has none, and waits until the box has it on disk.
    pub fn send_event(
        &mut self,
        session: &mut Session,
        room: &RoomInfo,
        event: Event,
    ) -> Result<EventId, MemberError> {
        let (id, body) = named(event)?;
        if room.is_sealed() {
            self.profile.hold()?;
            let sent = self.send_sealed(session, room.id, id, &body);
            self.profile.release();
            sent?;
        } else {
            session.publish(&Topic::RoomIn(room.id).to_string(), body)?;
        }
        Ok(id)
    }

    /// Seals a message for another program to post: it is taken for under way until the box says
    /// what became of it, so the next one comes after it was posted.
    pub fn seal_message(&mut self, room: &RoomInfo, text: &str) -> Result<Sealed, MemberError> {
        if !room.is_sealed() {
            return Err(MemberError::OpenRoom { name: room.name.clone() });
        }
        let (id, body) = named(Event::message(text))?;
        self.profile.hold()?;
        let sealed = self.seal_next(room.id, id, &body);
        self.profile.release();
        sealed
    }

    fn seal_next(&mut self, room: RoomId, id: EventId, body: &[u8]) -> Result<Sealed, MemberError> {
        let seq = self.count_what_was_under_way(room)?.saturating_add(1);
        if self.room_now(room)?.rotation_due {
            self.rotate(room)?;
        }
        let wire = self.seal_event(room, id, seq, body)?;
        self.profile.update(room, |memory| memory.under_way = Some(id))?;
        Ok(Sealed { id, wire })
    }

    fn send_sealed(
        &mut self,
        session: &mut Session,
        room: RoomId,
        id: EventId,
        body: &[u8],
    ) -> Result<(), MemberError> {
        let seq = self.count_what_was_under_way(room)?.saturating_add(1);
        if self.room_now(room)?.rotation_due {
            self.rotate(room)?;
        }
        let mut last = MemberError::NotListed;
        for _ in 0..TRIES {
            let wire = self.seal_event(room, id, seq, body)?;
            // Written before it is sent: after a crash the next command asks what became of it.
            self.profile.update(room, |memory| memory.under_way = Some(id))?;
            match session.publish(&Topic::RoomIn(room).to_string(), wire) {
                Ok(()) => {
                    return self.profile.update(room, |memory| {
                        (memory.sent, memory.under_way) = (seq, None);
                    });
                }
                Err(error) if error.is("stale_epoch") || error.is("unknown_epoch") => last = error,
                Err(error) if error.is("rotate_first") => {
                    self.rotate(room)?;
                    last = error;
                }
                Err(error @ MemberError::Refused { .. }) => {
                    self.profile.update(room, |memory| memory.under_way = None)?;
                    return Err(error);
                }
                // Nobody knows whether it arrived.
                Err(error) => return Err(error),
            }
        }
        self.profile.update(room, |memory| memory.under_way = None)?;
        Err(last)
    }

    fn seal_event(
        &mut self,
        room: RoomId,
        id: EventId,
        seq: u64,
        body: &[u8],
    ) -> Result<Vec<u8>, MemberError> {
        let known = self.room_keys(room)?;
        let due = known.current_keys().is_ok() && known.current()?.header.is_due(now_ms());
        let print = self.identity.fingerprint(self.user());
        let closed = known.is_closed_to(self.user(), print)?;
        let known = if due || closed { self.rotate(room)? } else { known };
        let keys = known.current_keys()?;
        self.warn_of_changed(&known.current()?.header)?;
        let epoch = known.current()?.header.epoch;
        let (sender, writer) = (self.user(), self.profile.account().writer);
        let header = WireHeader { epoch, id, sender, writer, kind: Kind::Content, seq };
        Ok(event::seal(&header, body, keys, &self.identity.sign, &mut random_fill)?)
    }

    /// How many events of this installation the room holds, after asking for one whose end is
    /// not known.
    fn count_what_was_under_way(&mut self, room: RoomId) -> Result<u64, MemberError> {
        let memory = self.profile.room(room)?;
        let Some(id) = memory.under_way else { return Ok(memory.sent) };
        let path = format!("/api/rooms/{room}/messages?before={id}&limit=1");
        let stored = match self.rest.get::<Value>(&path) {
            Ok(_) => true,
            // Only this says that there is no such message. Whatever else the box refuses with
            // tells nothing about it, and a number given twice looks like a copied installation.
            Err(error) if error.is("bad_place") => false,
            Err(error) => return Err(error),
        };
        let sent = memory.sent.saturating_add(u64::from(stored));
        self.profile.update(room, |memory| {
            (memory.sent, memory.under_way) = (sent, None);
        })?;
        Ok(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake;
    use super::*;

    /// What the count becomes when the box answers so, and what is remembered.
    fn counted(status: u16, body: &str) -> (Result<u64, MemberError>, u64, bool) {
        let (_folder, mut member) = fake::member(&[(status, body)]);
        let room = RoomId::new(1, [1; 10]);
        let id = EventId::new(2, [2; 10]);
        let under_way = |memory: &mut crate::member::profile::RoomMemory| {
            (memory.sent, memory.under_way) = (3, Some(id));
        };
        member.profile.update(room, under_way).unwrap();
        let count = member.count_what_was_under_way(room);
        let memory = member.profile.room(room).unwrap();
        (count, memory.sent, memory.under_way.is_some())
    }

    #[test]
    fn an_event_under_way_counts_when_the_box_has_it() {
        let (count, sent, under_way) = counted(200, r#"{"messages":[]}"#);
        assert_eq!((count.unwrap(), sent, under_way), (4, 4, false));
        let (count, sent, under_way) = counted(400, &fake::refusal("bad_place"));
        assert_eq!((count.unwrap(), sent, under_way), (3, 3, false));
    }

    #[test]
    fn a_box_that_cannot_say_leaves_the_count_open() {
        for (status, code) in [
            (401, "unauthorized"),
            (403, "forbidden"),
            (404, "not_found"),
            (429, "slow_down"),
            (503, "unavailable"),
        ] {
            let (count, sent, under_way) = counted(status, &fake::refusal(code));
            assert!(count.unwrap_err().is(code));
            assert_eq!((sent, under_way), (3, true), "{code}");
        }
        let (count, sent, under_way) = counted(502, "not JSON");
        assert!(matches!(count, Err(MemberError::Answer { .. })));
        assert_eq!((sent, under_way), (3, true));
    }
}
