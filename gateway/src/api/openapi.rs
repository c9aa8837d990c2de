//! The description of this interface (OpenAPI 3.1), made from what stands at the handlers:
//! `/api/openapi.json`, and as a page to read `/api/docs`.
//!
//! What every operation has is added here: its noun, its path's ids, the shape of a no.

mod codes;
mod page;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::{Value, json};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, Info, OpenApi, Paths, Ref, RefOr, Required, Response,
};
use utoipa::{OpenApi as _, PartialSchema};
use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::reply::Response as HttpResponse;
use warp::{Filter, path};

use super::reply::{Answer, Refused, answer};
use crate::app::App;
use crate::error::ApiError;
use codes::CODES;

/// The nouns, in reading order, each with its part.
fn parts() -> Vec<(&'static str, OpenApi)> {
    vec![
        ("setup", super::setup::Doc::openapi()),
        ("auth", super::auth::Doc::openapi()),
        ("sessions", super::sessions::Doc::openapi()),
        ("users", super::users::Doc::openapi()),
        ("people", super::people::Doc::openapi()),
        ("people", super::export::Doc::openapi()),
        ("bots", super::bots::Doc::openapi()),
        ("settings", super::settings::Doc::openapi()),
        ("addresses", super::addresses::Doc::openapi()),
        ("grants", super::grants::Doc::openapi()),
        ("rooms", super::rooms::Doc::openapi()),
        ("members", super::members::Doc::openapi()),
        ("messages", super::messages::Doc::openapi()),
        ("messages", super::message::Doc::openapi()),
        ("reactions", super::reactions::Doc::openapi()),
        ("receipts", super::receipts::Doc::openapi()),
        ("pins", super::pins::Doc::openapi()),
        ("bundles", super::bundles::Doc::openapi()),
        ("invites", super::invites::Doc::openapi()),
        ("attachments", super::attachments::Doc::openapi()),
        ("devices", super::devices::Doc::openapi()),
        ("door", super::door::Doc::openapi()),
        ("notifications", super::notifications::Doc::openapi()),
        ("notifications", crate::sse::Doc::openapi()),
        ("contacts", super::contacts::Doc::openapi()),
        ("blocks", super::blocks::Doc::openapi()),
        ("mutes", super::mutes::Doc::openapi()),
        ("bans", super::bans::Doc::openapi()),
        ("reports", super::reports::Doc::openapi()),
        ("audit", super::audit::Doc::openapi()),
        ("openapi", Doc::openapi()),
        ("health", crate::http::status::Doc::openapi()),
        ("trust", crate::http::trust::Doc::openapi()),
    ]
}

/// Its part of the description.
#[derive(utoipa::OpenApi)]
#[openapi(paths(json, docs))]
struct Doc;

/// Its routes.
pub fn routes(_app: &Arc<App>) -> BoxedFilter<(HttpResponse,)> {
    let json = path!("api" / "openapi.json").and(warp::get()).then(json).map(answer);
    let docs = path!("api" / "docs").and(warp::get()).then(docs).map(answer);
    json.or(docs).unify().boxed()
}

/// Gives this description.
#[utoipa::path(get, path = "/api/openapi.json", security(()),
    responses((status = 200, body = Object)))]
async fn json() -> Result<Answer, ApiError> {
    static MADE: OnceLock<Bytes> = OnceLock::new();
    let made = once(&MADE, |json| serde_json::to_vec(json).map_err(|e| ApiError::unwritable(&e)))?;
    Answer::fixed(made, "application/json")
}

/// Shows this description as a page.
#[utoipa::path(get, path = "/api/docs", security(()),
    responses((status = 200, body = String, content_type = "text/html")))]
async fn docs() -> Result<Answer, ApiError> {
    static MADE: OnceLock<Bytes> = OnceLock::new();
    let made = once(&MADE, |json| Ok(page::html(json).into_bytes()))?;
    Answer::fixed(made, "text/html; charset=utf-8")
}

/// Made when it is first asked for: it takes some ms, and anyone may ask.
fn once(
    made: &OnceLock<Bytes>,
    make: impl FnOnce(&Value) -> Result<Vec<u8>, ApiError>,
) -> Result<Bytes, ApiError> {
    if let Some(made) = made.get() {
        return Ok(made.clone());
    }
    let new = Bytes::from(make(&as_json()?)?);
    Ok(made.get_or_init(|| new).clone())
}

fn as_json() -> Result<Value, ApiError> {
    let mut json =
        serde_json::to_value(document()).map_err(|error| ApiError::unwritable(&error))?;
    name_unsigned(&mut json);
    name_parts(&mut json["components"]["schemas"]);
    let codes: Vec<_> = CODES.iter().map(|(code, _)| *code).collect();
    json["components"]["schemas"]["Refused"]["properties"]["code"]["enum"] = codes.into();
    Ok(json)
}

/// utoipa gives numbers from 0 the formats of signed ones, which hold half as many.
fn name_unsigned(value: &mut Value) {
    match value {
        Value::Object(map) => {
            let unsigned = match map.get("format").and_then(Value::as_str) {
                Some("int64") => Some("uint64"),
                Some("int32") => Some("uint32"),
                _ => None,
            };
            if let (Some(format), Some(0)) = (unsigned, map.get("minimum").and_then(Value::as_u64))
            {
                map.insert("format".to_string(), format.into());
            }
            map.values_mut().for_each(name_unsigned);
        }
        Value::Array(items) => items.iter_mut().for_each(name_unsigned),
        _ => {}
    }
}

/// What is flattened into an object is all there or not there at all; utoipa calls it null then,
/// which no object is.
fn name_parts(schemas: &mut Value) {
    let known = schemas.clone();
    let Value::Object(map) = schemas else { return };
    let parts =
        map.values_mut().filter_map(|schema| schema.get_mut("allOf")?.as_array_mut()).flatten();
    for part in parts {
        let Some([null, there]) = part["oneOf"].as_array().map(Vec::as_slice) else { continue };
        let name = there["$ref"].as_str().and_then(|path| path.rsplit('/').next());
        if null["type"] == "null"
            && let Some(name) = name
        {
            let not_there = json!({ "not": { "required": [known[name]["required"][0]] } });
            *part = json!({ "anyOf": [there, not_there] });
        }
    }
}

/// The whole description.
pub fn document() -> OpenApi {
    let mut info = Info::new("Hearth", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "A household's own messenger. Times are ms since 1970, bytes base64url without padding. \
         A token is what `POST /api/auth/login` gives, or an app token; at `/api/door` a device's."
            .to_string(),
    );
    let mut document = OpenApi::new(info, Paths::new());
    let mut components = Components::new();
    components.schemas.insert("Refused".to_string(), Refused::schema());
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.add_security_scheme("bearer", bearer);
    document.components = Some(components);
    document.security = Some(vec![SecurityRequirement::new("bearer", Vec::<String>::new())]);
    for (tag, mut part) in parts() {
        for (path, item) in &mut part.paths.paths {
            for (_, operation) in operations(item) {
                complete(operation, tag, path);
            }
        }
        document.merge(part);
    }
    document
}

/// The methods that a path has; none where it is not described.
pub fn methods(path: &str) -> Vec<&'static str> {
    static ALL: OnceLock<Vec<(String, Vec<&'static str>)>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let paths = document().paths.paths.into_iter();
        let of = |mut item| operations(&mut item).map(|(method, _)| method).collect();
        paths.map(|(path, item)| (path, of(item))).collect()
    });
    let matches = |template: &str| {
        let level = |(given, known): (&str, &str)| known.starts_with('{') || known == given;
        let (given, known) = (path.split('/'), template.split('/'));
        given.clone().count() == known.clone().count() && given.zip(known).all(level)
    };
    // `me` stands where an id could, and is none.
    let ids = |template: &str| template.matches('{').count();
    let found: Vec<_> = all.iter().filter(|(template, _)| matches(template)).collect();
    let fewest = found.iter().map(|(template, _)| ids(template)).min();
    let nearest = found.iter().filter(|(template, _)| Some(ids(template)) == fewest);
    nearest.flat_map(|(_, methods)| methods.iter().copied()).collect()
}

/// The operations of a path by their methods.
pub(super) fn operations(
    item: &mut PathItem,
) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [("GET", get), ("PUT", put), ("POST", post), ("DELETE", delete), ("PATCH", patch)]
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Adds what every operation has.
fn complete(operation: &mut Operation, tag: &str, path: &str) {
    operation.tags = Some(vec![tag.to_string()]);
    // The handler's name, which is one in its own file only.
    operation.operation_id = operation.operation_id.take().map(|name| format!("{tag}_{name}"));
    let parameters = operation.parameters.get_or_insert_default();
    for name in path.split('/').filter_map(|level| level.strip_prefix('{')?.strip_suffix('}')) {
        parameters.push(path_parameter(name));
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            response.description = reason(status);
        }
    }
    let mut no = Response::new("A no");
    let refused = ContentBuilder::new().schema(Some(Ref::from_schema_name("Refused"))).build();
    no.content.insert("application/json".to_string(), refused);
    operation.responses.responses.entry("default".to_string()).or_insert(RefOr::T(no));
}

/// A level of a path that names a thing: an id, an invite's code, a channel, an emoji.
fn path_parameter(name: &str) -> Parameter {
    let schema = match name {
        "code" => hearth_protocol::ids::InviteCode::schema(),
        "channel" => hearth_protocol::schema::b64u("The channel of a pairing.", 16).into(),
        "emoji" => String::schema(),
        "id" => hearth_protocol::schema::uuid("Its id.").into(),
        _ => hearth_protocol::schema::uuid(&format!("The id of a {name}.")).into(),
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(schema))
        .build()
}

fn reason(status: &str) -> String {
    let status = StatusCode::from_bytes(status.as_bytes()).ok();
    status.and_then(|status| status.canonical_reason()).unwrap_or("An answer").to_string()
}
