//! What the house is called and how it is run: `/api/settings`.

use std::sync::Arc;

use hearth_protocol::role::HouseAction;
use hearth_store::{Change, Edit, House, Registration, Settings, Subject};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::OpenApi;
use utoipa::ToSchema;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Caller, body, caller, with};
use super::reply::{Answer, answer};
use crate::app::App;
use crate::audit::{self, AuditAction};
use crate::error::ApiError;
use crate::names::check_title;

#[cfg(test)]
mod tests;

/// Its part of the description.
#[derive(OpenApi)]
#[openapi(paths(settings, set))]
pub struct Doc;

/// Its routes.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let get = path!("api" / "settings")
        .and(warp::get())
        .and(with(app))
        .and(caller(app))
        .then(settings)
        .map(answer);
    let put = path!("api" / "settings")
        .and(warp::put())
        .and(with(app))
        .and(caller(app))
        .and(body(app))
        .then(set)
        .map(answer);
    get.or(put).unify().boxed()
}

/// What everybody of the house sees, and nothing else.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PublicSettings {
    house: String,
    registration: Registration,
}

/// What is shown.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the description's word for either of two answers")]
enum SettingsView {
    All(AllSettings),
    Public(PublicSettings),
}

/// All of it, as it is read and written by whoever runs the house. `null`: as the limits say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
struct AllSettings {
    /// What the house is called.
    house: String,
    /// The version that is read, or replaced.
    version: u64,
    /// Who may make an account.
    registration: Registration,
    /// Days that messages are kept; 0: for ever.
    retention_days: usize,
    /// Bytes of history that a room keeps; 0: all.
    retention_bytes: u64,
    /// MiB of attachments of one person.
    attachment_user_mib: Option<usize>,
    /// MiB of all attachments.
    attachment_house_mib: Option<usize>,
    /// Days that audit entries and decided reports are kept.
    audit_days: Option<usize>,
}

impl AllSettings {
    fn new(house: String, settings: Settings) -> Self {
        Self {
            house,
            version: settings.version,
            registration: settings.registration,
            retention_days: settings.retention_days,
            retention_bytes: settings.retention_bytes,
            attachment_user_mib: settings.attachment_user_mib,
            attachment_house_mib: settings.attachment_house_mib,
            audit_days: settings.audit_days,
        }
    }

    /// The version that follows.
    fn next(&self) -> Settings {
        Settings {
            version: self.version.saturating_add(1),
            registration: self.registration,
            retention_days: self.retention_days,
            retention_bytes: self.retention_bytes,
            attachment_user_mib: self.attachment_user_mib,
            attachment_house_mib: self.attachment_house_mib,
            audit_days: self.audit_days,
        }
    }
}

/// Tells what the house is called and who may make an account; all of it to whoever runs it.
#[utoipa::path(get, path = "/api/settings", responses((status = 200, body = SettingsView)))]
async fn settings(app: Arc<App>, caller: Caller) -> Result<Answer, ApiError> {
    let (house, settings) = (app.house_name().await?, app.store.settings().await?);
    if app.roles.may(caller.user, HouseAction::ManageSettings) {
        return Answer::ok(&AllSettings::new(house, settings));
    }
    Answer::ok(&PublicSettings { house, registration: settings.registration })
}

/// Replaces the settings of the house, if nobody was quicker.
#[utoipa::path(put, path = "/api/settings", request_body = AllSettings,
    responses((status = 200, body = AllSettings)))]
async fn set(app: Arc<App>, caller: Caller, new: AllSettings) -> Result<Answer, ApiError> {
    caller.login()?;
    app.roles.require(caller.user, HouseAction::ManageSettings)?;
    let missing = || ApiError::conflict("not_set_up", "the house is not set up yet");
    let house = app.store.house().await?.ok_or_else(missing)?;
    let max = app.limits.room_name_chars_max;
    let name = check_title("a house's name", &new.house, max)?;
    let old =
        serde_json::to_value(AllSettings::new(house.name.clone(), app.store.settings().await?))
            .unwrap_or_default();
    let settings = new.next();
    let after = AllSettings::new(name.clone(), settings.clone());
    let edit = Edit::SwapSettings { expected: new.version, settings };
    let mut change = Change::of(vec![edit], app.clock.now_ms());
    if name != house.name {
        change.edits.push(Edit::SetHouse(House { name, ..house }));
    }
    let now_is = serde_json::to_value(&after).unwrap_or_default();
    let detail = json!({ "changed": changed(&old, &now_is) });
    audit::note(
        &mut change,
        Some(caller.user),
        AuditAction::SettingsChange,
        Subject::House,
        detail,
    );
    app.store.change(change).await?;
    Answer::ok(&after)
}

/// The names of the fields that differ.
fn changed(old: &serde_json::Value, new: &serde_json::Value) -> Vec<String> {
    let fields = new.as_object().into_iter().flatten();
    let differ = fields.filter(|(name, value)| *name != "version" && old[*name] != **value);
    differ.map(|(name, _)| name.clone()).collect()
}
