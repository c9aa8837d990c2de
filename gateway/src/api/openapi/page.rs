//! The description as a page: plain HTML without a script.

use std::fmt::{self, Write};

use serde_json::{Map, Value};

use super::codes::CODES;
use crate::api::reply::escaped;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;\
padding:0 1rem;color:#222;background:#fff}h2{margin-top:2.5rem}h3{margin:1.5rem 0 .25rem}\
code,pre,h3,h4{font:14px/1.4 ui-monospace,monospace}h3{font-weight:600}pre{background:#f4f4f2;\
padding:.75rem;overflow-x:auto}p,ul{margin:.25rem 0}nav a{margin-right:.75rem}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1b1a}pre{background:#262624}\
a{color:#9cf}}";

/// The whole page for a description as JSON.
pub fn html(document: &Value) -> String {
    let mut page = String::new();
    match write(&mut page, document) {
        Ok(()) => page,
        // A String takes everything.
        Err(fmt::Error) => String::new(),
    }
}

fn write(page: &mut String, document: &Value) -> fmt::Result {
    write!(
        page,
        "<!doctype html><html lang=en><meta charset=utf-8>\
         <meta name=viewport content=\"width=device-width\"><title>Hearth: REST</title>\
         <style>{STYLE}</style><h1>Hearth: REST</h1><p>{}</p>\
         <p><a href=/api/openapi.json>openapi.json</a> for programs.</p><nav>",
        escaped(text(&document["info"]["description"]))
    )?;
    let nouns = by_noun(document);
    for (noun, _) in &nouns {
        write!(page, "<a href=#{noun}>{noun}</a>")?;
    }
    page.push_str("<a href=#codes>codes</a><a href=#shapes>shapes</a></nav>");
    for (noun, operations) in &nouns {
        write!(page, "<h2 id={noun}>{noun}</h2>")?;
        for (method, path, operation) in operations {
            write_operation(page, method, path, operation)?;
        }
    }
    page.push_str("<h2 id=codes>codes of a no</h2><ul>");
    for (code, meaning) in CODES {
        write!(page, "<li><code>{code}</code> {}</li>", escaped(meaning))?;
    }
    page.push_str("</ul><h2 id=shapes>shapes</h2>");
    for (name, schema) in entries(&document["components"]["schemas"]) {
        let schema = serde_json::to_string_pretty(schema).unwrap_or_default();
        write!(page, "<h4 id=shape-{name}>{name}</h4><pre>{}</pre>", escaped(&schema))?;
    }
    page.push_str("</html>\n");
    Ok(())
}

/// The method, the path, and what is said of it.
type Operation<'a> = (String, &'a str, &'a Value);

/// The operations of each noun, in the order of their paths.
fn by_noun(document: &Value) -> Vec<(&str, Vec<Operation<'_>>)> {
    let mut nouns: Vec<(&str, Vec<_>)> = vec![];
    for (path, item) in entries(&document["paths"]) {
        for (method, operation) in entries(item) {
            let noun = text(&operation["tags"][0]);
            let entry = (method.to_uppercase(), path.as_str(), operation);
            match nouns.iter_mut().find(|(known, _)| *known == noun) {
                Some((_, operations)) => operations.push(entry),
                None => nouns.push((noun, vec![entry])),
            }
        }
    }
    nouns
}

fn write_operation(page: &mut String, method: &str, path: &str, operation: &Value) -> fmt::Result {
    let open = operation["security"].is_array();
    let who = if open { " Without a token." } else { "" };
    let summary = escaped(text(&operation["summary"]));
    write!(page, "<h3>{method} {}</h3><p>{summary}{who}</p><ul>", escaped(path))?;
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let (name, place) = (text(&parameter["name"]), text(&parameter["in"]));
        let about = escaped(text(&parameter["description"]));
        write!(page, "<li>{place} <code>{name}</code> {about}</li>")?;
    }
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    if !body.is_null() {
        write!(page, "<li>takes {}</li>", shape(body))?;
    }
    for (status, answer) in entries(&operation["responses"]) {
        let about = escaped(text(&answer["description"]));
        let contents = entries(&answer["content"]).map(|(_, content)| shape(&content["schema"]));
        let contents: String = contents.collect();
        write!(page, "<li>{status} {about} {contents}</li>")?;
    }
    page.push_str("</ul>");
    Ok(())
}

/// A link to a shape by its name.
fn shape(schema: &Value) -> String {
    match text(&schema["$ref"]).rsplit_once('/') {
        Some((_, name)) => format!("<a href=#shape-{name}>{name}</a>"),
        None => text(&schema["type"]).to_string(),
    }
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
