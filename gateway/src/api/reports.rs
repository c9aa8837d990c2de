//! Reports of messages: `/api/messages/{id}/reports`, `/api/reports`.

use std::sync::Arc;

use hearth_protocol::bytes::b64u;
use hearth_protocol::event::Sender;
use hearth_protocol::ids::{EventId, ReportId, RoomId, UserId};
use hearth_protocol::schema::B64u;
use hearth_store::{Decision, Report, StoredEvent, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::{IntoParams, OpenApi, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::entries::{entries_limit, first_within};
use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use super::users::UserView;
use crate::app::App;
use crate::error::ApiError;
use crate::history::{self, MessageItem};
use crate::reports::Ruling;
use crate::sanctions::Term;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(make, list, one, decide))]
pub struct Doc;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let make = path!("api" / "messages" / EventId / "reports")
        .and(warp::post())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(make)
        .map(answer);
    let list = path!("api" / "reports")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .and(warp::query())
        .then(list)
        .map(answer);
    let one = path!("api" / "reports" / ReportId)
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(one)
        .map(answer);
    let decide = path!("api" / "reports" / ReportId)
        .and(warp::patch())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(decide)
        .map(answer);
    make.or(list).unify().or(one).unify().or(decide).unify().boxed()
}

/// `POST /api/messages/{id}/reports`.
#[derive(Debug, Deserialize, ToSchema)]
struct NewReport {
    /// Why.
    reason: String,
    /// From a sealed room: opened text and wire, in an age file to the moderators.
    #[serde(default, with = "hearth_protocol::bytes::option")]
    #[schema(value_type = Option<B64u>)]
    evidence: Option<Vec<u8>>,
}

/// That a report was taken.
#[derive(Debug, Serialize, ToSchema)]
struct Reported {
    id: ReportId,
    message_id: EventId,
    /// ms since 1970.
    created_at: u64,
}

/// Reports a message to those who keep order.
#[utoipa::path(post, path = "/api/messages/{message}/reports", request_body = NewReport,
    responses((status = 201, body = Reported)))]
async fn make(
    message: EventId,
    app: Arc<App>,
    caller: Caller,
    new: NewReport,
) -> Result<Answer, ApiError> {
    let report = app.report(caller.user, message, new.reason, new.evidence).await?;
    let Report { id, event, created_at, .. } = report;
    Answer::created(&Reported { id, message_id: event, created_at })
}

/// Which reports are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ReportStatus {
    #[default]
    Open,
    Decided,
}

/// `GET /api/reports?status=&after=&before=&limit=`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PageRequest {
    /// `open`, the oldest first, or `decided`, the newest first.
    #[serde(default)]
    #[param(inline)]
    status: ReportStatus,
    /// Of open ones: those that came after it.
    after: Option<ReportId>,
    /// Of decided ones: those that came before it.
    before: Option<ReportId>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
}

/// A report as a moderator sees it.
#[derive(Debug, Serialize, ToSchema)]
struct ReportView {
    id: ReportId,
    /// Who reports.
    by: Option<UserView>,
    room_id: RoomId,
    message_id: EventId,
    /// Whose message it is; null where it is a device's, or gone.
    sender: Option<UserId>,
    /// Why.
    reason: String,
    /// Whether there is evidence.
    has_evidence: bool,
    /// An age file, from sealed rooms; of a report that is asked for alone.
    #[schema(value_type = Option<B64u>)]
    evidence: Option<String>,
    /// The message of an open room as it is now.
    #[schema(value_type = Option<MessageItem>)]
    message: Option<Value>,
    /// ms since 1970.
    created_at: u64,
    /// null while it is open.
    decision: Option<DecisionView>,
}

/// What was decided.
#[derive(Debug, Serialize, ToSchema)]
struct DecisionView {
    by: UserId,
    verdict: Verdict,
    note: String,
    /// ms since 1970.
    at: u64,
}

/// A page of reports.
#[derive(Debug, Serialize, ToSchema)]
struct ReportPage {
    #[schema(value_type = Vec<ReportView>)]
    reports: Vec<Box<RawValue>>,
    /// `after` or `before` of the next page; null at the end.
    next: Option<ReportId>,
}

async fn view(
    app: &App,
    viewer: UserId,
    report: Report,
    event: Option<StoredEvent>,
) -> Result<ReportView, ApiError> {
    let open = app.membership.room(report.room).is_some_and(|state| !state.is_sealed());
    let message = match open {
        true => {
            let view = app.store.message_view(report.event).await?;
            view.map(|view| history::view(&view, None, &app.limits))
        }
        false => None,
    };
    let sender = event.and_then(|event| match event.sender {
        Sender::Person(user) => Some(user),
        Sender::Device(_) | Sender::Box => None,
    });
    let decision = report.decided.map(|decided| {
        let Decision { by, verdict, note, at } = decided;
        DecisionView { by, verdict, note, at }
    });
    let by = app.store.user(report.by).await?;
    Ok(ReportView {
        id: report.id,
        by: by.map(|by| app.seen_by(viewer, by)),
        room_id: report.room,
        message_id: report.event,
        sender,
        reason: report.reason,
        has_evidence: report.evidence.is_some(),
        evidence: None,
        message,
        created_at: report.created_at,
        decision,
    })
}

/// Gives a page of the reports that one may decide.
#[utoipa::path(get, path = "/api/reports", params(PageRequest),
    responses((status = 200, body = ReportPage)))]
async fn list(app: Arc<App>, caller: Caller, page: PageRequest) -> Result<Answer, ApiError> {
    let limit = entries_limit(&app, page.limit)?;
    let (decided, from) = match (page.status, page.after, page.before) {
        (ReportStatus::Open, after, None) => (false, after),
        (ReportStatus::Decided, None, before) => (true, before),
        _ => {
            let message = "open reports take `after`, decided ones `before`";
            return Err(ApiError::invalid("bad_query", message));
        }
    };
    let found = app.reports(caller.user, decided, from, limit).await?;
    let (mut ids, mut views) = (vec![], vec![]);
    for (report, event) in found.reports {
        ids.push(report.id);
        views.push(view(&app, caller.user, report, event).await?);
    }
    let reports = first_within(views, app.limits.page_bytes_max)?;
    let left_out = reports.len() < ids.len();
    let last = reports.len().checked_sub(1).map(|last| ids[last]).filter(|_| left_out);
    Answer::ok(&ReportPage { reports, next: last.or(found.next) })
}

/// Gives a report with its evidence to who may decide it.
#[utoipa::path(get, path = "/api/reports/{report}", responses((status = 200, body = ReportView)))]
async fn one(id: ReportId, app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let (report, event) = app.report_for(caller.user, id).await?;
    let evidence = report.evidence.as_deref().map(b64u);
    let view = view(&app, caller.user, report, event).await?;
    Answer::ok(&ReportView { evidence, ..view })
}

/// `PATCH /api/reports/{id}`.
#[derive(Debug, Deserialize, ToSchema)]
struct Decide {
    decision: Ruling,
    /// What else there is to say; the reason of what is done.
    #[serde(default)]
    note: String,
    /// How long a mute or ban holds.
    minutes: Option<usize>,
    /// Or until when, ms since 1970.
    until: Option<u64>,
}

/// Decides a report.
#[utoipa::path(patch, path = "/api/reports/{report}", request_body = Decide,
    responses((status = 204)))]
async fn decide(
    id: ReportId,
    app: Arc<App>,
    caller: Caller,
    request: Decide,
) -> Result<Answer, ApiError> {
    let Decide { decision, note, minutes, until } = request;
    app.decide(caller.user, id, decision, &note, Term { minutes, until }).await?;
    Answer::nothing()
}
