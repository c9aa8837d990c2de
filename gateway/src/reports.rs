//! Reports: somebody finds that a message should not be there, a moderator decides. The house's
//! owner and admins see and decide all, a room's moderators those of their room; nobody those about
//! a message of their own. What a decision does is done in the same change.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use hearth_protocol::event::{Line, Sender};
use hearth_protocol::ids::{EventId, ReportId, RoomId, UserId};
use hearth_protocol::role::{HouseAction, RoomAction};
use hearth_store::{
    Change, Decision, Edit, EventKind, Report, Right, Rule, StoreError, StoredEvent, Subject,
    Verdict,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::{self, AuditAction};
use crate::clock::random;
use crate::error::ApiError;
use crate::ingest::looks_like_age;
use crate::membership::RoomState;
use crate::moderation::Act;
use crate::sanctions::{Case, Measures, Term};

/// What a moderator decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// The message may stay.
    Dismiss,
    /// The report is right; nothing (more) is done.
    Uphold,
    /// The message is erased.
    Delete,
    /// Its sender is put out of the room.
    Kick,
    /// Its sender is muted there.
    Mute,
    /// Its sender is banned from there.
    Ban,
}

/// A page of reports, and where the next one begins.
#[derive(Debug, Default)]
pub struct ReportPage {
    /// With the messages they are about, where those are still there; of evidence, that there is
    /// some.
    pub reports: Vec<(Report, Option<StoredEvent>)>,
    /// The last report that was looked at, if there may be more.
    pub next: Option<ReportId>,
}

impl App {
    /// Notes that somebody finds a message should not be there. `evidence`: from a sealed room, an
    /// age file to the moderators.
    pub async fn report(
        &self,
        by: UserId,
        message: EventId,
        reason: String,
        evidence: Option<Vec<u8>>,
    ) -> Result<Report, ApiError> {
        let (state, event) = self.seen_event(message, by).await?;
        match event.kind {
            EventKind::Erased => return Err(StoreError::from(Rule::Erased).into()),
            kind if !kind.is_message() => return Err(StoreError::from(Rule::NotAMessage).into()),
            _ => {}
        }
        self.check_evidence(&state, evidence.as_deref())?;
        self.not_too_often(Act::Report(by))?;
        let now = self.clock.now_ms();
        let report = Report {
            id: ReportId::new(now, random()),
            by,
            room: event.room,
            event: event.id,
            reason: reason.trim().to_string(),
            evidence,
            created_at: now,
            decided: None,
        };
        self.store.change(Change::of(vec![Edit::PutReport(report.clone())], now)).await?;
        let bell = json!({ "type": "report", "report_id": report.id, "room_id": report.room });
        for user in self.deciders(&state) {
            if event.sender != Sender::Person(user) && user != by {
                self.ring(user, &bell);
            }
        }
        Ok(report)
    }

    fn check_evidence(&self, state: &RoomState, evidence: Option<&[u8]>) -> Result<(), ApiError> {
        let bad = |message: &str| ApiError::invalid("bad_evidence", message);
        match evidence {
            Some(_) if !state.is_sealed() => {
                Err(bad("the room is open: the box has the message itself")
                    .hint("leave `evidence` out"))
            }
            Some(bytes) if !looks_like_age(bytes) => Err(bad("the evidence is no age file")
                .hint("seal text and wire to the cards of the moderators")),
            _ => Ok(()),
        }
    }

    /// Who decides reports of a room.
    fn deciders(&self, state: &RoomState) -> Vec<UserId> {
        let mut users = self.roles.who_may(HouseAction::Moderate);
        let of_room = state.members.keys().filter(|user| self.moderates(state.room.id, **user));
        users.extend(of_room.copied());
        users.sort();
        users.dedup();
        users
    }

    fn moderates(&self, room: RoomId, user: UserId) -> bool {
        self.membership.require(room, user, RoomAction::Moderate).is_ok()
    }

    /// The message of a report that somebody may read and decide; `None`: the report is not there
    /// for them.
    async fn about(
        &self,
        user: UserId,
        report: &Report,
    ) -> Result<Option<Option<StoredEvent>>, ApiError> {
        if !self.roles.may(user, HouseAction::Moderate) && !self.moderates(report.room, user) {
            return Ok(None);
        }
        let event = self.store.event(report.event).await?;
        let own = event.as_ref().is_some_and(|event| event.sender == Sender::Person(user));
        Ok((!own).then_some(event))
    }

    /// A report that somebody may decide, with the message it is about.
    pub async fn report_for(
        &self,
        user: UserId,
        id: ReportId,
    ) -> Result<(Report, Option<StoredEvent>), ApiError> {
        let missing = || ApiError::not_found("report");
        let report = self.store.report(id).await?.ok_or_else(missing)?;
        let event = self.about(user, &report).await?.ok_or_else(missing)?;
        Ok((report, event))
    }

    /// The open reports that somebody may decide, the oldest first, after one; or the decided
    /// ones, the newest first, before one.
    pub async fn reports(
        &self,
        user: UserId,
        decided: bool,
        from: Option<ReportId>,
        limit: usize,
    ) -> Result<ReportPage, ApiError> {
        let moderates = |state: &Arc<RoomState>| self.moderates(state.room.id, user);
        if !self.roles.may(user, HouseAction::Moderate)
            && !self.membership.rooms_of(user).iter().any(moderates)
        {
            return Err(ApiError::forbidden("reports are for who moderates a room or the house"));
        }
        let rows = self.limits.page_entries_max.min(self.limits.report_rows_max);
        let mut page = ReportPage { reports: vec![], next: from };
        for _ in 0..self.limits.report_reads_max {
            let found = match decided {
                true => self.store.decided_reports(page.next, rows).await?,
                false => self.store.open_reports(page.next, rows).await?,
            };
            let last_page = found.len() < rows;
            for mut report in found {
                page.next = Some(report.id);
                report.evidence = report.evidence.map(|_| vec![]);
                if let Some(event) = self.about(user, &report).await? {
                    page.reports.push((report, event));
                }
                if page.reports.len() == limit {
                    return Ok(page);
                }
            }
            if last_page {
                page.next = None;
                break;
            }
        }
        Ok(page)
    }

    /// Decides an open report, and does what is decided.
    pub async fn decide(
        &self,
        by: UserId,
        id: ReportId,
        ruling: Ruling,
        note: &str,
        term: Term,
    ) -> Result<(), ApiError> {
        let (report, event) = self.report_for(by, id).await?;
        if report.decided.is_some() {
            return Err(StoreError::Gone { what: "report", why: "it is decided" }.into());
        }
        if term != Term::default() && !matches!(ruling, Ruling::Mute | Ruling::Ban) {
            let message = "only a mute or a ban has a term";
            return Err(ApiError::invalid("bad_term", message));
        }
        let mut measures = self.measures();
        let at = measures.change.at_ms;
        let verdict = if ruling == Ruling::Dismiss { Verdict::Dismissed } else { Verdict::Upheld };
        let decision = Decision { by, verdict, note: note.trim().to_string(), at };
        measures.change.edits.push(Edit::DecideReport { id, decision });
        let detail = json!({ "report": id, "room": report.room, "ruling": ruling,
                             "note": audit::short(note) });
        let subject = Subject::Event(report.event);
        audit::note(&mut measures.change, Some(by), AuditAction::ReportDecide, subject, detail);
        if !matches!(ruling, Ruling::Dismiss | Ruling::Uphold) {
            let event = event.ok_or_else(|| ApiError::not_found("message"))?;
            self.add_ruling(&mut measures, &event, by, ruling, note, term)?;
        }
        self.carry_out(measures).await
    }

    /// Adds what is done about a message or its sender.
    fn add_ruling(
        &self,
        measures: &mut Measures,
        event: &StoredEvent,
        by: UserId,
        ruling: Ruling,
        reason: &str,
        term: Term,
    ) -> Result<(), ApiError> {
        let room = event.room;
        let state = self.membership.room(room).ok_or_else(|| ApiError::not_found("room"))?;
        if ruling == Ruling::Delete {
            add_erasure(&mut measures.change, event, by);
            return Ok(());
        }
        let Sender::Person(whom) = event.sender else {
            let message = "the message is no person's";
            return Err(ApiError::conflict("not_a_person", message)
                .hint("DELETE /api/devices/{id} ends a device"));
        };
        let case = Case { state: &state, by, whom, reason };
        match ruling {
            Ruling::Kick => self.add_kick(measures, case),
            Ruling::Mute => self.add_mute(measures, case, term),
            Ruling::Ban => self.add_ban(measures, case, term),
            Ruling::Dismiss | Ruling::Uphold | Ruling::Delete => Ok(()),
        }
    }
}

/// The message goes, with a line that tells those who follow the room.
fn add_erasure(change: &mut Change, event: &StoredEvent, by: UserId) {
    let (room, target) = (event.room, event.id);
    change.edits.push(Edit::Erase { room, target, by, right: Right::Moderator, reason: None });
    let id = EventId::new(change.at_ms, random());
    change.line(room, Line::Erased { target, by }, id);
    let detail: Value = json!({ "room": room });
    audit::note(change, Some(by), AuditAction::MessageErase, Subject::Event(target), detail);
}
