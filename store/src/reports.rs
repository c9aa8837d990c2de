//! Reports: that somebody finds a message should not be there. One per person and message, for as
//! long as it is kept. Open ones wait in a queue, the oldest first; decided ones are kept as long
//! as the audit log, and then make room for others of the same person.

use hearth_protocol::ids::{EventId, ReportId, RoomId, UserId};
use hearth_protocol::limits::Limits;
use serde::{Deserialize, Serialize};

use crate::change::Edit;
use crate::engine::{Order, Row};
use crate::error::{Rule, StoreError};
use crate::stage::Stage;
use crate::store::Store;
use crate::{keys, measure, record, rooms, settings, users};

/// What somebody reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Report {
    /// Its id.
    pub id: ReportId,
    /// Who reports.
    pub by: UserId,
    /// Where the message lies.
    pub room: RoomId,
    /// Which message.
    pub event: EventId,
    /// Why.
    pub reason: String,
    /// From a sealed room: opened text and wire, in an age file to the moderators.
    #[serde(with = "hearth_protocol::bytes::option")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<hearth_protocol::schema::B64u>))]
    pub evidence: Option<Vec<u8>>,
    /// ms since 1970.
    pub created_at: u64,
    /// What was decided; `None` while it is open.
    pub decided: Option<Decision>,
}

/// What a moderator decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decision {
    /// Who.
    pub by: UserId,
    /// Whether the report was right.
    pub verdict: Verdict,
    /// What else there is to say; may be empty.
    pub note: String,
    /// ms since 1970.
    pub at: u64,
}

/// Whether a report was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Something was done about it.
    Upheld,
    /// The message may stay.
    Dismissed,
}

impl Store {
    /// A report, open or decided.
    pub async fn report(&self, id: ReportId) -> Result<Option<Report>, StoreError> {
        // Both are looked at whatever is found: how long it takes tells nothing of a hidden one.
        let open = self.load("report", keys::report_open(id)).await?;
        let decided = self.load("report", keys::report_decided(id)).await?;
        Ok(open.or(decided))
    }

    /// A page of the open reports, the oldest first, after one of them.
    pub async fn open_reports(
        &self,
        after: Option<ReportId>,
        limit: usize,
    ) -> Result<Vec<Report>, StoreError> {
        let mut range = keys::reports_open();
        if let Some(after) = after {
            range = keys::after(range, &keys::report_open(after));
        }
        let limit = limit.min(self.limits().page_entries_max);
        let rows = self.engine().scan(range, Order::Ascending, limit).await?;
        rows.iter().map(|(_, value)| record::decode("report", value)).collect()
    }

    /// A page of the decided reports, the newest first, before one of them.
    pub async fn decided_reports(
        &self,
        before: Option<ReportId>,
        limit: usize,
    ) -> Result<Vec<Report>, StoreError> {
        let mut range = keys::reports_decided();
        if let Some(before) = before {
            range = keys::before(range, keys::report_decided(before));
        }
        let limit = limit.min(self.limits().page_entries_max);
        let rows = self.engine().scan(range, Order::Descending, limit).await?;
        rows.iter().map(|(_, value)| record::decode("report", value)).collect()
    }
}

/// The ends of those reports among these rows whose time is over.
pub(crate) async fn ends(
    stage: &Stage<'_>,
    rows: &[Row],
    at_ms: u64,
    limits: &Limits,
) -> Result<Vec<Edit>, StoreError> {
    let life_ms = settings::current(stage).await?.audit_ms(limits);
    let mut edits = vec![];
    for (_, value) in rows {
        let report: Report = record::decode("report", value)?;
        if is_over(&report, life_ms, at_ms) {
            edits.push(Edit::ForgetReport(report.id));
        }
    }
    Ok(edits)
}

fn is_over(report: &Report, life_ms: u64, at_ms: u64) -> bool {
    let decided = report.decided.as_ref();
    decided.is_some_and(|decision| decision.at.saturating_add(life_ms) <= at_ms)
}

/// A new report, which is open.
pub(crate) async fn put(
    stage: &mut Stage<'_>,
    report: &Report,
    limits: &Limits,
) -> Result<(), StoreError> {
    let Report { id, by, room, event, .. } = *report;
    measure::not_empty("the reason", &report.reason)?;
    measure::chars("the reason", &report.reason, limits.report_reason_chars_max)?;
    let evidence = report.evidence.as_deref().unwrap_or_default();
    measure::bytes("the evidence", evidence, limits.report_evidence_bytes_max)?;
    if report.decided.is_some() {
        return Err(StoreError::Invalid { what: "the report", why: "a new one is open" });
    }
    users::require(stage, by).await?;
    rooms::require(stage, room).await?;
    let place = stage.get(keys::event_id(event)).await?;
    let place = place.map(|place| record::place(&place)).transpose()?;
    if place.is_none_or(|(lies_in, _)| lies_in != room) {
        return Err(StoreError::NotFound { what: "message" });
    }
    for key in [keys::report_open(id), keys::report_decided(id)] {
        if stage.get(key).await?.is_some() {
            return Err(StoreError::IdTaken { what: "report" });
        }
    }
    let once = keys::report_of(by, event);
    if stage.get(once.clone()).await?.is_some() {
        return Err(Rule::Reported.into());
    }
    let max = limits.reports_per_user_max;
    if stage.scan(keys::reports_of(by), Order::Ascending, max).await?.len() >= max {
        return Err(StoreError::LimitReached { what: "reports of this account", max });
    }
    stage.put(once, id.as_bytes().to_vec().into());
    stage.save("report", keys::report_open(id), report)
}

/// Decides an open report.
pub(crate) async fn decide(
    stage: &mut Stage<'_>,
    id: ReportId,
    decision: &Decision,
    limits: &Limits,
) -> Result<(), StoreError> {
    measure::chars("the note", &decision.note, limits.report_reason_chars_max)?;
    users::require(stage, decision.by).await?;
    let open: Option<Report> = stage.load("report", keys::report_open(id)).await?;
    let Some(open) = open else {
        return Err(match stage.get(keys::report_decided(id)).await? {
            Some(_) => StoreError::Gone { what: "report", why: "it is decided" },
            None => StoreError::NotFound { what: "report" },
        });
    };
    stage.delete(keys::report_open(id));
    let report = Report { decided: Some(decision.clone()), ..open };
    stage.save("report", keys::report_decided(id), &report)
}

/// Removes a decided report whose time is over; nothing if it is gone.
pub(crate) async fn forget(
    stage: &mut Stage<'_>,
    id: ReportId,
    at_ms: u64,
    limits: &Limits,
) -> Result<(), StoreError> {
    let found: Option<Report> = stage.load("report", keys::report_decided(id)).await?;
    let Some(report) = found else { return Ok(()) };
    if !is_over(&report, settings::current(stage).await?.audit_ms(limits), at_ms) {
        return Err(StoreError::Invalid { what: "that", why: "a decided report is kept its time" });
    }
    stage.delete(keys::report_of(report.by, report.event));
    stage.delete(keys::report_decided(id));
    Ok(())
}

#[cfg(test)]
mod tests;
