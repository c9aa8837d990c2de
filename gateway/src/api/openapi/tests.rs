//! That the description and the routes agree, both ways.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use hearth_protocol::role::HouseRole;
use serde_json::{Value, json};

use super::codes::CODES;
use super::{document, operations, parts};
use crate::testing::House;

/// An operation: the method, and the path with `{}` for each id in it.
type Place = (String, String);

fn place(method: &str, path: &str) -> Place {
    let levels = path.split('/').map(|level| if level.starts_with('{') { "{}" } else { level });
    (method.to_string(), levels.collect::<Vec<_>>().join("/"))
}

fn documented() -> BTreeSet<Place> {
    let mut document = document();
    let mut places = BTreeSet::new();
    for (path, item) in &mut document.paths.paths {
        places.extend(operations(item).map(|(method, _)| place(method, path)));
    }
    places
}

/// The routes in a source: `path!(…)` with the method that follows it.
fn routes_in(source: &str) -> BTreeSet<Place> {
    let mut places = BTreeSet::new();
    for route in source.split("path!(").skip(1) {
        let (levels, rest) = route.split_once(')').unwrap();
        let rest = rest.split("path!(").next().unwrap();
        let Some((_, method)) = rest.split_once(".and(warp::") else { continue };
        let (method, _) = method.split_once('(').unwrap();
        if method == "ws" {
            // OpenAPI knows no WebSocket; docs/protocol.md does.
            continue;
        }
        let levels = levels.split('/').map(str::trim).map(|level| match level.strip_prefix('"') {
            Some(text) => text.trim_end_matches('"'),
            None => "{}",
        });
        let path = format!("/{}", levels.collect::<Vec<_>>().join("/"));
        places.insert((method.to_uppercase(), path));
    }
    places
}

fn sources() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let listed = ["api", "http"].map(|name| fs::read_dir(folder.join(name)).unwrap());
    let files = listed.into_iter().flatten().map(|entry| entry.unwrap().path());
    let files = files.chain(["sse.rs", "ws.rs"].map(|name| folder.join(name)));
    files
        .filter(|path| path.extension().is_some())
        .map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap()))
        .collect()
}

#[test]
fn every_route_is_described_and_everything_described_is_a_route() {
    let sources = sources();
    let routes: BTreeSet<_> = sources.iter().flat_map(|(_, text)| routes_in(text)).collect();
    let described = documented();
    let missing: Vec<_> = routes.difference(&described).collect();
    assert!(missing.is_empty(), "not described (docs/contributing.md says how): {missing:?}");
    let gone: Vec<_> = described.difference(&routes).collect();
    assert!(gone.is_empty(), "described, and no route: {gone:?}");
    assert!(routes.len() > 100, "{}", routes.len());
}

#[test]
fn routes_are_written_in_the_one_way_that_is_read_here() {
    for (file, text) in sources() {
        assert!(!text.contains("warp::path(\""), "{file}: write path!(\"api\" / …)");
    }
}

#[test]
fn a_route_is_found_in_a_source() {
    let source = r#"let one = path!("api" / "rooms" / RoomId)
        .and(warp::delete()).then(one); let ws = path!("mqtt").and(warp::ws());"#;
    let found = BTreeSet::from([("DELETE".to_string(), "/api/rooms/{}".to_string())]);
    assert_eq!(routes_in(source), found);
}

#[tokio::test]
async fn every_described_operation_is_answered_by_its_route() {
    let house = House::new().await;
    let anna = house.person("anna", HouseRole::Owner).await;
    let id = "01900000-0000-7000-8000-000000000000";
    for (method, path) in documented() {
        if path == "/api/notifications/stream" {
            // It has no end; its own tests listen to it.
            continue;
        }
        let path = path.replace("invites/{}", "invites/0123456789").replace("{}", id);
        let body = if ["GET", "DELETE"].contains(&&*method) { Value::Null } else { json!({}) };
        let answered = house.call(&method, &path, Some(&anna), body).await;
        let message = answered.body["message"].as_str().unwrap_or_default();
        assert!(
            answered.status != 405 && !message.contains("nothing at this path"),
            "{method} {path}: {} {message}",
            answered.status
        );
        assert!(answered.status < 500, "{method} {path}: {}", answered.status);
    }
}

/// What is asked without a token, and why: to come in or to be let in, to see whether the box is
/// there and to trust it, and what describes all this.
const WITHOUT_TOKEN: [&str; 16] = [
    "GET /api/auth/params",
    "GET /api/docs",
    "GET /api/invites/{code}",
    "GET /api/openapi.json",
    "GET /api/pair/{channel}",
    "GET /api/setup",
    "GET /ca.crt",
    "GET /ca.mobileconfig",
    "GET /health",
    "POST /api/auth/guest",
    "POST /api/auth/login",
    "POST /api/auth/refresh",
    "POST /api/auth/register",
    "POST /api/auth/reset",
    "POST /api/pair/{channel}",
    "POST /api/setup",
];

#[tokio::test]
async fn every_operation_wants_a_token_but_those_that_let_in() {
    let house = House::new().await;
    let id = "01900000-0000-7000-8000-000000000000";
    let (mut described, mut open) = (vec![], vec![]);
    for (path, item) in &mut document().paths.paths {
        for (method, operation) in operations(item) {
            let named = format!("{method} {path}");
            let needs = serde_json::to_value(&operation.security).unwrap();
            if needs == json!([{}]) {
                described.push(named.clone());
            }
            let (_, levels) = place(method, path);
            let asked = levels.replace("invites/{}", "invites/0123456789").replace("{}", id);
            let body = if ["GET", "DELETE"].contains(&method) { Value::Null } else { json!({}) };
            let answered = house.call(method, &asked, None, body).await;
            if (answered.status, answered.code().as_str()) != (401, "sign_in") {
                open.push(named);
            }
        }
    }
    described.sort_unstable();
    open.sort_unstable();
    assert_eq!(open, WITHOUT_TOKEN);
    assert_eq!(described, WITHOUT_TOKEN);
}

#[tokio::test]
async fn a_method_that_a_path_has_not_is_told_those_it_has() {
    let house = House::new().await;
    for (method, path, allow) in [
        ("DELETE", "/api/auth/login", "POST"),
        ("PATCH", "/api/rooms/01900000-0000-7000-8000-000000000000/messages", "GET, POST"),
        ("GET", "/api/auth/login", "POST"),
        ("GET", "/api/users/me", "PATCH"),
        ("PUT", "/api/rooms/public", "GET"),
        ("POST", "/health", "GET"),
        ("POST", "/", "GET, HEAD"),
    ] {
        let answered = house.call(method, path, None, Value::Null).await;
        assert_eq!(answered.status, 405, "{method} {path}");
        assert_eq!(answered.headers["allow"], allow, "{method} {path}");
    }
    for (method, path) in [
        ("GET", "/api/nothing"),
        ("POST", "/api/nothing"),
        ("DELETE", "/api/devices/no-id"),
        ("POST", "/api/rooms/no-id/messages"),
        ("GET", "/api/rooms/no-id/messages"),
    ] {
        let answered = house.call(method, path, None, Value::Null).await;
        assert_eq!(answered.code(), "not_found", "{method} {path}");
    }
}

#[test]
fn a_shape_has_one_meaning_and_an_operation_one_name() {
    let mut shapes = std::collections::BTreeMap::new();
    let mut names = BTreeSet::new();
    for (noun, mut part) in parts() {
        for (name, shape) in part.components.take().unwrap_or_default().schemas {
            let shape = serde_json::to_string(&shape).unwrap();
            let known = shapes.entry(name.clone()).or_insert_with(|| shape.clone());
            assert_eq!(*known, shape, "{name} of {noun} is another one's name");
        }
    }
    for item in document().paths.paths.values_mut() {
        for (_, operation) in operations(item) {
            let name = operation.operation_id.clone().unwrap();
            assert!(operation.summary.is_some(), "{name}: its docstring says what it does");
            assert!(names.insert(name.clone()), "{name} twice");
        }
    }
}

#[test]
fn every_shape_that_is_named_is_there_and_every_no_has_its_own() {
    let document = serde_json::to_value(document()).unwrap();
    let text = document.to_string();
    for named in text.split("#/components/schemas/").skip(1) {
        let name = named.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
    assert_eq!(document["openapi"], "3.1.0");
    let no = &document["paths"]["/api/rooms/{room}"]["get"]["responses"]["default"];
    let shape = &no["content"]["application/json"]["schema"]["$ref"];
    assert_eq!(shape, "#/components/schemas/Refused");
    let body = json!(["code", "message", "hint"]);
    assert_eq!(document["components"]["schemas"]["Refused"]["required"], body);
}

#[tokio::test]
async fn the_page_shows_every_operation_and_runs_no_script() {
    let house = House::new().await;
    let answered = house.call("GET", "/api/docs", None, Value::Null).await;
    assert_eq!(answered.headers["content-type"], "text/html; charset=utf-8");
    let page = String::from_utf8(answered.bytes).unwrap();
    for path in document().paths.paths.keys() {
        assert!(page.contains(&format!(" {path}</h3>")), "{path}");
    }
    assert!(page.contains("<a href=#shape-MessagePage>") && page.contains("id=shape-MessagePage"));
    assert!(!page.contains("<script") && !page.contains("http://"));
}

/// The sources of the gateway and of the protocol, without their tests.
fn all_sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src"), root.join("../protocol/src")];
    let mut found = vec![];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.display().to_string();
            // What asks the box is not what answers, and its shell's answers are no requests'.
            let others = ["/cli", "/member", "/admin", "/admin.rs"];
            if name.contains("test") || others.iter().any(|it| name.ends_with(it)) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("mod tests {").next().unwrap();
                found.push((name, code.to_string()));
            }
        }
    }
    found
}

/// The codes that a source makes refusals of: the word after the kind.
fn codes_in(source: &str) -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for start in ["ApiError::invalid(", "ApiError::conflict(", "Self::invalid(", "Self::conflict("]
    {
        for rest in source.split(start).skip(1) {
            codes.extend(word(rest));
        }
    }
    for rest in source.split("Kind::").skip(1) {
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).trim_start();
        let rest = match rest.strip_prefix('{') {
            Some(fields) => fields.split_once('}').map_or("", |(_, after)| after).trim_start(),
            None => rest,
        };
        codes.extend(rest.strip_prefix(',').and_then(word));
    }
    codes
}

/// A word in quotes that comes next, as codes are written.
fn word(rest: &str) -> Option<String> {
    let word = rest.trim_start().strip_prefix('"')?.split_once('"')?.0;
    let is_code =
        word.bytes().all(|byte| byte.is_ascii_lowercase() || b"_0123456789".contains(&byte));
    is_code.then(|| word.to_string())
}

#[test]
fn every_code_of_a_refusal_is_listed_with_its_meaning() {
    let sorted = CODES.windows(2).all(|two| two[0].0 < two[1].0);
    assert!(sorted && CODES.iter().all(|(_, meaning)| !meaning.is_empty()));
    let listed: BTreeSet<_> = CODES.iter().map(|(code, _)| (*code).to_string()).collect();
    let mut made = BTreeSet::new();
    for (_, source) in all_sources() {
        made.extend(codes_in(&source));
    }
    let missing: Vec<_> = made.difference(&listed).collect();
    assert!(missing.is_empty(), "add to api/openapi/codes.rs: {missing:?}");
    assert!(made.len() > 100, "{}", made.len());
    let json = super::as_json().unwrap();
    let shown = &json["components"]["schemas"]["Refused"]["properties"]["code"]["enum"];
    assert_eq!(shown.as_array().unwrap().len(), CODES.len());
}

#[test]
fn codes_are_found_in_a_source() {
    let source = r#"ApiError::invalid("bad_place", x); ApiError::new(
        Kind::TooMany { retry_after_ms: 1 }, "too_fast", y);
        Refusal::new(Kind::NotFound, "not_found", z);
        Kind::Gone => 410, busy(Kind::Invalid, "A sentence.")"#;
    let found = ["bad_place", "not_found", "too_fast"].map(str::to_string);
    assert_eq!(codes_in(source), found.into());
}

/// Where a schema says nothing of what an object holds.
fn free_forms(schema: &Value, at: &str, found: &mut Vec<String>) {
    if let Value::Object(map) = schema {
        let is_object = map.get("type").is_some_and(|kind| kind.to_string().contains("object"));
        let says = ["properties", "additionalProperties", "allOf", "oneOf", "anyOf"];
        let is_shape = at.contains("/schema");
        if is_shape && is_object && !says.iter().any(|key| map.contains_key(*key)) {
            found.push(at.to_string());
        }
        for (name, inner) in map {
            free_forms(inner, &format!("{at}/{name}"), found);
        }
    } else if let Value::Array(items) = schema {
        items.iter().for_each(|inner| free_forms(inner, at, found));
    }
}

#[test]
fn no_shape_is_any_object() {
    let mut found = vec![];
    free_forms(&super::as_json().unwrap(), "", &mut found);
    // OpenAPI's own shape is its own document's.
    found.retain(|at| !at.starts_with("/paths//api/openapi.json/"));
    assert_eq!(found, [] as [String; 0]);
}

#[test]
fn what_is_asked_most_has_an_example() {
    let json = super::as_json().unwrap();
    for name in ["LoginRequest", "NewRoom", "NewMessage", "NewInvite"] {
        let example = &json["components"]["schemas"][name]["example"];
        assert!(example.is_object(), "{name}: {example}");
    }
}

#[test]
fn what_only_a_member_is_told_of_a_room_may_be_left_out() {
    let json = super::as_json().unwrap();
    let part = &json["components"]["schemas"]["RoomView"]["allOf"][0]["anyOf"];
    assert!(part[0]["$ref"].as_str().unwrap().ends_with("/Mine"), "{part}");
    assert_eq!(part[1], json!({ "not": { "required": ["notify"] } }));
}
