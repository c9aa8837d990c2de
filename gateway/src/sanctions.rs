//! Kick, mute and ban: what those who moderate a room do to somebody there. Nobody acts on an owner
//! of the room or on themselves, and nobody in a direct room.
//!
//! What is to be done is gathered in [`Measures`] and made in one change with its audit entry; the
//! decision of a report is made the same way (`reports.rs`).

#[cfg(test)]
mod tests;

use std::sync::Arc;

use hearth_protocol::ids::{RoomId, UserId};
use hearth_protocol::limits::seconds_ms;
use hearth_protocol::role::{RoomAction, RoomRole};
use hearth_protocol::topic::Topic;
use hearth_store::{Change, Edit, Sentence, Subject};
use serde_json::{Value, json};

use crate::app::App;
use crate::audit::{self, AuditAction};
use crate::error::ApiError;
use crate::membership::RoomState;
use crate::moderation::Act;

/// How long a mute or ban lasts; of the two one at most, and with neither it stays until lifted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Term {
    /// From now on.
    pub minutes: Option<usize>,
    /// ms since 1970.
    pub until: Option<u64>,
}

/// Whom it is about, by whom and why.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// Where.
    pub state: &'a RoomState,
    /// Who acts.
    pub by: UserId,
    /// On whom.
    pub whom: UserId,
    /// Why; may be empty.
    pub reason: &'a str,
}

/// One change, and the doorbells that ring once it is made.
#[derive(Debug)]
pub struct Measures {
    /// What is written.
    pub change: Change,
    /// Who hears of it.
    pub bells: Vec<(UserId, Value)>,
}

impl Case<'_> {
    /// Refuses on whom nobody acts.
    fn check(&self) -> Result<(), ApiError> {
        if self.state.room.direct.is_some() {
            return Err(ApiError::conflict("direct_room", "nobody moderates a direct room")
                .hint("PUT /api/blocks/{user} ends what somebody writes to you"));
        }
        if self.whom == self.by {
            let message = "this is for others than yourself";
            return Err(ApiError::invalid("not_yourself", message)
                .hint("POST /api/rooms/{id}/leave takes you out of the room"));
        }
        match self.state.members.get(&self.whom) {
            Some(RoomRole::Owner) => {
                Err(ApiError::forbidden("nobody acts on an owner of the room"))
            }
            _ => Ok(()),
        }
    }

    fn is_member(&self) -> bool {
        self.state.members.contains_key(&self.whom)
    }

    /// Whether the room has had to do with them.
    fn is_known(&self) -> bool {
        self.is_member() || self.state.sanctions.contains_key(&self.whom)
    }

    fn detail(&self, until: Option<u64>) -> Value {
        json!({ "room": self.state.room.id, "reason": audit::short(self.reason), "until": until })
    }

    /// What rings at a member. Who is none hears it when they want to come in: nobody's words
    /// reach strangers like this, or those who block them.
    fn bell(&self, kind: &str, until: Option<u64>) -> Option<(UserId, Value)> {
        let bell = json!({ "type": kind, "room_id": self.state.room.id, "reason": self.reason,
                           "until": until });
        self.is_member().then_some((self.whom, bell))
    }
}

impl App {
    /// Nothing to be done yet, at this time.
    pub fn measures(&self) -> Measures {
        Measures { change: Change::of(vec![], self.clock.now_ms()), bells: vec![] }
    }

    /// Makes the change, then rings.
    pub async fn carry_out(&self, measures: Measures) -> Result<(), ApiError> {
        let left = |edit: &Edit| match edit {
            Edit::RemoveMember { room, .. } => Some(*room),
            _ => None,
        };
        let rooms: Vec<RoomId> = measures.change.edits.iter().filter_map(left).collect();
        self.store.change(measures.change).await?;
        for room in rooms {
            self.receipts.moved(room);
        }
        for (user, bell) in measures.bells {
            self.ring(user, &bell);
        }
        Ok(())
    }

    /// Rings at somebody's inbox: whoever is connected hears it, nobody else ever.
    pub fn ring(&self, user: UserId, bell: &Value) {
        self.broker.publish(&Topic::Inbox(user), bell.to_string().into(), false);
    }

    /// Adds that somebody is put out of a room, into which they may come back.
    pub fn add_kick(&self, measures: &mut Measures, case: Case<'_>) -> Result<(), ApiError> {
        case.check()?;
        if !case.is_member() {
            return Err(ApiError::not_found("member"));
        }
        if case.state.room.general {
            let message = "everyone is in this room";
            return Err(ApiError::conflict("general_is_everyones", message));
        }
        self.check_reason(case.reason)?;
        self.add_removal(&mut measures.change, case);
        measures.bells.extend(case.bell("removed", None));
        let subject = Subject::User(case.whom);
        audit::note(
            &mut measures.change,
            Some(case.by),
            AuditAction::RoomKick,
            subject,
            case.detail(None),
        );
        Ok(())
    }

    /// Adds that somebody may read and not write in a room, member or not.
    pub fn add_mute(
        &self,
        measures: &mut Measures,
        case: Case<'_>,
        term: Term,
    ) -> Result<(), ApiError> {
        case.check()?;
        let sentence = self.sentence(measures, case, term)?;
        let (room, user, until) = (case.state.room.id, case.whom, sentence.until);
        let change = &mut measures.change;
        change.checks.push((room, case.state.room.version));
        change.edits.push(Edit::Mute { room, user, sentence: Some(sentence) });
        audit::note(
            change,
            Some(case.by),
            AuditAction::RoomMute,
            Subject::User(user),
            case.detail(until),
        );
        measures.bells.extend(case.bell("muted", until));
        Ok(())
    }

    /// Adds that somebody cannot be in a room, member or not.
    pub fn add_ban(
        &self,
        measures: &mut Measures,
        case: Case<'_>,
        term: Term,
    ) -> Result<(), ApiError> {
        case.check()?;
        let sentence = self.sentence(measures, case, term)?;
        let (room, user, until) = (case.state.room.id, case.whom, sentence.until);
        let change = &mut measures.change;
        if case.state.room.general {
            return Err(ApiError::conflict("general_is_everyones", "everyone is in this room"));
        }
        match case.is_member() {
            true => self.add_removal(change, case),
            false => change.checks.push((room, case.state.room.version)),
        }
        change.edits.push(Edit::Ban { room, user, sentence: Some(sentence) });
        audit::note(
            change,
            Some(case.by),
            AuditAction::RoomBan,
            Subject::User(user),
            case.detail(until),
        );
        measures.bells.extend(case.bell("banned", until));
        Ok(())
    }

    /// The membership ends; a sealed room needs a new epoch before it takes anything more.
    fn add_removal(&self, change: &mut Change, case: Case<'_>) {
        change.checks.push((case.state.room.id, case.state.room.version));
        self.put_out(change, case.state, case.whom, Some(case.by));
    }

    fn sentence(
        &self,
        measures: &Measures,
        case: Case<'_>,
        term: Term,
    ) -> Result<Sentence, ApiError> {
        let at = measures.change.at_ms;
        let until = self.until(term, at)?;
        self.check_reason(case.reason)?;
        Ok(Sentence { by: case.by, at, reason: case.reason.to_string(), until })
    }

    fn check_reason(&self, reason: &str) -> Result<(), ApiError> {
        let max = self.limits.reason_chars_max;
        if reason.chars().count() > max {
            let message = format!("a reason has at most {max} characters; make it shorter");
            return Err(ApiError::invalid("too_long", message));
        }
        Ok(())
    }

    /// When a term is over, ms since 1970.
    fn until(&self, term: Term, now_ms: u64) -> Result<Option<u64>, ApiError> {
        let max = self.limits.sanction_minutes_max;
        let minutes_ms = |minutes: usize| seconds_ms(minutes.saturating_mul(60));
        let bad = || {
            let message = format!("it lasts 1 to {max} minutes from now");
            ApiError::invalid("bad_term", message)
                .hint("give `minutes` or `until`, or neither: then it stays until it is lifted")
        };
        let until = match term {
            Term { minutes: None, until: None } => return Ok(None),
            Term { minutes: Some(minutes), until: None } if minutes <= max => {
                now_ms.saturating_add(minutes_ms(minutes))
            }
            Term { minutes: None, until: Some(until) } => until,
            Term { .. } => return Err(bad()),
        };
        let latest = now_ms.saturating_add(minutes_ms(max));
        if until > now_ms && until <= latest { Ok(Some(until)) } else { Err(bad()) }
    }

    /// Puts somebody out of a room.
    pub async fn kick(
        &self,
        room: RoomId,
        by: UserId,
        whom: UserId,
        reason: &str,
    ) -> Result<(), ApiError> {
        let state = self.membership.require(room, by, RoomAction::RemoveMember)?;
        let mut measures = self.measures();
        self.add_kick(&mut measures, Case { state: &state, by, whom, reason })?;
        self.not_too_often(Act::Line(by))?;
        self.carry_out(measures).await
    }

    /// Lets somebody read and not write in a room; another mute takes the place of the old one.
    pub async fn mute(
        &self,
        room: RoomId,
        by: UserId,
        whom: UserId,
        reason: &str,
        term: Term,
    ) -> Result<(), ApiError> {
        let state = self.moderated(room, by)?;
        let mut measures = self.measures();
        let case = Case { state: &state, by, whom, reason };
        self.require_known(case)?;
        self.add_mute(&mut measures, case, term)?;
        self.not_too_often(Act::Line(by))?;
        self.carry_out(measures).await
    }

    /// Puts somebody out of a room and keeps them out; another ban takes the place of the old one.
    pub async fn ban(
        &self,
        room: RoomId,
        by: UserId,
        whom: UserId,
        reason: &str,
        term: Term,
    ) -> Result<(), ApiError> {
        let state = self.moderated(room, by)?;
        let mut measures = self.measures();
        let case = Case { state: &state, by, whom, reason };
        self.require_known(case)?;
        self.add_ban(&mut measures, case, term)?;
        self.not_too_often(Act::Line(by))?;
        self.carry_out(measures).await
    }

    /// Ends a mute; 404 if there is none.
    pub async fn unmute(&self, room: RoomId, by: UserId, whom: UserId) -> Result<(), ApiError> {
        let state = self.moderated(room, by)?;
        if state.sanctions.get(&whom).is_none_or(|known| known.mute.is_none()) {
            return Err(ApiError::not_found("mute"));
        }
        let lift = Edit::Mute { room, user: whom, sentence: None };
        let case = Case { state: &state, by, whom, reason: "" };
        self.lift(case, lift, AuditAction::RoomUnmute, "unmuted").await
    }

    /// Lifts a ban; 404 if there is none.
    pub async fn unban(&self, room: RoomId, by: UserId, whom: UserId) -> Result<(), ApiError> {
        let state = self.moderated(room, by)?;
        if state.sanctions.get(&whom).is_none_or(|known| known.ban.is_none()) {
            return Err(ApiError::not_found("ban"));
        }
        let lift = Edit::Ban { room, user: whom, sentence: None };
        let case = Case { state: &state, by, whom, reason: "" };
        self.lift(case, lift, AuditAction::RoomUnban, "unbanned").await
    }

    async fn lift(
        &self,
        case: Case<'_>,
        lift: Edit,
        action: AuditAction,
        bell: &str,
    ) -> Result<(), ApiError> {
        case.check()?;
        self.not_too_often(Act::Line(case.by))?;
        let mut measures = self.measures();
        let (change, subject) = (&mut measures.change, Subject::User(case.whom));
        change.checks.push((case.state.room.id, case.state.room.version));
        change.edits.push(lift);
        audit::note(change, Some(case.by), action, subject, case.detail(None));
        measures.bells.extend(case.bell(bell, None));
        self.carry_out(measures).await
    }

    /// Who is not in the room and never was muted or banned there is there for those only who meet
    /// them in the house: 404. One may keep out whom one blocks.
    fn require_known(&self, case: Case<'_>) -> Result<(), ApiError> {
        if case.is_known() || self.knows(case.by, case.whom) {
            return Ok(());
        }
        Err(ApiError::not_found("person"))
    }

    /// A room that somebody moderates. Direct rooms are nobody's to moderate.
    pub fn moderated(&self, room: RoomId, by: UserId) -> Result<Arc<RoomState>, ApiError> {
        Ok(self.membership.require(room, by, RoomAction::Moderate)?)
    }
}
