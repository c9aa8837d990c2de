//! The audit log: `/api/audit`, for the owner and the admins of the house.

use std::sync::Arc;

use hearth_protocol::ids::{AuditId, UserId};
use hearth_protocol::role::HouseAction;
use hearth_store::{AuditEntry, Subject};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::{IntoParams, OpenApi, ToSchema};
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::entries::{entries_limit, first_within};
use super::extract::{Caller, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::error::ApiError;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(list))]
pub struct Doc;

/// Its route.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    path!("api" / "audit")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .and(warp::query())
        .then(list)
        .map(answer)
        .boxed()
}

/// `GET /api/audit?before=&limit=`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PageRequest {
    /// Those before this one.
    before: Option<AuditId>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
}

/// That somebody did something.
#[derive(Debug, Serialize, ToSchema)]
struct AuditEntryView {
    /// Sorts by time.
    id: AuditId,
    /// ms since 1970.
    at: u64,
    /// Who; null: the box's own shell.
    by: Option<UserId>,
    /// What: a word like `room.kick`.
    action: String,
    /// To whom or what.
    subject: SubjectView,
    /// What else there is to know.
    detail: Value,
}

/// To whom or what something was done.
#[derive(Debug, Serialize, ToSchema)]
struct SubjectView {
    /// `house`, `user`, `room`, `message` or `device`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Its id; null for the house.
    id: Option<String>,
}

/// A page of the log, the newest first.
#[derive(Debug, Serialize, ToSchema)]
struct AuditPage {
    #[schema(value_type = Vec<AuditEntryView>)]
    entries: Vec<Box<RawValue>>,
}

impl From<Subject> for SubjectView {
    fn from(subject: Subject) -> Self {
        let (kind, id) = match subject {
            Subject::House => ("house", None),
            Subject::User(id) => ("user", Some(id.to_string())),
            Subject::Room(id) => ("room", Some(id.to_string())),
            Subject::Event(id) => ("message", Some(id.to_string())),
            Subject::Device(id) => ("device", Some(id.to_string())),
        };
        Self { kind, id }
    }
}

impl From<AuditEntry> for AuditEntryView {
    fn from(entry: AuditEntry) -> Self {
        let AuditEntry { id, at, by, action, subject, detail } = entry;
        Self { id, at, by, action, subject: subject.into(), detail }
    }
}

/// Gives a page of the audit log, the newest first.
#[utoipa::path(get, path = "/api/audit", params(PageRequest),
    responses((status = 200, body = AuditPage)))]
async fn list(app: Arc<App>, caller: Caller, page: PageRequest) -> Result<Answer, ApiError> {
    app.roles.require(caller.user, HouseAction::Moderate)?;
    let limit = entries_limit(&app, page.limit)?;
    let mut views = vec![];
    for mut entry in app.store.audit(page.before, limit).await? {
        app.hide_code(&mut entry.detail).await?;
        views.push(AuditEntryView::from(entry));
    }
    let entries = first_within(views, app.limits.page_bytes_max)?;
    Answer::ok(&AuditPage { entries })
}

#[cfg(test)]
mod tests {
    use hearth_protocol::bytes::b64u;
    use hearth_protocol::role::{HouseRole, RoomType, Sealing};
    use hearth_store::{Change, Subject};
    use serde_json::json;

    use crate::audit::{self, AuditAction};
    use crate::testing::{BEGINS_MS, House};

    #[tokio::test]
    async fn the_log_is_read_in_pages_by_those_who_run_the_house() {
        let house = House::new().await;
        let owner = house.person("anna", HouseRole::Owner).await;
        let admin = house.person("adam", HouseRole::Admin).await;
        let ben = house.person("ben", HouseRole::Member).await;
        for _ in 0..3 {
            house.later(1);
            let path = format!("/api/users/{}/disconnect", ben.id);
            house.post(&path, &admin, json!(null)).await.is(204);
        }
        house.later(1);
        house.app.disconnect(ben.id, None).await.unwrap();
        let page = house.get("/api/audit?limit=2", &owner).await.is(200);
        let entries = page["entries"].as_array().unwrap();
        let subject = json!({ "type": "user", "id": ben.id });
        for (entry, by) in entries.iter().zip([json!(null), json!(admin.id)]) {
            assert_eq!((&entry["action"], &entry["by"]), (&json!("user.disconnect"), &by));
            assert_eq!(entry["subject"], subject);
        }
        let last = entries[1]["id"].as_str().unwrap();
        let page = house.get(&format!("/api/audit?before={last}"), &admin).await.is(200);
        assert_eq!(page["entries"].as_array().unwrap().len(), 2);
        for (query, code) in
            [("?limit=0", "bad_limit"), ("?limit=101", "bad_limit"), ("?before=x", "bad_query")]
        {
            assert_eq!(house.get(&format!("/api/audit{query}"), &owner).await.code(), code);
        }
        assert_eq!(house.get("/api/audit?limit=100", &owner).await.status, 200);
        assert_eq!(house.get("/api/audit", &ben).await.code(), "forbidden");
    }

    #[tokio::test]
    async fn grants_and_devices_stand_in_the_log() {
        let house = House::new().await;
        let owner = house.person("anna", HouseRole::Owner).await;
        let room = house.room(RoomType::Private, Sealing::Open, &[&owner]).await;
        let path = format!("/api/rooms/{room}/devices");
        let made = house.post(&path, &owner, json!({ "name": "washer" })).await.is(201);
        let device = made["device"]["id"].as_str().unwrap();
        let grant = json!({ "device_id": device, "filter": "home/#", "access": "read" });
        let grant = house.post("/api/grants", &owner, grant).await.is(201);
        for path in [
            format!("/api/grants/{}", grant["id"].as_str().unwrap()),
            format!("/api/devices/{device}"),
        ] {
            house.call("DELETE", &path, Some(&owner), json!(null)).await.is(204);
        }
        let page = house.get("/api/audit", &owner).await.is(200);
        let entries = page["entries"].as_array().unwrap().iter();
        let mut actions: Vec<_> = entries.map(|entry| entry["action"].as_str().unwrap()).collect();
        actions.sort_unstable();
        assert_eq!(actions, ["device.add", "device.remove", "grant.add", "grant.remove"]);
    }
    #[tokio::test]
    async fn a_code_that_opens_by_itself_is_not_shown_whole_however_old_its_entry_is() {
        let house = House::new().await;
        let owner = house.person("anna", HouseRole::Owner).await;
        let room = house.room(RoomType::Private, Sealing::Open, &[&owner]).await;
        let path = format!("/api/rooms/{room}/invites");
        let made = house.post(&path, &owner, json!({})).await.is(201);
        let bare = made["code"].as_str().unwrap();
        let keyed = json!({
            "code": "0123456789", "auth_hash": b64u(&[1; 32]), "blob": b64u(&[1; 40]),
        });
        house.post(&path, &owner, keyed).await.is(201);
        // As programs before this one wrote it, and one of an invite that is gone.
        for code in [bare, "9876543210"] {
            let mut change = Change::of(vec![], BEGINS_MS);
            let (by, subject) = (Some(owner.id), Subject::Room(room));
            let detail = json!({ "code": code, "uses": 1 });
            audit::note(&mut change, by, AuditAction::InviteCreate, subject, detail);
            house.change(change.edits).await;
        }
        let page = house.get("/api/audit", &owner).await.is(200);
        let entries = page["entries"].as_array().unwrap().iter();
        let mut codes: Vec<_> =
            entries.map(|entry| entry["detail"]["code"].as_str().unwrap().to_string()).collect();
        codes.sort_unstable();
        let short = format!("{}…", &bare[..3]);
        let mut expected =
            vec!["0123456789".to_string(), "9876543210".into(), short.clone(), short];
        expected.sort_unstable();
        assert_eq!(codes, expected);
    }
}
